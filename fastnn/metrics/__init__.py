"""Metrics: what training reports beside the loss."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import losses
from .._describe import Registry, serialize
from ..losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from .auc import AUC
from .base import LossMetric, Metric
from .confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from .f_score import F1Score, FBetaScore
from .functions import (
    CLASS_OF,
    binary_accuracy,
    categorical_accuracy,
    concordance_correlation,
    pearson_correlation,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Perplexity,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from .reduction import Mean, MeanMetricWrapper, Sum
from .regression import ConcordanceCorrelation, PearsonCorrelation, R2Score

_CLASSES: tuple[type[Metric], ...] = (
    Accuracy, AUC, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
    CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score, FalseNegatives, FalsePositives, FBetaScore,
    Hinge, IoU, KLDivergence, LogCoshError, LossMetric, Mean, MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU,
    MeanMetricWrapper, MeanSquaredError, MeanSquaredLogarithmicError, OneHotIoU, OneHotMeanIoU, PearsonCorrelation,
    Perplexity, Poisson, Precision, PrecisionAtRecall, R2Score, Recall, RecallAtPrecision, RootMeanSquaredError,
    SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy, TrueNegatives, TruePositives)
_SHORT = {
    "bce": BinaryCrossentropy, "mse": MeanSquaredError, "mae": MeanAbsoluteError, "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError}
_registry = Registry("metric", Metric, _CLASSES, {
    **_SHORT, **{name.upper(): cls for name, cls in _SHORT.items()}, "acc": Accuracy})
ACCURACY = ("accuracy", "acc")

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Perplexity",
    "Poisson", "Precision", "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
    "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
    "TrueNegatives", "TruePositives", "binary_accuracy", "binary_crossentropy",
    "binary_focal_crossentropy", "categorical_accuracy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "concordance_correlation", "deserialize", "get", "hinge", "huber", "kl_divergence", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "pearson_correlation", "poisson", "resolve", "serialize", "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy", "sparse_top_k_categorical_accuracy", "squared_hinge",
    "top_k_categorical_accuracy"]


def get(identifier) -> Metric:
    """The metric of a name, a description, a class, a loss or a function, or a metric itself.

    ValueError names the nearest name. One chosen by name is called so. A function (y_true, y_pred) is called back.
    """
    if isinstance(identifier, str) and identifier not in _registry.by_name and identifier in losses.NAMES:
        return LossMetric(losses.get(identifier), identifier)
    if isinstance(identifier, str):
        metric = _find(identifier)
        metric.name = identifier
        return metric
    if isinstance(identifier, losses.Loss):
        return LossMetric(identifier)
    if callable(identifier) and not isinstance(identifier, (Metric, type)):
        return _of_function(identifier)
    return _registry.get(identifier)


deserialize = get


def _of_function(function: Callable) -> Metric:
    if function in CLASS_OF:
        return CLASS_OF[function]()
    if function in losses.functions.CLASS_OF:
        return LossMetric(losses.functions.CLASS_OF[function](), function.__name__)
    return MeanMetricWrapper(function)


def _find(name: str) -> Metric:
    try:
        cls = _registry.find(name)
    except ValueError:
        raise ValueError(_registry.unknown(name, losses.NAMES)) from None
    try:
        return cls()
    except TypeError as error:
        raise ValueError(f"metric {name!r} needs arguments: give the object, e.g. {cls.__name__}(...); {error}"
                         ) from None


def flat(metrics: Any) -> list[Any]:
    """The identifiers in what ``compile`` is given: nothing, one, or lists and dicts of them, within each other."""
    if metrics is None:
        return []
    if isinstance(metrics, dict) and "class_name" not in metrics:
        metrics = list(metrics.values())
    if isinstance(metrics, (list, tuple)):
        return [identifier for part in metrics for identifier in flat(part)]
    return [metrics]


def check(identifier) -> None:
    """Raise what ``resolve`` would raise for this identifier, before data is seen."""
    if not (isinstance(identifier, str) and identifier in ACCURACY):
        get(identifier)


def resolve(identifier, output_shape: tuple, target_shape: tuple) -> Metric:
    """The metric for outputs and targets of these shapes (without the batch axis).

    "accuracy" and "acc" are binary for one output, sparse for targets of lower rank or a last axis of 1, else
    categorical; the metric is named as typed.
    """
    if isinstance(identifier, str) and identifier in ACCURACY:
        if output_shape[-1:] == (1,):
            return BinaryAccuracy(name=identifier)
        sparse = len(target_shape) < len(output_shape) or target_shape[-1:] == (1,)
        return SparseCategoricalAccuracy(name=identifier) if sparse else CategoricalAccuracy(name=identifier)
    metric = get(identifier)
    if type(metric) is LossMetric:
        return LossMetric(metric.loss.resolved(output_shape, target_shape), metric.name)
    return metric
