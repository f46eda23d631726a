"""What the tests of the eager functions share: their oracles, and arrays as callers have them."""
import math

import numpy as np

DTYPES = ("float32", "float64")
SHAPES = [(), (0,), (1,), (5,), (67,), (3, 4), (0, 3), (3, 0), (1, 1), (2, 3, 5), (2, 0, 5), (2, 1, 3, 1)]

ELEMENTWISE = {
    "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "exp": np.exp,
    "log": np.log, "erf": np.vectorize(math.erf, "d"), "softplus": lambda x: np.log1p(np.exp(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))}
ROWWISE = {"softmax": lambda x, axis: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
           "log_softmax": lambda x, axis: x - np.log(np.exp(x).sum(axis, keepdims=True))}
REDUCTIONS = {"sum": np.sum, "mean": np.mean, "var": np.var, "std": np.std, "max": np.max, "min": np.min,
              "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis, keepdims=keepdims)),
              "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis, keepdims=keepdims))}
PLACES = {"argmax": np.argmax, "argmin": np.argmin}


def numbers(shape, dtype, seed=0, positive=False):
    x = np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)
    return np.asarray(np.abs(x) + 0.1, dtype) if positive else x


def close(actual, expected, units=32):
    expected = np.asarray(expected)
    assert np.shape(actual) == expected.shape
    eps = np.finfo(np.asarray(actual).dtype).eps
    np.testing.assert_allclose(np.asarray(actual, np.float64), expected, rtol=units * eps, atol=units * eps)


def same(actual, expected):
    assert type(actual) is np.ndarray and actual.dtype == expected.dtype and actual.shape == expected.shape
    assert actual.tobytes() == expected.tobytes()


def views(x):
    """The numbers of x, of rank 1 or more, as they may lie in memory."""
    wide = np.full((*x.shape[:-1], 2 * x.shape[-1] + 3), np.nan, x.dtype)
    padded, strided = wide[..., 1:1 + x.shape[-1]], wide.copy()[..., 2:2 + 2 * x.shape[-1]:2]
    padded[...] = strided[...] = x
    misaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    misaligned[...] = x
    return {"plain": x, "padded": padded, "strided": strided, "Fortran": np.asfortranarray(x),
            "reversed": np.ascontiguousarray(x[::-1])[::-1], "backwards": np.ascontiguousarray(x[..., ::-1])[..., ::-1],
            "misaligned": misaligned, "swapped": x.astype(x.dtype.newbyteorder())}


# products

READ_AS_THEY_LIE = ("plain", "part", "Fortran", "turned part", "every second row", "every second column, turned")
COPIED = ("strided", "reversed", "backwards", "misaligned", "swapped")
PRODUCTS = [(1, 1, 1), (5, 4, 3), (1, 9, 5), (9, 1, 5), (9, 5, 1), (17, 33, 16), (3, 7, 40), (40, 3, 70), (0, 4, 3),
            (5, 0, 3), (5, 4, 0), (0, 0, 0), (1, 0, 1), (33, 64, 10), (66, 8, 17)]


def factor(form, shape, dtype, seed=0):
    """A matrix as it may lie in memory."""
    x, (m, n) = numbers(shape, dtype, seed), shape
    wide, tall = np.full((m + 2, n + 3), np.nan, dtype), np.full((n + 2, m + 3), np.nan, dtype)
    part, turned = wide[1:1 + m, 2:2 + n], tall[1:1 + n, 2:2 + m].T
    part[...] = turned[...] = x
    return {"part": part, "turned part": turned, "every second row": np.repeat(x, 2, 0)[::2],
            "every second column, turned": np.repeat(x, 2, 1).T.copy()[::2].T, **views(x)}[form]
