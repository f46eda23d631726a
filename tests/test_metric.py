"""Accuracies against NumPy's argmax, with ties, NaN and weights."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for


def measure(name, p, t, weights=None, repeat=1, scalars=(), **settings):
    rows, size = p.shape
    operands = [p, t, weights, np.empty(rows, p.dtype)]
    return run(name, operands, [rows, size, repeat], scalars, dtype=p.dtype.name, **settings)[3]


@everywhere
def test_categorical_accuracies(level, dtype):
    for rows in (0, 1, 5, 33):
        for classes in SIZES[1:]:
            rng = np.random.default_rng([rows, classes])
            p = rng.integers(-2, 3, (rows, classes)).astype(dtype)      # many ties
            labels = rng.integers(0, classes, rows).astype(np.int32)
            right = (p.argmax(1) == labels).astype(dtype)
            t = np.eye(classes, dtype=dtype)[labels] - 2
            for name, target in (("sparse_categorical_accuracy", labels), ("categorical_accuracy", t)):
                assert np.array_equal(measure(name, p, target, level=level, threads=threads_for(rows)), right)
            for repeat in (1, rows or 1):
                weights = rng.random(rows // repeat).astype(dtype)
                weighted = measure("sparse_categorical_accuracy", p, labels, weights, repeat, level=level)
                assert np.array_equal(weighted, right * np.repeat(weights, repeat))
                assert np.array_equal(measure("categorical_accuracy", p, t, weights, repeat, level=level), weighted)


@everywhere
def test_ties_go_to_the_first_class_and_a_nan_is_never_right(level, dtype):
    nan = np.nan
    p = np.array([[1, 1, 0], [1, 1, 0], [nan, 1, 0], [1, nan, 0], [nan] * 3, [0, 0, 0]], dtype)
    labels = np.array([0, 1, 1, 0, 0, 3], np.int32)
    assert measure("sparse_categorical_accuracy", p, labels, level=level).tolist() == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("threshold", [0.5, 0.25])
@everywhere
def test_binary_accuracy(threshold, level, dtype):
    for rows in (0, 1, 5, 33):
        for size in (1, 3, 17):
            rng = np.random.default_rng([rows, size])
            p, t = rng.integers(0, 5, (rows, size)) / 4, rng.integers(0, 2, (rows, size))
            p, t, weights = p.astype(dtype), t.astype(dtype), rng.random(rows).astype(dtype)
            exact = (t == (p > threshold)).mean(1)
            settings = {"scalars": [threshold], "level": level, "threads": threads_for(rows)}
            assert_close(measure("binary_accuracy", p, t, **settings), exact)
            assert_close(measure("binary_accuracy", p, t, weights, **settings), exact * weights)
