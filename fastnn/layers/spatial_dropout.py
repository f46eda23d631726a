"""Dropout of whole channels: SpatialDropout (Tompson et al., Efficient Object Localization Using Convolutional
Networks, 2015)."""
from __future__ import annotations

from ..program import Lowering, PerRow, Value
from .data_format import ImageLayer
from .regularization import RandomLayer


class SpatialDropout(RandomLayer, ImageLayer):
    """Base: in training each channel of a row is 0 with probability ``rate``, at all its places, or scaled by
    1 / (1 - rate)."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = self.share("rate", rate)

    def compute_output_shape(self, input_shape):
        self.sizes(input_shape)              # refuses another rank
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.rate == 0:
            return x, mask
        return super().lower(build, x)[0], mask

    def lower_image(self, build: Lowering, x: Value):
        kept = kept_channels(build, x.shape[-1], self.rate, self.random_key(build))
        return without_channels(build, x, kept, self.rate)


def kept_channels(build: Lowering, channels: int, rate: float, key: int) -> Value:
    """A mask, uint8 (channels,) a row: 1 where a channel stays."""
    kept = build.value((channels,), "uint8", name="kept channels")
    build.emit("dropout_mask", [], [kept], [kept.elements(), key], [rate])
    return kept


def without_channels(build: Lowering, x: Value, kept: Value, rate: float) -> Value:
    """x of shape (..., channels) with those channels 0 that are not kept, the others scaled by 1 / (1 - rate)."""
    channels = x.shape[-1]
    sizes = [PerRow(1), x.size // channels, channels]
    y = build.result(x, shape=x.shape, name="dropout")
    build.emit("channel_dropout", [x, kept], [y], sizes, [rate])
    return build.backward_by(x, y, "channel_dropout", [kept], sizes, [rate])


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of (batch, steps, channels): one mask for all steps of a row.

    Inference: the input itself. Raises ValueError when ``rate`` is not in [0, 1].
    """
    rank = 1
    unsaved = (*ImageLayer.unsaved, "data_format")

    def __init__(self, rate, seed=None, name=None, dtype=None, **kwargs):
        super().__init__(rate, seed, data_format="channels_last", name=name, dtype=dtype, **kwargs)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images (batch, height, width, channels): one mask for all pixels of a row.

    Inference: the input itself. Raises ValueError when ``rate`` is not in [0, 1].
    """
    rank = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None, **kwargs):
        super().__init__(rate, seed, data_format=data_format, name=name, dtype=dtype, **kwargs)
