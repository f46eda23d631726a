"""Callbacks that act every so many batches."""
from __future__ import annotations

from functools import partial
from typing import Any


class BatchInterval:
    """Counts batches, over epochs, and calls ``callback.on_interval(batch, logs)`` after every ``size`` of them.

    Between those, batches run without Python: see ``batches_to_wait`` of Callback.
    """

    def __init__(self, callback: Any, size: int):
        self.callback, self.size = callback, size
        self.seen = 0                 # since the last call
        self._last = -1               # batch of this epoch that was counted last

    @classmethod
    def of(cls, callback: Any, save_freq) -> BatchInterval | None:
        """The interval of a callback's ``save_freq``, hooked in; None for "epoch"; ValueError for what is neither."""
        if isinstance(save_freq, str) and save_freq == "epoch":
            return None
        if isinstance(save_freq, bool) or not hasattr(save_freq, "__index__") or save_freq.__index__() < 1:
            raise ValueError(f"{type(callback).__name__}: `save_freq` must be 'epoch' or a number of batches of at "
                             f"least "
                             f"1, got {save_freq!r:.60}")
        interval = cls(callback, save_freq.__index__())
        callback.on_train_batch_end = partial(cls.count, interval)
        callback.batches_to_wait = interval.left
        return interval

    def left(self) -> int:
        """Batches until the next call."""
        return self.size - self.seen

    def get_state(self) -> list[int]:
        """What a backup keeps."""
        return [self.seen, self._last]

    def set_state(self, state: list[int]) -> None:
        """Go on from what ``get_state`` gave."""
        self.seen, self._last = map(int, state)

    def count(self, batch: int, logs=None) -> None:
        """Batches up to ``batch`` of the epoch have run; a smaller number than the last is another epoch's."""
        self.seen += batch + 1 if batch <= self._last else batch - self._last
        self._last = batch
        if self.seen >= self.size:
            self.seen = 0
            self.callback.on_interval(batch, logs or {})
