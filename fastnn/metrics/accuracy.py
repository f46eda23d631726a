"""Accuracy: the fraction of rows predicted right."""
from __future__ import annotations

import numpy as np

from .. import _arrays
from ..program import Lowering, Value
from .base import Metric

EXACT = 1        # flag of the kernel binary_accuracy: y itself is compared


def row_values(build: Lowering, kernel: str, y: Value, target: Value, weights: Value | None, scalars=(), flags=0,
               sizes=()) -> Value:
    """One metric operation: y, target, [weights] -> values of the rows."""
    shape = y.shape[:-1]
    values = build.value(shape, name="values")
    repeat = max(1, y.size // y.shape[-1]) // (1 if weights is None else weights.size)
    build.emit(kernel, [y, target, weights], [values], [y.rows(), y.shape[-1], repeat, *sizes], scalars, flags)
    return values


class Accuracy(Metric):
    """How often y_pred equals y_true; the mean over the last axis."""
    masked = True
    elementwise = True

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(dtype, name)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "binary_accuracy", y, target, weights, [0.0], EXACT)


class BinaryAccuracy(Metric):
    """How often y_pred > ``threshold`` equals y_true (0 or 1); the mean over the last axis."""
    masked = True
    elementwise = True

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(dtype, name)
        real = isinstance(threshold, (int, float, np.number)) and not isinstance(threshold, bool)
        if not real or not 0 < threshold < 1:
            raise ValueError(f"BinaryAccuracy: `threshold` must be a number between 0 and 1, got {threshold!r}")
        self.threshold = float(threshold)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "binary_accuracy", y, target, weights, [self.threshold])


class CategoricalAccuracy(Metric):
    """How often the largest of y_pred is where the one-hot y_true has its largest."""
    masked = True

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(dtype, name)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "categorical_accuracy", y, target, weights)


class SparseCategoricalAccuracy(Metric):
    """How often the largest of y_pred is at the integer label y_true, of shape (rows,) or (rows, 1)."""
    masked = True
    reads = "labels"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(dtype, name)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "sparse_categorical_accuracy", y, target, weights)


class TopKCategoricalAccuracy(Metric):
    """How often the class of the one-hot y_true is among the ``k`` greatest of y_pred; ties count as hits."""
    masked = True

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(dtype, name)
        self.k = _arrays.whole_number("k", k, 1)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "top_k_accuracy", y, target, weights, sizes=[self.k])


class SparseTopKCategoricalAccuracy(Metric):
    """How often the integer label y_true is among the ``k`` greatest of y_pred; ties count as hits.

    ``from_sorted_ids``: y_pred holds class numbers, the likeliest first, of which the first ``k`` count.
    """
    masked = True

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(dtype, name)
        self.k, self.from_sorted_ids = _arrays.whole_number("k", k, 1), bool(from_sorted_ids)
        self.reads = "numbers" if from_sorted_ids else "labels"

    def lower(self, build, y, target, weights=None):
        kernel = "sorted_ids_accuracy" if self.from_sorted_ids else "top_k_accuracy_sparse"
        return row_values(build, kernel, y, target, weights, sizes=[self.k])
