"""TimeDistributed: every kind of layer at each step, against the layer called on each step by itself."""
import numpy as np
import pytest
from layer_checks import check_gradients, check_layer

import fastnn
from fastnn import layers


def net(dtype="float32"):
    return fastnn.Sequential([fastnn.Input((4, 3)), layers.Conv1D(2, 2, activation="tanh", activity_regularizer="l2"),
                              layers.Flatten(), layers.Dense(2)], dtype=dtype)


LAYERS = {
    "dense": lambda: layers.Dense(3, activation="tanh"), "conv": lambda: layers.Conv1D(2, 2, activation="tanh"),
    "transposed": lambda: layers.Conv1DTranspose(2, 3), "depthwise": lambda: layers.DepthwiseConv1D(3),
    "pooling": lambda: layers.MaxPooling1D(2), "global": lambda: layers.GlobalAveragePooling1D(),
    "flatten": layers.Flatten, "permute": lambda: layers.Permute((2, 1)), "lstm": lambda: layers.LSTM(2),
    "unrolled": lambda: layers.GRU(2, activation="softsign"), "normalization": layers.LayerNormalization,
    "softmax": layers.Softmax, "net": net, "nested": lambda: layers.TimeDistributed(layers.Dense(2, "relu")),
    "python": lambda: layers.Lambda(lambda x: 2 * x, gradient=lambda dy, x, y: 2 * dy),
}


@pytest.mark.parametrize("name", LAYERS)
def test_as_step_by_step(name):
    inner = LAYERS[name]()
    layer, x = layers.TimeDistributed(inner), np.random.default_rng(0).standard_normal((6, 5, 4, 3)).astype("float32")
    y = layer(x)
    assert y.shape[1:] == layer.compute_output_shape(x.shape)[1:]
    expected = np.stack([inner(np.ascontiguousarray(x[:, step])) for step in range(5)], 1)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["conv", "pooling", "net", "lstm", "nested", "python"])
def test_gradients(name):
    inner = LAYERS[name]() if name != "net" else net("float64")
    check_gradients(layers.TimeDistributed(inner, dtype="float64"), (2, 2, 4, 3))


def test_batch_normalization_learns_step_by_step():
    inner = layers.BatchNormalization(momentum=0.5, dtype="float64")
    layer = layers.TimeDistributed(inner, dtype="float64")
    x = np.random.default_rng(0).standard_normal((8, 2, 3))
    y = layer(x, training=True)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(inner.moving_mean.numpy(), 0.25 * x[:, 0].mean(0) + 0.5 * x[:, 1].mean(0), rtol=1e-10)


def test_what_every_layer_holds():
    for name in ("dense", "conv", "lstm", "normalization"):
        check_layer(lambda name=name: layers.TimeDistributed(LAYERS[name]()), (5, 3, 4, 3))


def test_dropout_of_each_step_is_its_own():
    y = layers.TimeDistributed(layers.Dropout(0.5))(np.ones((50, 4, 20), "float32"), training=True)
    assert abs(np.mean(y != 0) - 0.5) < 0.05 and not np.array_equal(y[:, 0], y[:, 1])


def test_penalties_count_all_steps():
    def loss(layer):
        model = fastnn.Sequential([fastnn.Input((3, 4, 3)), layer, layers.Flatten(), layers.Dense(1)])
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        model.compile("sgd", "mse")
        return model.evaluate(x, np.zeros((5, 1)), verbose=0)

    x = np.random.default_rng(0).standard_normal((5, 3, 4, 3))
    inside = layers.TimeDistributed(fastnn.Sequential([fastnn.Input((4, 3)), layers.Dense(2, activity_regularizer="l2"),
                                                       layers.Activation("relu")]))
    outside = layers.TimeDistributed(fastnn.Sequential([fastnn.Input((4, 3)), layers.Dense(2),
                                                        layers.Activation("relu")]))
    penalty = 0.01 * sum(((x[:, s] @ np.full((3, 2), 0.1) + 0.1)**2).sum() for s in range(3)) / 5
    np.testing.assert_allclose(loss(inside) - loss(outside), penalty, rtol=1e-4)


@pytest.mark.parametrize("inner", [layers.Dense, layers.Conv1D, layers.LayerNormalization])
def test_the_penalty_on_the_output_of_the_layer_itself_does_not_count(inner):
    """As in Keras: the layer is not called, but only computed at each step."""
    def loss(**options):
        arguments = {layers.Dense: [3], layers.Conv1D: [2, 2]}.get(inner, [])
        model = fastnn.Sequential([fastnn.Input((3, 4, 3)), layers.TimeDistributed(inner(*arguments, **options))])
        model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
        model.compile("sgd", "mse")
        return model.evaluate(x, np.zeros((5, *model.output_shape[1:])), verbose=0)

    x = np.random.default_rng(0).standard_normal((5, 3, 4, 3))
    assert loss(activity_regularizer="l2") == loss()


def test_a_model_inside_goes_into_files(tmp_path):
    model = fastnn.Sequential([fastnn.Input((5, 4, 3)), layers.TimeDistributed(net()), layers.LSTM(2)])
    x = np.random.default_rng(0).standard_normal((6, 5, 4, 3))
    model.save(tmp_path / "m.fastnn")
    again = fastnn.models.load_model(tmp_path / "m.fastnn")
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
