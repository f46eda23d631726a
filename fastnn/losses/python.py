"""Losses written in Python: one operation that calls back with NumPy arrays."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..program import Lowering, Value

if TYPE_CHECKING:
    from .base import Loss


def lower_call(loss: Loss, build: Lowering, y: Value, target: Value, weights: Value | None) -> Value:
    """The operation of ``loss.call``; returns the losses of the rows, weighted."""
    losses = build.value(y.shape[:-1], name="losses")
    gradient = build.gradient_place(y) if build.training and y.needs_gradient else None
    mean = loss.reduction not in ("none", None)

    def call(y, target, *rest):
        *given, losses = rest
        weights = given.pop(0) if has_weights else None
        y.flags.writeable = target.flags.writeable = False
        found, slope = _losses_and_gradient(loss, loss.call(target, y), losses.shape, y.shape, bool(given))
        factor = np.ones(losses.shape, losses.dtype)
        if weights is not None:
            factor *= weights.reshape(-1, *[1] * (losses.ndim - 1)) if weights.size == len(y) else \
                weights.reshape(losses.shape)
        losses[...] = found * factor
        if given:
            given[0][...] = slope * (factor / losses.size if mean else factor)[..., None]

    has_weights = weights is not None
    call.__name__ = loss.name
    build.python(call, [y, target, *([weights] if weights else ())], [*([gradient] if gradient else ()), losses])
    if gradient is not None:
        build.add_gradient(y, gradient)
    return losses


def _losses_and_gradient(loss: Loss, result, shape: tuple, y_shape: tuple, training: bool) -> tuple:
    """(losses of ``shape``, gradient of ``y_shape`` or None) of what ``call`` has returned; ValueError otherwise."""
    gradient = None
    if isinstance(result, tuple) and len(result) == 2:
        result, gradient = result
    elif training:
        raise ValueError(f"loss {loss.name!r} has no gradient: for training, let your Python function return "
                         "(losses, gradient), the gradient of the sum of the losses, of the shape of `y_pred`; losses "
                         f"alone will do for evaluate() and metrics. It returned {type(result).__name__}")
    losses = np.asarray(result)
    if losses.shape == y_shape != shape and gradient is None:
        losses = losses.mean(-1)
    if losses.shape not in (shape, ()):
        raise ValueError(f"loss {loss.name!r} must return losses of shape {shape}, one a row, got {losses.shape}")
    if not training:
        return losses, None
    gradient = np.asarray(gradient)
    if gradient.shape != y_shape:
        raise ValueError(f"loss {loss.name!r} must return a gradient of the shape of `y_pred`, {y_shape}, got "
                         f"{gradient.shape}")
    return losses, gradient
