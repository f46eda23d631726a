"""Sums and means of values, and of what a function of the user's makes of y_true and y_pred."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _arrays, backend
from ..program import Lowering, Value
from .base import Metric


def row_sums(values, sample_weight=None, mean: bool = True) -> tuple[float, float]:
    """(sum, count) of values (rows, ...): of the rows' means (or sums), weighted; a single number is one row.

    ``sample_weight`` (rows,) or of more of the axes of ``values``: its sum, averaged over further axes, is the count.
    """
    values = np.asarray(values, np.float64)
    reduce = np.mean if mean else np.sum
    if sample_weight is None:
        rows = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
        return math.fsum(reduce(rows, 1)), float(len(rows))
    weight = np.asarray(sample_weight, np.float64)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.ndim > values.ndim or (weight.ndim and weight.shape != values.shape[:weight.ndim]):
        raise ValueError(f"`sample_weight` must have the shape of the values {values.shape}, or of its first axes, got "
                         f"shape {weight.shape}")
    values = reduce(values, tuple(range(weight.ndim, values.ndim))) if weight.ndim else values
    weight = np.broadcast_to(weight, values.shape)
    values = values * weight
    if values.ndim > 1:
        values, weight = (reduce(x, tuple(range(1, x.ndim))) for x in (values, weight))
    return float(values.sum()), float(weight.sum())


class Sum(Metric):
    """The sum of values, each multiplied by its weight; ``update_state(values, sample_weight=None)``."""
    reads = None
    direction = "unknown"

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)

    def update_state(self, values, sample_weight=None) -> None:        # type: ignore[override]
        """Take in values: a number or an array, and a weight for each or for each row."""
        self.state_for(2).data[:] += row_sums(_numbers(values), sample_weight, mean=False)

    def result_of(self, counters: np.ndarray) -> float:
        return float(counters[0])


class Mean(Metric):
    """The mean of values, weighted by their weights; ``update_state(values, sample_weight=None)``; 0 before any."""
    reads = None
    direction = "unknown"

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)

    def update_state(self, values, sample_weight=None) -> None:        # type: ignore[override]
        """Take in values: a number or an array, and a weight for each or for each row."""
        self.state_for(2).data[:] += row_sums(_numbers(values), sample_weight)


class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred, **kwargs)``, a function of yours that gives a value a row, or one number.

    In ``fit`` and ``evaluate`` it is called back once a batch with NumPy arrays, valid during the call. A single
    number counts as one row; where weights or a mask count steps, a value for each step is wanted.
    """
    masked = True

    def __init__(self, fn: Callable, name=None, dtype=None, **kwargs):
        if not callable(fn):
            raise TypeError(f"MeanMetricWrapper: `fn` must be a function (y_true, y_pred), got {fn!r:.60}")
        super().__init__(name or _name(fn), dtype)
        self.fn, self.kwargs = fn, kwargs

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "fn": self.fn, **self.kwargs}

    def lower_update(self, build: Lowering, y: Value, target: Value, weights: Value | None, counters: Value) -> None:
        def call(y, target, *rest):
            *weights, total, count = rest
            values = self.fn(target, y, **self.kwargs)
            if weights and np.shape(values)[:weights[0].ndim] != weights[0].shape:
                raise ValueError(f"metric {self.name!r} must give one value for each weight, shape {weights[0].shape}: "
                                 f"of `sample_weight` and of the mask of the outputs; got shape {np.shape(values)}")
            total[0], count[0] = row_sums(values, *weights)

        call.__name__ = self.name
        total, count = (build.value((1,), "float64", batched=False, name=name) for name in ("sum", "count"))
        build.python(call, [y, target, *([] if weights is None else [weights])], [total, count])
        build.emit("add_counter", [total, count], [counters], [1, 1, 1], phase="commit")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:        # type: ignore[override]
        """Take in arrays in whatever shapes the function takes."""
        values = self.fn(np.asarray(y_true), np.asarray(y_pred), **self.kwargs)
        self.state_for(2).data[:] += row_sums(values, sample_weight)


def _name(fn: Callable) -> str:
    name = getattr(fn, "name", None) or getattr(fn, "__name__", None) or type(fn).__name__
    return backend.snake_case(name)


def _numbers(values) -> np.ndarray:
    values = np.asarray(values)
    return values if values.ndim == 0 and values.dtype.kind in "biuf" else _arrays.as_rows(values, "values")
