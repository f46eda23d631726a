"""Stopping when training no longer helps."""
from __future__ import annotations

import re
import warnings

from .base import Callback

# Names whose direction is known without a metric object; numbered ones ("precision_1") lose their number first.
RISES = re.compile(r"(.*_)?acc(uracy)?|auc|precision|recall|.*_score|.*io_?u|cosine_similarity|true_.*")
FALLS = re.compile(r"(.*_)?loss|.*_error|.*crossentropy|r?mse|mae|mape|msle|.*hinge|kl_divergence|poisson|false_.*")


class EarlyStopping(Callback):
    """Ends ``fit`` after ``patience`` epochs in which ``monitor`` has not got better by more than ``min_delta``.

    ``mode``: "min", "max", or "auto": by the direction of the metric. ``baseline``: what must be beaten for an epoch to
    count as better. ``restore_best_weights``: the weights of the best epoch come back at the end of training, stopped
    or not. ``start_from_epoch``: epochs before it are not looked at. ``verbose=1`` says what happens.
    The first value counts as better; training never stops after its first epoch. Warns when ``monitor`` is missing from
    the logs. Raises ValueError when training begins if "auto" cannot tell the direction.
    """

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"EarlyStopping: `mode` must be 'auto', 'min' or 'max', got {mode!r}")
        self.monitor, self.min_delta, self.patience, self.verbose = monitor, abs(min_delta), patience, verbose
        self.mode, self.baseline, self.start_from_epoch = mode, baseline, start_from_epoch
        self.restore_best_weights = restore_best_weights
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
        self.best_weights = None
        self._direction = self.mode

    def on_epoch_end(self, epoch, logs=None):
        current = self._monitored(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._better(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self._better(current, self.baseline):
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

    def _monitored(self, logs) -> float | None:
        if self.monitor not in logs:
            warnings.warn(f"Early stopping conditioned on metric `{self.monitor}` which is not available. Available "
                          f"metrics are: {','.join(logs)}", stacklevel=3)
        return logs.get(self.monitor)

    def _better(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        if self._direction == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference


def direction(monitor: str, model) -> str:
    """Whether less ("min") or more ("max") of a metric is better, by the model's metric objects or by its name.

    Raises ValueError when neither tells.
    """
    name = monitor.removeprefix("val_")
    for metric in getattr(model, "metrics", ()):
        if metric.name == name and metric.direction in ("min", "max"):
            return metric.direction
    base = re.sub(r"_\d+$", "", name)
    if FALLS.fullmatch(base):
        return "min"
    if RISES.fullmatch(base):
        return "max"
    raise ValueError(f"EarlyStopping: `monitor` {monitor!r} is no metric known to rise or to fall; give `mode`: 'max' "
                     "where more is better, 'min' where less is")
