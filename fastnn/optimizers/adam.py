"""Adam (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015) and AdamW."""
from __future__ import annotations

from .. import _arrays
from ..program import Lowering
from .base import Optimizer


class Adam(Optimizer):
    """m += (g - m)(1 - beta_1), v += (g² - v)(1 - beta_2), w -= a · m / (sqrt(v) + epsilon),
    a = learning_rate · sqrt(1 - beta_2^t) / (1 - beta_1^t): the form of the paper's section 2, as in Keras.

    ``amsgrad``: the greatest v so far is under the root (Reddi, Kale and Kumar, On the Convergence of Adam, 2018).
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
                 weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.beta_1 = _arrays.number(type(self).__name__, "beta_1", beta_1, below=1)
        self.beta_2 = _arrays.number(type(self).__name__, "beta_2", beta_2, below=1)
        self.epsilon = _arrays.number(type(self).__name__, "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)
        self.slot_names = ("momentum", "velocity", *["velocity_hat"] * self.amsgrad)

    def lower_update(self, build: Lowering, weights, gradients, slots):
        build.emit("amsgrad" if self.amsgrad else "adam", [weights, gradients, *slots, self.updates(build)], [],
                   [weights.size], [self.beta_1, self.beta_2, self.epsilon], phase="commit")


class AdamW(Adam):
    """Adam with decay of the weights by default (Loshchilov and Hutter, Decoupled Weight Decay, 2019)."""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        if weight_decay is None:
            raise ValueError("AdamW: `weight_decay` must be a number, got None; Adam is the same without decay")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
                         global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
                         gradient_accumulation_steps, name, **kwargs)
