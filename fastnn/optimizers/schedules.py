"""Learning-rate schedules: the rate as a function of the step number, counted from 0, in float64."""
from __future__ import annotations

import numpy as np

from .. import _arrays, _overrides
from .._describe import Described, Registry
from .._describe import serialize as serialize
from ..program.eager import Scalar, Tensor


class LearningRateSchedule(Described):
    """Base of all schedules: called with a step number it returns the learning rate."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.written_first(cls, LearningRateSchedule, {"__call__"}, {"rates"})

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} has no __call__(step)")

    def rates(self, first: int, n_steps: int) -> np.ndarray:
        """The rates of steps first, first + 1, ..., float64 (n_steps,)."""
        return np.array([float(self(step)) for step in range(first, first + n_steps)], np.float64)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class Formula(LearningRateSchedule):
    """Base of the schedules here: ``at`` is a formula on arrays of steps."""

    def __call__(self, step):
        """The rate at ``step``: a number for a number, an array for an array of whole numbers >= 0."""
        steps = np.asarray(step)
        if steps.dtype.kind not in "iuf" or (steps < 0).any():
            raise ValueError(f"{type(self).__name__}: `step` must hold numbers of at least 0, got {step!r:.60}")
        # never as a NumPy scalar, whose powers differ in the last bit from those of an array: a stretch of steps and
        # the same steps one by one have the same rates
        rates = np.asarray(self.at(np.atleast_1d(steps).astype(np.float64)), np.float64)
        return Scalar(rates[0]) if steps.ndim == 0 else rates.view(Tensor)

    def at(self, step: np.ndarray) -> np.ndarray:
        """The rates at these steps, float64."""
        raise NotImplementedError(f"{type(self).__name__} has no at(step)")

    def rates(self, first: int, n_steps: int) -> np.ndarray:
        return np.asarray(self(np.arange(first, first + n_steps)))

    def _set(self, initial_learning_rate, name: str, **decay_steps) -> None:
        """Keep what nearly all have."""
        where = type(self).__name__
        self.initial_learning_rate = _arrays.number(where, "initial_learning_rate", initial_learning_rate)
        self.name = _arrays.optional_name(where, name)
        for argument, steps in decay_steps.items():
            if not _arrays.number(where, argument, steps) > 0:
                raise ValueError(f"{where}: `{argument}` must be above 0, got {steps!r}")
            setattr(self, argument, steps)


class ExponentialDecay(Formula):
    """initial · decay_rate^(step / decay_steps); ``staircase``: the exponent is rounded down."""
    decay_steps: float

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self._set(initial_learning_rate, name, decay_steps=decay_steps)
        self.decay_rate = _arrays.number("ExponentialDecay", "decay_rate", decay_rate)
        self.staircase = bool(staircase)

    def at(self, step):
        passed = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (np.floor(passed) if self.staircase else passed)


class InverseTimeDecay(Formula):
    """initial / (1 + decay_rate · step / decay_steps); ``staircase``: the quotient is rounded down."""
    decay_steps: float

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        self._set(initial_learning_rate, name, decay_steps=decay_steps)
        self.decay_rate = _arrays.number("InverseTimeDecay", "decay_rate", decay_rate)
        self.staircase = bool(staircase)

    def at(self, step):
        passed = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (np.floor(passed) if self.staircase else passed))


class PiecewiseConstantDecay(Formula):
    """values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1], ..., then the last value."""

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        self.boundaries, self.values, self.name = list(boundaries), list(values), name
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError("PiecewiseConstantDecay: `values` must hold one number more than `boundaries`, got "
                             f"{len(self.values)} and {len(self.boundaries)}")
        for value in self.values:
            _arrays.number("PiecewiseConstantDecay", "values", value)
        if not (np.diff(np.asarray(self.boundaries, float)) >= 0).all():
            raise ValueError(f"PiecewiseConstantDecay: `boundaries` must rise, got {self.boundaries!r:.60}")

    def at(self, step):
        return np.asarray(self.values, np.float64)[np.searchsorted(np.asarray(self.boundaries, float), step)]


class PolynomialDecay(Formula):
    """(initial - end) · (1 - step / decay_steps)^power + end, the end rate from decay_steps on.

    ``cycle``: beyond decay_steps they are taken as often as needed to reach the step, so that the rate rises again.
    """
    decay_steps: float

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                 name="PolynomialDecay"):
        self._set(initial_learning_rate, name, decay_steps=decay_steps)
        self.end_learning_rate = _arrays.number("PolynomialDecay", "end_learning_rate", end_learning_rate)
        self.power = _arrays.number("PolynomialDecay", "power", power)
        self.cycle = bool(cycle)

    def at(self, step):
        times = np.maximum(1, np.ceil(step / self.decay_steps)) if self.cycle else 1
        passed = np.minimum(1, step / (self.decay_steps * times))
        return (self.initial_learning_rate - self.end_learning_rate) * (1 - passed) ** self.power \
            + self.end_learning_rate


class CosineDecay(Formula):
    """initial · ((1 - alpha) (1 + cos(pi step / decay_steps)) / 2 + alpha) (Loshchilov and Hutter, SGDR, 2017).

    With ``warmup_target`` the rate rises linearly to it for ``warmup_steps`` steps and decays from there.
    """
    decay_steps: float

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None,
                 warmup_steps=0):
        self._set(initial_learning_rate, name, decay_steps=decay_steps)
        self.alpha = _arrays.number("CosineDecay", "alpha", alpha)
        self.warmup_target = None if warmup_target is None else _arrays.number("CosineDecay", "warmup_target",
                                                                               warmup_target)
        self.warmup_steps = warmup_steps
        _arrays.number("CosineDecay", "warmup_steps", warmup_steps)

    def at(self, step):
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, step)
        risen = step / max(self.warmup_steps, 1)
        rising = (self.warmup_target - self.initial_learning_rate) * risen + self.initial_learning_rate
        decayed = self._decayed(self.warmup_target, np.maximum(0, step - self.warmup_steps))
        return np.where(step < self.warmup_steps, rising, decayed)

    def _decayed(self, start: float, step: np.ndarray) -> np.ndarray:
        cosine = np.cos(np.pi * np.minimum(1, step / self.decay_steps))
        return start * ((1 - self.alpha) * 0.5 * (1 + cosine) + self.alpha)


class CosineDecayRestarts(Formula):
    """CosineDecay again and again: each period ``t_mul`` times as long, each start ``m_mul`` times as high as before.

    Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
    """
    first_decay_steps: float

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self._set(initial_learning_rate, name, first_decay_steps=first_decay_steps)
        self.t_mul = _arrays.number("CosineDecayRestarts", "t_mul", t_mul)
        if self.t_mul < 1:
            raise ValueError(f"CosineDecayRestarts: `t_mul` must be at least 1, got {t_mul!r}")
        self.m_mul = _arrays.number("CosineDecayRestarts", "m_mul", m_mul)
        self.alpha = _arrays.number("CosineDecayRestarts", "alpha", alpha)

    def at(self, step):
        passed, t = step / self.first_decay_steps, self.t_mul
        if t == 1:
            period = np.floor(passed)
            passed = passed - period
        else:           # periods end where passed is a geometric sum; a logarithm just below a whole number is that one
            period = np.floor(np.log1p(passed * (t - 1)) / np.log(t) + 1e-12)
            passed = np.maximum(0, passed - (t**period - 1) / (t - 1)) / t**period
        cosine = 0.5 * self.m_mul**period * (1 + np.cos(np.pi * passed))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


_registry = Registry("learning-rate schedule", LearningRateSchedule, (
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay))


def deserialize(config) -> LearningRateSchedule:
    """The schedule that ``serialize`` described; ValueError for anything else."""
    return _registry.get(config)
