"""Optimizers: how a training step changes the weights."""
from __future__ import annotations

from .._describe import Registry, serialize
from . import schedules
from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adamax import Adamax
from .base import Optimizer
from .lion import Lion
from .nadam import Nadam
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Nadam", "Optimizer", "RMSprop", "SGD",
           "deserialize", "get", "schedules", "serialize"]

_registry = Registry("optimizer", Optimizer, (Adadelta, Adagrad, Adam, AdamW, Adamax, Lion, Nadam, RMSprop, SGD),
                     lower=True)


def get(identifier) -> Optimizer:
    """The optimizer of a name (any case) or a description, or an optimizer itself; ValueError names the nearest."""
    return _registry.get(identifier)


deserialize = get
