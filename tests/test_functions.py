"""The elementary functions: error bounds on samples, and the values where arithmetic ends.

tests/every_float32.py measures all of float32; here it takes every thousandth.

What has no kernel of its own is measured through one that it makes up: expm1 through elu, log1p through softplus, the
tail of the normal distribution through gelu.
"""
from decimal import Decimal, localcontext
from functools import cache

import every_float32
import numpy as np
import pytest
from kernel_checks import LEVELS, everywhere, run, ulps

from fastnn import testing


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


EXACT = {"exp": np.exp, "log": np.log, "sigmoid": sigmoid, "tanh": np.tanh, "softplus": softplus,
         "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))}
# units in the last place, in float64
BOUNDS = {"exp": 1.1, "log": 1.0, "sigmoid": 2.0, "tanh": 2.0, "softplus": 2.0, "elu": 1.5}
ERF_BOUND = 2.0
GELU_BOUND = 6.0


@cache
def sample(dtype):
    """Every 997th float32; for float64 the ranges where something happens, and random bits."""
    if dtype == "float32":
        return np.arange(0, 2**32, 997, dtype=np.uint32).view(np.float32)
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-a, a, 40_000) for a in (750, 20, 1, 1e-3)]
    return np.concatenate(parts + [rng.integers(0, 2**64, 40_000, np.uint64).view(np.float64)])


@cache
def exact(name):
    """The function of the float64 sample in long double."""
    with np.errstate(all="ignore"):
        return EXACT[name](sample("float64").astype(np.longdouble))


def apply(name, x, level):
    numbers = [1.0] if name == "elu" else []
    return run(f"{name}_forward", [x, np.empty_like(x)], [x.size], numbers, dtype=x.dtype.name, level=level)[1]


@pytest.mark.parametrize("name", every_float32.FUNCTIONS)
def test_float32_errors_stay_within_the_stated_bounds(name):
    for level, (error, x) in every_float32.worst(name, LEVELS, every=1009).items():
        assert error <= every_float32.FUNCTIONS[name][1], (level, x)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", EXACT)
def test_float64_errors_stay_within_the_stated_bounds(name, level):
    x, expected = sample("float64"), exact(name)
    y = apply(name, x, level)
    with np.errstate(over="ignore"):
        rounded = expected.astype(np.float64)
    finite = np.isfinite(rounded)
    assert np.array_equal(y[~finite], rounded[~finite], equal_nan=True)
    assert ulps(y[finite], expected[finite]).max() <= BOUNDS[name]


def normal_tail(a):
    """The probability that a normal variable exceeds the Decimal a >= 0, to 30 digits: a series or Laplace's continued
    fraction."""
    with localcontext() as context:
        context.prec = 80
        pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534")
        density = (-a * a / 2).exp() / (2 * pi).sqrt()
        if a > 6:
            fraction = a
            for n in range(400, 0, -1):
                fraction = a + n / fraction
            return density / fraction
        total = term = a
        n = 1
        while abs(term) > Decimal(10) ** -70:
            n += 2
            term = term * a * a / n
            total += term
        return Decimal("0.5") - density * total


@cache
def gelu_sample(dtype):
    """Arguments whose result is a normal number, and the exact results as Decimals."""
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(-12.5 if dtype == "float32" else -37, 9, 1000), rng.uniform(-5, 5, 1000)])
    x = x.astype(dtype)
    tails = [normal_tail(Decimal(abs(float(a)))) for a in x]
    return x, [Decimal(float(a)) * (1 - t if a > 0 else t) for a, t in zip(x, tails)]


def greatest_error(y, expected):
    """In units in the last place, of what is expected as Decimals."""
    units = np.spacing(np.abs(np.array([float(e) for e in expected])).astype(y.dtype))
    return max(float(abs(Decimal(float(a)) - e)) / float(u) for a, e, u in zip(y, expected, units))


@everywhere
def test_the_tail_of_the_normal_distribution(level, dtype):
    x, expected = gelu_sample(dtype)
    assert greatest_error(apply("gelu", x, level), expected) <= GELU_BOUND


@cache
def erf_sample():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(-6.5, 6.5, 1000), rng.uniform(-2, 2, 1000), 10 ** rng.uniform(-25, 0, 100)])
    with localcontext() as context:
        context.prec = 60
        root = Decimal(2).sqrt()
        exact = [(1 - 2 * normal_tail(abs(Decimal(a)) * root)).copy_sign(Decimal(a)) for a in x.tolist()]
    return x, exact


@pytest.mark.parametrize("level", LEVELS)
def test_erf_in_float64(level):
    x, expected = erf_sample()
    assert greatest_error(apply("erf", x, level), expected) <= ERF_BOUND


@everywhere
def test_where_arithmetic_ends(level, dtype):
    info = np.finfo(dtype)
    least, inf, nan = float(info.smallest_subnormal), np.inf, np.nan
    top, bottom = (88.8, -104.0) if dtype == "float32" else (709.8, -745.2)
    cases = {
        "exp": ([inf, -inf, nan, 0.0, -0.0, least, top, bottom, -1e30], [inf, 0, nan, 1, 1, 1, inf, 0, 0]),
        "log": ([inf, -inf, nan, 0.0, -0.0, 1.0, -least, -1.0], [inf, nan, nan, -inf, -inf, 0, nan, nan]),
        "sigmoid": ([inf, -inf, nan, 0.0, -0.0, 1e4, -1e4, 40.0], [1, 0, nan, 0.5, 0.5, 1, 0, 1]),
        "tanh": ([inf, -inf, nan, 0.0, -0.0, least, -least, 1e4, -1e4], [1, -1, nan, 0.0, -0.0, least, -least, 1, -1]),
        "elu": ([inf, -inf, nan, 0.0, -0.0, least, -least, 1e4, -1e4], [inf, -1, nan, 0.0, -0.0, least, -least, 1e4,
                                                                        -1]),
        "softplus": ([inf, -inf, nan, bottom, 1e4, -1e4], [inf, 0, nan, 0, 1e4, 0]),
        "erf": ([inf, -inf, nan, 0.0, -0.0, least, -least, 7.0, -7.0], [1, -1, nan, 0.0, -0.0, least, -least, 1, -1]),
    }
    for name, (x, expected) in cases.items():
        y, expected = apply(name, np.array(x, dtype), level), np.array(expected, dtype)
        assert np.array_equal(y, expected, equal_nan=True), name
        assert np.array_equal(np.signbit(y[expected == 0]), np.signbit(expected[expected == 0])), name


@everywhere
def test_denormal_results_and_arguments_keep_their_digits(level, dtype):
    x = np.linspace(-103, -87.5, 1000) if dtype == "float32" else np.linspace(-745, -708.5, 1000)
    x = x.astype(dtype)
    for name in ("exp", "sigmoid", "softplus"):
        y = apply(name, x, level)
        assert (0 < y).all() and (y < np.finfo(dtype).tiny).all()
        assert ulps(y, EXACT[name](x.astype(np.longdouble))).max() <= 1
    x = np.finfo(dtype).smallest_subnormal * np.arange(1, 1000, dtype=dtype)
    assert ulps(apply("log", x, level), np.log(x.astype(np.longdouble))).max() <= 1


@everywhere
def test_a_result_does_not_depend_on_the_lane(level, dtype):
    x = np.random.default_rng(1).normal(0, 5, 67).astype(dtype)
    for name in (*EXACT, "erf", "gelu"):
        together = apply(name, np.abs(x), level)
        assert all(apply(name, np.abs(x[i:i + 1]), level)[0] == together[i] for i in range(x.size)), name


@pytest.mark.parametrize("level", testing.levels())
def test_tanh_and_erf_are_odd_and_no_function_leaves_its_range(level):
    x = sample("float32")[:2_000_000]
    x = x[np.isfinite(x)]
    for name in ("tanh", "erf"):
        y = apply(name, x, level)
        assert np.array_equal(apply(name, -x, level), -y)
        assert (np.abs(y) <= 1).all()
    y = apply("sigmoid", -x, level)
    assert (0 <= y).all() and (y <= 1).all()
