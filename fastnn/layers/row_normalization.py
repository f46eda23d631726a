"""Normalization of each row by itself: LayerNormalization, RMSNormalization, UnitNormalization."""
from __future__ import annotations

import math

from .. import _arrays
from ..activations.base import swapped
from ..program import Lowering, PerRow, Value, Variable
from . import gamma_beta
from .base import Layer

CENTER, UNIT = 1, 2                      # flags of row_normalization: subtract the mean; divide by the norm
SMALLEST_NORM = 1e-12                    # that UnitNormalization divides by, as in Keras


class RowNormalization(Layer):
    """Base: y = gamma · (x - mean) · inverse + beta along ``axis``, one axis or several, each row by itself."""
    flags = 0
    epsilon = SMALLEST_NORM
    gamma: Variable | None = None
    beta: Variable | None = None

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        several = isinstance(axis, (list, tuple))
        if not several and (isinstance(axis, bool) or not hasattr(axis, "__index__")):
            raise TypeError(f"{type(self).__name__}: `axis` must be an int or a list of ints, got {axis!r:.60}")
        self.axis = list(axis) if several else axis.__index__()

    def axes(self, rank: int) -> list[int]:
        """The axes of one row (without the batch axis), in order; ValueError where there is no such axis."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        found = sorted({_arrays.check_axis(a, rank, where=f"layer {self.name!r}: ") for a in axes})
        if not found or found[0] == 0:
            raise ValueError(f"layer {self.name!r}: `axis` must be one of 1 to {rank - 1}, or several, but not that "
                             f"of the rows, got {self.axis!r:.60}")
        return [a - 1 for a in found]

    def weight_shape(self, input_shape: tuple) -> tuple:
        """Sizes of the normalized axes."""
        shape = tuple(input_shape[a + 1] for a in self.axes(len(input_shape)))
        if None in shape or 0 in shape:
            raise ValueError(f"layer {self.name!r}: the axes to normalize must have known sizes above 0, got "
                             f"axis={self.axis} for an input of shape {input_shape}")
        return shape

    def compute_output_shape(self, input_shape):
        shape = self.weight_shape(input_shape)
        for weight in self.weights:
            if weight.shape != shape:
                raise ValueError(f"layer {self.name!r}: expected sizes {weight.shape} along axis {self.axis}, got an "
                                 f"input of shape {input_shape}")
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        moves = moves_to_the_end(x.shape, self.axes(len(x.shape) + 1))
        y = x
        for outer, middle, inner in moves:
            y = swapped(build, y, PerRow(outer), middle, inner)
        gamma, beta = (None if w is None else build.parameter(w) for w in (self.gamma, self.beta))
        columns = math.prod(self.weight_shape((None, *x.shape)))
        y = normalize_rows(build, y, gamma, beta, [PerRow(x.size // columns), columns], self.epsilon, self.flags)
        for outer, middle, inner in reversed(moves):
            y = swapped(build, y, PerRow(outer), inner, middle)
        return y, mask


def moves_to_the_end(shape: tuple, axes: list[int]) -> list[tuple[int, int, int]]:
    """The exchanges (outer, middle, inner) after which ``axes``, ascending, are the last ones, in their order."""
    sizes, moves = list(shape), []
    if axes == list(range(len(shape) - len(axes), len(shape))):
        return []
    for done, axis in enumerate(axes):
        i = axis - done
        moves.append((math.prod(sizes[:i]), sizes[i], math.prod(sizes[i + 1:])))
        sizes.append(sizes.pop(i))
    return moves


def normalize_rows(build: Lowering, x: Value, gamma: Value | None, beta: Value | None, sizes: list, epsilon: float,
                   flags: int) -> Value:
    """The operations of the forward and backward pass for x seen as rows of ``sizes`` (rows, columns)."""
    y = build.result(x, gamma, beta, shape=x.shape, name="normalized")
    mean = build.value((int(sizes[0]),), name="mean") if flags & CENTER else None
    inverse = build.value((int(sizes[0]),), name="1/sd")
    build.emit("row_normalization_forward", [x, gamma, beta], [y, mean, inverse], sizes, [epsilon], flags)

    def backward(dy: Value) -> None:
        if gamma is not None and gamma.needs_gradient:
            dgamma = build.gradient_place(gamma)
            build.emit("row_normalization_scale", [dy, x, mean, inverse], [dgamma], sizes, flags=flags)
            build.add_gradient(gamma, dgamma)
        if beta is not None and beta.needs_gradient:
            dbeta = build.gradient_place(beta)
            build.emit("column_sum", [dy], [dbeta], sizes)
            build.add_gradient(beta, dbeta)
        if x.needs_gradient:
            dx = build.gradient_place(x)
            build.emit("row_normalization_backward", [dy, x, gamma, mean, inverse], [dx], sizes, flags=flags)
            build.add_gradient(x, dx)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


class LayerNormalization(RowNormalization):
    """y = gamma · (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of each row along ``axis`` (Ba, Kiros
    and Hinton, Layer Normalization, 2016).

    Weights, of the sizes of ``axis``: gamma where ``scale``, beta where ``center``. Raises ValueError where ``axis`` is
    that of the rows, or none of the input's.
    """
    flags = CENTER

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None,
                 beta_constraint=None, gamma_constraint=None, **kwargs):
        super().__init__(axis, **kwargs)
        self.epsilon = _arrays.number("LayerNormalization", "epsilon", epsilon)
        gamma_beta.keep_settings(self, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                                 gamma_regularizer, beta_constraint, gamma_constraint)

    def build(self, input_shape):
        gamma_beta.add_weights(self, self.weight_shape(input_shape))


class RMSNormalization(RowNormalization):
    """y = scale · x / sqrt(mean(x²) + epsilon), for each row along ``axis`` (Zhang and Sennrich, Root Mean Square Layer
    Normalization, 2019). Weights, of the sizes of ``axis``: scale."""

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(axis, **kwargs)
        self.epsilon = _arrays.number("RMSNormalization", "epsilon", epsilon)

    def build(self, input_shape):
        self.scale = self.gamma = self.add_weight("scale", self.weight_shape(input_shape), "ones")

    def lower(self, build, x, mask=None):
        return super().lower(build, x, mask)[0], None               # Keras ends a mask here, and in no other of these


class UnitNormalization(RowNormalization):
    """y = x / |x|, for each row along ``axis``: so that it has length 1. A row of zeros stays one."""
    flags = UNIT
