"""The losses as functions of arrays, made from their classes."""
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, Signature, signature
from types import FunctionType

import numpy as np

from .. import backend
from .base import Loss

SETTINGS = ("reduction", "name", "dtype")       # of the objects alone
CLASS_OF: dict[Callable, type[Loss]] = {}       # of each function


def function_of(cls: type[Loss]) -> Callable[..., np.ndarray]:
    """The loss of each row as a function (y_true, y_pred, and the class's own arguments)."""
    name = backend.snake_case(cls.__name__)
    own = [p for p in signature(cls).parameters.values() if p.name not in SETTINGS]
    arrays = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("y_true", "y_pred")]
    arguments = Signature([*arrays, *own])

    def function(*args, **kwargs):
        try:
            bound = arguments.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name}(): {error}") from None
        bound.apply_defaults()
        y_true, y_pred, *options = bound.args
        try:
            loss = _made(cls, *options)
        except TypeError:                       # an argument that has no hash: the constructor says what is wrong
            loss = _new(cls, *options)
        return loss(y_true, y_pred)

    function.__name__ = function.__qualname__ = name
    function.__module__ = "fastnn.losses"
    function.__signature__ = arguments          # type: ignore[attr-defined]
    function.__doc__ = (f"The loss of each row of arrays, (rows, ...) without the last axis: see ``{cls.__name__}``."
                        f"\n\n{cls.__doc__}")
    CLASS_OF[function] = cls
    return function


def class_of(function) -> type[Loss] | None:
    """The class that this function was made from, or None for other functions."""
    return CLASS_OF.get(function) if isinstance(function, FunctionType) else None


def _new(cls: type[Loss], *options) -> Loss:
    names = [p for p in signature(cls).parameters if p not in SETTINGS]
    return cls(**dict(zip(names, options)), reduction=None)


_made: Callable[..., Loss] = lru_cache(maxsize=32, typed=True)(_new)
