"""Element-wise arithmetic, sums and counters against NumPy in float64."""
import numpy as np
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

from fastnn import testing

ACCUMULATE = 4


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(0, 2, shape)


@everywhere
def test_add_and_fill(level, dtype):
    for n in SIZES:
        a, b = normal(n, n).astype(dtype), normal(n + 1, n).astype(dtype)
        settings = {"sizes": [n], "dtype": dtype, "level": level, "threads": threads_for(n)}
        total = run("add", [a, b, np.empty_like(a)], **settings)[2]
        assert np.array_equal(total, a + b)
        assert np.array_equal(run("add", [a, b, None], alias={2: 0}, **settings)[0], total)
        assert (run("fill", [a], scalars=[0.1], **settings)[0] == np.array(0.1, dtype)).all()


@everywhere
def test_add_and_product_of_rows(level, dtype):
    """Of rows with one row or number: the same bits as element by element."""
    for columns in (0, 1, 2, 3, 10, 15, 16, 17, 33, 65, 255, 256, 257, 511, 513):
        for rows in (0, 1, 2, 5, 33, 300) if columns < 20 else (0, 1, 3, 17):
            x, row = normal(columns, rows, columns).astype(dtype), normal(1, columns).astype(dtype)
            if columns:
                row[0] = -0.0
            settings = {"sizes": [rows, columns], "dtype": dtype, "level": level,
                        "threads": threads_for(rows) if columns in (1, 10) else (1,)}
            for kernel, expected in (("add_rows", x + row), ("product_rows", x * row)):
                y = run(kernel, [x, row, np.empty_like(x)], **settings)[2]
                assert y.tobytes() == expected.tobytes(), (kernel, rows, columns)
                assert run(kernel, [x, row, None], alias={2: 0}, **settings)[0].tobytes() == y.tobytes()


@everywhere
def test_scale_shift(level, dtype):
    for rows in (0, 1, 5, 33):
        for columns in SIZES:
            x = normal(columns, rows, columns).astype(dtype)
            scale, shift = normal(1, columns).astype(dtype), normal(2, columns).astype(dtype)
            settings = {"sizes": [rows, columns], "dtype": dtype, "level": level,
                        "threads": threads_for(rows) if columns == 9 else (1,)}
            y = run("scale_shift", [x, scale, shift, np.empty_like(x)], **settings)[3]
            assert_close(y, x.astype(np.float64) * scale + shift, units=2, scale=8)
            assert np.array_equal(run("scale_shift", [x, scale, shift, None], alias={3: 0}, **settings)[0], y)


@everywhere
def test_column_sum(level, dtype):
    for rows in (*SIZES, 127, 128, 129, 131, 300):
        for columns in (1, 3, 8, 10, 16, 17, 33, 64):
            x, start = normal(rows, rows, columns).astype(dtype), normal(1, columns).astype(dtype)
            exact = x.astype(np.float64).sum(0)
            settings = {"sizes": [rows, columns], "dtype": dtype, "level": level,
                        "threads": threads_for(rows) if columns == 33 else (1,)}
            assert_close(run("column_sum", [x, start], **settings)[1], exact, units=8, scale=rows)
            out = run("column_sum", [x, start], flags=ACCUMULATE, **settings)[1]
            assert_close(out, exact + start, units=8, scale=rows)


@everywhere
def test_rounding_errors_of_column_sums_do_not_grow_with_all_rows(level, dtype):
    x = np.full((100_000, 2), 0.1, dtype)
    total = run("column_sum", [x, np.zeros(2, dtype)], [*x.shape], dtype=dtype, level=level)[1]
    assert_close(total, 100_000 * x[0].astype(np.float64), units=1000)


@everywhere
def test_sum_in_float64_is_the_same_on_every_level(level, dtype):
    for n in (*SIZES, 1000):
        x = normal(n, n).astype(dtype)
        total = run("sum", [x, np.zeros(1)], [n], dtype=dtype, level=level)[1]
        assert_close(total, [x.astype(np.float64).sum()], scale=n + 1)
        assert total == run("sum", [x, np.zeros(1)], [n], dtype=dtype, level=testing.levels()[0])[1]


@everywhere
def test_advance(level, dtype):
    assert run("advance", [np.array([2**40])], dtype=dtype, level=level)[0].tolist() == [2**40 + 1]


@everywhere
def test_sizes_per_row_of_the_batch(level, dtype):
    a = np.ones(12, dtype)
    out = run("add", [a, a, np.zeros(12, dtype)], [4], scaled=1, rows=2, dtype=dtype, level=level)[2]
    assert out.tolist() == [2.0] * 8 + [0.0] * 4


@everywhere
def test_product(level, dtype):
    for n in SIZES:
        a, b = np.random.default_rng(n).normal(0, 1, (2, n)).astype(dtype)
        settings = {"level": level, "dtype": dtype, "threads": threads_for(n)}
        assert np.array_equal(run("product", [a, b, np.empty_like(a)], [n], **settings)[2], a * b)


@everywhere
def test_shift_scale(level, dtype):
    for n in SIZES:
        x = np.random.default_rng(n).normal(1e4, 1, (5, n)).astype(dtype)
        scale, shift = np.random.default_rng(n).normal(1, 1, (2, n)).astype(dtype)
        settings = {"level": level, "dtype": dtype, "threads": threads_for(n)}
        y = run("shift_scale", [x, scale, shift, np.empty_like(x)], [5, n], **settings)[3]
        assert np.array_equal(y, (x - shift) * scale)


@everywhere
def test_axpy(level, dtype):
    for n in SIZES:
        x, y = normal(n, n).astype(dtype), normal(n + 1, n).astype(dtype)
        result = run("axpy", [x, y], [n], [0.3], dtype=dtype, level=level, threads=threads_for(n))[1]
        assert_close(result, y + np.array(0.3, dtype).astype(np.float64) * x, units=2, scale=8)


@everywhere
def test_outputs_that_are_written_past_the_caches(level, dtype):
    """The same bits as any other output wherever it begins and ends, and nothing beside it."""
    lengths = (1, 15, 16, 17, 509, 512, 1024, 1025, 3001)
    for rows, columns in (*((n, 1) for n in lengths), (70, 37), (2, 1009), (2, 1008)):
        n = rows * columns
        a, b = normal(1, n).astype(dtype), normal(2, n).astype(dtype)
        scale, shift = normal(3, columns).astype(dtype), normal(4, columns).astype(dtype)
        for start in (0, 1, 7, 16, 19):
            for name, inputs, sizes in (("add", [a, b], [n]), ("relu_forward", [a], [n]),
                                        ("scale_shift", [a, scale, shift], [rows, columns])):
                plain, past = np.full((2, n + 64), 7, dtype)
                settings = {"sizes": sizes, "dtype": dtype, "level": level}
                testing.run_kernel(name, [*inputs, plain[start:start + n]], **settings)
                testing.run_kernel(name, [*inputs, past[start:start + n]], limits={"stream": 0}, **settings)
                assert np.array_equal(plain, past) and not (past[start:start + n] == 7).all()
        out = a.copy()
        testing.run_kernel("add", [out, b, out], [n], dtype=dtype, level=level, limits={"stream": 0})
        assert np.array_equal(out, a + b)
