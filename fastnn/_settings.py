"""Checks of what ``fit``, ``evaluate`` and ``predict`` are told: batch size, epochs, numbers of steps, flags, rates."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._arrays import real_number, whole_number

DEFAULT_BATCH_SIZE = 32


def check_batch_size(value, rows: int = 0, steps: int | None = None) -> int:
    """Rows of a batch: 1 or more; None is what divides ``rows`` into ``steps`` batches where these are given, else
    32."""
    if value is None:
        return -(-rows // steps) if steps and rows else DEFAULT_BATCH_SIZE
    return whole_number("batch_size", value, 1)


def check_epochs(epochs, initial_epoch) -> tuple[int, int]:
    """The epoch to end before, 1 or more, and the one to begin with, 0 or more."""
    return whole_number("epochs", epochs, 1), whole_number("initial_epoch", initial_epoch, 0)


def optional_count(argument: str, value) -> int | None:
    """A whole number of at least 1, or None."""
    return None if value is None else whole_number(argument, value, 1)


def flag(argument: str, value, where: str = "") -> bool:
    """A setting that is True or False; TypeError, which begins with ``where``, for anything else but 0 and 1."""
    if isinstance(value, (bool, np.bool_)) or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise TypeError(f"{where}`{argument}` must be True or False, got {type(value).__name__}: {value!r:.60}")


def epochs_of(argument: str, value) -> Callable[[int], bool]:
    """Whether something is due after an epoch (counted from 0): every ``value``th, or those in the list ``value``,
    counted from 1."""
    if isinstance(value, (list, tuple, set, frozenset)):
        chosen = {whole_number(argument, v, 1) for v in value}
        return lambda epoch: epoch + 1 in chosen
    every = whole_number(argument, value, 1)
    return lambda epoch: (epoch + 1) % every == 0


def check_validation_split(n: int, split) -> int:
    """The number of rows to train on; those after them, ``split`` of all, are for validation.

    Raises ValueError for a split outside [0, 1), or one that leaves no row in one of the two parts.
    """
    share = real_number("validation_split", split, "a number of at least 0 and below 1")
    if not 0 <= share < 1:
        raise ValueError(f"`validation_split` must be a number of at least 0 and below 1, got {share:g}")
    index = int(np.floor(n * (1.0 - share)))
    if share and not 0 < index < n:
        part = "validation" if index else "training"
        raise ValueError(f"`validation_split` must leave rows for both parts, got {share:g} of {n} rows, which leaves "
                         f"none for {part}; change it or give `validation_data`")
    return index


def check_learning_rate(value) -> float:
    """A finite number of at least 0."""
    rate = real_number("learning_rate", value, "a number of at least 0, or a function of the step number")
    if not 0 <= rate < np.inf:
        raise ValueError(f"`learning_rate` must be a finite number of at least 0, got {rate:g}")
    return rate
