"""Adagrad (Duchi, Hazan and Singer, Adaptive Subgradient Methods, 2011)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Adagrad(Optimizer):
    """a += g², w -= learning_rate · g / sqrt(a + epsilon); a begins with ``initial_accumulator_value``."""
    slot_names = ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.initial_accumulator_value = _arrays.number("Adagrad", "initial_accumulator_value",
                                                        initial_accumulator_value)
        self.slot_starts = {"accumulator": self.initial_accumulator_value}
        self.epsilon = _arrays.number(type(self).__name__, "epsilon", epsilon)

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("adagrad", [weights, gradients, *slots], [], [weights.size], [self.epsilon], phase="commit")
