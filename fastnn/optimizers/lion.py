"""Lion (Chen et al., Symbolic Discovery of Optimization Algorithms, 2023)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Lion(Optimizer):
    """w -= learning_rate · sign(beta_1 · m + (1 - beta_1) · g), m = beta_2 · m + (1 - beta_2) · g."""
    slot_names = ("momentum",)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.beta_1 = _arrays.number(type(self).__name__, "beta_1", beta_1, below=1)
        self.beta_2 = _arrays.number(type(self).__name__, "beta_2", beta_2, below=1)
        if self.beta_1 == 0:
            raise ValueError("Lion: `beta_1` must be above 0, got 0: without it only the sign of the gradient counts")

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("lion", [weights, gradients, *slots], [], [weights.size], [self.beta_1, self.beta_2],
                   phase="commit")
