"""Depthwise convolutions and their gradients against NumPy in float64: every shape of window, tails, threads."""
import itertools

import numpy as np
import pytest
from kernel_checks import everywhere, run
from test_convolution_weights import GEOMETRIES, geometry

from fastnn import _kernels


class Case:
    """Operands of the three kernels for one depthwise convolution."""

    def __init__(self, images, channels, multiplier, rows, columns, dtype="float32"):
        rng = np.random.default_rng([images, channels, multiplier, *map(abs, rows), *map(abs, columns)])
        (h, kh, oh, sh, dh, top), (w, kw, ow, sw, dw, left) = rows, columns
        filters = channels * multiplier
        self.sizes = (images, channels, filters, h, w, oh, ow, kh, kw, sh, sw, dh, dw, top, left, channels)
        self.dtype, self.multiplier = dtype, multiplier
        self.x, self.w, self.start, self.dy = (
            rng.standard_normal(shape).astype(dtype)
            for shape in ((images, h, w, channels), (kh, kw, channels, multiplier), filters, (images, oh, ow, filters)))

    def run(self, name, operands, outputs, level):
        size = _kernels.load_level(level).scratch_bytes(name, self.sizes, 0, self.x.itemsize)
        scratch = np.full(size, 0xFF, np.uint8) if size else None
        out = [np.full(shape, np.nan, self.dtype) for shape in outputs]
        return run(name, [*operands, scratch, *out], self.sizes, threads=(1, 2, 3), scratch=(len(operands),),
                   dtype=self.dtype, level=level)[-len(out):]

    def taps(self):
        """(rows, columns of y; rows, columns of x; k, l) of every product: index arrays."""
        _, _, _, h, w, oh, ow, kh, kw, sh, sw, dh, dw, top, left, _ = self.sizes
        for k, j in itertools.product(range(kh), range(kw)):
            rows, columns = np.arange(oh) * sh - top + k * dh, np.arange(ow) * sw - left + j * dw
            i, o = np.flatnonzero((rows >= 0) & (rows < h)), np.flatnonzero((columns >= 0) & (columns < w))
            if len(i) and len(o):
                yield np.ix_(i, o), np.ix_(rows[i], columns[o]), (k, j)

    def expected(self, x, w, start, dy):
        """(y, dx, dw)."""
        y, dx, dw = np.zeros((*dy.shape[:3], *w.shape[2:])), np.zeros(x.shape), np.zeros(w.shape)
        y += start.reshape(w.shape[2:])
        dy = dy.reshape(y.shape)
        for (i, j), (p, q), tap in self.taps():
            y[:, i, j] += x[:, p, q, :, None] * w[tap]
            dx[:, p, q] += (dy[:, i, j] * w[tap]).sum(-1)
            dw[tap] = (x[:, p, q, :, None] * dy[:, i, j]).sum((0, 1, 2))
        return y.reshape(self.dy.shape), dx, dw

    def check(self, level, start=True):
        wide = [array.astype(np.float64) for array in (self.x, self.w, self.start * start, self.dy)]
        expected, sizes = self.expected(*wide), self.expected(*map(abs, wide))
        y, = self.run("depthwise_forward", [self.x, self.w, self.start if start else None], [self.dy.shape], level)
        dx, = self.run("depthwise_backward", [self.dy, self.w], [self.x.shape], level)
        dw, db = self.run("depthwise_weights", [self.x, self.dy], [self.w.shape, self.start.shape], level)
        unit = 4 * np.finfo(self.dtype).eps
        for a, b, size in zip((y, dx, dw), expected, sizes):
            assert (abs(a - b) <= unit * size).all()
        assert (abs(db - wide[3].sum((0, 1, 2))) <= unit * abs(wide[3]).sum((0, 1, 2))).all()


@everywhere
@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_tails(level, dtype, multiplier):
    """Every tail of channels, groups of every number of pixels, kernels of every number of taps."""
    for i, channels in enumerate((1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65)):
        rows = geometry(6 + i % 3, 1 + i % 5, before=i % 2)
        columns = geometry(7 + i, 1 + (i + multiplier) % 4, before=i % 3 // 2, after=i % 2)
        Case(1 + i % 3, channels, multiplier, rows, columns, dtype).check(level, start=i % 2 == 0)


@everywhere
@pytest.mark.parametrize(("rows", "columns"), [
    *GEOMETRIES,
    (geometry(23, 3, stride=2, before=1, after=1), geometry(20, 5, stride=2, dilation=3, before=2, after=3)),
    (geometry(19, 4, stride=4, dilation=2), geometry(31, 7, stride=3, dilation=2, before=6, after=6)),
    (geometry(12, 2, stride=5), geometry(13, 2, stride=5, before=1)),
])
def test_windows(level, dtype, rows, columns):
    """Strides, dilation and both, padding of every side, windows outside of the image, pixels that no window sees."""
    for images, channels, multiplier in [(2, 3, 1), (1, 20, 1), (2, 5, 2), (1, 1, 4)]:
        Case(images, channels, multiplier, rows, columns, dtype).check(level)


@everywhere
def test_nothing_to_sum(level, dtype):
    """No images, no output pixels, no channels, no kernel, no input: what remains is start, or zeros."""
    line = geometry(5, 3)
    for case in [Case(0, 3, 1, line, line, dtype), Case(2, 3, 1, (2, 3, 0, 1, 1, 0), line, dtype),
                 Case(2, 3, 2, line, (2, 3, 0, 1, 1, 0), dtype), Case(2, 0, 1, line, line, dtype),
                 Case(2, 3, 1, (5, 0, 5, 1, 1, 0), line, dtype), Case(2, 3, 2, (0, 2, 2, 1, 1, 2), line, dtype)]:
        case.check(level)


@everywhere
def test_special_values(level, dtype):
    """NaN and infinity stay in their channel and reach the pixels that see them, and no others."""
    case = Case(1, 20, 1, geometry(6, 3, before=1, after=1), geometry(9, 3), dtype)
    case.x[0, 2, 4, 3], case.x[0, 5, 8, 11] = np.nan, np.inf
    y, = case.run("depthwise_forward", [case.x, case.w, None], [case.dy.shape], level)
    wanted = np.zeros(y.shape, bool)
    wanted[0, 1:4, 2:5, 3], wanted[0, 4:6, 6, 11] = True, True
    assert np.array_equal(~np.isfinite(y), wanted)
