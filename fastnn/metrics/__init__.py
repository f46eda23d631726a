"""Metrics: what training reports beside the loss."""
from __future__ import annotations

from .. import losses
from .._describe import Registry, serialize
from .accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from .base import LossMetric, Metric, PythonMetric

__all__ = [
    "BinaryAccuracy", "CategoricalAccuracy", "Metric", "SparseCategoricalAccuracy", "get", "resolve", "serialize"]

_CLASSES = (BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy)
_registry = Registry("metric", Metric, _CLASSES)
ACCURACY = ("accuracy", "acc")


def get(identifier) -> Metric:
    """The metric of a name or a description, a loss as a metric, or a metric itself; ValueError names the nearest."""
    if isinstance(identifier, str) and identifier in _registry.by_name:
        return _registry.find(identifier)(name=identifier)
    if isinstance(identifier, losses.Loss):
        return LossMetric(identifier)
    if isinstance(identifier, str) and identifier in losses.NAMES:
        return LossMetric(losses.get(identifier), identifier)
    if isinstance(identifier, str):
        raise ValueError(_registry.unknown(identifier, [*ACCURACY, *losses.NAMES]))
    return _registry.get(identifier)


def check(identifier) -> None:
    """Raise what ``resolve`` would raise for this identifier, before data is seen."""
    if not (isinstance(identifier, str) and identifier in ACCURACY) and not _is_function(identifier):
        get(identifier)


def resolve(identifier, output_shape: tuple, target_shape: tuple, integer_targets: bool) -> Metric:
    """The metric for outputs and targets of these shapes (without the batch axis).

    "accuracy" and "acc" are binary for one output, sparse for targets of lower rank or a last axis of 1, else
    categorical; the metric is named as typed. A function (y_true, y_pred) is called back once a batch.
    """
    if isinstance(identifier, str) and identifier in ACCURACY:
        if output_shape[-1:] == (1,):
            return BinaryAccuracy(name=identifier)
        sparse = len(target_shape) < len(output_shape) or target_shape[-1:] == (1,)
        return SparseCategoricalAccuracy(name=identifier) if sparse else CategoricalAccuracy(name=identifier)
    if _is_function(identifier):
        return PythonMetric(identifier, integer_targets)
    return get(identifier)


def _is_function(identifier) -> bool:
    return callable(identifier) and not isinstance(identifier, (Metric, losses.Loss, type))
