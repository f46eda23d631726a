"""Reductions over the middle axis against NumPy in the widest float, and their exact properties."""
import math
from fractions import Fraction

import numpy as np
import pytest
from kernel_checks import LEVELS, SIZES, everywhere, run, ulps

KINDS = {
    "sum": np.sum, "mean": np.mean, "variance": np.var, "norm": lambda x, axis: np.sqrt((x * x).sum(axis)),
    "max": np.max, "min": np.min, "argmax": np.argmax, "argmin": np.argmin,
}
# around the constants of both files: chunks, parts, lanes; tiles, chunks of rows
ROWS = (*SIZES[1:], 63, 64, 100, 127, 128, 129, 1000, 4095, 4096, 4097, 12289)
COLUMNS = (2, 3, 7, 8, 9, 15, 16, 17, 33, 64, 511, 512, 513, 1025)


def reduce(kind, x, **settings):
    y = np.empty((x.shape[0], x.shape[2]), np.int64 if "arg" in kind else x.dtype)
    settings = {"threads": (1, 2, 3)} | settings
    return run(f"reduce_{kind}", [x, y], x.shape, dtype=x.dtype, **settings)[1]


def check(kind, x, y):
    """Numbers may differ from the exact result by its own rounding and little more, of the sums' terms for sums."""
    exact = KINDS[kind](x.astype(np.longdouble), axis=1)
    if kind in ("max", "min", "argmax", "argmin"):
        assert np.array_equal(y, exact)
    else:
        slack = 0.01 if x.dtype == np.float32 else 1.0 if kind in ("variance", "norm") else 0
        terms = np.abs(x).astype(np.longdouble).mean(1) * (x.shape[1] if kind == "sum" else 1)
        error = np.abs(y - exact) / np.spacing(np.abs(exact).astype(x.dtype))
        allowed = 0.51 + slack
        if x.dtype == np.float64:
            allowed = allowed + (1 + math.log2(x.shape[1])) * (terms / np.maximum(np.abs(exact), 1e-300) + 1)
        assert (error <= allowed).all(), (kind, x.shape, error.max())


@everywhere
@pytest.mark.parametrize("kind", KINDS)
def test_rows(kind, level, dtype):
    rng = np.random.default_rng(1)
    for n in ROWS:
        for outer in (1, 3) if n > 200 else (1, 5, 33):
            x = rng.normal(0.5, 1, (outer, n, 1)).astype(dtype)
            check(kind, x, reduce(kind, x, level=level, threads=(1, 2, 3) if n in (17, 4097, 12289) else (1,)))


@everywhere
@pytest.mark.parametrize("kind", KINDS)
def test_columns(kind, level, dtype):
    rng = np.random.default_rng(2)
    for middle in (1, 2, 7, 8, 9, 17, 127, 128, 129, 300):
        for inner in COLUMNS if middle in (9, 129) else (2, 17, 100):
            x = rng.normal(0.5, 1, (2 if inner < 100 else 1, middle, inner)).astype(dtype)
            check(kind, x, reduce(kind, x, level=level, threads=(1, 2, 3) if middle == 129 else (1,)))


@everywhere
@pytest.mark.parametrize("kind", KINDS)
def test_a_result_depends_on_its_own_elements_alone(kind, level, dtype):
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (7, 333, 37)).astype(dtype)
    whole = reduce(kind, x, level=level)
    assert np.array_equal(reduce(kind, x[4:5], level=level, threads=(1,)), whole[4:5])
    assert np.array_equal(reduce(kind, x[:, :, 20:29].copy(), level=level, threads=(1,)), whole[:, 20:29])
    x = rng.normal(0, 1, (40, 9000, 1)).astype(dtype)          # many rows one by one, a few in parts
    assert np.array_equal(reduce(kind, x[30:31], level=level), reduce(kind, x, level=level)[30:31])


@everywhere
def test_empty(level, dtype):
    for shape in ((0, 3, 1), (0, 3, 4), (2, 3, 0)):
        for kind in KINDS:
            assert reduce(kind, np.empty(shape, dtype), level=level).size == 0
    for shape in ((2, 0, 1), (2, 0, 3)):
        x = np.empty(shape, dtype)
        assert (reduce("sum", x, level=level) == 0).all() and (reduce("norm", x, level=level) == 0).all()
        assert np.isnan(reduce("mean", x, level=level)).all() and np.isnan(reduce("variance", x, level=level)).all()
        assert (reduce("argmax", x, level=level) == 0).all()


@everywhere
@pytest.mark.parametrize("inner", [1, 3, 40])
def test_first_of_equals_nan_and_infinities(inner, level, dtype):
    rng = np.random.default_rng(4)
    for middle in (1, 2, 15, 16, 17, 65, 130, 300, 5000):
        x = rng.integers(-3, 4, (2, middle, inner)).astype(dtype)
        for kind in ("max", "min", "argmax", "argmin"):
            assert np.array_equal(reduce(kind, x, level=level, threads=(1,)), KINDS[kind](x, axis=1))
        for filled in (np.inf, -np.inf):
            for kind in ("max", "min", "argmax", "argmin"):
                assert np.array_equal(reduce(kind, np.full_like(x, filled), level=level, threads=(1,)),
                                      KINDS[kind](np.full_like(x, filled), axis=1))
        for at in {0, middle // 3, middle - 1}:
            y = x.copy()
            y[0, at, :] = np.nan
            y[0, -1, 0] = np.nan
            y[1, at, 0] = np.inf
            for kind in KINDS:
                with np.errstate(invalid="ignore"):
                    expected = KINDS[kind](y.astype(np.float64), axis=1)
                result = reduce(kind, y, level=level, threads=(1,))
                assert np.array_equal(np.isnan(result), np.isnan(expected))
                if kind not in ("mean", "sum", "norm", "variance"):
                    assert np.array_equal(result, expected, equal_nan="arg" not in kind)
                elif kind != "variance":
                    assert result[1, 0] == np.inf


@everywhere
@pytest.mark.parametrize("shape", [(1, 300_007, 1), (1, 100_003, 3)])
def test_sums_within_one_unit(shape, level, dtype):
    """Of the exactly rounded sum, mean and norm, though terms are of every size."""
    rng = np.random.default_rng(5)
    x = (rng.random(shape) * 2.0 ** rng.integers(-20, 20, shape)).astype(dtype)
    exact = np.array([float(sum(map(Fraction, column))) for column in x[0].T.tolist()])
    assert (ulps(reduce("sum", x, level=level)[0], exact) <= 1).all()
    assert (ulps(reduce("mean", x, level=level)[0], exact.astype(np.longdouble) / shape[1]) <= 1.5).all()


@everywhere
@pytest.mark.parametrize("inner", [1, 2])
def test_ones(inner, level, dtype):
    n = 3_000_001
    x = np.ones((1, n, inner), dtype)
    assert (reduce("sum", x, level=level, threads=(1, 2)) == n).all()
    assert (reduce("variance", x, level=level, threads=(1,)) == 0).all()


@everywhere
@pytest.mark.parametrize("shape", [(1, 20_000, 1), (1, 20_000, 3)])
def test_variance_beside_a_large_mean(shape, level, dtype):
    x = (1e8 + 100 * np.random.default_rng(6).standard_normal(shape)).astype(dtype)
    exact = x.astype(np.longdouble).var(1)
    assert (ulps(reduce("variance", x, level=level), exact) <= (1 if dtype == "float32" else 64)).all()


@everywhere
@pytest.mark.parametrize("inner", [1, 3])
def test_norms_of_the_largest_and_smallest(inner, level, dtype):
    for size in (1e-38, 1e-30, 1e30, 1e38) if dtype == "float32" else (1e-150, 1e150):
        x = np.full((1, 9, inner), size, dtype)
        exact = 3 * x[:, 0].astype(np.longdouble)
        assert (ulps(reduce("norm", x, level=level), exact) <= 1).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("inner", [1, 3])
def test_norms_whose_squares_leave_float64(inner, level):
    """They neither overflow nor underflow on the way, and NaN and infinity stay what they are."""
    rng = np.random.default_rng(8)
    rows = [*map(np.array, ([1e200, 1e200], [3e-200, 4e-200], [5e-324], [1e308, 1e307], [1e-320, -2e-310, 0],
                            [1e200, np.inf, 1], [1e200, -np.inf], [1e200, np.nan], [1e-200, np.inf])),
            np.zeros(7), np.full(9000, 1e-160), rng.standard_normal(5000) * 1e170]
    for row in rows:
        x = np.repeat(row[None, :, None], inner, 2)
        if inner > 1:
            x[..., 1] = 1                      # a column beside that needs no help
        y = reduce("norm", x, level=level)[0]
        with np.errstate(all="ignore"):
            exact = np.sqrt((x.astype(np.longdouble) ** 2).sum(1))[0]
        finite = np.isfinite(exact)
        assert np.array_equal(y[~finite], exact[~finite].astype("float64"), equal_nan=True)
        assert (np.abs(y[finite] - exact[finite]) <= 2 * np.spacing(np.abs(y[finite]))).all(), (row, y, exact)
    x = np.full((1, 40_000, inner), 1e200)
    assert (np.abs(reduce("norm", x, level=level) / 2e202 - 1) < 1e-15).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("inner", [1, 3])
def test_a_variance_too_large_is_infinite(inner, level):
    one = np.zeros(5000)
    one[0] = 1e308
    for row, expected in ((one, np.inf), (np.array([-1.7e308, 1.7e308, 1.7e308]), np.inf), (np.full(9000, 1e308), 0),
                          (np.array([1e308, np.inf]), np.nan), (np.array([1.0, np.nan]), np.nan)):
        x = np.repeat(row[None, :, None], inner, 2)
        assert np.array_equal(reduce("variance", x, level=level), np.full((1, inner), expected), equal_nan=True)


@everywhere
@pytest.mark.parametrize("kind", ["sum", "mean", "norm", "variance"])
def test_sums_have_the_same_bits_on_every_level(kind, level, dtype):
    rng = np.random.default_rng(7)
    for shape in ((5, 77, 1), (1, 9001, 1), (1, 77, 5), (1, 300, 33)):
        x = rng.normal(0, 1, shape).astype(dtype)
        assert np.array_equal(reduce(kind, x, level=level), reduce(kind, x, level=LEVELS[0]))
