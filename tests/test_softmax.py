"""softmax and log_softmax with their derivatives, and logsumexp, against NumPy in float64, also where the argument is
extreme."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run, threads_for, ulps


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape)


@pytest.mark.parametrize("rows", [0, 1, 5, 17, 33])
@everywhere
def test_softmax_forward_and_backward(rows, level, dtype):
    for classes in (*SIZES, 100):
        z, dy = 3 * normal(classes, rows, classes), normal(1, rows, classes)
        z, dy = z.astype(dtype), dy.astype(dtype)
        threads = threads_for(rows) if classes in (3, 33) else (1,)
        settings = {"sizes": [rows, classes], "dtype": dtype, "level": level, "threads": threads}
        y = run("softmax_forward", [z, np.empty_like(z)], **settings)[1]
        dx = run("softmax_backward", [dy, y, np.empty_like(z)], **settings)[2]
        if rows and classes:
            exact = softmax(z.astype(np.float64))
            assert_close(y, exact, units=32)    # the difference to the maximum is rounded before exp magnifies it
            exact *= dy - (dy * exact).sum(1, keepdims=True)
            assert_close(dx, exact, units=8, scale=np.abs(dy).max())
        assert y.tobytes() == run("softmax_forward", [z, None], alias={1: 0}, **settings)[0].tobytes()
        assert dx.tobytes() == run("softmax_backward", [dy, y, None], alias={2: 0}, **settings)[0].tobytes()


@pytest.mark.parametrize("rows", [0, 1, 5, 33])
@everywhere
def test_log_softmax_forward_and_backward(rows, level, dtype):
    for classes in (*SIZES, 100):
        z, dy = 3 * normal(classes, rows, classes), normal(1, rows, classes)
        z, dy = z.astype(dtype), dy.astype(dtype)
        threads = threads_for(rows) if classes in (3, 33) else (1,)
        settings = {"sizes": [rows, classes], "dtype": dtype, "level": level, "threads": threads}
        y = run("log_softmax_forward", [z, np.empty_like(z)], **settings)[1]
        dx = run("log_softmax_backward", [dy, y, np.empty_like(z)], **settings)[2]
        if rows and classes:
            assert_close(y, log_softmax(z.astype(np.float64)), units=4, scale=4)
            exact = dy - softmax(z.astype(np.float64)) * dy.sum(1, keepdims=True, dtype=np.float64)
            assert_close(dx, exact, units=32, scale=np.abs(dy).sum(1).max())
        assert y.tobytes() == run("log_softmax_forward", [z, None], alias={1: 0}, **settings)[0].tobytes()
        assert dx.tobytes() == run("log_softmax_backward", [dy, y, None], alias={2: 0}, **settings)[0].tobytes()


@pytest.mark.parametrize("classes", [3, 20])
def test_softmax_derivative_is_that_of_the_function(classes):
    z, dy = normal(0, 4, classes), normal(1, 4, classes)
    y = run("softmax_forward", [z, np.empty_like(z)], [4, classes], dtype="float64")[1]
    dx = run("softmax_backward", [dy, y, np.empty_like(z)], [4, classes], dtype="float64")[2]
    assert_slope(dx, lambda z: (dy * softmax(z)).sum(), z)
    y = run("log_softmax_forward", [z, np.empty_like(z)], [4, classes], dtype="float64")[1]
    dx = run("log_softmax_backward", [dy, y, np.empty_like(z)], [4, classes], dtype="float64")[2]
    assert_slope(dx, lambda z: (dy * log_softmax(z)).sum(), z)


@everywhere
def test_a_softmax_row_does_not_depend_on_the_batch(level, dtype):
    for classes in (3, 10, 16, 17, 40):
        z = (5 * normal(2, 37, classes)).astype(dtype)
        settings = {"dtype": dtype, "level": level}
        whole = run("softmax_forward", [z, np.empty_like(z)], [37, classes], **settings)[1]
        for r in (0, 7, 15, 16, 31, 36):
            one = run("softmax_forward", [z[r:r + 1], np.empty_like(z[:1])], [1, classes], **settings)[1]
            assert one.tobytes() == whole[r].tobytes()


@everywhere
def test_softmax_of_extreme_logits(level, dtype):
    for classes in (3, 18):
        z = np.zeros((6, classes), dtype)
        z[0] = -1e4
        z[0, 1] = 1e4           # certain
        z[1] = 1e4              # all alike, and exp would overflow
        z[2] = -1e30
        z[3, :2] = -np.inf      # impossible classes
        z[4, 2] = np.inf
        z[5, 0] = np.nan
        p = run("softmax_forward", [z, np.empty_like(z)], [6, classes], dtype=dtype, level=level)[1]
        assert p[0, 1] == 1 and p[0].sum() == 1
        assert_close(p[1:3], np.full((2, classes), 1 / classes))
        assert_close(p[3], [0, 0] + [1 / (classes - 2)] * (classes - 2))
        assert np.isnan(p[4:]).all()        # inf - inf, NaN; and no other row is touched


@everywhere
def test_log_softmax_of_extreme_logits(level, dtype):
    for classes in (3, 18):
        z = np.zeros((5, classes), dtype)
        z[0, 1] = 1e4           # certain: the others keep their distance, which log(softmax) would lose
        z[1] = -1e4
        z[2, :2] = -np.inf
        z[3, 2] = np.inf
        z[4, 0] = np.nan
        y = run("log_softmax_forward", [z, np.empty_like(z)], [5, classes], dtype=dtype, level=level)[1]
        assert y[0, 1] == 0 and (np.delete(y[0], 1) == -1e4).all()
        assert_close(y[1], np.full(classes, -np.log(classes)))
        assert (y[2, :2] == -np.inf).all()
        assert_close(y[2, 2:], np.full(classes - 2, -np.log(classes - 2)), scale=1)
        assert np.isnan(y[3:]).all()


def logsumexp(z):
    peak = z.max(-1, keepdims=True)
    return (peak + np.log(np.exp(z - peak).sum(-1, keepdims=True)))[..., 0]


@pytest.mark.parametrize("rows", [0, 1, 5, 17, 33])
@everywhere
def test_logsumexp(rows, level, dtype):
    for classes in (*SIZES, 100):
        z = (3 * normal(classes, rows, classes)).astype(dtype)
        threads = threads_for(rows) if classes in (3, 33) else (1,)
        y = run("logsumexp", [z, np.empty(rows, dtype)], [rows, classes], dtype=dtype, level=level, threads=threads)[1]
        if classes:
            assert_close(y, logsumexp(z.astype(np.float64)), units=2, scale=2)
        else:
            assert (y == -np.inf).all()
        for r in range(0, rows, 4):
            one = run("logsumexp", [z[r:r + 1], np.empty(1, dtype)], [1, classes], dtype=dtype, level=level)[1]
            assert one[0] == y[r]


@everywhere
def test_long_sums_lose_nothing(level, dtype):
    """What an addition rounds away is kept (it was 222 units); that sum itself is rounded, most in the lanes of v2."""
    z = np.full((1, 1_000_000), -0.7, dtype)
    z[0, 0] = 0
    exact = np.log(1 + 999_999 * np.exp(z[0, 1].astype(np.longdouble)))
    y = run("logsumexp", [z, np.empty(1, dtype)], z.shape, dtype=dtype, level=level)[1]
    assert ulps(y, exact[None]) <= 4
    y = run("log_softmax_forward", [z, np.empty_like(z)], z.shape, dtype=dtype, level=level)[1]
    assert (ulps(y[0, :2], np.array([-exact, z[0, 1] - exact])) <= 4).all()


@everywhere
def test_logsumexp_of_extreme_logits(level, dtype):
    inf = np.inf
    for classes in (3, 18, 100):
        z = np.zeros((8, classes), dtype)
        z[0] = -inf             # nothing is possible
        z[1, 1] = inf
        z[2, :2] = -inf
        z[3, 0] = np.nan
        z[4] = 1e4              # exp would overflow
        z[5] = -1e4             # and be 0
        z[6, 0], z[6, 1] = inf, -inf
        z[7, 0], z[7, 1:] = np.finfo(dtype).max, -np.finfo(dtype).max
        y = run("logsumexp", [z, np.empty(8, dtype)], [8, classes], dtype=dtype, level=level)[1]
        assert np.array_equal(y[[0, 1, 3, 6, 7]], np.array([-inf, inf, np.nan, inf, np.finfo(dtype).max], dtype),
                              equal_nan=True)
        assert_close(y[[2, 4, 5]], [np.log(classes - 2), 1e4 + np.log(classes), -1e4 + np.log(classes)], scale=1)


@everywhere
def test_softmax_rows_sum_to_one(level, dtype):
    for classes in (2, 10, 16, 17, 100, 1000, 10_000):
        for spread in (0.1, 3, 30):
            z = (spread * normal(classes, 50, classes)).astype(dtype)
            p = run("softmax_forward", [z, np.empty_like(z)], [50, classes], dtype=dtype, level=level)[1]
            assert np.abs(p.sum(1, dtype=np.float64) - 1).max() <= 2e-7
