"""Weights that come from a file while layers are built: no random numbers, and no memory before shapes are compared.

Building a layer asks for each weight by its path and shape. While a file is read, the answer is the file's array, and a
shape that differs ends the reading there: a description that asks for more than the file holds costs nothing.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_source: ContextVar[Given | None] = ContextVar("given weights", default=None)


class NotGiven(ValueError):
    """The file has not the weight that a layer asks for."""


class Given:
    """The weights of a file, by path; those of a model inside the model have its name before their own."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays
        self.taken: list[str] = []
        self.scope: list[str] = []

    def take(self, path: str, shape: tuple, dtype: str) -> np.ndarray:
        """The array of a weight; NotGiven where there is none, or another shape or dtype."""
        path = "/".join([*self.scope[1:], path])
        array = self.arrays.pop(path, None)
        if array is None:
            raise NotGiven(f"the description asks for the weight {path!r:.100} of shape {shape!s:.60}, which the file "
                           f"{'gives once' if path in self.taken else 'does not hold'}")
        if array.shape != shape or array.dtype != dtype:
            raise NotGiven(f"weight {path!r:.100} must have shape {shape!s:.60} and dtype {dtype} by the description, "
                           f"but the file has {array.shape}, {array.dtype}")
        self.taken.append(path)
        return array


def given() -> Given | None:
    """The weights to take, where a file is being read."""
    return _source.get()


@contextmanager
def giving(source: Given) -> Iterator[Given]:
    """Within it, layers that are built take their weights from ``source``."""
    token = _source.set(source)
    try:
        yield source
    finally:
        _source.reset(token)


@contextmanager
def inside(model: str) -> Iterator[None]:
    """Within it, weights belong to the model of this name, itself perhaps inside others."""
    source = _source.get()
    if source is None:
        yield
        return
    source.scope.append(model)
    try:
        yield
    finally:
        source.scope.pop()
