"""Optimizers: how a training step changes the weights."""
from __future__ import annotations

from .. import _arrays
from .adam import Adam
from .base import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["Adam", "Optimizer", "RMSprop", "SGD", "get"]

_BY_NAME: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}


def get(identifier) -> Optimizer:
    """The optimizer of a name (any case), or an optimizer itself; ValueError names the nearest."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    if isinstance(identifier, str) and identifier.lower() in _BY_NAME:
        return _BY_NAME[identifier.lower()]()
    raise ValueError(_arrays.unknown_name("optimizer", identifier, _BY_NAME))
