"""What one random call draws, and how its results are compared: for fuzz_kernels.py and the families of its calls."""
import math
import random

import numpy as np
import test_activation

from fastnn import testing

SENTINEL = 0xA5
planted = None            # what --plant says
share = 0.01              # of the results that --plant wrong spoils
DTYPES = ("float32", "float64")
NUMBERS = test_activation.sample(5, 1 << 16)
POOLS = {dtype: NUMBERS.astype(dtype) for dtype in DTYPES}


def plant(fault):
    """Make such faults from now on; wrong results in what kernels write, and before eager functions' are compared."""
    global planted
    planted = fault
    if fault == "wrong":
        testing.run_kernel = spoiling(testing.run_kernel)


def spoiling(run_kernel):
    """``run_kernel``, that now and then leaves another number in the last of what it wrote."""
    def run(name, operands, *arguments, **settings):
        done = run_kernel(name, operands, *arguments, **settings)
        last = [operand for operand in operands if operand is not None][-1]
        last[...] = spoiled(last)
        return done
    return run


def spoiled(array):
    """The array, now and then with another last number."""
    if planted != "wrong" or not array.size or random.random() >= share:
        return array
    array = np.array(array)
    array.flat[-1] += 1 + abs(array.flat[-1])
    return array


class Draw:
    """One call: what it draws, and the arrays it makes of that."""
    def __init__(self, seed, call):
        self.rng = random.Random(seed * 1_000_003 + call)
        self.dtype = self.rng.choice(DTYPES)
        self.threads = self.rng.choice((1,) * 14 + (2, 3))
        self.level = self.rng.choice(testing.levels())
        self.said = []

    def size(self, most=70):
        """A size; half of them lie near the lanes of a vector."""
        if self.rng.random() < 0.5:
            return min(most, max(0, self.rng.choice((0, 1, 2, 4, 8, 16, 32, 64)) + self.rng.randint(-1, 1)))
        return self.rng.randint(0, most)

    def values(self, *shape, dtype=None):
        """Numbers to read, at any address: a part of a pool."""
        n = math.prod(shape)
        start = self.rng.randrange(len(NUMBERS) - n)
        return POOLS[dtype or self.dtype][start:start + n].reshape(shape)

    def place(self, array, gap=0):
        """A copy to write to, among sentinels, ``gap`` elements between its rows; ``untouched`` looks at those."""
        array = np.asarray(array)
        rows, columns = array.shape if array.ndim == 2 else (1, array.size)
        width = (columns + gap) * array.itemsize
        before = 64 + array.itemsize * self.rng.randrange(16)
        raw = np.full(before + rows * width + 64, SENTINEL, np.uint8)
        copy = np.ndarray(array.shape, array.dtype, raw, before,
                          (width, array.itemsize) if array.ndim == 2 else None)
        copy[...] = array
        self.said.append((raw, before, rows, columns * array.itemsize, width))
        return copy

    def untouched(self):
        """Nothing but the arrays themselves was written."""
        for raw, before, rows, used, width in self.said:
            assert (raw[:before] == SENTINEL).all() and (raw[before + rows * width:] == SENTINEL).all(), "wrote outside"
            if used != width:
                between = raw[before:before + rows * width].reshape(rows, width)[:, used:]
                assert (between == SENTINEL).all(), "wrote between rows"

    def run(self, name, operands, sizes=(), scalars=(), **settings):
        limits = None if self.threads == 1 else {"matmul": 0, "light": 0, "heavy": 0, "block": 16}
        status, *_ = testing.run_kernel(name, operands, sizes, scalars, dtype=self.dtype, level=self.level,
                                        threads=self.threads, limits=limits, **settings)
        assert status == 0, f"status {status}"
        self.untouched()
        return operands[-1]


def close(actual, expected, units, size):
    """Equal but for ``units`` roundings of ``size``, an array or number; the same where not finite."""
    if not actual.size:
        return
    actual = spoiled(actual)
    expected = np.broadcast_to(np.asarray(expected, np.float64), actual.shape)
    bound = np.broadcast_to(units * np.finfo(actual.dtype).eps * size, actual.shape)
    ends = ~np.isfinite(expected.astype(actual.dtype))       # infinite, or no number
    assert np.array_equal(actual[ends], expected[ends].astype(actual.dtype), equal_nan=True), "not the same"
    error = np.abs(actual[~ends] - expected[~ends])
    worst = np.max(error / bound[~ends], initial=0)
    assert worst <= 1, f"error {worst:.3g} times the bound"


def same(actual, expected):
    assert np.array_equal(spoiled(np.asarray(actual)), expected, equal_nan=True), "not the same"
