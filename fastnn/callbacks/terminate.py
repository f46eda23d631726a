"""Stopping when the loss is no number any more."""
from __future__ import annotations

from typing import Any

from .base import Callback


class TerminateOnNaN(Callback):
    """Ends training at the first batch after which the loss is NaN or infinite.

    The runner watches the loss itself, so batches run at full speed. ``raise_error``: RuntimeError in place of a quiet
    end. Raises ValueError when it is not True or False.
    """

    def __init__(self, raise_error: bool = False):
        if not isinstance(raise_error, bool):
            raise ValueError(f"TerminateOnNaN: `raise_error` must be True or False, got {raise_error!r:.60}")
        self.raise_error = raise_error

    def on_invalid_loss(self, batch: int, logs: dict[str, Any]) -> None:
        """The loss is not finite after this batch."""
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. Loss value: {logs['loss']}. Terminating "
                               "training immediately.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
