"""Going on after a crash as if there had been none."""
from __future__ import annotations

import os
from typing import Any

from .._warn import warn
from ..saving import atomic
from .base import Callback
from .interval import BatchInterval

LATEST, PREVIOUS = "latest.fastnn", "previous.fastnn"


class BackupAndRestore(Callback):
    """Backs up the whole state of training: ``fit`` killed at any moment and called again ends with the same bits.

    ``backup_dir``: a folder for this callback alone. After every epoch, or every ``save_freq`` batches, one file is
    written there, whole or not at all: weights, optimizer, seed, epoch and batch, the counters of the epoch, and what
    other callbacks keep (``get_state``). When ``fit`` is called again with the same model and data, it goes on from
    there; the History holds the epochs that this call has run. ``double_checkpoint``: the file before is kept too, and
    taken if the last is damaged. ``delete_checkpoint``: the files go when training ends.
    Raises ValueError for settings of the wrong kind, for a model that is not built yet, and (ModelFileError) for
    backups of another model; OSError from the disk.
    """
    comes_last = True        # the state of the other callbacks is saved after they have seen the epoch

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        if not isinstance(backup_dir, (str, os.PathLike)) or not os.fspath(backup_dir):
            raise ValueError(f"BackupAndRestore: `backup_dir` must be the path of a folder, got {backup_dir!r:.60}")
        self.backup_dir = os.fspath(backup_dir)
        self.interval = BatchInterval.of(self, save_freq)
        self.save_freq = save_freq
        self.double_checkpoint, self.delete_checkpoint = bool(double_checkpoint), bool(delete_checkpoint)
        self._restored: Any = None
        self._others: list[Any] = []
        self._epoch = 0

    def before_fit(self, model, callbacks: list[Any]) -> None:
        """Take weights, optimizer and seed from the backup, before anything is made of them."""
        self._others = [c for c in callbacks if c is not self]
        if not model.built:
            raise ValueError("BackupAndRestore: the model must be built before fit(), so that its weights can be "
                             f"restored: begin {model.name!r} with Input(shape), or call build((None, features))")
        model._check_savable(False)
        self._restored = self._read(model)

    def _read(self, model) -> Any:
        """The place to go on from, and the state of callbacks; None where there is no backup."""
        for name in (LATEST, PREVIOUS):
            path = os.path.join(self.backup_dir, name)
            if not os.path.exists(path):
                continue
            try:
                return model._restore_training(path)
            except ValueError as error:
                previous = os.path.join(self.backup_dir, PREVIOUS)
                if name == PREVIOUS or not os.path.exists(previous):
                    raise
                warn(f"{error}; going on from the backup before it")
        return None

    def on_train_begin(self, logs=None):
        self._rate = None
        if self._restored is None:
            return
        place, states = self._restored
        self._restored = None
        for name in {name for name, _ in states}:       # the first of a class gets the state of the first, and so on
            callbacks = [c for c in self._others if type(c).__name__ == name]
            for callback, state in zip(callbacks, [state for other, state in states if other == name]):
                if state is not None:
                    callback.set_state(state)
        self._epoch = place.epoch
        if place.stopped:
            assert self.params is not None
            self.model._resume_at = (self.params["epochs"], None)
            return
        self._check(place.position)
        self.model._resume_at = (place.epoch, place.position)
        if place.position is not None and place.position.done:
            self._rate = place.rate
        if self.interval and place.interval is not None:
            self.interval.set_state(place.interval)

    def _check(self, position: Any) -> None:
        """The counters of an epoch that was broken off are those of this fit's loss and metrics."""
        own = self.model._running.position().counters.size
        if position is not None and position.done and own and position.counters.size != own:
            raise ValueError(f"BackupAndRestore: the backup in {self.backup_dir!r} is of a fit with other metrics: "
                             f"compile "
                             "the model as it was, or remove the folder to begin anew")

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        if self._rate is not None:             # a callback that sets the rate has done so when this epoch first began
            self.model.optimizer.learning_rate = self._rate
            self._rate = None

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch + 1, False)

    def on_interval(self, batch, logs):
        """So many batches have run since the last time."""
        self._save(self._epoch, True)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint:
            for name in (LATEST, PREVIOUS):
                if os.path.exists(os.path.join(self.backup_dir, name)):
                    os.unlink(os.path.join(self.backup_dir, name))
            if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
                os.rmdir(self.backup_dir)

    def _save(self, epoch: int, within: bool) -> None:
        """Write the state: ``within`` an epoch, or before ``epoch`` begins."""
        os.makedirs(self.backup_dir, exist_ok=True)
        latest = os.path.join(self.backup_dir, LATEST)
        states = [(type(c).__name__, c.get_state() if hasattr(c, "get_state") else None) for c in self._others]
        data = self.model._training_state(epoch, within, self.interval and self.interval.get_state(), states)
        if self.double_checkpoint and os.path.exists(latest):
            os.replace(latest, os.path.join(self.backup_dir, PREVIOUS))
        atomic.write(latest, data)
