"""The slow path of array checks: what is converted, what is kept in place, what is refused (texts: test_errors.py)."""
import numpy as np
import pytest

from fastnn import _arrays, _operands

GATHERED = ("float32", "float64", "float16", "uint8", "int32", "int64", "bool")


def shares(a, b):
    return np.shares_memory(a, b)


# as_rows


@pytest.mark.parametrize("dtype", GATHERED)
@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2), (0, 3), (1, 3), (4, 0), (1,), (0,)])
def test_what_gather_reads_stays_where_it_is(dtype, shape):
    x = np.ones(shape, dtype)
    assert _arrays.as_rows(x, "x") is x


def row_views():
    base = np.arange(48.0).reshape(8, 6)
    return {"every second row": base[::2], "backwards": base[::-1], "some columns": base[:, 1:4],
            "a column": base[:, 2], "a column backwards": base[::-2, 2],
            "one row repeated": np.broadcast_to(base[0], (5, 6)),
            "inner axes": base.reshape(8, 3, 2)[::3], "a part of rows": base.reshape(8, 3, 2)[:, 1:],
            "one row": base[3:4, :4], "a transposed single column": base[:, :1].T.T}


@pytest.mark.parametrize("view", row_views())
def test_any_distance_between_rows_is_kept(view):
    x = row_views()[view]
    assert _arrays.as_rows(x, "x") is x


def copied_views():
    base = np.arange(48.0).reshape(8, 6)
    raw = np.zeros(8 * 6 * 8 + 1, "uint8")
    return {"transposed": base.T, "every second column": base[:, ::2], "columns backwards": base[:, ::-1],
            "Fortran": np.asfortranarray(base), "inner axes swapped": base.reshape(4, 3, 4).transpose(0, 2, 1),
            "misaligned": raw[1:].view("float64").reshape(8, 6),
            "a field of records": np.zeros(5, [("flag", "u1"), ("value", "f4")])["value"]}


@pytest.mark.parametrize("view", copied_views())
def test_other_views_are_copied(view):
    x = copied_views()[view]
    rows = _arrays.as_rows(x, "x")
    assert rows.flags.c_contiguous and rows.flags.aligned and not shares(rows, x)
    assert rows.dtype == x.dtype and np.array_equal(rows, x)


@pytest.mark.parametrize(("dtype", "becomes"), [
    ("int8", "int32"), ("int16", "int32"), ("uint16", "int32"), ("uint32", "int64"), ("uint64", "int64"),
    ("longdouble", "float64"), (">f4", "float32"), (">f8", "float64"), (">i4", "int32"), (">i8", "int64"),
    (">u2", "int32"), (">f2", "float16"), ("longlong", "int64"), ("<f4", "float32")])
def test_other_real_dtypes_are_converted(dtype, becomes):
    x = np.array([[0, 1], [2, 100]], dtype)
    rows = _arrays.as_rows(x, "x")
    assert rows.dtype == np.dtype(becomes) and rows.dtype.isnative and rows.tolist() == [[0, 1], [2, 100]]


def test_uint64_beyond_int64_becomes_float64():
    rows = _arrays.as_rows(np.array([1, 2**63], "uint64"), "x")
    assert rows.dtype == np.float64 and rows.tolist() == [1.0, 2.0**63]
    assert _arrays.as_rows(np.zeros(0, "uint64"), "x").dtype == np.int64


def test_a_longdouble_beyond_float64_becomes_inf_without_a_warning():
    huge = np.array([np.finfo("longdouble").max])
    if huge[0] == np.finfo("float64").max:
        pytest.skip("longdouble is float64 here")
    assert _arrays.as_rows(huge, "x").tolist() == [np.inf]


class Foreign:
    """An object with an array inside, as frames and tensors of other libraries are."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize(("x", "dtype", "values"), [
    ([[1, 2], [3, 4]], "int64", [[1, 2], [3, 4]]), ([[1.5], [2]], "float64", [[1.5], [2.0]]),
    ([True, False], "bool", [True, False]), (((1, 2),), "int64", [[1, 2]]), ([], "float64", []),
    ([np.float32([1, 2]), np.float32([3, 4])], "float32", [[1, 2], [3, 4]]), (range(3), "int64", [0, 1, 2]),
    (Foreign(np.float32([[1], [2]])), "float32", [[1], [2]]), (memoryview(b"abc"), "uint8", [97, 98, 99]),
    (np.ones((2, 1)).view(type("Subclass", (np.ndarray,), {})), "float64", [[1.0], [1.0]])])
def test_lists_frames_and_the_like(x, dtype, values):
    rows = _arrays.as_rows(x, "x")
    assert type(rows) is np.ndarray and rows.dtype == np.dtype(dtype) and rows.tolist() == values


def test_a_read_only_array_is_taken():
    x = np.ones((3, 2))
    x.flags.writeable = False
    assert _arrays.as_rows(x, "x") is x


def test_a_memory_mapped_file_is_read_in_place(tmp_path):
    x = np.memmap(tmp_path / "x", "float32", "w+", shape=(3, 2))
    assert shares(_arrays.as_rows(x, "x"), x)


def test_masked_arrays_are_looked_for_only_once_there_can_be_one(run_python):
    code = """
import sys, numpy as np
from fastnn import _arrays
_arrays.as_rows([1.0], "x")
print("numpy.ma" in sys.modules)
"""
    assert run_python(code).stdout == "False\n"


# as_target


@pytest.mark.parametrize(("got", "shape", "becomes"), [
    ((5,), (), (5,)), ((5, 1), (), (5,)), ((5,), (1,), (5, 1)), ((5, 1), (1,), (5, 1)), ((5, 3), (3,), (5, 3)),
    ((5, 3, 1), (3,), (5, 3)), ((5, 3), (3, 1), (5, 3, 1)), ((0,), (1,), (0, 1)), ((5, 4, 2), (4, 2), (5, 4, 2))])
def test_targets_of_the_right_or_almost_right_shape(got, shape, becomes):
    y = np.arange(np.prod(got), dtype="float32").reshape(got)
    target = _arrays.as_target(y, shape, "y")
    assert target.shape == becomes and target.ravel().tolist() == y.ravel().tolist()
    assert not y.size or shares(target, y)


def test_targets_keep_the_distance_between_rows():
    y = np.arange(20.0)[::-2]
    assert _arrays.as_target(y, (1,), "y").strides[0] == -16


@pytest.mark.parametrize(("got", "shape"), [((5, 3), ()), ((5,), (3,)), ((5, 2), (3,)), ((5, 1, 1), ()),
                                            ((5, 3), (3, 3))])
def test_targets_of_another_shape_are_refused(got, shape):
    with pytest.raises(ValueError, match="`labels` must have shape"):
        _arrays.as_target(np.zeros(got), shape, "labels")


# plain, vectors, matrices


@pytest.mark.parametrize(("x", "dtype"), [
    (np.ones((3, 2), "float32").T, "float32"), (np.ones((3, 2))[:, ::2], "float64"), (np.ones(3, "int64"), "float64"),
    (np.ones(3, "int32"), "float64"), (np.ones(3, "uint8"), "float32"), (np.ones(3, "float16"), "float32"),
    (np.ones(3, bool), "float32"), ([1, 2], "float64"), (2.5, "float64"), (np.float32(1), "float32"),
    (np.ones(3, ">f4"), "float32")])
def test_plain_is_what_eager_kernels_take(x, dtype):
    y = _arrays.plain(x)
    assert type(y) is np.ndarray and y.dtype == np.dtype(dtype) and y.flags.carray
    assert y.shape == np.shape(x) and (y == np.asarray(x)).all()


def test_plain_keeps_what_is_plain():
    x = np.ones((3, 2), "float32")
    assert _arrays.plain(x) is x


@pytest.mark.parametrize(("one", "two", "dtype"), [
    ("float32", "float32", "float32"), ("float32", "float64", "float64"), ("float16", "float16", "float32"),
    ("int64", "float32", "float64"), ("uint8", "float32", "float32"), ("bool", "bool", "float32")])
def test_vectors_get_one_dtype(one, two, dtype):
    for a, b in ((one, two), (two, one)):
        x, y = _operands.vectors(np.ones(4, a), np.ones(8, b)[::2])
        assert x.dtype == y.dtype == np.dtype(dtype) and x.flags.c_contiguous and y.flags.c_contiguous


@pytest.mark.parametrize(("x", "y"), [(np.ones(3), np.ones(4)), (np.ones((3, 1)), np.ones(3)), (1.0, 2.0),
                                      (np.ones((2, 2)), np.ones((2, 2)))])
def test_vectors_of_other_shapes_are_refused(x, y):
    with pytest.raises(ValueError, match="dot: `x1` and `x2` must be vectors of one length"):
        _operands.vectors(x, y)


@pytest.mark.parametrize(("one", "two", "dtype"), [
    ("float32", "float32", "float32"), ("float32", "float64", "float64"), ("float16", "float16", "float32"),
    ("int64", "float32", "float64"), ("uint8", "float32", "float32"), (">f4", "float32", "float32")])
def test_matrices_get_one_dtype_and_keep_their_strides(one, two, dtype):
    for a, b in ((one, two), (two, one)):
        a, b = np.ones((3, 4), a).T, np.ones((6, 10), b)[::2, ::2]
        x, y = _operands.matrices(a, b)
        assert x.dtype == y.dtype == np.dtype(dtype) and x.flags.f_contiguous
        assert shares(x, a) == (a.dtype == dtype) and shares(y, b) == (b.dtype == dtype)


def test_several_axes_are_sorted_and_named_once():
    assert _arrays.check_axes((-1, 0), 3) == [0, 2] and _arrays.check_axes([], 2) == []
    with pytest.raises(ValueError, match="`axis` must not name an axis twice"):
        _arrays.check_axes((0, -2), 2)


def test_features_may_be_of_any_size_where_the_shape_says_none():
    _arrays.check_features(np.zeros((2, 7, 3)), (None, 3), "lstm")
    _arrays.check_features(np.zeros((2, 4)), (4,), "dense")
    _arrays.check_features(np.zeros((2,)), (), "embedding")
    with pytest.raises(ValueError, match=r"shape \(rows, any, 3\) for 'lstm', got shape \(2, 7, 4\)"):
        _arrays.check_features(np.zeros((2, 7, 4)), (None, 3), "lstm")


def test_axes_are_counted_from_0():
    assert [_arrays.check_axis(axis, 3) for axis in (0, 2, -1, -3, np.int64(1))] == [0, 2, 2, 0, 1]


def test_same_length_takes_one_two_or_three():
    _arrays.check_same_length(x=np.zeros(3))
    _arrays.check_same_length(x=np.zeros((3, 2)), y=np.zeros(3), sample_weight=np.zeros(3))
    with pytest.raises(ValueError, match="`x` and `y` and `w` must have the same number of rows, got 3 and 3 and 2"):
        _arrays.check_same_length(x=np.zeros(3), y=np.zeros(3), w=np.zeros(2))
