"""Streams: batches that a generator, a ``fastnn.utils.Sequence`` or another iterable yields, one by one."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set, Sized
from typing import Any

import numpy as np

from .._kernels import runner
from ..utils.sequence import PyDataset

ENDED = object()
ARRAY_PROTOCOLS = ("__array__", "__array_interface__", "__dlpack__", "toarray")


def is_stream(x) -> bool:
    """Whether x yields batches, rather than being what NumPy makes an array of."""
    if type(x) is np.ndarray or x is None or isinstance(x, (Sequence, Mapping, Set, np.ndarray)):
        return isinstance(x, PyDataset)
    if isinstance(x, PyDataset):
        return True
    return hasattr(x, "__iter__") and not any(hasattr(x, name) for name in ARRAY_PROTOCOLS)


class Stream:
    """The batches of ``source``, pass after pass.

    A Sequence is asked by index, in an order that is f(seed, step) where ``seed`` is given; another iterable is
    iterated anew in each pass; an iterator has one pass only, which goes on from epoch to epoch.
    """

    def __init__(self, source: Any, seed: int | None):
        self.source, self.seed = source, seed
        self.sequence = isinstance(source, PyDataset)
        self.one_pass = isinstance(source, Iterator)
        self.n_batches: int | None = self._length()
        self.position = 0                          # batches of this pass, or of the only one, that were fetched
        self.fetched = 0                           # batches fetched in all
        self._iterator: Iterator | None = None

    def _length(self) -> int | None:
        """Batches of a pass, None where the source does not know."""
        if self.sequence:
            return self.source.num_batches
        if isinstance(self.source, Sized):
            try:
                return len(self.source)
            except TypeError:                      # an endless or unknown one says so by this error
                return None
        return None

    @property
    def ended(self) -> bool:
        """Whether there will never be another batch."""
        return self.one_pass and self._iterator is None and self.fetched > 0

    def begin_epoch(self, step: int) -> None:
        """An epoch begins, at this step of the optimizer: a new pass, unless one is still going on."""
        if self.sequence:
            self.source.on_epoch_begin()
        if self._iterator is None and not self.ended:
            self._iterator = self._pass(step)
            self.position = 0

    def end_epoch(self, whole: bool) -> None:
        """An epoch has ended; with ``whole`` the next one begins a new pass."""
        if self.sequence:
            self.source.on_epoch_end()
        if (whole and not self.one_pass) or (self.n_batches is not None and self.position >= self.n_batches):
            self._iterator = None

    def next(self) -> Any:
        """The next batch, or ENDED; what the source raises comes through as it is."""
        if self._iterator is None:
            return ENDED
        batch = next(self._iterator, ENDED)
        if batch is ENDED:
            self._iterator = None
        else:
            self.position += 1
            self.fetched += 1
        return batch

    def skip(self, batches: int, step: int) -> None:
        """Go to the place after so many batches of a pass that began at this step; an iterator can only go on to it."""
        if not self.one_pass:
            self._iterator, self.position = self._pass(step), 0
        for _ in range(batches - self.position):
            self.next()

    def _pass(self, step: int) -> Iterator:
        if not self.sequence or self.n_batches is None:
            return iter(self.source)
        order = range(self.n_batches) if self.seed is None else runner.permutation(
            self.n_batches, self.seed, step).tolist()
        return (self.source[i] for i in order)


def unpacked(batch: Any, where: str, needs_y: bool = True) -> tuple:
    """(x, y, sample_weight) of what a stream has yielded, None for what it has not; ``where`` names the batch."""
    if hasattr(batch, "__array__"):
        batch = (batch,)
    if isinstance(batch, (tuple, list)) and 1 + needs_y <= len(batch) <= 3:
        return (*batch, None, None)[:3]
    if isinstance(batch, Mapping):
        got = f"a {type(batch).__name__} with the keys {', '.join(map(str, batch)):.60}"
    elif isinstance(batch, (tuple, list)):
        got = "x alone" if len(batch) == 1 else f"{len(batch)} values"
    else:
        got = f"{type(batch).__name__}: {batch!r:.60}"
    raise ValueError(f"{where} must be (x, y) or (x, y, sample_weight){'' if needs_y else ', or x alone'}, got {got}")
