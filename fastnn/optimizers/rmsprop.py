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

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, name=None):
        super().__init__(learning_rate, name)
        self.rho = _arrays.number("RMSprop", "rho", rho, below=1)
        self.momentum = _arrays.number("RMSprop", "momentum", momentum, below=1)
        self.epsilon = _arrays.number("RMSprop", "epsilon", epsilon)
        self.centered = bool(centered)
        self.slot_names = ("velocity", *["average"] * self.centered, *["momentum"] * bool(self.momentum))

    def lower_update(self, build: Lowering, weights, gradients, slots):
        named = dict(zip(self.slot_names, slots))
        build.emit("rmsprop", [weights, gradients, named["velocity"], named.get("average"), named.get("momentum")], [],
                   [weights.size], [self.rho, self.momentum, self.epsilon], phase="commit")
