"""Data in: the caller's arrays checked once before a run, in the form that gather reads."""
from __future__ import annotations

import math

import numpy as np

from .. import _arrays
from .._kernels import runner
from ..losses import Loss
from ..program import Lowering, PerRow, Program

FLOATS = "fde"      # dtype characters that can hold NaN and inf


class Checker:
    """Scans whole arrays for NaN, inf (also what becomes inf in the model's dtype) and wrong labels: one compiled pass,
    by a program of checks alone.

    Programs are kept by what they check, for ``fit`` is often called again with arrays alike.
    """

    def __init__(self, dtype: str):
        self.dtype = dtype
        self._programs: dict[tuple, Program] = {}

    def scan(self, arrays: dict[str, np.ndarray], classes: dict[str, int]) -> None:
        """Raise ValueError naming array, row and value for the first fault.

        ``arrays`` by argument name; ``classes``: those of them that hold labels, with the number of classes.
        """
        if not len(next(iter(arrays.values()))):
            return
        key = tuple((name, a.shape[1:], a.dtype.char in FLOATS, classes.get(name)) for name, a in arrays.items())
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = self._lower(arrays, classes)
        n = len(next(iter(arrays.values())))
        fault = program.run(list(arrays.values()), n, n)
        if fault is not None:
            status, operation, row, value = fault
            name = program.operations[operation].layer
            if status == runner.STATUS_BAD_LABEL:
                raise ValueError(_arrays.bad_label(name, row, value, classes[name]))
            raise ValueError(_arrays.not_finite(name, arrays[name], row))

    def _lower(self, arrays: dict[str, np.ndarray], classes: dict[str, int]) -> Program:
        build = Lowering(False, self.dtype)
        for name, array in arrays.items():
            index = build.array(name)
            build.layer = name
            sizes = [PerRow(1), math.prod(array.shape[1:]), index]
            if name in classes:
                build.emit("check_labels", [], [], [*sizes, classes[name]])
            elif array.dtype.char in FLOATS:
                build.emit("check_array", [], [], sizes)
        return Program(build, "check of the data")


def as_inputs(x, shape: tuple | None, layer: str, argument: str = "x") -> np.ndarray:
    """x as an array (rows, *shape) that gather reads; ValueError or TypeError says what is wrong with it."""
    x = _arrays.as_rows(x, argument)
    if shape is not None and x.shape[1:] != shape and x.shape + (1,) == (len(x), *shape):
        return x.reshape(len(x), 1)                  # one feature given as a plain vector, as Keras takes it
    if shape is not None:
        _arrays.check_features(x, shape, layer)
    return x


def as_targets(y, output_shape: tuple, loss: Loss, argument: str = "y") -> tuple[np.ndarray, tuple]:
    """(y in the shape the loss reads for outputs of ``output_shape``, the shape of a row of y as given)."""
    y = _arrays.as_rows(y, argument)
    target = _arrays.as_target(y, loss.target_shape(output_shape), argument, loss.integer_targets, output_shape)
    return target, y.shape[1:]


def as_weights(weights, rows: int, argument: str = "sample_weight") -> np.ndarray:
    """Sample weights as (rows,) numbers, none negative."""
    weights = _arrays.as_rows(weights, argument)
    if weights.shape not in ((rows,), (rows, 1)):
        raise ValueError(f"`{argument}` must have one weight a row, shape ({rows},), got shape {weights.shape}")
    if weights.size and not weights.min() >= 0:
        raise ValueError(f"`{argument}` must hold numbers >= 0, got {weights.min()}")
    return weights.reshape(rows)


def class_weights(y: np.ndarray, weights: dict, classes: int) -> np.ndarray:
    """float32 (rows,): each row's weight by its class, 1 for classes that ``weights`` leaves out."""
    labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y)).astype(np.int64)
    table = np.ones(max(classes, 2, int(labels.max(initial=0)) + 1), np.float32)
    for label, weight in weights.items():
        if isinstance(label, bool) or not hasattr(label, "__index__") or not 0 <= label < len(table):
            raise ValueError(f"`class_weight` maps class numbers 0..{len(table) - 1} to weights, got the key {label!r}")
        table[label] = weight
    return table[labels]
