"""Data sets that scikit-learn brings along, split into training and test rows."""
import numpy as np


def load(name, test_split, seed):
    """The data set that ``sklearn.datasets.load_<name>`` gives, each class split in the same proportion.

    Returns (x_train, y_train), (x_test, y_test): x float64 (rows, features), y int64 (rows,). Raises ImportError where
    scikit-learn is not installed, ValueError for a split that cannot be.
    """
    where = f"{name}.load_data"
    split = f"{where}: `test_split` must be a number above 0 and below 1 that leaves rows of each class on both sides"
    if not isinstance(test_split, (float, np.floating)) or not 0 < test_split < 1:
        raise ValueError(f"{split}, got {test_split!r:.60}; e.g. 0.2")
    whole = hasattr(seed, "__index__") and not isinstance(seed, bool)
    if seed is not None and not (whole and 0 <= seed < 2**32):
        raise ValueError(f"{where}: `seed` must be an int from 0 to {2**32 - 1}, or None for another split each time, "
                         f"got {seed!r:.60}")
    try:
        from sklearn import datasets
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError(
            f"fastnn.datasets.{name} needs scikit-learn ({error}): pip install 'fastnn[sklearn]'") from None
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    try:
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=test_split, stratify=y, random_state=seed)
    except ValueError:                       # a class without a row on one side
        raise ValueError(f"{split}, got {test_split!r:.60} of {len(x)} rows; e.g. 0.2") from None
    return (x_train, y_train), (x_test, y_test)
