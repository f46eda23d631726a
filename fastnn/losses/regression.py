"""Losses of numbers: distances between y_true and y_pred."""
from __future__ import annotations

from .. import backend
from .base import Loss, number, whole


class MeanSquaredError(Loss):
    """Mean over the last axis of (y_true - y_pred)²."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "mean_squared_error", y, target, weights)


class MeanAbsoluteError(Loss):
    """Mean over the last axis of |y_true - y_pred|."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "mean_absolute_error", y, target, weights)


class MeanAbsolutePercentageError(Loss):
    """Mean over the last axis of 100·|y_true - y_pred| / max(|y_true|, epsilon), epsilon by ``backend.epsilon()``."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "mean_absolute_percentage_error", y, target, weights, (backend.epsilon(),))


class MeanSquaredLogarithmicError(Loss):
    """Mean over the last axis of (log(1 + y_true) - log(1 + y_pred))², where both count as at least epsilon."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "mean_squared_logarithmic_error", y, target, weights, (backend.epsilon(),))


class Huber(Loss):
    """Mean over the last axis of e²/2 for errors e up to ``delta``, and of delta·(|e| - delta/2) beyond."""
    of_numbers = True

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        self.delta = number(self, "delta", delta)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "huber", y, target, weights, (self.delta,))


class LogCosh(Loss):
    """Mean over the last axis of log(cosh(y_pred - y_true)): e²/2 for small errors, |e| - log 2 for large ones."""
    of_numbers = True

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "log_cosh", y, target, weights)


class Quantile(Loss):
    """Mean over the last axis of max(q·e, (q - 1)·e) for e = y_true - y_pred: least where y_pred is the ``quantile`` q
    of y_true (pinball loss; Koenker and Bassett, Regression quantiles, 1978)."""
    of_numbers = True

    def __init__(self, quantile=0.5, reduction="sum_over_batch_size", name="quantile", dtype=None):
        super().__init__(name, reduction, dtype)
        self.quantile = number(self, "quantile", quantile)
        if not 0 < self.quantile < 1:
            raise ValueError(f"Quantile: `quantile` must be a number between 0 and 1, got {quantile!r}")

    def lower(self, build, y, target, weights=None):
        return self.emit(build, "quantile", y, target, weights, (self.quantile,))


class CosineSimilarity(Loss):
    """-cos of the angle between y_true and y_pred along ``axis``: -1 for the same direction, 1 for the opposite one.

    Lengths below epsilon count as epsilon, so the loss of a zero vector is 0.
    """
    of_numbers = True

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = whole(self, "axis", axis)

    def lower(self, build, y, target, weights=None):
        y, target = self.axis_last(build, y), self.axis_last(build, target)
        return self.emit(build, "cosine_similarity", y, target, weights, (backend.epsilon(),))
