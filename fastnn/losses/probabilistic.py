"""Losses of distributions that are no cross-entropies."""
from __future__ import annotations

from .. import backend
from .base import Loss


class KLDivergence(Loss):
    """Sum over the last axis of y_true·log(y_true / y_pred), both clipped to [epsilon, 1]."""

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "kl_divergence", y, target, weights, (backend.epsilon(),))


class Poisson(Loss):
    """Mean over the last axis of y_pred - y_true·log(y_pred + epsilon), for counts y_true and rates y_pred."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "poisson", y, target, weights, (backend.epsilon(),))
