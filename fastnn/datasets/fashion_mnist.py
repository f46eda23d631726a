"""Fashion-MNIST: 70,000 pictures of clothes, 28 by 28 pixels with values from 0 to 255, ten classes."""
from . import _idx

CLASS_NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def load_data(path=None):
    """Return (x_train, y_train), (x_test, y_test): x uint8 (rows, 28, 28), y uint8 (rows,), the index in CLASS_NAMES.

    60,000 rows to train with and 10,000 to test, from the four IDX files, compressed or not, or from one .npz file with
    the arrays x_train, y_train, x_test and y_test. Nothing is downloaded.

    path: the .npz file, or the folder of the files; a relative one may lie in Keras's cache folder as well. Where None,
    ``data/fashion-mnist`` and ``data`` are looked at, then Keras's cache folder (``~/.keras/datasets``, or ``datasets``
    in KERAS_HOME); files there that do not fit are passed over.
    Raises FileNotFoundError, which says what to put where, and ValueError for a file that is not Fashion-MNIST's.
    """
    return _idx.load("fashion_mnist", path)
