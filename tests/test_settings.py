"""Checks of what fit, evaluate and predict are told."""
import numpy as np
import pytest

from fastnn import _arrays, _settings


@pytest.mark.parametrize(("n", "split", "index"), [
    (10, 0, 10), (10, 0.0, 10), (10, 0.2, 8), (10, 0.25, 7), (150, 0.1, 135), (1000, 0.15, 850), (3, 0.5, 1),
    (2, 0.999, None), (3, np.float32(0.5), 1), (0, 0, 0), (7, 0.3, 4)])
def test_validation_split_is_at_keras_place(n, split, index):
    if index is None:
        with pytest.raises(ValueError, match="leaves none for training"):
            _settings.check_validation_split(n, split)
    else:
        assert _settings.check_validation_split(n, split) == index


def test_batch_size_and_counts():
    assert [_settings.check_batch_size(b) for b in (None, 1, 32, np.int32(7), np.uint64(9))] == [32, 1, 32, 7, 9]
    assert type(_settings.check_batch_size(np.int64(3))) is int
    assert _arrays.whole_number("initial_epoch", 0, 0) == 0


@pytest.mark.parametrize("rate", [0, 0.0, 1, 0.01, np.float32(0.5), np.float64(1e-4), np.int64(2)])
def test_learning_rates(rate):
    assert _settings.check_learning_rate(rate) == float(rate)
    assert type(_settings.check_learning_rate(rate)) is float
