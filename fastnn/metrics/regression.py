"""Metrics of regressions that are no mean over rows, and correlations."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arrays
from .._warn import warn
from .accuracy import row_values
from .base import Metric

CONCORDANCE = 1        # flag of the kernel correlation
EPSILON = 1e-7
TINY = 1e-13           # a sum of squares less than this share of its parts is rounding


class R2Score(Metric):
    """1 - sum (y_true - y_pred)² / sum (y_true - mean)², the coefficient of determination, for outputs of rank 2.

    ``class_aggregation``: "uniform_average", "variance_weighted_average" or None (an array, one for each column).
    ``num_regressors``: the number of independent variables of the model, for the adjusted score; 0 for the plain one.
    """
    needs_columns = True

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ValueError("R2Score: `class_aggregation` must be None, 'uniform_average' or "
                             f"'variance_weighted_average', got {class_aggregation!r:.60}")
        self.class_aggregation = class_aggregation
        self.num_regressors = _arrays.whole_number("num_regressors", num_regressors, 0)

    def state_size(self, output_shape):
        if len(output_shape) != 1:
            raise ValueError(f"R2Score: outputs must have shape (rows, values), got {(None, *output_shape)}")
        return 1 + 4 * output_shape[0]

    def lower_update(self, build, y, target, weights, counters):
        build.emit("r2_sums", [y, target, weights], [counters], [y.rows(), y.shape[-1], 1], phase="commit")

    def result_of(self, counters: np.ndarray) -> Any:
        n = float(counters[0])
        sums, squares, residuals, weights = counters[1:].reshape(4, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = squares - sums * (sums / weights)
            total[total < TINY * squares] = 0.0
            scores = 1.0 - residuals / total
            scores[np.isinf(scores)] = 0.0
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                scores = np.sum(total * scores) / np.sum(total)
        return self._adjusted(scores if np.ndim(scores) else float(scores), n)

    def _adjusted(self, scores: Any, n: float) -> Any:
        if self.num_regressors == 0:
            return scores
        if self.num_regressors >= n - 1:
            warn(f"R2Score: {n:.0f} values are too few for the adjusted score with {self.num_regressors} "
                 "regressors; this is the plain one")
            return scores
        return 1.0 - (1.0 - scores) * (n - 1.0) / (n - self.num_regressors - 1.0)


class PearsonCorrelation(Metric):
    """The mean of Pearson's correlation of y_true with y_pred along the last axis; NaN where either is constant."""
    masked = True

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(dtype, name)
        self.axis = last_axis(self, axis)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "correlation", y, target, weights, [EPSILON])


class ConcordanceCorrelation(Metric):
    """The mean of the concordance of y_true with y_pred along the last axis.

    2 cov / (var + var + (difference of means)²): Lin, A concordance correlation coefficient to evaluate
    reproducibility, 1989.
    """
    masked = True

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(dtype, name)
        self.axis = last_axis(self, axis)

    def lower(self, build, y, target, weights=None):
        return row_values(build, "correlation", y, target, weights, [EPSILON], CONCORDANCE)


def last_axis(metric: Metric, axis) -> int:
    """-1; ValueError for another axis."""
    if axis != -1:
        raise ValueError(f"{type(metric).__name__}: `axis` must be -1, the last one, got {axis!r}")
    return -1
