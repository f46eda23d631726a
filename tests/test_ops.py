"""The eager functions against NumPy in float64: dtypes, shapes, strides, ``out``, levels, threads."""
import doctest
import inspect
import itertools
import math
import sys
import threading

import numpy as np
import pytest
from kernel_checks import SIZES
from ops_checks import (
    COPIED,
    DTYPES,
    ELEMENTWISE,
    PLACES,
    READ_AS_THEY_LIE,
    REDUCTIONS,
    ROWWISE,
    SHAPES,
    close,
    factor,
    numbers,
    same,
    views,
)

import fastnn
from fastnn import _arrays, _kernels, _operands, ops
from fastnn.testing import changed_limits

# element by element


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(eager_level, name, dtype):
    function, oracle = getattr(ops, name), ELEMENTWISE[name]
    for shape in SHAPES + [(n,) for n in SIZES]:
        x = numbers(shape, dtype, positive=name == "log")
        y = function(x)
        assert type(y) is np.ndarray and y.dtype == dtype and not np.shares_memory(x, y)
        if x.size:
            close(y, oracle(x.astype(np.float64)))
        out = np.full_like(x, np.nan)
        assert function(x, out=out) is out
        same(out, y)
        assert function(x, out=x) is x                   # in place
        same(x, y)


def test_gelu_in_its_two_forms():
    x = np.linspace(-5, 5, 101)
    close(ops.gelu(x, approximate=False), x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))))
    assert (ops.gelu(x) == ops.gelu(x, True)).all() and (ops.gelu(x) != ops.gelu(x, False)).any()


@pytest.mark.parametrize("name", ["relu", "exp"])
def test_any_strides_give_the_same_bits(name):
    for dtype, shape in itertools.product(DTYPES, [(5,), (67,), (6, 7), (2, 3, 5)]):
        x = numbers(shape, dtype)
        expected = getattr(ops, name)(x)
        for view in views(x).values():
            same(getattr(ops, name)(view), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "oracle"), [("add", np.add), ("multiply", np.multiply)])
def test_two_arrays(eager_level, name, oracle, dtype):
    function = getattr(ops, name)
    for shape in SHAPES + [(n,) for n in SIZES]:
        x, y = numbers(shape, dtype), numbers(shape, dtype, 1)
        expected = np.asarray(oracle(x, y))
        same(function(x, y), expected)
        out = np.full_like(x, np.nan)
        assert function(x, y, out=out) is out
        same(out, expected)
        for target in (0, 1):                            # in place of either
            pair = [x.copy(), y.copy()]
            assert function(*pair, out=pair[target]) is pair[target]
            same(pair[target], expected)


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((2, 1, 3), (5, 1)), ((0, 3), (3,))])
def test_shapes_broadcast(shapes):
    x, y = numbers(shapes[0], "float32"), numbers(shapes[1], "float32", 1)
    same(ops.add(x, y), np.asarray(x + y))
    same(ops.multiply(y, x), np.asarray(x * y))
    same(ops.add(x, y, out=np.empty((x + y).shape, "float32")), np.asarray(x + y))


def test_strides_and_warnings_of_a_pair():
    x, y = numbers((6, 7), "float32"), numbers((6, 7), "float32", 1)
    for one, two in itertools.product(views(x).values(), views(y).values()):
        same(ops.add(one, two), x + y)
    assert np.isposinf(ops.multiply([[1e300], [1e300]], [1e300])).all()           # no warning, as from the kernel
    x, before = np.arange(12.0), np.arange(12.0)
    assert ops.add(x[1:], x[:-1], out=x[1:]).base is x and (x[1:] == before[1:] + before[:-1]).all()
    assert ops.add(x, 1.0, out=x) is x and x[0] == 1


@pytest.mark.parametrize(("one", "two", "dtype"), [
    (np.float32([1, 2]), 3.5, "float32"), (np.float32([1, 2]), 3, "float32"), (np.float32([1, 2]), True, "float32"),
    (np.float32([1, 2]), np.float64([1, 2]), "float64"), (np.float32([1, 2]), np.float64(2), "float64"),
    (np.float16([1, 2]), 2, "float32"), ([1, 2], [3, 4], "float64"), (np.int64([1, 2]), np.float32(2), "float64"),
    (np.uint8([1, 2]), np.float32(2), "float32"), (1.5, 2, "float64"),
    (np.array([True]), np.array([False]), "float32")])
def test_two_dtypes(one, two, dtype):
    for x, y in ((one, two), (two, one)):
        z = ops.add(x, y)
        assert z.dtype == dtype and (z == np.add(x, y, dtype=dtype)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_axpy(eager_level, dtype):
    for shape in SHAPES + [(n,) for n in SIZES]:
        x, y = numbers(shape, dtype), numbers(shape, dtype, 1)
        expected = y.astype(np.float64) + 0.3 * x
        assert ops.axpy(0.3, x, y) is y
        close(y, expected, 4)


def test_axpy_converts_what_is_added():
    y = np.zeros((3, 2), "float32")
    for x in (np.ones((3, 2)), np.ones((2, 3), "float32").T, [[1, 1], [1, 1], [1, 1]], np.ones((3, 2), "int64")):
        assert ops.axpy(np.float32(2), x, y) is y
    ops.axpy(1, y, y)
    assert y.dtype == np.float32 and (y == 16).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_and_rows_take_no_slow_path_and_give_the_bits_of_numpy(eager_level, monkeypatch, dtype):
    monkeypatch.setattr(_operands, "combined", None)
    for shape in ((), (0,), (1,), (5,), (1000,), (3, 4), (1000, 10), (0, 3), (3, 0), (2, 3, 5), (7, 300), (64, 1)):
        x = numbers(shape, dtype)
        others = [numbers(shape[k:], dtype, 1) for k in range(len(shape) + 1)]
        others += [2.0, -0.0, math.inf, math.nan, 3, -2**40 + 1, np.float32(0.1), np.dtype(dtype).type(0.1)]
        for other, (ours, numpys) in itertools.product(others, ((ops.add, np.add), (ops.multiply, np.multiply))):
            with np.errstate(all="ignore"):
                expected = np.asarray(numpys(x, other))
            for y in (ours(x, other), ours(other, x), ours(x, other, out=np.empty(expected.shape, dtype))):
                assert y.dtype == expected.dtype
                np.testing.assert_array_equal(y, expected)
                assert np.array_equal(np.signbit(y), np.signbit(expected)) or np.isnan(expected).any()


def test_numbers_beside_an_array_become_those_of_numpy():
    x = np.ones(3, "float32")
    for value, expected in ((1e300, math.inf), (2**53 + 1, 2.0**53), (2**62 + 1, 2.0**62), (True, 1.0)):
        y = ops.multiply(x, value)
        assert y.dtype == np.float32 and (y == expected).all()
    assert ops.multiply(x, np.float64(0.1)).dtype == np.float64


def test_a_row_of_the_result_that_is_added_to_all_rows():
    for columns in (4, 600):
        x = numbers((3, columns), "float32")
        expected = x + x[0]
        same(ops.add(x, x[0], out=x), expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16",
                                   "bool", ">i2", "float32", "float64"])
def test_other_numbers_are_promoted_as_numpy_does(dtype):
    x, one = np.ones((2, 2), "float32"), np.ones((2, 2), dtype)
    expected = np.result_type(np.float32, one.dtype)
    for y in (ops.add(x, one), ops.multiply(one, x), ops.matmul(x, one), ops.relu(one), ops.sum(one)):
        assert y.dtype == expected
    assert ops.relu(one.tolist()).dtype == (np.float32 if dtype == "bool" else np.float64)


def test_names_of_keras():
    x = numbers((3, 3), "float64")
    close(ops.matmul(x1=x, x2=x), x @ x)
    assert ops.dot(x1=x[0], x2=x[1]) == ops.dot(x[0], x[1])


@pytest.mark.parametrize("axis", [None, (0, 2), (3, 0), [1, 3], (-1, -3), (0, 1, 3)])
@pytest.mark.parametrize("name", ROWWISE)
def test_rowwise_over_all_and_over_axes_apart(name, axis):
    x = numbers((2, 3, 4, 5), "float32")
    y = getattr(ops, name)(x, axis=axis)
    close(y, ROWWISE[name](x.astype(np.float64), axis if axis is None else tuple(axis)))
    assert y.flags.c_contiguous and getattr(ops, name)(x, axis, out=x) is x
    same(x, y)


def test_overlapping_out():
    """The result is as if the input had been copied first."""
    for shift in (-3, -1, 1, 3):
        whole = numbers(40, "float64")
        x, out = whole[4:36], whole[4 + shift:36 + shift]
        expected = ops.exp(x.copy())
        same(ops.exp(x, out=out), expected)
        whole = numbers(40, "float64")
        x, y = whole[4:36], whole[4 + shift:36 + shift]
        expected = y + 2 * x
        close(ops.axpy(2.0, x, y), expected)
    whole = numbers((12, 12), "float32")
    expected = ops.relu(whole.T.copy())
    same(ops.relu(whole.T, out=whole), expected)
    whole = numbers(24, "float32")
    expected = ops.softmax(whole[:12].reshape(3, 4).copy(), 0)
    same(ops.softmax(whole[:12].reshape(3, 4), 0, out=whole[5:17].reshape(3, 4)), expected)


def test_other_numbers_are_converted():
    tensor = fastnn.activations.relu(np.float32([1, 2]))
    for x in ([[1, 2], [3, 4]], 2.5, True, np.int8(3), np.float16([1, 2]), range(3), tensor):
        y = ops.relu(x)
        assert type(y) is np.ndarray and y.dtype == _arrays.plain(x).dtype and np.array_equal(y, np.asarray(x))


# rows along an axis


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ROWWISE)
def test_rowwise(eager_level, name, dtype):
    function, oracle = getattr(ops, name), ROWWISE[name]
    for shape in [s for s in SHAPES if s] + [(3, n) for n in SIZES]:
        x = numbers(shape, dtype)
        for axis in range(-len(shape), len(shape)):
            y = function(x, axis)
            assert y.dtype == dtype and y.flags.c_contiguous
            close(y, oracle(x.astype(np.float64), axis) if x.size else x)
            out = x.copy()
            assert function(out, axis, out=out) is out
            same(out, y)
    x = numbers((2, 3, 4), dtype)
    close(function(x, (1, 2)), oracle(x.astype(np.float64), (1, 2)))
    close(function(x, [-2, 0]), oracle(x.astype(np.float64), (0, 1)))
    same(function(views(x)["strided"], 0), function(x, 0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_takes_no_slow_path(monkeypatch, dtype):
    for module, names in ((_operands, ("matrices", "combined", "vectors", "added")),
                          (_arrays, ("plain", "check_axis", "real_number"))):
        for name in names:
            monkeypatch.setattr(module, name, None)
    x, y = numbers((7, 7), dtype), numbers((7, 7), dtype, 1)
    for a, b in itertools.product(READ_AS_THEY_LIE + COPIED[:3], repeat=2):
        ops.matmul(factor(a, (5, 7), dtype), factor(b, (7, 6), dtype))
    for a, b in ((x[0], y), (x, y[0]), (x[0], y[0]), (x[::-1, 0], y), (x, np.stack([y, y])), (np.stack([x, x]), y)):
        ops.matmul(a, b)
    for name in ELEMENTWISE:
        getattr(ops, name)(abs(x).T, out=y)
    for name in (*REDUCTIONS, *PLACES):
        getattr(ops, name)(x[::2], axis=-1)
    for _ in ops.add(x, y, out=x), ops.axpy(2.0, x, y), ops.softmax(x, 0), ops.dot(x[0], y[::-1, 0]):
        pass


@pytest.mark.parametrize("out", [
    np.zeros((3, 3)), np.zeros((2, 3), "float32"), np.zeros((2, 3, 1)), np.zeros((3, 2)).T, np.zeros((2, 6))[:, ::2],
    np.zeros((2, 5))[:, :3], np.zeros((2, 3), ">f8"), np.broadcast_to(np.zeros(3), (2, 3)), [[0.0] * 3] * 2,
    np.float64(1), np.zeros((2, 3), int), np.ma.zeros((2, 3)), np.zeros(49, "u1")[1:].view("f8").reshape(2, 3),
    bytearray(48), np.frombuffer(bytes(48)).reshape(2, 3)])
def test_an_out_that_does_not_fit(out):
    for call in (lambda: ops.matmul(np.ones((2, 4)), np.ones((4, 3)), out=out),
                 lambda: ops.relu(np.ones((2, 3)), out=out), lambda: ops.add(np.ones((2, 3)), 1, out),
                 lambda: ops.softmax(np.ones((2, 3)), out=out)):
        before = np.array(out)
        with pytest.raises((ValueError, TypeError), match="`out` must"):
            call()
        assert np.array_equal(before, out)


# all


def test_what_is_no_array_of_numbers_is_refused():
    refused = [None, "a", np.array(["a"]), np.array([1.0, {}], object), np.ma.ones(3), np.ones(3, "complex64"),
               np.zeros(3, [("a", "f4")]), np.array(["2024"], "datetime64[Y]"), [[1, 2], [3]]]
    for x in refused:
        for name in ops.__all__:
            arguments = {"dot": (x, x), "matmul": (x, x), "add": (x, 1.0), "multiply": (1.0, x),
                         "axpy": (1.0, x, np.ones(3)), "conv": (x, x)}.get(name, (x,))
            with pytest.raises((ValueError, TypeError), match=r"`(x|inputs)"):
                getattr(ops, name)(*arguments)


def test_large_arrays_on_threads_have_the_same_bits():
    x = numbers(70_001, "float32")
    a, b = numbers((40, 33, 35), "float32"), numbers((40, 35, 31), "float32")
    turned = b.swapaxes(1, 2).copy().swapaxes(1, 2)
    calls = [lambda: ops.exp(x), lambda: ops.add(x, x), lambda: ops.sum(x), lambda: ops.argmax(x),
             lambda: ops.var(x[:70_000].reshape(100, -1), 0), lambda: ops.dot(x, x), lambda: ops.axpy(2.0, x, x.copy()),
             lambda: ops.softmax(x[:70_000].reshape(100, 7, 100), 1), lambda: ops.matmul(a, b),
             lambda: ops.matmul(a, turned), lambda: ops.matmul(a.reshape(-1, 35), b[0]),
             lambda: ops.matmul(a.reshape(4, 2, 5, 33, 35), b[:8].reshape(4, 2, 1, 35, 31)),
             lambda: ops.matmul(a[:10, None], turned[:7])]
    expected = [np.asarray(call()) for call in calls]
    for threads in (1, 2, 3):
        with changed_limits(matmul=100_000, light=0, heavy=0, block=64), fastnn.threads(threads):
            for call, before in zip(calls, expected):
                same(np.asarray(call()), before)


def test_calls_from_several_python_threads():
    a, b = numbers((100, 120), "float32"), numbers((130, 120), "float32").T
    expected, wrong = ops.matmul(a, b), []

    def work():
        wrong.extend(1 for _ in range(50) if not np.array_equal(ops.matmul(a, b), expected))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_no_reference_is_lost():
    x, y = numbers((8, 8), "float32"), numbers((8, 8), "float32")
    calls = [lambda: ops.matmul(x, y.T), lambda: ops.matmul(x[::-1], y), lambda: ops.exp(x, out=y),
             lambda: ops.add(x, y), lambda: ops.sum(x), lambda: ops.max(x, 0), lambda: ops.softmax(x, 0),
             lambda: ops.dot(x[0], y[:, 0]), lambda: ops.argmax(x, axis=1), lambda: ops.matmul(x[0], y[0]),
             lambda: ops.axpy(1.0, x, y), lambda: ops.logsumexp(x, 0), lambda: ops.matmul(x, y, out=y)]
    things = [x, y, *map(np.dtype, ("float32", "int64"))]
    for call in calls:
        call()
        before = [sys.getrefcount(thing) for thing in things]
        for _ in range(100):
            call()
        assert all(abs(sys.getrefcount(thing) - count) < 50 for thing, count in zip(things, before))


@pytest.mark.parametrize("name", ops.__all__)
def test_documentation(name):
    function = getattr(ops, name)
    examples = doctest.DocTestFinder().find(function, name, globs={**vars(_kernels.ops), "np": np})
    assert sum(len(e.examples) for e in examples) == 1
    assert all(doctest.DocTestRunner().run(e).failed == 0 for e in examples)
    parameters = list(inspect.signature(function).parameters)
    assert parameters[0] in ("x", "x1", "alpha", "inputs") and function.__name__ == name
