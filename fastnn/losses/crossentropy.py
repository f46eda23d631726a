"""Cross-entropies, fused with the softmax or sigmoid before them, and the choice among them by shapes."""
from __future__ import annotations

from .._warn import warn
from ..program import Lowering, Value
from .base import IGNORE, Loss, fraction, is_sparse, whole

CLIP = 1e-7      # where a loss sees probabilities rather than logits, they are clipped to [CLIP, 1 - CLIP], as in Keras


class Crossentropy(Loss):
    """Base of the cross-entropies: of logits where they are at hand, else of probabilities.

    Straight after a softmax or sigmoid the loss is computed from the logits, in one operation that also writes the
    probabilities: log(softmax(z)) loses all digits where a probability rounds to 0 or 1. As in Keras, either activation
    will do for either loss; where it is not the loss's own, it stays an operation and the output of the model.
    """
    activation, fused, plain = "softmax", "", ""     # the activation of its own; kernels of logits and probabilities
    smoothing: tuple = ()

    def __init__(self, from_logits, axis, reduction, name, dtype):
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), whole(self, "axis", axis)

    def lower(self, build, y, target, weights=None):
        y, target = self.axis_last(build, y), target if self.integer_targets else self.axis_last(build, target)
        maker, from_logits = build.maker(y), self.from_logits
        if maker is not None and maker.kernel in ("softmax_forward", "sigmoid_forward"):
            logits = maker.inputs[0]
            assert logits is not None
            if from_logits:
                activation = maker.label.removesuffix("_forward")
                warn(f"the loss is told from_logits=True, but the output is a {activation}: the loss takes "
                     "the logits before it")
            if maker.kernel == f"{self.activation}_forward":
                build.operations.remove(maker)
                return self.emit(build, self.fused, logits, target, weights, self.smoothing, y)
            y, from_logits = logits, True
        return lower_from(self, build, y, target, weights, from_logits, self.smoothing)


def warn_of_one_class(loss: Loss, y: Value) -> None:
    """Warn where there is nothing to choose from: the probability of a single class is 1, and the loss 0."""
    if y.shape[loss.axis_of(y)] == 1:
        warn(f"{loss.name} needs two outputs or more, one for each class, got shape {(None, *y.shape)}: with one the "
             "loss is always 0; for two classes use Dense(1, activation='sigmoid') with binary_crossentropy")


def lower_from(loss, build: Lowering, y: Value, target: Value, weights: Value | None, from_logits: bool,
               scalars: tuple) -> Value:
    """The operation of a loss of logits, with probabilities that nobody else reads, or of probabilities."""
    if from_logits:
        probabilities = build.value(y.shape, name="probabilities")
        return loss.emit(build, loss.fused, y, target, weights, scalars, probabilities)
    return loss.emit(build, loss.plain, y, target, weights, (CLIP, *scalars))


class BinaryCrossentropy(Crossentropy):
    """Mean over ``axis`` of -t·log(p) - (1 - t)·log(1 - p).

    ``from_logits``: y_pred are logits, not probabilities. ``label_smoothing`` s: targets become t·(1 - s) + s/2.
    """
    probability_targets = True
    activation, fused, plain = "sigmoid", "sigmoid_crossentropy", "binary_crossentropy"

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="binary_crossentropy", dtype=None):
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.label_smoothing = fraction(self, "label_smoothing", label_smoothing)
        self.smoothing = (self.label_smoothing,)


class CategoricalCrossentropy(Crossentropy):
    """-sum over classes of t·log(p), for one-hot (or any) targets t of the output's shape.

    ``from_logits``: y_pred are logits. ``label_smoothing`` s over K classes: targets become t·(1 - s) + s/K. ``axis``:
    that of the classes.
    """
    fused, plain = "softmax_crossentropy", "crossentropy"

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="categorical_crossentropy", dtype=None):
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.label_smoothing = fraction(self, "label_smoothing", label_smoothing)
        self.smoothing = (self.label_smoothing,)

    def lower(self, build, y, target, weights=None):
        warn_of_one_class(self, y)
        return super().lower(build, y, target, weights)


class SparseCategoricalCrossentropy(Crossentropy):
    """-log(p[label]), for integer labels of shape (rows,) or (rows, 1) in 0..classes-1.

    ``from_logits``: y_pred are logits. ``ignore_class``: rows with this label, which need not be a class, have no loss
    and do not count in a mean. ``axis``, that of the classes, must be the last.
    """
    integer_targets = True
    fused, plain = "softmax_crossentropy_sparse", "crossentropy_sparse"

    def __init__(self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
                 name="sparse_categorical_crossentropy", dtype=None):
        super().__init__(from_logits, axis, reduction, name, dtype)
        self.ignore_class = None if ignore_class is None else whole(self, "ignore_class", ignore_class)

    def lower(self, build, y, target, weights=None):
        if self.axis_of(y) != len(y.shape) - 1:
            raise ValueError(f"{type(self).__name__}: `axis` must be -1, the last one, got {self.axis}")
        if self.ignore_class is not None:
            target, weights = self.weigh(build, y, target, weights, IGNORE)
        return super().lower(build, y, target, weights)


class ByShapes(Loss):
    """The cross-entropy that outputs and targets call for: binary for one output, sparse for class indices."""

    def __init__(self, name="crossentropy", reduction="sum_over_batch_size", dtype=None):
        super().__init__(name, reduction, dtype)

    def resolved(self, output_shape: tuple, target_shape: tuple) -> Loss:
        cls: type[Loss] = CategoricalCrossentropy
        if output_shape[-1:] == (1,):
            cls = BinaryCrossentropy
        elif is_sparse(output_shape, target_shape):
            cls = SparseCategoricalCrossentropy
        if cls not in self._resolved:
            self._resolved[cls] = cls(reduction=self.reduction, dtype=self.dtype)
        return self._resolved[cls]

    def describe(self) -> str:
        return self.name
