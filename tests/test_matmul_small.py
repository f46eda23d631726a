"""Small products take ways of their own (turning tiles, narrow C, threads): each must give the bits of the others."""
import itertools

import numpy as np
import pytest

from fastnn import _kernels
from fastnn.testing import levels, run_kernel

TRANSPOSE_A, TRANSPOSE_B, ACCUMULATE = 1, 2, 4
# Around the lanes of a vector, the strips of a transposition, the k that a tile turns at once (16), narrow C (10).
ROWS = (1, 2, 3, 6, 7, 8, 13, 14, 17, 32, 33, 61)
DEPTHS = (1, 2, 3, 4, 5, 15, 16, 17, 31, 64, 257)
COLUMNS = (1, 3, 4, 6, 8, 10, 11, 16, 17, 33, 70)
# Longer sums than one chain takes (4096): a later part, and one that ends with it.
LONG = ((1, 4097, 1), (7, 8200, 3), (33, 4100, 20), (65, 8192, 5), (1, 4096, 33))


FEW = 8         # rows of A for which a transposed B may be read where it lies


def multiply(a, b, c, flags, level, threads):
    m, n = c.shape
    k = a.shape[0 if flags & TRANSPOSE_A else 1]
    size = _kernels.load_level(level).scratch_bytes("matmul", (m, k, n), flags, c.itemsize)
    scratch = np.full(size, 0xFF, np.uint8) if size else None
    status, *_ = run_kernel("matmul", [a, b, None, None, None, None, scratch, c],
                            (m, k, n, a.shape[1], b.shape[1], n), flags=flags | 1 << 8, dtype=c.dtype.name,
                            level=level, threads=threads, limits={"matmul": 0})
    assert status == 0
    return c


# NumPy's BLAS computes with lanes of its buffers that belong to nobody, where infinities of earlier tests may lie.
@pytest.mark.filterwarnings("ignore:invalid value encountered in matmul", "ignore:overflow encountered in matmul",
                            "ignore:divide by zero encountered in matmul")
@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("accumulate", [0, ACCUMULATE])
def test_ways_agree(level, dtype, accumulate):
    """However the factors are stored, and with any number of threads, C has the same bits, and they are right.

    The exceptions are a single column, where the order of summation depends on how A is stored, and a transposed B that
    few rows use.
    """
    for m, k, n in [*itertools.product(ROWS, DEPTHS, COLUMNS), *LONG]:
        rng = np.random.default_rng([m, k, n])
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        start = rng.standard_normal((m, n)).astype(dtype) if accumulate else np.zeros((m, n), dtype)
        expected = np.maximum(a.astype(np.float64) @ b.astype(np.float64) + start, 0)
        first = multiply(a, b, start.copy(), accumulate, level, 1)
        bound = np.finfo(dtype).eps * (4 + k ** 0.5) * (abs(a) @ abs(b) + abs(start) + 1)
        assert (abs(first - expected) <= bound).all(), (m, k, n)
        for flags in (TRANSPOSE_B, TRANSPOSE_A, TRANSPOSE_A | TRANSPOSE_B):
            stored_a = np.ascontiguousarray(a.T) if flags & TRANSPOSE_A else a
            stored_b = np.ascontiguousarray(b.T) if flags & TRANSPOSE_B else b
            if n == 1 and flags == TRANSPOSE_A:
                first = multiply(stored_a, stored_b, start.copy(), flags | accumulate, level, 1)
                assert (abs(first - expected) <= bound).all(), (m, k)
            elif n == 1 and flags == TRANSPOSE_B:
                assert multiply(a, b, start.copy(), accumulate, level, 2).tobytes() == first.tobytes(), (m, k)
            for threads in (1, 2):
                other = multiply(stored_a, stored_b, start.copy(), flags | accumulate, level, threads)
                if flags == TRANSPOSE_B and m <= FEW and n > 1:
                    assert (abs(other - expected) <= bound).all(), (m, k, n)
                else:
                    assert first.tobytes() == other.tobytes(), (m, k, n, flags, threads)
