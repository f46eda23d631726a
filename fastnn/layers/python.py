"""NumPy code as a layer: Python operations, with a gradient where one is given; for Lambda and for layers of users."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..program import Lowering, Value

if TYPE_CHECKING:
    from .base import Layer


TRIED = 32, 61          # sizes for an axis of any size


def called(function: Callable, x: np.ndarray, **wanted: Any) -> np.ndarray:
    """function(x), with those keyword arguments that it has."""
    try:
        names: Any = inspect.signature(function).parameters
    except (TypeError, ValueError):                  # a function written in C does not say
        names = ()
    try:
        return function(x, **{name: value for name, value in wanted.items() if name in names})
    except AttributeError as error:
        if str(error) != "'super' object has no attribute 'call'":
            raise
        raise NotImplementedError("super().call: the layers here have operations in place of a call in Python; compute "
                                  "the output from x and the weights, e.g. x @ self.kernel + self.bias") from error


def row_shape(layer: Layer, function: Callable, row: tuple) -> tuple:
    """The shape of a row of what the function makes of rows of shape ``row``, by trying it on one row of zeros; where
    ``row`` has Nones on rows of two sizes: what differs is None."""
    if None in row:
        few, many = (row_shape(layer, function, tuple(n or size for n in row)) for size in TRIED)
        if len(few) != len(many):
            raise ValueError(f"layer {layer.name!r}: the rank of what the function makes of inputs of shape "
                             f"{(None, *row)} depends on their size")
        return tuple(a if a == b else None for a, b in zip(few, many))
    try:
        y = np.asarray(called(function, np.zeros((1, *row), layer.dtype), training=False, mask=None))
    except Exception as error:
        raise ValueError(f"layer {layer.name!r}: the function failed on one row of zeros of shape {row}, which shows "
                         "the shape of its output; give `output_shape` (Lambda), or write compute_output_shape. It "
                         f"raised {type(error).__name__}: {error!s:.80}") from error
    if y.shape[:1] != (1,):
        raise ValueError(f"layer {layer.name!r}: the function must return one row for each of its input, got shape "
                         f"{y.shape} for an input of shape {(1, *row)}")
    return y.shape[1:]


def write(layer: Layer, place: np.ndarray, value, what: str) -> None:
    """Copy a result to its place; ValueError for another shape."""
    value = np.asarray(value)
    if value.shape != place.shape:
        raise ValueError(f"layer {layer.name!r}: `{what}` must return an array of shape {place.shape}, got "
                         f"{value.shape}")
    place[...] = value


def lower_python(layer: Layer, build: Lowering, x: Value, mask: Value | None, function: Callable,
                 gradient: Callable | None, advice: str) -> Value:
    """Name the operations y = function(x) and, backward, (dx, *dw) = gradient(dy, x, y) with one dw for each trainable
    weight; a single dx is enough where there are none. Without a gradient nothing that needs one may depend on y."""
    training, shape = build.training, layer.compute_output_shape((None, *x.shape))[1:]
    weights = [build.parameter(w) for w in layer.weights]
    y = build.result(x, *weights, shape=shape, name="python")
    if training and y.needs_gradient and gradient is None:
        raise ValueError(f"layer {layer.name!r}: nothing can be trained through a Python function, which has no "
                         f"gradient; {advice}, or set `trainable = False` for this layer and those before it")

    def forward(x: np.ndarray, *rest: np.ndarray) -> None:
        given = rest[0] if mask is not None else None
        write(layer, rest[-1], called(function, x, training=training, mask=given), "function")

    def slope(dy: np.ndarray, x: np.ndarray, y: np.ndarray, *places: np.ndarray) -> None:
        assert gradient is not None
        result = gradient(dy, x, y)
        results, expected = list(result) if isinstance(result, tuple) else [result], len(places) + (not x_needs)
        if len(results) != expected:
            raise ValueError(f"layer {layer.name!r}: the gradient must be (dx, *gradients of the trainable weights), "
                             f"{expected} in all, got {len(results)}")
        for value, place in zip(results[0 if x_needs else 1:], places, strict=True):
            write(layer, place, value, "gradient")

    def backward(dy: Value) -> None:
        wanted = [v for v in (x, *weights) if v.needs_gradient]
        places = [build.gradient_place(v) for v in wanted]
        build.python(slope, [dy, x, y], places)
        for value, place in zip(wanted, places):
            build.add_gradient(value, place)

    x_needs = x.needs_gradient
    build.python(forward, [x, mask], [y])
    if y.needs_gradient:
        build.backward([y], backward)
    return y
