"""Copies along and exchange of axes against NumPy."""
import numpy as np
import pytest
from kernel_checks import everywhere, run

SHAPES = [(0, 2, 3), (2, 0, 3), (3, 2, 0), (1, 1, 1), (1, 5, 1), (3, 4, 1), (1, 4, 3), (5, 7, 9), (17, 3, 33),
          (1, 31, 33), (2, 64, 32), (1, 32, 96), (1, 1, 200), (1, 200, 1), (1, 130, 70), (3, 65, 16), (1, 10, 257)]


@pytest.mark.parametrize("shape", SHAPES)
@everywhere
def test_axes(shape, level, dtype):
    outer, middle, inner = shape
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    settings = {"sizes": shape, "dtype": dtype, "level": level, "threads": (1, 2, 3)}
    y = run("swap_axes", [x, np.empty((outer, inner, middle), dtype)], **settings)[1]
    assert np.array_equal(y, x.swapaxes(1, 2))
    a = rng.standard_normal((outer, inner)).astype(dtype)
    y = run("repeat", [a, np.empty_like(x)], **settings)[1]
    assert np.array_equal(y, np.broadcast_to(a[:, None], shape))
