"""What the tests of kernels share: how a kernel is run, and how results are compared."""
import os

import numpy as np
import pytest

from fastnn import testing

# Around the lanes of every vector, and more than any of them has.
SIZES = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65)
if os.environ.get("FASTNN_GUARD") == "1":      # between guard pages every rest counts
    SIZES = tuple(range(68))
PAD = 64
GUARD = 0xA5

# All levels in one run; where FASTNN_ISA chooses one for the whole suite, that one.
LEVELS = (os.environ["FASTNN_ISA"],) if os.environ.get("FASTNN_ISA") else testing.levels()

everywhere = pytest.mark.parametrize(
    ("level", "dtype"), [(level, dtype) for level in LEVELS for dtype in ("float32", "float64")])


def guarded(array):
    """A copy that lies between guard bytes, at an address that is a multiple of nothing but its element size."""
    array = np.asarray(array)
    raw = np.full(array.nbytes + 2 * PAD + 64, GUARD, np.uint8)
    start = PAD + -(raw.ctypes.data + PAD) % 64 + array.itemsize % 64
    copy = raw[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy, raw, start


def run(name, operands, sizes=(), scalars=(), threads=(1,), expect=0, alias=None, scratch=(),
        **settings):
    """Run a kernel on copies of the operands and return the copies, after checking that it wrote nothing else.

    More ``threads`` than one run the kernel again for each number, on tiny blocks, and must give the same bits.
    ``alias`` {i: j}: operand i is operand j itself. ``scratch``: operands whose contents afterwards say nothing.
    """
    results = []
    for n in threads:
        copies = [None if operand is None else guarded(operand) for operand in operands]
        for i, j in (alias or {}).items():
            copies[i] = copies[j]
        limits = None if n == 1 else {"matmul": 0, "light": 0, "heavy": 0, "block": 8, "stream": 0}
        arrays = [None if copy is None else copy[0] for copy in copies]
        status = testing.run_kernel(name, arrays, sizes, scalars, threads=n, limits=limits, **settings)[0]
        assert status == expect
        for copy in copies:
            if copy is not None:
                array, raw, start = copy
                assert (raw[:start] == GUARD).all() and (raw[start + array.nbytes:] == GUARD).all(), "wrote outside"
        results.append(arrays)
    for other in results[1:]:
        for i, (a, b) in enumerate(zip(results[0], other)):
            assert a is None or i in scratch or a.tobytes() == b.tobytes(), "other bits with threads"
    return results[0]


def threads_for(size):
    """One, two and three threads for the larger sizes; thousands of small runs need no threads."""
    return (1, 2, 3) if size in (33, 65) else (1,)


def assert_close(actual, expected, units=4.0, scale=0.0):
    """actual is expected but for ``units`` roundings of its dtype, of the expected value and of ``scale``."""
    actual, expected = np.asarray(actual), np.asarray(expected, np.float64)
    tolerance = units * np.finfo(actual.dtype).eps
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=tolerance, atol=tolerance * scale)


def ulps(actual, expected):
    """Errors in units in the last place of actual's dtype; ``expected`` is more precise."""
    expected = np.asarray(expected)
    info = np.finfo(actual.dtype)
    unit = np.spacing(np.maximum(np.abs(expected).astype(actual.dtype), info.tiny))
    return np.abs(actual.astype(expected.dtype) - expected) / unit.astype(expected.dtype)


def slope(f, x, step=1e-6):
    """The derivative of the number f(x) in every element of x, by central differences."""
    x = np.array(x, np.float64)
    result = np.empty_like(x)
    for i in np.ndindex(x.shape):
        before = x[i]
        x[i] = before + step
        above = f(x)
        x[i] = before - step
        result[i] = (above - f(x)) / (2 * step)
        x[i] = before
    return result


def assert_slope(gradient, f, x):
    """``gradient`` is that of f at x."""
    np.testing.assert_allclose(gradient, slope(f, x), rtol=1e-6, atol=1e-8)
