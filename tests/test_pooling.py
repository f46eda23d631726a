"""Pooling kernels against NumPy, cell by cell."""
import itertools

import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run, threads_for

# image (H, W), window, strides, "same" or not: overlapping, side by side, with gaps, with padding, all in one
GEOMETRIES = {
    "2 x 2": ((6, 8), (2, 2), (2, 2), False),
    "2 x 2, odd": ((5, 7), (2, 2), (2, 2), False),
    "2 x 2, same, odd": ((5, 7), (2, 2), (2, 2), True),
    "2 x 2 overlapping": ((4, 5), (2, 2), (1, 1), False),
    "3 x 3 by 2": ((7, 9), (3, 3), (2, 2), False),
    "3 x 3 by 2, same": ((6, 7), (3, 3), (2, 2), True),
    "3 x 3 by 1, same": ((4, 3), (3, 3), (1, 1), True),
    "gaps": ((9, 10), (2, 3), (4, 5), False),
    "gaps in rows, overlapping columns": ((9, 6), (2, 3), (3, 1), False),
    "gaps, same": ((7, 8), (1, 2), (3, 3), True),
    "window as large as the image": ((4, 5), (4, 5), (1, 1), False),
    "mean of more cells than the L1 cache holds": ((30, 41), (30, 41), (1, 1), False),
    "whole rows, same": ((5, 6), (3, 7), (2, 2), True),
    "window larger than the image, same": ((2, 3), (5, 4), (2, 1), True),
    "steps": ((1, 11), (1, 3), (1, 2), False),
    "one cell": ((3, 4), (1, 1), (1, 1), False),
    "places beyond a byte": ((20, 19), (17, 16), (3, 3), False),
    "places beyond a byte, same": ((3, 40), (3, 100), (2, 30), True),
}


def axis(size, window, stride, same):
    """(windows, padding before them) along one axis, as Keras has them."""
    if not same:
        return (size - window) // stride + 1, 0
    out = -(-size // stride)
    return out, max(0, (out - 1) * stride + window - size) // 2


def sizes_of(images, channels, geometry):
    image, window, strides, same = geometry
    (oh, top), (ow, left) = (axis(*a, same) for a in zip(image, window, strides))
    return [images, channels, *image, oh, ow, *window, *strides, top, left]


def windows(sizes):
    """(oh, ow, rows of cells, columns of cells, first row and column of the window) for each window."""
    _, _, height, width, out_height, out_width, rows, columns, down, right, top, left = sizes
    for oh, ow in itertools.product(range(out_height), range(out_width)):
        h, w = oh * down - top, ow * right - left
        yield oh, ow, slice(max(0, h), min(height, h + rows)), slice(max(0, w), min(width, w + columns)), h, w


def numpy_max(x, sizes):
    """y and the place of each largest cell; NaN is the largest."""
    y = np.empty((sizes[0], *sizes[4:6], sizes[1]))
    index = np.empty(y.shape, int)
    for oh, ow, rows, columns, h, w in windows(sizes):
        cells = x[:, rows, columns].astype(float)
        flat = cells.reshape(len(x), cells.shape[1] * cells.shape[2], sizes[1])
        first = flat.argmax(1)                                   # of equal ones the first; NaN before all
        y[:, oh, ow] = np.take_along_axis(flat, first[:, None], 1)[:, 0]
        kh, kw = first // cells.shape[2] + rows.start - h, first % cells.shape[2] + columns.start - w
        index[:, oh, ow] = kh * sizes[7] + kw
    return y, index


def numpy_max_backward(dy, index, sizes):
    dx = np.zeros((sizes[0], *sizes[2:4], sizes[1]))
    for oh, ow, _, _, h, w in windows(sizes):
        n, c = np.indices((sizes[0], sizes[1]))
        dx[n, h + index[:, oh, ow] // sizes[7], w + index[:, oh, ow] % sizes[7], c] += dy[:, oh, ow]
    return dx


def numpy_average(x, sizes):
    y = np.empty((sizes[0], *sizes[4:6], sizes[1]))
    for oh, ow, rows, columns, _, _ in windows(sizes):
        y[:, oh, ow] = x[:, rows, columns].astype(float).mean((1, 2))
    return y


def numpy_average_backward(dy, sizes):
    dx = np.zeros((sizes[0], *sizes[2:4], sizes[1]))
    for oh, ow, rows, columns, _, _ in windows(sizes):
        n = (rows.stop - rows.start) * (columns.stop - columns.start)
        dx[:, rows, columns] += dy[:, None, None, oh, ow].astype(float) / n
    return dx


def index_type(sizes, dtype):
    return "uint8" if sizes[6] * sizes[7] <= 256 else dtype


def images(sizes, dtype, seed=0):
    """Of few different numbers, so that there are equal ones."""
    shape = (sizes[0], *sizes[2:4], sizes[1])
    return np.random.default_rng([seed, *sizes]).integers(-6, 7, shape).astype(dtype)


def gradients(sizes, dtype):
    shape = (sizes[0], *sizes[4:6], sizes[1])
    return np.random.default_rng([9, *sizes]).standard_normal(shape).astype(dtype)


def cases():
    """(geometry's sizes, threads): one geometry on every number of channels, each on a few."""
    for channels in SIZES:
        yield sizes_of(2, channels, GEOMETRIES["3 x 3 by 2, same"]), threads_for(channels)
        yield sizes_of(2, channels, GEOMETRIES["2 x 2, odd"]), threads_for(channels)
    for geometry in GEOMETRIES.values():
        for n, channels in ((1, 1), (2, 3), (3, 20), (0, 4)):
            yield sizes_of(n, channels, geometry), (1, 2, 3) if channels == 20 else (1,)


@everywhere
def test_max(level, dtype):
    for sizes, threads in cases():
        x, oh, ow = images(sizes, dtype), *sizes[4:6]
        y = np.empty((sizes[0], oh, ow, sizes[1]), dtype)
        expected, places = numpy_max(x, sizes)
        settings = {"level": level, "dtype": dtype, "threads": threads}
        assert np.array_equal(run("max_pooling_forward", [x, y, None], sizes, **settings)[1], expected), sizes
        index = np.empty(y.shape, index_type(sizes, dtype))
        _, y, index = run("max_pooling_forward", [x, y, index], sizes, **settings)
        assert np.array_equal(y, expected) and np.array_equal(index, places), sizes
        dy, dx = gradients(sizes, dtype), np.full(x.shape, np.nan, dtype)
        dx = run("max_pooling_backward", [dy, index, dx], sizes, **settings)[2]
        assert_close(dx, numpy_max_backward(dy, places, sizes), scale=4)


@everywhere
def test_average(level, dtype):
    for sizes, threads in cases():
        x = images(sizes, dtype)
        dy = gradients(sizes, dtype)
        settings = {"level": level, "dtype": dtype, "threads": threads}
        y = run("average_pooling_forward", [x, np.full(dy.shape, np.nan, dtype)], sizes, **settings)[1]
        assert_close(y, numpy_average(x, sizes), units=1)              # sums of these numbers are exact
        dx = run("average_pooling_backward", [dy, np.full(x.shape, np.nan, dtype)], sizes, **settings)[1]
        assert_close(dx, numpy_average_backward(dy, sizes), units=8, scale=4)


@pytest.mark.parametrize("name", ["2 x 2, odd", "3 x 3 by 2, same", "places beyond a byte"])
@everywhere
def test_nan_and_infinities(name, level, dtype):
    """NaN is the largest cell, wherever it stands; -inf, and inf beside -inf, are numbers like others."""
    sizes = sizes_of(3, 19, GEOMETRIES[name])
    x = images(sizes, dtype)
    rng = np.random.default_rng(1)
    for value, share in ((-np.inf, 0.5), (np.inf, 0.05), (np.nan, 0.05)):
        x[rng.random(x.shape) < share] = value
    x[0, ..., 0], x[0, ..., 1], x[1] = np.nan, -np.inf, -np.inf
    expected, places = numpy_max(x, sizes)
    y, index = np.empty(expected.shape, dtype), np.empty(expected.shape, index_type(sizes, dtype))
    _, y, index = run("max_pooling_forward", [x, y, index], sizes, level=level, dtype=dtype)
    assert np.array_equal(y, expected, equal_nan=True) and np.array_equal(index, places)
    y = run("max_pooling_forward", [x, np.empty_like(y), None], sizes, level=level, dtype=dtype)[1]
    assert np.array_equal(y, expected, equal_nan=True)


@everywhere
def test_the_first_zero_counts_and_keeps_its_sign(level, dtype):
    x = np.array([-0.0, 0.0, 0.0, 0.0, 0.0, -0.0, -0.0, -0.0], dtype).reshape(2, 2, 2, 1)
    y, index = np.empty((2, 1, 1, 1), dtype), np.empty((2, 1, 1, 1), "uint8")
    sizes = [2, 1, 2, 2, 1, 1, 2, 2, 2, 2, 0, 0]
    _, y, index = run("max_pooling_forward", [x, y, index], sizes, level=level, dtype=dtype)
    assert not index.any() and np.signbit(y).ravel().tolist() == [True, False]


@everywhere
def test_a_row_does_not_depend_on_the_others(level, dtype):
    sizes = sizes_of(5, 9, GEOMETRIES["3 x 3 by 2, same"])
    x, dy = images(sizes, dtype) / 7, gradients(sizes, dtype)
    for kernel, source, like in (("average_pooling_forward", x, dy), ("average_pooling_backward", dy, x)):
        whole = run(kernel, [source, np.empty_like(like)], sizes, level=level, dtype=dtype)[1]
        one = run(kernel, [source[3:4], np.empty_like(like[:1])], [1, *sizes[1:]], level=level, dtype=dtype)[1]
        assert one.tobytes() == whole[3:4].tobytes()


@pytest.mark.parametrize("name", ["3 x 3 by 2, same", "gaps in rows, overlapping columns", "2 x 2, same, odd"])
def test_gradients_are_the_slopes(name):
    sizes = sizes_of(2, 3, GEOMETRIES[name])
    shape = (2, *sizes[2:4], 3)
    x = np.random.default_rng(2).permutation(np.arange(np.prod(shape)) / 100).reshape(shape)          # all apart
    dy = gradients(sizes, "float64")
    y, index = np.empty_like(dy), np.empty(dy.shape, "uint8")
    index = run("max_pooling_forward", [x, y, index], sizes, dtype="float64")[2]
    dx = run("max_pooling_backward", [dy, index, np.empty_like(x)], sizes, dtype="float64")[2]
    assert_slope(dx, lambda x: (dy * run("max_pooling_forward", [x, y, None], sizes, dtype="float64")[1]).sum(), x)
    dx = run("average_pooling_backward", [dy, np.empty_like(x)], sizes, dtype="float64")[1]
    assert_slope(dx, lambda x: (dy * run("average_pooling_forward", [x, y], sizes, dtype="float64")[1]).sum(), x)


@everywhere
def test_gradient_of_the_largest_of_all(level, dtype):
    """Equal cells share it."""
    for outer, middle, inner in itertools.product((0, 1, 3), (1, 2, 30), SIZES):
        rng = np.random.default_rng([outer, middle, inner])
        x = rng.integers(0, 4, (outer, middle, inner)).astype(dtype)
        dy, y = rng.standard_normal((outer, inner)).astype(dtype), x.max(1)
        settings = {"level": level, "dtype": dtype, "threads": threads_for(inner)}
        dx = run("reduce_max_backward", [dy, x, y, np.full(x.shape, np.nan, dtype)], [outer, middle, inner],
                 **settings)[3]
        equal = x == y[:, None]
        assert_close(dx, equal * dy[:, None].astype(float) / equal.sum(1, keepdims=True), units=1)


@everywhere
def test_masked_mean(level, dtype):
    """The mean over the steps that take part, 0 where none does."""
    for outer, steps, features in itertools.product((0, 4), (1, 5), SIZES):
        rng = np.random.default_rng([outer, steps, features])
        x, dy = rng.standard_normal((outer, steps, features)), rng.standard_normal((outer, features))
        x, dy, mask = x.astype(dtype), dy.astype(dtype), rng.integers(0, 2, (outer, steps)).astype("uint8")
        mask[:1], mask[1:2] = 0, 1
        share = mask / np.maximum(1, mask.sum(1, keepdims=True))
        settings = {"level": level, "dtype": dtype, "threads": threads_for(features)}
        y = run("masked_mean_forward", [x, mask, np.full(dy.shape, np.nan, dtype)], [outer, steps, features],
                **settings)[2]
        assert_close(y, (x.astype(float) * share[..., None]).sum(1), units=8, scale=1)
        dx = run("masked_mean_backward", [dy, mask, np.full(x.shape, np.nan, dtype)], [outer, steps, features],
                 **settings)[2]
        assert_close(dx, dy[:, None].astype(float) * share[..., None])
