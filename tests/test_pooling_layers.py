"""Pooling layers: options, gradients, errors; and max pooling as a part of the convolution before it."""
import numpy as np
import pytest
from layer_checks import check_gradients, check_layer

import fastnn
from fastnn import layers, testing
from fastnn.layers import (
    Activation,
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from fastnn.program import program as programs

FIRST = {"data_format": "channels_first"}
CASES = {
    "max": (lambda: MaxPooling2D(), (3, 6, 4, 5)),
    "max, odd sizes": (lambda: MaxPooling2D(2), (3, 7, 5, 3)),
    "max, same": (lambda: MaxPooling2D(2, padding="same"), (3, 7, 5, 3)),
    "max, overlapping": (lambda: MaxPooling2D(3, 2), (2, 7, 9, 2)),
    "max, overlapping, same": (lambda: MaxPooling2D((3, 2), (1, 1), padding="SAME"), (2, 4, 5, 3)),
    "max with gaps": (lambda: MaxPooling2D(2, 3), (2, 8, 7, 3)),
    "max, channels first": (lambda: MaxPooling2D(2, **FIRST), (2, 3, 6, 5)),
    "max of a large window": (lambda: MaxPooling2D((17, 16), 2), (1, 18, 17, 2)),
    "max of steps": (lambda: MaxPooling1D(), (3, 7, 4)),
    "max of steps, same": (lambda: MaxPooling1D(3, 2, "same"), (3, 8, 4)),
    "max of steps, channels first": (lambda: MaxPooling1D(3, 1, **FIRST), (2, 4, 6)),
    "average": (lambda: AveragePooling2D(2), (3, 6, 5, 5)),
    "average, same": (lambda: AveragePooling2D((3, 2), padding="same"), (3, 7, 5, 3)),
    "average, overlapping, same": (lambda: AveragePooling2D(3, 2, "same"), (2, 6, 7, 3)),
    "average with gaps, channels first": (lambda: AveragePooling2D(2, (3, 4), **FIRST), (2, 3, 8, 7)),
    "average of whole rows": (lambda: AveragePooling2D((2, 5)), (2, 6, 5, 3)),
    "average of steps": (lambda: AveragePooling1D(2), (3, 7, 4)),
    "average of steps, overlapping": (lambda: AveragePooling1D(3, 1, "same"), (3, 7, 4)),
    "largest of all": (lambda: GlobalMaxPooling2D(), (3, 4, 5, 6)),
    "largest of all, channels first, keepdims": (lambda: GlobalMaxPooling2D(**FIRST, keepdims=True), (3, 2, 5, 6)),
    "largest of all steps": (lambda: GlobalMaxPooling1D(), (3, 7, 4)),
    "largest of all steps, keepdims": (lambda: GlobalMaxPooling1D(keepdims=True), (3, 7, 4)),
    "mean of all": (lambda: GlobalAveragePooling2D(), (2, 3, 6, 5)),
    "mean of all, keepdims": (lambda: GlobalAveragePooling2D(keepdims=True), (3, 4, 5, 6)),
    "mean of all, channels first": (lambda: GlobalAveragePooling2D(**FIRST), (3, 2, 5, 6)),
    "mean of all steps": (lambda: GlobalAveragePooling1D(), (3, 7, 4)),
    "mean of all steps, channels first, keepdims": (lambda: GlobalAveragePooling1D(**FIRST, keepdims=True), (3, 4, 7)),
}


@pytest.mark.parametrize("name", CASES)
def test_layer(name):
    check_layer(*CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_gradients(name, float64):
    make, shape = CASES[name]
    check_gradients(make(), shape)


def test_settings_are_those_of_keras():
    layer = MaxPooling2D(3)
    assert (layer.pool_size, layer.strides) == ((3, 3), (3, 3))
    assert (layer.padding, layer.data_format) == ("valid", "channels_last")
    assert list(MaxPooling1D(3, 2).get_config()["strides"]) == [2]
    assert layers.MaxPool2D is MaxPooling2D and layers.GlobalAvgPool1D is GlobalAveragePooling1D
    assert MaxPooling2D(2, name="mine").name == "mine" and layer.name == "max_pooling2d"
    assert isinstance(layers.get("MaxPooling2D"), MaxPooling2D)


def test_shapes_of_unknown_size():
    assert MaxPooling2D(2).compute_output_shape((None, None, 7, 3)) == (None, None, 3, 3)
    assert AveragePooling1D(2, padding="same").compute_output_shape((None, 7, 3)) == (None, 4, 3)
    assert GlobalMaxPooling2D(**FIRST, keepdims=True).compute_output_shape((4, 3, None, None)) == (4, 3, 1, 1)
    assert GlobalMaxPooling1D().compute_output_shape((None, None, 3)) == (None, 3)


def test_a_mean_over_no_step_is_zero():
    """In Keras it is NaN, which one empty sequence would spread over all weights."""
    x = np.ones((2, 3, 4), "float32")
    x[0] = 0
    y = fastnn.Sequential([layers.Masking(), GlobalAveragePooling1D()]).predict(x, verbose=0)
    assert np.array_equal(y, [[0] * 4, [1] * 4])


def test_nan_spreads():
    x = np.zeros((1, 4, 4, 1), "float32")
    x[0, 1, 2] = np.nan
    for layer in (MaxPooling2D(2), AveragePooling2D(2)):
        assert np.isnan(layer(x)).ravel().tolist() == [False, True, False, False]
    assert np.isnan(GlobalMaxPooling2D()(x)).all()


# in a program


def net(*middle, shape=(9, 8, 3)):
    model = fastnn.Sequential([fastnn.Input(shape), *middle, Flatten(), Dense(2)])
    model.compile("sgd", "mse")
    return model


def kernels(model, training=False):
    return [o.kernel for o in model.program(training=training).operations]


def pooled(model, training=False):
    """The convolutions of a program and the windows that they pool."""
    return [o.sizes[20:22] for o in model.program(training=training).operations if o.kernel == "convolution"]


FUSED = {
    "no activation": [Conv2D, {"filters": 4, "kernel_size": 3}],
    **{name: [Conv2D, {"filters": 4, "kernel_size": 3, "activation": name}] for name in ("relu", "sigmoid", "tanh")},
    "no bias": [Conv2D, {"filters": 17, "kernel_size": 2, "use_bias": False, "activation": "relu"}],
    "groups": [Conv2D, {"filters": 6, "kernel_size": 3, "groups": 3, "activation": "relu"}],
    "dilation": [Conv2D, {"filters": 70, "kernel_size": 2, "dilation_rate": (2, 1), "padding": "same"}],
    "strides": [Conv2D, {"filters": 5, "kernel_size": 2, "strides": (1, 2), "padding": "same", "activation": "relu"}],
}


@pytest.fixture
def plain(monkeypatch):
    """A function that gives what another one does where nothing is done about pooling."""
    def run(call):
        with monkeypatch.context() as patch:
            patch.setattr(programs, "pool_gradients_last", lambda operations: operations)
            patch.setattr(programs, "pool_in_convolutions", lambda operations: operations)
            return call()
    return run


def trained(make):
    """Predictions and weights after three steps, the last on a smaller batch."""
    fastnn.random.set_seed(3)
    fastnn.backend.clear_session()
    model = make()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, *model.input_shape[1:])).astype("float32")
    model.fit(x, rng.standard_normal((20, 2)), batch_size=8, verbose=0)
    return model.predict(x, verbose=0), *model.get_weights()


def assert_same(make, plain):
    for a, b in zip(trained(make), plain(lambda: trained(make)), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("pool", [2, (3, 2), (1, 4)])
@pytest.mark.parametrize("name", FUSED)
def test_a_convolution_pools_what_it_computes(name, pool, plain):
    """To the bit, on one thread and on three."""
    kind, options = FUSED[name]

    def make():
        return net(Conv2D(3, 2, activation="tanh"), kind(**options), MaxPooling2D(pool))

    for training in (False, True):
        model = make()
        window = pool if isinstance(pool, tuple) else (pool, pool)
        assert window in pooled(model, training) and "max_pooling_forward" not in kernels(model, training)
        assert ("max_pooling_backward" in kernels(model, training)) == training
        assert plain(lambda training=training: "max_pooling_forward" in kernels(make(), training))
    assert_same(make, plain)
    with testing.forced_threads(3):
        assert_same(make, plain)


def test_a_convolution_of_steps_pools(plain):
    def make():
        return net(Conv1D(5, 3, activation="relu"), MaxPooling1D(3), shape=(20, 4))

    assert pooled(make(), training=True)[0] == (1, 3)
    assert_same(make, plain)


def test_the_derivative_is_taken_on_what_was_pooled(plain):
    """Then it is in the epilogue of the product that computes the gradient of the pooled."""
    def make():
        return net(Conv2D(4, 3), Activation("relu"), MaxPooling2D(2))

    found = kernels(make(), training=True)
    assert "relu_backward" not in found and "relu_forward" not in found
    assert "relu_backward" in plain(lambda: kernels(make(), training=True))
    assert_same(make, plain)


def test_the_derivative_is_taken_first_also_where_no_convolution_pools(plain):
    def make():
        return net(layers.BatchNormalization(), Activation("elu"), MaxPooling2D(2))

    found = kernels(make(), training=True)
    assert found.index("elu_backward") < found.index("max_pooling_backward") and "max_pooling_forward" in found
    found = plain(lambda: kernels(make(), training=True))
    assert found.index("elu_backward") > found.index("max_pooling_backward")
    assert_same(make, plain)


def test_scale_and_shift_come_before_the_pooling():
    """Batch normalization at inference, in the epilogue of a convolution that pools."""
    model = net(Conv2D(4, 3), layers.BatchNormalization(), Activation("relu"), MaxPooling2D(2))
    assert pooled(model) == [(2, 2)] and "scale_shift" not in kernels(model)
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-1, 1, w.shape) for w in model.get_weights()]
    weights[5] = np.abs(weights[5])                                                    # the moving variance
    model.set_weights(weights)
    x = rng.standard_normal((5, 9, 8, 3)).astype("float32")
    y = x
    for layer in model.layers:
        y = layer(y)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5, atol=1e-5)


NOT_FUSED = {
    "overlapping": [Conv2D(4, 3, activation="relu"), MaxPooling2D(3, 2)],
    "gaps": [Conv2D(4, 3, activation="relu"), MaxPooling2D(2, 3)],
    "a window beyond the edge": [Conv2D(4, 3, activation="relu"), MaxPooling2D(2, padding="same")],      # of 7 rows
    "average": [Conv2D(4, 3, activation="relu"), AveragePooling2D(2)],
    "an activation that reads its input": [Conv2D(4, 3, activation="gelu"), MaxPooling2D(2)],
    "a penalty on what would be pooled": [
        Conv2D(4, 3, activation="relu", activity_regularizer="l2"), MaxPooling2D(2)],
    "one place": [Conv2D(4, 3, activation="relu"), MaxPooling2D(1)],
    "a window of 257 places": [Conv1D(4, 3, activation="relu"), MaxPooling1D(257)],
    "other axes than the convolution's": [
        Conv2D(4, 3), layers.Reshape((14, 12)), MaxPooling1D(2)],
}


@pytest.mark.parametrize("name", NOT_FUSED)
def test_what_no_convolution_pools(name, plain):
    def make():
        copies = [type(layer).from_config(layer.get_config()) for layer in NOT_FUSED[name]]
        return net(*copies, shape=(300, 3) if isinstance(copies[0], Conv1D) else (9, 8, 3))

    model = make()
    assert any("pooling_forward" in k for k in kernels(model, training=True)), kernels(model, training=True)
    assert all(window == (1, 1) for window in pooled(model, training=True))
    assert_same(make, plain)


def test_same_without_a_window_beyond_the_edge_is_fused():
    assert pooled(net(Conv2D(4, 2, activation="relu"), MaxPooling2D(2, padding="same"), shape=(9, 9, 3))) == [(2, 2)]


def test_a_net_that_pools_learns():
    """Which of two stripes is in a picture."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((96, 12, 12, 1)).astype("float32") * 0.3, rng.integers(0, 2, 96)
    x[y == 0, 4, :] += 1
    x[y == 1, :, 4] += 1
    fastnn.random.set_seed(1)
    model = fastnn.Sequential([Conv2D(6, 3, activation="relu"), MaxPooling2D(), Conv2D(8, 3, activation="relu"),
                               AveragePooling2D(2, padding="same"), GlobalMaxPooling2D(), Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    assert model.fit(x, y, epochs=25, batch_size=16, verbose=0).history["accuracy"][-1] > 0.95
    assert np.array_equal(model.predict(x[:1], verbose=0), model.predict(x, verbose=0)[:1])
