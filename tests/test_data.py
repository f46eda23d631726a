"""Data in: every kind of array, table and file that fit, evaluate and predict take."""
import numpy as np
import pandas
import polars
import pytest
from nets import bits, blobs, small_net

import fastnn
from fastnn import _arrays

X, Y = blobs(40)
WHOLE = np.round(X * 3) + 8          # small numbers that every dtype holds


def trained(x, y, **options):
    model = small_net(20, optimizer="sgd")
    model.fit(x, y, batch_size=8, verbose=0, **options)
    return bits(model.get_weights())


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "longdouble", "uint8", "int8", "int16", "uint16",
                                  "int32", "uint32", "int64", "uint64", ">f4", ">i2"])
def test_every_dtype_trains_alike(name):
    assert trained(np.clip(WHOLE, 0, 100).astype(name), Y) == trained(np.clip(WHOLE, 0, 100).astype("float32"), Y)
    assert trained(X, Y.astype(name)) == trained(X, Y)


def test_truth_values():
    assert trained(X > 0, Y) == trained((X > 0).astype("float32"), Y)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "uint8", "int32", "int64", "bool"])
def test_what_gather_reads_is_not_copied(name):
    x = WHOLE.astype(name)
    assert np.shares_memory(_arrays.as_rows(x, "x"), x) and np.shares_memory(_arrays.as_rows(x[::-2], "x"), x)


@pytest.mark.parametrize("form", [
    lambda x: x.tolist(), lambda x: tuple(map(tuple, x.tolist())), lambda x: [*x], np.asfortranarray,
    lambda x: np.repeat(x, 2, 0)[::2], lambda x: x[::-1][::-1],
    pandas.DataFrame, lambda x: pandas.DataFrame(x).astype({0: "float64", 3: "float32"}),
    polars.DataFrame, lambda x: polars.DataFrame(x).with_columns(polars.col("column_2").cast(polars.Float32)),
    lambda x: memoryview(np.ascontiguousarray(x)), lambda x: [x]])
def test_every_form_trains_alike(form):
    assert trained(form(X), Y) == trained(X, Y)


@pytest.mark.parametrize("form", [list, tuple, pandas.Series, polars.Series, lambda y: y[:, None],
                                  lambda y: pandas.DataFrame({"class": y}), lambda y: polars.DataFrame({"class": y}),
                                  lambda y: pandas.Series(y, dtype="Int64"), lambda y: pandas.Series(y, dtype="int8")])
def test_every_form_of_targets(form):
    assert trained(X, form(Y)) == trained(X, Y)
    assert trained(X, form(Y), sample_weight=form(Y)) == trained(X, Y, sample_weight=Y)


def test_a_frame_of_mixed_numbers():
    plain = np.column_stack([X[:, 0] > 0, np.round(X[:, 1]), X[:, 2:]])
    columns = {f"x{i}": plain[:, i] for i in range(20)}
    frame = pandas.DataFrame(columns).astype({"x0": bool, "x1": "Int64", "x2": "Float32"})
    assert trained(frame, Y) == trained(plain, Y)
    frame = polars.DataFrame(columns).cast({"x0": polars.Boolean, "x1": polars.Int8})
    assert trained(frame, Y) == trained(plain, Y)


WRONG_COLUMNS = {
    "words": (["red", "blue"], "the column 'colour' of dtype", "'red' at row 0"),
    "dates": (np.array(["2020-01-01", "2021-01-01"], "M8[D]"), "the column 'colour' of dates or times",),
}


@pytest.mark.parametrize("library", [pandas, polars])
@pytest.mark.parametrize("case", WRONG_COLUMNS)
def test_a_column_that_holds_no_numbers_is_named(library, case):
    values, *words = WRONG_COLUMNS[case]
    with pytest.raises(TypeError) as caught:
        _arrays.as_rows(library.DataFrame({"size": [1.0, 2.0], "colour": values}), "x")
    assert all(word in str(caught.value) for word in ["`x`", *words]), str(caught.value)


@pytest.mark.parametrize(("frame", "words"), [
    (lambda: pandas.DataFrame({"a": [1], "kind": pandas.Categorical(["u"])}), "the column 'kind' of dtype category"),
    (lambda: pandas.DataFrame({"a": [1], "kind": pandas.Categorical([7])}), "the column 'kind' of dtype category"),
    (lambda: polars.DataFrame({"a": [1], "kind": polars.Series(["u"], dtype=polars.Categorical)}),
     "the column 'kind' of dtype Categorical"),
    (lambda: pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64"), "b": [0.5, 1]}),
     "a missing value at row 1, column 'a'"),
    (lambda: pandas.DataFrame({"a": [1.0, 2.0], "o": np.array([1.5, None], object)}),
     "'o' of dtype object, which has None"),
    (lambda: pandas.DataFrame({"a": np.array([1.5, 2], object)}), "astype('float64')"),
    (lambda: pandas.DataFrame([[1.0, "u"]], columns=["a", "a"]), "the column 'a' of dtype")])
def test_columns_of_other_kinds(frame, words):
    with pytest.raises(TypeError) as caught:
        _arrays.as_rows(frame(), "x")
    assert words in str(caught.value) and len(str(caught.value)) < 400


def test_missing_values_of_a_polars_frame_are_nan():
    x = polars.DataFrame({f"x{i}": [1, 2, None if i == 4 else 3] for i in range(20)})
    with pytest.raises(ValueError, match="nan at row 2, column 4"):
        trained(x, [0, 1, 2])


def test_several_inputs_are_refused():
    for x, words in [({"left": X, "right": X}, "one array, .* dict with the keys left, right"),
                     ([X, X], "a list of 2 arrays of 40 rows"), ((X, Y), "a tuple of 2 arrays of 40 rows")]:
        with pytest.raises((ValueError, TypeError), match=words):
            trained(x, Y)
    assert trained([X], Y) == trained(X, Y), "one input in a list is that input"


MAPPED = """
import resource
import numpy as np
import fastnn

rows = {rows}
x, y = np.memmap({path!r}, {dtype!r}, "r", shape=(rows, 64)), np.arange(rows) % 3
model = fastnn.Sequential([fastnn.Input((64,)), fastnn.layers.Dense(3, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(x[:256], y[:256], batch_size=256, verbose=0)          # what a first call loads and starts
lines = open("/proc/self/status").read().splitlines()
used = next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + {limit}, resource.RLIM_INFINITY))
try:
    x.astype("float32").tobytes()
    print("the limit does not hold")
except MemoryError:
    pass
model.fit(x, y, batch_size=256, verbose=0)
model.evaluate(x, y, batch_size=256, verbose=0)
model.fit(x, y, batch_size=256, validation_split=0.25, verbose=0)
print(model.predict(x, verbose=0).shape)
"""


@pytest.mark.parametrize(("dtype", "rows"), [("float32", 2**18), ("uint8", 2**20)])
def test_a_memory_mapped_file_is_read_where_it_lies(tmp_path, run_python, dtype, rows):
    """64 MB of numbers, with room for half of them: an order of the rows and the outputs of predict fit in."""
    path = tmp_path / "numbers"
    block = np.random.default_rng(0).integers(0, 5, (2**14, 64)).astype(dtype).tobytes()
    with open(path, "wb") as file:
        file.writelines([block] * (rows // 2**14))
    printed = run_python(MAPPED.format(path=str(path), rows=rows, dtype=dtype, limit=2**25)).stdout
    assert printed == f"({rows}, 3)\n" and path.stat().st_size == 2**26


def test_weights_of_steps():
    """Outputs with an axis of steps: a weight a row, or one a step; recorded sums, and NumPy's."""
    rng = np.random.default_rng(0)
    x, y, w = rng.standard_normal((6, 5, 3)), rng.standard_normal((6, 5, 2)), rng.random((6, 5))
    model = fastnn.Sequential([fastnn.Input((5, 3)), fastnn.layers.Dense(2)])
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    each = ((model.predict(x, verbose=0) - y) ** 2).mean(-1)
    error = np.abs(model.predict(x, verbose=0) - y).mean(-1)
    for weights, shape in ((w, w), (w[:, 0], w[:, :1]), (w[:, :1], w[:, :1])):
        loss, mae = model.evaluate(x, y, sample_weight=weights, verbose=0)
        assert loss == pytest.approx((each * shape).mean(), rel=1e-5)
        assert mae == pytest.approx((error * shape).sum() / (np.ones((6, 5)) * shape).sum(), rel=1e-5)
    one, other = model.get_weights(), None
    model.fit(x, y, sample_weight=w, batch_size=6, verbose=0, shuffle=False)
    kernel, bias = one
    slope = 2 * (x @ kernel + bias - y) / 2 * w[..., None] / 30
    other = kernel - 0.01 * np.einsum("rsi,rso->io", x, slope)
    np.testing.assert_allclose(model.get_weights()[0], other, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match=r"shape \(6,\), or one a step, \(6, 5\), got shape \(6, 4\)"):
        model.evaluate(x, y, sample_weight=w[:, :4], verbose=0)
