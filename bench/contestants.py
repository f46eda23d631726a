"""Who runs the training benchmark, and what a library must offer to take part.

A module `with_<library>` holds `make(workload, x, y) -> Contestant`. Each library is used as those who know it would.
"""
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple


class Contestant(NamedTuple):
    """One library with its net built; ``rows`` are of the kind of array that the library likes best."""

    train: Callable[[int], float]           # epochs -> mean loss of the last epoch
    rows: Any                               # the training rows
    call: Callable[[Any], Any]              # the plain call: rows -> probabilities or logits
    predict: Callable[[Any], Any] | None    # where `predict` is another function than the plain call


class Entry(NamedTuple):
    """A line of the table: module of the library, module to look for, environment of its process."""

    module: str
    needs: str
    environment: dict[str, str]
    workloads: tuple[str, ...] = ("iris_mlp", "mnist_mlp", "deep_bn")


ENTRIES = {
    "fastnn": Entry("with_fastnn", "fastnn", {}),
    "torch": Entry("with_torch", "torch", {}),
    "torch, 1 thread": Entry("with_torch", "torch", {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}),
    "jax": Entry("with_jax", "jax", {"JAX_PLATFORMS": "cpu"}),
    "scikit-learn": Entry("with_sklearn", "sklearn", {}, ("iris_mlp", "mnist_mlp")),
}


def field(workload):
    """The names of those who can run a workload here."""
    return [name for name, entry in ENTRIES.items()
            if workload in entry.workloads and importlib.util.find_spec(entry.needs)]
