"""Rows in and out of the caller's arrays: order, dtypes, distances, addresses, and the checks of what comes in."""
import numpy as np
import pytest
from kernel_checks import SIZES, everywhere, run, threads_for

from fastnn import testing

OK, BAD_LABEL, NOT_FINITE = 0, 1, 2
DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int64", "bool")
FLOATS = DTYPES[:3]


def source(dtype, rows, features):
    """Rows of values that show conversion errors."""
    rng = np.random.default_rng([rows, features])
    if dtype.startswith("float"):
        return (rng.normal(0, 1, (rows, features)) * 10.0 ** rng.integers(-4, 4, (rows, features))).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, (rows, features)).astype(bool)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, (rows, features), dtype, endpoint=True)


def awkward(array):
    """The same rows some distance apart, at addresses that are multiples of nothing."""
    rows, features = array.shape
    size = features * array.itemsize
    raw = np.zeros((rows, size + 5), np.uint8)
    view = np.lib.stride_tricks.as_strided(raw[:, 3:].view(), (rows, size), (size + 5, 1))
    view[...] = np.ascontiguousarray(array).view(np.uint8).reshape(rows, size)
    return np.ndarray(array.shape, array.dtype, raw, 3, (size + 5, array.itemsize))


def gather(array, rows, dtype, index=0, arrays=None, **settings):
    out = np.empty((rows, array.shape[1]), dtype)
    return run("gather", [out], [rows, array.shape[1], index], dtype=dtype, arrays=arrays or [array], **settings)[0]


@pytest.mark.parametrize("given", DTYPES)
@everywhere
def test_gather_converts_every_dtype(given, level, dtype):
    for features in SIZES[1:]:
        array = source(given, 40, features)
        order = np.random.default_rng(features).permutation(40)
        with np.errstate(over="ignore"):
            exact = array.astype(dtype)
        settings = {"level": level, "threads": threads_for(features)}
        assert np.array_equal(gather(array, 7, dtype, start=5, **settings), exact[5:12])
        assert np.array_equal(gather(array, 33, dtype, order=order, start=6, **settings), exact[order[6:39]])
        far = awkward(array)
        assert np.array_equal(gather(far, 33, dtype, order=order, **settings), exact[order[:33]])
        assert np.array_equal(gather(far[::-1], 33, dtype, **settings), exact[::-1][:33])
    assert gather(array, 0, dtype, level=level).size == 0
    assert np.array_equal(gather(array, 3, dtype, 1, [array[:1], array], level=level), exact[:3])


@everywhere
def test_gather_of_every_float16(level, dtype):
    array = np.arange(2**16, dtype=np.uint16).view(np.float16).reshape(-1, 16)
    out, exact = gather(array, 2**12, dtype, level=level), array.astype(dtype)
    assert np.array_equal(out, exact, equal_nan=True)
    assert np.array_equal(np.signbit(out), np.signbit(exact))


@everywhere
def test_scatter(level, dtype):
    for features in (*SIZES, 100):
        x = source(dtype, 33, features)
        for copy in (np.zeros((40, features), dtype), awkward(np.zeros((40, features), dtype))):
            run("scatter", [x], [33, features, 0], dtype=dtype, arrays=[copy], start=5, level=level,
                threads=threads_for(features))
            assert np.array_equal(copy[5:38], x)
            assert not copy[:5].any() and not copy[38:].any()


@pytest.mark.parametrize("given", DTYPES)
@everywhere
def test_gather_integer(given, level, dtype):
    array = (np.arange(80).reshape(40, 2) * 7 % (2 if given == "bool" else 11)).astype(given)
    order = np.random.default_rng(0).permutation(40)
    for labels in (array, awkward(array)):
        settings = {"sizes": [33, 2, 0, 11], "arrays": [labels], "dtype": dtype, "level": level}
        out = run("gather_integer", [np.empty((33, 2), np.int32)], order=order, start=4, **settings)[0]
        assert np.array_equal(out, array[order[4:37]].astype(np.int32))


def fault(name, array, rows, extra=(), operands=(), **settings):
    """Status, row and value of a check."""
    sizes = [rows, array.shape[1], 0, *extra]
    return testing.run_kernel(name, list(operands), sizes, arrays=[array], **settings)


@pytest.mark.parametrize("given", ["int64", "int32", "float32", "float64", "float16", "uint8"])
@everywhere
def test_labels_outside_the_classes_are_named(given, level, dtype):
    settings = {"dtype": dtype, "level": level}
    order = np.array([5, 3, 1, 0])
    for bad in (3, -1, 2**31, 2**40, 0.5, np.nan, np.inf, 1e30):
        try:
            with np.errstate(all="raise"):
                array = np.zeros((6, 1), given)
                array[3] = bad
        except (OverflowError, ValueError, FloatingPointError):
            continue
        if not np.array_equal(array[3, 0], bad, equal_nan=True):
            continue
        for name, operands in (("check_labels", []), ("gather_integer", [np.zeros((6, 1), np.int32)])):
            status, row, value = fault(name, array, 6, [3], operands, **settings)
            assert (status, row) == (BAD_LABEL, 3) and np.array_equal(value, bad, equal_nan=True)
            assert fault(name, array, 4, [3], operands, order=order, **settings)[:2] == (BAD_LABEL, 3)
            assert fault(name, array, 3, [3], operands, **settings)[0] == OK
            assert fault(name, array, 2, [3], operands, order=order, start=2, **settings)[0] == OK


@pytest.mark.parametrize(("given", "ignored"), [("int64", -1), ("float32", -1), ("uint8", 255), ("int64", 7)])
@everywhere
def test_one_label_may_be_ignored(given, ignored, level, dtype):
    array, settings = np.array([[0], [ignored], [2]]).astype(given), {"dtype": dtype, "level": level, "flags": 1}
    out = run("gather_integer", [np.empty((3, 1), np.int32)], [3, 1, 0, 3], [ignored], arrays=[array], **settings)[0]
    assert np.array_equal(out, array)
    for name, operands in (("check_labels", []), ("gather_integer", [np.zeros((3, 1), np.int32)])):
        assert fault(name, array, 3, [3], operands, scalars=[ignored], **settings)[0] == OK
        assert fault(name, array, 3, [2], operands, scalars=[ignored], **settings)[:2] == (BAD_LABEL, 2)
        assert fault(name, array, 3, [3], operands, scalars=[ignored + 1], **settings)[:2] == (BAD_LABEL, 1)


@everywhere
def test_without_classes_whole_numbers_pass_unchecked(level, dtype):
    array = np.array([[-5], [2**31 - 1], [0]])
    out = run("gather_integer", [np.empty((3, 1), np.int32)], [3, 1, 0, 0], arrays=[array], dtype=dtype, level=level)[0]
    assert np.array_equal(out, array)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@everywhere
def test_what_is_not_finite_is_named(bad, level, dtype):
    order = np.arange(40)[::-1].copy()
    for features in (1, 3, 16, 17, 300):
        for given in FLOATS:
            array = np.ones((40, features), given)
            array[29, features - 1] = bad
            for data in (array, awkward(array)):
                for threads, limits in ((1, None), (2, {"light": 0, "block": 8}), (3, {"light": 0, "block": 100})):
                    settings = {"dtype": dtype, "level": level, "threads": threads, "limits": limits}
                    status, row, value = fault("check_array", data, 40, **settings)
                    assert (status, row) == (NOT_FINITE, 29) and np.array_equal(value, bad, equal_nan=True)
                    assert fault("check_array", data, 29, **settings)[0] == OK
                    assert fault("check_array", data, 20, order=order, start=5, **settings)[:2] == (NOT_FINITE, 29)
                    assert fault("check_array", data, 20, order=order, start=11, **settings)[0] == OK
        x = array.astype(dtype)
        settings = {"dtype": dtype, "level": level}
        assert testing.run_kernel("check_finite", [x[:29]], [29, features], **settings)[0] == OK
        status, row, value = testing.run_kernel("check_finite", [x[8:]], [32, features], start=8, **settings)
        assert (status, row) == (NOT_FINITE, 29) and np.array_equal(value, bad, equal_nan=True)
        status, row, _ = testing.run_kernel("check_finite", [x], [40, features], order=order, **settings)
        assert (status, row) == (NOT_FINITE, order[29])


@everywhere
def test_checks_look_at_numbers_as_the_model_will_see_them(level, dtype):
    settings = {"dtype": dtype, "level": level}
    array = np.full((5, 20), 1e300)
    too_large = (NOT_FINITE, 0, 1e300) if dtype == "float32" else (OK, 0, 0.0)
    assert fault("check_array", array, 5, **settings) == too_large
    assert fault("check_array", np.full((5, 20), 2**63 - 1), 5, **settings)[0] == OK
    assert fault("check_array", np.empty((0, 3)), 0, **settings)[0] == OK
    large = np.full((300, 7), np.finfo(dtype).max, dtype)
    assert fault("check_array", large, 300, **settings)[0] == OK
    assert testing.run_kernel("check_finite", [large], [300, 7], **settings)[0] == OK
