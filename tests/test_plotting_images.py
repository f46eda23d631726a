"""Feature maps and filters, read back from matplotlib's objects."""
import numpy as np
import pytest

import fastnn
from fastnn import plotting

pytest.importorskip("matplotlib")


def convolutional_net():
    layers = fastnn.layers
    return fastnn.Sequential([
        fastnn.Input((7, 6, 2)), layers.Conv2D(5, (3, 2), activation="relu", name="first"),
        layers.MaxPooling2D(name="pooled"), layers.Conv2D(3, 1, name="second"), layers.Flatten(name="flat"),
        layers.Dense(2, name="out")], name="net")


def drawn_pictures(ax, n, height, width):
    """The pictures of a grid, (n, height, width), and how many are in a row; the gaps between them are empty."""
    grid = np.ma.filled(ax.images[0].get_array(), np.nan)
    columns = (grid.shape[1] + 1) // (width + 1)
    found, gaps = [], np.ones(grid.shape, bool)
    for i in range(n):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        found.append(grid[top:top + height, left:left + width])
        gaps[top:top + height, left:left + width] = False
    assert np.isnan(grid[gaps]).all()
    return np.array(found), columns


@pytest.mark.parametrize("layer", ["first", 0, "pooled", -4, "second", 2])
def test_feature_maps_are_the_outputs_of_the_layer(ax, layer):
    net, x = convolutional_net(), np.random.default_rng(0).normal(size=(7, 6, 2)).astype("float32")
    assert plotting.feature_maps(net, x, layer, ax) is ax
    place = {"first": 0, "pooled": 1, "second": 2, -4: 1}.get(layer, layer)
    expected = x[None]
    for one in net.layers[:place + 1]:
        expected = np.asarray(one(expected))
    pictures, columns = drawn_pictures(ax, *expected[0].transpose(2, 0, 1).shape)
    np.testing.assert_array_equal(pictures, expected[0].transpose(2, 0, 1))
    assert columns in (2, 3) and ax.images[0].get_clim() == (expected.min(), expected.max())
    assert ax.get_title().startswith(f"{net.layers[place].name}: ")


def test_feature_maps_with_channels_first(ax):
    """Layers that do not say where channels stand have them where the layer before has."""
    L = fastnn.layers
    net = fastnn.Sequential([
        fastnn.Input((2, 7, 6)), L.Conv2D(5, 2, data_format="channels_first"), L.BatchNormalization(1),
        L.Activation("relu"), L.Permute((2, 3, 1)), L.Dropout(0.5)])
    x = np.random.default_rng(0).normal(size=(2, 7, 6)).astype("float32")
    expected = x[None]
    for place, layer in enumerate(net.layers):
        expected = np.asarray(layer(expected))
        plotting.feature_maps(net, x, place, ax)
        pictures = expected[0] if place < 3 else np.moveaxis(expected[0], -1, 0)
        np.testing.assert_array_equal(drawn_pictures(ax, 5, 6, 5)[0], pictures)
        ax.images[0].remove()


def test_feature_maps_take_the_layer_itself_and_an_image_of_any_form(ax):
    layers = fastnn.layers
    inner = fastnn.Sequential([fastnn.Input((5, 5, 1)), layers.Conv2D(2, 2, name="within")])
    net = fastnn.Sequential([fastnn.Input((5, 5, 1)), inner, layers.Flatten(), layers.Dense(1)])
    x = np.arange(25.0).reshape(5, 5)
    plotting.feature_maps(net, x, inner.layers[0], ax)
    plotting.feature_maps(net, x[None, ..., None].tolist(), "within", ax)
    np.testing.assert_array_equal(*(np.ma.filled(image.get_array(), np.nan) for image in ax.images))


@pytest.mark.parametrize(("x", "layer", "words"), [
    (np.ones((7, 6, 2)), "frist", r"`layer` must be one of 'net', by its name \(first, pooled, second, flat, out\), "),
    (np.ones((7, 6, 2)), 5, r"its place \(0 to 4\) or itself, got 5"),
    (np.ones((7, 6, 2)), True, "or itself, got True"),
    (np.ones((7, 6, 2)), fastnn.layers.Flatten(), "or itself, got <Flatten"),
    (np.ones((7, 6, 2)), "flat", r"shape \(rows, height, width, channels\), got 'flat', a Flatten with \(None, 12\)"),
    (np.ones((6, 7, 2)), 0, r"`x` must be one image of shape \(7, 6, 2\), got shape \(6, 7, 2\)$"),
    (np.ones((4, 7, 6, 2)), 0, r"got shape \(4, 7, 6, 2\); take one of its rows, x\[0\]"),
])
def test_feature_maps_refuse(ax, x, layer, words):
    with pytest.raises(ValueError, match=f"^feature_maps: .*{words}"):
        plotting.feature_maps(convolutional_net(), x, layer, ax)
    assert not ax.images


def test_feature_maps_of_what_is_no_model_or_not_built(ax):
    with pytest.raises(TypeError, match=r"feature_maps: `model` must be a model of layers, .* got Dense"):
        plotting.feature_maps(fastnn.layers.Dense(1), np.ones((5, 5)), 0, ax)
    with pytest.raises(ValueError, match="is not built"):
        plotting.feature_maps(fastnn.Sequential([fastnn.layers.Conv2D(1, 2)]), np.ones((5, 5)), 0, ax)


@pytest.mark.parametrize(("channel", "drawn"), [(0, 0), (1, 1), (-1, 1), (np.int64(1), 1)])
def test_filters_are_those_over_a_channel(ax, channel, drawn):
    layer = convolutional_net().layers[0]
    assert plotting.filters(layer, channel, ax) is ax
    kernel = layer.kernel.numpy()[:, :, drawn].transpose(2, 0, 1)
    pictures, _ = drawn_pictures(ax, 5, 3, 2)
    np.testing.assert_array_equal(pictures, kernel)
    most = float(np.abs(kernel).max())
    assert ax.images[0].get_clim() == (-most, most) and ax.get_title().startswith("first: -")


def test_filters_of_transposed_convolutions(ax):
    """Their kernels keep the filters before the channels."""
    layers = fastnn.layers
    images, steps = layers.Conv2DTranspose(3, 2), layers.Conv1DTranspose(3, 2)
    images(np.zeros((1, 5, 5, 4), "float32"))
    steps(np.zeros((1, 5, 4), "float32"))
    plotting.filters(images, 3, ax)
    np.testing.assert_array_equal(drawn_pictures(ax, 3, 2, 2)[0], images.kernel.numpy()[..., 3].transpose(2, 0, 1))
    ax.images[0].remove()
    plotting.filters(steps, ax=ax)
    np.testing.assert_array_equal(drawn_pictures(ax, 3, 2, 4)[0], steps.kernel.numpy().transpose(1, 0, 2))


def test_filters_of_other_convolutions(ax):
    layers = fastnn.layers
    for layer, shape in ((layers.DepthwiseConv2D(2, depth_multiplier=3), (5, 5, 4)),
                         (layers.SeparableConv2D(2, 2, depth_multiplier=3), (5, 5, 4)),
                         (layers.Conv1D(3, 2), (5, 4))):
        layer(np.zeros((1, *shape), "float32"))
        plotting.filters(layer, ax=ax)
        weights = layer.get_weights()[0]
        expected = np.moveaxis(weights if weights.ndim == 3 else weights[:, :, 0], -1, 0)
        np.testing.assert_array_equal(drawn_pictures(ax, *expected.shape)[0], expected)
        ax.images[0].remove()


@pytest.mark.parametrize(("layer", "channel", "words"), [
    (lambda: convolutional_net().layers[0], 2, "`channel` must be one of the 2 channels .* of 'first' .* got 2"),
    (lambda: convolutional_net().layers[0], -3, "`channel` must be .* got -3"),
    (lambda: convolutional_net().layers[0], True, "`channel` must be .* got True"),
    (lambda: convolutional_net().layers[0], 0.0, r"`channel` must be .* got 0\.0"),
    (lambda: convolutional_net().layers[4], 0, "`layer` must be a convolution, .* got Dense 'out'$"),
    (lambda: convolutional_net().layers[1], 0, "`layer` must be a convolution, .* got MaxPooling2D 'pooled'$"),
    (lambda: fastnn.layers.Conv2D(2, 3, name="new"), 0, ".* got Conv2D 'new' that is not built: give it an input"),
    (lambda: convolutional_net(), 0, "`layer` must be a convolution, .* got Sequential 'net'$"),
    (lambda: fastnn.layers.Dense(3, name="new"), 0, "`layer` must be a convolution, .* got Dense 'new'$"),
])
def test_filters_refuse(ax, layer, channel, words):
    with pytest.raises(ValueError, match=f"^filters: {words}"):
        plotting.filters(layer(), channel, ax)
    assert not ax.images


def test_axes_that_are_none():
    with pytest.raises(TypeError, match="`ax` must be a matplotlib Axes, or None for a new figure, got int: 3"):
        plotting.filters(convolutional_net().layers[0], ax=3)


def test_feature_maps_of_steps(ax):
    net = fastnn.Sequential([fastnn.Input((6, 2)), fastnn.layers.Conv1D(3, 2, name="steps")])
    with pytest.raises(ValueError, match=r"got 'steps', a Conv1D with \(None, 5, 3\); name one over images"):
        plotting.feature_maps(net, np.ones((6, 2)), 0, ax)
