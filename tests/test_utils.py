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


SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize(("options", "expected"), [
    ({}, [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]), ({"maxlen": 2}, [[0, 1], [2, 3], [0, 0], [5, 6]]),
    ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [0, 0, 0], [4, 5, 6]]),
    ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [0, 0], [4, 5]]),
    ({"maxlen": 4, "value": -1}, [[-1, -1, -1, 1], [-1, -1, 2, 3], [-1, -1, -1, -1], [-1, 4, 5, 6]]),
    ({"maxlen": 0}, [[], [], [], []])])
def test_pad_sequences(options, expected):
    rows = utils.pad_sequences(SEQUENCES, **options)
    assert rows.dtype == np.int32 and rows.tolist() == expected
    assert utils.pad_sequences([np.array(s) for s in SEQUENCES], **options).tolist() == expected


def test_pad_sequences_of_vectors_words_and_nothing():
    vectors = utils.pad_sequences([np.ones((2, 3)), np.zeros((0, 3)), [[2, 2, 2]]], dtype="float32", padding="post")
    assert vectors.shape == (3, 2, 3) and vectors.dtype == np.float32 and vectors[2].tolist() == [[2] * 3, [0] * 3]
    words = utils.pad_sequences([["a"], ["b", "cde"]], dtype=object, value="")
    assert words.tolist() == [["", "a"], ["b", "cde"]]
    assert utils.pad_sequences([]).shape == (0, 0)


@pytest.mark.parametrize(("sequences", "options", "words"), [
    ([1, 2], {}, "a list of sequences, got 1 at place 0"), (5, {}, "a list of sequences, got int"),
    (SEQUENCES, {"padding": "left"}, "`padding` must be 'pre' or 'post', got 'left'"),
    (SEQUENCES, {"truncating": "left"}, "`truncating` must be 'pre' or 'post', got 'left'"),
    (SEQUENCES, {"maxlen": -1}, "`maxlen` must be a whole number of at least 0, got -1"),
    (SEQUENCES, {"value": "x"}, "`value` must be a number for the dtype int32, got 'x'"),
    ([[1], [2, 2**40]], {}, "what the dtype int32 can, got 1099511627776 in sequence 1"),
    ([np.array([5, -2**40])], {}, r"int32 can, got np.int64\(-1099511627776\) in sequence 0"),
    ([[1], [3, "a"]], {}, "int32 can, got 'a' in sequence 1; use another `dtype`, or for words a Tokenizer"),
    ([[1], [None]], {"dtype": "int64"}, "int64 can, got None in sequence 1"),
    ([[1], [[1, 2], [3]]], {}, "steps of one shape"),
    ([np.ones((2, 3)), np.ones((2, 4))], {}, r"got \(3,\) and \(4,\) in sequence 1")])
def test_pad_sequences_refuses(sequences, options, words):
    with pytest.raises(ValueError, match=words):
        utils.pad_sequences(sequences, **options)


@pytest.mark.parametrize(("sizes", "left"), [({"left_size": 0.75}, 6), ({"left_size": 6}, 6), ({"right_size": 2}, 6),
                                             ({"right_size": 0.25}, 6), ({"left_size": 0.7}, 6), ({"left_size": 1}, 1)])
def test_split_dataset(sizes, left):
    x, y = np.arange(16).reshape(8, 2), np.arange(8)
    one, two = utils.split_dataset(x, **sizes)
    assert np.array_equal(one, x[:left]) and np.array_equal(two, x[left:]) and np.shares_memory(one, x)
    (x_1, y_1), (x_2, y_2) = utils.split_dataset((x, y), **sizes)
    assert np.array_equal(y_1, y[:left]) and np.array_equal(x_2, x[left:]) and len(x_1) == left and len(y_2) == 8 - left
    one, two = utils.split_dataset(y.tolist(), **sizes)
    assert one.tolist() == list(range(left)) and two.tolist() == list(range(left, 8))


def test_split_dataset_of_two_sizes_and_shuffled():
    y = np.arange(10)
    one, two = utils.split_dataset(y, 3, 0.5)
    assert one.tolist() == [0, 1, 2] and two.tolist() == [3, 4, 5, 6, 7]
    first, again, other = (utils.split_dataset((y, y), 3, 5, shuffle=True, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first[0][0], first[0][1]) and np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0]) and len(first[1][0]) == 5
    assert len({*first[0][0], *first[1][0]}) == 8, "no row is in both"
    for _ in range(2):
        utils.set_random_seed(3)
        found = utils.split_dataset(y, 5, shuffle=True)[0].tolist()
        assert found == utils.split_dataset(y, 5, shuffle=True, seed=None)[0].tolist() or found
    utils.set_random_seed(3)
    assert utils.split_dataset(y, 5, shuffle=True)[0].tolist() == found


@pytest.mark.parametrize(("arguments", "error", "words"), [
    ((np.arange(8),), ValueError, "`left_size` or `right_size` must be given"),
    ((np.arange(8), 1.5), ValueError, "`left_size` must be a share from 0 to 1"),
    ((np.arange(8), 9), ValueError, "`left_size` must be at most the 8 rows"),
    ((np.arange(8), 8), ValueError, "must leave rows for both parts of 8 rows, got 8 and None"),
    ((np.arange(8), 5, 4), ValueError, "which are 5 and 4 rows"), ((np.arange(8), "a"), TypeError, "`left_size`"),
    ((5, 0.5), ValueError, "`dataset` must be an array"),
    (((np.arange(3), np.arange(4)), 1), ValueError, "same number")])
def test_split_dataset_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        utils.split_dataset(*arguments)


def test_progbar(capsys):
    bar = utils.Progbar(4, stateful_metrics=["rate"])
    for step in range(3):
        bar.update(step + 1, [("loss", float(step)), ("rate", 0.1 * step)])
    assert capsys.readouterr().out == "", "no terminal: one line at the end"
    bar.add(1, [("loss", 5.0), ("rate", 7.0)])
    out = capsys.readouterr().out
    assert out.startswith("4/4 ") and out.endswith(" - loss: 5.0000 - rate: 7.0000\n")
    bar = utils.Progbar(None, verbose=2)
    bar.update(2, [("loss", 1.0)])
    bar.update(4, [("loss", 2.0)])
    assert {name: total / count for name, (total, count) in bar._sums.items()} == {"loss": 1.5}
    bar.update(5, finalize=True)
    assert "loss: 1.5000" in capsys.readouterr().out
    stateless = utils.Progbar(9, verbose=0, stateless_metrics=["loss"])
    stateless.update(1, [("loss", 1.0), ("rate", 1.0)])
    stateless.update(2, [("loss", 2.0), ("rate", 2.0)])
    assert {name: total / count for name, (total, count) in stateless._sums.items()} == {"loss": 1.5, "rate": 2.0}
    with pytest.raises(ValueError, match="must not both be given"):
        utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])


def test_get_file_refuses():
    with pytest.raises(NotImplementedError, match="downloads nothing, got origin"):
        utils.get_file("a", "https://example.org/a")


def test_names_of_own_classes():
    from fastnn import regularizers

    @utils.register_keras_serializable("mine")
    class Strange(regularizers.Regularizer):
        pass

    try:
        assert utils.get_custom_objects()["mine>Strange"] is Strange
        assert isinstance(regularizers.get({"class_name": "mine>Strange", "config": {}}), Strange)
    finally:
        utils.get_custom_objects().clear()
    with pytest.raises(ValueError):
        regularizers.get("Strange")
    with utils.CustomObjectScope({"Strange": Strange}):
        assert isinstance(regularizers.get("Strange"), Strange)


def test_namespaces_that_tutorials_import(run_python):
    code = """
from fastnn import keras
from fastnn.keras.preprocessing.sequence import pad_sequences
from fastnn.keras.preprocessing.text import Tokenizer
from fastnn.keras.utils import PyDataset, Sequence, to_categorical
from fastnn.keras.optimizers.schedules import ExponentialDecay
from fastnn.keras.datasets import iris
from fastnn.preprocessing.sequence import pad_sequences as same
from fastnn.keras import layers, backend
import fastnn.keras.layers, fastnn.keras.preprocessing.text as text, fastnn.preprocessing.text as ours
import fastnn
print(pad_sequences is same is fastnn.utils.pad_sequences, layers is fastnn.layers, text is ours,
      keras.utils is fastnn.utils)
"""
    assert run_python(code).stdout == "True True True True\n"
