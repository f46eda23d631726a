"""Adamax (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, section 7)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Adamax(Optimizer):
    """m += (g - m)(1 - beta_1), n = max(beta_2 · n, |g|), w -= learning_rate · m / ((1 - beta_1^t)(n + epsilon))."""
    slot_names = ("momentum", "norm")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.beta_1 = _arrays.number(type(self).__name__, "beta_1", beta_1, below=1)
        self.beta_2 = _arrays.number(type(self).__name__, "beta_2", beta_2, below=1)
        self.epsilon = _arrays.number(type(self).__name__, "epsilon", epsilon)

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("adamax", [weights, gradients, *slots, self.updates(build)], [], [weights.size],
                   [self.beta_1, self.beta_2, self.epsilon], phase="commit")
