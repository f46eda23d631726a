"""Every layer passes the one check, and its gradients are right."""
import json

import numpy as np
import pytest
from layer_checks import check_gradients, check_layer, gradients

import fastnn
from fastnn.layers import (
    Activation,
    ActivityRegularization,
    AlphaDropout,
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    Lambda,
    LayerNormalization,
    Masking,
    Normalization,
    Rescaling,
    Reshape,
    RMSNormalization,
    UnitNormalization,
)

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
    "reshape": (lambda: Reshape((3, 2)), (5, 6)),
    "reshape to what is left": (lambda: Reshape((2, -1, 2)), (5, 3, 4)),
    "identity": (lambda: Identity(), (5, 3)),
    "activity regularization": (lambda: ActivityRegularization(0.1, 0.2), (5, 3)),
    "masking": (lambda: Masking(0.5), (5, 3, 2)),
    "rescaling": (lambda: Rescaling(1 / 255, offset=-1), (5, 3, 2)),
    "rescaling by columns": (lambda: Rescaling([1.0, 2.0, 3.0], [[1.0], [2.0]]), (5, 2, 3)),
    "normalization": (lambda: Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 0.25, 0.0001]), (5, 3)),
    "normalization, inverted": (lambda: Normalization(mean=2, variance=9, axis=None, invert=True), (5, 3, 2)),
    "normalization along the middle": (lambda: Normalization(axis=1), (5, 3, 2)),
    "normalization along two axes": (lambda: Normalization(axis=(1, 3)), (5, 3, 2, 4)),
    "layer normalization": (lambda: LayerNormalization(), (7, 17)),
    "layer normalization of rank 3": (lambda: LayerNormalization(epsilon=0.1), (4, 3, 33)),
    "layer normalization along the middle": (lambda: LayerNormalization(axis=1), (4, 5, 3)),
    "layer normalization of the last two": (lambda: LayerNormalization(axis=[1, 2]), (4, 5, 3)),
    "layer normalization of two apart": (lambda: LayerNormalization(axis=[-1, 1]), (4, 3, 2, 5)),
    "layer normalization, bare": (lambda: LayerNormalization(center=False, scale=False), (4, 9)),
    "layer normalization, centre only": (lambda: LayerNormalization(scale=False), (4, 9)),
    "RMS normalization": (lambda: RMSNormalization(), (5, 9)),
    "RMS normalization along the middle": (lambda: RMSNormalization(axis=1, epsilon=0.1), (5, 4, 3)),
    "unit normalization": (lambda: UnitNormalization(), (5, 9)),
    "unit normalization along two axes": (lambda: UnitNormalization(axis=(1, 2)), (5, 4, 3)),
    "unit normalization along the middle": (lambda: UnitNormalization(axis=1), (5, 4, 3)),
}
IN_TRAINING = {
    "dropout": (lambda: Dropout(0.4), (8, 10)),
    "batch normalisation": (lambda: BatchNormalization(), (9, 5)),
    "batch normalisation of rank 3": (lambda: BatchNormalization(epsilon=0.1), (4, 3, 2)),
    "batch normalisation, bare": (lambda: BatchNormalization(center=False, scale=False), (9, 3)),
    "batch normalisation, centre only": (lambda: BatchNormalization(scale=False), (9, 17)),
    "batch normalisation along the middle": (lambda: BatchNormalization(axis=1), (6, 3, 4)),
    "batch normalisation along one of three": (lambda: BatchNormalization(axis=2), (6, 2, 3, 2)),
    "dropout of one mask for all steps": (lambda: Dropout(0.4, noise_shape=(None, 1, None)), (8, 5, 3)),
    "dropout of one mask for all rows": (lambda: Dropout(0.4, noise_shape=(1, 5, 1)), (8, 5, 3)),
    "alpha dropout": (lambda: AlphaDropout(0.3), (8, 10)),
    "alpha dropout with a noise shape": (lambda: AlphaDropout(0.3, noise_shape=[None, 1, 4], seed=3), (8, 3, 4)),
    "gaussian noise": (lambda: GaussianNoise(0.5), (8, 10)),
    "gaussian dropout": (lambda: GaussianDropout(0.3), (8, 37)),
}


@pytest.mark.parametrize("name", [*CASES, *IN_TRAINING])
def test_layer(name):
    make, shape = {**CASES, **IN_TRAINING}[name]
    check_layer(make, shape, training_matters=name in IN_TRAINING)


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


def test_batch_normalisation_follows_the_batch():
    rng = np.random.default_rng(0)
    x = (3 + 2 * rng.standard_normal((500, 4))).astype("float32")
    layer = BatchNormalization(momentum=0.9)
    y = layer(x, training=True)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1, atol=1e-3)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-4)


def test_masking_marks_steps():
    x = np.array([[[1, 2], [0, 0], [0, 3]], [[0, 0], [0, 0], [np.nan, 0]]], "float32")
    build = fastnn.program.Lowering(False, "float32")
    y, mask = Masking().lower(build, build.gather((3, 2), "x"))
    build.scatter(y, "y")
    build.python(lambda mask: seen.append(mask.copy()), [mask], [])
    seen, result = [], np.empty_like(x)
    fastnn.program.Program(build, "masking").run([x, result], 2, 2)
    assert seen[0].tolist() == [[1, 0, 1], [0, 0, 1]]
    assert np.array_equal(result, x, equal_nan=True)
    marked = np.where(x == 0, np.float32(7), x)
    assert np.array_equal(Masking(7)(marked)[0, 1], [0, 0])


def test_normalization_learns_from_data():
    rng = np.random.default_rng(0)
    x = (1e4 + 3 * rng.standard_normal((1000, 3))).astype("float32")
    layer = Normalization()
    layer.adapt(x)
    mean, variance, count = layer.get_weights()
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-7)
    np.testing.assert_allclose(variance, exact.var(0), rtol=1e-6)
    assert count == 1000 and layer.mean.shape == (1, 3)
    np.testing.assert_allclose(layer(x), (exact - exact.mean(0)) / exact.std(0), atol=2e-4)     # x itself has 1e-3
    batches = Normalization()
    batches.adapt((x[i:i + 300], None) for i in range(0, 1000, 300))
    np.testing.assert_allclose(np.concatenate(batches.get_weights()[:2]), np.concatenate([mean, variance]), rtol=1e-6)
    back = Normalization(mean=mean, variance=variance, invert=True)
    np.testing.assert_allclose(back(layer(x)), x, rtol=1e-6)
    whole = Normalization(axis=None)
    whole.adapt(x)
    np.testing.assert_allclose(whole.get_weights()[0], exact.mean(), rtol=1e-7)
    layer.adapt(2 * x)                    # programs that exist see the new statistics
    np.testing.assert_allclose(layer(2 * x), (exact - exact.mean(0)) / exact.std(0), atol=2e-4)
    with pytest.raises(ValueError, match="finite"):
        layer.adapt(np.full((3, 3), np.nan))
    assert layer.count.numpy() == 1000


def test_normalization_in_a_net():
    rng = np.random.default_rng(0)
    x, y = (50 + 9 * rng.standard_normal((64, 4))).astype("float32"), rng.standard_normal((64, 1)).astype("float32")
    layer = Normalization()
    layer.adapt(x)
    net = fastnn.Sequential([fastnn.Input((4,)), layer, Dense(8, activation="relu"), Dense(1)])
    net.compile("sgd", "mse")
    losses = net.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and len(net.trainable_weights) == 4
    np.testing.assert_array_equal(layer.get_weights()[2], 64)
    again = fastnn.layers.get(layer.describe())
    again.ensure_built((None, 4))
    again.set_weights(layer.get_weights())
    assert np.array_equal(again(x), layer(x))


def test_lambda():
    x = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")
    assert np.array_equal(Lambda(lambda x: x ** 2)(x), x ** 2)
    assert np.array_equal(Lambda(lambda x, k: x[:, :2] * k, arguments={"k": 3})(x), x[:, :2] * 3)
    assert Lambda(lambda x: x.sum(1, keepdims=True), output_shape=(1,))(x).shape == (6, 1)
    assert np.array_equal(Lambda(np.abs)(x), np.abs(x))
    flagged = Lambda(lambda x, training: x + training)
    assert np.array_equal(flagged(x), x) and np.array_equal(flagged(x, training=True), x + 1)
    assert np.array_equal(Lambda(fastnn.activations.relu)(x), np.maximum(x, 0))


def test_lambda_in_training():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 4)).astype("float32"), rng.standard_normal((64, 1)).astype("float32")

    def net(layer):
        model = fastnn.Sequential([fastnn.Input((4,)), Dense(5), layer, Dense(1)])
        model.compile("sgd", "mse")
        model.set_weights([np.full(w.shape, 0.1) for w in model.weights])
        model.fit(x, y, epochs=3, shuffle=False, verbose=0)
        return model.get_weights()

    mine = net(Lambda(np.tanh, gradient=lambda dy, x, y: dy * (1 - y * y)))
    for a, b in zip(mine, net(Activation("tanh"))):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match="give Lambda `gradient`"):
        net(Lambda(np.tanh))
    first = fastnn.Sequential([fastnn.Input((4,)), Lambda(np.tanh), Dense(1)])      # nothing to train before it
    first.compile("sgd", "mse")
    first.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match=r"must return an array of shape \(32, 5\), got \(32, 1\)"):
        net(Lambda(np.tanh, gradient=lambda dy, x, y: dy[:, :1]))
    with pytest.raises(ValueError, match="cannot be saved"):
        Lambda(np.tanh).get_config()


class NumpyDense(fastnn.Layer):
    """A layer of a user's, in NumPy."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", trainable=True,
                                 name="w", regularizer="l2")
        self.b = self.add_weight((self.units,), "zeros")

    def call(self, x):
        return x @ self.w + self.b

    def call_gradient(self, dy, x, y):
        return dy @ self.w.value.T, x.T @ dy, dy.sum(0)


class Halved(fastnn.Layer):
    def call(self, x):
        return x / 2


def test_layers_of_ones_own_in_numpy(float64):
    check_gradients(NumpyDense(), (6, 4))
    layer, x = NumpyDense(), np.random.default_rng(0).standard_normal((5, 4))
    assert np.array_equal(layer(x), x @ layer.w.numpy()) and layer.output_shape == (None, 3)
    assert [w.path for w in layer.weights] == [f"{layer.name}/w", f"{layer.name}/variable_1"]


def test_a_layer_of_ones_own_is_trained_like_dense():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 4)).astype("float32"), rng.standard_normal((64, 1)).astype("float32")

    def net(layer):
        model = fastnn.Sequential([fastnn.Input((4,)), Dense(5, activation="relu"), layer, Dense(1)])
        model.compile("sgd", "mse")
        model.set_weights([np.random.default_rng(i).normal(0, 1, w.shape) for i, w in enumerate(model.weights)])
        return model, model.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"]

    mine, losses = net(NumpyDense(3))
    dense, expected = net(Dense(3, kernel_regularizer="l2"))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for a, b in zip(mine.get_weights(), dense.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="write call_gradient"):
        net(Halved())
    model = fastnn.Sequential([fastnn.Input((4,)), Halved(), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert np.array_equal(Halved()(x), x / 2)
    with pytest.raises(NotImplementedError, match="has neither lower"):
        fastnn.Layer()(x)


def test_weights_by_position_and_name():
    layer = fastnn.Layer(name="mine")
    assert layer.add_weight("kernel", (2, 3), "ones").shape == (2, 3)
    assert layer.add_weight((4,), "zeros", name="bias").path == "mine/bias"
    assert layer.add_weight(shape=(4,), initializer="ones", trainable=False, name="state").trainable is False
    weight = layer.add_weight(shape=4, regularizer="l1", dtype="float32")
    assert weight.path == "mine/variable_3" and weight.regularizer.l1 == 0.01 and weight.shape == (4,)
    with pytest.raises(ValueError, match="`dtype` of a weight must be the layer's, 'float32', got 'int32'"):
        layer.add_weight(shape=(2,), dtype="int32")
    with pytest.raises(NotImplementedError, match="activity_regularizer"):
        layer.add_loss(1.0)


def test_batch_normalisation_along_another_axis_is_that_of_the_moved_one():
    x = np.random.default_rng(0).standard_normal((6, 3, 4)).astype("float32")
    one, other = BatchNormalization(axis=1), BatchNormalization()
    for training in (True, False):
        moved = other(x.swapaxes(1, 2), training=training).swapaxes(1, 2)
        np.testing.assert_array_equal(one(x, training=training), moved)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights()))


def test_layers_by_description():
    for name, (make, shape) in {**CASES, **IN_TRAINING}.items():
        layer = make()
        again = fastnn.layers.deserialize(fastnn.layers.serialize(layer))
        assert type(again) is type(layer) and again.get_config() == layer.get_config(), name
        json.dumps(layer.get_config())
        assert again.compute_output_shape((None, *shape[1:])) == layer.compute_output_shape((None, *shape[1:]))


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
    (lambda: Dense(3, kernel_initialiser="zeros"), "`kernel_initialiser`; did you mean `kernel_initializer`"),
    (lambda: Dropout(1.5), "`rate` must be a number from 0 to 1, got 1.5"),
    (lambda: Dense(3)(np.zeros((2,), "float32")), "rank 2 or more"),
    (lambda: BatchNormalization(axis=0)(np.zeros((2, 3, 4), "float32")), "`axis` must be one of known size, not"),
])
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_no_features():
    """A product with them is the bias, in every row."""
    for shape in ((2, 0), (2, 3, 0), (2, 3, 2, 0)):
        assert (Dense(5, bias_initializer="ones")(np.zeros(shape)) == 1).all()
    y, _, (_, bias) = gradients(Dense(5, dtype="float64"), np.zeros((2, 3, 0)), np.ones((2, 3, 5)))
    assert not y.any() and (bias == 6).all()


def test_a_built_layer_refuses_other_features():
    layer = Dense(3)
    layer(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match=r"expected 4 features on the last axis, got an input of shape \(None, 5\)"):
        layer(np.zeros((2, 5), "float32"))
