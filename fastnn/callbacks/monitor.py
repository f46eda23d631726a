"""What the callbacks that watch a metric share: which way is better, and what counts as better."""
from __future__ import annotations

import re
from typing import Any

import numpy as np

from .. import _arrays
from .._warn import warn
from .base import Callback

MODES = ("auto", "min", "max")
# Names whose direction is known without a metric object; numbered ones ("precision_1") lose their number first.
RISES = re.compile(r"(.*_)?acc(uracy)?|auc|precision|recall|.*_score|.*io_?u|cosine_similarity|true_.*")
FALLS = re.compile(r"(.*_)?loss|.*_error|.*crossentropy|r?mse|mae|mape|msle|.*hinge|kl_divergence|poisson|false_.*")


class Monitor(Callback):
    """Base of the callbacks that watch ``monitor``, a name in the logs.

    ``mode``: "min", "max", or "auto": by the direction of the metric. A value counts as better if it beats the
    reference by more than ``min_delta``. Raises ValueError when the direction is asked for and "auto" cannot tell it.
    """

    def __init__(self, monitor, mode, min_delta=0):
        where = type(self).__name__
        if not isinstance(monitor, str):
            raise ValueError(f"{where}: `monitor` must be a name in the logs, such as 'val_loss', got {monitor!r:.60}")
        if mode not in MODES:
            raise ValueError(f"{where}: `mode` must be 'auto', 'min' or 'max', got {mode!r:.60}")
        self.monitor, self.mode = monitor, mode
        self.min_delta = abs(_real(where, "min_delta", min_delta))
        self._direction = mode

    def set_model(self, model) -> None:
        super().set_model(model)
        self._direction = self.mode

    def get_state(self) -> dict[str, Any]:
        """What a backup keeps to go on from, plain data."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``get_state`` gave; called after ``on_train_begin``."""

    def better(self, value, reference) -> bool:
        """Whether ``value`` beats ``reference``; anything beats None."""
        if reference is None:
            return True
        if self._direction == "auto":
            self._direction = direction(self.monitor, self.model, type(self).__name__)
        if self._direction == "min":
            return bool(value + self.min_delta < reference)
        return bool(value - self.min_delta > reference)

    def monitored(self, logs: dict[str, Any], missing: str) -> Any:
        """The value in the logs; None, with the warning ``missing``, where it is not there."""
        if self.monitor not in logs:
            warn(f"{missing} `{self.monitor}` which is not available. Available metrics are: {','.join(logs)}")
        current: Any = logs.get(self.monitor)
        if np.ndim(current):
            raise ValueError(f"{type(self).__name__}: `monitor` {self.monitor!r} must name a single number in the "
                             f"logs, "
                             f"got an array of shape {np.shape(current)}")
        return current


def direction(monitor: str, model, where: str = "EarlyStopping") -> str:
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
    raise ValueError(f"{where}: `monitor` {monitor!r} is no metric known to rise or to fall; give `mode`: 'max' "
                     "where more is better, 'min' where less is")


def count(where: str, argument: str, value) -> int:
    """A whole number >= 0, such as a patience; ValueError otherwise."""
    try:
        return _arrays.whole_number(argument, value, 0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None


def _real(where: str, argument: str, value) -> float:
    """A finite number of either sign; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise ValueError(f"{where}: `{argument}` must be a finite number, got {value!r:.60}")
    return value if isinstance(value, int) else float(value)


def optional_real(where: str, argument: str, value) -> float | None:
    """A finite number or None; ValueError otherwise."""
    return None if value is None else _real(where, argument, value)
