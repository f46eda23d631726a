"""Constraints: what weights must hold after every step."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

import numpy as np

from . import _arrays, _overrides, backend
from ._describe import Described, Registry
from ._describe import serialize as serialize
from .program import Lowering, Value, Variable
from .program.eager import Tensor
from .program.ir import FrameVector

GROUPS = 6            # of neighbouring axes, in turn kept and reduced, that the kernel takes


class Constraint(Described):
    """Base of all constraints: called with weights they return those that are allowed, an array of the same shape.

    A subclass of yours needs no more than ``__call__(w)``; in ``fit`` it is called once a step, after the update, and
    once before the first, so that one that raises or returns another shape does so before anything changes.
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.written_first(cls, Constraint, {"__call__"}, {"lower"})

    def __call__(self, w) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no __call__(w)")

    def lower(self, build: Lowering, variable: Variable) -> None:
        """Name the operation that changes the weights of ``variable`` in place."""
        def constrain(weights: np.ndarray, out: np.ndarray) -> None:
            allowed = np.asarray(self(weights))
            if allowed.shape != out.shape:
                raise ValueError(f"constraint {type(self).__name__} of {variable.path!r} must return an array of shape "
                                 f"{out.shape}, got {allowed.shape}")
            out[...] = allowed

        constrain.__name__ = type(self).__name__
        constrain(variable.numpy(), variable.numpy())
        weights = _weights(build, variable)
        build.emit(constrain, [weights], [weights], phase="commit")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class NonNeg(Constraint):
    """No weight below 0: those become 0."""

    def __call__(self, w):
        return np.maximum(_arrays.plain(w, "w"), 0).view(Tensor)

    def lower(self, build, variable):
        build.emit("clip", [_weights(build, variable)], [], [variable.size], [0.0, math.inf], phase="commit")


class NormConstraint(Constraint):
    """Base of those that look at the norms of the weights along ``axis`` (a number, several, or None for all).

    w · desired / (epsilon + norm), with desired = rate · min(most, max(least, norm)) + (1 - rate) · norm; ``limits`` is
    (least, most, rate), epsilon is ``backend.epsilon()``. Norms are summed in float64.
    """
    axis: int | Sequence[int] | None

    def limits(self) -> tuple[float, float, float]:
        """(least, most, rate)."""
        raise NotImplementedError(f"{type(self).__name__} has no limits()")

    def __call__(self, w):
        w = _arrays.plain(w, "w")
        least, most, rate = self.limits()
        norms = np.sqrt(np.sum(np.square(w, dtype=np.float64), axis=self._axes(w.shape), keepdims=True))
        desired = rate * np.clip(norms, least, most) + (1 - rate) * norms
        return (w * (desired / (backend.epsilon() + norms))).astype(w.dtype).view(Tensor)

    def lower(self, build, variable):
        sizes = grouped(variable.shape, self._axes(variable.shape))
        if len(sizes) > GROUPS:
            return super().lower(build, variable)          # many separate axes
        n_norms = math.prod(sizes[::2])
        home = FrameVector("norms", n_norms, np.float64)
        norms = Value((n_norms,), np.float64, False, home.name, home)
        build.emit("constrain_norms", [_weights(build, variable), norms], [], sizes,
                   [*self.limits(), backend.epsilon()], phase="commit")
        return None

    def _axes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(range(len(shape)))
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        return tuple(_arrays.check_axis(axis, len(shape)) for axis in axes)


class MaxNorm(NormConstraint):
    """Norms of at most ``max_value``: w · min(max_value, norm) / (epsilon + norm).

    ``axis``: 0 for the weights into each unit of a Dense layer, [0, 1, 2] for each filter of a Conv2D.
    Srivastava et al., Dropout, 2014.
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value = max_value
        _arrays.number("MaxNorm", "max_value", max_value)
        self.axis = axis

    def limits(self):
        return 0.0, float(self.max_value), 1.0


class UnitNorm(NormConstraint):
    """Norms of 1: w / (epsilon + norm), the norms along ``axis``."""

    def __init__(self, axis=0):
        self.axis = axis

    def limits(self):
        return 1.0, 1.0, 1.0


class MinMaxNorm(NormConstraint):
    """Norms from ``min_value`` to ``max_value``, along ``axis``; ``rate`` below 1 goes only that share of the way."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = _arrays.number("MinMaxNorm", "min_value", min_value)
        self.max_value = _arrays.number("MinMaxNorm", "max_value", max_value)
        if self.min_value > self.max_value:
            raise ValueError(f"MinMaxNorm: `min_value` must be at most `max_value`, got {min_value} and {max_value}")
        self.rate = _arrays.number("MinMaxNorm", "rate", rate)
        self.axis = axis

    def limits(self):
        return self.min_value, self.max_value, self.rate


class Function(Constraint):
    """A function of the user's: weights -> weights."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, w):
        return self.function(w)


def grouped(shape: tuple[int, ...], axes: tuple[int, ...]) -> list[int]:
    """The sizes of kept, reduced, kept, ... axes, neighbours of one kind together, to the right end of at least GROUPS.

    >>> grouped((3, 3, 16, 32), (0, 1, 2)), grouped((5, 7), (1,))
    ([1, 1, 1, 144, 32, 1], [1, 1, 1, 1, 5, 7])
    """
    groups = [(reduced, math.prod(shape[axis] for axis in run))
              for reduced, run in groupby(range(len(shape)), lambda axis: axis in axes)]
    sizes = [1] * bool(groups and groups[0][0]) + [size for _, size in groups]
    sizes += [1] * (len(sizes) % 2)
    return [1] * (GROUPS - len(sizes)) + sizes


def _weights(build: Lowering, variable: Variable) -> Value:
    """The weights of a variable as they lie, in their shape."""
    return Value(variable.shape, variable.vector.dtype, False, variable.path, variable.vector, variable.offset)


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm       # Keras has both spellings

_registry = Registry("constraint", Constraint, (MaxNorm, NonNeg, UnitNorm, MinMaxNorm))


def get(identifier) -> Constraint | None:
    """The constraint of a name, a class, a description or a function of weights; or one itself; None for None.

    Raises ValueError for an unknown name, naming the nearest, or anything else.
    """
    if identifier is None:
        return None
    known = isinstance(identifier, Constraint) or not callable(identifier)
    if known or (isinstance(identifier, type) and issubclass(identifier, Constraint)):
        return _registry.get(identifier)
    return Function(identifier() if isinstance(identifier, type) else identifier)


deserialize = get
