"""A data set that gives its batches by number."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any


class PyDataset:
    """Base of data sets whose batches are made when they are needed: override ``__len__`` and ``__getitem__``.

    ``__getitem__(i)`` returns batch i: (x, y) or (x, y, sample_weight); ``__len__`` the number of batches. ``fit`` asks
    for them in an order of its own each epoch unless ``shuffle=False``. ``num_batches`` may say None: endless.
    ``workers``, ``use_multiprocessing`` and ``max_queue_size`` are taken as in Keras, but batches are always made in
    the thread that trains. Also known as ``Sequence``.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, i):
    ...         return [[i], [i + 1]], [i**2, (i + 1) ** 2]
    """

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers, self.use_multiprocessing, self.max_queue_size = workers, use_multiprocessing, max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``."""
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(index), which returns a batch")

    @property
    def num_batches(self) -> int | None:
        """The number of batches, by default ``len(self)``; None: endless."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(f"{type(self).__name__} has no __len__(), which returns the number of batches")
        return len(self)

    def __iter__(self) -> Iterator:
        """All batches in their order."""
        n = self.num_batches
        return (self[i] for i in (count() if n is None else range(n)))

    def on_epoch_begin(self) -> None:
        """An epoch begins."""

    def on_epoch_end(self) -> None:
        """An epoch has ended: the place to make other batches."""


Sequence = PyDataset
