"""Axes permuted, borders added and cut off, rows and columns of images multiplied, against NumPy."""
import itertools

import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

CHANNELS = [n for n in SIZES if n]


def numbers(*shape, dtype):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def permute(x, order, **settings):
    """x with its axes after the first in another order, through the kernel, which knows six of them."""
    shape, rest = x.shape[1:], 6 - len(order)
    sizes = [x.shape[0], *[1] * rest, *shape, *range(rest), *[rest + i for i in order]]
    out = np.empty((x.shape[0], *[shape[i] for i in order]), x.dtype)
    return run("permute", [x, out], sizes, dtype=x.dtype, threads=(1, 2, 3), **settings)[1]


SHAPES = [(3, 4, 5), (2, 17, 33), (1, 70, 9), (2, 3, 1, 5), (1, 33, 2, 65), (2, 3, 4, 5), (1, 2, 3, 2, 3), (0, 2, 3),
          (2, 0, 3), (1, 130, 70)]


@pytest.mark.parametrize("shape", SHAPES)
@everywhere
def test_permute(shape, level, dtype):
    x = numbers(*shape, dtype=dtype)
    for order in itertools.permutations(range(len(shape) - 1)):
        expected = x.transpose(0, *[1 + i for i in order])
        assert np.array_equal(permute(x, order, level=level), expected), order


@everywhere
def test_permute_six_axes(level, dtype):
    x = numbers(2, 2, 3, 4, 1, 3, 5, dtype=dtype)
    for order in [(5, 4, 3, 2, 1, 0), (1, 0, 3, 2, 5, 4), (0, 2, 1, 4, 3, 5), (4, 0, 5, 1, 2, 3), (3, 1, 5, 0, 2, 4)]:
        expected = x.transpose(0, *[1 + i for i in order])
        assert np.array_equal(permute(x, order, level=level), expected), order


@everywhere
def test_pad_and_crop(level, dtype):
    borders = (-9, -2, 0, 1, 3)
    for images, height, width in [(2, 3, 5), (1, 1, 17), (3, 4, 1), (2, 0, 3), (0, 2, 2), (1, 2, 33)]:
        x = numbers(images, height, width, dtype=dtype)
        for top, left, bottom, right in itertools.product(borders, borders, (-1, 0, 2), (-1, 0, 4)):
            rows, columns = max(height + top + bottom, 0), max(width + left + right, 0)
            wide = np.pad(x, ((0, 0), (9, 9), (9, 9)))
            expected = wide[:, 9 - top:9 - top + rows, 9 - left:9 - left + columns]
            operands = [x, np.empty((images, rows, columns), dtype)]
            sizes = [images, height, width, rows, columns, top, left]
            y = run("pad", operands, sizes, dtype=dtype, level=level, threads=(1, 3) if top == 1 else (1,))[1]
            assert np.array_equal(y, expected), (top, left, bottom, right)


IMAGES = [(2, 3, 4, 2, 2), (1, 2, 3, 3, 1), (2, 1, 5, 1, 4), (1, 1, 1, 3, 5), (2, 4, 2, 5, 3), (0, 2, 2, 2, 2)]


def images():
    """(images, height, width, channels, factors): every rest of channels once."""
    for i, channels in enumerate(CHANNELS):
        yield IMAGES[i % len(IMAGES)][:3], channels, IMAGES[i % len(IMAGES)][3:]
    yield (0, 2, 2), 3, (2, 2)


@everywhere
def test_nearest(level, dtype):
    for shape, channels, (high, wide) in images():
        x = numbers(*shape, channels, dtype=dtype)
        settings = {"sizes": [*shape, channels, high, wide], "dtype": dtype, "level": level,
                    "threads": threads_for(channels)}
        expected = x.repeat(high, 1).repeat(wide, 2)
        y = run("upsample_nearest", [x, np.empty_like(expected)], **settings)[1]
        assert np.array_equal(y, expected)
        dy = numbers(*y.shape, dtype=dtype)
        dx = run("upsample_nearest_backward", [dy, np.empty_like(x)], **settings)[1]
        n, height, width = shape
        assert_close(dx, dy.astype("float64").reshape(n, height, high, width, wide, channels).sum((2, 4)), units=8,
                     scale=1)


def shares(size, factor):
    """(size * factor, size): what each of the many takes of each of the few, along one axis."""
    place = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(size)))


@everywhere
def test_bilinear(level, dtype):
    for shape, channels, (high, wide) in images():
        x = numbers(*shape, channels, dtype=dtype)
        settings = {"sizes": [*shape, channels, high, wide], "dtype": dtype, "level": level,
                    "threads": threads_for(channels)}
        down, along = shares(shape[1], high), shares(shape[2], wide)
        expected = np.einsum("ah,bw,nhwc->nabc", down, along, x.astype("float64"))
        y = run("upsample_bilinear", [x, np.empty(expected.shape, dtype)], **settings)[1]
        assert_close(y, expected, units=4, scale=4)
        dy = numbers(*y.shape, dtype=dtype)
        dx = run("upsample_bilinear_backward", [dy, np.empty_like(x)], **settings)[1]
        assert_close(dx, np.einsum("ah,bw,nabc->nhwc", down, along, dy.astype("float64")), units=16, scale=4)


@everywhere
def test_a_pixel_without_part_has_no_effect(level, dtype):
    """Infinity stays where it has a share, forwards and backwards."""
    x = np.zeros((1, 1, 5, 1), dtype)
    x[0, 0, 2] = np.inf
    settings = {"dtype": dtype, "level": level}
    y = run("upsample_bilinear", [x, np.empty((1, 1, 15, 1), dtype)], [1, 1, 5, 1, 1, 3], **settings)[1]
    assert np.isfinite(y[0, 0, [0, 1, 2, 3, 4, 10, 11, 12], 0]).all() and not np.isfinite(y[0, 0, 5:10]).any()
    dx = run("upsample_bilinear_backward", [y, x], [1, 1, 5, 1, 1, 3], **settings)[1]
    assert (np.isfinite(dx[0, 0, :, 0]) == [True, False, False, False, True]).all()
