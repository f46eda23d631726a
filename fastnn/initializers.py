"""Initializers: what weights are before training."""
from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import numpy as np

from . import _arrays, backend, random
from ._describe import Described, Registry
from ._describe import serialize as serialize

CUT = 2.0                              # a truncated normal ends at so many standard deviations
CUT_DEVIATION = 0.87962566103423978    # standard deviation of a standard normal cut there


class Initializer(Described):
    """Base of all initializers: called with a shape they return a new array.

    ``shape``: a tuple; ``dtype``: default ``backend.floatx()``; ``rng``: the generator to draw from. An initializer
    with a ``seed`` of its own draws the same numbers at every call, whatever ``rng``. One without draws from ``rng``;
    called without that, from the seed of the process and its own number among the initializers made.
    """

    def __call__(self, shape, dtype=None, rng: np.random.Generator | None = None) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no __call__(shape, dtype, rng)")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class Constant(Initializer):
    """``value`` everywhere: a number, or an array that broadcasts to the shape."""

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None, rng=None):
        return np.array(np.broadcast_to(self.value, shape), dtype or backend.floatx())


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape, dtype=None, rng=None):
        return np.zeros(shape, dtype or backend.floatx())


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape, dtype=None, rng=None):
        return np.ones(shape, dtype or backend.floatx())


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere; ValueError for a shape of another rank."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None, rng=None):
        if len(shape) != 2:
            raise ValueError(f"Identity: `shape` must be that of a matrix, got {tuple(shape)}")
        return (self.gain * np.eye(*shape)).astype(dtype or backend.floatx())


class RandomInitializer(Initializer):
    """Base of the random ones: a subclass draws float64 numbers."""

    def __init__(self, seed: int | None = None):
        self.seed = None if seed is None else _arrays.whole_number("seed", seed, 0)
        self._path = backend.unique_name("initializer")

    def __call__(self, shape, dtype=None, rng=None):
        if self.seed is not None:
            rng = random.generator(self.seed, "initializer")
        elif rng is None:
            rng = random.generator(random.get_seed(), self._path)
        return self.draw(rng, tuple(shape)).astype(dtype or backend.floatx())

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """float64 numbers of this shape."""
        raise NotImplementedError(f"{type(self).__name__} has no draw(rng, shape)")


class RandomNormal(RandomInitializer):
    """Normal with ``mean`` and standard deviation ``stddev``."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def draw(self, rng, shape):
        return rng.normal(self.mean, self.stddev, shape)


class TruncatedNormal(RandomNormal):
    """Normal, drawn again where it lies more than two standard deviations from ``mean``."""

    def draw(self, rng, shape):
        return self.mean + self.stddev * _truncated(rng, shape)


class RandomUniform(RandomInitializer):
    """Uniform from ``minval`` to ``maxval``."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def draw(self, rng, shape):
        return rng.uniform(self.minval, self.maxval, shape)


class VarianceScaling(RandomInitializer):
    """Numbers whose variance is ``scale`` / n, so that the size of signals is kept from layer to layer.

    n is the fan in, the fan out or their mean, by ``mode`` "fan_in", "fan_out" or "fan_avg". ``distribution``:
    "uniform" on ±sqrt(3 scale / n), "untruncated_normal", or "truncated_normal" ("normal"), cut at two standard
    deviations and widened so that the variance is as said.
    """

    def __init__(self, scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None):
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"{type(self).__name__}: `scale` must be above 0, got {scale!r}")
        _one_of("mode", mode, ("fan_in", "fan_out", "fan_avg"))
        _one_of("distribution", distribution, ("truncated_normal", "untruncated_normal", "uniform", "normal"))
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def draw(self, rng, shape):
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            return rng.uniform(-math.sqrt(3.0) * deviation, math.sqrt(3.0) * deviation, shape)
        if self.distribution == "untruncated_normal":
            return rng.normal(0.0, deviation, shape)
        return deviation / CUT_DEVIATION * _truncated(rng, shape)


class GlorotUniform(VarianceScaling):
    """Uniform on ±sqrt(6 / (fan in + fan out)).

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
    """

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (fan in + fan out)."""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform on ±sqrt(6 / fan in), for relu (He et al., Delving deep into rectifiers, 2015)."""

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / fan in."""

    def __init__(self, seed=None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform on ±sqrt(3 / fan in)."""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / fan in."""

    def __init__(self, seed=None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(RandomInitializer):
    """``gain`` times a random matrix whose columns, or rows where there are fewer, are orthonormal.

    Axes before the last count as one. The Q of a normal matrix, with signs that make every orthogonal matrix as likely
    as any other (Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear neural networks,
    2014). Raises ValueError for a rank below 2.
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def draw(self, rng, shape):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: `shape` must have rank 2 or more, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.copysign(1.0, np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


class Function(Initializer):
    """A function (shape, dtype) -> array of the user's."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, shape, dtype=None, rng=None):
        return np.asarray(self.function(shape, dtype=dtype or backend.floatx()))


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """(fan in, fan out) of a kernel: (in, out), or (..., in, out) with the sizes before as the receptive field.

    >>> fans((784, 128)), fans((3, 3, 16, 32)), fans((10,))
    ((784, 128), (144, 288), (10, 10))
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers, those beyond CUT drawn again."""
    values = rng.standard_normal(math.prod(shape))
    beyond = np.flatnonzero(np.abs(values) > CUT)
    while beyond.size:
        values[beyond] = rng.standard_normal(beyond.size)
        beyond = beyond[np.abs(values[beyond]) > CUT]
    return values.reshape(shape)


def _one_of(argument: str, value, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"VarianceScaling: `{argument}` must be one of {', '.join(choices)}, got {value!r}")


# Keras's other names of the classes
constant, zeros, ones, identity, IdentityInitializer = Constant, Zeros, Ones, Identity, Identity
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling, orthogonal, OrthogonalInitializer = VarianceScaling, Orthogonal, Orthogonal
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

_CLASSES = (Constant, Zeros, Ones, Identity, RandomNormal, TruncatedNormal, RandomUniform, VarianceScaling,
            GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal)
_registry = Registry("initializer", Initializer, _CLASSES, {
    "zero": Zeros, "one": Ones, "uniform": RandomUniform, "normal": RandomNormal})


def get(identifier) -> Initializer:
    """The initializer of a name, a class, a dict from ``serialize``, an array of weights or a function; or one itself.

    None is Keras's default, GlorotUniform. Raises ValueError for an unknown name, naming the nearest, or anything else.
    """
    if identifier is None:
        return GlorotUniform()
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    if not callable(identifier) or isinstance(identifier, type):
        return _registry.get(identifier)
    return identifier if "rng" in inspect.signature(identifier).parameters else Function(identifier)
