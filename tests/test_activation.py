"""Activations and their derivatives against NumPy in float64, and softmax where its argument is extreme."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run, threads_for

FORWARD = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
}
# of dy and the output y
BACKWARD = {
    "relu": lambda dy, y: dy * (y > 0),
    "sigmoid": lambda dy, y: dy * y * (1 - y),
    "tanh": lambda dy, y: dy * (1 - y * y),
}


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape)


@pytest.mark.parametrize("name", FORWARD)
@everywhere
def test_element_wise_forward_and_backward(name, level, dtype):
    for n in SIZES:
        x, dy = normal(n, n).astype(dtype), normal(n + 1, n).astype(dtype)
        settings = {"sizes": [n], "dtype": dtype, "level": level, "threads": threads_for(n)}
        y = run(f"{name}_forward", [x, np.empty_like(x)], **settings)[1]
        assert_close(y, FORWARD[name](x.astype(np.float64)))
        assert y.tobytes() == run(f"{name}_forward", [x, None], alias={1: 0}, **settings)[0].tobytes(), "in place"
        dx = run(f"{name}_backward", [dy, y, np.empty_like(x)], **settings)[2]
        assert_close(dx, BACKWARD[name](dy.astype(np.float64), y.astype(np.float64)), scale=4)
        for out in (0, 1):
            operands = [dy, y, None]
            assert dx.tobytes() == run(f"{name}_backward", operands, alias={2: out}, **settings)[out].tobytes()


@pytest.mark.parametrize("name", FORWARD)
def test_derivatives_are_those_of_the_functions(name):
    x, dy = normal(0, 33), normal(1, 33)
    y = run(f"{name}_forward", [x, np.empty_like(x)], [33], dtype="float64")[1]
    dx = run(f"{name}_backward", [dy, y, np.empty_like(x)], [33], dtype="float64")[2]
    assert_slope(dx, lambda x: (dy * FORWARD[name](x)).sum(), x)


@everywhere
def test_relu_of_special_values(level, dtype):
    x = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-40, -1e-40], dtype)
    y = run("relu_forward", [x, np.empty_like(x)], [6], dtype=dtype, level=level)[1]
    assert np.array_equal(y, np.array([np.nan, np.inf, 0, 0, 1e-40, 0], dtype), equal_nan=True)


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


@pytest.mark.parametrize("classes", [3, 20])
def test_softmax_derivative_is_that_of_the_function(classes):
    z, dy = normal(0, 4, classes), normal(1, 4, classes)
    y = run("softmax_forward", [z, np.empty_like(z)], [4, classes], dtype="float64")[1]
    dx = run("softmax_backward", [dy, y, np.empty_like(z)], [4, classes], dtype="float64")[2]
    assert_slope(dx, lambda z: (dy * softmax(z)).sum(), z)


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
