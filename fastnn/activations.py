"""Activation functions: callable on arrays, and lowered into programs."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import ops
from ._arrays import unknown_name
from ._describe import Described
from ._describe import serialize as serialize
from .program import Lowering, Value


class Activation(Described):
    """A function that layers apply to their output.

    Called with an array of any shape it returns a new array. ``rows``: it works along the last axis, not element by
    element. The kernels are ``<name>_forward`` (x -> y) and ``<name>_backward`` (dy, y -> dx).
    """

    def __init__(self, name: str, eager: Callable, rows: bool = False):
        self.__name__ = self.name = name
        self.__doc__ = eager.__doc__
        self._eager = eager
        self._rows = rows

    def __call__(self, x) -> np.ndarray:
        return self._eager(x)

    def lower(self, build: Lowering, x: Value) -> Value:
        """Name the forward and backward operations; returns y of the shape of ``x``."""
        sizes = [x.rows(), x.shape[-1]] if self._rows else [x.elements()]
        y = build.result(x, shape=x.shape, name=self.name)
        build.emit(f"{self.name}_forward", [x], [y], sizes)

        def backward(dy: Value) -> None:
            dx = build.gradient_place(x)
            build.emit(f"{self.name}_backward", [dy, y], [dx], sizes)
            build.add_gradient(x, dx)

        if x.needs_gradient:
            build.backward([y], backward)
        return y

    def describe(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


class Linear(Activation):
    """x itself."""

    def lower(self, build: Lowering, x: Value) -> Value:
        return x


def _identity(x) -> np.ndarray:
    """x itself, as an array."""
    return np.asarray(x)


linear = Linear("linear", _identity)
relu = Activation("relu", ops.relu)
sigmoid = Activation("sigmoid", ops.sigmoid)
tanh = Activation("tanh", ops.tanh)
softmax = Activation("softmax", ops.softmax, rows=True)

_BY_NAME = {a.name: a for a in (linear, relu, sigmoid, tanh, softmax)}


def get(identifier) -> Activation:
    """The activation of a name, an activation itself, or linear for None; ValueError names the nearest."""
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    raise ValueError(unknown_name("activation function", identifier, _BY_NAME))
