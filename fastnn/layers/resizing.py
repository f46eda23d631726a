"""Steps and images made larger: UpSampling, and RepeatVector, which makes steps of a row."""
from __future__ import annotations

from ..program import Lowering, PerRow, Value
from .base import Layer
from .data_format import ImageLayer
from .windows import positive_int, positive_ints

INTERPOLATIONS = ("nearest", "bilinear")


class UpSampling1D(ImageLayer):
    """(batch, steps, channels) -> (batch, steps · size, channels), each step ``size`` times. A mask ends here.

    Raises ValueError when ``size`` is no positive int.
    """
    rank = 1
    unsaved = (*ImageLayer.unsaved, "data_format")

    def __init__(self, size=2, **kwargs):
        super().__init__("channels_last", **kwargs)
        self.size = positive_int("UpSampling1D", "size", size)

    def compute_output_shape(self, input_shape):
        (steps,), channels = self.sizes(input_shape)
        return (input_shape[0], None if steps is None else steps * self.size, channels)

    def lower_image(self, build: Lowering, x: Value):
        return repeated(build, x, self.size)


class UpSampling2D(ImageLayer):
    """(batch, height, width, channels) -> (batch, height · size[0], width · size[1], channels).

    ``size``: an int or two. ``interpolation``: "nearest" repeats pixels; "bilinear" has each new one between the four
    nearest, by half-pixel centres. Raises ValueError for other interpolations, and sizes that are no positive ints.
    """
    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(data_format, **kwargs)
        self.size = positive_ints("UpSampling2D", "size", size, 2)
        self.interpolation = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError("UpSampling2D: `interpolation` must be 'nearest' or 'bilinear', got "
                             f"{interpolation!r:.60}")

    def compute_output_shape(self, input_shape):
        sizes, channels = self.sizes(input_shape)
        new = tuple(None if n is None else n * factor for n, factor in zip(sizes, self.size))
        return self.shape_of(input_shape[0], new, channels)

    def lower_image(self, build: Lowering, x: Value):
        return enlarged(build, x, self.size, self.interpolation)


class RepeatVector(Layer):
    """(batch, features) -> (batch, n, features): each row ``n`` times. A mask ends here.

    Raises ValueError when ``n`` is no positive int, and for inputs of another rank.
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = positive_int("RepeatVector", "n", n)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(f"layer {self.name!r}: expected an input of rank 2, (batch, features), got shape "
                             f"{tuple(input_shape)}; put Flatten before it")
        return (input_shape[0], self.n, input_shape[1])

    def lower(self, build: Lowering, x: Value, mask=None):
        return repeated(build, build.view(x, (1, *x.shape)), self.n), None


def repeated(build: Lowering, x: Value, times: int) -> Value:
    """x of shape (steps, channels) with each step so many times."""
    y = enlarged(build, build.view(x, (1, *x.shape)), (1, times))
    return build.view(y, y.shape[1:])


def enlarged(build: Lowering, x: Value, factors: tuple[int, ...], interpolation: str = "nearest") -> Value:
    """x of shape (height, width, channels), ``factors`` times as high and wide."""
    height, width, channels = x.shape
    y = build.result(x, shape=(height * factors[0], width * factors[1], channels), name="upsampled")
    kernel, sizes = f"upsample_{interpolation}", [PerRow(1), height, width, channels, *factors]
    build.emit(kernel, [x], [y], sizes)
    return build.backward_by(x, y, f"{kernel}_backward", [], sizes)
