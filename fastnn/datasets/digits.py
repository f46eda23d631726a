"""Handwritten digits: 1797 pictures of 8 by 8 pixels with values from 0 to 16, ten classes."""
from . import _scikit

CLASS_NAMES = tuple("0123456789")


def load_data(test_split=0.2, seed=113):
    """Return (x_train, y_train), (x_test, y_test): x float64 (rows, 64), y int64 (rows,), the digit.

    test_split: the share of rows for the test, between 0 and 1. seed: of the split. Raises ImportError where
    scikit-learn is not installed.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 64), (360, 64))
    """
    return _scikit.load("digits", test_split, seed)
