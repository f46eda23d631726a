"""Losses on arrays: the program of the loss alone, kept with it."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _arrays
from ..program import Lowering, Program
from ..program.eager import Tensor

if TYPE_CHECKING:
    from .base import Loss

ROWS = 1024         # of a batch: large arrays go through in pieces


def values_of(loss: Loss, y_true, y_pred, sample_weight) -> np.ndarray:
    """The losses of the rows (rows, ...), weighted so that their mean is the loss by its reduction.

    y_pred: (rows, ...) numbers; y_true: class indices or numbers of y_pred's shape; sample_weight: (rows,). Arrays of
    rank 1 are one row, without an axis for it in the result. ValueError or TypeError says what is wrong with them.
    """
    y_pred = _arrays.as_rows(y_pred if loss.dtype is None else np.asarray(y_pred, loss.dtype), "y_pred")
    one_row = y_pred.ndim == 1
    if one_row:
        y_true = np.asarray(y_true)
        one_row = y_true.ndim < 2                 # else (rows, 1), against (rows,)
        if one_row:                               # which must be contiguous to be one
            y_pred, y_true = _arrays.as_rows(y_pred[None], "y_pred"), y_true[None]
        else:
            y_pred = y_pred[:, None]
    shape = y_pred.shape[1:]
    if 0 in shape:
        raise ValueError(f"`y_pred` must hold at least one value a row, got shape {y_pred.shape}")
    y_true = _arrays.as_rows(y_true, "y_true")
    loss = loss.resolved(shape, y_true.shape[1:])
    arrays = {"y_pred": y_pred, "y_true": _arrays.as_target(
        y_true, loss.target_shape(shape), "y_true", loss.integer_targets, shape, loss.of_numbers)}
    if sample_weight is not None:
        arrays["sample_weight"] = _arrays.as_weights(sample_weight, len(y_pred), double=y_pred.dtype == np.float64)
    _arrays.check_same_length(**arrays)
    key = (shape, y_pred.dtype == np.float64, sample_weight is not None, loss.integer_targets)
    program, shape = loss._programs.get(key) or loss._programs.keep(key, _lower(loss, *key))
    rows = len(y_pred)
    values = np.empty((rows, *shape), "float64" if key[1] else "float32")
    whole = loss.needs_whole_batch(sample_weight is not None)
    fault = program.run([*arrays.values(), values], rows, max(1, rows if whole else min(rows, ROWS)))
    if fault is not None:
        raise ValueError(_arrays.bad_label("y_true", fault[2], fault[3], y_pred.shape[-1]))
    return (values.reshape(shape) if one_row else values).view(Tensor)


def _lower(loss: Loss, shape: tuple, double: bool, has_weights: bool, integer_targets: bool) -> tuple[Program, tuple]:
    """(program, shape of the losses of a row)."""
    build = Lowering(False, "float64" if double else "float32")
    build.layer = loss.name
    y = build.gather(shape, "y_pred")
    target = loss.gather_target(build, shape)
    weights = build.gather((), "sample_weight") if has_weights else None
    values = loss.lower_reduced(build, y, target, weights)
    build.scatter(values, "values")
    return Program(build, loss.name), values.shape
