"""Metrics inside the program of a step: with counters of the frame, or called back where they are written in Python."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import _overrides
from ..program import Lowering, Value
from .base import Metric

LOWERED = {"lower", "lower_update"}
IN_PYTHON = {"update_state", "result", "reset_state"}


def number(result: Any) -> Any:
    """What a ``result`` of the user's is in logs: a float, or an array if it has more than one number."""
    result = np.asarray(result)
    return float(result.reshape(())) if result.size == 1 else np.array(result)


def written_in_python(metric: Metric) -> bool:
    """Whether the class nearest to the metric's own that says how it counts says it in Python."""
    return _overrides.nearest(type(metric), IN_PYTHON, LOWERED) is not None


def gather_target(build: Lowering, reads: str, output_shape: tuple) -> Value:
    """y of the batch in a form that a metric reads.

    "y": numbers of the output's shape; "labels": class indices, one for the last axis; "numbers": the same as numbers,
    which may be no class.
    """
    if reads == "labels":
        return build.gather(output_shape[:-1], "labels", output_shape[-1])
    return build.gather(output_shape if reads == "y" else output_shape[:-1], reads)


def lower_metric(build: Lowering, metric: Metric, y: Value, target: Value, weights: Value | None) -> None:
    """Lower a metric with counters of the frame; one written in Python as an operation that calls it back.

    That one keeps its state itself: its counter is the number of batches since an epoch began, at 0 it is reset.
    """
    if not written_in_python(metric):
        counters = build.counter(metric.name, metric.state_size(y.shape), metric.results_of)
        metric.lower_update(build, y, target, weights, counters)
        return

    def call(batches, y, target, *rest):
        *weights, one = rest
        if not batches[0]:
            metric.reset_state()
        metric.update_state(target, y, *weights)
        one[0] = 1.0

    def results_of(batches: np.ndarray) -> list[Any]:
        """Of the epoch that runs: the metric knows no other."""
        if not batches[-1, 0]:
            metric.reset_state()
        return [number(metric.result())]

    call.__name__ = metric.name
    build.python_state = True
    batches = build.counter(metric.name, 2, results_of)
    one = build.value((1,), "float64", batched=False, name="one batch")
    build.python(call, [batches, y, target, *([] if weights is None else [weights])], [one])
    build.emit("add_counter", [one, None], [batches], [1, 1, 1], phase="commit")
