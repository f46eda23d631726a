"""Pooling of all places: one number for each channel."""
from __future__ import annotations

from ..program import Lowering, PerRow, Value
from .data_format import ImageLayer, channels_last
from .pooling import pooled
from .windows import axis_of


class GlobalPooling(ImageLayer):
    """Base: one number for each channel, from all places.

    ``keepdims``: whether the axes of places stay, with size 1. Input (batch, ..., channels), output (batch, channels).
    """

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, **kwargs)
        self.keepdims = bool(keepdims)

    def compute_output_shape(self, input_shape):
        sizes, channels = self.sizes(input_shape)
        if 0 in sizes:
            raise ValueError(f"layer {self.name!r}: expected an input with at least one place, got shape "
                             f"{tuple(input_shape)}")
        if self.keepdims:
            return self.shape_of(input_shape[0], (1,) * self.rank, channels)
        return input_shape[0], channels

    def lower(self, build: Lowering, x: Value, mask=None):
        shape = self.compute_output_shape((None, *x.shape))[1:]
        y = self.lower_all(build, channels_last(build, x) if self.channels_first else x, mask)
        return build.view(y, shape), None

    def lower_all(self, build: Lowering, x: Value, mask: Value | None) -> Value:
        """Name the operations, from (..., channels) to one number a channel."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_all(build, x, mask)")


class GlobalMaxPooling(GlobalPooling):
    """Base: the largest; places that are equally large share the gradient, as in Keras on TensorFlow."""

    def lower_all(self, build, x, mask):
        channels = x.shape[-1]
        sizes = [PerRow(1), x.size // channels, channels]
        y = build.result(x, shape=(channels,), name="largest")
        build.emit("reduce_max", [x], [y], sizes)
        return build.backward_by(x, y, "reduce_max_backward", [x, y], sizes)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest of all steps: (batch, steps, channels) -> (batch, channels).

    ``keepdims``: whether the axis of steps stays, with size 1. A mask ends here.
    """
    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest of an image: (batch, height, width, channels) -> (batch, channels).

    ``keepdims``: whether height and width stay, with size 1.
    """
    rank = 2


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of all steps, or of those that a mask marks: (batch, steps, channels) -> (batch, channels).

    ``keepdims``: whether the axis of steps stays, with size 1. The mean of no step is 0 (in Keras NaN).
    """
    rank = 1

    def lower_all(self, build, x, mask):
        if mask is None:
            return pooled(build, x, "average", (axis_of(x.shape[0], x.shape[0]),), whole=True)
        if mask.shape != x.shape[:1]:
            raise ValueError(f"layer {self.name!r}: expected a mask of the {x.shape[0]} steps, got one of shape "
                             f"{(None, *mask.shape)}")
        return masked_mean(build, x, mask)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of an image: (batch, height, width, channels) -> (batch, channels).

    ``keepdims``: whether height and width stay, with size 1.
    """
    rank = 2

    def lower_all(self, build, x, mask):
        return pooled(build, x, "average", tuple(axis_of(n, n) for n in x.shape[:-1]), whole=True)


GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D


def masked_mean(build: Lowering, x: Value, mask: Value) -> Value:
    """The mean of the steps that the mask marks."""
    y = build.result(x, shape=x.shape[1:], name="mean of steps")
    sizes = [PerRow(1), *x.shape]
    build.emit("masked_mean_forward", [x, mask], [y], sizes)
    return build.backward_by(x, y, "masked_mean_backward", [mask], sizes)
