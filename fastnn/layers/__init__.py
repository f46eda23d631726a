"""Layers: each keeps its settings, says the shape of its output, and names the operations that compute it."""
from .._describe import Registry, custom_object_scope, serialize
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .base import KerasTensor, Layer
from .core import ActivityRegularization, Identity, Lambda, Masking
from .dense import Dense
from .input import Input, InputLayer
from .normalization import BatchNormalization
from .preprocessing import Normalization, Rescaling
from .regularization import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from .reshaping import Flatten, Reshape
from .row_normalization import LayerNormalization, RMSNormalization, UnitNormalization

_CLASSES = (ELU, Activation, ActivityRegularization, AlphaDropout, BatchNormalization, Dense, Dropout, Flatten,
            GaussianDropout, GaussianNoise, Identity, InputLayer, Lambda, LayerNormalization, LeakyReLU, Masking,
            Normalization, PReLU, ReLU, RMSNormalization, Rescaling, Reshape, Softmax, UnitNormalization)
registry = Registry("layer", Layer, _CLASSES)

__all__ = [
    "ELU", "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "Flatten",
    "GaussianDropout", "GaussianNoise", "Identity", "Input", "InputLayer", "KerasTensor", "Lambda", "Layer",
    "LayerNormalization", "LeakyReLU", "Masking", "Normalization", "PReLU", "RMSNormalization", "ReLU", "Rescaling",
    "Reshape", "Softmax", "UnitNormalization", "deserialize", "get", "registry", "serialize"]


def get(identifier) -> Layer:
    """The layer of a description ({"class_name": ..., "config": {...}}), or a layer itself; ValueError otherwise."""
    return registry.get(identifier)


def deserialize(config, custom_objects=None) -> Layer:
    """The layer of a description; ``custom_objects``: {name: class} that it may name too."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
