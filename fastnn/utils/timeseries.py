"""Windows of a time series, batch by batch."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import _arrays, _settings
from .._kernels import runner

# What a data set of TensorFlow does besides, and what does it here.
INSTEAD = {
    "batch": "timeseries_dataset_from_array takes `batch_size`",
    "filter": "leave steps out of `data` and `targets`",
    "repeat": "it begins again with every epoch of fit, and with every loop over it",
    "shuffle": "timeseries_dataset_from_array takes `shuffle=True`",
    "skip": "timeseries_dataset_from_array takes `start_index`",
    "unbatch": "timeseries_dataset_from_array takes `batch_size=None`",
}


CHECKED = 16_384             # steps that are looked at at once


class Stream:
    """Batches that can be iterated any number of times, with methods that data sets of TensorFlow have."""

    def map(self, map_func: Callable[..., Any], num_parallel_calls=None, deterministic=None) -> Mapped:
        """The stream of ``map_func(batch)``, or ``map_func(x, y)``, made when they are asked for.

        The other arguments are for TensorFlow's sake.
        """
        if not callable(map_func):
            raise TypeError(f"`map_func` must be a function of a batch, got {map_func!r:.60}")
        return Mapped(self, map_func)

    def prefetch(self, buffer_size=None):
        """The same stream: its batches are made while nothing waits for a device."""
        return self

    def cache(self, filename=""):
        """The same stream: its data are in memory already."""
        return self

    def __getattr__(self, name: str):
        if name in INSTEAD:
            raise AttributeError(f"windows of a series have no `{name}`: {INSTEAD[name]}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Mapped(Stream):
    """What a function makes of each batch of a stream."""

    def __init__(self, source, function: Callable[..., Any]):
        self.source, self.function = source, function

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[Any]:
        return (self.function(*batch) if isinstance(batch, tuple) else self.function(batch) for batch in self.source)

    def take(self, count: int) -> Mapped:
        """The same with at most the first ``count`` batches of each pass."""
        return Mapped(self.source.take(count), self.function)


class Windows(Stream):
    """Batches of windows: iterating gives them from the beginning, any number of times; ``len`` is their number.

    ``data``, ``targets``: arrays, or None for the latter; ``starts``: where in both the windows begin, in order;
    ``offsets``: of the steps of a window. ``batch_size``: None for one window at a time, without a batch axis.
    ``seed``: the windows come in a new order, f(seed, pass), in each pass; None: as they lie.
    """

    def __init__(self, data: np.ndarray, targets: np.ndarray | None, starts: np.ndarray, offsets: np.ndarray,
                 batch_size: int | None, seed: int | None):
        self.data, self.targets, self.starts, self.offsets = data, targets, starts, offsets
        self.batch_size, self.seed = batch_size, seed
        self.passes = 0                              # begun so far
        self.n_batches = -(-len(starts) // (batch_size or 1))

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[Any]:
        starts = self.starts
        if self.seed is not None:
            starts = starts[runner.permutation(len(starts), self.seed, self.passes)]
        self.passes += 1
        return (self._batch(starts, i) for i in range(self.n_batches))

    def _batch(self, starts: np.ndarray, i: int) -> Any:
        """Batch i of a pass: the windows, or (windows, targets)."""
        chosen = starts[i] if self.batch_size is None else starts[i * self.batch_size:(i + 1) * self.batch_size]
        windows = self.data[chosen[..., None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[chosen])

    def check(self, dtype: str) -> None:
        """ValueError for the first step of a window, or the first target, that is no finite number of ``dtype``: found
        here it has a place in data or targets, and no weight has changed. What no window reads may be anything."""
        starts = self.starts
        if self.seed is None:                        # else any may be among those that are taken
            starts = starts[:self.n_batches * (self.batch_size or 1)]
        for name, values, offsets in (("data", self.data, self.offsets), ("targets", self.targets, np.zeros(1, int))):
            if values is None or values.dtype.kind != "f" or not len(starts):
                continue
            read = None                              # the steps that windows read, once it matters
            for first in range(starts[0], starts[-1] + offsets[-1] + 1, CHECKED):
                with np.errstate(over="ignore"):
                    part = values[first:first + CHECKED].astype(dtype)
                for step in first + np.flatnonzero(~np.isfinite(part).reshape(len(part), -1).all(1)):
                    if read is None:
                        read = np.zeros(len(values), bool)
                        for offset in offsets:
                            read[starts + offset] = True
                    if read[step]:
                        raise ValueError(_arrays.not_finite(name, values, int(step)))

    def take(self, count: int) -> Windows:
        """The same with at most the first ``count`` batches of each pass."""
        taken = Windows(self.data, self.targets, self.starts, self.offsets, self.batch_size, self.seed)
        taken.n_batches = min(taken.n_batches, _arrays.whole_number("count", count, 0))
        return taken


def timeseries_dataset_from_array(data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128,
                                  shuffle=False, seed=None, start_index=None, end_index=None, format="tf") -> Windows:
    """Batches of windows of a series, and their targets: what ``fit``, ``evaluate`` and ``predict`` take.

    data: (steps, ...) numbers. targets: (steps, ...), that of step i is for the window that begins at step i; None:
    batches are windows alone. A window has ``sequence_length`` steps, ``sampling_rate`` apart; windows begin
    ``sequence_stride`` apart. ``batch_size``: windows in a batch, of which the last may have fewer; None: one at a
    time, without a batch axis. ``shuffle``: a new order in each pass, f(seed, pass); ``seed`` None: of the global
    generator. ``start_index``, ``end_index``: only these steps of data and targets are used. ``format`` is for Keras's
    sake.
    Returns an iterable with a length that may be iterated any number of times, of (windows, targets) or windows:
    arrays (batch, sequence_length, ...) and (batch, ...), made when they are asked for. Raises ValueError where no
    window fits and for numbers that are no such places, steps or counts.

    >>> for x, y in timeseries_dataset_from_array(np.arange(6), np.arange(6) + 3, 3, batch_size=2):
    ...     print(x.tolist(), y.tolist())
    [[0, 1, 2], [1, 2, 3]] [3, 4]
    [[2, 3, 4], [3, 4, 5]] [5, 6]
    """
    series = _series("data", data, 1)
    length = _arrays.whole_number("sequence_length", sequence_length, 1)
    stride = _step("sequence_stride", sequence_stride, len(series))
    rate = _step("sampling_rate", sampling_rate, len(series))
    size = _settings.optional_count("batch_size", batch_size)
    start, end = _part(start_index, end_index, len(series))
    if format not in ("tf", "grain"):
        raise ValueError(f"`format` must be 'tf' or 'grain', which are the same here, got {format!r:.60}")
    aims, needed = None if targets is None else _series("targets", targets, 0), (length - 1) * rate + 1
    windows = end - start - needed + 1
    if windows < 1:
        raise ValueError(f"`sequence_length` must leave room for a window, got {length} steps, {rate} apart, which are "
                         f"{needed} of {end - start} steps; make it shorter, or give more data")
    if aims is not None:
        windows = min(windows, len(aims) - start)
        if windows < 1:
            raise ValueError(f"`targets` must hold one for a window at least, got none from step {start} on")
    return Windows(series, aims, np.arange(start, start + windows, stride), np.arange(0, needed, rate), size,
                   _order(shuffle, seed))


def _order(shuffle, seed) -> int | None:
    """The seed of the order in which windows come, None where they come as they lie."""
    if not _settings.flag("shuffle", shuffle):
        return None
    if seed is None:
        seed = int(np.random.randint(2**31))       # noqa: NPY002 - what set_random_seed has seeded
    return _arrays.whole_number("seed", seed, 0)


def _series(argument: str, values, fewest: int) -> np.ndarray:
    """Numbers with a first axis of steps, of which there are some where ``fewest`` is 1."""
    array = _arrays.numbers(values, argument)
    if array.ndim == 0:
        raise ValueError(f"`{argument}` must have a first axis of steps, got the single number {array[()]}")
    if len(array) < fewest:
        raise ValueError(f"`{argument}` must have at least one step, got none")
    return array


def _step(argument: str, value, steps: int) -> int:
    """A distance between steps: at least 1 and less than their number."""
    number = _arrays.whole_number(argument, value, 1)
    if number >= steps:
        raise ValueError(f"`{argument}` must be less than the {steps} steps of `data`, got {number}")
    return number


def _part(start_index, end_index, steps: int) -> tuple[int, int]:
    """The first step of the part that is used, and the one after its last."""
    start = 0 if start_index is None else _arrays.whole_number("start_index", start_index, 0)
    if start_index is not None and start >= steps:
        raise ValueError(f"`start_index` must be less than the {steps} steps of `data`, got {start}")
    end = steps if end_index is None else _arrays.whole_number("end_index", end_index, 1)
    if end_index is not None and end >= steps:
        raise ValueError(f"`end_index` must be less than the {steps} steps of `data`, got {end}; leave it out to use "
                         "all")
    if end <= start:
        raise ValueError(f"`end_index` must be above `start_index`, got {end} and {start}")
    return start, end
