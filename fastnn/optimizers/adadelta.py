"""Adadelta (Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Adadelta(Optimizer):
    """a = rho · a + (1 - rho) · g², step = g · sqrt(d + epsilon) / sqrt(a + epsilon),
    d = rho · d + (1 - rho) · step², w -= learning_rate · step."""
    slot_names = ("accumulated_grad", "accumulated_delta_var")

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.rho = _arrays.number("Adadelta", "rho", rho, below=1)
        self.epsilon = _arrays.number(type(self).__name__, "epsilon", epsilon)

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("adadelta", [weights, gradients, *slots], [], [weights.size], [self.rho, self.epsilon],
                   phase="commit")
