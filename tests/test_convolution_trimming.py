"""Windows larger than what they lie on: kernels, dilation and strides far beyond the image, and their plans."""
from itertools import product

import numpy as np
import pytest
from layer_checks import gradients
from test_convolution_layers import (
    check_linear,
    convolved,
    convolved_by_channels,
    transposed,
)
from test_convolution_lowering import net

from fastnn.layers import (
    AveragePooling2D,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    DepthwiseConv2D,
    MaxPooling2D,
    SeparableConv2D,
)
from fastnn.layers.windows import MOST, axis_of

FAR = (5, 6, 100)            # dilations with which most elements of a kernel meet no place


def meetings(axis, first=0):
    """{(window, element of the whole kernel, place)} of all that lies on the axis."""
    return {(o, first + k, o * axis.stride - axis.before + k * axis.dilation)
            for o in range(axis.out) for k in range(axis.kernel)
            if 0 <= o * axis.stride - axis.before + k * axis.dilation < axis.size}


def test_trimmed_windows_meet_the_same_places():
    for size, kernel, stride, dilation, padding in product(
            (1, 2, 5, 8), (1, 2, 3, 4, 9, 20), (1, 2, 3, 7), (1, 2, 3, 7, 50), ("valid", "same", "causal")):
        axis = axis_of(size, kernel, stride, dilation, padding)
        trimmed = axis.trimmed()
        first = axis.elements()[0]
        assert meetings(trimmed, first) == meetings(axis), axis
        assert trimmed.kernel >= 1 and (axis.out == 0 or (axis.out - 1) * stride + trimmed.reach <= 3 * size + stride)
        assert trimmed.trimmed().kernel == trimmed.kernel


@pytest.mark.parametrize("kernel", [2, 3, (1, 4), 12])
def test_convolutions(kernel, float64):
    wide = max(np.atleast_1d(kernel))
    for dilation in (3, *FAR, (1, 7)) if wide < 5 else (1,):
        check_linear(Conv2D(4, kernel, padding="same", dilation_rate=dilation, groups=2), (2, 5, 4, 2), convolved)
        check_linear(Conv2DTranspose(3, kernel, padding="same", dilation_rate=dilation), (2, 4, 3, 2), transposed)
        check_linear(DepthwiseConv2D(kernel, 2, "same", 2, dilation_rate=dilation), (2, 5, 4, 3), convolved_by_channels)
    check_linear(Conv2D(4, kernel, 3, padding="same"), (2, 2, 7, 2), convolved)


@pytest.mark.parametrize("kernel", [2, 3, 30])
def test_steps(kernel, float64):
    for dilation in (1, 3, *FAR):
        check_linear(Conv1D(3, kernel, padding="causal", dilation_rate=dilation), (2, 5, 2), convolved)
        check_linear(Conv1DTranspose(3, kernel, padding="same", dilation_rate=dilation), (2, 5, 2), transposed)


@pytest.mark.parametrize("make", [
    lambda d: Conv1D(2, 3, padding="causal", dilation_rate=d), lambda d: Conv2D(2, 3, padding="same", dilation_rate=d),
    lambda d: Conv2D(2, 2, padding="same", dilation_rate=d), lambda d: Conv2D(2, (4, 3), (1, 1), "same", None, (d, 1)),
    lambda d: DepthwiseConv2D(3, 1, "same", 2, dilation_rate=d), lambda d: SeparableConv2D(2, 3, 1, "same", None, d),
    lambda d: Conv1DTranspose(1, 3, padding="same", dilation_rate=d),
    lambda d: Conv2DTranspose(2, (2, 3), padding="same", dilation_rate=d)])
def test_the_largest_dilation_is_as_one_beyond_the_image(make, float64):
    rng, results = np.random.default_rng(0), []
    for dilation in (64, 1 << 20, MOST):
        layer = make(dilation)
        x = np.arange(2.0 * 5 ** layer.rank * 3).reshape(2, *(5,) * layer.rank, 3)
        y = layer(x)
        if not results:
            weights, dy = [rng.standard_normal(w.shape) for w in layer.get_weights()], np.cos(y)
        layer.set_weights(weights)
        output, dx, others = gradients(layer, x, dy)
        results.append([layer(x), output, dx, *others])
    for other in results[1:]:
        assert all(map(np.array_equal, results[0], other))


def test_strides_and_kernels_of_any_size():
    x = np.arange(25, dtype="float32").reshape(1, 5, 5, 1)
    layer = Conv2D(1, 3, strides=MOST, padding="same", kernel_initializer="ones")
    assert layer(x).tolist() == [[[[x[0, :3, :3, 0].sum()]]]]
    assert MaxPooling2D(4096, padding="same")(x).tolist() == [[[[24.0]]]]
    assert AveragePooling2D(4096, padding="same")(x).tolist() == [[[[12.0]]]]
    assert MaxPooling2D(2, MOST, padding="same")(x).shape == (1, 1, 1, 1)


def test_pooling_by_windows_beyond_the_image(float64):
    x = np.random.default_rng(1).standard_normal((2, 4, 5, 3))
    for size, strides in product((9, 40, 4096), (1, 2, 3)):
        for kind in (MaxPooling2D, AveragePooling2D):
            y, whole = kind(size, strides, "same"), kind(9, strides, "same")
            dy = np.cos(y(x))
            assert all(map(np.array_equal, gradients(y, x, dy)[:2], gradients(whole, x, dy)[:2])), (size, strides)


@pytest.mark.parametrize("layer", [
    Conv2D(1, 3, padding="same", dilation_rate=1000), DepthwiseConv2D(3, padding="same", dilation_rate=1000),
    Conv2D(1, 3, padding="same", dilation_rate=MOST)])
def test_plans_are_small(layer):
    for training in (False, True):
        assert net(layer, shape=(16, 16, 1)).program(training=training).plan(32).arena_bytes < 1 << 20
