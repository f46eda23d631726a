"""The whole state of a training run as one file, and a model made to go on from it."""
from __future__ import annotations

import math
import os
from typing import Any, NamedTuple

import numpy as np

from ..saving import description
from ..saving import format as files
from ..saving.description import BadDescription, fields, kind, whole
from ..saving.errors import ModelFileError, fault
from .describing import models_in
from .feeds import ArrayFeed, Feed, Position
from .persistence import STATE, check_common, fixed_rate, take_weights, weights_alone

KEYS = ("epoch", "position", "interval", "stopped", "callbacks", "seeds")
COUNTERS, KEPT = "fastnn.counters", "fastnn.callbacks"
ARRAYS = "arrays"               # the key that stands for a list of arrays in the state of a callback
FLOAT = "float"                 # and for a number that is not finite, which JSON has not
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class Place(NamedTuple):
    """Where training was: before ``epoch``, or within it at ``position``."""
    epoch: int
    position: Position | None
    interval: list[int] | None        # of the callback that backs up every so many batches
    rate: float | None
    stopped: bool


class Restart:
    """What a model does for BackupAndRestore."""

    def _training_state(self, epoch: int, within: bool, interval: list[int] | None,
                        states: list[tuple[str, dict[str, Any] | None]]) -> bytearray:
        """A file's bytes: all that ``fit`` needs to go on from here. ``states``: (class name, state) of callbacks."""
        model: Any = self
        described, arrays = weights_alone(model, "training")
        position = _position(model._running, within)
        if position is not None and position.counters.size:
            arrays[COUNTERS] = position.counters
        described |= {
            "epoch": epoch, "interval": interval, "stopped": bool(model.stop_training),
            "position": position and [position.done, position.place], "seeds": [m.seed for m in models_in(model)],
            "callbacks": [[name, _without_arrays(name, state, f"{KEPT}/{i}", arrays)]
                          for i, (name, state) in enumerate(states)]}
        return files.to_bytes(arrays, described)

    def _restore_training(self, path: str) -> tuple[Place, list[tuple[str, dict[str, Any] | None]]]:
        """Take weights, optimizer and seeds from such a file; (place, states of callbacks).

        ModelFileError names the file and the first fault, the model left as it was.
        """
        where = f"model file {os.fspath(path)!r:.200}"
        described, arrays = files.read(path)
        model: Any = self
        try:
            check_common(described, arrays, ("training",), KEYS)
            place = _place(described, arrays)
            states = [_with_arrays(entry, f"{KEPT}/{i}", arrays)
                      for i, entry in enumerate(kind(described["callbacks"], "`callbacks`", list))]
            seeds = [whole(s, "a seed", 0, 2**64 - 1) for s in kind(described["seeds"], "`seeds`", list)]
            inner = list(models_in(model))
            if len(seeds) != len(inner) or described["optimizer"] != type(model.optimizer).__name__:
                raise BadDescription(f"it is a backup of another model or optimizer ({described['optimizer']})")
            if place.position is not None and place.position.place > _steps(arrays):
                raise BadDescription("`position` lies beyond the steps that its optimizer has taken")
            take_weights(model, described, arrays, where)
        except ModelFileError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise fault(where, f"{error}; to begin anew, remove the file") from error
        for m, seed in zip(inner, seeds):
            if m.seed != seed:
                m.seed = seed
                m.forget_programs()
        return place._replace(rate=fixed_rate(model.optimizer)), states


def _steps(arrays: dict[str, np.ndarray]) -> int:
    """The steps taken by the optimizer of a file."""
    steps = arrays.get(STATE + "iterations")
    return int(steps[0]) if steps is not None and steps.shape == (1,) else 0


def _position(feed: Feed, within: bool) -> Position | None:
    """Where the feed is; None at the begin of an epoch that begins a new pass over the data."""
    position = feed.position()
    if within:
        return position
    if isinstance(feed, ArrayFeed):
        n: int | None = feed.run.n_batches
    else:
        n = None if feed.stream.one_pass else feed.stream.n_batches
    if not feed.goes_on or (n is not None and position.place >= n):
        return None
    return Position(0, position.place, np.zeros_like(position.counters))


def _place(described: dict[str, Any], arrays: dict[str, np.ndarray]) -> Place:
    position = None
    if described["position"] is not None:
        done, place = fields_of(described["position"], "`position`", 2)
        position = Position(whole(done, "`position`"), whole(place, "`position`"),
                            np.array(arrays.get(COUNTERS, np.empty(0)), np.float64).reshape(-1))
    interval = described["interval"]
    if interval is not None:
        interval = [whole(n, "`interval`", -1) for n in fields_of(interval, "`interval`", 2)]
    return Place(whole(described["epoch"], "`epoch`"), position, interval, None,
                 kind(described["stopped"], "`stopped`", bool))


def fields_of(value: Any, where: str, n: int) -> list[Any]:
    """A list of n values of a description."""
    if type(value) is not list or len(value) != n:
        raise BadDescription(f"{where} must be a list of {n}, got {value!r:.60}")
    return value


def _without_arrays(name: str, state: dict[str, Any] | None, prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    """The state of a callback as plain data; lists of arrays go to ``arrays``, and their number stays.

    ValueError names the callback and the key of what a file cannot hold.
    """
    if state is None:
        return None
    if not isinstance(state, dict):
        raise ValueError(f"get_state() of the callback {name} must return a dict, got {type(state).__name__}")
    plain: dict[str, Any] = {}
    for key, value in state.items():
        try:
            if isinstance(value, list) and value and all(isinstance(v, np.ndarray) for v in value):
                kept = {f"{prefix}/{key}/{j}": v for j, v in enumerate(value)}
                files.check_arrays(kept)
                arrays |= kept
                plain[key] = {ARRAYS: len(value)}
            else:
                plain[key] = _tagged(value)
            description.encode({"state": {key: plain[key]}})
        except ValueError as error:
            raise ValueError(f"get_state() of the callback {name}: the value of {key!r:.60} cannot be kept in a "
                             f"backup: {error}") from None
    return plain


def _tagged(value: Any) -> Any:
    """Plain data for JSON, numbers that are not finite as tags."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {FLOAT: str(value)}
    if isinstance(value, list):
        return [_tagged(v) for v in value]
    if isinstance(value, dict):
        if value.keys() in ({FLOAT}, {ARRAYS}):
            raise ValueError(f"a dict with the only key {next(iter(value))!r} means something else there")
        return {k: _tagged(v) for k, v in value.items()}
    return value


def _untagged(value: Any) -> Any:
    """What ``_tagged`` was given."""
    if isinstance(value, list):
        return [_untagged(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {FLOAT}:
        if not isinstance(value[FLOAT], str) or value[FLOAT] not in NOT_FINITE:
            raise BadDescription(f"a number in the state of a callback is {value[FLOAT]!r:.40}")
        return NOT_FINITE[value[FLOAT]]
    return {k: _untagged(v) for k, v in value.items()}


def _with_arrays(entry: Any, prefix: str, arrays: dict[str, np.ndarray]) -> tuple[str, dict[str, Any] | None]:
    name, state = fields_of(entry, "the state of a callback", 2)
    if state is None:
        return kind(name, "the name of a callback", str), None
    state = dict(kind(state, "the state of a callback", dict))
    for key, value in state.items():
        if isinstance(value, dict) and value.keys() == {ARRAYS}:
            n = whole(fields(value, "arrays", ARRAYS)[0], "the number of arrays", 0, files.MAX_TENSORS)
            state[key] = [arrays[f"{prefix}/{key}/{j}"].copy() for j in range(n)]
        else:
            state[key] = _untagged(value)
    return name, state
