"""Dense: y = activation(x · kernel + bias)."""
from __future__ import annotations

from .. import activations, constraints, initializers, regularizers
from ..program import Lowering, Value
from ..program.lowering import TRANSPOSE_A, TRANSPOSE_B
from .base import Layer


class Dense(Layer):
    """Fully connected layer: y = activation(x · kernel + bias), on the last axis of an input of rank 2 or more.

    ``units``: size of the output's last axis. ``activation``: a name, a function of ``fastnn.activations``, or None.
    ``*_regularizer``: penalties on kernel, bias and output; ``*_constraint``: what the weights hold after every step.
    Weights: kernel (features, units), bias (units,). Input (batch, ..., features), output (batch, ..., units).
    Raises ValueError when ``units`` is no positive int.

    >>> import numpy as np
    >>> Dense(3)(np.zeros((2, 4), "float32")).shape
    (2, 3)
    """

    def __init__(self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if isinstance(units, bool) or not hasattr(units, "__index__") or units.__index__() <= 0:
            raise ValueError(f"Dense: `units` must be a positive int, got {units!r}")
        self.units = units.__index__()
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)          # refuses what has no last axis
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units), self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_weight("bias", (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    def compute_output_shape(self, input_shape):
        if len(input_shape) < 2 or input_shape[-1] is None:
            advice = ("; behind Flatten all axes must have known sizes: give them to Input, or put global pooling or a "
                      "recurrent layer in the place of Flatten") if tuple(input_shape) == (None, None) else ""
            raise ValueError(f"layer {self.name!r}: expected an input of rank 2 or more with a known last axis, got "
                             f"shape {input_shape}{advice}")
        if self.built and input_shape[-1] != self.kernel.shape[0]:
            raise ValueError(f"layer {self.name!r}: expected {self.kernel.shape[0]} features on the last axis, got an "
                             f"input of shape {input_shape}")
        return (*input_shape[:-1], self.units)

    def lower(self, build: Lowering, x: Value, mask=None):
        z = dense(build, x, build.parameter(self.kernel), build.parameter(self.bias) if self.bias is not None else None)
        return self.activation.lower(build, z), mask


def dense(build: Lowering, x: Value, kernel: Value, bias: Value | None) -> Value:
    """z = x · kernel + bias on the last axis; the axes of the kernel before its last count as one.

    Backward: d kernel = xᵀ · dz, d bias = column sums of dz, dx = dz · kernelᵀ.
    """
    rows, features, units = x.rows(), x.shape[-1], kernel.shape[-1]
    z = build.result(x, kernel, bias, shape=(*x.shape[:-1], units), name="z")
    build.matmul(x, kernel, z, rows, features, units, start=bias)

    def backward(dz: Value) -> None:
        if kernel.needs_gradient:
            dw = build.gradient_place(kernel)
            build.matmul(x, dz, dw, features, rows, units, flags=TRANSPOSE_A)
            build.add_gradient(kernel, dw)
        if bias is not None and bias.needs_gradient:
            db = build.gradient_place(bias)
            build.emit("column_sum", [dz], [db], [rows, units])
            build.add_gradient(bias, db)
        if x.needs_gradient:
            dx = build.gradient_place(x)
            build.matmul(dz, kernel, dx, rows, units, features, flags=TRANSPOSE_B)
            build.add_gradient(x, dx)

    if z.needs_gradient:
        build.backward([z], backward)
    return z
