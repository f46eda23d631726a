"""Nadam (Dozat, Incorporating Nesterov Momentum into Adam, 2016)."""
from __future__ import annotations

from collections.abc import Mapping

from .. import _arrays
from ..program import Lowering, Vector
from .base import Optimizer


class Nadam(Optimizer):
    """m and v as in Adam; w -= learning_rate · (u' m / (1 - P u') + (1 - u) g / (1 - P)) / (sqrt(v / (1 - beta_2^t)) +
    epsilon), u = beta_1 (1 - 0.96^t / 2), u' that of t + 1, P the product of all u so far."""
    slot_names = ("momentum", "velocity")
    vector_starts: Mapping[str, float] = {"u_product": 1.0}

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.beta_1 = _arrays.number(type(self).__name__, "beta_1", beta_1, below=1)
        self.beta_2 = _arrays.number(type(self).__name__, "beta_2", beta_2, below=1)
        self.epsilon = _arrays.number(type(self).__name__, "epsilon", epsilon)
        self.vectors["u_product"] = Vector("u_product", 1, "float64")
        self.vectors["u_product"].data.fill(self.vector_starts["u_product"])

    def lower_update(self, build: Lowering, weights, gradients, slots):
        product = build.stored(self.vectors["u_product"])
        build.emit("nadam", [weights, gradients, *slots, self.updates(build), product], [], [weights.size],
                   [self.beta_1, self.beta_2, self.epsilon], phase="commit")

    def lower_end(self, build: Lowering) -> None:
        build.emit("nadam_product", [build.stored(self.vectors["u_product"]), self.updates(build)], [], [],
                   [self.beta_1], phase="commit")
