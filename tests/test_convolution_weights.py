"""Gradients of a convolution's weights against NumPy in float64: every shape of window, tails, threads, long sums."""
import itertools

import numpy as np
import pytest
from kernel_checks import LEVELS, everywhere, run

from fastnn import _kernels


def geometry(size, kernel, stride=1, dilation=1, before=0, after=0):
    """(input, kernel, output, stride, dilation, padding before) of one direction."""
    return size, kernel, (size + before + after - (kernel - 1) * dilation - 1) // stride + 1, stride, dilation, before


class Case:
    """Operands of one gradient: ``rows`` and ``columns`` are geometries."""

    def __init__(self, images, channels, filters, rows, columns, groups=1, dtype="float32", values="standard_normal"):
        rng = np.random.default_rng([images, channels, filters, *map(abs, rows), *map(abs, columns)])
        (h, kh, oh, sh, dh, top), (w, kw, ow, sw, dw, left) = rows, columns
        self.sizes = (images, channels, filters, h, w, oh, ow, kh, kw, sh, sw, dh, dw, top, left, groups)
        self.x = getattr(rng, values)((images, h, w, channels)).astype(dtype)
        self.dy = getattr(rng, values)((images, oh, ow, filters)).astype(dtype)
        self.dtype = dtype

    def run(self, level, bias=True, threads=(1, 2, 3)):
        channels, filters, kh, kw, groups = (self.sizes[i] for i in (1, 2, 7, 8, 15))
        size = _kernels.load_level(level).scratch_bytes("convolution_weights", self.sizes, 0, self.x.itemsize)
        scratch = np.full(size, 0xFF, np.uint8) if size else None
        dw = np.full((kh, kw, channels // groups, filters), np.nan, self.dtype)
        db = np.full(filters, np.nan, self.dtype) if bias else None
        return run("convolution_weights", [self.x, self.dy, scratch, dw, db], self.sizes, threads=threads,
                   scratch=(2,), dtype=self.dtype, level=level)[3:]

    def padded(self):
        """x in float64 from the first pixel that a window looks at to the last."""
        _, channels, _, h, w, oh, ow, kh, kw, sh, sw, dh, dw, top, left, _ = self.sizes
        rows = np.arange(max((oh - 1) * sh + (kh - 1) * dh + 1, 0)) - top
        columns = np.arange(max((ow - 1) * sw + (kw - 1) * dw + 1, 0)) - left
        x = np.zeros((len(self.x), len(rows), len(columns), channels))
        i, j = np.flatnonzero((rows >= 0) & (rows < h)), np.flatnonzero((columns >= 0) & (columns < w))
        x[:, i[:, None], j] = self.x[:, rows[i][:, None], columns[j]]
        return x

    def expected(self):
        """(dw, the sizes of what it sums, db, the same of it)."""
        _, channels, filters, _, _, oh, ow, kh, kw, sh, sw, dh, dw, _, _, groups = self.sizes
        x, dy, pixels = self.padded(), self.dy.astype(np.float64), len(self.dy) * oh * ow
        gradient, size = np.zeros((2, kh, kw, channels // groups, filters))
        for k, j, g in itertools.product(range(kh), range(kw), range(groups)):
            a = x[:, k * dh:k * dh + (oh - 1) * sh + 1:sh, j * dw:j * dw + (ow - 1) * sw + 1:sw,
                  g * (channels // groups):(g + 1) * (channels // groups)].reshape(pixels, channels // groups)
            f = slice(g * (filters // groups), (g + 1) * (filters // groups))
            b = dy[..., f].reshape(pixels, filters // groups)
            gradient[k, j, :, f], size[k, j, :, f] = a.T @ b, abs(a.T) @ abs(b)
        return gradient, size, dy.sum((0, 1, 2)), abs(dy).sum((0, 1, 2))

    def check(self, level, **options):
        dw, db = self.run(level, **options)
        gradient, size, bias, bias_size = self.expected()
        unit = np.finfo(self.dtype).eps
        assert (abs(dw - gradient) <= 4 * unit * size).all()
        assert db is None or (abs(db - bias) <= 4 * unit * bias_size).all()
        return dw, db


@everywhere
@pytest.mark.parametrize("channels", [1, 2, 3, 7, 16, 33])
def test_tails(level, dtype, channels):
    """Channels that make every count of rows, filters of every tail, widths of every length of a row."""
    for i, filters in enumerate((1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65)):
        rows = geometry(5 + i % 3, 1 + i % 3)
        columns = geometry(3 + (i * 5 + channels) % 17, 1 + (i + channels) % 3)
        Case(1 + i % 3, channels, filters, rows, columns, dtype=dtype).check(level, bias=i % 2 == 0)


GEOMETRIES = [
    (geometry(9, 3, before=1, after=1), geometry(7, 3, before=1, after=1)),
    (geometry(9, 3, stride=2, before=0, after=1), geometry(8, 3, stride=2, before=1, after=1)),
    (geometry(9, 2, stride=3), geometry(11, 5, stride=2, before=2, after=2)),
    (geometry(11, 3, dilation=2), geometry(11, 3, dilation=3, before=2, after=1)),
    (geometry(8, 1, stride=2), geometry(9, 1, stride=3)),
    (geometry(3, 5, before=4, after=4), geometry(2, 4, before=3, after=3)),
    (geometry(10, 2, before=-3, after=-1), geometry(9, 3, before=-2, after=0)),
    (geometry(1, 1), geometry(300, 4, before=3)),                 # causal, a row in pieces
    (geometry(1, 1), geometry(261, 3, stride=2, dilation=2)),
    (geometry(300, 2), geometry(1, 1)),
    (geometry(4, 4), geometry(5, 5)),
    (geometry(2, 1, before=3, after=2), geometry(2, 1, before=3, after=0)),
    (geometry(7, 3, dilation=5, before=5, after=5), geometry(9, 3, dilation=4, before=4, after=4)),
    (geometry(4, 3, dilation=9, before=9, after=9), geometry(5, 3, dilation=7, before=6, after=9)),
    (geometry(9, 3, stride=3, dilation=2, before=3, after=2), geometry(9, 2, stride=2, dilation=3, before=3, after=4)),
    (geometry(8, 3, dilation=4, before=4, after=4), geometry(6, 1)),
    (geometry(1, 1), geometry(300, 3, dilation=40, before=80)),
]


@everywhere
@pytest.mark.parametrize(("rows", "columns"), GEOMETRIES)
def test_windows(level, dtype, rows, columns):
    """Strides, dilation, padding of every side, windows outside of the image, groups."""
    for images, channels, filters, groups in [(2, 3, 5, 1), (1, 1, 4, 1), (3, 4, 6, 2), (1, 6, 3, 3), (2, 20, 40, 2),
                                              (2, 20, 2, 2), (1, 20, 1, 1)]:
        Case(images, channels, filters, rows, columns, groups, dtype).check(level)


@everywhere
def test_threads_and_long_sums(level, dtype):
    """More bands than a round of chains holds; so many weights that there is one share, or a few."""
    for case in [Case(3, 2, 5, geometry(80, 3), geometry(301, 3, before=1, after=1), dtype=dtype),
                 Case(3, 1, 20, geometry(80, 3), geometry(301, 3, before=1, after=1), dtype=dtype),
                 Case(3, 8, 2, geometry(80, 2), geometry(301, 3, before=1, after=1), dtype=dtype),
                 Case(3, 8, 9, geometry(40, 3, dilation=6, before=6, after=6),
                      geometry(301, 3, dilation=20, before=20, after=20), dtype=dtype),
                 Case(17, 3, 32, geometry(12, 3), geometry(12, 3), dtype=dtype),
                 Case(2, 190, 200, geometry(4, 3), geometry(4, 3, before=1, after=1), dtype=dtype),
                 Case(9, 70, 33, geometry(9, 3, before=1, after=1), geometry(20, 3), dtype=dtype)]:
        case.check(level)


@pytest.mark.parametrize("level", LEVELS)
def test_accuracy(level):
    """A sum over a million pixels is as exact as one over some thousand: chains are of bounded length."""
    case = Case(4, 1, 2, geometry(512, 1), geometry(512, 2, before=1), values="random")
    dw, db = case.run(level, threads=(1,))
    gradient, _, bias, _ = case.expected()
    assert (abs(dw / gradient - 1) < 1e-5).all() and (abs(db / bias - 1) < 1e-6).all()


@everywhere
def test_nothing_to_sum(level, dtype):
    """No images, no output pixels, no filters, no channels, no kernel: zeros, or nothing to write."""
    line = geometry(5, 3)
    for case in [Case(0, 3, 4, line, line, dtype=dtype), Case(2, 3, 4, (2, 3, 0, 1, 1, 0), line, dtype=dtype),
                 Case(2, 3, 4, line, (2, 3, 0, 1, 1, 0), dtype=dtype), Case(2, 3, 0, line, line, dtype=dtype),
                 Case(2, 0, 4, line, line, dtype=dtype), Case(2, 3, 4, (5, 0, 5, 1, 1, 0), line, dtype=dtype),
                 Case(2, 3, 4, (0, 2, 2, 1, 1, 2), line, dtype=dtype)]:
        case.check(level)


@everywhere
def test_special_values(level, dtype):
    """NaN and infinity reach the weights that see them, and no others."""
    case = Case(2, 3, 20, geometry(6, 3), geometry(6, 3), dtype=dtype)
    case.x[1, 0, 0, 2], case.dy[0, 1, 1, 7] = np.nan, np.inf
    dw, db = case.run(level)
    wanted = np.zeros(dw.shape, bool)
    wanted[0, 0, 2], wanted[..., 7] = True, True
    assert np.array_equal(~np.isfinite(dw), wanted)
    assert np.array_equal(~np.isfinite(db), np.arange(20) == 7)
