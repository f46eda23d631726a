"""Normalization, which learns from data how to bring them to a common scale."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _arrays, backend
from .._describe import plain
from ..program import Lowering, Value
from ..program.eager import Tensor
from .base import Layer
from .rescaling import affine, constant

CHUNK = 65_536                # rows that adapt turns into float64 at a time


def _check_statistic(argument: str, value) -> None:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"Normalization: `{argument}` must hold finite numbers, got {value!r:.60}")
    if argument == "variance" and (array < 0).any():
        raise ValueError(f"Normalization: `variance` must hold numbers of at least 0, got {value!r:.60}")


class Normalization(Layer):
    """y = (x - mean) / sqrt(variance), element by element along ``axis``; ``invert``: x · sqrt(variance) + mean.

    ``axis``: those that keep statistics of their own (-1: one for each feature; None: one for all). Give ``mean`` and
    ``variance``, or learn them: ``adapt(data)``. Standard deviations below 1e-7 count as 1e-7.
    Weights, where learnt: mean, variance of the sizes of ``axis``, and count (). Raises ValueError for only one of
    ``mean`` and ``variance``, or shapes that do not fit.
    """

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization: `mean` and `variance` must be given together, got mean={mean!r:.60} and "
                             f"variance={variance!r:.60}")
        if np.shape(mean) != np.shape(variance):
            raise ValueError("Normalization: `mean` and `variance` must have one shape, got shapes "
                             f"{np.shape(mean)} and {np.shape(variance)}")
        for argument, value in (("mean", mean), ("variance", variance)):
            if value is not None:
                _check_statistic(argument, value)
        self.axis = () if axis is None else (axis,) if hasattr(axis, "__index__") else tuple(axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, bool(invert)
        self.adapt_mean: Any = None             # Variables once built, where nothing was given
        self.adapt_variance: Any = None
        self.count: Any = None

    def get_config(self):
        return {**super().get_config(), "mean": plain(self.input_mean), "variance": plain(self.input_variance)}

    @property
    def mean(self) -> Tensor | None:
        """The means in use, with axes of size 1 so that they broadcast to the input; None before they are known."""
        return self._statistic(self.input_mean, self.adapt_mean)

    @property
    def variance(self) -> Tensor | None:
        """The variances in use, as ``mean``."""
        return self._statistic(self.input_variance, self.adapt_variance)

    def _statistic(self, given, learnt) -> Tensor | None:
        if not self.built:
            return None
        value = np.asarray(learnt.value if given is None else given, self.dtype)
        return np.broadcast_to(value, self._sizes).reshape(self._broadcast).view(Tensor)

    def build(self, input_shape):
        rank = len(input_shape)
        kept = sorted({_arrays.check_axis(a, rank, where=f"layer {self.name!r}: ") for a in self.axis})
        if 0 in kept or any(input_shape[a] is None for a in kept):
            raise ValueError(f"layer {self.name!r}: `axis` must hold axes of known size, not that of the rows, got "
                             f"{self.axis} for an input of shape {input_shape}")
        self._kept, self._sizes = kept, tuple(input_shape[a] for a in kept)
        self._broadcast = tuple(n if a in kept else 1 for a, n in enumerate(input_shape))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight("mean", self._sizes, "zeros", trainable=False)
            self.adapt_variance = self.add_weight("variance", self._sizes, "ones", trainable=False)
            self.count = self.add_weight("count", (), "zeros", trainable=False)
        else:
            shape = np.shape(self.input_mean)
            if len(shape) > len(self._sizes) or any(n not in (1, m) for n, m in zip(shape[::-1], self._sizes[::-1])):
                raise ValueError(f"layer {self.name!r}: `mean` and `variance` must fit axis {self.axis} of the input, "
                                 f"of sizes {self._sizes}, got shape {shape}")

    def compute_output_shape(self, input_shape):
        if self.built and any(n not in (1, input_shape[a]) for a, n in enumerate(self._broadcast) if a):
            raise ValueError(f"layer {self.name!r}: expected sizes {self._sizes} along axis {self.axis}, got an input "
                             f"of shape {input_shape}")
        return input_shape

    def adapt(self, data) -> None:
        """Learn mean and variance from ``data``: an array (rows, ...), or an iterable of batches, of which (x, y) count
        as x. ``count`` becomes the number of values behind a mean (Keras leaves it at 0). Raises as ``fit`` does for
        data that are no numbers; nothing changes then."""
        if self.input_mean is not None:
            raise ValueError(f"layer {self.name!r}: adapt needs a layer without `mean` and `variance` of its own")
        count, mean, square = 0, np.zeros(()), np.zeros(())
        for chunk in chunks(data):
            self.ensure_built((None, *chunk.shape[1:]))
            axes = tuple(a for a in range(chunk.ndim) if a not in self._kept)
            n = chunk.size // max(1, math.prod(self._sizes))
            own = chunk.mean(axes)
            spread = np.square(chunk - np.expand_dims(own, axes)).sum(axes)
            # Chan, Golub and LeVeque 1983: sums of squares of two parts
            difference, total = own - mean, count + n
            square = square + spread + difference ** 2 * (count * n / total)
            mean, count = mean + difference * (n / total), total
        if not count:
            raise ValueError("adapt: `data` must hold at least one row, got none")
        if not (np.isfinite(mean).all() and np.isfinite(square).all()):
            raise ValueError("adapt: `data` must hold finite numbers, got NaN or inf; fill in or drop such rows")
        for weight, value in zip(self.weights, (mean, square / count, count)):
            weight.assign(np.asarray(value).reshape(weight.shape))

    def lower(self, build: Lowering, x: Value, mask=None):
        columns = x.shape[-1] if self._kept == [len(x.shape)] else x.size

        def constants(mean: np.ndarray, variance: np.ndarray, shift: np.ndarray, scale: np.ndarray) -> None:
            for value, place in ((mean, shift), (self._scale(variance), scale)):
                place[:] = np.broadcast_to(value.reshape(self._broadcast[1:]), x.shape).ravel()[:columns]

        if self.input_mean is None:
            shift, scale = (build.value((columns,), batched=False, name=n) for n in ("mean", "1/sd"))
            learnt = [build.parameter(self.adapt_mean), build.parameter(self.adapt_variance)]
            build.emit(constants, learnt, [shift, scale], phase="head")
        else:
            numbers = np.empty((2, columns))
            constants(np.asarray(self.mean), np.asarray(self.variance), *numbers)
            shift, scale = (constant(build, n, v, (columns,)) for n, v in zip(("mean", "1/sd"), numbers))
        return affine(build, x, "scale_shift" if self.invert else "shift_scale", scale, shift), mask

    def _scale(self, variance) -> np.ndarray:
        deviation = np.maximum(np.sqrt(np.asarray(variance, np.float64)), backend.epsilon())
        return deviation if self.invert else 1 / deviation


def chunks(data):
    """``data`` as float64 arrays of at most CHUNK rows: of an array, or of each batch of an iterable."""
    listed = isinstance(data, (list, tuple)) and not (data and np.ndim(data[0]) > 1)
    batches = [data] if hasattr(data, "__array__") or listed else data
    for batch in batches:
        x = _arrays.as_rows(batch[0] if isinstance(batch, tuple) and batches is data else batch, "data")
        for start in range(0, len(x), CHUNK):
            yield np.asarray(x[start:start + CHUNK], np.float64)
