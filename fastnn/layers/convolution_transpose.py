"""Conv1DTranspose and Conv2DTranspose: from the shape of what a convolution gives to that of what it takes."""
from __future__ import annotations

from .. import constraints, initializers, regularizers
from ..program import Lowering, Value
from .convolution_base import ConvolutionLayer
from .convolution_geometry import Geometry
from .convolution_lowering import transposed_convolution
from .windows import Axis, positive_int, positive_ints


class TransposedConvolution(ConvolutionLayer):
    """Base of the two, with the arguments and defaults of Conv1DTranspose."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None,
                 dilation_rate=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        where = type(self).__name__
        self.filters = positive_int(where, "filters", filters)
        self.output_padding = None if output_padding is None else positive_ints(
            where, "output_padding", output_padding, self.rank, least=0)
        if self.output_padding and any(n >= stride for n, stride in zip(self.output_padding, self.strides)):
            raise ValueError(f"{where}: `output_padding` must be less than `strides` along each axis, got "
                             f"output_padding={self.output_padding} and strides={self.strides}")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def build(self, input_shape):
        channels = self.channels_of(input_shape)
        self.kernel = self.add_kernel("kernel", (*self.kernel_size, self.filters, channels))
        self.add_bias(self.filters)

    def filters_of(self, channels):
        return self.filters

    def out_size(self, i, size):
        kernel, stride = (self.kernel_size[i] - 1) * self.dilation_rate[i] + 1, self.strides[i]
        more = None if self.output_padding is None else self.output_padding[i]
        if size == 0:
            return 0
        if self.padding == "valid":
            return (size - 1) * stride + kernel + (max(0, stride - kernel) if more is None else more)
        return size * stride if more is None else (size - 1) * stride + kernel % 2 + more

    def large_enough(self, sizes):
        return (f"longer than that for padding='same' and output_padding={self.output_padding}",
                "leave `output_padding` at None")

    def axis(self, i, size):
        """The windows of the convolution that leads back: over the output, one for each place of the input."""
        kernel, stride, dilation = self.kernel_size[i], self.strides[i], self.dilation_rate[i]
        out = self.out_size(i, size)
        surplus = (size - 1) * stride + (kernel - 1) * dilation + 1 - out
        return Axis(out, size, kernel, stride, dilation, 0 if self.padding == "valid" else max(0, surplus) // 2)

    def convolve(self, build: Lowering, x: Value, bias: Value | None, axes: tuple[Axis, ...], shape: tuple) -> Value:
        g = Geometry.of(self.filters, x.shape[-1], 1, axes)
        return transposed_convolution(build, x, build.parameter(self.kernel), bias, g, shape)


class Conv1DTranspose(TransposedConvolution):
    """Transposed convolution along steps: each step of x adds x[t] · kernel to the steps of y from t · strides on.

    ``filters``: channels of the output. ``kernel_size``: steps of y that one of x reaches; ``strides``: steps of y from
    one to the next. ``padding``: "valid" (all that is reached) or "same" (steps · strides of it). ``output_padding``:
    steps behind those that are reached at least, less than ``strides``; None for as many as ``padding`` says.
    ``data_format``, ``dilation_rate``, ``activation``: as in Conv1D.
    Weights: kernel (kernel_size, filters, channels), bias (filters,). Input (batch, steps, channels), output (batch,
    new steps, filters). A mask ends here. Raises ValueError for settings that do not fit each other or the input.

    >>> import numpy as np
    >>> Conv1DTranspose(4, 3, strides=2)(np.zeros((2, 10, 1), "float32")).shape
    (2, 21, 4)
    """
    rank = 1


class Conv2DTranspose(TransposedConvolution):
    """Transposed convolution of images: each place of x adds x[h, w] · kernel to the places of y from (h, w) · strides
    on.

    ``filters``: channels of the output. ``kernel_size``, ``strides``, ``output_padding``, ``dilation_rate``: one int,
    or one for the height and one for the width, as in Conv1DTranspose. ``padding``: "valid" or "same".
    Weights: kernel (height, width, filters, channels), bias (filters,). Input (batch, height, width, channels), output
    (batch, new height, new width, filters). Raises ValueError for settings that do not fit each other or the input.

    >>> import numpy as np
    >>> Conv2DTranspose(4, 2, strides=2)(np.zeros((2, 10, 8, 1), "float32")).shape
    (2, 20, 16, 4)
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", output_padding=None, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate,
                         activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
                         bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, **kwargs)


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose        # Keras's other names
