"""Batch normalisation (Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training, 2015)."""
from __future__ import annotations

import math

from .. import _arrays, initializers
from ..activations.base import swapped
from ..program import Lowering, PerRow, Value, Variable
from . import gamma_beta
from .base import Layer
from .data_format import channels_first, channels_last


class BatchNormalization(Layer):
    """y = gamma · (x - mean) / sqrt(variance + epsilon) + beta, for every channel of ``axis``.

    In training mean and (biased) variance are the batch's, and the moving statistics follow:
    moving = moving · momentum + batch · (1 - momentum). At inference, or with ``trainable=False``, the moving ones are
    used: a scale and shift that the planner puts into the matmul before.
    Weights, each (channels,): gamma where ``scale``, beta where ``center``, moving_mean, moving_variance.
    """
    gamma: Variable | None
    beta: Variable | None

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.axis = _arrays.whole_axis(axis, where="BatchNormalization: ")
        self.momentum = _arrays.number("BatchNormalization", "momentum", momentum, below=1)
        self.epsilon = _arrays.number("BatchNormalization", "epsilon", epsilon)
        gamma_beta.keep_settings(self, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
                                 gamma_regularizer, beta_constraint, gamma_constraint)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape):
        channels = (input_shape[self._channel_axis(input_shape)],)
        gamma_beta.add_weights(self, channels)
        self.moving_mean = self.add_weight("moving_mean", channels, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight("moving_variance", channels, self.moving_variance_initializer,
                                               trainable=False)

    def _channel_axis(self, input_shape) -> int:
        axis = _arrays.check_axis(self.axis, len(input_shape), where=f"layer {self.name!r}: ")
        if axis == 0 or input_shape[axis] is None:
            raise ValueError(f"layer {self.name!r}: `axis` must be one of known size, not that of the rows, got "
                             f"{self.axis} for an input of shape {input_shape}")
        return axis

    def compute_output_shape(self, input_shape):
        channels = input_shape[self._channel_axis(input_shape)]
        if self.built and channels != self.moving_mean.shape[0]:
            raise ValueError(f"layer {self.name!r}: expected {self.moving_mean.shape[0]} channels on axis {self.axis}, "
                             f"got an input of shape {input_shape}")
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        gamma = build.parameter(self.gamma) if self.gamma is not None else None
        beta = build.parameter(self.beta) if self.beta is not None else None
        learning = build.training and self.trainable
        if learning and mask is not None:
            raise ValueError(f"layer {self.name!r}: cannot be trained on masked steps, which would count in mean and "
                             "variance; use LayerNormalization, or put it before Masking")
        lower = self._lower_training if learning else self._lower_inference
        # an axis that is not the last becomes it, and goes back
        axis = self._channel_axis((None, *x.shape)) - 1
        outer, channels, inner = math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1:])
        if axis == 0 and len(x.shape) > 1:
            y = lower(build, channels_last(build, x), gamma, beta, [PerRow(inner), channels])
            return channels_first(build, y), mask
        if inner > 1:
            x = swapped(build, x, PerRow(outer), channels, inner)
        y = lower(build, x, gamma, beta, [PerRow(outer * inner), channels])
        return y if inner == 1 else swapped(build, y, PerRow(outer), inner, channels), mask

    def _lower_training(self, build: Lowering, x: Value, gamma, beta, sizes: list) -> Value:
        channels = (sizes[1],)
        y = build.result(x, gamma, beta, shape=x.shape, name="normalized")
        mean, variance, inverse = (build.value(channels, batched=False, name=n) for n in ("mean", "variance", "1/sd"))
        build.emit("batch_normalization_forward", [x, gamma, beta],
                   [build.scratch(), y, mean, variance, inverse], sizes, [self.epsilon])
        for new, moving in ((mean, self.moving_mean), (variance, self.moving_variance)):
            build.emit("moving_average", [new], [build.parameter(moving)], [channels[0]], [self.momentum],
                       phase="commit")

        def backward(dy: Value) -> None:
            places = [build.gradient_place(v) if v is not None and v.needs_gradient else None for v in (x, gamma, beta)]
            build.emit("batch_normalization_backward", [dy, x, gamma, mean, inverse], [build.scratch(), *places], sizes)
            for value, place in zip((x, gamma, beta), places):
                if place is not None:
                    build.add_gradient(value, place)

        if y.needs_gradient:
            build.backward([y], backward)
        return y

    def _lower_inference(self, build: Lowering, x: Value, gamma, beta, sizes: list) -> Value:
        channels = (sizes[1],)
        scale, shift = (build.value(channels, batched=False, name=n) for n in ("scale", "shift"))
        moving = [build.parameter(self.moving_mean), build.parameter(self.moving_variance)]
        build.emit("batch_normalization_constants", [gamma, beta, *moving], [scale, shift], [channels[0]],
                   [self.epsilon], phase="head")
        y = build.result(x, shape=x.shape, name="normalized")
        build.emit("scale_shift", [x, scale, shift], [y], sizes)

        def backward(dy: Value) -> None:          # only for a frozen layer inside a net that trains
            zero, dx = build.value(channels, batched=False, name="zero"), build.gradient_place(x)
            build.emit("fill", [], [zero], [channels[0]], [0.0], phase="head")
            build.emit("scale_shift", [dy, scale, zero], [dx], sizes)
            build.add_gradient(x, dx)

        if x.needs_gradient:
            build.backward([y], backward)
        return y
