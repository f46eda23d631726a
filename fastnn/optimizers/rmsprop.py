"""RMSprop (Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class RMSprop(Optimizer):
    """v = rho · v + (1 - rho) · g², w -= learning_rate · g / sqrt(v + epsilon).

    ``centered``: v minus the square of the running mean of g is under the root. With ``momentum`` m the steps add up:
    p = m · p + step, w -= p.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.rho = _arrays.number("RMSprop", "rho", rho, below=1)
        self.momentum = _arrays.number("RMSprop", "momentum", momentum, below=1)
        self.epsilon = _arrays.number("RMSprop", "epsilon", epsilon)
        self.centered = bool(centered)
        self.slot_names = ("velocity", *["average_gradient"] * self.centered, *["momentum"] * bool(self.momentum))

    def lower_update(self, build: Lowering, weights, gradients, slots):
        named = dict(zip(self.slot_names, slots))
        moments = [named["velocity"], named.get("average_gradient"), named.get("momentum")]
        build.emit("rmsprop", [weights, gradients, *moments], [], [weights.size],
                   [self.rho, self.momentum, self.epsilon], phase="commit")
