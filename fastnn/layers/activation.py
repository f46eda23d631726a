"""Activation: an activation function as a layer of its own."""
from __future__ import annotations

from .. import activations
from ..program import Lowering, Value
from .base import Layer


class Activation(Layer):
    """Applies an activation function, element by element (softmax: along the last axis).

    ``activation``: a name such as "relu", or a function of ``fastnn.activations``. The output has the input's shape.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def lower(self, build: Lowering, x: Value, mask=None):
        return self.activation.lower(build, x), mask
