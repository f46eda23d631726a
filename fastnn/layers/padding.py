"""Borders of steps and images: zeros added (ZeroPadding), or cut off (Cropping)."""
from __future__ import annotations

import numpy as np

from ..program import Lowering, PerRow, Value
from .data_format import ImageLayer
from .windows import MOST, is_int, positive_ints, too_large


class BorderLayer(ImageLayer):
    """Base: ``borders`` are (before, after) of each axis but the channels', in elements; below 0 they are cut off."""
    argument: str                            # of the constructor, which holds them

    @property
    def borders(self) -> tuple[tuple[int, int], ...]:
        given = getattr(self, self.argument)
        pairs = (given,) if self.rank == 1 else given
        return tuple((-a, -b) for a, b in pairs) if self.argument == "cropping" else pairs

    def compute_output_shape(self, input_shape):
        sizes, channels = self.sizes(input_shape)
        new = tuple(None if n is None else n + sum(border) for n, border in zip(sizes, self.borders))
        if any(n is not None and n <= 0 and sum(border) < 0 for n, border in zip(new, self.borders)):
            given = getattr(self, self.argument)
            raise ValueError(f"layer {self.name!r}: `cropping` must leave something of every axis, got {given} for an "
                             f"input of shape {tuple(input_shape)}; give it less to cut off")
        return self.shape_of(input_shape[0], new, channels)

    def lower_image(self, build: Lowering, x: Value):
        return padded(build, x, self.borders)


class ZeroPadding1D(BorderLayer):
    """(batch, steps, channels) with ``padding`` steps of zeros before and after, or (before, after). A mask ends here.

    Raises ValueError for what is no int of at least 0, or two.
    """
    rank, argument = 1, "padding"

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.padding = positive_ints("ZeroPadding1D", "padding", padding, 2, least=0)


class ZeroPadding2D(BorderLayer):
    """(batch, height, width, channels) with rows and columns of zeros around.

    ``padding``: an int, (rows, columns), or ((top, bottom), (left, right)). Raises ValueError for sizes below 0.
    """
    rank, argument = 2, "padding"

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.padding = two_pairs("ZeroPadding2D", "padding", padding)


class Cropping1D(BorderLayer):
    """(batch, steps, channels) without the first and last ``cropping`` steps, or (first, last). A mask ends here.

    Raises ValueError for what is no int of at least 0, or two, and where nothing is left.
    """
    rank, argument = 1, "cropping"
    unsaved = (*BorderLayer.unsaved, "data_format")

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__("channels_last", **kwargs)
        self.cropping = positive_ints("Cropping1D", "cropping", cropping, 2, least=0)


class Cropping2D(BorderLayer):
    """(batch, height, width, channels) without rows and columns at its borders.

    ``cropping``: an int, (rows, columns), or ((top, bottom), (left, right)). Raises ValueError for sizes below 0, and
    where nothing is left.
    """
    rank, argument = 2, "cropping"

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.cropping = two_pairs("Cropping2D", "cropping", cropping)


def two_pairs(where: str, argument: str, value) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)), from these, from (rows, columns), or from one int; ValueError otherwise."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    pairs = value if isinstance(value, (list, tuple)) else (value, value)
    pairs = [tuple(p) if isinstance(p, (list, tuple)) else (p, p) for p in pairs]
    if [len(p) for p in pairs] != [2, 2] or not all(is_int(n) and 0 <= n <= MOST for p in pairs for n in p):
        raise ValueError(f"{where}: `{argument}` must be an int of at least 0, two of them (rows, columns), or ((top, "
                         f"bottom), (left, right)), got {value!r:.60}{too_large(n for p in pairs for n in p)}")
    top, left = ((a.__index__(), b.__index__()) for a, b in pairs)
    return top, left


def padded(build: Lowering, x: Value, borders: tuple[tuple[int, int], ...]) -> Value:
    """x of shape (..., channels) with (before, after) zeros along each axis but the last, below 0: cut off.

    The kernel knows rows of elements: steps are one row, a row of an image is one.
    """
    *sizes, channels = x.shape
    shape = (*(n + sum(border) for n, border in zip(sizes, borders)), channels)
    (top, _), (left, _) = ((0, 0), *borders)[-2:]
    small, large = ([*([1] * (2 - len(borders))), *s[:-2], s[-2] * channels] for s in (x.shape, shape))
    y = build.result(x, shape=shape, name="padded")
    build.emit("pad", [x], [y], [PerRow(1), *small, *large, top, left * channels])
    return build.backward_by(x, y, "pad", [], [PerRow(1), *large, *small, -top, -left * channels])
