"""What all metrics share: a value for every row, and their running mean."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import backend
from .._describe import Described
from ..losses import Loss
from ..program import Lowering, Value
from ..program.eager import Scalar, per_row


class Metric(Described):
    """Base of the metrics that are a mean over rows.

    In ``fit`` and ``evaluate`` a metric is lowered into the program and its sum and count are float64 counters of the
    run. On arrays: ``update_state(y_true, y_pred)``, ``result()``, ``reset_state()``; calling it does all three's work.
    """
    integer_targets = False
    unsaved = ("dtype",)
    direction = "max"                  # whether more is better ("max") or less ("min"), for callbacks that monitor it

    def __init__(self, name: str | None = None):
        self.name = name or backend.snake_case(type(self).__name__)
        self.total, self.count = 0.0, 0.0

    def target_shape(self, output_shape: tuple) -> tuple:
        """The shape of one row of y for outputs of this shape (both without the batch axis)."""
        return output_shape[:-1] if self.integer_targets else output_shape

    def gather_target(self, build: Lowering, output_shape: tuple) -> Value:
        """y of the batch in the form this metric reads."""
        if self.integer_targets:
            return build.gather(output_shape[:-1], "labels", output_shape[-1])
        return build.gather(output_shape, "y")

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        """Name the operations; returns the values of the rows, weighted."""
        raise NotImplementedError(f"{type(self).__name__} has no lower()")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Take in arrays: y_pred (rows, ...), y_true as the loss wants it, sample_weight (rows,)."""
        values = per_row(self, y_true, y_pred, sample_weight)
        self.total += float(values.sum(dtype=np.float64))
        self.count += values.size if sample_weight is None else float(np.sum(sample_weight, dtype=np.float64))

    def result(self) -> float:
        """The mean so far, 0 before the first row."""
        return Scalar(self.total / self.count if self.count else 0.0)

    def reset_state(self) -> None:
        """Forget all rows."""
        self.total, self.count = 0.0, 0.0

    def __call__(self, y_true, y_pred, sample_weight=None) -> float:
        """``update_state``, then ``result``."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()


class LossMetric(Metric):
    """A loss, reported: its mean over rows, without a gradient and without weights."""
    direction = "min"

    def __init__(self, loss: Loss, name: str | None = None):
        super().__init__(name or loss.name)
        self.loss = loss
        self.integer_targets = loss.integer_targets

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        return self.loss.lower(build, build.detached(y), target, weights)


class PythonMetric(Metric):
    """A function (y_true, y_pred) -> number or (rows,) of the user's, called back once a batch with NumPy arrays."""
    direction = "unknown"

    def __init__(self, function: Callable, integer_targets: bool = False):
        super().__init__(getattr(function, "__name__", "metric"))
        self.function = function
        self.integer_targets = integer_targets

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        values = build.value((), name=self.name)

        def call(y, target, values):
            result = np.asarray(self.function(target, y))
            values[...] = result if result.ndim == 0 else result.reshape(len(values), -1).mean(1)

        call.__name__ = self.name
        build.python(call, [y, target], [values])
        return values
