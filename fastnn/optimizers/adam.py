"""Adam (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015)."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Adam(Optimizer):
    """m += (g - m)(1 - beta_1), v += (g² - v)(1 - beta_2), w -= a · m / (sqrt(v) + epsilon),
    a = learning_rate · sqrt(1 - beta_2^t) / (1 - beta_1^t): the form of the paper's section 2, as in Keras."""
    slot_names = ("momentum", "velocity")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name=None):
        super().__init__(learning_rate, name)
        self.beta_1 = _arrays.number("Adam", "beta_1", beta_1, below=1)
        self.beta_2 = _arrays.number("Adam", "beta_2", beta_2, below=1)
        self.epsilon = _arrays.number("Adam", "epsilon", epsilon)

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("adam", [weights, gradients, *slots, build.stored(self.step_vector)], [], [weights.size],
                   [self.beta_1, self.beta_2, self.epsilon], phase="commit")
