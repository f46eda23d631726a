"""Stochastic gradient descent (momentum: Polyak 1964; Nesterov: Sutskever et al. 2013)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer

NESTEROV = 1      # flag of the kernel


class SGD(Optimizer):
    """w -= learning_rate · g; with momentum m: v = m · v - learning_rate · g, w += v (Nesterov: w += m · v -
    learning_rate · g)."""

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.momentum = _arrays.number("SGD", "momentum", momentum, below=1)
        self.nesterov = bool(nesterov)
        self.slot_names = ("momentum",) if self.momentum else ()

    def lower_update(self, build: Lowering, weights, gradients, slots):
        velocity = slots[0] if slots else None
        build.emit("sgd", [weights, gradients, velocity], [], [weights.size], [self.momentum],
                   NESTEROV if self.nesterov else 0, phase="commit")
