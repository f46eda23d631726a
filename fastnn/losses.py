"""Losses: what training minimises, lowered with their gradient, and callable on arrays."""
from __future__ import annotations

import warnings

import numpy as np

from . import backend
from ._describe import Described, Registry
from ._describe import serialize as serialize
from .program import Lowering, Value
from .program.eager import Scalar, per_row

CLIP = 1e-7      # where a loss sees probabilities rather than logits, they are clipped to [CLIP, 1 - CLIP], as in Keras


class Loss(Described):
    """Base of all losses.

    ``reduction``: how a call on arrays sums up the losses of the rows: "sum_over_batch_size" (their mean), "sum" or
    None (an array). Training always takes the mean. ``name`` is shown in texts.
    """
    integer_targets = False           # whether y holds class indices rather than numbers of the output's shape
    probability_targets = False       # whether y must lie in [0, 1]

    def __init__(self, reduction="sum_over_batch_size", name=None):
        if reduction not in ("sum_over_batch_size", "mean", "sum", "none", None):
            raise ValueError(f"{type(self).__name__}: `reduction` must be 'sum_over_batch_size', 'sum' or None, got "
                             f"{reduction!r}")
        self.reduction = reduction
        self.name = name or backend.snake_case(type(self).__name__)

    def target_shape(self, output_shape: tuple) -> tuple:
        """The shape of one row of y for outputs of this shape (both without the batch axis)."""
        return output_shape[:-1] if self.integer_targets else output_shape

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        """Name the operations of loss and gradient; returns the losses of the rows, already weighted."""
        raise NotImplementedError(f"{type(self).__name__} has no lower()")

    def gather_target(self, build: Lowering, output_shape: tuple) -> Value:
        """y of the batch in the form this loss reads."""
        if self.integer_targets:
            return build.gather(output_shape[:-1], "labels", output_shape[-1])
        return build.gather(output_shape, "y")

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The loss of arrays: a float, or an array (rows,) with ``reduction=None``.

        y_pred: (rows, ...) numbers; y_true: class indices or numbers of y_pred's shape; sample_weight: (rows,).
        """
        losses = per_row(self, y_true, y_pred, sample_weight)
        if self.reduction in ("none", None):
            return losses
        return Scalar(losses.sum(dtype=np.float64) if self.reduction == "sum" else losses.mean(dtype=np.float64))


def _emit(build: Lowering, kernel: str, y: Value, target: Value, weights: Value | None, results: list[Value],
          scalars=()) -> Value:
    """One loss operation: y, target, [weights] -> results, [gradient of y], losses of the rows."""
    shape = y.shape[:-1]
    repeat = max(1, y.size // y.shape[-1])
    losses = build.value(shape, name="losses")
    gradient = build.gradient_place(y) if build.training and y.needs_gradient else None
    build.emit(kernel, [y, target, weights], [*results, gradient, losses], [y.rows(), y.shape[-1], repeat], scalars)
    if gradient is not None:
        build.add_gradient(y, gradient)
    return losses


def _crossentropy(build: Lowering, y: Value, target: Value, weights, from_logits: bool, activation: str, fused: str,
                  plain: str, smoothing: tuple = ()) -> Value:
    """Cross-entropy of logits where they are at hand, else of probabilities.

    Straight after a softmax or sigmoid the loss is computed from the logits, in one operation that also writes the
    probabilities: log(softmax(z)) loses all digits where a probability rounds to 0 or 1. As in Keras, either activation
    will do for either loss; where it is not the loss's own, it stays an operation and the output of the model.
    """
    maker = build.maker(y)
    if maker is not None and maker.kernel in ("softmax_forward", "sigmoid_forward"):
        logits = maker.inputs[0]
        assert logits is not None
        if from_logits:
            activation_name = maker.label.removesuffix("_forward")
            warnings.warn(f"the loss is told from_logits=True, but the output is a {activation_name}: the loss takes "
                          "the logits before it", UserWarning, stacklevel=2)
        if maker.kernel == f"{activation}_forward":
            build.operations.remove(maker)
            return _emit(build, fused, logits, target, weights, [y], smoothing)
        y, from_logits = logits, True
    if from_logits:
        probabilities = build.value(y.shape, name="probabilities")
        return _emit(build, fused, y, target, weights, [probabilities], smoothing)
    return _emit(build, plain, y, target, weights, [], (CLIP, *smoothing))


class MeanSquaredError(Loss):
    """Mean over the last axis of (y_true - y_pred)²."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error"):
        super().__init__(reduction, name)

    def lower(self, build, y, target, weights=None):
        return _emit(build, "mean_squared_error", y, target, weights, [])


class BinaryCrossentropy(Loss):
    """Mean over the last axis of -t·log(p) - (1 - t)·log(1 - p).

    ``from_logits``: y_pred are logits, not probabilities. ``label_smoothing`` s: targets become t·(1 - s) + s/2.
    """

    probability_targets = True

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="binary_crossentropy"):
        super().__init__(reduction, name)
        self.from_logits, self.label_smoothing = bool(from_logits), _smoothing(self, label_smoothing)
        self.axis = _last_axis(self, axis)

    def lower(self, build, y, target, weights=None):
        return _crossentropy(build, y, target, weights, self.from_logits, "sigmoid", "sigmoid_crossentropy",
                             "binary_crossentropy", (self.label_smoothing,))


class CategoricalCrossentropy(Loss):
    """-sum over classes of t·log(p), for one-hot (or any) targets t of the output's shape.

    ``from_logits``: y_pred are logits. ``label_smoothing`` s over K classes: targets become t·(1 - s) + s/K.
    """

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="categorical_crossentropy"):
        super().__init__(reduction, name)
        self.from_logits, self.label_smoothing = bool(from_logits), _smoothing(self, label_smoothing)
        self.axis = _last_axis(self, axis)

    def lower(self, build, y, target, weights=None):
        return _crossentropy(build, y, target, weights, self.from_logits, "softmax", "softmax_crossentropy",
                             "crossentropy", (self.label_smoothing,))


class SparseCategoricalCrossentropy(Loss):
    """-log(p[label]), for integer labels of shape (rows,) or (rows, 1) in 0..classes-1."""
    integer_targets = True

    def __init__(self, from_logits=False, reduction="sum_over_batch_size", axis=-1,
                 name="sparse_categorical_crossentropy"):
        super().__init__(reduction, name)
        self.from_logits = bool(from_logits)
        self.axis = _last_axis(self, axis)

    def lower(self, build, y, target, weights=None):
        return _crossentropy(build, y, target, weights, self.from_logits, "softmax", "softmax_crossentropy_sparse",
                             "crossentropy_sparse")


def _smoothing(loss: Loss, value) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{type(loss).__name__}: `label_smoothing` must be a number from 0 to 1, got {value!r}")
    return float(value)


def _last_axis(loss: Loss, axis) -> int:
    if axis != -1:
        raise ValueError(f"{type(loss).__name__}: `axis` must be -1, the last one, got {axis!r}")
    return -1


_CLASSES = (MeanSquaredError, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy)
_registry = Registry("loss", Loss, _CLASSES, {
    "mse": MeanSquaredError, "MSE": MeanSquaredError, "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy})
NAMES = tuple(_registry.by_name)


def get(identifier) -> Loss:
    """The loss of a name or a description, or a loss itself; ValueError names the nearest."""
    if callable(identifier) and not isinstance(identifier, (type, Loss)):
        raise ValueError("a Python function as loss has no gradient here, and is not taken in this version; use one of "
                         f"{', '.join(n for n in NAMES if n.islower())}, or a fastnn.Loss with a lower()")
    return _registry.get(identifier)
