"""A smaller learning rate when training gets nowhere."""
from __future__ import annotations

from typing import Any

from .. import _arrays
from .monitor import Monitor, count, direction, optional_real


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by ``factor`` after ``patience`` epochs in which ``monitor`` has not got better.

    Better: by more than ``min_delta``, in the direction ``mode`` ("min", "max", "auto"). After a reduction ``cooldown``
    epochs pass before epochs are counted again; the rate does not go below ``min_lr``. Adds ``learning_rate``, that of
    the epoch, to the logs. ``verbose=1`` says what happens. Warns when ``monitor`` is missing from the logs.
    Raises ValueError for settings out of range, TypeError for an optimizer with a schedule.
    """

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0,
                 min_lr=0.0):
        where = "ReduceLROnPlateau"
        super().__init__(monitor, mode, min_delta)
        self.factor = _arrays.number(where, "factor", factor, below=1)
        self.patience, self.cooldown = count(where, "patience", patience), count(where, "cooldown", cooldown)
        self.min_lr, self.verbose = optional_real(where, "min_lr", min_lr) or 0.0, verbose
        self._start_again()

    def on_train_begin(self, logs=None):
        self._start_again()
        if self.mode == "auto":
            self._direction = direction(self.monitor, self.model, "ReduceLROnPlateau")

    def _start_again(self) -> None:
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best, self.wait = state["best"], int(state["wait"])
        self.cooldown_counter = int(state["cooldown_counter"])

    def in_cooldown(self) -> bool:
        """Whether a reduction was so recent that epochs do not count."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = self.monitored(logs, "Learning rate reduction is conditioned on metric")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if old <= self.min_lr:
            return
        optimizer.learning_rate = new = max(old * self.factor, self.min_lr)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
