"""Convolutions of each channel by itself: DepthwiseConv1D/2D, and SeparableConv1D/2D, which then mix the channels."""
from __future__ import annotations

from .. import constraints, initializers, regularizers
from ..program import Lowering, Value
from .convolution_base import ConvolutionLayer
from .convolution_geometry import Geometry
from .convolution_lowering import depthwise_convolution
from .dense import dense
from .windows import Axis, positive_int


class Depthwise(ConvolutionLayer):
    """Base of the four: filters of each channel by itself, ``depth_multiplier`` of them."""
    together = True

    def __init__(self, depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint, *arguments,
                 **kwargs):
        super().__init__(*arguments, **kwargs)
        self.depth_multiplier = positive_int(type(self).__name__, "depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def add_depthwise_kernel(self, name: str, channels: int):
        return self.add_kernel(name, (*self.kernel_size, channels, self.depth_multiplier), "depthwise")

    def depthwise(self, build: Lowering, x: Value, kernel, bias: Value | None, axes: tuple[Axis, ...],
                  sizes: tuple) -> Value:
        """Name the operations that convolve each channel: a value (*sizes, channels · depth_multiplier)."""
        channels = x.shape[-1]
        g = Geometry.of(channels, channels * self.depth_multiplier, channels, axes)
        return depthwise_convolution(build, x, build.parameter(kernel), bias, g, (*sizes, g.filters))


class DepthwiseConvolution(Depthwise):
    """Base of DepthwiseConv1D and DepthwiseConv2D, with the arguments and defaults of the first."""

    def __init__(self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
                 activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
                 depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint,
                         kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)

    def build(self, input_shape):
        channels = self.channels_of(input_shape)
        self.kernel = self.add_depthwise_kernel("kernel", channels)
        self.add_bias(self.filters_of(channels))

    def filters_of(self, channels):
        return channels * self.depth_multiplier

    def convolve(self, build: Lowering, x: Value, bias: Value | None, axes: tuple[Axis, ...], shape: tuple) -> Value:
        return self.depthwise(build, x, self.kernel, bias, axes, shape[:-1])


class DepthwiseConv1D(DepthwiseConvolution):
    """Convolution along steps of each channel by itself: channels · depth_multiplier outputs, those of a channel side
    by side.

    ``kernel_size``, ``strides``, ``padding`` ("valid" or "same"), ``data_format``, ``dilation_rate``, ``activation``:
    as in Conv1D; strides and dilation may both be above 1. Weights: kernel (kernel_size, channels, depth_multiplier),
    bias (channels · depth_multiplier,). A mask ends here. Raises ValueError for settings that do not fit the input.
    """
    rank = 1


class DepthwiseConv2D(DepthwiseConvolution):
    """Convolution of images, each channel by itself: channels · depth_multiplier outputs, those of a channel side by
    side.

    ``kernel_size``, ``strides``, ``padding``, ``data_format``, ``dilation_rate``, ``activation``: as in Conv2D; strides
    and dilation may both be above 1. Weights: kernel (height, width, channels, depth_multiplier), bias
    (channels · depth_multiplier,). Raises ValueError for settings that do not fit the input.
    """
    rank = 2

    def __init__(self, kernel_size, strides=(1, 1), padding="valid", depth_multiplier=1, data_format=None,
                 dilation_rate=(1, 1), activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
                 bias_initializer="zeros", depthwise_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, depthwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation,
                         use_bias, depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer,
                         activity_regularizer, depthwise_constraint, bias_constraint, **kwargs)


class SeparableConvolution(Depthwise):
    """Base of SeparableConv1D and SeparableConv2D, with the arguments and defaults of the first."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1,
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
                 pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(depth_multiplier, depthwise_initializer, depthwise_regularizer, depthwise_constraint,
                         kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         bias_initializer, bias_regularizer, bias_constraint,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(type(self).__name__, "filters", filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape):
        channels = self.channels_of(input_shape)
        self.depthwise_kernel = self.add_depthwise_kernel("depthwise_kernel", channels)
        shape = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self.add_kernel("pointwise_kernel", shape, "pointwise")
        self.add_bias(self.filters)

    def filters_of(self, channels):
        return self.filters

    def convolve(self, build: Lowering, x: Value, bias: Value | None, axes: tuple[Axis, ...], shape: tuple) -> Value:
        z = self.depthwise(build, x, self.depthwise_kernel, None, axes, shape[:-1])
        return dense(build, z, build.parameter(self.pointwise_kernel), bias)


class SeparableConv1D(SeparableConvolution):
    """A depthwise convolution along steps, then one of kernel size 1 that mixes the channels.

    ``filters``: channels of the output; ``depth_multiplier``: those between the two for each of the input. ``padding``:
    "valid", "same". The others as in Conv1D; strides and dilation may both be above 1. Weights: depthwise_kernel
    (kernel_size, channels, depth_multiplier), pointwise_kernel (1, channels · depth_multiplier, filters), bias
    (filters,). A mask ends here. Raises ValueError for settings that do not fit the input.
    """
    rank = 1


class SeparableConv2D(SeparableConvolution):
    """A depthwise convolution of images, then one of kernel size 1 that mixes the channels.

    ``filters``: channels of the output; ``depth_multiplier``: those between the two for each of the input. The others
    as in Conv2D; strides and dilation may both be above 1. Weights: depthwise_kernel (height, width, channels,
    depth_multiplier), pointwise_kernel (1, 1, channels · depth_multiplier, filters), bias (filters,). Raises ValueError
    for settings that do not fit the input.
    """
    rank = 2

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
                 depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
                 pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
                 pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier,
                         activation, use_bias, depthwise_initializer, pointwise_initializer, bias_initializer,
                         depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer,
                         depthwise_constraint, pointwise_constraint, bias_constraint, **kwargs)


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D       # Keras's other names
