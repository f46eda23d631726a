"""Data in: the caller's arrays checked once before a run, in the form that gather reads."""
from __future__ import annotations

import math

import numpy as np

from .. import _arrays
from .._kernels import runner
from ..losses import SparseCategoricalCrossentropy
from ..metrics import LossMetric, Metric
from ..program import Ids, Lowering, PerRow, Program, Recent
from ..program.lowering import INTEGERS_IDS, INTEGERS_IGNORED

FLOATS = "fde"      # dtype characters that can hold NaN and inf
LARGEST_TABLE = 65536


class Checker:
    """Scans whole arrays for NaN, inf (also what becomes inf in the model's dtype), wrong labels and ids: one compiled
    pass, by a program of checks alone.

    Programs are kept by what they check, for ``fit`` is often called again with arrays alike.
    """

    def __init__(self, dtype: str):
        self.dtype = dtype
        self._programs: Recent[tuple, Program] = Recent()

    def scan(self, arrays: dict[str, np.ndarray], classes: dict[str, int | Ids], ignored: int | None = None) -> None:
        """Raise ValueError naming array, row and value for the first fault.

        ``arrays`` by argument name; ``classes``: those of them that hold labels, with the number of classes, or ids;
        ``ignored``: a label that need be no class.
        """
        if not len(next(iter(arrays.values()))):
            return
        key = (ignored, *((name, a.shape[1:], a.dtype.char in FLOATS, classes.get(name)) for name, a in arrays.items()))
        program = self._programs.get(key)
        if program is None:
            program = self._programs.keep(key, self._lower(arrays, classes, ignored))
        n = len(next(iter(arrays.values())))
        fault = program.run(list(arrays.values()), n, n)
        if fault is not None:
            status, operation, row, value, element = fault
            name = program.operations[operation].layer
            wanted = classes.get(name)
            if isinstance(wanted, Ids):
                raise ValueError(_arrays.bad_id(wanted.layer, wanted.rows, f"`{name}`", row, element,
                                                arrays[name].shape[1:], value))
            if status == runner.STATUS_BAD_LABEL:
                assert wanted is not None
                raise ValueError(_arrays.bad_label(name, row, value, wanted, element, arrays[name].shape[1:]))
            raise ValueError(_arrays.not_finite(name, arrays[name], row))

    def _lower(self, arrays: dict[str, np.ndarray], classes: dict[str, int | Ids], ignored: int | None) -> Program:
        build = Lowering(False, self.dtype)
        for name, array in arrays.items():
            index = build.array(name)
            build.layer = name
            sizes = [PerRow(1), math.prod(array.shape[1:]), index]
            wanted = classes.get(name)
            if isinstance(wanted, Ids):
                build.emit("check_labels", [], [], [*sizes, wanted.rows], flags=INTEGERS_IDS)
            elif wanted is not None:
                build.emit("check_labels", [], [], [*sizes, wanted], [ignored or 0],
                           INTEGERS_IGNORED if ignored is not None else 0)
            elif array.dtype.char in FLOATS:
                build.emit("check_array", [], [], sizes)
        return Program(build, "check of the data")


def as_inputs(x, shape: tuple | None, layer: str, argument: str = "x", y=None, ids: bool = False) -> np.ndarray:
    """x as an array (rows, *shape) that gather reads; ValueError or TypeError says what is wrong with it.

    ``y``: the targets, to tell a list of rows from a list of several inputs. ``ids``: whether x must hold ids.
    """
    if type(x) is not np.ndarray and isinstance(x, (list, tuple)) and hasattr(x[0] if x else None, "ndim"):
        x = _single_input(x, shape, argument, y)
    x = _arrays.as_rows(x, argument)
    if shape is not None:
        x = with_feature_axis(x, shape)
        _arrays.check_features(x, shape, layer, argument, ids)
    return x


def with_feature_axis(x: np.ndarray, shape: tuple) -> np.ndarray:
    """x with a last axis of 1 where rows of this shape have one feature, and x comes without it, as Keras takes it."""
    return x[..., None] if shape[-1:] == (1,) and _arrays.fits(x.shape[1:], shape[:-1]) else x


def _single_input(x: list | tuple, shape: tuple | None, argument: str, y):
    """x, or the only array in it where that is what fits; ValueError for one array an input."""
    rows = len(y) if hasattr(y, "__len__") else None
    if len(x) == 1 and x[0].ndim > 1 and ((shape and _arrays.fits(x[0].shape[1:], shape)) or rows not in (None, 1)):
        return x[0]
    if len(x) > 1 and rows is not None and all(hasattr(a, "shape") and a.shape[:1] == (rows,) != (len(x),) for a in x):
        raise ValueError(f"`{argument}` must be one array, as the model has one input, got a {type(x).__name__} of "
                         f"{len(x)} arrays of {rows} rows; join their columns with numpy.concatenate({argument}, -1)")
    return x


def check_ignored(labels: np.ndarray, ignored: int, classes: int, metrics: list[Metric], argument: str) -> None:
    """Raise ValueError where y holds the class that the loss ignores, and a metric would take it for a class."""
    if 0 <= ignored < classes:
        return
    for metric in metrics:
        loss = metric.loss if isinstance(metric, LossMetric) else None
        if isinstance(loss, SparseCategoricalCrossentropy) and loss.ignore_class != ignored:
            rows = np.flatnonzero((labels == ignored).reshape(len(labels), -1).any(1))
            if len(rows):
                raise ValueError(f"metric {metric.name!r} needs class numbers from 0 to {classes - 1} in `{argument}`, "
                                 f"got {ignored} at row {rows[0]}, which only the loss ignores; give "
                                 f"metrics.SparseCategoricalCrossentropy(ignore_class={ignored})")
            return


def class_weights(y: np.ndarray, weights: dict, classes: int) -> np.ndarray:
    """float32 (rows,): each row's weight by its class, 1 for classes that ``weights`` leaves out.

    y: class numbers (rows,) or (rows, 1), rounded, or one-hot rows (rows, classes). Whole numbers that are no class may
    stand in both. Raises ValueError for other shapes, for keys that are no whole numbers, and for weights that are no
    finite numbers >= 0.
    """
    if not isinstance(weights, dict):
        raise TypeError("`class_weight` must be a dict {class number: weight}, got "
                        f"{type(weights).__name__}: {weights!r:.60}")
    if y.ndim == 2 and y.shape[1] == classes > 1:
        labels = y.argmax(1)
    elif y.shape in ((len(y),), (len(y), 1)):
        labels = y.reshape(len(y))
    else:
        raise ValueError(f"`class_weight` needs one class a row in `y`, got shape {y.shape}; use `sample_weight`")
    table = {}
    for label, weight in weights.items():
        if isinstance(label, bool) or not hasattr(label, "__index__"):
            raise ValueError(f"`class_weight` maps class numbers 0..{max(classes, 2) - 1} to weights, got the key "
                             f"{label!r}")
        table[label.__index__()] = _arrays.number("class_weight", str(label), weight,
                                                  float(np.finfo(np.float32).max))
    return _looked_up(table, np.round(labels) if labels.dtype.kind == "f" else labels)


def _looked_up(table: dict[int, float], labels: np.ndarray) -> np.ndarray:
    """float32: what ``table`` says of each label, 1 where it says nothing."""
    known = sorted(key for key in table if abs(key) < 2 ** 53)        # others are no float64, and no label
    if not known:
        return np.ones(len(labels), np.float32)
    keys, values = np.array(known, np.float64), np.array([table[key] for key in known], np.float32)
    low, high = known[0] - 1, known[-1] + 1
    if high - low < LARGEST_TABLE:                # the usual case: several times faster
        numbers = np.ones(high - low + 1, np.float32)
        numbers[(keys - low).astype(np.int64)] = values
        labels = labels.astype(np.float64 if labels.dtype.kind == "f" else np.int64)
        return numbers[(np.fmin(np.fmax(labels, low), high) - low).astype(np.int64)]       # fmax takes NaN to ``low``
    places = np.minimum(np.searchsorted(keys, labels), len(keys) - 1)
    return np.where(keys[places] == labels, values[places], np.float32(1))
