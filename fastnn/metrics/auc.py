"""The area under a curve of two rates over all thresholds."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _arrays, activations
from ..program import Lowering, Value
from .counts import EPSILON, Counts, checked_thresholds, evenly_spaced, share


class AUC(Counts):
    """The area under the curve, approximated by Riemann sums over thresholds; 0.5 is guessing for the ROC.

    ``curve``: "ROC" (true over false positive rate), "PR" (precision over recall) or "PRGAIN" (their gains over
    guessing; Flach and Kull, Precision-Recall-Gain Curves, 2015). ``summation_method``: "interpolation" (for PR that
    of Davis and Goadrich, The relationship between Precision-Recall and ROC curves, 2006), "minoring" or "majoring".
    ``num_thresholds`` evenly spaced ones, or ``thresholds`` from 0 to 1 and both ends. ``multi_label``: the mean of
    the areas of the columns of y_pred (rows, labels), ``num_labels`` of them, weighted by ``label_weights``; without
    it the elements are one list, in which these weigh the columns. ``from_logits``: y_pred are logits.
    """

    def __init__(self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
                 thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False):
        super().__init__(dtype, name)
        self.curve = _one_of("curve", curve, CURVE_OF)
        self.summation_method = _one_of("summation_method", summation_method, HEIGHT)
        self.thresholds = None if thresholds is None else sorted(checked_thresholds(self, thresholds, 0.5))
        if self.thresholds is None:
            self.num_thresholds = _arrays.whole_number("num_thresholds", num_thresholds, 2)
            self._count_at(self.num_thresholds, True, True)
        else:
            self.num_thresholds = len(self.thresholds) + 2
            even = evenly_spaced([0.0, *self.thresholds, 1.0])
            self._count_at([-EPSILON, *self.thresholds, 1.0 + EPSILON], even, even)
        self.multi_label, self.from_logits = bool(multi_label), bool(from_logits)
        if num_labels is not None and not self.multi_label:
            raise ValueError("AUC: `num_labels` is for `multi_label=True` only")
        self.num_labels = None if num_labels is None else _arrays.whole_number("num_labels", num_labels, 1)
        self.label_weights = None if label_weights is None else _weights(label_weights)

    def state_size(self, output_shape):
        got = f"got outputs of shape {(None, *output_shape)}"
        if self.multi_label and len(output_shape) != 1:
            raise ValueError(f"AUC: `multi_label=True` needs outputs of shape (rows, labels), {got}")
        if self.num_labels not in (None, output_shape[-1]):
            raise ValueError(f"AUC: `num_labels` is {self.num_labels}, {got}")
        if self.label_weights is not None and len(self.label_weights) != output_shape[-1]:
            raise ValueError(f"AUC: `label_weights` must hold a weight for each label, has {len(self.label_weights)}, "
                             f"{got}")
        return super().state_size(output_shape) * (output_shape[-1] if self.multi_label else 1)

    def lower_update(self, build: Lowering, y: Value, target: Value, weights: Value | None, counters: Value) -> None:
        if self.from_logits:
            y = activations.sigmoid.lower(build, y)
        label_weights = None if self.multi_label else self.label_weights
        self._emit(build, y, target, weights, counters, label_weights, self.multi_label)

    def results_of(self, counters):
        counts = self._positive(counters)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated(*counts).sum(-1)
        else:
            x, y = CURVE_OF[self.curve](*counts)
            areas = ((x[..., :-1] - x[..., 1:]) * HEIGHT[self.summation_method](y[..., :-1], y[..., 1:])).sum(-1)
        if not self.multi_label:
            return areas[:, 0].tolist()
        weights = np.ones(areas.shape[1]) if self.label_weights is None else np.asarray(self.label_weights)
        return share(areas @ weights, weights.sum()).tolist()


def _roc(hits, wrong, true, false) -> tuple[np.ndarray, np.ndarray]:
    return share(wrong, false), share(hits, true)


def _pr(hits, wrong, true, false) -> tuple[np.ndarray, np.ndarray]:
    return share(hits, true), share(hits, hits + wrong)


def _pr_gain(hits, wrong, true, false) -> tuple[np.ndarray, np.ndarray]:
    """Recall gain and precision gain; without true positives 0 and 1, and no recall gain below 0."""
    odds = np.where(false == 0, 0.0, share(true, false))
    recall = np.where(hits == 0, 0.0, 1.0 - odds * share(true - hits, hits))
    return np.maximum(recall, 0.0), np.where(hits == 0, 1.0, 1.0 - odds * share(wrong, hits))


CURVE_OF: dict[str, Any] = {"ROC": _roc, "PR": _pr, "PRGAIN": _pr_gain}
HEIGHT: dict[str, Any] = {
    "interpolation": lambda a, b: (a + b) / 2, "minoring": np.minimum, "majoring": np.maximum}


def _interpolated(hits, wrong, true, false) -> np.ndarray:
    """The areas between thresholds where true and false positives are interpolated together: precision is no line."""
    positives = hits + wrong
    upper, lower = positives[..., :-1], positives[..., 1:]
    gained = hits[..., :-1] - hits[..., 1:]
    slope = share(gained, upper - lower)
    intercept = hits[..., 1:] - slope * lower
    quotient = np.where((upper > 0) & (lower > 0), share(upper, lower), 1.0)
    return share(slope * (gained + intercept * np.log(quotient)), true)


def _one_of(argument: str, value, names: Iterable[str]) -> str:
    for name in names:
        if isinstance(value, str) and value.lower() == name.lower():
            return name
    raise ValueError(f"AUC: `{argument}` must be one of {', '.join(map(repr, names))}, got {value!r:.60}")


def _weights(values) -> list[float]:
    weights = np.asarray(values, np.float64)
    if weights.ndim != 1 or not (weights >= 0).all() or not np.isfinite(weights).all():
        raise ValueError(f"AUC: `label_weights` must hold finite numbers of at least 0, got {values!r:.60}")
    return weights.tolist()
