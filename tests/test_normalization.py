"""Batch normalization: statistics, result and gradients against NumPy in float64."""
import itertools

import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run

from fastnn import _kernels

ACCUMULATE = 4
EPSILON = 1e-3


def normalize(x, gamma=1.0, beta=0.0):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + EPSILON) + beta


def inputs(rows, columns, dtype):
    rng = np.random.default_rng([rows, columns])
    x = rng.normal(3, 2, (rows, columns))
    return x.astype(dtype), rng.normal(1, 1, columns).astype(dtype), rng.normal(0, 1, columns).astype(dtype)


def scratch(x):
    n_bytes = _kernels.scratch_bytes("batch_normalization_forward", x.shape, 0, x.itemsize)
    return np.empty(n_bytes // x.itemsize, x.dtype)


def forward(x, gamma, beta, **settings):
    """y, mean, variance, inverse."""
    operands = [x, gamma, beta, scratch(x), np.empty_like(x)] + [np.empty(x.shape[1], x.dtype) for _ in range(3)]
    return run("batch_normalization_forward", operands, x.shape, [EPSILON], dtype=x.dtype.name, **settings)[4:]


def backward(dy, x, gamma, mean, inverse, **settings):
    """dx, dgamma, dbeta; the last two are added to 1."""
    weights = np.ones((2, x.shape[1]), x.dtype)
    operands = [dy, x, gamma, mean, inverse, scratch(x), np.empty_like(x), *weights]
    return run("batch_normalization_backward", operands, x.shape, dtype=x.dtype.name, **settings)[6:]


@pytest.mark.parametrize(("scale", "center"), [(True, True), (True, False), (False, True), (False, False)])
@everywhere
def test_forward(scale, center, level, dtype):
    for rows in (1, 2, 5, 33, 128, 129, 300, 1000):
        for columns in SIZES[1:] if rows in (5, 33) else (3, 20):
            x, gamma, beta = inputs(rows, columns, dtype)
            threads = (1, 2, 3) if rows in (33, 1000) else (1,)
            gamma, beta = gamma if scale else None, beta if center else None
            y, mean, variance, inverse = forward(x, gamma, beta, level=level, threads=threads)
            exact = x.astype(np.float64)
            assert_close(mean, exact.mean(0), units=16, scale=4)
            assert_close(variance, exact.var(0), units=32, scale=1)
            assert_close(inverse, 1 / np.sqrt(variance.astype(np.float64) + EPSILON))
            assert_close(y, normalize(exact, gamma if scale else 1, beta if center else 0), units=500, scale=1)


@everywhere
def test_a_large_mean_costs_no_digits_of_the_variance(level, dtype):
    x = np.random.default_rng(0).integers(-1000, 1000, (64, 5)) / 8 + (2.0**17 if dtype == "float32" else 2.0**40)
    y, _, variance, _ = forward(x.astype(dtype), None, None, level=level)
    assert_close(variance, x.var(0), units=1000)
    assert_close(y, normalize(x), units=200_000 if dtype == "float32" else 2**24, scale=1)


@pytest.mark.parametrize(("rows", "columns"), [(5, 3), (9, 17)])
def test_gradients_are_the_slopes(rows, columns):
    x, gamma, beta = inputs(rows, columns, "float64")
    dy = np.random.default_rng(1).normal(0, 1, x.shape)
    _, mean, _, inverse = forward(x, gamma, beta)
    dx, dgamma, dbeta = backward(dy, x, gamma, mean, inverse)
    assert_slope(dx, lambda x: (dy * normalize(x, gamma, beta)).sum(), x)
    assert_slope(dgamma, lambda gamma: (dy * normalize(x, gamma, beta)).sum(), gamma)
    assert_slope(dbeta, lambda beta: (dy * normalize(x, gamma, beta)).sum(), beta)


@everywhere
def test_backward(level, dtype):
    for rows in (1, 5, 33, 129, 1000):
        for columns in SIZES[1:] if rows == 33 else (3, 20):
            x, gamma, beta = inputs(rows, columns, dtype)
            dy = np.random.default_rng(1).normal(0, 1, x.shape).astype(dtype)
            _, mean, _, inverse = forward(x, gamma, beta, level=level)
            settings = {"level": level, "threads": (1, 2, 3) if rows in (33, 1000) else (1,)}
            dx, dgamma, dbeta = backward(dy, x, gamma, mean, inverse, **settings)
            exact = dy.astype(np.float64)
            h = (x.astype(np.float64) - mean) * inverse
            assert_close(dbeta, exact.sum(0), units=16, scale=rows)
            assert_close(dgamma, (exact * h).sum(0), units=16, scale=rows)
            exact = gamma * inverse * (exact - exact.mean(0) - h * (exact * h).mean(0))
            assert_close(dx, exact, units=64, scale=np.abs(inverse).max())
            added = backward(dy, x, gamma, mean, inverse, flags=ACCUMULATE, **settings)
            assert np.array_equal(added[1], dgamma + np.array(1, dtype)) and np.array_equal(added[0], dx)


@everywhere
def test_absent_operands_of_backward(level, dtype):
    x, gamma, beta = inputs(9, 5, dtype)
    _, mean, _, inverse = forward(x, gamma, beta, level=level)
    settings = {"sizes": [9, 5], "dtype": dtype, "level": level}
    operands = [x, x, None, mean, inverse, scratch(x), np.empty_like(x), np.empty_like(mean), np.empty_like(mean)]
    whole = run("batch_normalization_backward", operands, **settings)
    ones = [*operands[:2], np.ones_like(mean), *operands[3:]]
    assert np.array_equal(run("batch_normalization_backward", ones, **settings)[6], whole[6])
    for absent in (6, 7, 8):
        fewer = [None if i == absent else operand for i, operand in enumerate(operands)]
        some = run("batch_normalization_backward", fewer, **settings)
        assert all(b is None or np.array_equal(a, b) for a, b in zip(whole[6:], some[6:]))
    in_place = run("batch_normalization_backward", [*operands[:6], None, *operands[7:]], alias={6: 0}, **settings)
    assert np.array_equal(in_place[0], whole[6])


@everywhere
def test_constants_of_inference_and_moving_average(level, dtype):
    for n in SIZES:
        _, gamma, beta = inputs(1, n, dtype)
        mean, variance = np.random.default_rng(n).random((2, n)).astype(dtype)
        settings = {"sizes": [n], "dtype": dtype, "level": level}
        for scale, shift in itertools.product([None, gamma], [None, beta]):
            operands = [scale, shift, mean, variance, np.empty_like(mean), np.empty_like(mean)]
            out = run("batch_normalization_constants", operands, scalars=[EPSILON], **settings)[4:]
            exact = (1 if scale is None else gamma) / np.sqrt(variance.astype(np.float64) + EPSILON)
            assert_close(out[0], exact)
            assert_close(out[1], (0 if shift is None else beta) - mean * exact, scale=32)
        moving = run("moving_average", [mean, variance], scalars=[0.99], **settings)[1]
        assert_close(moving, variance * 0.99 + mean.astype(np.float64) * (1 - 0.99), scale=1)

CENTER, UNIT = 1, 2


def normalize_rows(x, gamma=1.0, beta=0.0, flags=CENTER, epsilon=EPSILON):
    """h, y in float64."""
    d = x - x.mean(-1, keepdims=True) if flags & CENTER else x
    if flags & UNIT:
        h = d * np.minimum(1 / np.sqrt((d * d).sum(-1, keepdims=True)), 1 / epsilon)
    else:
        h = d / np.sqrt((d * d).mean(-1, keepdims=True) + epsilon)
    return h, gamma * h + beta


def rows_forward(x, gamma, beta, flags, **settings):
    """y, mean, inverse."""
    rows = len(x)
    means = np.empty(rows, x.dtype) if flags & CENTER else None
    operands = [x, gamma, beta, np.empty_like(x), means, np.empty(rows, x.dtype)]
    return run("row_normalization_forward", operands, x.shape, [EPSILON], flags=flags, dtype=x.dtype.name,
               **settings)[3:]


@pytest.mark.parametrize("flags", [CENTER, 0, UNIT])
@everywhere
def test_rows_forward_and_backward(flags, level, dtype):
    for columns in SIZES[1:]:
        for rows in (1, 5, 33):
            x, gamma, beta = inputs(rows, columns, dtype)
            dy = np.random.default_rng(1).normal(0, 1, x.shape).astype(dtype)
            settings = {"level": level, "threads": (1, 2, 3) if rows in (33, 1000) else (1,)}
            y, mean, inverse = rows_forward(x, gamma, beta, flags, **settings)
            exact = x.astype(np.float64)
            h, expected = normalize_rows(exact, gamma, beta, flags)
            amplified = float(np.abs(inverse).max()) * 4            # a row whose values hardly differ loses digits
            assert_close(y, expected, units=64, scale=1 + amplified)
            bare, _, _ = rows_forward(x, None, None, flags, **settings)
            assert_close(bare, h, units=64, scale=1 + amplified)
            if columns == 1 and flags != 0:
                continue                                        # h is a sign or 0 whatever x: only the last test
            settings |= {"sizes": x.shape, "flags": flags, "dtype": dtype}
            dx = run("row_normalization_backward", [dy, x, gamma, mean, inverse, np.empty_like(x)], **settings)[5]
            g, share = gamma * dy.astype(np.float64), 1 if flags & UNIT else columns
            own = g.mean(-1, keepdims=True) if flags & CENTER else 0
            slope = inverse[:, None] * (g - own - h * (g * h).sum(-1, keepdims=True) / share)
            assert_close(dx, slope, units=64, scale=(1 + amplified) ** 2)
            dgamma = run("row_normalization_scale", [dy, x, mean, inverse, np.empty_like(gamma)], **settings)[4]
            assert_close(dgamma, (dy * h).sum(0), units=64, scale=rows + amplified)


@everywhere
def test_rows_do_not_depend_on_each_other(level, dtype):
    x, gamma, beta = inputs(9, 37, dtype)
    whole = rows_forward(x, gamma, beta, CENTER, level=level)[0]
    for r in range(9):
        assert np.array_equal(rows_forward(x[r:r + 1], gamma, beta, CENTER, level=level)[0], whole[r:r + 1])


@everywhere
def test_a_large_mean_costs_no_digits_of_a_row(level, dtype):
    x = np.random.default_rng(0).integers(-1000, 1000, (5, 64)) / 8 + (2.0**17 if dtype == "float32" else 2.0**40)
    y = rows_forward(x.astype(dtype), None, None, CENTER, level=level)[0]
    assert_close(y, normalize_rows(x)[1], units=200_000 if dtype == "float32" else 2**24, scale=1)


@everywhere
def test_a_row_of_zeros_has_no_direction(level, dtype):
    x = np.zeros((2, 5), dtype)
    assert not rows_forward(x, None, None, UNIT, level=level)[0].any()
