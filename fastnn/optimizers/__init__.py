"""Optimizers: how a training step changes the weights."""
from __future__ import annotations

from .._describe import Registry, serialize
from .adam import Adam
from .base import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["Adam", "Optimizer", "RMSprop", "SGD", "get", "serialize"]

_registry = Registry("optimizer", Optimizer, (Adam, RMSprop, SGD), lower=True)


def get(identifier) -> Optimizer:
    """The optimizer of a name (any case) or a description, or an optimizer itself; ValueError names the nearest."""
    return _registry.get(identifier)
