"""Handwritten digits: 1797 pictures of 8 by 8 pixels with values from 0 to 16, ten classes."""
import numpy as np

from . import _scikit

CLASS_NAMES = tuple("0123456789")


def load_data(test_split=0.2, seed=113, size=None):
    """Return (x_train, y_train), (x_test, y_test): x float64 (rows, 64), y int64 (rows,), the digit.

    test_split: the share of rows for the test, between 0 and 1. seed: of the split.
    size: 8 for pictures (rows, 8, 8); 28 for pictures as large as MNIST's, (rows, 28, 28): every pixel three times in
    both directions, and two black ones around. Raises ValueError for another size, ImportError where scikit-learn is
    not installed.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 64), (360, 64))
    """
    if size is not None and (type(size) is not int or size not in (8, 28)):
        raise ValueError(f"digits.load_data: `size` must be None, 8 or 28, got {size!r:.60}")
    (x_train, y_train), (x_test, y_test) = _scikit.load("digits", test_split, seed)
    return (_sized(x_train, size), y_train), (_sized(x_test, size), y_test)


def _sized(x, size):
    if size is None:
        return x
    x = x.reshape(-1, 8, 8)
    return x if size == 8 else np.pad(x.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
