"""Sequential: how it is put together, named, built, counted."""
import numpy as np
import pytest
from fastnn.keras.layers import Dense as KerasDense
from nets import blobs, small_net

import fastnn
from fastnn import keras
from fastnn.layers import BatchNormalization, Dense, Dropout, Flatten


@pytest.fixture(autouse=True)
def fresh_names():
    fastnn.backend.clear_session()


def test_names_of_the_namespace():
    assert KerasDense is Dense and keras.Sequential is fastnn.Sequential
    import fastnn.keras.layers as layers
    assert layers.Dense is Dense
    with pytest.raises(AttributeError, match="Did you mean 'Sequential'"):
        fastnn.Sequental  # noqa: B018


def test_built_at_once_with_an_input():
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(64, activation="relu"), Dense(3)])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert model.name == "sequential" and fastnn.Sequential().name == "sequential_1"
    assert [w.path for w in model.weights] == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    assert [w.shape for w in model.get_weights()] == [(4, 64), (64,), (64, 3), (3,)]
    assert model.count_params() == 4 * 64 + 64 + 64 * 3 + 3
    assert model.input_shape == (None, 4) and model.output_shape == (None, 3)


def test_input_shape_on_the_first_layer_warns_and_works():
    with pytest.warns(UserWarning, match="Input"):
        model = fastnn.Sequential([Dense(3, input_shape=(4,))])
    with pytest.warns(UserWarning):
        other = fastnn.Sequential([Dense(3, input_dim=4)])
    assert model.count_params() == other.count_params() == 15


def test_built_when_it_first_sees_data():
    model = fastnn.Sequential([Flatten(), Dense(3)])
    assert not model.built
    with pytest.raises(ValueError, match="is not built"):
        model.program()
    assert model.predict(np.zeros((2, 4, 5)), verbose=0).shape == (2, 3)
    assert model.count_params() == 63
    other = fastnn.Sequential([Dense(3)])
    other.build((None, 4))
    assert other.count_params() == 15
    third = fastnn.Sequential([Dense(2, activation="softmax")])
    third.compile("sgd", "sparse_categorical_crossentropy")
    third.fit(np.zeros((4, 7)), [0, 1, 0, 1], verbose=0)
    assert third.input_shape == (None, 7)


def test_add_and_pop():
    model = fastnn.Sequential()
    model.add(fastnn.Input((4,)))
    model.add(Dense(8))
    kept = model.get_weights()
    model.add(Dense(3))
    assert model.output_shape == (None, 3) and model.count_params() == 67
    assert np.array_equal(model.get_weights()[0], kept[0]), "adding a layer leaves the others' weights"
    x = np.ones((2, 4), "float32")
    assert model(x).shape == (2, 3)
    assert model.pop().name == "dense_1"
    assert model(x).shape == (2, 8)
    model.pop()
    with pytest.raises(ValueError, match="nothing to pop"):
        model.pop()


def test_what_cannot_be_added():
    with pytest.raises(TypeError, match="expected a layer, got int"):
        fastnn.Sequential([3])
    layer = Dense(3)
    with pytest.raises(ValueError, match="has a layer named 'dense' already"):
        fastnn.Sequential([layer, layer])
    with pytest.raises(ValueError, match="Input must be the first"):
        fastnn.Sequential([Dense(3), fastnn.Input((4,))])
    with pytest.raises(ValueError, match="`shape` is missing"):
        fastnn.Input()


def test_a_model_is_a_layer():
    inner = fastnn.Sequential([fastnn.Input((4,)), Dense(8, activation="relu"), Dropout(0.1)])
    outer = fastnn.Sequential([fastnn.Input((4,)), inner, Dense(3, activation="softmax")])
    outer.compile("adam", "sparse_categorical_crossentropy")
    x, y = blobs(40, 4)
    before = inner.get_weights()
    outer.fit(x, y, verbose=0)
    assert outer.count_params() == inner.count_params() + 27
    assert not np.array_equal(inner.get_weights()[0], before[0])
    inner.trainable = False
    before = inner.get_weights()
    outer.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(inner.get_weights(), before))


def test_set_weights_writes_all_or_nothing():
    model = small_net()
    weights = [np.full_like(w, i) for i, w in enumerate(model.get_weights())]
    model.set_weights(weights)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights))
    before = model.get_weights()
    wrong = [*weights[:-1], np.zeros(4)]
    wrong[0] = wrong[0] + 1
    with pytest.raises(ValueError, match=r"weight 'dense_2/bias' has shape \(3,\), got an array of shape \(4,\)"):
        model.set_weights(wrong)
    with pytest.raises(ValueError, match="expected 6 arrays, got 2"):
        model.set_weights(weights[:2])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before))


def test_order_of_weights_with_batch_normalisation():
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(2), BatchNormalization()])
    assert [w.name for w in model.weights] == ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.name for w in model.trainable_weights] == ["kernel", "bias", "gamma", "beta"]
    assert [w.name for w in model.non_trainable_weights] == ["moving_mean", "moving_variance"]
    model.trainable = False
    assert model.trainable_weights == []


def test_calling_with_what_arrays_there_are():
    model = small_net()
    x = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")
    y = model(x)
    assert isinstance(y, np.ndarray) and type(y.numpy()) is np.ndarray
    for other in (x.tolist(), np.asfortranarray(x), x[::-1][::-1], x.astype("float64"), np.repeat(x, 2, 0)[::2]):
        assert np.array_equal(model(other), y)
        assert np.array_equal(model.predict(other, verbose=0), y)
    whole = np.arange(24).reshape(6, 4)
    for dtype in ("float16", "uint8", "int32", "int64", "int8", "uint16", ">f4"):
        assert np.array_equal(model(whole.astype(dtype)), model(whole.astype("float32"))), dtype
    assert np.array_equal(model(whole > 3), model((whole > 3).astype("float32")))
    with pytest.raises(ValueError, match="rows, 4"):
        model.predict(x[0], verbose=0)
    with pytest.raises(ValueError):
        model(np.zeros((2, 5), "float32"))
