"""Small networks learn as well as with Keras: the mean test accuracy over five seeds."""

import json
from pathlib import Path

import pytest
from experiments import EXPERIMENTS, SEEDS, deep_model, digits_cnn, digits_cnn_model, sine, sine_model

RECORD = json.loads((Path(__file__).parent / "data" / "accuracy.json").read_text())

# name: (lowest mean, largest difference from the mean of Keras, or None)
LIMITS = {"iris": (0.94, 0.02), "deep": (0.78, None), "digits": (0.9, 0.02)}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_mean_accuracy(K, name):
    lowest, distance = LIMITS[name]
    ours = [EXPERIMENTS[name](K, seed) for seed in SEEDS]
    mean, theirs = (sum(values) / len(values) for values in (ours, RECORD[name]))
    assert mean >= lowest, f"{name}: {ours}"
    assert distance is None or abs(mean - theirs) <= distance, f"{name}: {ours}, Keras had {RECORD[name]}"


def test_mean_accuracy_of_a_convolutional_net(K):
    """0.985 or more on the digits that it has not seen, after 15 epochs."""
    ours = [digits_cnn(K, seed) for seed in range(3)]
    assert sum(ours) / len(ours) >= 0.985, ours


def test_parameters_of_the_convolutional_net(K):
    assert digits_cnn_model(K).count_params() == 225_034             # what Keras counts


def test_deep_model_has_4451_parameters(K):
    assert deep_model(K).count_params() == 4451


@pytest.mark.parametrize(("layer", "parameters"), [("LSTM", 49_985), ("GRU", 37_889), ("SimpleRNN", 12_545)])
def test_recurrent_nets_continue_a_sine(K, layer, parameters):
    assert sine_model(K, layer).count_params() == parameters         # what Keras counts
    assert sine(K, layer, seed=0) <= 1e-4
