"""Where channels stand: layers compute with channels last, and take channels first by exchanging axes at the edges.

A value that has its channels first keeps a note of the one that has them last, its twin (``Lowering.twins``), which the
next such layer reads. Nobody then reads the exchange between the two, and the planner drops it.
"""
from __future__ import annotations

import math
from collections.abc import Callable

from .. import _arrays, backend
from ..program import Lowering, PerRow, Value
from .base import Layer
from .windows import is_int

AXES = {1: ("steps",), 2: ("height", "width")}


def check_data_format(where: str, value) -> str:
    """ "channels_last" or "channels_first", for None the default of ``backend``; ValueError otherwise."""
    if value is None:
        return backend.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f"{where}: `data_format` must be 'channels_last', 'channels_first' or None, got {value!r:.60}")
    return value


class ImageLayer(Layer):
    """Base of the layers over steps (``rank`` 1) or images (``rank`` 2); a subclass has ``lower_image``.

    Input (batch, ..., channels), with ``data_format`` "channels_first" (batch, channels, ...); a mask ends here.
    """
    rank: int

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(type(self).__name__, data_format)

    @property
    def channels_first(self) -> bool:
        return self.data_format == "channels_first"

    def sizes(self, input_shape: tuple) -> tuple[tuple, int | None]:
        """(sizes without batch and channels, channels) of an input; ValueError for one of another rank."""
        if not isinstance(input_shape, (tuple, list)) or not all(n is None or is_int(n) for n in input_shape):
            raise ValueError(f"layer {self.name!r}: `input_shape` must be a tuple of whole numbers, None for the batch "
                             f"axis, got {input_shape!r:.60}")
        self.check_rank(tuple(input_shape))
        if self.channels_first:
            return tuple(input_shape[2:]), input_shape[1]
        return tuple(input_shape[1:-1]), input_shape[-1]

    def check_rank(self, shape: tuple) -> None:
        """ValueError for the shape of an input, or of an array, with too few or too many axes."""
        if len(shape) == self.rank + 2:
            return
        axes = ", ".join(("batch", "channels", *AXES[self.rank]) if self.channels_first else
                         ("batch", *AXES[self.rank], "channels"))
        advice = ""
        if len(shape) == self.rank + 1:
            advice = f"; for one channel add an axis: x[{':' if self.channels_first else '...'}, None]"
            one = (1, *shape[1:]) if self.channels_first else (*shape[1:], 1)
            advice += f", and Input({one})" if shape[0] is None else ", for one row x[None]"
            advice = self.missing_axis(advice)
        raise ValueError(f"layer {self.name!r}: expected an input of rank {self.rank + 2}, ({axes}), got shape "
                         f"{shape}{advice}")

    def _call_array(self, x, training: bool, mask=None):
        x = _arrays.as_rows(x, "x")
        self.check_rank(x.shape)                # while the number of rows is known, for the text
        return super()._call_array(x, training, mask)

    def shape_of(self, batch, sizes: tuple, channels) -> tuple:
        """The shape of an array of these sizes, in this layer's order of axes."""
        return (batch, channels, *sizes) if self.channels_first else (batch, *sizes, channels)

    def lower(self, build: Lowering, x: Value, mask=None):
        if not self.channels_first:
            return self.lower_image(build, x), None
        return channels_first(build, self.lower_image(build, channels_last(build, x))), None

    def lower_image(self, build: Lowering, x: Value) -> Value:
        """Name the operations, from (..., channels) to (..., channels)."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_image(build, x)")


def channels_last(build: Lowering, x: Value) -> Value:
    """``x`` of shape (channels, ...) as (..., channels): its twin, or else a copy."""
    if x not in build.twins:
        channels, *sizes = x.shape
        build.twins[x] = exchanged(build, x, (*sizes, channels), channels, math.prod(sizes))
    return build.twins[x]


def channels_first(build: Lowering, y: Value) -> Value:
    """``y`` of shape (..., channels) as (channels, ...)."""
    *sizes, channels = y.shape
    x = exchanged(build, y, (channels, *sizes), math.prod(sizes), channels)
    build.twins[x] = y
    return x


def element_by_element(build: Lowering, x: Value, function: Callable[[Value], Value]) -> Value:
    """``function(x)``, which lowers an operation on single elements: on the twin of ``x`` where there is one."""
    if x not in build.twins:
        return function(x)
    return channels_first(build, function(build.twins[x]))


def exchanged(build: Lowering, x: Value, shape: tuple, middle: int, inner: int) -> Value:
    """Each row of x, seen as (middle, inner), with these exchanged, as an array of ``shape``."""
    if middle == 1 or inner == 1:
        return build.view(x, shape)
    y = build.result(x, shape=shape, name="axes exchanged")
    build.emit("swap_axes", [x], [y], [PerRow(1), middle, inner])
    return build.backward_by(x, y, "swap_axes", [], [PerRow(1), inner, middle])
