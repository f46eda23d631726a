"""Convolution layers: outputs and gradients against NumPy, and the check of all layers."""
from itertools import product

import numpy as np
import pytest
from layer_checks import check_gradients, check_layer, gradients

import fastnn
from fastnn import testing
from fastnn.layers import (
    Activation,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    Masking,
    SeparableConv1D,
    SeparableConv2D,
)

CASES = {
    "one step": (lambda: Conv1D(3, 1), (4, 5, 2)),
    "steps": (lambda: Conv1D(17, 3, activation="relu"), (3, 9, 5)),
    "causal": (lambda: Conv1D(2, 3, padding="causal", dilation_rate=2, activation="tanh"), (3, 7, 2)),
    "steps, channels first": (lambda: Conv1D(3, 2, strides=2, data_format="channels_first"), (3, 2, 7)),
    "patches": (lambda: Conv1D(3, 2, strides=2), (3, 6, 2)),
    "one pixel": (lambda: Conv2D(3, 1, activation="sigmoid"), (3, 3, 2, 2)),
    "image": (lambda: Conv2D(33, (3, 2), activation="relu"), (3, 7, 6, 3)),
    "image, same, strides": (lambda: Conv2D(2, 3, strides=(2, 3), padding="same", use_bias=False), (3, 5, 4, 2)),
    "image, groups": (lambda: Conv2D(4, (2, 3), groups=2, padding="same"), (2, 4, 3, 4)),
    "image, dilated": (lambda: Conv2D(2, 2, dilation_rate=(2, 1)), (3, 4, 3, 2)),
    "the whole image": (lambda: Conv2D(3, (4, 3), activation="tanh"), (3, 4, 3, 2)),
    "image, channels first": (lambda: Conv2D(3, 2, data_format="channels_first", activation="softmax"), (3, 2, 4, 3)),
    "image of one channel, first": (lambda: Conv2D(3, 2, data_format="channels_first"), (3, 1, 4, 3)),
    "depthwise steps": (lambda: DepthwiseConv1D(3, depth_multiplier=2, activation="tanh"), (3, 6, 3)),
    "depthwise image": (lambda: DepthwiseConv2D((3, 2), padding="same", strides=2), (3, 5, 4, 3)),
    "depthwise, channels first": (lambda: DepthwiseConv2D(2, data_format="channels_first"), (3, 3, 4, 3)),
    "separable steps": (lambda: SeparableConv1D(4, 3, depth_multiplier=2, activation="sigmoid"), (3, 6, 2)),
    "separable image": (lambda: SeparableConv2D(3, 2, padding="same", use_bias=False), (3, 3, 4, 2)),
    "transposed steps": (lambda: Conv1DTranspose(3, 3, strides=2, activation="tanh"), (3, 4, 2)),
    "transposed image": (lambda: Conv2DTranspose(3, (3, 2), strides=(2, 1), padding="same"), (3, 3, 4, 2)),
    "transposed, apart": (lambda: Conv2DTranspose(2, 2, strides=3, output_padding=1), (3, 2, 3, 2)),
    "transposed, channels first": (lambda: Conv2DTranspose(3, 2, data_format="channels_first"), (3, 2, 3, 4)),
}


@pytest.mark.parametrize("name", CASES)
def test_layer(name):
    make, shape = CASES[name]
    check_layer(make, shape)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("steps", "image")])
def test_gradients_by_differences(name, float64):
    make, shape = CASES[name]
    check_gradients(make(), shape)


# The layers without activation are linear in the input and in the weights, so their gradients are tested exactly, over
# all settings: the products of the gradients with a direction are those of the output that the direction has.


def padded(x, layer, out):
    """x (batch, H, W, channels) with the zeros around it that the windows of a layer meet."""
    places = []
    for i, n in enumerate(x.shape[1:-1]):
        reach = (layer.kernel_size[i] - 1) * layer.dilation_rate[i] + 1
        before = 0
        if layer.padding != "valid":
            all_of_it = max(0, (out[i] - 1) * layer.strides[i] + reach - n)
            before = reach - 1 if layer.padding == "causal" else all_of_it // 2
        places.append((before, reach))             # more than enough behind
    return np.pad(x, [(0, 0), *places, (0, 0)])


def windows_of(x, layer, out):
    """(index of the kernel's element, the pixels of x that it meets) for each element."""
    x = padded(x, layer, out)
    for k in np.ndindex(*layer.kernel_size):
        cut = [slice(i * d, i * d + (n - 1) * s + 1, s)
               for i, d, n, s in zip(k, layer.dilation_rate, out, layer.strides)]
        yield k, x[(slice(None), *cut)]


def out_sizes(x, layer):
    sizes = []
    for i, n in enumerate(x.shape[1:-1]):
        reach = (layer.kernel_size[i] - 1) * layer.dilation_rate[i] + 1
        sizes.append((n - reach) // layer.strides[i] + 1 if layer.padding == "valid" else -(-n // layer.strides[i]))
    return sizes


def convolved(layer, x, kernel):
    """x convolved with the kernel, groups apart."""
    out = out_sizes(x, layer)
    y = np.zeros((len(x), *out, kernel.shape[-1]))
    per, filters = kernel.shape[-2], kernel.shape[-1] // layer.groups
    for k, part in windows_of(x, layer, out):
        for g in range(layer.groups):
            y[..., g * filters:(g + 1) * filters] += (
                part[..., g * per:(g + 1) * per] @ kernel[k][:, g * filters:(g + 1) * filters])
    return y


def convolved_by_channels(layer, x, kernel):
    out = out_sizes(x, layer)
    y = np.zeros((len(x), *out, *kernel.shape[-2:]))
    for k, part in windows_of(x, layer, out):
        y += part[..., None] * kernel[k]
    return y.reshape(*y.shape[:-2], -1)


def transposed(layer, x, kernel):
    """Each pixel of x added, times the kernel, to the pixels it reaches; then cut as Keras cuts."""
    sizes, strides, dilation = x.shape[1:-1], layer.strides, layer.dilation_rate
    reach = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, dilation)]
    whole = [(n - 1) * s + r for n, s, r in zip(sizes, strides, reach)]
    y = np.zeros((len(x), *[n + s for n, s in zip(whole, strides)], kernel.shape[-2]))      # room behind
    for k in np.ndindex(*layer.kernel_size):
        cut = [slice(i * d, i * d + (n - 1) * s + 1, s) for i, d, n, s in zip(k, dilation, sizes, strides)]
        y[(slice(None), *cut)] += x @ kernel[k].T
    out = layer.compute_output_shape((None, *x.shape[1:]))[1:-1]
    first = [max(0, w - n) // 2 if layer.padding == "same" else 0 for w, n in zip(whole, out)]
    return y[(slice(None), *[slice(f, f + n) for f, n in zip(first, out)])]


def check_linear(layer, shape, oracle, exact=1e-11):
    """Outputs and all gradients of a layer without activation, in float64; the same bits with three threads."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape)
    layer.ensure_built((None, *shape[1:]))
    kernel, bias = rng.standard_normal(layer.kernel.shape), rng.standard_normal(layer.bias.shape)
    layer.set_weights([kernel, bias])
    y = oracle(layer, x, kernel) + bias
    assert y.shape[1:] == layer.output_shape[1:], layer.get_config()
    dy = rng.standard_normal(y.shape)
    output, dx, (dw, db) = gradients(layer, x, dy)
    np.testing.assert_allclose(output, y, rtol=exact, atol=exact, err_msg=f"{layer.get_config()}: output")
    for _ in range(2):
        u, v = rng.standard_normal(x.shape), rng.standard_normal(kernel.shape)
        for found, wanted, what in (((dx * u).sum(), oracle(layer, u, kernel), "dx"),
                                    ((dw * v).sum(), oracle(layer, x, v), "dw")):
            scale = np.abs(dy * wanted).sum() + 1
            assert abs(found - (dy * wanted).sum()) < exact * scale, f"{layer.get_config()}: {what}"
    np.testing.assert_allclose(db, dy.sum(tuple(range(dy.ndim - 1))), rtol=exact, atol=exact)
    with testing.forced_threads(3):
        again = gradients(layer, x, dy)
    assert all(map(np.array_equal, (again[0], again[1], *again[2]), (output, dx, dw, db))), layer.get_config()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (5, 5), (1, 3), (3, 2)])
def test_images(kernel, padding, float64):
    for (strides, dilation), groups, sizes in product(
            [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 3), (1, 1)), ((1, 1), (2, 1)), ((1, 1), (2, 3))], (1, 2, 3),
            [(5, 5), (7, 11), (10, 8)]):
        layer = Conv2D(6, kernel, strides, padding, dilation_rate=dilation, groups=groups)
        if padding == "valid" and any((k - 1) * d + 1 > n for k, d, n in zip(kernel, dilation, sizes)):
            continue
        check_linear(layer, (2, *sizes, 6), convolved)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_steps(padding, float64):
    for kernel, (strides, dilation), groups in product((1, 2, 3, 5), [(1, 1), (2, 1), (5, 1), (1, 2), (1, 3)], (1, 2)):
        for steps, channels in ((13, 2), (16, 4)):
            layer = Conv1D(4, kernel, strides, padding, dilation_rate=dilation, groups=groups)
            check_linear(layer, (3, steps, channels), convolved)


@pytest.mark.parametrize("channels", [1, 3, 17, 32])
def test_numbers_of_channels_and_filters(channels, float64):
    for filters in (1, 7, 8, 33, 65):
        check_linear(Conv2D(filters, 3, padding="same"), (2, 6, 5, channels), convolved)
        check_linear(Conv2DTranspose(filters, 3, strides=2), (2, 3, 5, channels), transposed)


@pytest.mark.parametrize("kind", [DepthwiseConv1D, DepthwiseConv2D])
def test_depthwise(kind, float64):
    sizes = [(7,), (10,)] if kind.rank == 1 else [(5, 7), (8, 6)]
    for kernel, (strides, dilation), padding, multiplier, channels in product(
            (1, 2, 3), [(1, 1), (2, 1), (1, 2), (2, 2)], ("valid", "same"), (1, 3), (1, 5, 16)):
        layer = kind(kernel, strides, padding, multiplier, dilation_rate=dilation)
        check_linear(layer, (2, *sizes[kernel % 2], channels), convolved_by_channels)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", [Conv1DTranspose, Conv2DTranspose])
def test_transposed(kind, padding, float64):
    for kernel, (strides, dilation, more), i in product(
            (1, 2, 3, 5), [(1, 1, None), (2, 1, None), (2, 1, 1), (3, 1, 2), (3, 1, None), (1, 2, None), (1, 1, 0)],
            range(2)):
        sizes = ((5,), (8,)) if kind.rank == 1 else ((4, 3), (1, 5))
        layer = kind(3, kernel, strides, padding, more, dilation_rate=dilation)
        if 0 not in [layer.out_size(0, n) for n in sizes[i]]:
            check_linear(layer, (2, *sizes[i], 4), transposed)


def test_sides_of_their_own(float64):
    check_linear(Conv2D(3, (5, 1), (3, 2), "same"), (2, 11, 4, 2), convolved)
    check_linear(Conv2DTranspose(3, (1, 4), (2, 3), "same", (0, 2)), (2, 3, 4, 2), transposed)
    check_linear(DepthwiseConv2D((4, 1), (1, 2), "same", 2, dilation_rate=(3, 1)), (2, 9, 5, 3), convolved_by_channels)


def test_separable_is_depthwise_then_pointwise(float64):
    for kind, shape in ((SeparableConv1D, (3, 7, 2)), (SeparableConv2D, (3, 5, 6, 2))):
        layer = kind(4, 3, strides=2, padding="same", depth_multiplier=2)
        x = np.random.default_rng(0).standard_normal(shape)
        y = layer(x)
        names = [w.path.split("/")[-1] for w in layer.weights]
        assert names == ["depthwise_kernel", "pointwise_kernel", "bias"]
        depthwise, pointwise, bias = layer.get_weights()
        assert pointwise.shape == (1,) * layer.rank + (4, 4)
        z = convolved_by_channels(layer, x, depthwise)
        np.testing.assert_allclose(y, z @ pointwise.reshape(4, 4) + bias, rtol=1e-12, atol=1e-12)


# weights, shapes and the data format


def test_weights_are_laid_out_as_in_keras():
    x1, x2 = np.zeros((2, 9, 4), "float32"), np.zeros((2, 9, 8, 4), "float32")
    for layer, x, shapes in [
            (Conv1D(6, 3, groups=2), x1, [(3, 2, 6), (6,)]), (Conv2D(6, (3, 2)), x2, [(3, 2, 4, 6), (6,)]),
            (Conv1DTranspose(6, 3), x1, [(3, 6, 4), (6,)]), (Conv2DTranspose(6, 3), x2, [(3, 3, 6, 4), (6,)]),
            (DepthwiseConv1D(3, depth_multiplier=2), x1, [(3, 4, 2), (8,)]),
            (DepthwiseConv2D(3, use_bias=False), x2, [(3, 3, 4, 1)])]:
        layer(x)
        assert [w.shape for w in layer.weights] == shapes
        assert [w.path for w in layer.weights] == [f"{layer.name}/{n}" for n in ("kernel", "bias")[:len(shapes)]]


def test_unknown_sizes_stay_unknown():
    assert Conv2D(3, 3, 2).compute_output_shape((None, None, 8, 1)) == (None, None, 3, 3)
    assert Conv2DTranspose(3, 3, 2).compute_output_shape((None, 4, None, 1)) == (None, 9, None, 3)
    assert Conv1D(3, 3, data_format="channels_first").compute_output_shape((None, 2, None)) == (None, 3, None)
    layer = Conv2D(3, 3)
    for sizes in ((5, 5), (4, 9)):                  # a layer takes images of any size, with the same weights
        assert layer(np.zeros((2, *sizes, 1), "float32")).shape == (2, sizes[0] - 2, sizes[1] - 2, 3)


def nets(data_format):
    """The same net for either order of axes."""
    last = data_format == "channels_last"
    fastnn.random.set_seed(5)
    options = {"data_format": data_format}
    return fastnn.Sequential([
        fastnn.Input((8, 6, 3) if last else (3, 8, 6)), Conv2D(5, 3, activation="relu", **options),
        Conv2D(4, 2, strides=2, padding="same", **options), BatchNormalization(axis=-1 if last else 1),
        Activation("relu"), DepthwiseConv2D(2, **options), Dropout(0.2), Conv2DTranspose(3, 2, **options),
        Flatten(**options), Dense(2)])


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_sizes_may_be_an_array_of_ints(kind):
    layer = Conv2D(4, np.array([3, 2], kind), np.array([2, 1], kind), dilation_rate=np.array(1))
    assert (layer.kernel_size, layer.strides, layer.dilation_rate) == ((3, 2), (2, 1), (1, 1))
    assert all(type(n) is int for n in layer.get_config()["kernel_size"])
    assert fastnn.layers.MaxPooling2D(np.array([2, 2], kind)).pool_size == (2, 2)
    assert fastnn.layers.ZeroPadding2D(np.array([[1, 2], [0, 3]], kind)).padding == ((1, 2), (0, 3))
    for wrong in ([3.0, 2.0], [True, True], [[3, 2]], [3, 2, 1], 3.0):
        with pytest.raises(ValueError, match="Conv2D: `kernel_size` must be a positive int, or 2 of them, got "):
            Conv2D(4, np.array(wrong))
    with pytest.raises(ValueError, match="Conv2D: `filters` must be a positive int, got"):
        Conv2D(np.array([4, 4]), 3)


def test_channels_first_is_the_same_net_with_two_exchanges_of_axes_at_most():
    x = np.random.default_rng(0).standard_normal((5, 8, 6, 3)).astype("float32")
    y = x[:, 0, 0, :2]
    last, first = nets("channels_last"), nets("channels_first")
    for model in (last, first):
        model.compile("sgd", "mse")
    turned = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    assert np.array_equal(last.predict(x, verbose=0), first.predict(turned, verbose=0))
    for model, data in ((last, x), (first, turned)):
        model.fit(data, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(last.get_weights(), first.get_weights()):
        assert np.array_equal(a, b)
    for training in (False, True):
        assert str(last.program(training=training)).count("swap_axes") == 0
        assert str(first.program(training=training)).count("swap_axes") == 1          # of the input


def test_the_default_data_format():
    fastnn.backend.set_image_data_format("channels_first")
    try:
        assert fastnn.backend.image_data_format() == "channels_first"
        layer = Conv2D(4, 2)
        assert layer(np.zeros((2, 3, 5, 6), "float32")).shape == (2, 4, 4, 5)
    finally:
        fastnn.backend.set_image_data_format("channels_last")
    assert layer.get_config()["data_format"] == "channels_first"
    assert Conv2D(4, 2).data_format == "channels_last"


def test_a_mask_ends_here():
    model = fastnn.Sequential([fastnn.Input((5, 2)), Masking(), Conv1D(3, 2, padding="same"), Dense(1)])
    x = np.ones((4, 5, 2), "float32")
    x[:, 3:] = 0
    model.compile("sgd", "mae")
    target = np.zeros((4, 5, 1), "float32")
    expected = np.abs(model.predict(x, verbose=0)).mean()          # masked steps count too
    assert model.evaluate(x, target, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_strides_far_apart(float64):
    check_linear(Conv2DTranspose(3, (3, 2), (7, 4), "same"), (2, 3, 4, 5), transposed)
    check_linear(Conv2DTranspose(3, 2, (9, 1)), (2, 3, 4, 33), transposed)
    check_linear(Conv1DTranspose(2, 3, 50, "same"), (2, 3, 4), transposed)
    check_linear(Conv2D(3, 2, (5, 3)), (2, 18, 11, 4), convolved)
    check_linear(Conv2D(3, 2, 5, "same"), (2, 3, 4, 4), convolved)


# a net


def test_a_net_learns_and_is_saved(tmp_path):
    """Which of two stripes is in a picture, through every kind of layer for images."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((96, 9, 8, 1)).astype("float32") * 0.3, rng.integers(0, 2, 96)
    x[y == 0, 4, :] += 1
    x[y == 1, :, 4] += 1
    fastnn.random.set_seed(1)
    model = fastnn.Sequential([
        Conv2D(6, 3, activation="relu"), SeparableConv2D(6, 3, padding="same", activation="relu"),
        Conv2DTranspose(4, 3, strides=2, activation="relu"), Conv2D(8, 3, strides=2, groups=2, activation="relu"),
        Flatten(), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=20, batch_size=20, verbose=0).history
    assert history["accuracy"][-1] > 0.95
    model.save(tmp_path / "net.fastnn")
    loaded = fastnn.models.load_model(tmp_path / "net.fastnn")
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert np.array_equal(model.predict(x[:1], verbose=0), model.predict(x, verbose=0)[:1])
