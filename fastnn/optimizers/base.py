"""What all optimizers share: the learning rate, the step number, the options around a step, and their state."""
from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import _arrays, _overrides, _settings, _spelling
from .._describe import parameters, plain
from .._warn import warn
from ..program import Lowering, Value, Variable, Vector
from ..program.eager import Scalar, Tensor
from . import schedules
from .applied import AppliedSteps
from .state import OptimizerState, place_in
from .step import lower_commit


class Rate(Scalar):
    """The learning rate as a number; ``assign`` gives its optimizer another one."""
    optimizer: Optimizer

    def assign(self, value) -> None:
        """Set the learning rate of the optimizer that this one was read from."""
        self.optimizer.learning_rate = value


class Optimizer(OptimizerState):
    """Base of all optimizers.

    ``learning_rate``: a number >= 0, a schedule, or a function without arguments or of the step number.
    ``weight_decay``: weights lose this share of themselves times the learning rate before each step. At most one of
    ``clipnorm`` (the norm of each weight's gradient), ``global_clipnorm`` (that of all together), ``clipvalue`` (each
    number) limits gradients. ``use_ema``: a moving average of the weights is kept; every ``ema_overwrite_frequency``
    steps, and at the end of ``fit``, they become it. ``loss_scale_factor``: ``apply`` divides gradients by it; ``fit``
    needs none. ``gradient_accumulation_steps``: weights change every so many steps, by the mean of the gradients.
    ``iterations``: steps taken so far. An optimizer belongs to the model that it trains, while that lives and is
    compiled with it; a copy begins anew, for another model.
    """
    unsaved = ("learning_rate",)

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.refuse(cls, {"update_step", "apply", "apply_gradients"}, "fit runs a compiled step; write "
                          "lower_update(self, build, weights, gradients, slots), or a loop of your own that assigns "
                          "weights")

    def __init__(self, learning_rate=0.01, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None,
                 use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name: str | None = None, **unknown):
        where = type(self).__name__
        if unknown.pop("decay", None) is not None:
            warn(f"{where}: `decay` is ignored, as in Keras 3; let the learning rate fall by a schedule, e.g. "
                 "schedules.InverseTimeDecay, or the weights by `weight_decay`")
        if unknown:
            names = parameters(type(self))      # type: ignore[arg-type]
            raise ValueError(_spelling.unknown_among(where, unknown, names, {"lr": "its name is `learning_rate`"}))
        super().__init__(_arrays.optional_name(where, name) or where.lower())
        self._rates = np.empty(0)
        self.learning_rate = learning_rate
        self.weight_decay = _optional(where, "weight_decay", weight_decay)
        self.clipnorm = _optional(where, "clipnorm", clipnorm)
        self.clipvalue = _optional(where, "clipvalue", clipvalue)
        self.global_clipnorm = _optional(where, "global_clipnorm", global_clipnorm)
        if sum(clip is not None for clip in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(f"{where}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, got "
                             f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}")
        self.use_ema = bool(use_ema)
        self.ema_momentum = _arrays.number(where, "ema_momentum", ema_momentum)
        if self.ema_momentum > 1:
            raise ValueError(f"{where}: `ema_momentum` must be a number from 0 to 1, got {ema_momentum}")
        self.ema_overwrite_frequency = ema_overwrite_frequency and _arrays.whole_number(
            "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = _optional(where, "loss_scale_factor", loss_scale_factor)
        if self.loss_scale_factor == 0:
            raise ValueError(f"{where}: `loss_scale_factor` must be above 0, got {loss_scale_factor}")
        self.gradient_accumulation_steps = gradient_accumulation_steps and _arrays.whole_number(
            "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        if self.gradient_accumulation_steps:
            self.vectors["updates"] = Vector("updates", 1, "int64")
        self.option_slots = (*["average"] * self.use_ema,
                             *["gradient_accumulator"] * bool(self.gradient_accumulation_steps))
        self._undecayed: set[Variable] = set()                # and the pattern of names of others
        self._undecayed_names: re.Pattern | None = None

    def _forget_weights(self) -> None:
        super()._forget_weights()
        self._applied = AppliedSteps(self)

    # the learning rate

    @property
    def learning_rate(self) -> Rate:
        """The rate of the next step; ``.assign(number)`` or assigning a number sets it."""
        rate = self._rate
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = float(rate(self.iterations))
        elif callable(rate):
            rate = _settings.check_learning_rate(self._called(rate, self.iterations))
        number = Rate(rate)
        number.optimizer = self
        return number

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        if isinstance(value, dict):
            value = schedules.deserialize(value)
        if callable(value):
            self._takes_step = not isinstance(value, schedules.LearningRateSchedule) and _needs_argument(value)
        else:
            value = _settings.check_learning_rate(value)
            if isinstance(getattr(self, "_rate", None), schedules.LearningRateSchedule):
                raise TypeError(f"`learning_rate` of {self.name!r} is a schedule ({type(self._rate).__name__}), which "
                                f"decides the rate of every step: {value:g} cannot be set; make the optimizer with a "
                                "number, or assign another schedule")
        self._rate: float | schedules.LearningRateSchedule | Callable = value

    def _called(self, function: Callable, step: int) -> float:
        return float(function(step) if self._takes_step else function())

    def rates(self, n_steps: int) -> np.ndarray:
        """The learning rates of the next ``n_steps`` steps, float64 (n_steps,)."""
        rate = self._rate
        if not callable(rate):
            if len(self._rates) < n_steps or self._rates[0] != rate:
                self._rates = np.full(n_steps, rate, np.float64)
            return self._rates
        first = self.iterations
        if isinstance(rate, schedules.LearningRateSchedule):
            rates = rate.rates(first, n_steps)
        else:
            rates = np.array([self._called(rate, step) for step in range(first, first + n_steps)], np.float64)
        if n_steps:
            _settings.check_learning_rate(rates.min())
            _settings.check_learning_rate(rates.max())
        return rates

    # the step

    def lower(self, build: Lowering) -> None:
        """Name the operations that change all weights that have a gradient: the commit of a training step."""
        lower_commit(self, build, build.gradient_ranges())

    def lower_update(self, build: Lowering, weights: Value, gradients: Value, slots: list[Value]) -> None:
        """Name the operation that changes one range of weights."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_update()")

    def lower_end(self, build: Lowering) -> None:
        """Name what is done once after all ranges."""

    def updates(self, build: Lowering) -> Value:
        """The number of times that weights were changed, int64 (1,)."""
        return build.stored(self.vectors.get("updates", self.step_vector))

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Weights that do not decay: those in ``var_list`` (Variables, or arrays as ``apply`` takes them), and those
        whose name matches one of ``var_names``.

        Call it before the first step, else ValueError; TypeError for what is no weight.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay() must be called before the optimizer's first step")
        self._undecayed = set(self._applied.resolve([] if var_list is None else list(var_list), "var_list"))
        self._undecayed_names = re.compile("|".join(var_names)) if var_names else None

    def decays(self, variable: Variable) -> bool:
        """Whether ``weight_decay`` is for this variable."""
        named = self._undecayed_names is not None and self._undecayed_names.search(variable.name) is not None
        return variable not in self._undecayed and not named

    # steps outside fit

    def build(self, variables: Iterable) -> None:
        """Make the state for these weights: Variables, or float32/float64 arrays that steps are to change in place."""
        self._applied.build(list(variables))

    def apply(self, grads: Iterable, trainable_variables: Iterable | None = None) -> None:
        """One step: change weights by their gradients.

        ``trainable_variables``: Variables of fastnn, or float32/float64 arrays (C-contiguous, writeable), changed in
        place; those of ``build`` where None. ``grads``: for each its gradient, an array of its shape, or None: not to
        be changed. State belongs to the weights' memory. Raises ValueError or TypeError before anything changes.
        """
        self._applied.apply(list(grads), None if trainable_variables is None else list(trainable_variables))

    def apply_gradients(self, grads_and_vars: Iterable) -> int:
        """``apply`` for pairs (gradient, weights); returns ``iterations``."""
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("`grads_and_vars` must hold at least one pair (gradient, weights), got none; a model that "
                             "is not built has no weights yet")
        if any(not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in pairs):
            raise ValueError("`grads_and_vars` must hold pairs (gradient, weights), e.g. zip(gradients, "
                             "model.trainable_weights)")
        self.apply([gradient for gradient, _ in pairs], [weights for _, weights in pairs])
        return self.iterations

    def minimize(self, *arguments, **options):
        """Not offered: RuntimeError says what to do instead."""
        raise NotImplementedError("minimize() needs recorded Python functions, which fastnn does not have; use "
                                  "model.fit, or compute the gradients and call apply_gradients(zip(gradients, "
                                  "weights))")

    def scale_loss(self, loss):
        """The loss times ``loss_scale_factor``."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Give the weights their moving averages, with ``use_ema`` and after at least one step."""
        if self.use_ema and self.iterations:
            for variable in self._applied.variables_of(list(var_list), {}, "var_list"):
                if variable in self.members and variable.vector in self.slots:       # it has taken part
                    variable.assign(place_in(self.slots[variable.vector]["average"], variable))

    @property
    def variables(self) -> list[np.ndarray]:
        """The step number, the learning rate (a copy, where it is a number), and the rest of the state as it lies."""
        rate = [] if callable(self._rate) else [np.array([self._rate], np.float32)]
        (_, steps), *rest = self.places(trainable_only=True).items()
        return [a.view(Tensor) for a in (steps, *rate, *(place for _, place in rest))]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"learning_rate": plain(self._rate)}


def _optional(where: str, argument: str, value) -> float | None:
    return None if value is None else _arrays.number(where, argument, value)


def _needs_argument(function: Callable) -> bool:
    """Whether a function cannot be called without arguments."""
    try:
        inspect.signature(function).bind()
    except TypeError:
        return True
    except ValueError:                    # a builtin that does not say
        return True
    return False
