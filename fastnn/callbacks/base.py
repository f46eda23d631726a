"""The base of all callbacks, and one made of functions."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._spelling import nearest

HOOKS = (
    "on_train_begin", "on_train_end", "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end",
    "on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin",
    "on_test_batch_end", "on_predict_batch_begin", "on_predict_batch_end", "on_batch_begin", "on_batch_end")


class Callback:
    """Base of all callbacks: override the hooks you need.

    ``model``: the model that runs, with ``stop_training`` to set True, ``get_weights()``, ``set_weights()`` and
    ``optimizer``. ``params``: dict of the run's verbose, epochs and steps. ``logs``: dict of metric name to float; keys
    that a hook adds at the end of an epoch are seen by later callbacks, the History and the progress bar. Batches run
    without Python between them, at full speed, unless a callback overrides a batch hook.

    >>> class Printer(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: {logs['loss']:.2f}")
    """
    model: Any = None
    params: dict[str, Any] | None = None

    def set_params(self, params) -> None:
        """Take the settings of the run, before it begins."""
        self.params = params

    def set_model(self, model) -> None:
        """Take the model, before the run begins."""
        self.model = model

    def batches_to_wait(self) -> int:
        """How many batches may run before the hooks of training batches are called next; ``batch`` says where it is."""
        return 1

    def on_train_begin(self, logs=None):
        """``fit`` begins."""

    def on_train_end(self, logs=None):
        """``fit`` ends; ``logs`` are those of the last epoch."""

    def on_test_begin(self, logs=None):
        """An evaluation begins, within ``fit`` as well."""

    def on_test_end(self, logs=None):
        """An evaluation ends; ``logs`` are its results."""

    def on_predict_begin(self, logs=None):
        """``predict`` begins."""

    def on_predict_end(self, logs=None):
        """``predict`` ends."""

    def on_epoch_begin(self, epoch, logs=None):
        """An epoch begins; the first is 0."""

    def on_epoch_end(self, epoch, logs=None):
        """An epoch and its validation have ended; ``logs``: means over the epoch, then those named ``val_...``."""

    def on_train_batch_begin(self, batch, logs=None):
        """A training step begins; the first of an epoch is 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """A training step has ended; ``logs``: means over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch, logs=None):
        """Older name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch, logs=None):
        """Older name of ``on_train_batch_end``."""

    def on_test_batch_begin(self, batch, logs=None):
        """A batch of an evaluation begins."""

    def on_test_batch_end(self, batch, logs=None):
        """A batch of an evaluation has ended; ``logs``: means so far."""

    def on_predict_batch_begin(self, batch, logs=None):
        """A batch of ``predict`` begins."""

    def on_predict_batch_end(self, batch, logs=None):
        """A batch of ``predict`` has ended."""


class LambdaCallback(Callback):
    """A callback made of functions, each given by the name of its hook.

    Functions take what the hook takes: (epoch, logs), (batch, logs) or (logs). TypeError for a name that is no hook.

    >>> printer = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None, **kwargs: Callable):
        functions = {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
                     "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
                     "on_train_batch_end": on_train_batch_end, **kwargs}
        for hook, function in functions.items():
            if hook not in HOOKS:
                raise TypeError(f"LambdaCallback: `{hook}` is no hook; the nearest is `{nearest(hook, HOOKS)}`")
            if function is not None:
                setattr(self, hook, function)


def overrides(callback: Callback, hook: str) -> bool:
    """Whether calling this hook does anything: the callback has its own, or an older name's."""
    if hook in ("on_train_batch_begin", "on_train_batch_end") and overrides(callback, hook.replace("_train", "")):
        return True
    return getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)
