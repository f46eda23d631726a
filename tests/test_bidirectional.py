"""Bidirectional: gradients through every merge mode, what each direction sees, settings."""
import numpy as np
import pytest
from layer_checks import check_layer
from recurrent_checks import Probe

import fastnn
from fastnn.layers import GRU, LSTM, Bidirectional, SimpleRNN


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_gradients(mode, sequences):
    mask = np.array([[1, 0, 1], [0, 1, 1]])
    layer = Bidirectional(LSTM(2, return_sequences=sequences, return_state=True, dtype="float64"), mode,
                          dtype="float64")
    Probe(layer, numbers(2, 3, 2), [numbers(2, 2, seed=i) for i in range(4)], mask if sequences else None).check()


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave"])
def test_what_every_layer_holds(mode):
    check_layer(lambda: Bidirectional(GRU(3, return_sequences=True), mode), (5, 4, 2))
    check_layer(lambda: Bidirectional(SimpleRNN(3), mode, backward_layer=LSTM(3, go_backwards=True)), (5, 4, 2))


def test_penalties_on_the_outputs_of_both_directions():
    def loss(**options):
        model = fastnn.Sequential([fastnn.Input((4, 2)), Bidirectional(LSTM(3, **options))])
        model.set_weights([np.full(w.shape, 0.2) for w in model.get_weights()])
        model.compile("sgd", "mse")
        return model.evaluate(x, np.zeros((5, 6)), verbose=0), model.predict(x, verbose=0)

    x = numbers(5, 4, 2)
    (plain, y), (penalized, _) = loss(), loss(activity_regularizer="l2")
    np.testing.assert_allclose(penalized - plain, 0.01 * (y**2).sum() / 5, rtol=1e-4)


def test_the_second_direction_is_the_first_on_reversed_steps():
    layer, x = Bidirectional(LSTM(3, return_sequences=True), merge_mode=None), numbers(4, 5, 2)
    first, second = layer(x)
    weights = layer.get_weights()
    layer.set_weights(weights[3:] + weights[:3])
    second_too, first_too = layer(x[:, ::-1])
    assert np.array_equal(first, first_too[:, ::-1]) and np.array_equal(second, second_too[:, ::-1])


def test_names_settings_and_first_weights():
    layer = Bidirectional(GRU(3, name="forward_gru"), name="both")
    layer(numbers(2, 4, 2))
    assert [part.name for part in layer.parts] == ["forward_gru", "backward_gru"]
    assert layer.weights[3].path == "both/backward_gru/gru_cell/kernel"
    assert Bidirectional.from_config(layer.get_config()).get_config() == layer.get_config()
    again = Bidirectional(GRU(3), weights=layer.get_weights())
    again(numbers(2, 4, 2))
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), layer.get_weights()))
