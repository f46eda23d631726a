"""Losses: what training minimises, lowered with their gradient, and callable on arrays."""
from __future__ import annotations

from .. import _describe
from .._describe import Registry, serialize
from .base import FunctionLoss, Loss
from .crossentropy import BinaryCrossentropy, ByShapes, CategoricalCrossentropy, SparseCategoricalCrossentropy
from .focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from .functions import CLASS_OF, class_of, function_of
from .hinge import CategoricalHinge, Hinge, SquaredHinge
from .probabilistic import KLDivergence, Poisson
from .regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Quantile,
)

mean_squared_error = mse = MSE = function_of(MeanSquaredError)
mean_absolute_error = mae = MAE = function_of(MeanAbsoluteError)
mean_absolute_percentage_error = mape = MAPE = function_of(MeanAbsolutePercentageError)
mean_squared_logarithmic_error = msle = MSLE = function_of(MeanSquaredLogarithmicError)
huber = function_of(Huber)
log_cosh = logcosh = function_of(LogCosh)
quantile = function_of(Quantile)
cosine_similarity = function_of(CosineSimilarity)
binary_crossentropy = bce = BCE = function_of(BinaryCrossentropy)
categorical_crossentropy = function_of(CategoricalCrossentropy)
sparse_categorical_crossentropy = function_of(SparseCategoricalCrossentropy)
binary_focal_crossentropy = function_of(BinaryFocalCrossentropy)
categorical_focal_crossentropy = function_of(CategoricalFocalCrossentropy)
hinge = function_of(Hinge)
squared_hinge = function_of(SquaredHinge)
categorical_hinge = function_of(CategoricalHinge)
kl_divergence = kld = KLD = kullback_leibler_divergence = function_of(KLDivergence)
poisson = function_of(Poisson)

ALIASES = ("mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld", "KLD", "logcosh",
           "kullback_leibler_divergence")
_registry = Registry("loss", Loss, CLASS_OF.values(), {name: CLASS_OF[globals()[name]] for name in ALIASES} | {
    "crossentropy": ByShapes, "ce": ByShapes})
NAMES = tuple(_registry.by_name)

__all__ = [
    "BCE", "KLD", "MAE", "MAPE", "MSE", "MSLE", "BinaryCrossentropy", "BinaryFocalCrossentropy",
    "CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge",
    "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "Quantile", "SparseCategoricalCrossentropy",
    "SquaredHinge", "bce", "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "cosine_similarity", "get", "hinge", "huber",
    "kl_divergence", "kld", "kullback_leibler_divergence", "log_cosh", "logcosh", "mae", "mape",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "mse", "msle", "poisson", "quantile", "serialize",
    "sparse_categorical_crossentropy", "squared_hinge"]


def get(identifier) -> Loss:
    """The loss of a name or a description, of a class, of a function here or of the user's, or a loss itself.

    A function of the user's takes (y_true, y_pred), NumPy arrays, and returns (losses, gradient); see ``Loss``.
    ValueError names the nearest.
    """
    if isinstance(identifier, str) and identifier not in _registry.by_name:
        custom = _describe.custom(identifier)
        identifier = custom if callable(custom) else identifier
    if callable(identifier) and not isinstance(identifier, (type, Loss)):
        cls = class_of(identifier)
        return FunctionLoss(identifier) if cls is None else cls()
    return _registry.get(identifier)
