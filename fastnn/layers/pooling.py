"""Pooling: the largest or the mean of the places of each window, channel by channel."""
from __future__ import annotations

import math

from ..program import Lowering, PerRow, Value
from .data_format import ImageLayer
from .windows import Axis, axis_of, check_padding, positive_ints

BYTE_PLACES = 256                        # places of a window up to which the kernel tells them apart by a byte
MOST_PLACES = 1 << 24                    # so many can be told apart by a float32, which tells those of larger windows


class Pooling(ImageLayer):
    """Base: windows of ``pool_size`` places, ``strides`` apart, of which ``kind`` is taken: "max" or "average".

    ``pool_size``: an int, or one for each axis. ``strides``: the same, where None as ``pool_size``. ``padding``:
    "valid", windows lie inside, or "same", one window for each stride; places outside do not count, in a mean neither.
    Input (batch, ..., channels), with ``data_format`` "channels_first" (batch, channels, ...); a mask ends here.
    Raises ValueError for sizes that are no positive ints, and for a window larger than the input under "valid".
    """
    kind: str

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(data_format, name=name, **kwargs)
        where = type(self).__name__
        self.pool_size = positive_ints(where, "pool_size", pool_size, self.rank)
        if math.prod(self.pool_size) > MOST_PLACES:
            raise ValueError(f"{where}: a window of `pool_size` must have at most {MOST_PLACES:,} places, got "
                             f"{pool_size!r:.60}; over all of them there are the layers Global...")
        self.strides = self.pool_size if strides is None else positive_ints(where, "strides", strides, self.rank)
        self.padding = check_padding(where, padding)

    def windows(self, sizes: tuple) -> tuple[Axis, ...]:
        """The windows along each axis; ValueError where there is none."""
        axes = tuple(axis_of(*a, padding=self.padding) for a in zip(sizes, self.pool_size, self.strides))
        if 0 in sizes:
            raise ValueError(f"layer {self.name!r}: expected an input with an element at least, got the sizes "
                             f"{tuple(sizes)}; leave such inputs out")
        if any(a.out <= 0 for a in axes):
            raise ValueError(f"layer {self.name!r}: `pool_size` must be at most the input's size, {tuple(sizes)}, got "
                             f"{self.pool_size}; use padding='same' or a smaller window")
        return axes

    def compute_output_shape(self, input_shape):
        sizes, channels = self.sizes(input_shape)
        axes = self.windows(tuple(p if n is None else n for n, p in zip(sizes, self.pool_size)))
        out = tuple(None if n is None else a.out for n, a in zip(sizes, axes))
        return self.shape_of(input_shape[0], out, channels)

    def lower_image(self, build: Lowering, x: Value) -> Value:
        return pooled(build, x, self.kind, self.windows(x.shape[:-1]))


class MaxPooling1D(Pooling):
    """The largest of each window of steps.

    ``pool_size``: steps of a window; ``strides``: from one to the next, where None ``pool_size``; ``padding``: "valid"
    or "same". Input (batch, steps, channels), output (batch, windows, channels).
    """
    rank, kind = 1, "max"

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(Pooling):
    """The largest of each window of an image.

    ``pool_size``: (rows, columns) of a window, or one int for both; ``strides``: from one to the next, where None
    ``pool_size``; ``padding``: "valid" or "same". Input (batch, height, width, channels), output the same with fewer
    rows and columns.

    >>> import numpy as np
    >>> MaxPooling2D()(np.zeros((1, 28, 28, 3), "float32")).shape
    (1, 14, 14, 3)
    """
    rank, kind = 2, "max"

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling1D(Pooling):
    """The mean of each window of steps, as ``MaxPooling1D``; ``pool_size`` has no default."""
    rank, kind = 1, "average"

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling2D(Pooling):
    """The mean of each window of an image, as ``MaxPooling2D``; ``pool_size`` has no default."""
    rank, kind = 2, "average"

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


MaxPool1D, MaxPool2D, AvgPool1D, AvgPool2D = MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D


def pooled(build: Lowering, x: Value, kind: str, axes: tuple[Axis, ...], whole: bool = False) -> Value:
    """The largest or the mean of each window of x; ``whole``: there is one, and the axes of places go."""
    axes = tuple(a.trimmed() for a in axes)
    channels, (h, w) = x.shape[-1], (axis_of(1, 1), *axes)[-2:]
    shape = (channels,) if whole else (*(a.out for a in axes), channels)
    sizes = [PerRow(1), channels, h.size, w.size, h.out, w.out, h.kernel, w.kernel, h.stride, w.stride, h.before,
             w.before]
    y = build.result(x, shape=shape, name=f"{kind} pooling")
    index = []
    if kind == "max":
        places = "uint8" if math.prod(a.kernel for a in axes) <= BYTE_PLACES else build.dtype
        index = [build.value(shape, places, name="index") if y.needs_gradient else None]
    build.emit(f"{kind}_pooling_forward", [x], [y, *index], sizes)
    return build.backward_by(x, y, f"{kind}_pooling_backward", index, sizes)
