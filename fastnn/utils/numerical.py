"""Functions on arrays, before and after a model."""
from __future__ import annotations

import numpy as np

from .. import _arrays


def to_categorical(x, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of class numbers.

    x: whole numbers of any shape; a last axis of 1 is dropped. ``num_classes``: default the largest number + 1. Returns
    float64 of shape (*x.shape, num_classes). Raises ValueError for a number that is not whole, negative or too large.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    labels = _arrays.as_rows(x, "x")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    _refuse(~((labels >= 0) & (labels == np.floor(labels)) & (labels < np.inf)), labels, "of at least 0")
    if num_classes is None:
        n_classes = int(labels.max()) + 1 if labels.size else 0
    else:
        n_classes = _arrays.whole_number("num_classes", num_classes, 1)
        _refuse(labels >= n_classes, labels, f"below `num_classes`, {n_classes}")
    rows = np.zeros((labels.size, n_classes))
    rows[np.arange(labels.size), labels.ravel().astype(np.int64)] = 1
    return rows.reshape(*labels.shape, n_classes)


def _refuse(wrong: np.ndarray, labels: np.ndarray, expected: str) -> None:
    """ValueError naming the first label that is wrong."""
    if wrong.any():
        place = np.unravel_index(wrong.argmax(), wrong.shape)
        raise ValueError(f"`x` must hold whole class numbers {expected}, got {labels[place]} at row {place[0]}")


def normalize(x, axis: int = -1, order=2) -> np.ndarray:
    """x divided by its norms along ``axis``, which become 1; where a norm is 0, the zeros stay.

    x: numbers of any shape; ``order``: of the norm, as in ``numpy.linalg.norm``. Returns a new array of x's shape.

    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    x = _arrays.plain(x)
    norms = np.linalg.norm(x, order, _arrays.check_axis(axis, x.ndim), keepdims=True)
    return x / np.where(norms == 0, 1, norms)
