"""fastnn: neural networks on CPUs, with the names of Keras and kernels of its own.

>>> import fastnn as keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
>>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
"""
import sys as _sys
from importlib import import_module as _import_module

from . import (
    _names,
    activations,
    backend,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from ._config import show_config
from ._threads import get_num_threads, set_num_threads, threads
from ._version import __version__
from ._winograd import get_winograd, set_winograd
from .initializers import Initializer
from .layers import Input, KerasTensor, Layer
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .optimizers import Optimizer
from .perceptron import Perceptron, ThresholdNeuron, gradient_descent, zero_one_loss
from .program import Variable
from .regularizers import Regularizer
from .saving import ModelFileError

_LAZY = ("datasets", "keras", "plotting", "preprocessing", "testing")

__all__ = [
    "Initializer", "Input", "KerasTensor", "Layer", "Loss", "Metric", "Model", "ModelFileError", "Optimizer",
    "Perceptron", "Regularizer", "Sequential", "ThresholdNeuron", "Variable", "__version__", "activations", "backend",
    "callbacks", "constraints", "datasets", "get_num_threads", "get_winograd", "gradient_descent", "initializers",
    "keras", "layers", "losses", "metrics", "models", "ops", "optimizers", "plotting", "preprocessing", "random",
    "regularizers", "saving", "set_num_threads", "set_winograd", "show_config", "testing", "threads", "utils",
    "zero_one_loss",
]

_names.explain_unknown(_sys.modules[__name__])


def __getattr__(name):
    if name in _LAZY:
        return _import_module(f"{__name__}.{name}")
    raise _names.unknown(_sys.modules[__name__], name, _sys._getframe(1))


def __dir__():
    return __all__
