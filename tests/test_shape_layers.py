"""Layers that pad, crop, enlarge, permute and repeat, dropout of channels, and normalization of them."""
import numpy as np
import pytest
from layer_checks import check_gradients, check_layer

import fastnn
from fastnn.layers import (
    BatchNormalization,
    Conv2D,
    Cropping1D,
    Cropping2D,
    Flatten,
    GroupNormalization,
    Masking,
    Permute,
    ReLU,
    RepeatVector,
    SpatialDropout1D,
    SpatialDropout2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)

FIRST = {"data_format": "channels_first"}
CASES = {
    "padding of steps": (lambda: ZeroPadding1D(2), (3, 4, 2)),
    "padding of steps, channels first": (lambda: ZeroPadding1D((0, 3), **FIRST), (3, 2, 4)),
    "padding": (lambda: ZeroPadding2D(), (2, 3, 4, 2)),
    "padding by rows and columns": (lambda: ZeroPadding2D((0, 2)), (2, 3, 1, 3)),
    "padding of each border": (lambda: ZeroPadding2D(((1, 0), (2, 3))), (2, 2, 3, 1)),
    "padding, channels first": (lambda: ZeroPadding2D(((1, 0), (2, 3)), **FIRST), (2, 3, 2, 3)),
    "cropping of steps": (lambda: Cropping1D((1, 2)), (3, 6, 2)),
    "cropping": (lambda: Cropping2D(1), (2, 4, 5, 2)),
    "cropping of nothing": (lambda: Cropping2D(), (2, 4, 3, 2)),
    "cropping of each border": (lambda: Cropping2D(((0, 2), (1, 0))), (2, 4, 3, 3)),
    "cropping, channels first": (lambda: Cropping2D(((0, 2), (1, 0)), **FIRST), (2, 3, 4, 3)),
    "more steps": (lambda: UpSampling1D(3), (3, 4, 2)),
    "nearest": (lambda: UpSampling2D(), (2, 3, 2, 3)),
    "nearest of columns": (lambda: UpSampling2D((1, 3)), (2, 3, 2, 1)),
    "nearest, channels first": (lambda: UpSampling2D((3, 2), **FIRST), (2, 3, 2, 3)),
    "bilinear": (lambda: UpSampling2D(interpolation="bilinear"), (2, 3, 4, 2)),
    "bilinear of rows": (lambda: UpSampling2D((3, 1), interpolation="bilinear"), (2, 3, 1, 3)),
    "bilinear, channels first": (lambda: UpSampling2D((4, 3), "channels_first", "bilinear"), (2, 3, 2, 3)),
    "permute": (lambda: Permute((2, 1)), (3, 4, 5)),
    "permute images": (lambda: Permute((3, 1, 2)), (2, 3, 4, 5)),
    "permute rows and columns": (lambda: Permute((2, 1, 3)), (2, 3, 4, 5)),
    "permute four axes": (lambda: Permute((4, 2, 1, 3)), (2, 3, 2, 4, 2)),
    "permute nothing": (lambda: Permute((1, 2)), (2, 3, 4)),
    "permute what is one": (lambda: Permute((3, 1, 2)), (2, 3, 4, 1)),
    "repeat": (lambda: RepeatVector(3), (4, 5)),
    "flatten, channels first": (lambda: Flatten(**FIRST), (3, 2, 4, 3)),
    "flatten vectors, channels first": (lambda: Flatten(**FIRST), (3, 4)),
    "group normalization": (lambda: GroupNormalization(2, epsilon=0.1), (3, 2, 3, 4)),
    "group normalization of vectors": (lambda: GroupNormalization(2), (4, 6)),
    "instance normalization": (lambda: GroupNormalization(-1), (2, 3, 3, 3)),
    "one group": (lambda: GroupNormalization(1, center=False), (2, 5, 3)),
    "group normalization, bare": (lambda: GroupNormalization(3, scale=False, center=False), (2, 3, 2, 6)),
    "group normalization, channels first": (lambda: GroupNormalization(2, axis=1), (2, 4, 3, 2)),
    "group normalization along the middle": (lambda: GroupNormalization(2, axis=2), (2, 3, 4, 2)),
    "group normalization from behind": (lambda: GroupNormalization(2, axis=-2, scale=False), (2, 3, 4, 2)),
}
IN_TRAINING = {
    "dropout of channels of steps": (lambda: SpatialDropout1D(0.4), (6, 4, 3)),
    "dropout of channels": (lambda: SpatialDropout2D(0.4), (6, 2, 3, 3)),
    "dropout of channels that come first": (lambda: SpatialDropout2D(0.4, **FIRST), (6, 3, 2, 3)),
    "dropout of all channels": (lambda: SpatialDropout2D(1.0), (3, 3, 2, 3)),
    "batch normalization of images": (lambda: BatchNormalization(), (3, 4, 3, 2)),
    "batch normalization of images, channels first": (lambda: BatchNormalization(axis=1), (3, 2, 3, 4)),
    "batch normalization of images, frozen": (lambda: BatchNormalization(trainable=False), (3, 2, 3, 4)),
}


@pytest.mark.parametrize("name", [*CASES, *IN_TRAINING])
def test_layer(name):
    make, shape = {**CASES, **IN_TRAINING}[name]
    check_layer(make, shape, training_matters=name in IN_TRAINING)


@pytest.mark.parametrize("name", [*CASES, *IN_TRAINING])
def test_gradients(name, float64):
    make, shape = {**CASES, **IN_TRAINING}[name]
    check_gradients(make(), shape)


def images(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def test_borders_are_where_they_belong():
    x = images(2, 3, 4, 2)
    padding = ((0, 2), (1, 3))
    assert np.array_equal(ZeroPadding2D(padding)(x), np.pad(x, ((0, 0), *padding, (0, 0))))
    assert np.array_equal(ZeroPadding2D(padding, **FIRST)(x), np.pad(x, ((0, 0), (0, 0), *padding)))
    assert np.array_equal(ZeroPadding1D((1, 2))(x[:, 0]), np.pad(x[:, 0], ((0, 0), (1, 2), (0, 0))))
    assert np.array_equal(ZeroPadding1D(1, **FIRST)(x[:, 0]), np.pad(x[:, 0], ((0, 0), (0, 0), (1, 1))))
    assert np.array_equal(Cropping2D(((0, 1), (2, 0)))(x), x[:, :2, 2:])
    assert np.array_equal(Cropping2D(((0, 1), (1, 0)), **FIRST)(x), x[:, :, :3, 1:])
    assert np.array_equal(Cropping1D((1, 0))(x[:, :, 0]), x[:, 1:, 0])


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_channels_first_is_the_same_transposed(interpolation):
    x = images(2, 3, 4, 5)
    y = UpSampling2D((3, 2), interpolation=interpolation)(x.transpose(0, 2, 3, 1))
    assert np.array_equal(UpSampling2D((3, 2), "channels_first", interpolation)(x), y.transpose(0, 3, 1, 2))


def test_channels_drop_at_all_places():
    x = np.ones((200, 6, 5, 8), "float32")
    y = SpatialDropout2D(0.3)(x, training=True)
    assert (y == y[:, :1, :1]).all() and set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    kept = y[:, 0, 0] != 0
    assert abs(kept.mean() - 0.7) < 0.05 and not (kept == kept[:1]).all() and not (kept == kept[:, :1]).all()
    first = SpatialDropout2D(0.3, seed=5, **FIRST)(np.ones((200, 8, 6, 5), "float32"), training=True)
    last = SpatialDropout2D(0.3, seed=5)(x, training=True)
    assert np.array_equal(first.transpose(0, 2, 3, 1), last)
    steps = SpatialDropout1D(0.3, seed=5)(x[:, 0], training=True)
    assert np.array_equal(steps, last[:, 0])


def test_formats_of_the_backend():
    """None is the default of the backend, but for layers that only know steps before channels."""
    fastnn.backend.set_image_data_format("channels_first")
    try:
        assert ZeroPadding2D().data_format == UpSampling2D().data_format == "channels_first"
        assert Cropping1D()(images(2, 5, 3)).shape == (2, 3, 3) and UpSampling1D()(images(2, 5, 3)).shape == (2, 10, 3)
    finally:
        fastnn.backend.set_image_data_format("channels_last")


@pytest.mark.parametrize(("layer", "goes_on"), [
    (lambda: SpatialDropout1D(0.5), True), (lambda: GroupNormalization(1), True), (lambda: ZeroPadding1D(), False),
    (lambda: Cropping1D(), False), (lambda: UpSampling1D(), False), (lambda: Permute((2, 1)), False)])
@pytest.mark.parametrize("training", [True, False])
def test_where_a_mask_goes_on(layer, goes_on, training):
    build = fastnn.program.Lowering(training, "float32")
    x, mask = Masking().lower(build, build.gather((4, 3), "x"))
    layer = layer()
    layer.ensure_built((None, 4, 3))
    assert layer.lower(build, x, mask)[1] is (mask if goes_on else None)


def test_what_moves_nothing_is_a_view():
    """Permutations that leave memory as it is cost nothing, and the others are one operation."""
    for shape, dims, operations in [((3, 4), (1, 2), []), ((1, 4, 5), (2, 1, 3), []), ((3, 4, 1), (3, 1, 2), []),
                                    ((3, 4, 5), (3, 1, 2), ["permute"])]:
        build = fastnn.program.Lowering(False, "float32")
        y, _ = Permute(dims).lower(build, build.gather(shape, "x"))
        assert [o.kernel for o in build.operations[1:]] == operations
        assert y.shape == tuple(shape[d - 1] for d in dims)


def operations(*layers, shape):
    """(the operations of predict but those of the head, by name; the net) of convolutions around these layers."""
    net = fastnn.Sequential([fastnn.Input(shape), *layers])
    rng = np.random.default_rng(0)
    for weight in net.weights:
        weight.assign(weight.numpy() + 0.3 * rng.random(weight.shape))
    return [o.kernel for o in net.program().operations if o.phase == "body"], net


@pytest.mark.parametrize(("settings", "axis", "shape", "edges"), [
    ({}, -1, (7, 8, 3), []), (FIRST, 1, (3, 7, 8), ["swap_axes"])])
def test_batch_normalization_after_a_convolution_is_its_epilogue(settings, axis, shape, edges):
    layers = [Conv2D(4, 3, **settings), BatchNormalization(axis=axis), ReLU(), Conv2D(5, 3, **settings)]
    found, net = operations(*layers, shape=shape)
    assert found == ["gather", *edges, "convolution", "convolution", *edges, "scatter"]
    x = y = images(3, *shape)
    for layer in layers:
        y = layer(y)
    np.testing.assert_allclose(net.predict(x, verbose=0), y, rtol=1e-5, atol=1e-5)


def test_channels_that_come_first_move_at_the_edges_only():
    found, _ = operations(Conv2D(4, 3, **FIRST), ZeroPadding2D(**FIRST), GroupNormalization(2, axis=1),
                          UpSampling2D(**FIRST), SpatialDropout2D(0.5, **FIRST), Cropping2D(1, **FIRST),
                          Conv2D(5, 3, **FIRST), shape=(3, 7, 8))
    assert found.count("swap_axes") == 2
