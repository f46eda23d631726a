"""Hinge losses: nothing is lost where the margin is kept."""
from __future__ import annotations

from .base import Loss


class Hinge(Loss):
    """Mean over the last axis of max(0, 1 - y_true·y_pred), for targets -1 and 1; a target 0 counts as -1."""

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "hinge", y, target, weights)


class SquaredHinge(Loss):
    """Mean over the last axis of max(0, 1 - y_true·y_pred)², for targets -1 and 1; a target 0 counts as -1."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "squared_hinge", y, target, weights)


class CategoricalHinge(Loss):
    """max(0, 1 + max((1 - y_true)·y_pred) - sum(y_true·y_pred)) along the last axis, for one-hot targets."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "categorical_hinge", y, target, weights)
