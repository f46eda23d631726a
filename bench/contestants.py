"""Who runs the training benchmark, and what a library must offer to take part.

A module `with_<library>` holds `make(workload, x, y) -> Contestant`. Each library is used as those who know it would.
"""
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple


class Contestant(NamedTuple):
    """One library with its net built; ``rows`` are of the kind of array that the library likes best."""

    train: Callable[[int], float]           # epochs -> mean loss of the last epoch
    rows: Any                               # the training rows
    call: Callable[[Any], Any]              # the plain call: rows -> probabilities or logits
    predict: Callable[[Any], Any] | None = None     # where `predict` is another function than the plain call
    middle: float = 0.0                     # of the output of a net that has one: above it is the second class
    trains: bool = True                     # False: it only predicts, and `train` is that of fastnn


class Entry(NamedTuple):
    """A line of the table: module of the library, module to look for, environment of its process, and the variable
    that names the Python of another environment, where the library is."""

    module: str
    needs: str
    environment: dict[str, str]
    workloads: tuple[str, ...] = ("iris_mlp", "mnist_mlp", "deep_bn", "mnist_cnn", "cat_cnn", "lstm",
                                 "next_word")
    python: str = ""

    @property
    def interpreter(self):
        """The Python that has the library, "" where none is known."""
        own = sys.executable if importlib.util.find_spec(self.needs) else ""
        return os.environ.get(self.python) or own


ONE, LAST = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}, {"BENCH_CHANNELS_LAST": "1"}
CNN = ("mnist_cnn", "cat_cnn")
RECURRENT = ("lstm", "next_word")
ENTRIES = {
    "fastnn": Entry("with_fastnn", "fastnn", {}),
    "torch": Entry("with_torch", "torch", {}),
    "torch, 1 thread": Entry("with_torch", "torch", ONE),
    "torch, channels last": Entry("with_torch", "torch", LAST, CNN),
    "torch, channels last, 1 thread": Entry("with_torch", "torch", ONE | LAST, CNN),
    "jax": Entry("with_jax", "jax", {"JAX_PLATFORMS": "cpu"}),
    "tensorflow": Entry("with_tensorflow", "tensorflow", {"TF_CPP_MIN_LOG_LEVEL": "3"}, CNN + RECURRENT,
                        "TENSORFLOW_PYTHON"),
    "scikit-learn": Entry("with_sklearn", "sklearn", {}, ("iris_mlp", "mnist_mlp")),
    "onnxruntime": Entry("with_onnxruntime", "onnxruntime", {}, (*CNN, "lstm")),
    "onnxruntime, 1 thread": Entry("with_onnxruntime", "onnxruntime", {"BENCH_THREADS": "1"},
                                   (*CNN, "lstm")),
}


def field(workload):
    """The names of those who can run a workload here."""
    return [name for name, entry in ENTRIES.items() if workload in entry.workloads and entry.interpreter]
