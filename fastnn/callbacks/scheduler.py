"""The learning rate of each epoch from a function."""
from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from .base import Callback


class LearningRateScheduler(Callback):
    """Sets the learning rate at the begin of each epoch to ``schedule(epoch, rate)``, or to ``schedule(epoch)``.

    ``schedule`` takes the number of the epoch, from 0, and the present rate if it has a second argument; it returns a
    float. ``verbose=1`` says what happens. Adds ``learning_rate`` to the logs at the end of an epoch.
    Raises ValueError when ``schedule`` is no function or returns no float.

    >>> scheduler = LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    """

    def __init__(self, schedule: Callable, verbose=0):
        if not callable(schedule):
            raise ValueError("LearningRateScheduler: `schedule` must be a function (epoch, rate) -> rate, got "
                             f"{type(schedule).__name__}: {schedule!r:.60}")
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        rate = self.schedule(epoch, float(optimizer.learning_rate)) if self._takes_rate else self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            raise ValueError("LearningRateScheduler: `schedule` must return a float, got "
                             f"{type(rate).__name__}: {rate!r:.60}")
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_two(function: Callable) -> bool:
    """Whether a function can be called with two arguments."""
    try:
        inspect.signature(function).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:                     # a builtin that does not say
        return True
    return True
