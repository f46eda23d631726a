"""What metrics at thresholds share: elements counted in the buckets between thresholds."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arrays
from ..program import Lowering, Value, Vector
from .base import Metric

EVEN, WIDE = 1, 2                 # flags of the kernel threshold_counts
EPSILON = 1e-7


def share(a, b) -> np.ndarray:
    """a / b where b is not 0; where it is, a must be 0, and so is the result."""
    return a / np.where(b == 0.0, 1.0, b)


def evenly_spaced(thresholds: list[float]) -> bool:
    """Whether the thresholds are 0, 1/(n-1), ..., 1 for n of 3 or more."""
    n = len(thresholds)
    return n >= 3 and np.allclose(thresholds, np.arange(n) / (n - 1), atol=EPSILON)


def checked_thresholds(metric: Metric, thresholds, default: float) -> list[float]:
    """Thresholds as a list; ValueError unless all are numbers from 0 to 1."""
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [v for v in values if isinstance(v, bool) or not isinstance(v, (int, float, np.number)) or not 0 <= v <= 1]
    if wrong or not values:
        raise ValueError(f"{type(metric).__name__}: `thresholds` must hold numbers from 0 to 1, got "
                         f"{wrong[0] if wrong else thresholds!r:.60}")
    return [float(v) for v in values]


class Counts(Metric):
    """Base: how many elements, by weight, lie in the buckets between sorted ``thresholds``, for the true and the false.

    An element is predicted positive where y_pred > threshold, and is true where y_true is not 0. ``label``: the only
    class that counts, by its place in the last axis; ``k``: only the k greatest of a row can be predicted positive.
    """
    elementwise = True

    def _count_at(self, thresholds: list[float] | int, even: bool = False, wide: bool = False, k: int | None = None,
                  label: int | None = None) -> None:
        """Settle the thresholds (none: whatever is among the k greatest is positive); of ``even`` ones only the number
        is needed, which may be given."""
        self._thresholds: np.ndarray | None = None
        self._order: np.ndarray | None = None
        if isinstance(thresholds, int):
            self._n = thresholds
        else:
            self._n, self._thresholds = len(thresholds), np.sort(thresholds)
            if not (self._thresholds == thresholds).all():
                self._order = np.argsort(np.argsort(thresholds, kind="stable"))
        self._flags = (EVEN if even else 0) | (WIDE if wide else 0)
        self.top_k = None if k is None else _arrays.whole_number("top_k", k, 1)
        self.class_id = None if label is None else _arrays.whole_number("class_id", label, 0)

    def state_size(self, output_shape):
        if self.class_id is not None and self.class_id >= output_shape[-1]:
            raise ValueError(f"{type(self).__name__}: `class_id` must be from 0 to {output_shape[-1] - 1} for outputs "
                             f"of shape {(None, *output_shape)}, got {self.class_id}")
        return 2 * (self._n + 1)

    def lower_update(self, build: Lowering, y: Value, target: Value, weights: Value | None, counters: Value) -> None:
        self._emit(build, y, target, weights, counters)

    def _emit(self, build: Lowering, y: Value, target: Value, weights: Value | None, counters: Value,
              label_weights=None, by_label: bool = False) -> None:
        n, above = self._n, None
        if not self._flags and self._thresholds is not None and n and not np.isinf(self._thresholds[0]):
            above = constant(build, self._thresholds)
        per_label = None if label_weights is None else constant(build, label_weights)
        label = -1 if self.class_id is None else self.class_id
        repeat = int(y.rows()) // (1 if weights is None else weights.size)
        sizes = [y.rows(), y.shape[-1], repeat, n, self.top_k or 0, label, int(by_label)]
        build.emit("threshold_counts", [y, target, weights, per_label, above], [counters], sizes, (), self._flags,
                   "commit")

    def _positive(self, counters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of counters (epochs, n): true and false positives at each threshold, in the order given, shape (epochs,
        labels, thresholds); and all that are true and all that are false, shape (epochs, labels, 1)."""
        buckets = counters.reshape(len(counters), -1, 2, self._n + 1)
        beyond = buckets[..., ::-1].cumsum(-1)[..., ::-1]              # in this bucket and those above
        positive = beyond[..., 1:] if self._order is None else beyond[..., 1:][..., self._order]
        return positive[:, :, 0], positive[:, :, 1], beyond[:, :, 0, :1], beyond[:, :, 1, :1]

    def result_of(self, counters: np.ndarray) -> Any:
        return self.results_of(counters[None])[0]


def one_or_all(values: np.ndarray) -> list[Any]:
    """For each epoch the number of a single threshold, or the array of all."""
    return values[:, 0, 0].tolist() if values.shape[-1] == 1 else list(values[:, 0])


def constant(build: Lowering, values) -> Value:
    """Numbers that a program reads, in its dtype."""
    vector = Vector("constants", len(values), build.dtype)
    vector.data[:] = values
    return build.stored(vector)
