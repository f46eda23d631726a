"""Accuracy: the fraction of rows predicted right."""
from __future__ import annotations

from ..program import Lowering, Value
from .base import Metric


def _emit(build: Lowering, kernel: str, y: Value, target: Value, weights: Value | None, scalars=()) -> Value:
    """One metric operation: y, target, [weights] -> values of the rows."""
    shape = y.shape[:-1]
    values = build.value(shape, name="correct")
    build.emit(kernel, [y, target, weights], [values], [y.rows(), y.shape[-1], max(1, y.size // y.shape[-1])], scalars)
    return values


class BinaryAccuracy(Metric):
    """How often y_pred > ``threshold`` equals y_true (0 or 1); the mean over the last axis."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(name)
        if not isinstance(threshold, (int, float)) or not 0 < threshold < 1:
            raise ValueError(f"BinaryAccuracy: `threshold` must be a number between 0 and 1, got {threshold!r}")
        self.threshold = float(threshold)

    def lower(self, build, y, target, weights=None):
        return _emit(build, "binary_accuracy", y, target, weights, [self.threshold])


class CategoricalAccuracy(Metric):
    """How often the largest of y_pred is where the one-hot y_true has its largest."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(name)

    def lower(self, build, y, target, weights=None):
        return _emit(build, "categorical_accuracy", y, target, weights)


class SparseCategoricalAccuracy(Metric):
    """How often the largest of y_pred is at the integer label y_true, of shape (rows,) or (rows, 1)."""
    integer_targets = True

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(name)

    def lower(self, build, y, target, weights=None):
        return _emit(build, "sparse_categorical_accuracy", y, target, weights)
