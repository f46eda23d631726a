"""Metrics on arrays: a program of the metric alone, on counters that are the metric's own."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _arrays
from ..program import Lowering, Program, Value
from ..program.eager import Tensor

if TYPE_CHECKING:
    from .base import Metric

ROWS = 1024         # of a batch: large arrays go through in pieces


def update(metric: Metric, y_true, y_pred, sample_weight) -> None:
    """Count arrays; ValueError or TypeError says what is wrong with them, and nothing was counted then.

    Programs are kept with the metric, by the shape of a row, the dtype and the rank of the weights.
    """
    arrays = _checked(metric, y_true, y_pred, sample_weight)
    y_pred = arrays["y_pred"]
    shape = y_pred.shape[1:]
    state = metric.state_for(metric.state_size(shape))
    key = (shape, y_pred.dtype == np.float64, None if sample_weight is None else arrays["sample_weight"].ndim)
    program = metric._updates.get(key)
    if program is None:
        build, y, target, weights = _gathered(metric, arrays)
        metric.lower_update(build, y, target, weights, build.stored(state))
        program = metric._updates.keep(key, Program(build, f"metric {metric.name}"))
    # labels are checked as they are gathered: all of them before any is counted
    _run(program, list(arrays.values()), len(y_pred) if metric.reads == "labels" else min(len(y_pred), ROWS))


def row_values(metric: Metric, y_true, y_pred) -> Tensor:
    """What a metric that is a mean of values of rows makes of each row of arrays: (rows, ...) without the last axis."""
    arrays = _checked(metric, y_true, y_pred, None)
    y_pred = arrays["y_pred"]
    key = (y_pred.shape[1:], y_pred.dtype == np.float64)
    found = metric._updates.get(key)
    if found is None:
        build, y, target, _ = _gathered(metric, arrays)
        values = metric.lower(build, y, target)
        build.scatter(values, "values")
        found = metric._updates.keep(key, Program(build, metric.name))
    result = np.empty(y_pred.shape[:-1], found.dtype)
    _run(found, [*arrays.values(), result], min(len(y_pred), ROWS))
    return result.view(Tensor)


def target_shape(metric: Metric, output_shape: tuple) -> tuple:
    """The shape of a row of y_true (without the batch axis)."""
    if metric.reads == "one_hot":
        return (*output_shape, metric.num_classes)        # type: ignore[attr-defined]
    return output_shape if metric.reads == "y" else output_shape[:-1]


def _checked(metric: Metric, y_true, y_pred, sample_weight) -> dict[str, np.ndarray]:
    """The arrays as gather reads them, by argument."""
    y_pred = _arrays.as_rows(y_pred, "y_pred")
    if y_pred.ndim == 1 and metric.needs_columns:
        raise ValueError(f"{type(metric).__name__}: `y_true` and `y_pred` must have shape (rows, outputs), got "
                         f"{np.shape(y_true)} and {y_pred.shape}; for one output use y.reshape(-1, 1)")
    if y_pred.ndim == 1:
        y_true = np.asarray(y_true)
        y_true = y_true[:, None] if metric.reads == "one_hot" else y_true if metric.elementwise else y_true[None]
        y_pred = y_pred[:, None] if metric.elementwise else _arrays.as_rows(y_pred[None], "y_pred")
    if 0 in y_pred.shape[1:]:
        raise ValueError(f"`y_pred` must hold at least one value a row, got shape {y_pred.shape}")
    arrays = {"y_pred": y_pred, "y_true": _arrays.as_target(y_true, target_shape(metric, y_pred.shape[1:]), "y_true")}
    if sample_weight is not None:
        arrays["sample_weight"] = _arrays.as_weights(sample_weight, len(y_pred), steps=y_pred.shape[1:-1],
                                                     double=y_pred.dtype == np.float64)
    _arrays.check_same_length(**arrays)
    return arrays


def _gathered(metric: Metric, arrays: dict[str, np.ndarray]) -> tuple[Lowering, Value, Value, Value | None]:
    """The beginning of a program: (lowering, y, target, weights)."""
    y_pred = arrays["y_pred"]
    build = Lowering(False, "float64" if y_pred.dtype == np.float64 else "float32")
    build.layer = metric.name
    y = build.gather(y_pred.shape[1:], "y_pred")
    shape = target_shape(metric, y.shape)
    if metric.reads == "labels":
        target = build.gather(shape, "y_true", y.shape[-1], metric.ignore_class)
    else:
        target = build.gather(shape, "y_true")
    weights = arrays.get("sample_weight")
    return build, y, target, None if weights is None else build.gather(weights.shape[1:], "sample_weight")


def _run(program: Program, arrays: list[np.ndarray], batch: int) -> None:
    fault = program.run(arrays, len(arrays[0]), max(1, batch))
    if fault is not None:
        raise ValueError(_arrays.bad_label("y_true", fault[2], fault[3], arrays[0].shape[-1]))
