"""Data sets that scikit-learn brings along, split into training and test rows."""


def load(name, test_split, seed):
    """The data set that ``sklearn.datasets.load_<name>`` gives, each class split in the same proportion.

    Returns (x_train, y_train), (x_test, y_test): x float64 (rows, features), y int64 (rows,). Raises ImportError where
    scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError(
            f"fastnn.datasets.{name} needs scikit-learn ({error}): pip install 'fastnn[sklearn]'") from None
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=test_split, stratify=y, random_state=seed)
    return (x_train, y_train), (x_test, y_test)
