"""Group normalization (Wu and He, Group Normalization, 2018)."""
from __future__ import annotations

import math

from .. import _arrays
from ..activations.base import swapped
from ..program import Lowering, PerRow, Value, Variable
from . import gamma_beta
from .base import Layer
from .data_format import channels_first, channels_last
from .windows import is_int


class GroupNormalization(Layer):
    """y = gamma · (x - mean) / sqrt(variance + epsilon) + beta, by mean and variance of each row and group
    of channels.

    ``groups``: neighbouring channels of ``axis`` in so many groups; -1 is one for each channel (instance
    normalization). Weights, each (channels,): gamma where ``scale``, beta where ``center``.
    Raises ValueError where the groups do not divide the channels, or ``axis`` is that of the rows.
    """
    gamma: Variable | None
    beta: Variable | None

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        super().__init__(**kwargs)
        if not is_int(groups) or (groups <= 0 and groups != -1):
            raise ValueError(f"GroupNormalization: `groups` must be a positive int, or -1 for one a channel, got "
                             f"{groups!r:.60}")
        self.groups = groups.__index__()
        self.axis = _arrays.whole_axis(axis, where="GroupNormalization: ")
        self.epsilon = _arrays.number("GroupNormalization", "epsilon", epsilon)
        gamma_beta.keep_settings(self, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                                 gamma_regularizer, beta_constraint, gamma_constraint)

    def build(self, input_shape):
        gamma_beta.add_weights(self, (self._channels(input_shape)[1],))

    def _channels(self, input_shape) -> tuple[int, int]:
        """(axis of the channels, channels) of an input; ValueError where it does not fit."""
        axis = _arrays.check_axis(self.axis, len(input_shape), where=f"layer {self.name!r}: ")
        channels = input_shape[axis]
        if axis == 0 or not channels:
            raise ValueError(f"layer {self.name!r}: `axis` must be one of known size above 0, not that of the rows, "
                             f"got {self.axis} for an input of shape {input_shape}")
        if channels % self.groups:
            raise ValueError(f"layer {self.name!r}: `groups` must divide the {channels} channels of axis {self.axis}, "
                             f"got {self.groups} for an input of shape {input_shape}; give a divisor, or -1")
        if self.built and any(w.shape != (channels,) for w in self.weights):
            raise ValueError(f"layer {self.name!r}: expected {self.weights[0].shape[0]} channels on axis {self.axis}, "
                             f"got an input of shape {input_shape}")
        return axis, channels

    def compute_output_shape(self, input_shape):
        self._channels(input_shape)
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        axis, channels = self._channels((None, *x.shape))
        before, after = math.prod(x.shape[:axis - 1]), math.prod(x.shape[axis:])
        if axis == 1 and len(x.shape) > 1:
            return channels_first(build, self._normalized(build, channels_last(build, x), channels)), mask
        if after == 1:
            return self._normalized(build, x, channels), mask
        # channels in the middle become the last axis, and go back
        x = swapped(build, x, PerRow(before), channels, after)
        return swapped(build, self._normalized(build, x, channels), PerRow(before), after, channels), mask

    def _normalized(self, build: Lowering, x: Value, channels: int) -> Value:
        gamma, beta = (None if w is None else build.parameter(w) for w in (self.gamma, self.beta))
        y = build.result(x, gamma, beta, shape=x.shape, name="normalized")
        mean, inverse = (build.value((channels,), name=name) for name in ("mean", "1/sd"))
        sizes = [PerRow(1), x.size // channels, channels, channels if self.groups == -1 else self.groups]
        build.emit("group_normalization_forward", [x, gamma, beta], [y, mean, inverse], sizes, [self.epsilon])

        def backward(dy: Value) -> None:
            dx = build.gradient_place(x) if x.needs_gradient else None
            shares = [build.value((channels,), name=f"d {name} by rows") for name in ("gamma", "beta")]
            build.emit("group_normalization_backward", [dy, x, gamma, mean, inverse],
                       [build.scratch(), dx, *shares], sizes)
            if dx is not None:
                build.add_gradient(x, dx)
            for weight, share in zip((gamma, beta), shares):
                if weight is not None and weight.needs_gradient:
                    place = build.gradient_place(weight)
                    build.emit("column_sum", [share], [place], [PerRow(1), channels])
                    build.add_gradient(weight, place)

        if y.needs_gradient:
            build.backward([y], backward)
        return y
