"""F-scores: precision and recall of each class, in one number."""
from __future__ import annotations

from typing import Any

import numpy as np

from .base import Metric

WITH_THRESHOLD = 1        # flag of the kernel class_counts
EPSILON = 1e-7


class FBetaScore(Metric):
    """(1 + beta²) precision·recall / (beta² precision + recall) of each class, for one-hot rows of rank 2.

    ``average``: None (an array, one score a class), "micro" (of all classes counted together), "macro" (the mean of
    the classes), "weighted" (by their frequency in y_true). ``threshold``: what exceeds it is predicted; None: the
    greatest of the row.
    """
    needs_columns = True

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        kind = type(self).__name__
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{kind}: `average` must be None, 'micro', 'macro' or 'weighted', got {average!r:.60}")
        if isinstance(beta, bool) or not isinstance(beta, (int, float)) or not 0 < beta < np.inf:
            raise ValueError(f"{kind}: `beta` must be a finite number above 0, got {beta!r:.60}")
        if threshold is not None and (not isinstance(threshold, (int, float)) or not 0 < threshold <= 1):
            raise ValueError(f"{kind}: `threshold` must be None or a number above 0 and at most 1, got "
                             f"{threshold!r:.60}")
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def state_size(self, output_shape):
        if len(output_shape) != 1:
            raise ValueError(f"{type(self).__name__}: outputs must be rows of one score a class, shape (rows, classes),"
                             f" got {(None, *output_shape)}")
        return 4 * output_shape[0]

    def lower_update(self, build, y, target, weights, counters):
        threshold, flags = ([], 0) if self.threshold is None else ([self.threshold], WITH_THRESHOLD)
        build.emit("class_counts", [y, target, weights], [counters], [y.rows(), y.shape[-1], 1], threshold, flags,
                   phase="commit")

    def result_of(self, counters: np.ndarray) -> Any:
        hits, wrong, missed, support = counters.reshape(4, -1)
        if self.average == "micro":
            hits, wrong, missed = hits.sum(), wrong.sum(), missed.sum()
        precision = hits / (hits + wrong + EPSILON)
        recall = hits / (hits + missed + EPSILON)
        scores = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + EPSILON)
        if self.average == "weighted":
            return float(np.sum(scores * support / (support.sum() + EPSILON)))
        return scores if self.average is None else float(np.mean(scores))


class F1Score(FBetaScore):
    """2 precision·recall / (precision + recall) of each class, for one-hot rows; arguments as for ``FBetaScore``."""

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)
