"""Layers: each keeps its settings, says the shape of its output, and names the operations that compute it."""
from .activation import Activation
from .base import KerasTensor, Layer
from .dense import Dense
from .input import Input, InputLayer
from .normalization import BatchNormalization
from .regularization import Dropout
from .reshaping import Flatten

__all__ = ["Activation", "BatchNormalization", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "KerasTensor",
           "Layer"]
