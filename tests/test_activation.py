"""Element-wise activations and their derivatives against NumPy, and what they make of NaN, infinities and zeros."""
import math

import numpy as np
import pytest
from kernel_checks import SIZES, everywhere, run, threads_for
from layer_checks import five_points

L = np.longdouble
SCALE, SCALE_ALPHA = L("1.0507009873554804934193349852946"), L("1.7580993408473768599402175208123")


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def exponential_below(x, alpha=1, slope=1, width=1):
    return np.where(x > 0, slope * x, alpha * np.expm1(np.minimum(x, 0) / width))


def normal_below(x):
    """The probability that a normal variable is below x; to float64's precision."""
    return np.vectorize(lambda a: math.erfc(-a / math.sqrt(2)) / 2, otypes=[float])(np.asarray(x, float))


def general_relu(x, slope, top, edge, bottom):
    return np.where(x > edge, np.clip(x, bottom, top), slope * (x - edge) if slope else 0)


def hard_sigmoid(x):
    return np.clip(x + 3, 0, 6) / 6


# kernel: (the function in the type of x, [the numbers of a case])
FUNCTIONS = {
    "relu": (lambda x: np.maximum(x, 0), [()]),
    "clipped_relu": (lambda x, top: np.clip(x, 0, top), [(6.0,), (1.5,)]),
    "leaky_relu": (lambda x, slope: np.where(x > 0, x, slope * x), [(0.25,), (0.0,)]),
    "general_relu": (general_relu, [(0.5, 1.5, 0.0, 0.0), (0.25, np.inf, 0.5, -np.inf), (0.0, 3.0, 0.5, 0.0),
                                    (0.0, 1.5, -1.0, 0.0)]),
    "elu": (exponential_below, [(1.0,), (0.5,), (0.0,)]),
    "selu": (lambda x: exponential_below(x, SCALE_ALPHA, SCALE), [()]),
    "celu": (lambda x, alpha: exponential_below(x, alpha, 1, alpha), [(1.0,), (0.5,), (2.0,)]),
    "sigmoid": (sigmoid, [()]),
    "log_sigmoid": (lambda x: -softplus(-x), [()]),
    "hard_sigmoid": (hard_sigmoid, [()]),
    "sparse_sigmoid": (lambda x: np.clip((x + 1) / 2, 0, 1), [()]),
    "tanh": (np.tanh, [()]),
    "hard_tanh": (lambda x: np.clip(x, -1, 1), [()]),
    "tanh_shrink": (lambda x: x - np.tanh(x), [()]),
    "hard_shrink": (lambda x, edge: np.where(np.abs(x) > edge, x, 0), [(0.5,), (1.5,)]),
    "soft_shrink": (lambda x, edge: np.sign(x) * np.maximum(np.abs(x) - edge, 0), [(0.5,), (1.5,)]),
    "softplus": (softplus, [()]),
    "squareplus": (lambda x, b: (x + np.sqrt(x * x + b)) / 2, [(4.0,), (0.5,)]),
    "sparse_plus": (lambda x: np.where(x > 1, x, np.maximum(x + 1, 0) ** 2 / 4), [()]),
    "softsign": (lambda x: x / (1 + np.abs(x)), [()]),
    "silu": (lambda x: x * sigmoid(x), [()]),
    "hard_silu": (lambda x: x * hard_sigmoid(x), [()]),
    "gelu": (lambda x: x * normal_below(x), [()]),
    "gelu_tanh": (lambda x: x * (1 + np.tanh(np.sqrt(2 / L(np.pi)) * (x + L("0.044715") * x**3))) / 2, [()]),
    "mish": (lambda x: x * np.tanh(softplus(x)), [()]),
    "exp": (np.exp, [()]),
    "erf": (lambda x: 2 * normal_below(x * math.sqrt(2)) - 1, [()]),
}
CASES = [(name, numbers) for name, (_, cases) in FUNCTIONS.items() for numbers in cases]
READ_X = {"general_relu", "tanh_shrink", "squareplus", "sparse_plus", "softsign", "silu", "hard_silu", "gelu",
          "gelu_tanh", "mish", "erf"}
KINKS = (-3, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 3, 6)


def sample(seed, n):
    """Numbers of normal size, some of them large, none near a kink."""
    x = np.random.default_rng(seed).normal(0, 2, n)
    x[::5] *= 4
    for kink in KINKS:
        x[np.abs(x - kink) < 0.01] = kink + 0.02
    return x


def slope(name, x, numbers):
    """The derivative, by five points in long double; of gelu and erf by their formulas: there is no erfc so long."""
    if name == "erf":
        return 2 / np.sqrt(np.pi) * np.exp(-x.astype(L) * x)
    if name == "gelu":
        return normal_below(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    x = x.astype(L)
    return five_points(lambda d: FUNCTIONS[name][0](x + d, *numbers), L("1e-3"))


def check(actual, expected, dtype, size=1.0):
    """Equal but for roundings of the dtype, relative to what is expected and to ``size``."""
    rtol = max(16 * np.finfo(dtype).eps, 1e-11)
    np.testing.assert_allclose(actual.astype(L), expected, rtol=rtol, atol=rtol * size)


@pytest.mark.parametrize(("name", "numbers"), CASES)
@everywhere
def test_forward_and_backward(name, numbers, level, dtype):
    for n in SIZES:
        x, dy = sample(n, n).astype(dtype), sample(n + 1, n).astype(dtype)
        settings = {"sizes": [n], "scalars": numbers, "dtype": dtype, "level": level, "threads": threads_for(n)}
        y = run(f"{name}_forward", [x, np.empty_like(x)], **settings)[1]
        check(y, FUNCTIONS[name][0](x.astype(L), *numbers), dtype)
        assert y.tobytes() == run(f"{name}_forward", [x, None], alias={1: 0}, **settings)[0].tobytes(), "in place"
        read = x if name in READ_X else y
        dx = run(f"{name}_backward", [dy, read, np.empty_like(x)], **settings)[2]
        check(dx, dy * slope(name, x, numbers), dtype, size=16.0)
        for out in (0, 1):
            operands = [dy, read, None]
            assert dx.tobytes() == run(f"{name}_backward", operands, alias={2: out}, **settings)[out].tobytes()


# the function of -inf, -1e4, -0, 0, 1e4, inf
SPECIAL = {
    ("relu", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("clipped_relu", (6.0,)): [0, 0, 0, 0, 6, 6],
    ("leaky_relu", (0.5,)): [-np.inf, -5e3, 0, 0, 1e4, np.inf],
    ("general_relu", (0.0, np.inf, 2.0, -np.inf)): [0, 0, 0, 0, 1e4, np.inf],
    ("general_relu", (0.5, 3.0, 2.0, 0.0)): [-np.inf, -5001, -1, -1, 3, 3],
    ("elu", (1.0,)): [-1, -1, 0, 0, 1e4, np.inf],
    ("selu", ()): [-1.7580993408473766, -1.7580993408473766, 0, 0, 10507.009873554805, np.inf],
    ("celu", (2.0,)): [-2, -2, 0, 0, 1e4, np.inf],
    ("sigmoid", ()): [0, 0, 0.5, 0.5, 1, 1],
    ("log_sigmoid", ()): [-np.inf, -1e4, -math.log(2), -math.log(2), 0, 0],
    ("hard_sigmoid", ()): [0, 0, 0.5, 0.5, 1, 1],
    ("sparse_sigmoid", ()): [0, 0, 0.5, 0.5, 1, 1],
    ("tanh", ()): [-1, -1, 0, 0, 1, 1],
    ("hard_tanh", ()): [-1, -1, 0, 0, 1, 1],
    ("tanh_shrink", ()): [-np.inf, -9999, 0, 0, 9999, np.inf],
    ("hard_shrink", (0.5,)): [-np.inf, -1e4, 0, 0, 1e4, np.inf],
    ("soft_shrink", (0.5,)): [-np.inf, -9999.5, 0, 0, 9999.5, np.inf],
    ("softplus", ()): [0, 0, math.log(2), math.log(2), 1e4, np.inf],
    ("squareplus", (4.0,)): [0, 2 / (1e4 + math.sqrt(1e8 + 4)), 1, 1, (1e4 + math.sqrt(1e8 + 4)) / 2, np.inf],
    ("sparse_plus", ()): [0, 0, 0.25, 0.25, 1e4, np.inf],
    ("softsign", ()): [-1, -1e4 / 10001, 0, 0, 1e4 / 10001, 1],
    ("silu", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("hard_silu", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("gelu", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("gelu_tanh", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("mish", ()): [0, 0, 0, 0, 1e4, np.inf],
    ("exp", ()): [0, 0, 1, 1, np.inf, np.inf],
    ("erf", ()): [-1, -1, 0, 0, 1, 1],
}
# those whose derivative at both infinities is finite, and what it is at -inf and at inf
ENDS = {"relu": (0, 1), "clipped_relu": (0, 0), "elu": (0, 1), "selu": (0, 1.0507009873554805), "celu": (0, 1),
        "sigmoid": (0, 0), "log_sigmoid": (1, 0), "hard_sigmoid": (0, 0), "sparse_sigmoid": (0, 0), "tanh": (0, 0),
        "hard_tanh": (0, 0), "tanh_shrink": (1, 1), "hard_shrink": (1, 1), "soft_shrink": (1, 1), "softplus": (0, 1),
        "squareplus": (0, 1), "sparse_plus": (0, 1), "softsign": (0, 0), "silu": (0, 1), "hard_silu": (0, 1),
        "gelu": (0, 1), "gelu_tanh": (0, 1), "mish": (0, 1), "erf": (0, 0)}


@pytest.mark.parametrize(("name", "numbers"), SPECIAL)
@everywhere
def test_where_arithmetic_ends(name, numbers, level, dtype):
    x = np.array([-np.inf, -1e4, -0.0, 0, 1e4, np.inf, np.nan], dtype)
    settings = {"sizes": [7], "scalars": numbers, "dtype": dtype, "level": level}
    y = run(f"{name}_forward", [x, np.empty_like(x)], **settings)[1]
    np.testing.assert_allclose(y[:6], np.array(SPECIAL[name, numbers], dtype), rtol=4 * np.finfo(dtype).eps)
    assert np.isnan(y[6])
    if name in ENDS:
        read = x if name in READ_X else y
        dx = run(f"{name}_backward", [np.ones_like(x), read, np.empty_like(x)], **settings)[2]
        np.testing.assert_allclose(dx[[0, 5]], ENDS[name], rtol=1e-6, atol=1e-9)


@everywhere
def test_a_zero_keeps_its_sign(level, dtype):
    x = np.array([-0.0, 0.0], dtype)
    for name, numbers in (("relu", ()), ("leaky_relu", (0.5,)), ("elu", (1.0,)), ("selu", ()), ("celu", (2.0,)),
                          ("tanh", ()), ("hard_tanh", ()), ("softsign", ()), ("silu", ()), ("hard_silu", ()),
                          ("gelu", ()), ("gelu_tanh", ()), ("mish", ())):
        y = run(f"{name}_forward", [x, np.empty_like(x)], [2], numbers, dtype=dtype, level=level)[1]
        assert np.signbit(y).tolist() == [True, False], name


@everywhere
def test_relu_keeps_denormals(level, dtype):
    x = np.array([1e-40, -1e-40], dtype)
    assert np.array_equal(run("relu_forward", [x, np.empty_like(x)], [2], dtype=dtype, level=level)[1],
                          np.array([1e-40, 0], dtype))


@pytest.mark.parametrize("columns", [1, 3, 17])
@everywhere
def test_prelu(columns, level, dtype):
    for rows in (0, 1, 5, 33):
        x, dy = sample(1, rows * columns).astype(dtype), sample(2, rows * columns).astype(dtype)
        x, dy, alpha = x.reshape(rows, columns), dy.reshape(rows, columns), sample(3, columns).astype(dtype)
        settings = {"sizes": [rows, columns], "dtype": dtype, "level": level, "threads": threads_for(rows)}
        y = run("prelu_forward", [x, alpha, np.empty_like(x)], **settings)[2]
        assert np.array_equal(y, np.where(x > 0, x, alpha * x))
        *_, dx, shares = run("prelu_backward", [dy, x, alpha, np.empty_like(x), np.empty_like(x)], **settings)
        assert np.array_equal(dx, np.where(x > 0, dy, alpha * dy))
        assert np.array_equal(shares, np.where(x > 0, 0, dy * x))
        assert np.array_equal(run("prelu_backward", [dy, x, alpha, None, np.empty_like(x)], **settings)[4], shares)
        assert np.array_equal(run("prelu_backward", [dy, x, alpha, np.empty_like(x), None], **settings)[3], dx)
