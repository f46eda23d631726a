"""Stopping when training no longer helps."""
from __future__ import annotations

from typing import Any

import numpy as np

from .monitor import Monitor, count, direction, optional_real


class EarlyStopping(Monitor):
    """Ends ``fit`` after ``patience`` epochs in which ``monitor`` has not got better by more than ``min_delta``.

    ``mode``: "min", "max", or "auto": by the direction of the metric. ``baseline``: what must be beaten for an epoch to
    count as better. ``restore_best_weights``: the weights of the best epoch come back at the end of training, stopped
    or not. ``start_from_epoch``: epochs before it are not looked at. ``verbose=1`` says what happens.
    The first value counts as better; training never stops after its first epoch. Warns when ``monitor`` is missing from
    the logs. Raises ValueError for settings of the wrong kind, and when training begins if "auto" cannot tell the
    direction.
    """

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        super().__init__(monitor, mode, min_delta)
        self.patience = count("EarlyStopping", "patience", patience)
        self.start_from_epoch = count("EarlyStopping", "start_from_epoch", start_from_epoch)
        self.baseline = optional_real("EarlyStopping", "baseline", baseline)
        self.verbose, self.restore_best_weights = verbose, bool(restore_best_weights)
        self._start_again()

    def on_train_begin(self, logs=None):
        self._start_again()
        if self.mode == "auto":
            self._direction = direction(self.monitor, self.model)

    def _start_again(self) -> None:
        """Forget the run before: an object may be used for several."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None

    def get_state(self) -> dict[str, Any]:
        return {"wait": self.wait, "stopped_epoch": self.stopped_epoch, "best": self.best,
                "best_epoch": self.best_epoch, "best_weights": self.best_weights}

    def set_state(self, state: dict[str, Any]) -> None:
        self.wait, self.stopped_epoch = int(state["wait"]), int(state["stopped_epoch"])
        self.best, self.best_epoch = state["best"], int(state["best_epoch"])
        self.best_weights = state["best_weights"]

    def on_epoch_end(self, epoch, logs=None):
        current = self.monitored(logs or {}, "Early stopping conditioned on metric")
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.better(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
