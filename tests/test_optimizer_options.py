"""What stands around an optimizer's step, against the same in NumPy and float64."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

from fastnn.constraints import grouped

RATE = 0.01
CHUNK = 4096          # NORM_CHUNK of the kernel
DUE, SKIPPED = 0, 5


def vectors(n, dtype, count=2):
    return list(np.random.default_rng(n).normal(0, 1, (count, n)).astype(dtype))


@pytest.mark.parametrize("step", [0, 2, 3])
@everywhere
def test_accumulate(step, level, dtype):
    for n in SIZES:
        g, total = vectors(n, dtype)
        out = run("accumulate", [g, total, np.array([step])], [n, 3], dtype=dtype, level=level, threads=threads_for(n))
        due = (step + 1) % 3 == 0
        both = g.astype(np.float64) + total
        assert_close(out[0], both / 3 if due else g, scale=1)
        assert_close(out[1], 0 * both if due else both, scale=1)


@everywhere
def test_skip_unless_due(level, dtype):
    for step in range(7):
        run("skip_unless_due", [np.array([step])], [4, 3], dtype=dtype, level=level,
            expect=DUE if step in (2, 5) else SKIPPED)


@pytest.mark.parametrize("n", [*SIZES, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
@everywhere
def test_clip_by_norm(n, level, dtype):
    (g,) = vectors(n, dtype, 1)
    chunks = -(-n // CHUNK)
    settings = {"dtype": dtype, "level": level, "threads": (1, 2, 3)}
    _, sums = run("sum_of_squares", [g, np.full(chunks + 1, np.nan)], [n], **settings)
    exact = g.astype(np.float64)
    norm = np.sqrt((exact**2).sum())
    np.testing.assert_allclose(np.sqrt(sums[:chunks].sum()), norm, rtol=1e-14)
    for clip in (0.5 * norm, 2 * norm):
        out = run("clip_by_norm", [g, sums], [n, chunks], [clip], **settings)
        assert_close(out[0], exact * min(1, clip / norm) if norm else exact)
    assert n == 0 or (run("clip_by_norm", [g, sums], [n, chunks], [2 * norm], **settings)[0] == g).all()


@everywhere
def test_gradients_that_are_no_numbers_show(level, dtype):
    for wrong in (np.nan, np.inf):
        g = np.array([1, wrong], dtype)
        _, sums = run("sum_of_squares", [g, np.zeros(2)], [2], dtype=dtype, level=level)
        assert np.isnan(run("clip_by_norm", [g, sums], [2, 1], [1.0], dtype=dtype, level=level)[0]).all()


def test_norms_have_the_same_bits_on_all_levels():
    from fastnn import testing
    (g,) = vectors(2 * CHUNK + 77, "float32", 1)
    found = {run("sum_of_squares", [g, np.zeros(3)], [len(g)], level=level)[1].tobytes() for level in testing.levels()}
    assert len(found) == 1


@everywhere
def test_clip(level, dtype):
    for n in SIZES:
        (x,) = vectors(n, dtype, 1)
        x[-1:] = np.nan
        for least, most in ((-0.5, 0.5), (0.0, np.inf)):
            out = run("clip", [x], [n], [least, most], dtype=dtype, level=level, threads=threads_for(n))
            np.testing.assert_array_equal(out[0], np.clip(x, least, most).astype(dtype))


@everywhere
def test_decay(level, dtype):
    for n in SIZES:
        (w,) = vectors(n, dtype, 1)
        out = run("decay", [w], [n], [0.3], learning_rate=RATE, dtype=dtype, level=level, threads=threads_for(n))
        assert_close(out[0], w.astype(np.float64) * (1 - 0.3 * RATE))


@pytest.mark.parametrize(("step", "frequency", "every"), [
    (0, 0, 1), (4, 0, 1), (4, 5, 1), (5, 5, 1), (1, 1, 2), (9, 5, 2)])
@everywhere
def test_weight_average(step, frequency, every, level, dtype):
    for n in SIZES:
        w, average = vectors(n, dtype)
        out = run("weight_average", [w, average, np.array([step])], [n, frequency, every], [0.8], dtype=dtype,
                  level=level, threads=threads_for(n))
        updates = step // every
        momentum = 0.8 if updates else 0.0
        right = momentum * average.astype(np.float64) + (1 - momentum) * w
        assert_close(out[1], right, scale=1)
        assert (out[0] == (out[1] if frequency and (updates + 1) % frequency == 0 else w)).all()


@pytest.mark.parametrize(("shape", "axes"), [
    ((5, 7), (0,)), ((5, 7), (1,)), ((5, 7), (0, 1)), ((9,), (0,)), ((9,), ()), ((1, 65), (0,)), ((65, 1), (0,)),
    ((0, 3), (0,)), ((3, 0), (0,)), ((3, 3, 2, 17), (0, 1, 2)), ((3, 4, 5), (1,)), ((3, 4, 5), (0, 2)),
    ((2, 3, 2, 3), (1, 3)), ((2, 3, 2, 3), (0, 2)), ((2, 3, 2, 3, 2), (0, 2, 4)), ((2, 3, 2, 3, 2), (1, 3))])
@everywhere
def test_constrain_norms(shape, axes, level, dtype):
    w = np.random.default_rng(3).standard_normal(shape).astype(dtype)
    sizes = grouped(shape, axes)
    for least, most, rate in ((0.0, 0.5, 1.0), (1.0, 1.0, 1.0), (0.9, 1.1, 0.4)):
        out = run("constrain_norms", [w, np.full(np.prod(sizes[::2], dtype=int), np.nan)], sizes,
                  [least, most, rate, 1e-7], dtype=dtype, level=level)
        exact = w.astype(np.float64)
        norms = np.sqrt((exact**2).sum(axes, keepdims=True))
        desired = rate * np.clip(norms, least, most) + (1 - rate) * norms
        assert_close(out[0], exact * desired / (1e-7 + norms))
