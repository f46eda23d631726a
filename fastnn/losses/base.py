"""What all losses share: how they are lowered, reduced over a batch, and called on arrays."""
from __future__ import annotations

import copy
import math
from typing import Any

from .. import _arrays, _overrides, backend
from .._describe import Described
from ..program import Lowering, PerRow, Recent, Value, as_dtype
from ..program.eager import Scalar
from .arrays import values_of
from .python import lower_call

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)
# flags of the operations (see kernels/loss.pxi.in)
LOSS_SUM = 1                                   # the gradient is of the sum of the losses, not of their mean
SUM, SHARE, VALID, IGNORE = 1, 2, 4, 8         # of loss_weights


class Loss(Described):
    """Base of all losses.

    ``reduction``: what becomes of the losses of the rows, in training and on arrays: "sum_over_batch_size" or "mean",
    "mean_with_sample_weight" (their sum divided by that of the weights), "sum", or None: an array; training then takes
    the gradient of the sum and reports the mean, as Keras does. ``dtype``: of calls on arrays, "float32" or "float64";
    in training a loss is computed in the dtype of its model.

    A loss of yours has a method ``call(y_true, y_pred)`` on NumPy arrays that returns the losses (rows,) and, for
    training, which cannot know it otherwise, also the gradient of their sum, of the shape of y_pred:

    >>> class Squares(Loss):
    ...     def call(self, y_true, y_pred):
    ...         error = y_pred - y_true
    ...         return (error ** 2).sum(-1), 2 * error
    >>> Squares()([[0, 0]], [[1, 2]])
    5.0
    """
    integer_targets = False           # whether y holds class indices rather than numbers of the output's shape
    probability_targets = False       # whether y must lie in [0, 1]
    of_numbers = False                # whether y holds numbers, never classes, for what an error advises
    ignore_class: int | None = None   # a class index whose rows do not count
    axis = -1                         # along which a row's loss is taken, the rows of the batch being axis 0

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.refuse(cls, {"__call__"}, "write call(self, y_true, y_pred), which returns (losses, gradient)")
        _overrides.written_first(cls, Loss, {"call"}, {"lower", "resolved"})

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in REDUCTIONS:
            raise ValueError(f"{type(self).__name__}: `reduction` must be one of "
                             f"{', '.join(map(repr, REDUCTIONS))}, got {reduction!r:.60}")
        self.reduction = reduction
        self.name = _arrays.optional_name(type(self).__name__, name) or backend.snake_case(type(self).__name__)
        self.dtype = None if dtype is None else as_dtype(dtype, type(self).__name__)
        self._programs: Recent[tuple, Any] = Recent()
        self._resolved: dict[Any, Loss] = {}            # what ``resolved`` has made of it

    def resolved(self, output_shape: tuple, target_shape: tuple) -> Loss:
        """This loss as it is for outputs and targets of these shapes (both without the batch axis).

        To a loss written in Python targets that lack the last axis are class indices.
        """
        if type(self).call is Loss.call or self.integer_targets or not is_sparse(output_shape, target_shape):
            return self
        other = self._resolved.get("labels")
        if other is None:
            other = copy.copy(self)
            other.integer_targets = True
            other.call = self.call          # type: ignore[method-assign]    # what call() keeps is kept in one place
            self._resolved["labels"] = other
        return other

    def target_shape(self, output_shape: tuple) -> tuple:
        """The shape of one row of y for outputs of this shape (both without the batch axis)."""
        return output_shape[:-1] if self.integer_targets else output_shape

    def gather_target(self, build: Lowering, output_shape: tuple) -> Value:
        """y of the batch in the form this loss reads."""
        if self.integer_targets:
            return build.gather(output_shape[:-1], "labels", output_shape[-1], self.ignore_class)
        return build.gather(output_shape, "y")

    def call(self, y_true, y_pred):
        """The losses of the rows of arrays, or (losses, gradient): for losses of yours."""
        raise NotImplementedError(f"{type(self).__name__} has no call() in Python to build on: compute the losses from "
                                  "y_true and y_pred")

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        """Name the operations of loss and gradient; returns the losses of the rows, already weighted."""
        if type(self).call is Loss.call:
            raise NotImplementedError(f"loss {type(self).__name__} has neither call() nor lower()")
        return lower_call(self, build, y, target, weights)

    def lower_reduced(self, build: Lowering, y: Value, target: Value, weights: Value | None = None,
                      mask: Value | None = None, factor: float = 1.0) -> Value:
        """As ``lower``, but so that the mean of the values over a batch is ``factor`` · the loss by its reduction.

        ``mask``: of the losses that count, for a loss that ignores a class; the others take it as weights.
        """
        flags = self.flags(weights is not None)
        if flags:
            _, weights = self.weigh(build, y, target, weights, flags, mask)
        if factor != 1.0:
            weights = multiplied(build, weights, factor)
        return self.lower(build, y, target, weights)

    def flags(self, weighted: bool) -> int:
        """The flags of ``loss_weights`` that make the reduction, 0 where it is a plain mean."""
        flags = {"sum": SUM, "mean_with_sample_weight": SHARE}.get(self.reduction, 0)
        if self.ignore_class is not None:
            return IGNORE | (flags or (0 if self.reduction in ("none", None) else VALID))
        return 0 if flags == SHARE and not weighted else flags

    def needs_whole_batch(self, weighted: bool) -> bool:
        """Whether the losses of rows depend on the other rows, so that arrays cannot go through in pieces."""
        return type(self).call is not Loss.call or self.flags(weighted) not in (0, IGNORE)

    def weigh(self, build: Lowering, y: Value, target: Value, weights: Value | None, flags: int,
              mask: Value | None = None) -> tuple[Value, Value]:
        """Labels without the ignored ones (with the flag IGNORE) and weights of all losses, one for each."""
        n = y.size // y.shape[self.axis_of(y)]
        result = build.value((n,), name="weights of losses")
        labels = build.value(target.shape, "int32", name="labels") if flags & IGNORE else None
        repeat = 1 if weights is None else n // weights.size
        build.emit("loss_weights", [weights, target if flags & IGNORE else None, mask], [result, labels],
                   [PerRow(n), repeat], [self.ignore_class or 0], flags)
        return labels or target, result

    def emit(self, build: Lowering, kernel: str, y: Value, target: Value, weights: Value | None, scalars=(),
             probabilities: Value | None = None) -> Value:
        """One loss operation along the last axis: y, target, [weights] -> [probabilities], [gradient of y], losses of
        the rows."""
        shape = y.shape[:-1]
        losses = build.value(shape, name="losses")
        gradient = build.gradient_place(y) if build.training and y.needs_gradient else None
        repeat = math.prod(shape) // (1 if weights is None else weights.size)
        build.emit(kernel, [y, target, weights], [*([probabilities] if probabilities else ()), gradient, losses],
                   [y.rows(), y.shape[-1], repeat], scalars, LOSS_SUM if self.reduction in ("none", None) else 0)
        if gradient is not None:
            build.add_gradient(y, gradient)
        return losses

    def axis_of(self, y: Value) -> int:
        """The place of ``axis`` in y's shape, which lacks the batch axis; ValueError if it is none of them."""
        rank = len(y.shape) + 1
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 1 <= axis < rank:
            raise ValueError(f"{type(self).__name__}: `axis` must be an axis of `y_pred` after the first, which holds "
                             f"the rows: 1 to {rank - 1} or {1 - rank} to -1 for its rank {rank}, got {self.axis}")
        return axis - 1

    def axis_last(self, build: Lowering, x: Value) -> Value:
        """``x`` with ``axis`` as its last."""
        axis = self.axis_of(x)
        if axis == len(x.shape) - 1:
            return x
        outer, middle, inner = (math.prod(s) for s in (x.shape[:axis], x.shape[axis:axis + 1], x.shape[axis + 1:]))
        y = build.result(x, shape=(*x.shape[:axis], *x.shape[axis + 1:], middle), name=x.name)
        build.emit("swap_axes", [x], [y], [PerRow(outer), middle, inner])
        return build.backward_by(x, y, "swap_axes", [], [PerRow(outer), inner, middle])

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The loss of arrays: a number, or with ``reduction=None`` an array (rows, ...).

        y_pred: (rows, ...) numbers; y_true: class indices or numbers of y_pred's shape; sample_weight: (rows,). Arrays
        of rank 1 are one row.
        """
        values = values_of(self, y_true, y_pred, sample_weight)
        if self.reduction in ("none", None):
            return values
        return Scalar(values.mean(dtype="float64") if values.size else 0.0)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_programs": Recent(), "_resolved": {}}


class FunctionLoss(Loss):
    """A Python function (y_true, y_pred) of the user's as a loss: it returns what ``Loss.call`` does."""

    def __init__(self, function, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name or getattr(function, "__name__", "loss"), reduction, dtype)
        self.function = function

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred)

    def describe(self) -> str:
        """Its name: to load it again, hand the function over with ``custom_objects``."""
        return self.function.__name__


def multiplied(build: Lowering, weights: Value | None, factor: float) -> Value:
    """Weights of losses times a number; of rows where there are none."""
    shape = () if weights is None else weights.shape
    numbers = build.value(shape, name="weight of the loss")
    build.emit("fill", [], [numbers], [numbers.elements()], [factor])
    if weights is None:
        return numbers
    result = build.value(shape, name="weights of losses")
    build.emit("product", [weights, numbers], [result], [result.elements()])
    return result


def is_sparse(output_shape: tuple, target_shape: tuple) -> bool:
    """Whether targets of this shape are class indices for outputs of that (both without the batch axis)."""
    few = len(target_shape) < len(output_shape) or target_shape[-1:] == (1,)
    return output_shape[-1:] != (1,) and few


def fraction(loss: Loss, argument: str, value) -> float:
    """A setting from 0 to 1; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{type(loss).__name__}: `{argument}` must be a number from 0 to 1, got {value!r:.60}")
    return float(value)


def number(loss: Loss, argument: str, value) -> float:
    """A finite setting of at least 0; ValueError otherwise."""
    return _arrays.number(type(loss).__name__, argument, value)


def whole(loss: Loss, argument: str, value) -> int:
    """A setting that is a whole number; ValueError otherwise."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{type(loss).__name__}: `{argument}` must be a whole number, got {value!r:.60}")
    return value.__index__()
