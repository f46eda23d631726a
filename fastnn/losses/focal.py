"""Focal losses: cross-entropies in which what is predicted well already counts little (Lin et al., 2017,
https://arxiv.org/abs/1708.02002)."""
from __future__ import annotations

from .. import activations
from .base import Loss, fraction, number, whole
from .crossentropy import CLIP, lower_from, warn_of_one_class


class BinaryFocalCrossentropy(Loss):
    """Mean over ``axis`` of (1 - p_t)^gamma times the binary cross-entropy, with p_t = t·p + (1 - t)·(1 - p).

    ``apply_class_balancing``: times t·alpha + (1 - t)·(1 - alpha), so ``alpha`` is the weight of the class 1.
    ``from_logits``: y_pred are logits. ``label_smoothing`` s: targets become t·(1 - s) + s/2.
    """
    probability_targets = True
    fused, plain = "sigmoid_focal", "binary_focal"

    def __init__(self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0,
                 axis=-1, reduction="sum_over_batch_size", name="binary_focal_crossentropy", dtype=None):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing, self.from_logits = bool(apply_class_balancing), bool(from_logits)
        self.alpha, self.gamma = number(self, "alpha", alpha), number(self, "gamma", gamma)
        self.label_smoothing, self.axis = fraction(self, "label_smoothing", label_smoothing), whole(self, "axis", axis)

    def lower(self, build, y, target, weights=None):
        balance = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1.0, 1.0)
        scalars = (self.label_smoothing, self.gamma, *balance)
        y, target = self.axis_last(build, y), self.axis_last(build, target)
        maker = build.maker(y)
        if not self.from_logits and maker is not None and maker.kernel == "sigmoid_forward":
            build.operations.remove(maker)
            return self.emit(build, self.fused, maker.inputs[0], target, weights, scalars, y)
        return lower_from(self, build, y, target, weights, self.from_logits, scalars)


class CategoricalFocalCrossentropy(Loss):
    """-sum over classes of alpha·(1 - p)^gamma·t·log(p), for one-hot (or any) targets t of the output's shape.

    ``from_logits``: y_pred are logits. ``label_smoothing`` s over K classes: targets become t·(1 - s) + s/K. ``axis``:
    that of the classes.
    """

    def __init__(self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
                 reduction="sum_over_batch_size", name="categorical_focal_crossentropy", dtype=None):
        super().__init__(name, reduction, dtype)
        self.from_logits = bool(from_logits)
        self.alpha, self.gamma = number(self, "alpha", alpha), number(self, "gamma", gamma)
        self.label_smoothing, self.axis = fraction(self, "label_smoothing", label_smoothing), whole(self, "axis", axis)

    def lower(self, build, y, target, weights=None):
        warn_of_one_class(self, y)
        y, target = self.axis_last(build, y), self.axis_last(build, target)
        if self.from_logits:
            y = activations.softmax.lower(build, y)
        scalars = (CLIP, self.label_smoothing, self.gamma, self.alpha)
        return self.emit(build, "categorical_focal", y, target, weights, scalars)
