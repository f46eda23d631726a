"""Rescaling: rows multiplied by numbers that are part of the program, and shifted by others."""
from __future__ import annotations

import math

import numpy as np

from ..program import Lowering, Value, Vector
from .base import Layer


def constant(build: Lowering, name: str, value, shape: tuple) -> Value:
    """Numbers that broadcast to one row of ``shape``, as part of the program."""
    vector = Vector(name, math.prod(shape), build.dtype)
    vector.data[:] = np.broadcast_to(np.asarray(value, np.float64), shape).ravel()
    return build.stored(vector)


def affine(build: Lowering, x: Value, kernel: str, scale: Value, shift: Value) -> Value:
    """y = x · scale + shift ("scale_shift") or (x - shift) · scale ("shift_scale"), for every row of their size."""
    columns = scale.size
    sizes = [type(x.elements())(x.size // columns), columns]
    y = build.result(x, shape=x.shape, name="scaled")
    build.emit(kernel, [x, scale, shift], [y], sizes)

    def backward(dy: Value) -> None:
        dx = build.gradient_place(x)
        zero = build.value((columns,), batched=False, name="zero")
        build.emit("fill", [], [zero], [columns], [0.0], phase="head")
        build.emit("scale_shift", [dy, scale, zero], [dx], sizes)
        build.add_gradient(x, dx)

    if x.needs_gradient:
        build.backward([y], backward)
    return y


class Rescaling(Layer):
    """y = x · scale + offset. ``scale``, ``offset``: numbers, or arrays that broadcast to a row of the input."""

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = self._numbers("scale", scale), self._numbers("offset", offset)

    def _numbers(self, argument: str, value):
        """A number as float, others as they came; ValueError for what is no number."""
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            array = np.asarray(np.nan)
        if isinstance(value, (bool, str)) or not np.isfinite(array).all():
            raise ValueError(f"Rescaling: `{argument}` must be a finite number, or an array of them, got {value!r:.60}")
        return float(array) if array.ndim == 0 else value

    def lower(self, build: Lowering, x: Value, mask=None):
        values = [constant(build, name, getattr(self, name), x.shape) for name in ("scale", "offset")]
        return affine(build, x, "scale_shift", *values), mask

    def compute_output_shape(self, input_shape):
        row = [n or 1 for n in input_shape[1:]]
        for name in ("scale", "offset"):
            shape = np.shape(getattr(self, name))
            if len(shape) > len(row) or any(n not in (1, m) for n, m in zip(shape[::-1], row[::-1])):
                raise ValueError(f"layer {self.name!r}: `{name}` of shape {shape} does not broadcast to rows of shape "
                                 f"{tuple(input_shape[1:])}")
        return input_shape
