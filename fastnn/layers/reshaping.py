"""Layers that change the shape and nothing else: views, no operation of their own."""
from __future__ import annotations

import math

from ..program import Lowering, Value
from .base import Layer
from .data_format import channels_last, check_data_format


class Flatten(Layer):
    """(batch, a, b, ...) -> (batch, a·b·...); an input of shape (batch,) becomes (batch, 1). A mask ends here.

    ``data_format``: with "channels_first" the first of these axes is moved to the end before, so that weights after it
    do not depend on the format. None is the default of ``backend``; ValueError for what is no format.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format("Flatten", data_format)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], None if None in input_shape[1:] else math.prod(input_shape[1:]))

    def lower(self, build: Lowering, x: Value, mask=None):
        if self.data_format == "channels_first" and len(x.shape) > 1:
            x = channels_last(build, x)
        return build.view(x, (x.size,)), None


class Reshape(Layer):
    """(batch, ...) -> (batch, *target_shape), elements in their order; one size may be -1: what is left. A mask ends
    here.

    Raises ValueError for sizes that are no positive ints, or whose product is not the input's.
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        sizes = tuple(target_shape) if hasattr(target_shape, "__iter__") else (target_shape,)
        if not all(hasattr(n, "__index__") and not isinstance(n, bool) and (n > 0 or n == -1) for n in sizes):
            raise ValueError(f"Reshape: `target_shape` must hold positive ints, or one -1, got {target_shape!r:.60}")
        if sizes.count(-1) > 1:
            raise ValueError(f"Reshape: `target_shape` must hold at most one -1, got {target_shape!r:.60}")
        self.target_shape = tuple(n.__index__() for n in sizes)

    def compute_output_shape(self, input_shape):
        if None in input_shape[1:]:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size, known = math.prod(input_shape[1:]), math.prod(n for n in self.target_shape if n != -1)
        if size % known or (size != known and -1 not in self.target_shape):
            raise ValueError(f"layer {self.name!r}: `target_shape` must hold the {size} elements of a row of shape "
                             f"{tuple(input_shape[1:])}, got {self.target_shape}")
        return (input_shape[0], *(size // known if n == -1 else n for n in self.target_shape))

    def lower(self, build: Lowering, x: Value, mask=None):
        return build.view(x, self.compute_output_shape((None, *x.shape))[1:]), None
