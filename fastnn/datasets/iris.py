"""Fisher's irises: 150 flowers, four measures in centimetres, three species."""
from . import _scikit

CLASS_NAMES = ("setosa", "versicolor", "virginica")


def load_data(test_split=0.2, seed=113):
    """Return (x_train, y_train), (x_test, y_test): x float64 (rows, 4), y int64 (rows,), the index in CLASS_NAMES.

    test_split: the share of rows for the test, between 0 and 1. seed: of the split. Raises ImportError where
    scikit-learn is not installed.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((120, 4), (30, 4))
    """
    return _scikit.load("iris", test_split, seed)
