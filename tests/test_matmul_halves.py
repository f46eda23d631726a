"""Products whose threads take rows: gradients of weights in two halves of K, and plain products of any size."""
import numpy as np
import pytest
from test_matmul import ACCUMULATE, TRANSPOSE_A, TRANSPOSE_B, Case, activations, parametrize_dtype, parametrize_level

BY_ROWS = 16
# (rows, K, columns): K of nothing, of one row, of two chains at most and beyond; a part of a slice to several slices
SHAPES = [(5, 0, 3), (1, 1, 1), (3, 2, 70), (66, 961, 256), (1, 50, 192), (65, 31, 129), (7, 700, 64), (70, 9, 5),
          (3, 8192, 17), (3, 8193, 17), (2, 4097, 65)]


@parametrize_level
@parametrize_dtype
@pytest.mark.parametrize("shape", SHAPES)
def test_halves(level, dtype, shape):
    """Bits are the same for any number of threads; nothing beside C is written."""
    for gap in (0, 3):
        case = Case(*shape, TRANSPOSE_A | BY_ROWS, dtype, gaps=(gap, gap, gap))
        c = case.check(level)
        for threads in (2, 3, 5):
            assert np.array_equal(c, case.run(level, threads=threads))


@parametrize_level
@pytest.mark.parametrize("flags", [0, TRANSPOSE_B, TRANSPOSE_A | TRANSPOSE_B, TRANSPOSE_A | ACCUMULATE,
                                   TRANSPOSE_A | activations(2)])
def test_other_products(level, flags):
    """What is no such gradient has the bits that it has without the flag."""
    for shape in ((960, 1, 192), (200, 256, 1), (130, 64, 20), (9, 40, 3)):
        options = {"gaps": (1, 0, 2), "start": True}
        expected = Case(*shape, flags | BY_ROWS, "float32", **options).check(level)
        case = Case(*shape, flags | BY_ROWS, "float32", **options)
        case.flags = flags
        assert np.array_equal(expected, case.run(level))
        case.flags |= BY_ROWS
        assert np.array_equal(expected, case.run(level, threads=2))
