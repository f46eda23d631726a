"""The eager reductions against NumPy in float64: axes, levels, arrays as they lie."""
import itertools
import tracemalloc

import numpy as np
import pytest
from kernel_checks import SIZES
from ops_checks import DTYPES, ELEMENTWISE, PLACES, REDUCTIONS, ROWWISE, SHAPES, close, numbers, same, views

from fastnn import ops

# reductions


def axes_of(rank):
    """None, each axis from both ends, and tuples: side by side and apart."""
    tuples = [c for n in range(rank + 1) for c in itertools.combinations(range(rank), n)]
    return [None, *range(-rank, rank), *tuples]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(eager_level, name, dtype):
    function, oracle = getattr(ops, name), REDUCTIONS[name]
    for shape in [s for s in SHAPES if 0 not in s] + [(n, 3) for n in SIZES[1:]] + [(3, n) for n in SIZES[1:]]:
        x = numbers(shape, dtype, positive=True)
        for axis, keepdims in itertools.product(axes_of(len(shape)), (False, True)):
            y = function(x, axis=axis, keepdims=keepdims)
            expected = oracle(x.astype(np.float64), axis=axis, keepdims=keepdims)
            assert type(y) is (np.dtype(dtype).type if np.ndim(expected) == 0 else np.ndarray) and y.dtype == dtype
            close(y, expected, 8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PLACES)
def test_places(eager_level, name, dtype):
    function, oracle = getattr(ops, name), PLACES[name]
    for shape in [s for s in SHAPES if 0 not in s] + [(n, 3) for n in SIZES[1:]] + [(3, n) for n in SIZES[1:]]:
        x = np.rint(2 * numbers(shape, dtype))                # many are equal: the first counts
        for axis, keepdims in itertools.product([None, *range(-len(shape), len(shape))], (False, True)):
            y, expected = function(x, axis, keepdims), oracle(x, axis, keepdims=keepdims)
            assert np.array_equal(y, expected) and np.shape(y) == np.shape(expected) and y.dtype == np.int64
    assert function(np.array([1, np.nan, 3, np.nan], dtype)) == 1


def test_reductions_of_nothing():
    for shape, axis in (((0,), None), ((0, 3), 0), ((3, 0), 1), ((2, 0, 3), 1), ((2, 0, 3), (0, 1)), ((0, 3), None)):
        for dtype in DTYPES:
            x = np.zeros(shape, dtype)
            for name, value in (("sum", 0), ("norm", 0), ("mean", np.nan), ("var", np.nan), ("std", np.nan),
                                ("logsumexp", -np.inf)):
                y = getattr(ops, name)(x, axis=axis)
                expected = np.full(x.sum(axis).shape, value)
                assert y.dtype == dtype and y.shape == expected.shape and np.array_equal(y, expected, equal_nan=True)
            for name in ("max", "min"):
                with pytest.raises(ValueError, match=rf"{name}: `x` must have an element"):
                    getattr(ops, name)(x, axis=axis)
    for name in ("sum", "max", "mean", "argmax", "logsumexp", "norm"):          # no results
        assert getattr(ops, name)(np.zeros((0, 3)), axis=1).shape == (0,)
        assert getattr(ops, name)(np.zeros((0, 0)), axis=1).shape == (0,)
        assert getattr(ops, name)(np.zeros((0, 3, 2)), axis=1, keepdims=True).shape == (0, 1, 2)
        assert getattr(ops, name)(np.zeros((200, 17, 0)), axis=1).shape == (200, 0)     # once written out of bounds
    with pytest.raises(ValueError, match="argmin: `x` must have an element"):
        ops.argmin([])


def test_reductions_of_any_strides_give_the_same_bits():
    x = numbers((6, 7, 5), "float32")
    for name in (*REDUCTIONS, *PLACES):
        for axis in (None, 0, 1, 2):
            expected = np.asarray(getattr(ops, name)(x, axis=axis))
            for form, view in views(x).items():
                result = np.asarray(getattr(ops, name)(view, axis=axis))
                if form == "Fortran" and name not in ("max", "min", *PLACES):   # summed in the order in which it lies
                    close(result, expected, 4)
                else:
                    same(result, expected)


@pytest.mark.parametrize("shape", [(6, 7), (40, 33), (3, 4, 5), (2, 3, 4, 5)])
def test_transposed_arrays(eager_level, shape):
    x = numbers(shape, "float32")
    turned = np.asfortranarray(x)
    for name, keepdims in itertools.product((*REDUCTIONS, *PLACES), (False, True)):
        for axis in [a for a in axes_of(len(shape)) if name in REDUCTIONS or not isinstance(a, tuple)]:
            expected = getattr(ops, name)(x, axis=axis, keepdims=keepdims)
            result = getattr(ops, name)(turned, axis=axis, keepdims=keepdims)
            assert type(result) is type(expected) and result.dtype == expected.dtype
            if name in PLACES:
                assert np.array_equal(result, expected)
            else:
                close(result, expected)
    for name in ELEMENTWISE:
        y = getattr(ops, name)(abs(turned))
        assert y.strides == turned.strides                       # as NumPy's functions
        same(y, getattr(ops, name)(abs(x)))
    for name in ROWWISE:
        for axis in range(len(shape)):
            same(getattr(ops, name)(turned, axis), getattr(ops, name)(x, axis))
    for axis in (len(shape), -1 - len(shape), "x"):
        with pytest.raises((ValueError, TypeError)) as one:
            ops.sum(x, axis)
        with pytest.raises(type(one.value)) as other:
            ops.sum(turned, axis)
        assert str(one.value) == str(other.value)


@pytest.mark.parametrize("name", [*REDUCTIONS, "argmax"])
def test_transposed_arrays_are_not_copied(name):
    if name in ("logsumexp", "argmax"):
        axis = 0                                  # rows as they lie; their kernels have others made
    else:
        axis = None
    x = np.asfortranarray(numbers((200, 300), "float64"))
    getattr(ops, name)(x, axis=axis)
    tracemalloc.start()
    try:
        getattr(ops, name)(x, axis=axis)
        assert tracemalloc.get_traced_memory()[1] < x.nbytes // 4
    finally:
        tracemalloc.stop()


def test_orders_of_norm():
    x = numbers((3, 4), "float64")
    for axis in (0, 1, (1,)):
        assert np.array_equal(ops.norm(x, 2, axis), ops.norm(x, axis=axis))
    assert ops.norm(x[0], 2) == ops.norm(x[0])
    for order, axis in ((2, None), (2, (0, 1)), (1, 0), ("fro", None), (np.inf, 0), (True, 0)):
        with pytest.raises(ValueError, match="norm: `ord` must be None, or 2 for vectors"):
            ops.norm(x, order, axis)
