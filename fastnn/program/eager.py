"""Eager is a program too: one layer or model, from an array to an array, at once."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import _arrays
from .lowering import Lowering
from .program import Program, threads_for

READABLE = frozenset("fdeBilq?")      # dtype characters that gather reads (l and q: int64)


class Tensor(np.ndarray):
    """What eager calls return: an ndarray that also has ``.numpy()``, for code written for TensorFlow."""

    def numpy(self) -> np.ndarray:
        """The same numbers as a plain ndarray."""
        return np.asarray(self)


class Scalar(float):
    """A number that also has ``.numpy()``, for code written for TensorFlow."""

    def numpy(self) -> np.float32:
        """The same number as NumPy's float32."""
        return np.float32(self)


class EagerProgram:
    """The program of ``lower`` for arrays of ``shape`` (without the batch axis).

    Calling it with an array of shape (rows, *shape) returns a new Tensor (rows, *output shape).
    """

    def __init__(self, name: str, lower: Callable, shape, dtype: str, training: bool, seed: int):
        build = Lowering(training, dtype)
        build.layer = name
        output, _ = lower(build, build.gather(shape, "x"))
        build.scatter(output, "output")
        self.program = Program(build, f"{name}: {'call in training' if training else 'call'}", seed)
        self.shape = output.shape
        self.dtype = np.dtype(dtype)
        self.step = 0                 # so that dropout differs from call to call
        self._plan = self.program.plan(1)

    @staticmethod
    def takes(x: np.ndarray) -> bool:
        """Whether gather reads this array as it lies."""
        return x.dtype.char in READABLE and x.dtype.isnative and x.flags.c_contiguous

    def __call__(self, x: np.ndarray) -> Tensor:
        rows = len(x)
        output = np.empty((rows, *self.shape), self.dtype)
        if rows:
            plan = self._plan
            if rows > plan.capacity:
                plan = self._plan = self.program.plan(rows)
            frame = plan.acquire()
            try:
                frame.run([x, output], rows, rows, 0, 1, None, None, self.step, threads_for(plan, 1))
            finally:
                plan.release(frame)
            self.step += 1
        return output.view(Tensor)


def per_row(subject, y_true, y_pred, sample_weight=None) -> np.ndarray:
    """The values that a loss or metric gives to each row of arrays, weighted: shape (rows, ...).

    ``subject`` has ``name``, ``integer_targets``, ``target_shape``, ``gather_target`` and ``lower``.
    y_pred: (rows, ...) numbers; y_true: class indices or numbers of y_pred's shape; sample_weight: (rows,).
    """
    y_pred = _arrays.as_rows(y_pred, "y_pred")
    if y_pred.ndim == 1:                     # one row of numbers, as Keras takes it
        y_pred, y_true = y_pred[None], np.asarray(y_true)[None]
    shape = y_pred.shape[1:]
    if 0 in shape:
        raise ValueError(f"`y_pred` must hold at least one value a row, got shape {y_pred.shape}")
    arrays = [y_pred, _arrays.as_target(y_true, subject.target_shape(shape), "y_true")]
    build = Lowering(False, "float64" if y_pred.dtype == np.float64 else "float32")
    y = build.gather(shape, "y_pred")
    target = subject.gather_target(build, shape)
    weights = None
    if sample_weight is not None:
        weights = build.gather((), "sample_weight")
        arrays.append(_arrays.as_weights(sample_weight, len(y_pred)))
    values = subject.lower(build, y, target, weights)
    build.scatter(values, "values")
    _arrays.check_same_length(**dict(zip(("y_pred", "y_true", "sample_weight"), arrays)))
    results = np.empty((len(y_pred), *values.shape), build.dtype)
    fault = Program(build, subject.name).run([*arrays, results], len(y_pred), max(1, len(y_pred)))
    if fault is not None:
        raise ValueError(_arrays.bad_label("y_true", fault[2], fault[3], shape[-1]))
    return results
