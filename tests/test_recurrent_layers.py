"""Recurrent layers: gradients, the two ways to lower them, states, masks, dropout, cells in NumPy, files."""
import numpy as np
import pytest
from layer_checks import check_layer
from recurrent_checks import Probe, step_by_step

import fastnn
from fastnn import layers
from fastnn.layers import GRU, LSTM, RNN, Bidirectional, Dense, GRUCell, LSTMCell, Masking, SimpleRNN, SimpleRNNCell

KINDS = {"simple_rnn": (SimpleRNN, 1, {}), "gru": (GRU, 1, {}), "gru_before": (GRU, 1, {"reset_after": False}),
         "lstm": (LSTM, 2, {})}
OPTIONS = {"last": {}, "sequences": {"return_sequences": True},
           "backwards": {"return_sequences": True, "go_backwards": True},
           "no_bias": {"use_bias": False}, "relu": {"activation": "relu"},
           "softsign": {"activation": "softsign", "return_sequences": True},
           "dropout": {"dropout": 0.4}, "recurrent_dropout": {"dropout": 0.3, "recurrent_dropout": 0.4}}


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def some_mask(rows, steps):
    """A mask with a row of nothing, one of everything, and rows with holes."""
    mask = np.random.default_rng(1).random((rows, steps)) > 0.4
    mask[0], mask[-1] = False, True
    return mask.astype(np.float64)


def make(kind, **options):
    cls, _, own = KINDS[kind]
    return cls(3, dtype="float64", **{**own, **options})


@pytest.mark.parametrize("kind", KINDS)
def test_no_features(kind):
    """The bias alone, as with features that are all 0."""
    layers = [make(kind, return_sequences=True, bias_initializer="ones", recurrent_initializer="zeros")
              for _ in range(2)]
    x = np.zeros((2, 4, 1))
    assert np.array_equal(layers[0](x[..., :0]), layers[1](x)) and layers[0](x[..., :0]).all()


@pytest.mark.parametrize("steps", [1, 4, 17])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind, option, steps):
    """Of the input at every step, the initial states and every weight, from gradients into all outputs."""
    if steps == 17 and option not in ("last", "sequences", "backwards"):
        return
    layer = make(kind, return_state=True, **OPTIONS[option])
    masked = option in ("sequences", "last") and steps > 1
    Probe(layer, numbers(2, steps, 2), [numbers(2, 3, seed=i) for i in range(KINDS[kind][1])],
          some_mask(2, steps) if masked else None).check()


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_step_by_step(kind, steps):
    with step_by_step():
        layer = make(kind, return_state=True, return_sequences=True)
        Probe(layer, numbers(2, steps, 2), [numbers(2, 3, seed=i) for i in range(KINDS[kind][1])],
              some_mask(2, steps)).check()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_agree(kind, option, masked):
    """The kernels of whole sequences against the unrolled steps: training, prediction, and weights after it."""
    options = {**OPTIONS[option], **({"seed": 3} if option == "dropout" else {})}
    x, results = numbers(9, 5, 3), []
    x[some_mask(9, 5) == 0] = 0 if masked else 1

    def run():
        fastnn.utils.set_random_seed(1)
        middle = [Masking()] if masked else []
        model = fastnn.Sequential([fastnn.Input((5, 3)), *middle, Dense(3), make(kind, **options), Dense(2)],
                                  dtype="float64")
        model.compile(fastnn.optimizers.SGD(0.1), "mse")
        model.fit(x, numbers(9, *model.output_shape[1:]), epochs=3, verbose=0, shuffle=False)
        results.append([model.predict(x, verbose=0), *model.get_weights()])

    run()
    with step_by_step():
        run()
    for fast, slow in zip(*results):
        np.testing.assert_allclose(fast, slow, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("steps", [1, 4, 17])
@pytest.mark.parametrize("option", [
    {"recurrent_dropout": 0.4}, {"recurrent_dropout": 0.3, "dropout": 0.4, "use_bias": False},
    {"dropout": 0.4, "implementation": 1}, {"recurrent_dropout": 1.0}])
@pytest.mark.parametrize("kind", KINDS)
def test_dropout_both_ways(kind, option, steps, masked):
    """Outputs, last states and all gradients, of the same masks."""
    results, weights = [], None

    def run():
        nonlocal weights
        layer = make(kind, return_sequences=True, return_state=True, **option)
        probe = Probe(layer, numbers(5, steps, 3), [numbers(5, 3, seed=i) for i in range(KINDS[kind][1])],
                      some_mask(5, steps) if masked else None)
        weights = weights or layer.get_weights()
        layer.set_weights(weights)
        probe.run()
        results.append([probe.output, probe.gradient, *probe.gradients()])

    run()
    with step_by_step():
        run()
    for fast, slow in zip(*results, strict=True):
        np.testing.assert_allclose(fast, slow, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_of_many_steps_is_few_operations(kind):
    layer = make(kind, recurrent_dropout=0.2, dropout=0.2)
    assert len(Probe(layer, numbers(2, 30, 2)).operations) < 100


@pytest.mark.parametrize("option", [{}, {"return_sequences": True, "go_backwards": True}, {"activation": "softsign"}])
@pytest.mark.parametrize("kind", KINDS)
def test_what_every_layer_holds(kind, option):
    cls, _, own = KINDS[kind]
    check_layer(lambda: cls(5, **own, **option), (7, 4, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_regularizers_and_constraints(kind):
    cls, _, own = KINDS[kind]
    layer = cls(3, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l1",
                kernel_constraint="NonNeg", **own)
    layer(np.zeros((1, 2, 2)))
    assert len(layer.losses) == 3 and layer.weights[0].constraint is not None
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


# states

@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_in_two_parts(kind):
    """The states after one part, given to the next, continue the sequence."""
    layer = make(kind, return_sequences=True, return_state=True)
    x = numbers(4, 10, 3)
    y, *states = layer(x)
    first, *between = layer(x[:, :6])
    second, *after = layer(x[:, 6:], initial_state=between)
    np.testing.assert_allclose(np.concatenate([first, second], 1), y, rtol=1e-12)
    for a, b in zip(after, states):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert all(s.shape == (4, 3) for s in states)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_as_if_the_steps_were_not_there(kind):
    layer = make(kind, return_sequences=True, return_state=True)
    x, mask = numbers(1, 9, 3), np.array([[0, 1, 1, 0, 0, 1, 1, 1, 0]], bool)
    y, *states = layer(x, mask=mask)
    short, *expected = layer(x[:, mask[0]])
    np.testing.assert_allclose(y[:, mask[0]], short, rtol=1e-12)
    for a, b in zip(states, expected):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert not y[0, 0].any() and np.array_equal(y[0, 3], y[0, 2]) and np.array_equal(y[0, 8], y[0, 7])
    zero = type(layer).from_config(layer.get_config() | {"zero_output_for_mask": True})
    zero(x)
    zero.set_weights(layer.get_weights())
    assert np.array_equal(zero(x, mask=mask)[0], y * mask[..., None])


def test_a_setting_that_is_changed_counts_from_the_next_call_on():
    layer, x = LSTM(3), numbers(4, 5, 2).astype("float32")
    last = layer(x)
    layer.return_sequences = True
    assert np.array_equal(layer(x)[:, -1], last)
    layer.go_backwards = True
    assert np.array_equal(layer(x[:, ::-1])[:, -1], last)
    layer.return_state = True
    assert len(layer(x)) == 3


def test_a_setting_of_the_cell_is_refused_later():
    """AttributeError as in Keras."""
    for layer, name in ((LSTM(3), "dropout"), (GRU(3), "units"), (SimpleRNN(3), "activation")):
        with pytest.raises(AttributeError, match=rf"layer '\w+': `{name}` is a setting .* got 0.5; make .*{name}="):
            setattr(layer, name, 0.5)
        assert getattr(layer, name) == getattr(layer.cell, name) != 0.5


# dropout

@pytest.mark.parametrize("options", [{}, {"activation": "softsign"}, {"implementation": 1}])
@pytest.mark.parametrize("kind", KINDS)
def test_dropout_of_inputs_is_one_mask_for_all_steps(kind, options):
    """A unit that sees one feature gives the same at all steps where the state has no part in it."""
    cls, _, own = KINDS[kind]
    layer = cls(1, dropout=0.4, return_sequences=True, recurrent_initializer="zeros", kernel_initializer="ones",
                use_bias=False, seed=5, **own, **options)
    x = np.ones((4000, 3, 1), "float32")
    y = np.asarray(layer(x, training=True))[:, 0, 0]
    whole = np.asarray(layer(x))[:, 0, 0]
    if kind == "simple_rnn":
        share = np.mean(y != 0)
        assert abs(share - 0.6) < 5 * np.sqrt(0.24 / 4000)
        steps = np.asarray(layer(x, training=True))[:, :, 0]
        assert ((steps != 0) == (steps[:, :1] != 0)).all() and len(np.unique(steps[steps != 0])) == 1
    one_mask = options.get("implementation") != 1 or kind == "simple_rnn"
    values = len(np.unique(np.round(y, 5)))
    assert values == 2 if one_mask else values > 2          # one mask for all gates, or one for each
    assert len(np.unique(whole)) == 1


def test_recurrent_dropout_is_one_mask_for_all_steps():
    """h_t = x_t + mask · h_(t-1): a row keeps its state at all steps or at none."""
    layer = SimpleRNN(1, activation="linear", recurrent_dropout=0.25, return_sequences=True, use_bias=False,
                      kernel_initializer="ones", recurrent_initializer="ones")
    y = np.asarray(layer(np.ones((4000, 4, 1), "float32"), training=True))[..., 0]
    kept = np.isclose(y[:, 1], 1 + 4 / 3)
    assert abs(kept.mean() - 0.75) < 5 * np.sqrt(0.1875 / 4000)
    assert np.allclose(y[~kept], 1) and np.allclose(y[kept, 2], 1 + 4 / 3 + (4 / 3)**2)
    assert not np.array_equal(y, np.asarray(layer(np.ones((4000, 4, 1), "float32"), training=True))[..., 0])


# cells

class MinimalCell(layers.Layer):
    """A cell of the user's: h = tanh(x · w + h · u)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.w = self.add_weight("w", (input_shape[-1], self.units))
        self.u = self.add_weight("u", (self.units, self.units))

    def call(self, inputs, states):
        h = np.tanh(inputs @ self.w + states[0] @ self.u)
        return h, [h]

    def call_gradient(self, dy, dstates, inputs, states):
        h, _ = self.call(inputs, states)
        dz = (dy + dstates[0]) * (1 - h * h)
        return dz @ self.w.numpy().T, [dz @ self.u.numpy().T], inputs.T @ dz, states[0].T @ dz


def test_a_cell_in_numpy(tmp_path):
    layer = RNN(MinimalCell(3, dtype="float64"), return_sequences=True, return_state=True, dtype="float64")
    Probe(layer, numbers(2, 4, 2), [numbers(2, 3)], some_mask(2, 4)).check()
    simple = SimpleRNN(3, use_bias=False, return_sequences=True, dtype="float64")
    simple(numbers(2, 4, 2))
    simple.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(numbers(2, 4, 2))[0], simple(numbers(2, 4, 2)), rtol=1e-12)
    model = fastnn.Sequential([fastnn.Input((4, 2)), Bidirectional(RNN(MinimalCell(3))), Dense(1)])
    model.compile("sgd", "mse")
    x = numbers(6, 4, 2)
    model.fit(x, x[:, 0, :1], verbose=0)
    model.save(tmp_path / "m.fastnn")
    again = fastnn.models.load_model(tmp_path / "m.fastnn", custom_objects={"MinimalCell": MinimalCell})
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))


def test_a_cell_that_is_no_layer_and_has_no_gradient():
    class Sums:
        state_size = 2

        def call(self, inputs, states):
            total = states[0] + inputs
            return total, total

    x = numbers(3, 5, 2).astype("float32")
    np.testing.assert_allclose(RNN(Sums(), return_sequences=True)(x), x.cumsum(1), rtol=1e-5)
    model = fastnn.Sequential([fastnn.Input((5, 2)), Dense(2), RNN(Sums())])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="call_gradient"):
        model.fit(x, x[:, 0], verbose=0)


def test_cells_on_cells():
    cells = [LSTMCell(3, dtype="float64"), GRUCell(2, dtype="float64"), SimpleRNNCell(4, dtype="float64")]
    layer = RNN(cells, return_sequences=True, return_state=True, dtype="float64")
    x = numbers(2, 4, 2)
    y, (h, c), *rest = layer(x)
    assert (y.shape, h.shape, c.shape, rest[0][0].shape) == ((2, 4, 4), (2, 3), (2, 3), (2, 2))
    chain = fastnn.Sequential([fastnn.Input((4, 2)), LSTM(3, return_sequences=True), GRU(2, return_sequences=True),
                               SimpleRNN(4, return_sequences=True)], dtype="float64")
    chain.set_weights(layer.get_weights())
    np.testing.assert_allclose(y, chain.predict(x, verbose=0), rtol=1e-12)
    np.testing.assert_allclose(layer(x, initial_state=[[h, c], *rest])[0].shape, y.shape)
    Probe(layer, x, [numbers(2, n) for n in (3, 3, 2, 4)], some_mask(2, 4)).check()


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_a_stack_of_cells_called_by_itself(n):
    cell, x = layers.StackedRNNCells([LSTMCell(4) for _ in range(n)]), numbers(3, 5, 2).astype("float32")
    layer = RNN(cell, return_sequences=True)
    expected, states = layer(x), [[np.zeros((3, 4), "float32")] * 2] * n
    for step in range(5):
        y, states = cell(x[:, step], states)
        np.testing.assert_allclose(y, expected[:, step], rtol=1e-5, atol=1e-6)
    assert [len(pair) for pair in states] == [2] * n and np.array_equal(states[-1][0], y)


@pytest.mark.parametrize("cell", [LSTMCell(4), GRUCell(4), GRUCell(4, reset_after=False), SimpleRNNCell(4)])
def test_a_cell_called_by_itself(cell):
    """A step at a time gives what the layer gives."""
    layer, x = RNN(cell, return_sequences=True), numbers(3, 5, 2).astype("float32")
    expected, states = layer(x), [np.zeros((3, 4), "float32")] * len(layer.state_size)
    for step in range(5):
        y, states = cell(x[:, step], states)
        np.testing.assert_allclose(y, expected[:, step], rtol=1e-5, atol=1e-6)


# models

def test_names_and_files(tmp_path):
    fastnn.backend.clear_session()
    model = fastnn.Sequential([fastnn.Input((5, 2)), LSTM(3, return_sequences=True), Bidirectional(GRU(2)), Dense(1)])
    assert [w.path for w in model.weights][:4] == [
        "lstm/lstm_cell/kernel", "lstm/lstm_cell/recurrent_kernel", "lstm/lstm_cell/bias",
        "bidirectional/forward_gru/gru_cell/kernel"]
    assert model.layers[0].count_params() == 4 * (2 * 3 + 3 * 3 + 3)
    model.layers[0].name = "first"                 # the file says how layers are named now
    x = numbers(4, 5, 2)
    model.save(tmp_path / "m.fastnn")
    again = fastnn.models.load_model(tmp_path / "m.fastnn")
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    clone = fastnn.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert np.array_equal(model.predict(x, verbose=0), clone.predict(x, verbose=0))
    assert clone.get_config() == model.get_config()


def test_forget_bias():
    layer = LSTM(3)
    layer(numbers(1, 2, 2))
    assert layer.get_weights()[2].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    plain = LSTM(3, unit_forget_bias=False)
    plain(numbers(1, 2, 2))
    assert not plain.get_weights()[2].any()


def test_trainable_reaches_the_cell():
    model = fastnn.Sequential([fastnn.Input((5, 2)), LSTM(3), Dense(1)])
    model.compile("sgd", "mse")
    x = numbers(4, 5, 2)
    model.fit(x, x[:, 0, :1], verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, x[:, 0, :1], verbose=0)
    assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights())] == [True] * 3 + [False] * 2
    assert not LSTM(3, trainable=False).cell.trainable


@pytest.mark.parametrize("options", [{"recurrent_dropout": 0.3}, {"dropout": 0.3, "implementation": 1}],
                         ids=["recurrent", "inputs"])
@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_a_frozen_layer_with_dropout_is_trained_through(kind, options):
    model = fastnn.Sequential([fastnn.Input((5, 2)), Dense(2), kind(3, trainable=False, **options), Dense(1)])
    model.compile("sgd", "mse")
    x, before = numbers(4, 5, 2), model.get_weights()
    model.fit(x, x[:, 0, :1], verbose=0)
    kept = [np.array_equal(a, b) for a, b in zip(before, model.get_weights())]
    assert kept == [False] * 2 + [True] * 3 + [False] * 2


def test_symbolic_states():
    y, h, c = LSTM(3, return_state=True, return_sequences=True)(fastnn.Input((5, 2)))
    assert (y.shape, h.shape, c.shape) == ((None, 5, 3), (None, 3), (None, 3))
