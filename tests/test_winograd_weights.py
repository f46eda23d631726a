"""winograd_weights against sums of strided slices in float64: tails, edges, shares, accuracy, bits."""
import itertools

import numpy as np
import pytest
from kernel_checks import GUARD, LEVELS, SIZES, everywhere, guarded

from fastnn import _kernels, testing


class Case:
    """x and dy of one convolution; ``run`` computes (dw, db) at a level, ``expected`` in float64."""

    def __init__(self, dtype, images, x, filters, shape=None, before=(0, 0)):
        rng = np.random.default_rng([images, *x, filters])
        self.before = before
        shape = [max(0, n + 2 * b - 2) for n, b in zip(x, before)] if shape is None else shape
        self.x = rng.standard_normal((images, *x)).astype(dtype)
        self.dy = rng.standard_normal((images, *shape, filters)).astype(dtype)

    def sizes(self):
        return (*self.x.shape[:1], self.x.shape[3], self.dy.shape[3], *self.x.shape[1:3], *self.dy.shape[1:3], 3, 3,
                1, 1, 1, 1, *self.before, 1)

    def run(self, level, threads=1, bias=True):
        channels, filters = self.x.shape[3], self.dy.shape[3]
        dtype = self.x.dtype
        n_bytes = _kernels.load_level(level).scratch_bytes("winograd_weights", self.sizes(), 0, dtype.itemsize)
        operands = [self.x, self.dy, np.full(n_bytes, 0xFF, np.uint8), np.full((3, 3, channels, filters), 55, dtype),
                    np.full(filters, 55, dtype) if bias else None]
        copies = [None if operand is None else guarded(operand) for operand in operands]
        arrays = [None if copy is None else copy[0] for copy in copies]
        status, *_ = testing.run_kernel("winograd_weights", arrays, self.sizes(), dtype=dtype.name, level=level,
                                        threads=threads, limits={"matmul": 0})
        assert status == 0
        for array, raw, first in filter(None, copies):
            assert (raw[:first] == GUARD).all() and (raw[first + array.nbytes:] == GUARD).all(), "wrote outside"
        return arrays[3], arrays[4]

    def expected(self):
        """(dw, db)."""
        n, h, w, c = self.x.shape
        height, width = self.dy.shape[1:3]
        padded = np.zeros((n, height + 2, width + 2, c))
        rows, columns = (np.arange(m + 2) - b for m, b in zip((height, width), self.before))
        inside = np.ix_((rows >= 0) & (rows < h), (columns >= 0) & (columns < w))
        padded[(slice(None), *inside)] = self.x[:, rows[inside[0].ravel()]][:, :, columns[inside[1].ravel()]]
        dy = self.dy.astype(np.float64)
        dw = [[np.tensordot(padded[:, i:i + height, j:j + width], dy, ([0, 1, 2], [0, 1, 2])) for j in range(3)]
              for i in range(3)]
        return np.array(dw), dy.sum((0, 1, 2))

    def check(self, level, threads=(), tolerance=None):
        dw, db = self.run(level)
        tolerance = tolerance or (3e-5 if dw.dtype == np.float32 else 1e-13)
        for found, wanted in zip((dw, db), self.expected()):
            assert not found.size or abs(found - wanted).max() <= tolerance * (1 + abs(wanted).max()), self.x.shape
        assert self.run(level, bias=False)[0].tobytes() == dw.tobytes()
        for n in threads:
            other = self.run(level, n)
            assert other[0].tobytes() == dw.tobytes() and other[1].tobytes() == db.tobytes()


@everywhere
def test_tails(level, dtype):
    """Every number of channels and filters that leaves another rest."""
    for i, (channels, filters) in enumerate(itertools.product(SIZES[1:], SIZES[1:])):
        Case(dtype, 1 + i % 2, (3 + i % 3, 3 + i % 5, channels), filters, before=(i % 2, i % 2)).check(level)


@everywhere
def test_edges(level, dtype):
    """Every rest of height and width that a tile leaves, valid, padded, cropped, and beyond the image."""
    for height, width, before in itertools.product(range(3, 11), range(3, 11), (0, 1)):
        Case(dtype, 2, (height, width, 3), 5, before=(before, before)).check(level)
    for before, shape in [((7, 0), (12, 3)), ((0, 9), (2, 15)), ((-2, -3), (3, 4)), ((8, 8), (20, 20))]:
        Case(dtype, 2, (5, 6, 3), 5, shape, before).check(level, (2, 3))


@everywhere
def test_blocks(level, dtype):
    """More tiles than a block, of several images; the same bits with any number of threads."""
    for channels, filters in ((3, 5), (40, 24), (130, 70)):
        Case(dtype, 3, (23, 30, channels), filters, before=(1, 1)).check(level, (2, 3, 5))


@everywhere
@pytest.mark.parametrize(("images", "x", "filters"), [
    (2, (35, 63, 3), 5),            # 2 shares
    (3, (90, 80, 9), 17),           # 4
    (1, (264, 257, 3), 5),          # 2 rounds of 8
    (9, (30, 33, 200), 150),        # 2 rounds of one, which threads divide
])
def test_shares(level, dtype, images, x, filters):
    """Tiles for one share or several, in one round or several; the same bits with any number of threads."""
    Case(dtype, images, x, filters, before=(1, 1)).check(level, (2, 3, 9))


@everywhere
def test_scratch(level, dtype):
    """A program made for more images has scratch enough for fewer."""
    scratch = _kernels.load_level(level).scratch_bytes
    for height, channels, filters in ((6, 3, 5), (14, 32, 64), (30, 64, 64), (14, 128, 128), (9, 16, 512)):
        sizes = [(n, channels, filters, height, height, height - 2, height - 2, 3, 3, 1, 1, 1, 1, 0, 0, 1)
                 for n in range(200)]
        found = [scratch("winograd_weights", each, 0, np.dtype(dtype).itemsize) for each in sizes]
        assert found == sorted(found)


@pytest.mark.parametrize("level", LEVELS)
def test_many_tiles(level):
    """The error does not grow with the number of tiles: chains are short."""
    Case("float32", 1, (384, 384, 16), 16, before=(1, 1)).check(level, tolerance=4e-6)


@everywhere
def test_accuracy(level, dtype):
    """What the documentation says of errors, on normal data."""
    for channels in (32, 128):
        Case(dtype, 8, (14, 14, channels), 32, before=(1, 1)).check(
            level, tolerance=1e-5 if dtype == "float32" else 2e-14)


@everywhere
def test_empty(level, dtype):
    """Without images or output the gradient is 0; without filters or channels there is none."""
    for images, x, filters, shape in [(0, (5, 6, 3), 4, None), (2, (5, 6, 3), 4, (0, 3)), (2, (5, 6, 3), 0, None),
                                      (2, (5, 6, 0), 4, None)]:
        Case(dtype, images, x, filters, shape).check(level, (2,))
