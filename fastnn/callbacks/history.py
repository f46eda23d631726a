"""The record of a training run."""
from __future__ import annotations

from .base import Callback


class History(Callback):
    """What ``fit`` returns: ``history`` maps each name of the logs to its values, ``epoch`` lists the epochs."""

    def __init__(self):
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
