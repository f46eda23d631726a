"""matmul against NumPy in float64: transpositions, tails, blocks, epilogues, levels; rows and threads keep bits."""
import ctypes
import itertools
import mmap

import numpy as np
import pytest

from fastnn import _kernels
from fastnn.testing import levels, run_kernel

TRANSPOSE_A, TRANSPOSE_B, ACCUMULATE, SCALE_FIRST = 1, 2, 4, 8
ACTIVATIONS = [
    (lambda z: z, np.ones_like),
    (lambda z: np.maximum(z, 0), lambda y: (y > 0) * 1.0),
    (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)),
    (np.tanh, lambda y: 1 - y * y),
]
TAILS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65)
# Around block constants: few rows 64, depth 512 and 1024, columns 512 and 1024, B packed from 2^20 bytes, chunks of
# 60 rows or more, of a large transposed A copied; depth 64 and up to 10 columns where C is narrow.
BLOCKED = [(121, 40, 65), (64, 513, 520), (65, 513, 511), (130, 1026, 257), (130, 512, 512), (300, 129, 70),
           (190, 1025, 131), (67, 258, 1030),
           (241, 257, 33), (65, 63, 3), (29, 129, 10), (64, 64, 9), (65, 65, 11), (300, 17, 1)]
SENTINEL = 77.0

FEW = 8                         # rows of A for which a transposed B may be read where it lies
parametrize_level = pytest.mark.parametrize("level", levels())
parametrize_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def activations(forward=0, gradient=0):
    return forward << 8 | gradient << 16


def placed(values, dtype, gap=0):
    """A copy whose rows lie ``gap`` elements further apart than they are long, off any vector boundary; NaN between."""
    rows, columns = values.shape
    whole = np.full(rows * (columns + gap) + 1, np.nan, dtype)[1:].reshape(rows, columns + gap)
    whole[:, :columns] = values
    return whole[:, :columns]


class Case:
    """Operands of one product; ``run`` computes it at a level, ``expected`` in float64."""

    def __init__(self, m, k, n, flags=0, dtype="float32", gaps=(0, 0, 0), start=False, scale=False, shift=False):
        rng = np.random.default_rng([m, k, n, flags])
        self.shape, self.flags, self.dtype = (m, k, n), flags, dtype
        a = rng.standard_normal((m, k)) / max(k, 1) ** 0.5
        b = rng.standard_normal((k, n))
        self.a = placed(a.T if flags & TRANSPOSE_A else a, dtype, gaps[0])
        self.b = placed(b.T if flags & TRANSPOSE_B else b, dtype, gaps[1])
        self.c = rng.standard_normal((m, n)).astype(dtype)
        self.gap = gaps[2]
        self.start, self.scale, self.shift = (rng.standard_normal(n).astype(dtype) if wanted else None
                                              for wanted in (start, scale, shift))
        self.y = rng.uniform(-0.5, 1, (m, n)).astype(dtype) if flags >> 16 else None

    def run(self, level, rows=slice(None), threads=1):
        """C for some of the rows."""
        _, k, n = self.shape
        a = self.a[:, rows] if self.flags & TRANSPOSE_A else self.a[rows]
        c = self.c[rows]
        c = placed(c if self.flags & ACCUMULATE else np.full_like(c, np.nan), self.dtype, self.gap)
        whole = c.base
        whole[np.isnan(whole)] = SENTINEL
        m = len(c)
        strides = [max(1, x.strides[0] // x.itemsize) for x in (self.a, self.b, c)]
        size = _kernels.load_level(level).scratch_bytes("matmul", (m, k, n), self.flags, c.itemsize)
        scratch = np.full(size + 1, 0xAA, np.uint8)[1:] if size else None
        y = None if self.y is None else self.y[rows]
        operands = [a, self.b, self.start, self.scale, self.shift, y, scratch, c]
        status, *_ = run_kernel("matmul", operands, (m, k, n, *strides), flags=self.flags, dtype=self.dtype,
                                level=level, threads=threads, limits={"matmul": 0})
        assert status == 0
        assert (np.delete(whole.reshape(-1), written(c, whole)) == SENTINEL).all(), "wrote outside of C"
        return c

    def expected(self):
        """(C, bound of what rounding may do to it)."""
        def wide(x, absent):
            return np.float64(absent) if x is None else x.astype(np.float64)

        a = wide(self.a.T if self.flags & TRANSPOSE_A else self.a, 0)
        b = wide(self.b.T if self.flags & TRANSPOSE_B else self.b, 0)
        z = a @ b + wide(self.start, 0) + (wide(self.c, 0) if self.flags & ACCUMULATE else 0)
        size = abs(a) @ abs(b) + abs(wide(self.start, 0)) + abs(wide(self.c, 0))
        scale, shift = wide(self.scale, 1), wide(self.shift, 0)
        forward = ACTIVATIONS[self.flags >> 8 & 255][0]
        c = forward(scale * z + shift) if self.flags & SCALE_FIRST else scale * forward(z) + shift
        if self.y is not None:
            c = c * ACTIVATIONS[self.flags >> 16][1](wide(self.y, 0))
        size = 1 + (1 + abs(scale)) * (1 + size) + abs(shift)
        return c, np.finfo(self.dtype).eps * (8 + self.shape[1] ** 0.5) * size

    def check(self, level, **options):
        c = self.run(level, **options)
        expected, bound = self.expected()
        error = abs(c.astype(np.float64) - expected)
        assert (error <= bound).all(), (self.shape, self.flags, float((error / bound).max()))
        return c


def written(c, whole):
    """Indices of the elements of ``c`` in its base."""
    first = (c.ctypes.data - whole.ctypes.data) // c.itemsize
    return (first + np.arange(c.shape[0])[:, None] * (c.strides[0] // c.itemsize) + np.arange(c.shape[1])).reshape(-1)


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("flags", [0, TRANSPOSE_A, TRANSPOSE_B, TRANSPOSE_A | TRANSPOSE_B])
def test_tails(level, dtype, flags):
    """Every pair of tails of rows and columns, with several depths and gaps."""
    for i, (m, n) in enumerate(itertools.product(TAILS, TAILS)):
        for j in range(3):
            k = TAILS[(i + 5 * j) % len(TAILS)]
            Case(m, k, n, flags, dtype, gaps=((i + j) % 3, (i // 3 + j) % 2, i % 4)).check(level)


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("shape", BLOCKED)
def test_blocks(level, dtype, shape):
    """Sizes around block constants: bits are the same for 1, 2 and 3 threads."""
    for flags in (0, TRANSPOSE_A, TRANSPOSE_B, ACCUMULATE):
        case = Case(*shape, flags | activations(1, 3), dtype, gaps=(1, 3, 2), start=True)
        c = case.check(level)
        for threads in (2, 3):
            assert np.array_equal(c, case.run(level, threads=threads))


@parametrize_level
@parametrize_dtype
def test_epilogues(level, dtype):
    """Every combination of start, scale, shift, activation, gradient and accumulation."""
    options = itertools.product(*[(False, True)] * 3, (0, SCALE_FIRST), (0, ACCUMULATE), range(4), range(4))
    for i, (start, scale, shift, order, accumulate, forward, gradient) in enumerate(options):
        shape = [(33, 17, 37), (35, 20, 3), (7, 0, 18), (5, 300, 33)][(i + i // 16) % 4]
        flags = order | accumulate | activations(forward, gradient) | (0, TRANSPOSE_A, TRANSPOSE_B)[i % 3]
        Case(*shape, flags, dtype, gaps=(0, 1, 2), start=start, scale=scale, shift=shift).check(level)


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("shape", [(70, 130, 40), (70, 70, 5), (70, 33, 130), (70, 600, 500), (200, 1027, 262),
                                   (260, 65, 20)])
def test_row_invariance(level, dtype, shape):
    """A row's bits do not depend on the number of rows, nor on its place among them.

    Of a transposed B that a few rows use the order of summation depends on their number, as ``test_few_rows`` shows.
    """
    for flags in (activations(2), TRANSPOSE_A, TRANSPOSE_B, activations(1, 2) | ACCUMULATE):
        case = Case(*shape, flags, dtype, start=True, scale=not flags & TRANSPOSE_B)
        c = case.run(level)
        for first, n in [(0, 1), (3, 1), (1, 2), (5, 7), (0, 13), (2, 17), (4, 31), (1, 33), (0, 66), (5, 65)]:
            if n <= FEW and flags & TRANSPOSE_B:
                continue
            rows = slice(first, first + n)
            assert np.array_equal(c[rows], case.run(level, rows))
            assert np.array_equal(c[rows], case.run(level, rows, threads=3))


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("shape", [(1, 130, 40), (2, 64, 5), (3, 600, 67), (7, 520, 130), (8, 511, 66), (8, 1027, 1)])
def test_few_rows(level, dtype, shape):
    """Few rows times a transposed B: right for every part of the epilogue, and any two of the rows alike."""
    for flags in (activations(1, 3), activations(2), ACCUMULATE):
        case = Case(*shape, flags | TRANSPOSE_B, dtype, gaps=(1, 3, 2), start=True)
        c = case.check(level)
        for threads in (2, 3):
            assert np.array_equal(c, case.run(level, threads=threads))
        if shape[0] == 8:
            assert np.array_equal(c[2:6], case.run(level, slice(2, 6)))


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("n", [3, 20])
def test_special_values(level, dtype, n):
    """NaN and infinity stay in their row or column, relu keeps NaN, and no product is skipped because of a zero."""
    case = Case(40, 20, n, activations(1), dtype, start=True)
    case.a[:, 4] = 0
    case.a[5, 3], case.b[4, 1], case.a[7, 6] = np.nan, np.inf, np.inf
    c = case.run(level)
    special = ~np.isfinite(c)
    wanted = np.zeros_like(special)
    wanted[5], wanted[:, 1] = True, True
    with np.errstate(invalid="ignore"):
        wanted[7] |= case.b[6] > 0           # relu makes 0 of -inf
    assert np.array_equal(special, wanted)
    assert np.isnan(c[5]).all() and np.isnan(c[:, 1]).all()


@parametrize_level
def test_scaled_sizes(level):
    """Sizes may count rows of the batch."""
    a, b = np.ones((12, 5), np.float32), np.ones((5, 4), np.float32)
    c = np.zeros((12, 4), np.float32)
    run_kernel("matmul", [a, b, None, None, None, None, None, c], (3, 5, 4, 5, 4, 4), scaled=1, rows=4, level=level)
    assert (c == 5).all()


def before_page(shape, dtype):
    """A zeroed array that ends where memory ends: reading or writing past it kills the process."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    pages = -(-size // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    libc = ctypes.CDLL(None)
    end = ctypes.c_void_p(whole.ctypes.data + pages * mmap.PAGESIZE)
    assert libc.mprotect(end, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    return whole[pages * mmap.PAGESIZE - size:pages * mmap.PAGESIZE].view(dtype).reshape(shape)


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("flags", [0, TRANSPOSE_A, TRANSPOSE_B])
def test_memory_ends(level, dtype, flags):
    """Nothing is read or written past the end of any operand, scratch included."""
    for m, k, n in [(33, 3, 1), (35, 17, 5), (9, 6, 17), (3, 5, 35), (29, 18, 10), (66, 5, 49), (2, 1, 2),
                    (65, 513, 515)]:
        shapes = [(k, m) if flags & TRANSPOSE_A else (m, k), (n, k) if flags & TRANSPOSE_B else (k, n), n, n, n, (m, n)]
        size = _kernels.load_level(level).scratch_bytes("matmul", (m, k, n), flags, np.dtype(dtype).itemsize)
        operands = [before_page(shape, dtype) for shape in shapes]
        operands += [before_page((size,), np.uint8) if size else None, before_page((m, n), dtype)]
        run_kernel("matmul", operands, (m, k, n, shapes[0][1], shapes[1][1], n), flags=flags | activations(2, 3),
                   dtype=dtype, level=level)
        assert (operands[-1] == 0).all()
