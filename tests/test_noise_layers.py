"""Layers that draw random numbers in training: what they drop, what they add, their seeds."""
import math

import numpy as np
import pytest

import fastnn
from fastnn.layers import AlphaDropout, Dropout, GaussianDropout, GaussianNoise


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


def normal_share(limit):
    """The share of a normal distribution within so many deviations."""
    return math.erf(limit / math.sqrt(2))


def test_noise_is_normal():
    x = np.zeros((1000, 500), "float32")
    layer = GaussianNoise(0.5, seed=1)
    first, second = layer(x, training=True) / 0.5, layer(x, training=True) / 0.5
    assert abs(first.mean()) < 0.005 and abs(first.std() - 1) < 0.005
    assert abs((first ** 3).mean()) < 0.02 and abs((first ** 4).mean() - 3) < 0.05
    for limit in (0.5, 1, 2, 3):
        assert abs((np.abs(first) < limit).mean() - normal_share(limit)) < 0.003
    assert abs(np.corrcoef(first[:, ::2].ravel(), first[:, 1::2].ravel())[0, 1]) < 0.01      # of one pair of words
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.01
    assert np.array_equal(layer(x), x)


def test_gaussian_dropout_multiplies():
    x = np.full((1000, 100), 3, "float32")
    y = GaussianDropout(0.2, seed=1)(x, training=True) / 3
    assert abs(y.mean() - 1) < 0.01 and abs(y.std() - 0.5) < 0.01


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((1000, 200)).astype("float32")
    y = AlphaDropout(0.3, seed=1)(x, training=True)
    assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.03
    dropped = np.unique(y, return_counts=True)[1].max() / y.size
    assert abs(dropped - 0.3) < 0.01


@pytest.mark.parametrize("layer", [Dropout, GaussianNoise, AlphaDropout, GaussianDropout])
def test_a_seed_of_its_own(layer):
    x = np.ones((50, 20), "float32")
    one, again, other = (layer(0.5, seed=seed)(x, training=True) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    fastnn.random.set_seed(fastnn.random.get_seed() ^ 1)
    assert np.array_equal(layer(0.5, seed=1)(x, training=True), one), "whatever the seed of the process"


def test_noise_shapes():
    x = np.ones((40, 6, 5), "float32")
    y = Dropout(0.5, noise_shape=(None, 1, 5), seed=1)(x, training=True)
    assert (y == y[:, :1]).all() and not (y == y[:, :, :1]).all() and not (y == y[:1]).all()
    y = Dropout(0.5, noise_shape=(1, 6, 1), seed=1)(x, training=True)
    assert (y == y[:1]).all() and (y == y[:, :, :1]).all() and len(np.unique(y)) == 2
    y = Dropout(0.5, noise_shape=(40, 1, 1), seed=1)(x, training=True)
    assert (y == y[:, :1, :1]).all() and abs((y == 0).mean() - 0.5) < 0.4
    with pytest.raises(ValueError, match="`noise_shape` must have the input's axes"):
        Dropout(0.5, noise_shape=(None, 2, 5))(x, training=True)
