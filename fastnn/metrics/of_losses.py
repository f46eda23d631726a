"""Losses as metrics, by Keras's names; what a loss computes is described with the loss."""
from __future__ import annotations

import math

import numpy as np

from .. import losses
from ..program.ir import mean
from .base import LossMetric


class BinaryCrossentropy(LossMetric):
    """Mean of the binary cross-entropy; arguments as for the loss."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(losses.BinaryCrossentropy(from_logits, label_smoothing), name, dtype)
        self.from_logits, self.label_smoothing = bool(from_logits), label_smoothing


class CategoricalCrossentropy(LossMetric):
    """Mean of the cross-entropy with one-hot targets; arguments as for the loss."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(losses.CategoricalCrossentropy(from_logits, label_smoothing, axis), name, dtype)
        self.from_logits, self.label_smoothing, self.axis = bool(from_logits), label_smoothing, axis


class SparseCategoricalCrossentropy(LossMetric):
    """Mean of the cross-entropy with integer labels; arguments as for the loss."""

    def __init__(self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None,
                 axis=-1):
        options = {} if ignore_class is None else {"ignore_class": ignore_class}
        super().__init__(losses.SparseCategoricalCrossentropy(from_logits=from_logits, axis=axis, **options), name,
                         dtype)
        self.from_logits, self.ignore_class, self.axis = bool(from_logits), ignore_class, axis


class Perplexity(SparseCategoricalCrossentropy):
    """exp of the mean cross-entropy with integer labels: as many classes, all alike, would be as hard to guess.

    ``from_logits``: y_pred are logits, not probabilities.
    """

    def __init__(self, name="perplexity", dtype=None, from_logits=False, axis=-1):
        super().__init__(name, dtype, from_logits, None, axis)

    def result_of(self, counters: np.ndarray) -> float:
        return math.exp(min(mean(counters), 709.0)) if counters[1] else 0.0       # exp(710) is beyond a float


class MeanSquaredError(LossMetric):
    """Mean of (y_true - y_pred)²."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)


class RootMeanSquaredError(LossMetric):
    """Square root of the mean of (y_true - y_pred)²."""
    elementwise = True
    masked = False

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)

    def result_of(self, counters: np.ndarray) -> float:
        return math.sqrt(mean(counters))


class MeanAbsoluteError(LossMetric):
    """Mean of |y_true - y_pred|."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.MeanAbsoluteError(), name, dtype)


class MeanAbsolutePercentageError(LossMetric):
    """Mean of 100·|y_true - y_pred| / |y_true|."""

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.MeanAbsolutePercentageError(), name, dtype)


class MeanSquaredLogarithmicError(LossMetric):
    """Mean of (log(1 + y_true) - log(1 + y_pred))²."""

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.MeanSquaredLogarithmicError(), name, dtype)


class LogCoshError(LossMetric):
    """Mean of log(cosh(y_pred - y_true))."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.LogCosh(), name, dtype)


class CosineSimilarity(LossMetric):
    """Mean of the cosine of the angle between y_true and y_pred, from -1 to 1; along the last axis."""
    direction = "max"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(losses.CosineSimilarity(axis=axis), name, dtype)
        self.axis = axis

    def result_of(self, counters: np.ndarray) -> float:
        return -mean(counters) + 0.0            # the loss is its negative


class Hinge(LossMetric):
    """Mean of max(1 - y_true·y_pred, 0), for targets -1 and 1; 0 is taken for -1."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.Hinge(), name, dtype)


class SquaredHinge(LossMetric):
    """Mean of max(1 - y_true·y_pred, 0)², for targets -1 and 1; 0 is taken for -1."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.SquaredHinge(), name, dtype)


class CategoricalHinge(LossMetric):
    """Mean of max(greatest wrong - right + 1, 0), for one-hot targets."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.CategoricalHinge(), name, dtype)


class KLDivergence(LossMetric):
    """Mean of the sum of y_true·log(y_true / y_pred)."""

    def __init__(self, name="kl_divergence", dtype=None):
        super().__init__(losses.KLDivergence(), name, dtype)


class Poisson(LossMetric):
    """Mean of y_pred - y_true·log(y_pred)."""

    def __init__(self, name="poisson", dtype=None):
        super().__init__(losses.Poisson(), name, dtype)
