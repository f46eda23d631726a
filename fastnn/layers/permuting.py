"""Axes in another order: Permute."""
from __future__ import annotations

import math

from ..program import Lowering, PerRow, Value
from .base import Layer
from .windows import is_int

AXES = 6                     # that the kernel knows, beside that of the rows


class Permute(Layer):
    """The axes of a row in another order: axis i of the output is axis ``dims[i - 1]`` of the input, counted from 1.

    Permute((2, 1)) makes (batch, features, steps) of (batch, steps, features). A mask ends here. Raises ValueError when
    ``dims`` are not the numbers 1, 2, ..., as many as the input has axes beside that of the rows.
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims) if isinstance(dims, (list, tuple)) else ()
        if not self.dims or not all(map(is_int, self.dims)) or sorted(self.dims) != [*range(1, len(self.dims) + 1)]:
            raise ValueError(f"Permute: `dims` must hold each axis of a row once, counted from 1, such as (2, 1), got "
                             f"{dims!r:.60}")

    def compute_output_shape(self, input_shape):
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(f"layer {self.name!r}: `dims` {self.dims} need an input of rank {len(self.dims) + 1}, "
                             f"that of the rows included, got shape {tuple(input_shape)}")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def lower(self, build: Lowering, x: Value, mask=None):
        return permuted(build, x, tuple(axis - 1 for axis in self.dims)), None


def permuted(build: Lowering, x: Value, order: tuple[int, ...]) -> Value:
    """x with axis ``order[i]`` of its shape as axis i: a view where nothing moves in memory."""
    shape = tuple(x.shape[axis] for axis in order)
    sizes, places = joined(x.shape, order)
    if places == sorted(places):
        return build.view(x, shape)
    if len(sizes) > AXES:
        raise ValueError(f"cannot permute more than {AXES} axes, got the order {order} of shape {x.shape}")
    y = build.result(x, shape=shape, name="permuted")
    emit_permutation(build, x, y, sizes, places)

    def backward(dy: Value) -> None:
        dx = build.gradient_place(x)
        back = [places.index(i) for i in range(len(places))]
        emit_permutation(build, dy, dx, [sizes[i] for i in places], back)
        build.add_gradient(x, dx)

    if x.needs_gradient:
        build.backward([y], backward)
    return y


def joined(shape: tuple, order: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """The same permutation with the fewest axes: those of size 1 left out, those that stay together made one."""
    kept = [axis for axis, size in enumerate(shape) if size != 1]
    runs: list[list[int]] = []
    for axis in (kept.index(axis) for axis in order if axis in kept):
        if runs and axis == runs[-1][-1] + 1:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    sizes = [math.prod(shape[kept[axis]] for axis in run) for run in sorted(runs)]
    return sizes, [sorted(runs).index(run) for run in runs]


def emit_permutation(build: Lowering, x: Value, y: Value, sizes: list[int], places: list[int]) -> None:
    """The operation, its axes filled up with leading ones."""
    ones = AXES - len(sizes)
    order = [*range(ones), *(ones + place for place in places)]
    build.emit("permute", [x], [y], [PerRow(1), *[1] * ones, *sizes, *order])
