"""dot against NumPy in float64 at every level; the order of summation depends on the length alone."""
import numpy as np
import pytest

from fastnn import ops

SIZES = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 4099,
         16383, 16384, 16385, 40_000]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dot(eager_level, dtype):
    rng = np.random.default_rng(0)
    for n in SIZES:
        x, y = rng.standard_normal((2, n)).astype(dtype)
        result = ops.dot(x, y)
        bound = np.finfo(dtype).eps * (2 + n / 16) * (abs(x) @ abs(y))
        assert abs(result - x.astype(np.float64) @ y.astype(np.float64)) <= bound
        assert result == ops.dot(y, x)
        for offset in (1, 3, 8):            # the same bits wherever the operands lie
            assert ops.dot(moved(x, offset), moved(y, 2 * offset)) == result


def moved(x, offset):
    """A copy ``offset`` elements further into its memory, between NaNs."""
    whole = np.full(len(x) + offset + 16, np.nan, x.dtype)
    whole[offset:offset + len(x)] = x
    return whole[offset:offset + len(x)]


def test_rounding_errors_do_not_grow_with_the_length(eager_level):
    x, y = np.random.default_rng(1).random((2, 3_000_000), dtype=np.float32)
    exact = x.astype(np.float64) @ y.astype(np.float64)
    assert abs(ops.dot(x, y) - exact) <= 2e-7 * exact


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_element_counts_once(eager_level, dtype):
    """Whole numbers are exact: a lost, doubled or foreign element shows."""
    for n in SIZES:
        for i in range(0, n, max(1, n // 70)):
            x, y = np.ones(n, dtype), np.ones(n, dtype)
            x[i] = 100
            assert ops.dot(x, y) == n + 99
            y[i] = np.nan
            assert np.isnan(ops.dot(x, y))
