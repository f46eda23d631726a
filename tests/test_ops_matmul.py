"""The eager products against NumPy in float64: matrices as they lie, vectors, leading axes, ``out``."""
import itertools

import numpy as np
import pytest
from ops_checks import COPIED, DTYPES, PRODUCTS, READ_AS_THEY_LIE, close, factor, numbers, same, views

from fastnn import ops


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a_form", READ_AS_THEY_LIE + COPIED)
def test_matrices_as_they_lie(eager_level, a_form, dtype):
    for b_form, (m, k, n) in itertools.product(READ_AS_THEY_LIE + COPIED, PRODUCTS):
        a, b = factor(a_form, (m, k), dtype), factor(b_form, (k, n), dtype, 1)
        c = ops.matmul(a, b)
        a, b = a.astype(np.float64), b.astype(np.float64)
        assert c.dtype == dtype and c.shape == (m, n) and type(c) is np.ndarray
        assert (np.abs(c - a @ b) <= (k + 2) * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b))).all(), (b_form, m, k, n)


def test_a_form_does_not_change_the_bits():
    """But for a single column, whose order of summation depends on how A is stored."""
    for dtype, (m, k, n) in itertools.product(DTYPES, PRODUCTS):
        expected = ops.matmul(factor("plain", (m, k), dtype), factor("plain", (k, n), dtype, 1))
        for a_form, b_form in itertools.product(READ_AS_THEY_LIE + COPIED, repeat=2):
            agree = same if n > 1 else close
            agree(ops.matmul(factor(a_form, (m, k), dtype), factor(b_form, (k, n), dtype, 1)), expected)


def test_an_out_inside_a_reversed_batch():
    """Where a view goes backwards, its memory begins before its first element."""
    big = numbers((4, 20, 20), "float64")
    a, b = big[1:4][::-1], numbers((20, 20), "float64", 1)
    expected = ops.matmul(a.copy(), b)
    same(ops.matmul(a, b, out=big[0:3]), expected)


@pytest.mark.parametrize(("a", "b"), [
    ((4,), (4,)), ((4,), (4, 3)), ((5, 4), (4,)), ((2, 5, 4), (4, 3)), ((2, 5, 4), (4,)), ((4,), (2, 4, 3)),
    ((5, 4), (2, 4, 3)), ((2, 5, 4), (2, 4, 3)), ((2, 1, 5, 4), (3, 4, 3)), ((3, 5, 4), (2, 1, 4, 3)),
    ((2, 5, 4), (1, 4, 3)), ((1, 1, 5, 4), (4, 3)), ((0, 5, 4), (4, 3)), ((0, 5, 4), (0, 4, 3)), ((2, 0, 4), (4, 3)),
    ((2, 5, 0), (0, 3)), ((2, 5, 0), (2, 0, 3)), ((0,), (0,)), ((0,), (0, 3)), ((3, 0), (0,)), ((1,), (1, 1)),
    ((2, 3, 1, 5, 4), (3, 4, 4, 2)), ((2, 5, 1), (1, 1)), ((2, 5, 4), (4, 1))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_and_leading_axes(eager_level, a, b, dtype):
    x, y = numbers(a, dtype), numbers(b, dtype, 1)
    oracle = np.matmul(x.astype(np.float64), y.astype(np.float64))
    result = ops.matmul(x, y)
    assert type(result) is (np.ndarray if oracle.shape else np.dtype(dtype).type)
    close(result, oracle)
    out = np.full(oracle.shape, np.nan, dtype)
    assert ops.matmul(x, y, out=out) is out
    same(out, np.asarray(result))
    turned = [np.swapaxes(np.swapaxes(z, -1, -min(2, z.ndim)).copy(), -1, -min(2, z.ndim)) for z in (x, y)]
    for one, two in itertools.product([*views(x).values(), turned[0]], [*views(y).values(), turned[1]]):
        agree = same if y.ndim > 1 and y.shape[-1] > 1 else close        # of one column the storage counts
        agree(np.asarray(ops.matmul(one, two)), out)


def test_broadcast_views_and_windows():
    x = numbers(12, "float32")
    windows, row = np.lib.stride_tricks.sliding_window_view(x, 4), np.broadcast_to(x[:4], (5, 4))
    for a in (windows, row, np.broadcast_to(row, (3, 5, 4)), np.broadcast_to(x[:4, None], (4, 4))):
        for b in (numbers((4, 3), "float32"), np.broadcast_to(numbers(4, "float32")[:, None], (4, 3))):
            same(ops.matmul(a, b), ops.matmul(a.copy(), b.copy()))


def test_products_of_other_dtypes():
    a, b = numbers((3, 4), "float32"), numbers((4, 2), "float64")
    for x, y, dtype in ((a, b, "float64"), (a.astype("float16"), a.T, "float32"), ([[1, 2]], [[3], [4]], "float64"),
                        (np.ones((2, 2), bool), np.ones((2, 2), "uint8"), "float32"), (a, b.astype(int), "float64"),
                        (a.astype(">f4"), a.T, "float32"), (a.T, b.T, None), (b.T, a.T, "float64")):
        if dtype is not None:
            c = ops.matmul(x, y)
            assert c.dtype == dtype
            close(c, np.matmul(np.asarray(x, np.float64), np.asarray(y, np.float64)))


def test_overlapping_out_of_a_product():
    """Of more than one tile, which is read before it is written."""
    a, b = numbers((70, 70), "float32"), numbers((70, 70), "float32", 1)
    expected = ops.matmul(a, b)
    for i in (0, 1):
        pair = [a.copy(), b.copy()]
        same(ops.matmul(*pair, out=pair[i]), expected)
    whole = numbers(4 * 4900, "float64")
    a, b, out = (whole[i:i + 4900].reshape(70, 70) for i in (0, 9000, 4500))
    expected = ops.matmul(a.copy(), b.T.copy())
    same(ops.matmul(a, b.T, out=out), expected)


@pytest.mark.parametrize(("a", "b"), [((3, 4), (3, 4)), ((4,), (3, 4)), ((3, 4), (3,)), ((2, 3, 4), (3, 4, 5)),
                                      ((), ()), ((3,), ()), ((), (3, 3)), ((3,), (4,)), ((0, 3, 4), (2, 4, 5))])
def test_shapes_that_have_no_product(a, b):
    with pytest.raises(ValueError, match="matmul: `x1` must have shape"):
        ops.matmul(np.ones(a), np.ones(b))
