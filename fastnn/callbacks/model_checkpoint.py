"""Saving the model while it trains."""
from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._warn import warn
from .interval import BatchInterval
from .monitor import Monitor, direction, optional_real


class ModelCheckpoint(Monitor):
    """Saves the model, or with ``save_weights_only`` its weights, after every epoch or every ``save_freq`` batches.

    ``filepath``: may hold ``{epoch}`` (counted from 1), ``{batch}`` and names of the logs, with formats:
    ``"{epoch:02d}-{val_loss:.2f}.fastnn"``; folders are made. The file is fastnn's format whatever the suffix, and
    appears whole or not at all. ``save_best_only``: only when ``monitor`` has got better (``mode`` "min", "max",
    "auto"), better than ``initial_value_threshold`` at first if that is given. ``verbose=1`` says what happens.
    Raises ValueError for settings of the wrong kind and, before training, for a model that no file can hold,
    KeyError for a name in ``filepath`` that the logs have not, OSError from the disk.
    """

    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False,
                 mode="auto", save_freq="epoch", initial_value_threshold=None):
        super().__init__(monitor, mode)
        if not isinstance(filepath, (str, os.PathLike)) or not os.fspath(filepath):
            raise ValueError(f"ModelCheckpoint: `filepath` must be a path, got {filepath!r:.60}")
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.interval = BatchInterval.of(self, save_freq)
        self.save_freq = save_freq
        self.best = optional_real("ModelCheckpoint", "initial_value_threshold", initial_value_threshold)
        self._epoch = 0

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "interval": self.interval and self.interval.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = state["best"]
        if self.interval and state["interval"]:
            self.interval.set_state(state["interval"])

    def before_fit(self, model, callbacks: list[Any]) -> None:
        """Find what cannot be saved before there is something to lose."""
        model._check_savable(not self.save_weights_only)

    def on_train_begin(self, logs=None):
        if self.save_best_only and self.mode == "auto":
            self._direction = direction(self.monitor, self.model, "ModelCheckpoint")

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def on_interval(self, batch, logs):
        """So many batches have run since the last time."""
        self._save(self._epoch, batch, logs)

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._wanted(epoch, logs, path):
            return
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        self._say(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _wanted(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        """Whether to save now; says so where ``verbose``."""
        if not self.save_best_only:
            self._say(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warn(f"Can save best model only with {self.monitor} available.")
            return True
        if np.ndim(current):
            warn(f"Can save best model only when `monitor` is a scalar value. Received: {current}. Falling back "
                 "to `save_best_only=False`.")
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self.better(current, self.best):
            self._say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}")
            return False
        self._say(f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = float(current)
        return True

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            print(text)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        names = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**names)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise KeyError(f"ModelCheckpoint: `filepath` {self.filepath!r} cannot be filled in with "
                           f"{', '.join(names)}: {error}") from error
