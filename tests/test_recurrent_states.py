"""States of recurrent layers between batches: which batches they are for, their dtype, what leaves them alone."""
import numpy as np
import pytest

import fastnn
from fastnn.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNormalization,
    Bidirectional,
    Dense,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from fastnn.layers.recurrent_states import flat


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_stateful():
    layer = LSTM(3, stateful=True, return_sequences=True)
    plain = LSTM(3, return_sequences=True, return_state=True)
    x = numbers(4, 6, 2).astype("float32")
    first = layer(x)
    plain(x)
    plain.set_weights(layer.get_weights())
    expected, *states = plain(x)
    assert np.array_equal(first, expected)
    assert np.array_equal(layer(x), plain(x, initial_state=states)[0])
    assert [s.shape for s in layer.states] == [(4, 3), (4, 3)] and layer.get_weights()[0].shape == (2, 12)
    layer.reset_states()
    assert np.array_equal(layer(x), expected)
    with pytest.raises(ValueError, match=r"stateful.*batches of 4 rows.*got 3 rows"):
        layer(x[:3])


def test_stateful_in_a_model_and_its_file(tmp_path):
    model = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 2)), SimpleRNN(3, stateful=True, return_sequences=True),
                               Bidirectional(GRU(2, stateful=True)), Dense(1)])
    assert model.output_shape == (4, 1)
    model.compile("sgd", "mse")
    x = numbers(8, 5, 2).astype("float32")
    model.fit(x, x[:, 0, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "m.fastnn")
    again = fastnn.models.load_model(tmp_path / "m.fastnn")
    for layer in model.layers[:2]:
        layer.reset_states()
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, batch_size=4, verbose=0))
    before = model.get_weights()
    for call in (lambda: model.fit(x, x[:, 0, :1], batch_size=3, verbose=0), lambda: model.predict(x[:5], verbose=0),
                 lambda: model.evaluate(x, x[:, 0, :1], batch_size=8, verbose=0), lambda: model(x)):
        with pytest.raises(ValueError, match="stateful, with states for batches of 4 rows"):
            call()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_a_call_on_no_rows_decides_no_batch():
    layer, plain, x = GRU(3, stateful=True), GRU(3, return_state=True), numbers(4, 6, 2).astype("float32")
    for both in (layer, plain):
        assert np.shape(both(x[:0])[0] if both is plain else both(x[:0])) == (0, 3)
    plain.set_weights(layer.get_weights())
    y, state = plain(x)
    assert np.array_equal(layer(x), y) and layer(x[:0]).shape == (0, 3) and layer.states[0].shape == (4, 3)
    assert np.array_equal(layer(x), plain(x, initial_state=state)[0])


def test_states_have_the_dtype_of_the_model():
    layer, x = LSTM(3, stateful=True), numbers(4, 5, 2)
    layer(x)
    model = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 2)), layer], dtype="float64")
    once = model.predict(x, verbose=0)
    assert [s.dtype for s in layer.states] == ["float64"] * 2
    plain = LSTM(3, dtype="float64", return_state=True)
    plain(x)
    plain.set_weights(layer.get_weights())
    y, *states = plain(x)
    np.testing.assert_allclose(once, y, rtol=1e-12)
    np.testing.assert_allclose(model.predict(x, verbose=0), plain(x, initial_state=states)[0], rtol=1e-12)


def test_a_profile_changes_no_state():
    model = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 2)), GRU(3, stateful=True, return_sequences=True),
                               Bidirectional(LSTM(2, stateful=True)), BatchNormalization(), Dense(1)])
    model.compile("adam", "mse")
    x = numbers(4, 5, 2).astype("float32")
    model.fit(x, x[:, 0, :1], batch_size=4, verbose=0)
    states = [s for layer in (model.layers[0], *model.layers[1].parts) for s in layer.states]
    kept = [s.numpy() for s in states] + model.get_weights() + [v.copy() for v in model.optimizer.variables]
    model.profile(x, x[:, 0, :1], batch_size=4, repeats=3)
    now = [s.numpy() for s in states] + model.get_weights() + list(model.optimizer.variables)
    assert all(np.array_equal(a, b) for a, b in zip(kept, now, strict=True)) and any(s.any() for s in kept[:5])


def test_a_batch_that_fails_changes_no_state():
    """States are written at the end of a step, with the weights."""
    class Fails(fastnn.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                raise RuntimeError("stop")

    layer = GRU(3, stateful=True)
    model = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 2)), layer, Dense(1)])
    model.compile("sgd", "mse")
    x = numbers(8, 5, 2).astype("float32")
    with pytest.raises(RuntimeError):
        model.fit(x, x[:, 0, :1], batch_size=4, shuffle=False, verbose=0, callbacks=[Fails()])
    assert layer.states[0].numpy().any()


class Counter:
    """A cell in NumPy that begins with a number of its own and counts the steps."""
    state_size = 2

    def __init__(self, first=10.0):
        self.first = first

    def get_initial_state(self, batch_size=None):
        return np.full((batch_size, 2), self.first)

    def call(self, inputs, states):
        return states[0] + 1, [states[0] + 1]


def test_a_cell_says_what_a_sequence_begins_with():
    x = numbers(3, 4, 2)
    assert np.array_equal(RNN(Counter(), return_sequences=True)(x)[:, :, 0], [[11, 12, 13, 14]] * 3)
    assert RNN(Counter())(x[:0]).shape == (0, 2)
    assert np.array_equal(RNN(Counter()).get_initial_state(3), [np.full((3, 2), 10)])
    assert np.array_equal(RNN(Counter())(x, initial_state=np.zeros((3, 2))), np.full((3, 2), 4))
    both = Bidirectional(RNN(Counter()), backward_layer=RNN(Counter(20), go_backwards=True))
    assert np.array_equal(both(x), [[14, 14, 24, 24]] * 3)
    assert np.array_equal(TimeDistributed(RNN(Counter()))(numbers(2, 5, 4, 3)), np.full((2, 5, 2), 14))
    deep = RNN([Counter(1), GRUCell(3), StackedRNNCells([Counter(2), Counter(3)])])
    assert [s.shape for s in flat(deep.get_initial_state(2))] == [(2, 2), (2, 3), (2, 2), (2, 2)]
    assert np.array_equal(deep(x), np.full((3, 2), 7))


def test_what_a_users_cell_calls_cells_is_its_own():
    class Cell(SimpleRNNCell):
        def __init__(self, units, cells=5, **options):
            super().__init__(units, **options)
            self.cells = cells

    assert RNN(Cell(3))(np.ones((2, 4, 1))).shape == (2, 3)


def test_a_stateful_layer_begins_with_what_its_cell_says():
    """Until its states are reset: then with zeros, as in Keras."""
    layer, x = RNN(Counter(), stateful=True), numbers(3, 4, 2)
    assert [layer(x)[0, 0], layer(x)[0, 0]] == [14, 18]
    layer.reset_states()
    assert layer(x)[0, 0] == 4


@pytest.mark.parametrize("base", [LSTMCell, LSTM])
def test_a_class_of_the_users_that_begins_otherwise(base):
    """Derived from a cell or layer of the library, which goes by its kernels nevertheless; trained too."""
    class Ones(base):
        def get_initial_state(self, batch_size=None):
            return [np.ones((batch_size, 3)), np.ones((batch_size, 3))]

    made, x = Ones(3, dtype="float64"), numbers(5, 4, 2)
    layer = RNN(made, dtype="float64") if base is LSTMCell else made
    model = fastnn.Sequential([fastnn.Input((4, 2)), layer, Dense(1)], dtype="float64")
    model.compile("sgd", "mse")
    model.fit(x, x[:, 0, :1], verbose=0)
    assert any(o.label.startswith("lstm") for o in model.program(training=True).operations)
    plain = LSTM(3, dtype="float64")
    plain(x)
    plain.set_weights(layer.get_weights())
    expected = plain(x, initial_state=[np.ones((5, 3))] * 2)
    assert np.array_equal(layer(x), expected) and not np.array_equal(plain(x), expected)
