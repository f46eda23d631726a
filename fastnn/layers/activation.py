"""Activation functions as layers of their own."""
from __future__ import annotations

import math
from functools import partial

from .. import _arrays, activations, constraints, initializers, regularizers
from .._warn import warn
from ..activations.base import Rowwise
from ..program import Lowering, PerRow, Value
from .base import Layer
from .data_format import element_by_element


class ActivationLayer(Layer):
    """Base of the layers without weights: ``function`` is an activation; the output has the input's shape."""
    function: activations.Activation

    def lower(self, build: Lowering, x: Value, mask=None):
        if isinstance(self.function, Rowwise):
            return self.function.lower(build, x), mask
        return element_by_element(build, x, partial(self.function.lower, build)), mask


class Activation(ActivationLayer):
    """Applies an activation function, element by element (softmax: along the last axis).

    ``activation``: a name such as "relu", or a function of ``fastnn.activations``. The output has the input's shape.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = self.function = activations.get(activation)


class ReLU(ActivationLayer):
    """x above ``threshold``, but at most ``max_value``; below it ``negative_slope`` * (x - ``threshold``).

    All three are at least 0; ``max_value`` None is no bound. Raises ValueError for other values.
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _arrays.number("ReLU", "max_value", max_value)
        self.negative_slope = _arrays.number("ReLU", "negative_slope", negative_slope)
        self.threshold = _arrays.number("ReLU", "threshold", threshold)
        self.function = activations.relu.having(self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(ActivationLayer):
    """x where x > 0, else ``negative_slope`` * x. Raises ValueError for a slope below 0.

    The activation of the name "leaky_relu" has another slope, 0.2. ``alpha`` is the slope's old name.
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        if "alpha" in kwargs:
            warn("LeakyReLU: `alpha` is the old name of `negative_slope`")
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _arrays.number("LeakyReLU", "negative_slope", negative_slope)
        self.function = activations.leaky_relu.having(self.negative_slope)


class ELU(ActivationLayer):
    """x where x > 0, else ``alpha`` * (exp(x) - 1). Raises ValueError for an alpha below 0."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = _arrays.number("ELU", "alpha", alpha)
        self.function = activations.elu.having(self.alpha)


class Softmax(ActivationLayer):
    """exp(x) / sum(exp(x)) along ``axis``, or along several axes that lie side by side.

    Raises ValueError where that is axis 0, of the rows, or no axis of the input.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.function = self.softmax = activations.softmax.having(axis)

    def build(self, input_shape):
        self.softmax.parts(tuple(n or 1 for n in input_shape[1:]), 1)     # refuses a wrong axis


class PReLU(Layer):
    """x where x > 0, else alpha * x, alpha trained (He et al., Delving deep into rectifiers, 2015).

    Weights: alpha, of the input's shape without the batch axis, and 1 along ``shared_axes``: axes counted from 1, which
    one alpha serves. Raises ValueError for other axes, or where the size of an axis that is not shared is unknown.
    """

    def __init__(self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None,
                 **kwargs):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if hasattr(shared_axes, "__index__") else shared_axes and list(shared_axes)

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if axis not in range(1, len(input_shape)):
                raise ValueError(f"layer {self.name!r}: `shared_axes` must hold axes from 1 to {len(shape)} for an "
                                 f"input of shape {input_shape}, got {axis!r:.60}")
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(f"layer {self.name!r}: `shared_axes` must hold every axis of unknown size, got "
                             f"{self.shared_axes} for an input of shape {input_shape}")
        self.alpha = self.add_weight(name="alpha", shape=shape, initializer=self.alpha_initializer,
                                     regularizer=self.alpha_regularizer, constraint=self.alpha_constraint)

    def compute_output_shape(self, input_shape):
        if self.built:
            kept = [n if a == 1 else a for n, a in zip(input_shape[1:], self.alpha.shape)]
            if len(input_shape) != len(self.alpha.shape) + 1 or kept != list(input_shape[1:]):
                raise ValueError(f"layer {self.name!r}: expected an input that fits alpha of shape {self.alpha.shape}, "
                                 f"got shape {input_shape}")
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        """One alpha a column: leading axes that share are more rows, others are filled with copies."""
        alpha = build.parameter(self.alpha)
        first = next((i for i, n in enumerate(alpha.shape) if n > 1), len(x.shape) - 1)
        for i in range(first, len(x.shape)):
            if alpha.shape[i] != x.shape[i]:
                alpha = _repeated(build, alpha, i, x.shape[i], math.prod(alpha.shape[first:i]))
        columns = math.prod(x.shape[first:])
        sizes = [PerRow(math.prod(x.shape[:first])), columns]
        y = build.result(x, alpha, shape=x.shape, name="prelu")
        build.emit("prelu_forward", [x, alpha], [y], sizes)

        def backward(dy: Value) -> None:
            dx = build.gradient_place(x) if x.needs_gradient else None
            shares = build.value(x.shape, name="shares of d alpha") if alpha.needs_gradient else None
            build.emit("prelu_backward", [dy, x, alpha], [dx, shares], sizes)
            if dx is not None:
                build.add_gradient(x, dx)
            if shares is not None:
                d_alpha = build.gradient_place(alpha)
                build.emit("column_sum", [shares], [d_alpha], sizes)
                build.add_gradient(alpha, d_alpha)

        if y.needs_gradient:
            build.backward([y], backward)
        return y, mask


def _repeated(build: Lowering, x: Value, axis: int, times: int, outer: int) -> Value:
    """Weights x with ``times`` copies along an axis of size 1, ``outer`` elements in the axes before."""
    sizes = [outer, times, math.prod(x.shape[axis + 1:])]
    shape = (*x.shape[:axis], times, *x.shape[axis + 1:])
    y = build.value(shape, batched=False, name=x.name, needs_gradient=x.needs_gradient)
    build.emit("repeat", [x], [y], sizes)
    return build.backward_by(x, y, "reduce_sum", [], sizes)
