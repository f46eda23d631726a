"""The logs of each epoch as lines of a table."""
from __future__ import annotations

import csv
import os
import stat
from typing import Any

import numpy as np

from .base import Callback


class CSVLogger(Callback):
    """Writes the epoch's number and its logs to a CSV file, a line an epoch, each in the file before the next begins.

    ``separator``: one character. ``append``: go on in a file that exists, else it begins anew; a fit that goes on from
    a backup goes on in its file, behind the last epoch that the backup knows. The columns are those of
    the first epoch, sorted; without validation those named ``val_...`` are there too, filled with NA, as in Keras.
    Raises ValueError for settings of the wrong kind, OSError from the disk.
    """

    def __init__(self, filename, separator=",", append=False):
        if not isinstance(filename, (str, os.PathLike)):
            raise ValueError(f"CSVLogger: `filename` must be a path, got {filename!r:.60}")
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"CSVLogger: `separator` must be one character, got {separator!r:.60}")
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._file: Any = None
        self._keep: int | None = None         # bytes of the file that stay; None: all

    def on_train_begin(self, logs=None):
        self._close()
        self.keys = None
        self._has_header = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a", newline="", encoding="utf-8")
        self._keep = None if self.append else 0

    def get_state(self) -> dict[str, Any]:
        """What a backup keeps: the columns, and how long the file is."""
        return {"keys": self.keys, "size": os.fstat(self._file.fileno()).st_size}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``get_state`` gave; called after ``on_train_begin``."""
        size = os.fstat(self._file.fileno()).st_size
        self._has_header = size > 0
        if size:
            self.keys, self._keep = state["keys"], min(int(state["size"]), size)

    def _cut(self) -> None:
        """Drop what is not to stay of an older file: once, when it is known whether this run goes on in it."""
        if self._keep is not None and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.truncate(self._keep)
        self._keep = None

    def on_epoch_begin(self, epoch, logs=None):
        self._cut()

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.sep)
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            if not self._has_header:
                writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_text(logs.get(key, "NA")) for key in self.keys)])
        self._file.flush()

    def on_train_end(self, logs=None):
        self._cut()
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _text(value: Any) -> Any:
    """A value of the logs as it is written; an array in brackets and quotes, as Keras writes it."""
    if isinstance(value, str) or not np.ndim(value):
        return value
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"'
