"""Regularizers: penalties on weights or outputs that are added to the loss."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import _arrays, _overrides
from ._describe import Described, Registry, custom, custom_object_scope
from ._describe import serialize as serialize
from .program import Lowering, PerRow, Value
from .program.eager import Scalar

SMALLEST_NORM = 1e-12         # of a row or column that OrthogonalRegularizer divides by, as in Keras


class Regularizer(Described):
    """Base of all regularizers: called with an array of any shape they return the penalty, a number.

    Write one of your own as a class with ``__call__(self, x)`` and, to train with it, ``gradient(self, x)``: the
    derivative of the penalty by every element of x, of x's shape. Both get a NumPy array, a weight or a batch of
    outputs, and run as Python operations.
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.written_first(cls, Regularizer, {"__call__", "gradient"}, {"lower", "lower_gradient"})
        _overrides.written_first(cls, Regularizer, {"__call__"}, {"gradient"})    # that of another penalty

    def __call__(self, x):
        raise NotImplementedError(f"{type(self).__name__} has no __call__(x)")

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """The derivative of the penalty by every element of x."""
        raise NotImplementedError

    def lower(self, build: Lowering, x: Value, before: Value | None, after: Value) -> None:
        """Name the operation after = before + penalty of ``x``; a batch's is divided by its rows."""
        if build.training and x.needs_gradient and type(self).gradient is Regularizer.gradient:
            raise ValueError(f"the regularizer {self!r:.80} of {build.layer!r} has no gradient, and NumPy code cannot "
                             "be differentiated: make it a subclass of fastnn.Regularizer with __call__(self, x) and "
                             "gradient(self, x), or use L1, L2 or L1L2")

        def penalty(array: np.ndarray, *sums: np.ndarray) -> None:
            sums[-1][0] = float(self(array)) / (len(array) if x.batched else 1) + sum(s[0] for s in sums[:-1])
        build.python(penalty, [x, before], [after])

    def lower_gradient(self, build: Lowering, x: Value) -> None:
        """Name the operation that adds the penalty's gradient to that of ``x``."""
        earlier, total = build.revised_gradient(x)

        def penalty_gradient(array: np.ndarray, *gradients: np.ndarray) -> None:
            own = np.asarray(self.gradient(array)) / (len(array) if x.batched else 1)
            if own.shape != array.shape:
                raise ValueError(f"the gradient of {self!r:.80} must have the shape of x, {array.shape}, got "
                                 f"{own.shape}")
            gradients[-1][...] = sum(gradients[:-1], own)
        build.python(penalty_gradient, [x, earlier], [total])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class L1L2(Regularizer):
    """l1 · sum|x| + l2 · sum(x²).

    >>> float(L1L2(l1=0.5, l2=2.0)([[1.0, -2.0]]))
    11.5
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = _factor(self, "l1", l1, 0.0), _factor(self, "l2", l2, 0.0)

    @property
    def factors(self) -> tuple[float, float]:
        """(l1, l2)."""
        return self.l1, self.l2

    def __call__(self, x) -> Scalar:
        x, (l1, l2) = _arrays.plain(x).astype(np.float64), self.factors
        return Scalar(l1 * np.abs(x).sum() + l2 * (x * x).sum())

    def lower(self, build, x, before, after):
        build.emit("penalty", [x, before], [after], [x.elements(), _rows(x)], self.factors)

    def lower_gradient(self, build, x):
        earlier, total = build.revised_gradient(x)
        build.emit("penalty_gradient", [x, earlier], [total], [x.elements(), _rows(x)], self.factors)


class L1(L1L2):
    """l1 · sum|x|."""

    def __init__(self, l1=0.01):
        self.l1 = _factor(self, "l1", l1, 0.01)

    @property
    def factors(self):
        return self.l1, 0.0


class L2(L1L2):
    """l2 · sum(x²)."""

    def __init__(self, l2=0.01):
        self.l2 = _factor(self, "l2", l2, 0.01)

    @property
    def factors(self):
        return 0.0, self.l2


class OrthogonalRegularizer(Regularizer):
    """factor · the mean of |cosine| over all pairs of rows of a matrix (``mode="columns"``: of columns)."""

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor(self, "factor", factor, 0.01)
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: `mode` must be 'rows' or 'columns', got {mode!r:.60}")
        self.mode = mode

    def __call__(self, x) -> Scalar:
        cosines, scale, _, _ = self._cosines(_arrays.plain(x))
        return Scalar(scale * np.abs(cosines).sum())

    def gradient(self, x):
        cosines, scale, units, norms = self._cosines(x)
        slope = 2 * scale * np.sign(cosines) @ units
        slope = (slope - units * (units * slope).sum(1, keepdims=True)) / norms
        return slope if self.mode == "rows" else slope.T

    def _cosines(self, x: np.ndarray) -> tuple:
        """(cosines of all pairs, 0 on the diagonal; what their sum is multiplied by; unit rows; norms)."""
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: `x` must be a matrix, got shape {x.shape}")
        rows = np.asarray(x, np.float64) if self.mode == "rows" else np.asarray(x, np.float64).T
        norms = np.maximum(np.sqrt((rows * rows).sum(1, keepdims=True)), SMALLEST_NORM)
        units, n = rows / norms, len(rows)
        cosines = units @ units.T
        np.fill_diagonal(cosines, 0.0)
        return cosines, self.factor / (n * (n - 1)) if n > 1 else 0.0, units, norms


class FunctionRegularizer(Regularizer):
    """A Python function (x) -> penalty as a regularizer: for evaluation, as it has no gradient."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, x):
        return self.function(x)

    def describe(self) -> str:
        return self.function.__name__


def _factor(regularizer: Regularizer, name: str, value, default: float) -> float:
    return default if value is None else _arrays.number(type(regularizer).__name__, name, value)


def _rows(x: Value) -> int:
    """What a penalty is divided by: the rows of a batch."""
    return PerRow(1) if x.batched else 1


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_registry = Registry("regularizer", Regularizer, (L1, L2, L1L2, OrthogonalRegularizer), {"l1_l2": L1L2})


def get(identifier) -> Regularizer | None:
    """The regularizer of a name, a class, a description or a function; one itself; None for None. ValueError names the
    nearest."""
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    known = custom(identifier) if isinstance(identifier, str) else identifier
    if callable(known) and not isinstance(known, type):
        return FunctionRegularizer(known)
    return _registry.get(identifier)


def deserialize(config, custom_objects=None) -> Regularizer | None:
    """The regularizer of a description; ``custom_objects``: {name: class or function} that it may name too."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
