"""Conv1D and Conv2D: y = activation(x * kernel + bias)."""
from __future__ import annotations

from .. import constraints, initializers, regularizers
from ..program import Lowering, Value
from .convolution_base import ConvolutionLayer
from .convolution_geometry import Geometry
from .convolution_lowering import convolution
from .windows import Axis, positive_int


class Convolution(ConvolutionLayer):
    """Base of Conv1D and Conv2D, with the arguments and defaults of Conv1D."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
                 activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        where = type(self).__name__
        self.filters = positive_int(where, "filters", filters)
        self.groups = positive_int(where, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(f"{where}: `groups` must divide `filters`, got groups={self.groups} and "
                             f"filters={self.filters}")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape):
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.add_bias(self.filters)

    def filters_of(self, channels):
        if channels % self.groups:
            raise ValueError(f"layer {self.name!r}: `groups` must divide the channels of the input, got "
                             f"groups={self.groups} and {channels} channels")
        return self.filters

    def convolve(self, build: Lowering, x: Value, bias: Value | None, axes: tuple[Axis, ...], shape: tuple) -> Value:
        g = Geometry.of(x.shape[-1], self.filters, self.groups, axes)
        return convolution(build, x, build.parameter(self.kernel), bias, g, shape)


class Conv1D(Convolution):
    """Convolution along the steps of a sequence: y[t] = activation(sum over k of x[t · strides + k] · kernel[k] +
    bias).

    ``filters``: channels of the output. ``kernel_size``: steps in a window. ``strides``: steps from one window to the
    next. ``padding``: "valid" (none), "same" (as many outputs as inputs, divided by the strides), "causal" (so too, and
    no output sees a later input). ``dilation_rate``: distance of the steps in a window. ``groups``: parts of the
    channels that are convolved apart. ``data_format``: "channels_last", "channels_first" or None for the default of
    ``backend``.
    Weights: kernel (kernel_size, channels / groups, filters), bias (filters,). Input (batch, steps, channels), output
    (batch, new steps, filters). A mask ends here. Raises ValueError for settings that do not fit each other or the
    input.

    >>> import numpy as np
    >>> Conv1D(4, 3, padding="causal")(np.zeros((2, 10, 1), "float32")).shape
    (2, 10, 4)
    """
    rank, causal = 1, True


class Conv2D(Convolution):
    """Convolution of images: y[h, w] = activation(sum over i, j of x[h · stride + i, w · stride + j] · kernel[i, j] +
    bias).

    ``filters``: channels of the output. ``kernel_size``, ``strides``, ``dilation_rate``: one int, or one for the height
    and one for the width: places in a window, from one window to the next, and from place to place in a window.
    ``padding``: "valid" (none) or "same" (outputs as inputs, divided by the strides; what is odd lies below and to the
    right). ``groups``: parts of the channels that are convolved apart. ``data_format``: "channels_last",
    "channels_first" or None for the default of ``backend``.
    Weights: kernel (height, width, channels / groups, filters), bias (filters,). Input (batch, height, width,
    channels), output (batch, new height, new width, filters). Raises ValueError for settings that do not fit each other
    or the input.

    >>> import numpy as np
    >>> Conv2D(32, (3, 3), activation="relu")(np.zeros((2, 28, 28, 1), "float32")).shape
    (2, 26, 26, 32)
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
                 groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation,
                         use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                         activity_regularizer, kernel_constraint, bias_constraint, **kwargs)


Convolution1D, Convolution2D = Conv1D, Conv2D            # Keras's other names
