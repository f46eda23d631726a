"""Every layer passes the one check, and its gradients are right."""
import numpy as np
import pytest
from layer_checks import check_gradients, check_layer

import fastnn
from fastnn.layers import Activation, BatchNormalization, Dense, Dropout, Flatten

CASES = {
    "dense": (lambda: Dense(5), (6, 4)),
    "dense relu": (lambda: Dense(17, activation="relu"), (33, 9)),
    "dense sigmoid without bias": (lambda: Dense(3, activation="sigmoid", use_bias=False), (7, 4)),
    "dense tanh of rank 4": (lambda: Dense(3, activation="tanh"), (3, 2, 5, 4)),
    "dense softmax": (lambda: Dense(10, activation="softmax"), (5, 4)),
    "one unit": (lambda: Dense(1, activation="sigmoid"), (5, 1)),
    "activation": (lambda: Activation("tanh"), (5, 3, 2)),
    "softmax of rank 3": (lambda: Activation("softmax"), (5, 3, 4)),
    "flatten": (lambda: Flatten(), (5, 3, 2)),
}
IN_TRAINING = {
    "dropout": (lambda: Dropout(0.4), (8, 10)),
    "batch normalisation": (lambda: BatchNormalization(), (9, 5)),
    "batch normalisation of rank 3": (lambda: BatchNormalization(epsilon=0.1), (4, 3, 2)),
    "batch normalisation, bare": (lambda: BatchNormalization(center=False, scale=False), (9, 3)),
    "batch normalisation, centre only": (lambda: BatchNormalization(scale=False), (9, 17)),
}


@pytest.mark.parametrize("name", [*CASES, *IN_TRAINING])
def test_layer(name):
    make, shape = {**CASES, **IN_TRAINING}[name]
    check_layer(make, shape, training_matters=name in IN_TRAINING)


@pytest.fixture
def float64():
    fastnn.backend.set_floatx("float64")
    yield
    fastnn.backend.set_floatx("float32")


@pytest.mark.parametrize("name", [*CASES, *IN_TRAINING])
def test_gradients_in_training(name, float64):
    make, shape = {**CASES, **IN_TRAINING}[name]
    check_gradients(make(), shape)


def test_gradients_of_a_frozen_batch_normalisation(float64):
    check_gradients(BatchNormalization(trainable=False), (6, 4))


def test_a_wrong_gradient_is_caught(float64):
    """The check itself: a layer whose backward pass is off by one sign or a factor fails it."""
    class Wrong(Dense):
        def lower(self, build, x, mask=None):
            y, mask = super().lower(build, x, mask)
            return build_wrong(build, y), mask

    def build_wrong(build, y):
        z = build.result(y, shape=y.shape)
        build.emit("relu_forward", [y], [z], [y.elements()])
        build.backward([z], lambda dz: build.add_gradient(y, dz))       # passes dz where y < 0 too
        return z

    with pytest.raises(AssertionError, match="Mismatched"):
        check_gradients(Wrong(5), (6, 4))


def test_dropout_drops_the_right_fraction_and_scales_the_rest():
    x = np.ones((1000, 100), "float32")
    layer = Dropout(0.3)
    first, second = layer(x, training=True), layer(x, training=True)
    assert abs((first == 0).mean() - 0.3) < 0.01
    assert np.unique(first).tolist() == [0, np.float32(1 / 0.7)]
    assert not np.array_equal(first, second), "each step drops others"
    assert np.array_equal(layer(x), x)
    assert np.array_equal(Dropout(0.0)(x, training=True), x)
    assert not Dropout(1.0)(x, training=True).any()


def test_batch_normalisation_follows_the_batch():
    rng = np.random.default_rng(0)
    x = (3 + 2 * rng.standard_normal((500, 4))).astype("float32")
    layer = BatchNormalization(momentum=0.9)
    y = layer(x, training=True)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1, atol=1e-3)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-4)


def test_weights_are_a_function_of_seed_and_path():
    def kernel(seed, name):
        fastnn.random.set_seed(seed)
        layer = Dense(4, name=name)
        layer.ensure_built((None, 3))
        return layer.get_weights()[0]
    assert np.array_equal(kernel(1, "a"), kernel(1, "a"))
    assert not np.array_equal(kernel(1, "a"), kernel(1, "b"))
    assert not np.array_equal(kernel(1, "a"), kernel(2, "a"))


def test_a_net_made_twice_after_the_same_seed_is_the_same_net():
    def net():
        return fastnn.Sequential([fastnn.Input((4,)), Dense(5), Dense(3)]).get_weights()
    fastnn.utils.set_random_seed(1)
    first, second = net(), net()
    fastnn.utils.set_random_seed(1)
    again = net()
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], second[0]), "an ensemble made in one go has members that differ"


def test_variable_is_a_view_of_its_vector():
    layer = Dense(3)
    layer(np.zeros((1, 2), "float32"))
    layer.bias.assign([1, 2, 3])
    assert layer(np.zeros((1, 2), "float32")).tolist() == [[1, 2, 3]]
    with pytest.raises(ValueError, match=r"has shape \(3,\); assign got shape \(2,\)"):
        layer.bias.assign([1, 2])
    copy = layer.bias.numpy()
    copy[:] = 0
    assert np.asarray(layer.bias).tolist() == [1, 2, 3]


@pytest.mark.parametrize("make, message", [
    (lambda: Dense(0), "`units` must be a positive int, got 0"),
    (lambda: Dense(2.5), "`units` must be a positive int, got 2.5"),
    (lambda: Dense(3, activation="rellu"), "Did you mean 'relu'"),
    (lambda: Dense(3, kernel_initialiser="zeros"), "unrecognized keyword arguments: kernel_initialiser"),
    (lambda: Dropout(1.5), "`rate` must be a number from 0 to 1, got 1.5"),
    (lambda: Dense(3)(np.zeros((2,), "float32")), "rank 2 or more"),
    (lambda: BatchNormalization(axis=1)(np.zeros((2, 3, 4), "float32")), "`axis` must be the last"),
])
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_built_layer_refuses_other_features():
    layer = Dense(3)
    layer(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"expected 4 features on the last axis, got an input of shape \(None, 5\)"):
        layer(np.zeros((2, 5), "float32"))
