"""Parts of rows, steps in reverse and the choice by a mask against NumPy."""
import numpy as np
import pytest
from kernel_checks import LEVELS, SIZES, run, threads_for

DTYPES = ("float32", "float64", "uint8")


def numbers(*shape, dtype):
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("level", LEVELS)
def test_parts(level, dtype):
    item = np.dtype(dtype).itemsize
    for rows in (0, 1, 5, 33):
        for width in SIZES:
            row, offset = width + 5, 3
            x, y = numbers(rows, row, dtype=dtype), numbers(rows, width, dtype=dtype)
            settings = {"sizes": [rows, width * item, row * item, offset * item], "level": level,
                        "threads": threads_for(width)}
            taken = run("take_part", [x, np.empty_like(y)], **settings)[1]
            assert np.array_equal(taken, x[:, offset:offset + width])
            expected = x.copy()
            expected[:, offset:offset + width] = y
            assert np.array_equal(run("put_part", [y, x], **settings)[1], expected)
            expected[:, offset:offset + width] = 0
            assert np.array_equal(run("put_part", [None, x], **settings)[1], expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("level", LEVELS)
def test_reverse(level, dtype):
    for rows, steps in ((0, 3), (1, 1), (5, 0), (5, 4), (3, 17)):
        for width in SIZES:
            x = numbers(rows, steps, width, dtype=dtype)
            sizes = [rows, steps, width * x.itemsize]
            y = run("reverse_steps", [x, np.empty_like(x)], sizes, level=level, threads=threads_for(width))[1]
            assert np.array_equal(y, x[:, ::-1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("level", LEVELS)
def test_select(level, dtype):
    rng = np.random.default_rng(1)
    for rows, steps, step in ((0, 1, 0), (1, 1, 0), (7, 1, 0), (7, 5, 3), (33, 4, 0)):
        for width in SIZES:
            mask = rng.integers(0, 2, (rows, steps)).astype(np.uint8)
            a, b = numbers(rows, width, dtype=dtype), numbers(rows, width, dtype=dtype) + 1
            chosen = mask[:, step, None] != 0
            for first, second in ((a, b), (a, None), (None, b)):
                expected = np.where(chosen, a if first is not None else 0, b if second is not None else 0)
                y = run("select_rows", [mask, first, second, np.empty_like(a)], [rows, width * a.itemsize, steps, step],
                        level=level, threads=threads_for(width))[3]
                assert np.array_equal(y, expected)
