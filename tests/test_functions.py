"""exp, log, sigmoid and tanh: error bounds over all of float32, and the values where arithmetic ends."""
from functools import cache

import numpy as np
import pytest
from kernel_checks import everywhere, run, ulps

from fastnn import testing


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


EXACT = {"exp": np.exp, "log": np.log, "sigmoid": sigmoid, "tanh": np.tanh}
# units in the last place
BOUNDS = {"float32": {"exp": 1.1, "log": 1.0, "sigmoid": 2.5, "tanh": 2.5},
          "float64": {"exp": 1.1, "log": 1.0, "sigmoid": 2.0, "tanh": 2.0}}


@cache
def sample(dtype):
    """Every 997th float32; for float64 the ranges where something happens, and random bits."""
    if dtype == "float32":
        return np.arange(0, 2**32, 997, dtype=np.uint32).view(np.float32)
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-a, a, 40_000) for a in (750, 20, 1, 1e-3)]
    return np.concatenate(parts + [rng.integers(0, 2**64, 40_000, np.uint64).view(np.float64)])


@cache
def exact(name, dtype):
    """The function of the sample, in a wider type."""
    with np.errstate(all="ignore"):
        return EXACT[name](sample(dtype).astype(np.float64 if dtype == "float32" else np.longdouble))


def apply(name, x, level):
    return run(f"{name}_forward", [x, np.empty_like(x)], [x.size], dtype=x.dtype.name, level=level)[1]


@pytest.mark.parametrize("name", EXACT)
@everywhere
def test_errors_stay_within_the_stated_bounds(name, level, dtype):
    x, expected = sample(dtype), exact(name, dtype)
    y = apply(name, x, level)
    with np.errstate(over="ignore"):
        rounded = expected.astype(dtype)
    finite = np.isfinite(rounded)
    assert np.array_equal(y[~finite], rounded[~finite], equal_nan=True)
    assert ulps(y[finite], expected[finite]).max() <= BOUNDS[dtype][name]


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
    }
    for name, (x, expected) in cases.items():
        y, expected = apply(name, np.array(x, dtype), level), np.array(expected, dtype)
        assert np.array_equal(y, expected, equal_nan=True), name
        assert np.array_equal(np.signbit(y[expected == 0]), np.signbit(expected[expected == 0])), name


@everywhere
def test_denormal_results_and_arguments_keep_their_digits(level, dtype):
    x = np.linspace(-103, -87.5, 1000) if dtype == "float32" else np.linspace(-745, -708.5, 1000)
    x = x.astype(dtype)
    for name in ("exp", "sigmoid"):
        y = apply(name, x, level)
        assert (0 < y).all() and (y < np.finfo(dtype).tiny).all()
        assert ulps(y, EXACT[name](x.astype(np.longdouble))).max() <= 1
    x = np.finfo(dtype).smallest_subnormal * np.arange(1, 1000, dtype=dtype)
    assert ulps(apply("log", x, level), np.log(x.astype(np.longdouble))).max() <= 1


@everywhere
def test_a_result_does_not_depend_on_the_lane(level, dtype):
    x = np.random.default_rng(1).normal(0, 5, 67).astype(dtype)
    for name in EXACT:
        together = apply(name, np.abs(x), level)
        assert all(apply(name, np.abs(x[i:i + 1]), level)[0] == together[i] for i in range(x.size)), name


@pytest.mark.parametrize("level", testing.levels())
def test_tanh_is_odd_and_neither_function_leaves_its_range(level):
    x = sample("float32")[:2_000_000]
    x = x[np.isfinite(x)]
    y = apply("tanh", x, level)
    assert np.array_equal(apply("tanh", -x, level), -y)
    assert (np.abs(y) <= 1).all()
    y = apply("sigmoid", -x, level)
    assert (0 <= y).all() and (y <= 1).all()
