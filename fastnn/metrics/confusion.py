"""Metrics of positives and negatives, true and false, at thresholds."""
from __future__ import annotations

import numpy as np

from .. import _arrays
from .counts import Counts, checked_thresholds, evenly_spaced, one_or_all, share


class _Count(Counts):
    direction = "unknown"

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.thresholds = thresholds
        values = checked_thresholds(self, thresholds, 0.5)
        self._count_at(values, evenly_spaced(values))


class TruePositives(_Count):
    """The number (sum of weights) of elements with y_true and y_pred > threshold; an array for several thresholds."""

    def results_of(self, counters):
        hits, _, _, _ = self._positive(counters)
        return one_or_all(hits)


class FalsePositives(_Count):
    """The number (sum of weights) of elements with not y_true, but y_pred > threshold; an array for several."""

    def results_of(self, counters):
        _, wrong, _, _ = self._positive(counters)
        return one_or_all(wrong)


class TrueNegatives(_Count):
    """The number (sum of weights) of elements with neither y_true nor y_pred > threshold; an array for several."""

    def results_of(self, counters):
        _, wrong, _, false = self._positive(counters)
        return one_or_all(np.maximum(false - wrong, 0.0))


class FalseNegatives(_Count):
    """The number (sum of weights) of elements with y_true, but not y_pred > threshold; an array for several."""

    def results_of(self, counters):
        hits, _, true, _ = self._positive(counters)
        return one_or_all(np.maximum(true - hits, 0.0))


class _Share(Counts):
    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(dtype, name)
        self.thresholds = thresholds
        values = checked_thresholds(self, thresholds, 0.5 if top_k is None else -np.inf)
        self._count_at(values, evenly_spaced(values), k=top_k, label=class_id)


class Precision(_Share):
    """True positives / (true positives + false positives); 0 without positives, an array for several thresholds.

    ``thresholds``: numbers from 0 to 1, None for 0.5 (with ``top_k`` for none). ``top_k``: only the k greatest of a
    row can be predicted positive. ``class_id``: only this class counts.
    """

    def results_of(self, counters):
        hits, wrong, _, _ = self._positive(counters)
        return one_or_all(share(hits, hits + wrong))


class Recall(_Share):
    """True positives / (true positives + false negatives); arguments as for ``Precision``."""

    def results_of(self, counters):
        hits, _, true, _ = self._positive(counters)
        return one_or_all(share(hits, true))


class _Best(Counts):
    """Base: the greatest of one share, over those thresholds where another is at least ``least``."""

    def __init__(self, argument: str, least, num_thresholds, class_id, name, dtype):
        super().__init__(dtype, name)
        if isinstance(least, bool) or not isinstance(least, (int, float, np.number)) or not 0 <= least <= 1:
            raise ValueError(f"{type(self).__name__}: `{argument}` must be a number from 0 to 1, got {least!r:.60}")
        n = self.num_thresholds = _arrays.whole_number("num_thresholds", num_thresholds, 1)
        self._count_at([0.5] if n == 1 else n, n > 1, label=class_id)

    def _best(self, shares: np.ndarray, others: np.ndarray, least: float) -> list[float]:
        feasible = others.astype(np.float32) >= np.float32(least)        # as one who computes in float32 would say
        return np.where(feasible, shares, 0.0).max(-1)[:, 0].tolist()

    def _rates(self, counters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(sensitivity, which is recall, specificity, precision) at each threshold."""
        hits, wrong, true, false = self._positive(counters)
        return share(hits, true), share(false - wrong, false), share(hits, hits + wrong)


class SensitivityAtSpecificity(_Best):
    """The best sensitivity at a threshold where the specificity is at least ``specificity``.

    ``num_thresholds``: so many, evenly spaced from 0 to 1, are tried. ``class_id``: only this class counts.
    """

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__("specificity", specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def results_of(self, counters):
        sensitivity, specificity, _ = self._rates(counters)
        return self._best(sensitivity, specificity, self.specificity)


class SpecificityAtSensitivity(_Best):
    """The best specificity at a threshold where the sensitivity is at least ``sensitivity``.

    The other arguments as for ``SensitivityAtSpecificity``.
    """

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__("sensitivity", sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def results_of(self, counters):
        sensitivity, specificity, _ = self._rates(counters)
        return self._best(specificity, sensitivity, self.sensitivity)


class PrecisionAtRecall(_Best):
    """The best precision at a threshold where the recall is at least ``recall``.

    The other arguments as for ``SensitivityAtSpecificity``.
    """

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__("recall", recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def results_of(self, counters):
        recall, _, precision = self._rates(counters)
        return self._best(precision, recall, self.recall)


class RecallAtPrecision(_Best):
    """The best recall at a threshold where the precision is at least ``precision``.

    The other arguments as for ``SensitivityAtSpecificity``.
    """

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__("precision", precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def results_of(self, counters):
        recall, _, precision = self._rates(counters)
        return self._best(recall, precision, self.precision)
