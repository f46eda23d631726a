"""Eager calls of recurrent layers: masks that arrays carry from layer to layer, first states, all states of a model."""
import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    GRUCell,
    LSTMCell,
    Masking,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)

IDS = np.array([[1, 2, 0, 0], [3, 1, 4, 0]])


def words():
    return Embedding(5, 2, mask_zero=True)(IDS)


LAYERS = {
    "lstm": lambda: LSTM(3), "gru": lambda: GRU(3), "unrolled": lambda: GRU(3, activation="softsign"),
    "both": lambda: Bidirectional(LSTM(3)), "average": layers.GlobalAveragePooling1D,
    "model": lambda: fastnn.Sequential([fastnn.Input((4, 2)), Dense(3), SimpleRNN(2)]),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_padding_counts_for_nothing(name, training):
    layer, x = LAYERS[name](), words()
    y = layer(x, training=training)
    assert y._keras_mask is None
    for row, length in enumerate([2, 3]):
        plain = np.asarray(x[row:row + 1, :length])
        if name == "model":                                # which is for 4 steps
            expected = layer.layers[1](layer.layers[0](plain))
        else:
            expected = layer(plain)
        np.testing.assert_allclose(y[row:row + 1], expected, rtol=1e-5, atol=1e-6)


def test_eager_and_in_a_model():
    chain = [Embedding(5, 2, mask_zero=True), Dense(3), Dropout(0.5), Bidirectional(GRU(2, return_sequences=True)),
             TimeDistributed(Dense(3)), LSTM(2)]
    expected = fastnn.Sequential(chain).predict(IDS, verbose=0)
    y = IDS
    for layer in chain:
        y = layer(y)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer, masks", [
    (lambda: Dense(2), 1), (lambda: Dropout(0.5), 1), (lambda: TimeDistributed(Dense(2)), 1),
    (lambda: LSTM(2, return_sequences=True), 1), (lambda: GRU(2, return_sequences=True, activation="relu"), 1),
    (lambda: LSTM(2, return_sequences=True, return_state=True), 1), (lambda: LSTM(2, return_state=True), 0),
    (lambda: Bidirectional(LSTM(2, return_sequences=True), None), 2), (layers.Flatten, 0),
    (lambda: fastnn.Sequential([Dense(2)]), 1), (lambda: layers.Conv1D(2, 2), 0)])
def test_which_layers_pass_a_mask_on(layer, masks):
    outputs = layer()(words())
    outputs = outputs if isinstance(outputs, list) else [outputs]
    found = [y._keras_mask for y in outputs]
    assert all(mask.dtype == bool and np.array_equal(mask, IDS != 0) for mask in found[:masks])
    assert found[masks:] == [None] * (len(outputs) - masks)


def test_what_numpy_makes_has_no_mask():
    x = words()
    for y in (x + 1, np.tanh(x), x[:, :2], x.copy(), x.numpy(), Dense(2)(np.asarray(x))):
        assert getattr(y, "_keras_mask", None) is None


def test_a_mask_that_is_given_counts_instead():
    layer, x = LSTM(3), words()
    np.testing.assert_array_equal(layer(x, mask=np.ones((2, 4))), layer(np.asarray(x)))


def test_a_mask_of_what_is_inside_each_step():
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]]])
    chain = [Embedding(5, 2, mask_zero=True), TimeDistributed(LSTM(2))]
    expected = fastnn.Sequential(chain).predict(ids, verbose=0)
    np.testing.assert_allclose(chain[1](chain[0](ids)), expected, rtol=1e-5, atol=1e-6)
    assert not expected[0, 2].any() and expected[0, 1].any()


def test_compute_mask():
    assert Embedding(5, 2, mask_zero=True).compute_mask(IDS).tolist() == (IDS != 0).tolist()
    assert Embedding(5, 2).compute_mask(IDS) is None
    steps = np.array([[[1, 0], [7, 7], [7, 0]]])
    layer = Masking(7)
    assert layer.compute_mask(steps).tolist() == layer(steps)._keras_mask.tolist() == [[True, False, True]]


@pytest.mark.parametrize("made, shapes", [
    (LSTMCell(3), [(2, 3), (2, 3)]), (GRUCell(3), [(2, 3)]), (SimpleRNNCell(3), [(2, 3)]),
    (LSTM(3), [(2, 3), (2, 3)]), (GRU(3, dtype="float64"), [(2, 3)]), (SimpleRNN(3), [(2, 3)]),
    (StackedRNNCells([LSTMCell(3), GRUCell(4)]), [[(2, 3), (2, 3)], [(2, 4)]]),
    (RNN([LSTMCell(3), GRUCell(4)]), [[(2, 3), (2, 3)], [(2, 4)]])])
def test_first_states(made, shapes):
    """Zeros, nested as Keras nests them, which are what a call begins with."""
    states = made.get_initial_state(2)
    assert [[s.shape for s in state] if isinstance(state, list) else state.shape for state in states] == shapes
    x = np.ones((2, 5, 4), made.dtype)
    if isinstance(made, RNN):
        assert np.array_equal(made(x), made(x, initial_state=states))
    else:
        y, after = made(x[:, 0], states)
        assert y.dtype == made.dtype and len(after) == len(states)


def test_reset_states_of_a_model():
    inner = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 3)), GRU(3, stateful=True, return_sequences=True)])
    with pytest.warns(UserWarning, match="Input"):
        first = LSTM(3, stateful=True, return_sequences=True, batch_input_shape=(4, 5, 2))
    model = fastnn.Sequential([first, inner, Bidirectional(SimpleRNN(2, stateful=True)), Dense(1)])
    assert model.input_shape == (4, 5, 2)
    x = np.random.default_rng(0).normal(size=(4, 5, 2)).astype("float32")
    first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    assert not np.array_equal(first, second)
    model.reset_states()
    assert np.array_equal(model.predict(x, verbose=0), first)


def test_spellings_of_an_input_layer():
    for layer in (layers.InputLayer((5, 2), 4), layers.InputLayer(batch_shape=(4, 5, 2)),
                  layers.InputLayer(input_shape=(5, 2), batch_size=4), layers.InputLayer(batch_input_shape=(4, 5, 2))):
        assert fastnn.Sequential([layer, LSTM(3, stateful=True)]).output_shape == (4, 3)


def test_errors_name_the_layer_that_the_user_wrote():
    class Mine(LSTM):
        pass

    with pytest.raises(AttributeError, match="'GRU' object has no attribute 'unitz'"):
        GRU(2).unitz  # noqa: B018
    with pytest.raises(ValueError, match=r"^Mine: `units`"):
        Mine(0)
    with pytest.raises(ValueError, match=r"^LSTMCell: `units`"):
        LSTMCell(0)
