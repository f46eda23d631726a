"""Kernels of group normalization against NumPy."""
import numpy as np
import pytest
from kernel_checks import assert_close, assert_slope, everywhere, run

from fastnn import _kernels

EPSILON = 1e-3
SHAPES = [(2, 3, 1, 1), (1, 1, 4, 2), (3, 5, 6, 2), (2, 9, 17, 1), (2, 4, 16, 4), (1, 140, 33, 3), (4, 7, 33, 33),
          (0, 3, 4, 2), (2, 6, 65, 5)]


def inputs(images, pixels, channels, dtype):
    rng = np.random.default_rng(0)
    x = (1 + 2 * rng.standard_normal((images, pixels, channels))).astype(dtype)
    gamma, beta = (1 + 0.2 * rng.standard_normal((2, channels))).astype(dtype)
    return x, gamma, beta


def normalized(x, groups):
    """(h, inverse), in float64."""
    images, pixels, channels = x.shape
    x = x.astype("float64").reshape(images, pixels, groups, channels // groups)
    inverse = 1 / np.sqrt(x.var((1, 3), keepdims=True) + EPSILON)
    h = ((x - x.mean((1, 3), keepdims=True)) * inverse).reshape(images, pixels, channels)
    return h, np.broadcast_to(inverse, (images, 1, groups, channels // groups)).reshape(images, channels)


def forward(x, gamma, beta, groups, **settings):
    """y, mean, inverse."""
    each = [np.empty((len(x), x.shape[2]), x.dtype) for _ in range(2)]
    return run("group_normalization_forward", [x, gamma, beta, np.empty_like(x), *each], [*x.shape, groups], [EPSILON],
               dtype=x.dtype, **settings)[3:]


def backward(dy, x, gamma, mean, inverse, groups, dx=True, level=None, **settings):
    """dx, sums of dy h, sums of dy."""
    sizes = [*x.shape, groups]
    kernels = _kernels.load_level(level) if level else _kernels
    n_bytes = kernels.scratch_bytes("group_normalization_backward", sizes, 0, x.itemsize)
    outputs = [np.empty(n_bytes // x.itemsize, x.dtype), np.empty_like(x) if dx else None, np.empty_like(mean),
               np.empty_like(mean)]
    return run("group_normalization_backward", [dy, x, gamma, mean, inverse, *outputs], sizes, dtype=x.dtype,
               level=level, **settings)[6:]


@pytest.mark.parametrize("shape", SHAPES)
@everywhere
def test_forward_and_backward(shape, level, dtype):
    *shape, groups = shape
    x, gamma, beta = inputs(*shape, dtype)
    h, inverse = normalized(x, groups)
    settings = {"level": level, "threads": (1, 2, 3)}
    y, m, s = forward(x, gamma, beta, groups, **settings)
    assert_close(s, inverse, units=16)
    assert_close(y, gamma * h + beta, units=32, scale=4 * np.abs(inverse).max(initial=1))
    assert_close(forward(x, None, None, groups, **settings)[0], h, units=32, scale=4 * np.abs(inverse).max(initial=1))
    dy = np.random.default_rng(1).standard_normal(x.shape).astype(dtype)
    for weight in (gamma, None):
        dx, moments, sums = backward(dy, x, weight, m, s, groups, **settings)
        g = (dy.astype("float64") * (1 if weight is None else weight)).reshape(*shape[:2], groups, shape[2] // groups)
        scale = np.abs(inverse).max(initial=1) * np.abs(h).max(initial=1)
        assert_close(sums, dy.astype("float64").sum(1), units=16, scale=shape[1])
        assert_close(moments, (dy * h).sum(1), units=16, scale=shape[1] * scale)
        parts = h.reshape(g.shape)
        exact = g - g.mean((1, 3), keepdims=True) - parts * (g * parts).mean((1, 3), keepdims=True)
        assert_close(dx, exact.reshape(x.shape) * inverse[:, None], units=64, scale=scale)
        assert backward(dy, x, weight, m, s, groups, dx=False, **settings)[0] is None


def test_gradients_are_the_slopes():
    x, gamma, beta = inputs(2, 3, 4, "float64")
    dy = np.random.default_rng(1).standard_normal(x.shape)
    _, mean, inverse = forward(x, gamma, beta, 2)
    dx, moments, sums = backward(dy, x, gamma, mean, inverse, 2)
    assert_slope(dx, lambda x: (dy * (gamma * normalized(x, 2)[0] + beta)).sum(), x)
    assert_slope(moments.sum(0), lambda gamma: (dy * (gamma * normalized(x, 2)[0] + beta)).sum(), gamma)
    assert_slope(sums.sum(0), lambda beta: (dy * (gamma * normalized(x, 2)[0] + beta)).sum(), beta)
