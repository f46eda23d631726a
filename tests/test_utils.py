"""fastnn.utils and fastnn.backend."""
import random as python_random
import threading

import numpy as np
import pytest

from fastnn import backend, random, utils


@pytest.fixture
def names(monkeypatch):
    """Counters of names that start at nothing, for this test only."""
    monkeypatch.setattr(backend, "_used", {})


def test_set_random_seed_seeds_all_three(monkeypatch):
    monkeypatch.setattr(random, "_seed", None)
    draws = []
    for _ in range(2):
        utils.set_random_seed(11)
        draws.append((python_random.random(), np.random.random(), random.get_seed()))     # noqa: NPY002
    assert draws[0] == draws[1] and draws[0][2] == 11


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (2**32, ValueError), (0.5, TypeError),
                                             (None, TypeError)])
def test_set_random_seed_refuses_before_it_seeds(seed, error, monkeypatch):
    monkeypatch.setattr(random, "_seed", 5)
    state = python_random.getstate()
    with pytest.raises(error, match="`seed` must be a whole number"):
        utils.set_random_seed(seed)
    assert random.get_seed() == 5 and python_random.getstate() == state


@pytest.mark.parametrize("labels", [[0, 2, 1], np.array([[0], [2], [1]]), np.array([0.0, 2.0, 1.0]),
                                    np.array([0, 2, 1], "uint8"), (0, 2, 1)])
def test_to_categorical(labels):
    rows = utils.to_categorical(labels)
    assert rows.dtype == np.float64 and rows.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_to_categorical_keeps_inner_axes_and_takes_num_classes():
    assert utils.to_categorical([[0, 1], [1, 0]], num_classes=3).shape == (2, 2, 3)
    assert utils.to_categorical([0, 1], 4).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert utils.to_categorical([True, False]).tolist() == [[0, 1], [1, 0]]
    assert utils.to_categorical(np.array([255], "uint8")).shape == (1, 256)
    assert utils.to_categorical(np.zeros(0, int), 3).shape == (0, 3)


@pytest.mark.parametrize(("labels", "n_classes", "words"), [
    ([0, 1, -1], None, "of at least 0, got -1 at row 2"), ([0, 1.5], None, "of at least 0, got 1.5 at row 1"),
    ([0, 3], 3, "below `num_classes`, 3, got 3 at row 1"), ([0, np.nan], None, "got nan at row 1"),
    ([0, np.inf], None, "got inf at row 1"), ([0], 0, "`num_classes` must be a whole number of at least 1, got 0")])
def test_to_categorical_refuses_what_is_no_class(labels, n_classes, words):
    with pytest.raises(ValueError, match=words):
        utils.to_categorical(labels, n_classes)


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 12.0]])
    expected = x / np.array([[5.0], [1.0], [13.0]])
    assert np.allclose(utils.normalize(x), expected) and (utils.normalize(x)[1] == 0).all()
    assert np.allclose(utils.normalize(x, axis=0), x / np.linalg.norm(x, axis=0))
    assert np.allclose(utils.normalize(x, order=1), x / np.array([[7.0], [1.0], [17.0]]))
    assert np.allclose(utils.normalize([3, 4]), [0.6, 0.8])
    with pytest.raises(ValueError, match=r"`axis` must be from -2 to 1 .* rank 2, got 2"):
        utils.normalize(x, axis=2)


def test_epsilon_and_floatx(monkeypatch):
    monkeypatch.setattr(backend, "_epsilon", 1e-7)
    monkeypatch.setattr(backend, "_floatx", "float32")
    assert (backend.epsilon(), backend.floatx()) == (1e-7, "float32")
    backend.set_epsilon(1e-5)
    backend.set_floatx("float64")
    assert (backend.epsilon(), backend.floatx()) == (1e-5, "float64")
    for value in (0, -1, 1, "a", True, float("nan")):
        with pytest.raises(ValueError, match="`epsilon` must be a number between 0 and 1"):
            backend.set_epsilon(value)
    for value in ("float16", "single", None, np.float32):
        with pytest.raises(ValueError, match="`floatx` must be 'float32' or 'float64'"):
            backend.set_floatx(value)
    assert (backend.epsilon(), backend.floatx()) == (1e-5, "float64")


@pytest.mark.parametrize(("name", "expected"), [
    ("Dense", "dense"), ("Conv2D", "conv2d"), ("MaxPooling2D", "max_pooling2d"), ("LSTM", "lstm"), ("GRU", "gru"),
    ("BatchNormalization", "batch_normalization"), ("SimpleRNN", "simple_rnn"), ("ReLU", "re_lu"), ("AUC", "auc"),
    ("GlobalAveragePooling1D", "global_average_pooling1d"), ("MeanSquaredError", "mean_squared_error")])
def test_snake_case_as_keras_writes_it(name, expected):
    assert backend.snake_case(name) == expected


def test_names_are_numbered_until_clear_session(names):
    assert [backend.unique_name("dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert backend.unique_name("lstm") == "lstm"
    backend.clear_session()
    assert backend.unique_name("dense") == "dense"


def test_names_differ_between_threads(names):
    found, n = [], 200
    threads = [threading.Thread(target=lambda: found.extend(backend.unique_name("dense") for _ in range(n)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8 * n
