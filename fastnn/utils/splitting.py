"""Data in two parts."""
from __future__ import annotations

import numpy as np

from .. import _arrays, _settings
from .._kernels import runner


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None) -> tuple:
    """The rows of ``dataset`` in two parts, (left, right), each of the form that was given.

    dataset: an array, or a list or tuple of arrays with equal numbers of rows (then each part is a tuple of arrays).
    ``left_size``, ``right_size``: a share from 0 to 1 or a number of rows; what is not given is the rest. ``shuffle``:
    rows in an order that is f(seed); ``seed`` None: of the global generator. Without it parts are views, not copies.
    Keras returns its backend's data sets instead; ``preferred_backend`` is ignored. Raises ValueError for sizes that do
    not fit.

    >>> split_dataset(np.arange(5), left_size=0.8)
    (array([0, 1, 2, 3]), array([4]))
    """
    several = isinstance(dataset, tuple) or (isinstance(dataset, list) and bool(dataset) and np.ndim(dataset[0]) > 0)
    arrays = [np.asarray(part) for part in dataset] if several else [np.asarray(dataset)]
    if not arrays or any(a.ndim == 0 for a in arrays) or len({len(a) for a in arrays}) > 1:
        raise ValueError("`dataset` must be an array, or arrays with the same number of rows, got "
                         f"{type(dataset).__name__} with shapes {[a.shape for a in arrays]!s:.80}")
    n = len(arrays[0])
    left, right = _rows(n, left_size, right_size)
    if _settings.flag("shuffle", shuffle):
        if seed is None:
            seed = int(np.random.randint(2**31))       # noqa: NPY002 - what set_random_seed has seeded
        order = runner.permutation(n, _arrays.whole_number("seed", seed, 0), 0)
        arrays = [a[order] for a in arrays]
    parts = tuple(a[:left] for a in arrays), tuple(a[left:left + right] for a in arrays)
    return parts if several else (parts[0][0], parts[1][0])


def _rows(n: int, left, right) -> tuple[int, int]:
    """Rows of both parts."""
    if left is None and right is None:
        raise ValueError("`left_size` or `right_size` must be given, got None for both")
    first = None if left is None else _size(n, "left_size", left)
    second = n - (first or 0) if right is None else _size(n, "right_size", right)
    first = n - second if first is None else first
    if first + second > n or not first or not second:
        raise ValueError(f"`left_size` and `right_size` must leave rows for both parts of {n} rows, got {left!r} and "
                         f"{right!r}, which are {first} and {second} rows")
    return first, second


def _size(n: int, argument: str, size) -> int:
    """A share or a number of rows as a number of rows."""
    if isinstance(size, (float, np.floating)):
        if not 0 <= size <= 1:
            raise ValueError(f"`{argument}` must be a share from 0 to 1 or a whole number of rows, got {size!r}")
        return round(n * float(size))
    rows = _arrays.whole_number(argument, size, 0)
    if rows > n:
        raise ValueError(f"`{argument}` must be at most the {n} rows there are, got {rows}")
    return rows
