"""Layers that change the shape and nothing else: views, no operation of their own."""
from __future__ import annotations

import math

from ..program import Lowering, Value
from .base import Layer


class Flatten(Layer):
    """(batch, a, b, ...) -> (batch, a·b·...); an input of shape (batch,) becomes (batch, 1)."""

    def compute_output_shape(self, input_shape):
        return (input_shape[0], math.prod(input_shape[1:]))

    def lower(self, build: Lowering, x: Value, mask=None):
        return build.view(x, (x.size,)), mask
