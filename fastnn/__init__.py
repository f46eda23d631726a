"""fastnn: neural networks on CPUs, with the names of Keras and kernels of its own.

>>> import fastnn as keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
>>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
"""
from importlib import import_module as _import_module

from . import (
    activations,
    backend,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    utils,
)
from ._config import show_config
from ._threads import get_num_threads, set_num_threads, threads
from ._version import __version__
from .initializers import Initializer
from .layers import Input, KerasTensor, Layer
from .losses import Loss
from .metrics import Metric
from .models import Model, Sequential
from .optimizers import Optimizer
from .program import Variable

_LAZY = ("datasets", "keras", "plotting", "testing")

__all__ = [
    "Initializer", "Input", "KerasTensor", "Layer", "Loss", "Metric", "Model", "Optimizer", "Sequential",
    "Variable", "__version__", "activations", "backend", "callbacks", "datasets", "get_num_threads", "initializers",
    "keras", "layers", "losses", "metrics", "models", "ops", "optimizers", "plotting", "random", "set_num_threads",
    "show_config", "testing", "threads", "utils",
]


def __getattr__(name):
    if name in _LAZY:
        return _import_module(f"{__name__}.{name}")
    from ._arrays import nearest
    close = nearest(name, __all__)
    hint = f" Did you mean {close!r}?" if close else ""
    raise AttributeError(f"module 'fastnn' has no attribute {name!r}.{hint}")


def __dir__():
    return __all__
