"""What all convolution layers share: settings, their checks, the shape of the output, and the weights."""
from __future__ import annotations

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..activations.base import Rowwise
from ..program import Lowering, Value, Variable
from .data_format import ImageLayer
from .windows import Axis, axis_of, check_padding, positive_ints


class ConvolutionLayer(ImageLayer):
    """Base: y = activation(convolution of x + bias), x (batch, ..., channels).

    A subclass has ``build``, ``convolve`` and ``filters_of(channels)``, the channels of the output. ``together``:
    whether strides and dilation may both be above 1; ``causal``: whether padding may be.
    """
    together = causal = False
    bias: Variable | None = None

    def __init__(self, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                 bias_initializer, bias_regularizer, bias_constraint, **kwargs):
        super().__init__(data_format, **kwargs)
        where = type(self).__name__
        self.kernel_size = positive_ints(where, "kernel_size", kernel_size, self.rank)
        self.strides = positive_ints(where, "strides", strides, self.rank)
        self.padding = check_padding(where, padding, self.causal)
        self.dilation_rate = positive_ints(where, "dilation_rate", dilation_rate, self.rank)
        if not self.together and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(f"{where}: `strides` and `dilation_rate` must not both be above 1, got {self.strides} and "
                             f"{self.dilation_rate}; leave one of them at 1")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self._channels: int | None = None              # of the input, once built

    def filters_of(self, channels: int) -> int:
        """The channels of the output."""
        raise NotImplementedError(f"{type(self).__name__} has no filters_of(channels)")

    def convolve(self, build: Lowering, x: Value, bias: Value | None, axes: tuple[Axis, ...], shape: tuple) -> Value:
        """Name the operations of the convolution alone."""
        raise NotImplementedError(f"{type(self).__name__} has no convolve(build, x, bias, axes, shape)")

    def channels_of(self, input_shape: tuple) -> int:
        """The channels of an input of the right rank and size, which the layer is then built for."""
        self.compute_output_shape(input_shape)
        self._channels = self.sizes(input_shape)[1]
        assert self._channels is not None
        return self._channels

    def add_kernel(self, name: str, shape: tuple, prefix: str = "kernel") -> Variable:
        """A kernel with the settings ``<prefix>_initializer`` and so on."""
        settings: Any = {s: getattr(self, f"{prefix}_{s}") for s in ("initializer", "regularizer", "constraint")}
        return self.add_weight(name, shape, **settings)

    def add_bias(self, filters: int) -> None:
        self.bias = self.add_weight("bias", (filters,), self.bias_initializer, regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    def axis(self, i: int, size: int) -> Axis:
        """The windows along axis ``i`` of an image."""
        return axis_of(size, self.kernel_size[i], self.strides[i], self.dilation_rate[i], self.padding)

    def out_size(self, i: int, size: int) -> int:
        """The size of axis ``i`` of the output."""
        return self.axis(i, size).out

    def compute_output_shape(self, input_shape):
        sizes, channels = self.sizes(input_shape)
        if channels is None or (self.built and channels != self._channels):
            raise ValueError(f"layer {self.name!r}: expected an input with {self._channels or 'a known number of'} "
                             f"channels{' first' if self.channels_first else ''}, got shape {tuple(input_shape)}")
        out = tuple(None if n is None else self.out_size(i, n) for i, n in enumerate(sizes))
        if 0 in out:
            expected, advice = self.large_enough(sizes)
            raise ValueError(f"layer {self.name!r}: expected an input {expected}, as the output would be empty, got "
                             f"shape {tuple(input_shape)}; {advice}")
        return self.shape_of(input_shape[0], out, self.filters_of(channels))

    def large_enough(self, sizes: tuple) -> tuple[str, str]:
        """What inputs have an output, and what to do about those of ``sizes``, which have none."""
        if 0 in sizes:
            return "with an element at least", "leave such inputs out"
        dilated = f" and dilation_rate={self.dilation_rate}" if max(self.dilation_rate) > 1 else ""
        return (f"not smaller than the kernel of kernel_size={self.kernel_size}{dilated}",
                "use a smaller kernel, larger inputs, fewer layers that shrink them, or padding='same'")

    def lower(self, build: Lowering, x: Value, mask=None):
        y, mask = super().lower(build, x, mask)
        return (self.activation.lower(build, y) if self.activates_last else y), mask

    @property
    def activates_last(self) -> bool:
        """Whether the activation follows the exchange of axes: it goes along the last, whatever stands there."""
        return self.channels_first and isinstance(self.activation, Rowwise)

    def lower_image(self, build: Lowering, x: Value) -> Value:
        axes = tuple(self.axis(i, n) for i, n in enumerate(x.shape[:-1]))
        shape = (*(self.out_size(i, n) for i, n in enumerate(x.shape[:-1])), self.filters_of(x.shape[-1]))
        bias = build.parameter(self.bias) if self.bias is not None else None
        y = self.convolve(build, x, bias, axes, shape)
        return y if self.activates_last else self.activation.lower(build, y)
