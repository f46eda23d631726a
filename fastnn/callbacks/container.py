"""All callbacks of a run as one."""
from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from .base import HOOKS, Callback, overrides
from .history import History
from .progress import Progress


class CallbackList:
    """Calls a hook of all callbacks: the user's in their order, then the History, then the progress display.

    ``callbacks``: None, one, or a list of them. ``params``: dict with verbose, epochs, steps. ``keep_history=False``:
    for runs that train nothing. ``has_train_batch_hooks`` (test, predict alike) is True when a callback overrides a
    hook between batches; otherwise whole epochs may run without one. Raises TypeError for what is no callback.
    """

    def __init__(self, callbacks=None, model=None, params: dict[str, Any] | None = None,
                 progress: Progress | None = None, keep_history: bool = True):
        self.callbacks = sorted(_as_list(callbacks), key=lambda c: getattr(c, "comes_last", False))
        self._methods: dict[str, list[Callable]] = {}
        self.progress = progress or Progress(0, 1, None)
        self.has_train_batch_hooks = self._any("on_train_batch_begin", "on_train_batch_end")
        self.has_test_batch_hooks = self._any("on_test_batch_begin", "on_test_batch_end")
        self.has_predict_batch_hooks = self._any("on_predict_batch_begin", "on_predict_batch_end")
        self._loss_watchers = [c for c in self.callbacks if hasattr(c, "on_invalid_loss")]
        self._train_batch_callbacks = [
            c for c in self.callbacks if overrides(c, "on_train_batch_begin") or overrides(c, "on_train_batch_end")]
        given = [c for c in self.callbacks if isinstance(c, History)]
        self.history = given[0] if given else History()
        if keep_history and not given:
            self.callbacks.append(self.history)
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)

    @property
    def report_seconds(self) -> float:
        """How often ``progress.update`` wants to be called; 0.0: never."""
        return self.progress.interval

    def train_stretch(self) -> int:
        """How many training batches may run before the hooks of batches are called."""
        return min(getattr(c, "batches_to_wait", int)() or 1 for c in self._train_batch_callbacks)

    @property
    def watches_loss(self) -> bool:
        """Whether a callback wants to be told of a loss that is not finite."""
        return bool(self._loss_watchers)

    def check_loss(self, batch: int, logs: dict[str, Any]) -> None:
        """Tell those who watch for it of a loss that is not finite after this batch."""
        if not math.isfinite(logs["loss"]):
            for callback in self._loss_watchers:
                callback.on_invalid_loss(batch, logs)

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Call the hook of all, then show that the epoch begins."""
        self._call("on_epoch_begin", epoch, logs or {})
        self.progress.epoch_begin(epoch)

    def on_test_begin(self, logs=None) -> None:
        """Call the hook of all; what follows is no training step."""
        self.progress.stop_clock()
        self._call("on_test_begin", logs or {})

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Call the hook of all, then show the logs, with what the callbacks have added."""
        logs = {} if logs is None else logs
        self._call("on_epoch_end", epoch, logs)
        self.progress.epoch_end(self.progress.steps, logs)

    def __getattr__(self, hook: str) -> Callable[..., None]:
        """Any other hook: ``callbacks.on_train_batch_end(batch, logs)`` calls it of all callbacks that override it."""
        if hook not in HOOKS:
            raise AttributeError(f"CallbackList has no attribute {hook!r}")
        return partial(self._call, hook)

    def _call(self, hook: str, *arguments) -> None:
        methods = self._methods.get(hook)
        if methods is None:
            methods = self._methods[hook] = [getattr(c, hook) for c in self.callbacks if overrides(c, hook)]
        if methods and not (arguments and isinstance(arguments[-1], dict)):
            arguments = (*arguments, {})          # a hook may count on a dict of logs
        for method in methods:
            method(*arguments)

    def _any(self, *hooks: str) -> bool:
        return any(overrides(callback, hook) for callback in self.callbacks for hook in hooks)


def before_fit(callbacks, model) -> None:
    """Let callbacks that change what programs are made of (weights, seed) do so before any is."""
    every = _as_list(callbacks)
    for callback in every:
        if hasattr(callback, "before_fit"):
            callback.before_fit(model, every)


def _as_list(callbacks) -> list[Callback]:
    """None, one callback or a list of them as a new list; TypeError for what is none."""
    if callbacks is None:
        return []
    result = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    for callback in result:
        expected = "`callbacks` must hold callbacks, objects derived from fastnn.callbacks.Callback"
        if isinstance(callback, type):
            raise TypeError(f"{expected}, got a class; make an object of it: {callback.__name__}()")
        if not all(hasattr(callback, hook) for hook in HOOKS):
            raise TypeError(f"{expected}, got {type(callback).__name__}: {callback!r:.60}")
    return result
