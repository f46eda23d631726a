"""The metrics that are means of values of the rows, as functions that give those values."""
from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..program.eager import Tensor
from .accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from .base import Metric
from .regression import ConcordanceCorrelation, PearsonCorrelation
from .update import row_values


def binary_accuracy(y_true, y_pred, threshold=0.5) -> Tensor:
    """1 where y_pred > ``threshold`` equals y_true, else 0; of y_pred's shape."""
    return row_values(_metric(BinaryAccuracy, threshold=threshold), _column(y_true), _column(y_pred))


def categorical_accuracy(y_true, y_pred) -> Tensor:
    """1 for each row (..., classes) with the largest of y_pred where y_true has its largest, else 0."""
    return row_values(_metric(CategoricalAccuracy), y_true, y_pred)


def sparse_categorical_accuracy(y_true, y_pred) -> Tensor:
    """1 for each row (..., classes) with the largest of y_pred at the integer label y_true, else 0."""
    return row_values(_metric(SparseCategoricalAccuracy), y_true, y_pred)


def top_k_categorical_accuracy(y_true, y_pred, k=5) -> Tensor:
    """1 for each row with the class of the one-hot y_true among the ``k`` greatest of y_pred, else 0."""
    return row_values(_metric(TopKCategoricalAccuracy, k=k), y_true, y_pred)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False) -> Tensor:
    """1 for each row with the integer label y_true among the ``k`` greatest of y_pred (or its first k ids), else 0."""
    return row_values(_metric(SparseTopKCategoricalAccuracy, k=k, from_sorted_ids=from_sorted_ids), y_true, y_pred)


def pearson_correlation(y_true, y_pred, axis=-1) -> Tensor:
    """Pearson's correlation of y_true with y_pred along the last axis."""
    return row_values(_metric(PearsonCorrelation, axis=axis), y_true, y_pred)


def concordance_correlation(y_true, y_pred, axis=-1) -> Tensor:
    """The concordance of y_true with y_pred along the last axis."""
    return row_values(_metric(ConcordanceCorrelation, axis=axis), y_true, y_pred)


def _column(x) -> np.ndarray:
    return np.asarray(x)[..., None]


@lru_cache(maxsize=32)
def _metric(cls: type[Metric], **options) -> Metric:
    """A metric whose programs are kept from call to call."""
    return cls(**options)


CLASS_OF = {
    binary_accuracy: BinaryAccuracy, categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy, top_k_categorical_accuracy: TopKCategoricalAccuracy,
    sparse_top_k_categorical_accuracy: SparseTopKCategoricalAccuracy, pearson_correlation: PearsonCorrelation,
    concordance_correlation: ConcordanceCorrelation}
