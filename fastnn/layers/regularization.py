"""Layers that act in training only, against overfitting: dropout and noise."""
from __future__ import annotations

import math

from ..program import Lowering, PerRow, Value
from .base import Layer
from .data_format import element_by_element

MULTIPLY = 1                            # flag of gaussian_noise: a factor, not a summand
# selu's limit for small x, which AlphaDropout puts in the place of what drops (Klambauer et al. 2017, section 2)
SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805


class RandomLayer(Layer):
    """Base of the layers that draw random numbers in training; ``seed``: an int, or None for the model's own.

    The numbers are a function of (seed, layer, step, element) alone, by the counter-based generator Philox (Salmon et
    al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011): the same for any number of threads and on every instruction
    set.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        if seed is not None and (isinstance(seed, bool) or not hasattr(seed, "__index__")):
            raise ValueError(f"{type(self).__name__}: `seed` must be an int or None, got {seed!r:.60}")
        self.seed = None if seed is None else seed.__index__()

    def random_key(self, build: Lowering, i: int = 0) -> int:
        """The number of this layer's random operation, or of the ``i``-th of several."""
        # the user's seeds in a range of their own, so that none is the number of a layer without one
        return build.random_id() if self.seed is None else 0x80000000 | self.seed + i * 0x1E3779B1 & 0x7FFFFFFF

    def share(self, argument: str, value, whole: bool = True) -> float:
        """A setting from 0 to 1, ``whole``: 1 included; ValueError otherwise."""
        rule = "a number from 0 to 1" if whole else "a number of at least 0 and below 1"
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1 or (
                value == 1 and not whole):
            raise ValueError(f"{type(self).__name__}: `{argument}` must be {rule}, got {value!r:.60}")
        return float(value)


class Dropout(RandomLayer):
    """Sets a fraction ``rate`` of the inputs to 0 in training and scales the others by 1 / (1 - rate).

    Inference: the input itself. ``noise_shape``: of the mask, with the batch axis; it is shared along axes that are 1,
    and None stands for the input's own size. Raises ValueError when ``rate`` is not in [0, 1].
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = self.share("rate", rate)
        self.noise_shape = check_noise_shape(self, noise_shape)

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.rate == 0:
            return x, mask
        if self.noise_shape is not None:
            kept = kept_elements(build, x, self.rate, self.noise_shape, self.random_key(build), self.name)
            scale = 1 / (1 - self.rate) if self.rate < 1 else 0.0
            return masked_affine(build, x, kept, (scale, 0.0, 0.0)), mask
        return element_by_element(build, x, lambda x: self._drop(build, x)), mask

    def _drop(self, build: Lowering, x: Value) -> Value:
        y = build.result(x, shape=x.shape, name="dropout")
        kept = build.value(x.shape, "uint8", name="kept units")
        build.emit("dropout_forward", [x], [y, kept], [x.elements(), self.random_key(build)], [self.rate])
        return build.backward_by(x, y, "dropout_backward", [kept], [x.elements()], [self.rate])


class AlphaDropout(RandomLayer):
    """Dropout for selu: what drops becomes selu's limit, and mean and variance stay as they were (Klambauer et al.,
    Self-Normalizing Neural Networks, 2017).

    y = a · (x or limit) + b, a = 1 / sqrt((1 - rate) · (1 + rate · limit²)), b = -a · limit · rate. Inference: the
    input itself. ``noise_shape``: as in Dropout. Raises ValueError when ``rate`` is not in [0, 1).
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = self.share("rate", rate, whole=False)
        self.noise_shape = check_noise_shape(self, noise_shape)

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.rate == 0:
            return x, mask
        kept = kept_elements(build, x, self.rate, self.noise_shape, self.random_key(build), self.name)
        scale = ((1 - self.rate) * (1 + self.rate * SELU_LIMIT ** 2)) ** -0.5
        shift = -scale * SELU_LIMIT * self.rate
        return masked_affine(build, x, kept, (scale, shift, scale * SELU_LIMIT + shift)), mask


class GaussianNoise(RandomLayer):
    """Adds normal noise of standard deviation ``stddev`` in training. Inference: the input itself.

    Raises ValueError when ``stddev`` is not in [0, 1].
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.stddev = self.share("stddev", stddev)

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.stddev == 0:
            return x, mask
        y = build.result(x, shape=x.shape, name="noisy")
        build.emit("gaussian_noise", [x], [y, None], [x.elements(), self.random_key(build)], [self.stddev])
        if x.needs_gradient:
            build.backward([y], lambda dy: build.add_gradient(x, dy))
        return y, mask


class GaussianDropout(RandomLayer):
    """Multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)) in training.

    Inference: the input itself. Raises ValueError when ``rate`` is not in [0, 1).
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = self.share("rate", rate, whole=False)

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.rate == 0:
            return x, mask
        y, factor = build.result(x, shape=x.shape, name="noisy"), build.value(x.shape, name="factors")
        deviation = math.sqrt(self.rate / (1 - self.rate))
        build.emit("gaussian_noise", [x], [y, factor], [x.elements(), self.random_key(build)], [deviation],
                   flags=MULTIPLY)
        return build.backward_by(x, y, "product", [factor], [x.elements()]), mask


def check_noise_shape(layer: Layer, shape) -> tuple | None:
    """The shape of a mask: a tuple of positive ints and Nones, or None; ValueError otherwise."""
    if shape is None:
        return None
    sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if not isinstance(shape, (list, tuple)) or not all(
            n is None or (hasattr(n, "__index__") and not isinstance(n, bool) and n > 0) for n in sizes):
        raise ValueError(f"{type(layer).__name__}: `noise_shape` must hold positive ints or None, batch axis first, "
                         f"got {shape!r:.60}")
    return sizes


def kept_elements(build: Lowering, x: Value, rate: float, noise_shape: tuple | None, key: int, name: str) -> Value:
    """A mask of x's shape, uint8: 1 where an element stays, drawn in ``noise_shape`` and repeated along its axes of 1.

    A batch axis of 1 is one mask for all rows, any other size one a row.
    """
    sizes = list(x.shape) if noise_shape is None else [
        n or size for n, size in zip(noise_shape[1:], x.shape, strict=False)]
    if len(sizes) != len(x.shape) or (noise_shape and len(noise_shape) != len(x.shape) + 1) or any(
            n not in (1, size) for n, size in zip(sizes, x.shape, strict=True)):
        raise ValueError(f"layer {name!r}: `noise_shape` must have the input's axes, each 1, None or of its size: got "
                         f"{noise_shape} for inputs of shape {(None, *x.shape)}")
    batched = noise_shape is None or noise_shape[0] != 1
    mask = build.value(sizes, "uint8", batched, "kept units")
    build.emit("dropout_mask", [], [mask], [mask.elements(), key], [rate])
    for i, size in enumerate(x.shape):
        if sizes[i] != size:
            outer, inner = math.prod(sizes[:i]), math.prod(sizes[i + 1:])
            sizes[i] = size
            smaller, mask = mask, build.value(sizes, "uint8", batched, "kept units")
            build.emit("repeat_mask", [smaller], [mask], [PerRow(outer) if batched else outer, size, inner])
    if not batched:
        smaller, mask = mask, build.value(sizes, "uint8", name="kept units")
        build.emit("repeat_mask", [smaller], [mask], [1, PerRow(1), x.size])
    return mask


def masked_affine(build: Lowering, x: Value, kept: Value, scalars: tuple) -> Value:
    """y = x · scale + shift where the mask is 1, else a constant: ``scalars`` are (scale, shift, constant)."""
    y = build.result(x, shape=x.shape, name="dropout")
    build.emit("masked_affine", [x, kept], [y], [x.elements()], scalars)
    return build.backward_by(x, y, "masked_affine", [kept], [x.elements()], (scalars[0], 0.0, 0.0))
