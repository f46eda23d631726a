"""Kernels of metrics against NumPy in float64: values of rows and counters, with ties, NaN and weights."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

EVEN, WIDE, EXACT, CONCORDANCE, WITH_THRESHOLD = 1, 2, 1, 1, 1      # flags of the kernels
ARGMAX_Y, ARGMAX_TARGET, THRESHOLD_Y, IGNORE_CLASS = 1, 2, 4, 8


def measure(name, p, t, weights=None, repeat=1, scalars=(), sizes=(), **settings):
    rows, size = p.shape
    operands = [p, t, weights, np.empty(rows, p.dtype)]
    return run(name, operands, [rows, size, repeat, *sizes], scalars, dtype=p.dtype.name, **settings)[3]


def counted(name, operands, n, sizes, scalars=(), **settings):
    """The counters after a kernel has added to ones that were not zero."""
    start = np.arange(n, dtype=np.float64) + 0.5
    dtype = operands[0].dtype.name
    return run(name, [*operands, start], sizes, scalars, dtype=dtype, **settings)[len(operands)] - start


def weights_of(rng, rows, repeat, dtype):
    return None if repeat == 0 else rng.random(-(-rows // repeat)).astype(dtype)


def each(weights, rows, repeat):
    """The weight of every row, float64."""
    return np.ones(rows) if weights is None else np.repeat(weights.astype(np.float64), repeat)[:rows]


@everywhere
def test_categorical_accuracies(level, dtype):
    for rows in (0, 1, 5, 33):
        for classes in SIZES[1:]:
            rng = np.random.default_rng([rows, classes])
            p = rng.integers(-2, 3, (rows, classes)).astype(dtype)      # many ties
            labels = rng.integers(0, classes, rows).astype(np.int32)
            right = (p.argmax(1) == labels).astype(dtype)
            t = np.eye(classes, dtype=dtype)[labels] - 2
            for name, target in (("sparse_categorical_accuracy", labels), ("categorical_accuracy", t)):
                assert np.array_equal(measure(name, p, target, level=level, threads=threads_for(rows)), right)
            for repeat in (1, rows or 1):
                weights = rng.random(rows // repeat).astype(dtype)
                weighted = measure("sparse_categorical_accuracy", p, labels, weights, repeat, level=level)
                assert np.array_equal(weighted, right * np.repeat(weights, repeat))
                assert np.array_equal(measure("categorical_accuracy", p, t, weights, repeat, level=level), weighted)


@everywhere
def test_ties_go_to_the_first_class_and_a_nan_is_never_right(level, dtype):
    nan = np.nan
    p = np.array([[1, 1, 0], [1, 1, 0], [nan, 1, 0], [1, nan, 0], [nan] * 3, [0, 0, 0]], dtype)
    labels = np.array([0, 1, 1, 0, 0, 3], np.int32)
    assert measure("sparse_categorical_accuracy", p, labels, level=level).tolist() == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("threshold", [0.5, 0.25])
@everywhere
def test_binary_accuracy(threshold, level, dtype):
    for rows in (0, 1, 5, 33):
        for size in (1, 3, 17):
            rng = np.random.default_rng([rows, size])
            p, t = rng.integers(0, 5, (rows, size)) / 4, rng.integers(0, 2, (rows, size))
            p, t, weights = p.astype(dtype), t.astype(dtype), rng.random(rows).astype(dtype)
            exact = (t == (p > threshold)).mean(1)
            settings = {"scalars": [threshold], "level": level, "threads": threads_for(rows)}
            assert_close(measure("binary_accuracy", p, t, **settings), exact)
            assert_close(measure("binary_accuracy", p, t, weights, **settings), exact * weights)
            whole = np.round(2 * p)
            assert_close(measure("binary_accuracy", whole, t, weights, flags=EXACT, **settings),
                         (whole == t).mean(1) * weights)


@everywhere
def test_top_k_accuracies(level, dtype):
    for rows, classes in ((0, 3), (1, 1), (5, 4), (33, 7), (65, 17)):
        rng = np.random.default_rng([rows, classes])
        p = rng.integers(-2, 3, (rows, classes)).astype(dtype)
        if rows > 2:
            p[1, 0], p[2] = np.inf, np.nan
        labels = rng.integers(-1, classes + 1, rows).astype(np.int32)
        one_hot = np.eye(classes, dtype=dtype)[np.clip(labels, 0, classes - 1)]
        weights = rng.random(rows).astype(dtype)
        for k in (1, 2, classes, classes + 3):
            settings = {"sizes": [k], "level": level, "threads": threads_for(rows)}
            own = p[np.arange(rows), np.clip(labels, 0, classes - 1)]
            hit = ((p > own[:, None]).sum(1) < k) & np.isfinite(own)
            assert np.array_equal(measure("top_k_accuracy", p, one_hot, weights, **settings), hit * weights)
            hit &= (labels >= 0) & (labels < classes)
            assert np.array_equal(measure("top_k_accuracy_sparse", p, labels, weights, **settings), hit * weights)
            found = (p[:, :k] == labels[:, None]).any(1)
            assert np.array_equal(measure("sorted_ids_accuracy", p, labels.astype(dtype), weights, **settings),
                                  found * weights)


@everywhere
def test_correlations(level, dtype):
    for rows, size in ((0, 2), (1, 2), (5, 3), (33, 17)):
        rng = np.random.default_rng([rows, size])
        p, t = rng.normal(size=(2, rows, size)).astype(dtype)
        weights = rng.random(rows).astype(dtype)
        x, y = (a.astype(np.float64) - a.mean(1, dtype=np.float64)[:, None] for a in (t, p))
        cov, shift = (x * y).mean(1), t.mean(1, dtype=np.float64) - p.mean(1, dtype=np.float64)
        settings = {"level": level, "threads": threads_for(rows), "scalars": [1e-7]}
        pearson = cov / np.sqrt((x * x).mean(1) * (y * y).mean(1))
        assert_close(measure("correlation", p, t, weights, **settings), pearson * weights, scale=1)
        exact = 2 * cov / ((x * x).mean(1) + (y * y).mean(1) + shift**2 + 1e-7)
        assert_close(measure("correlation", p, t, flags=CONCORDANCE, **settings), exact, scale=1)
    constant = np.ones((1, 4), dtype)
    assert np.isnan(measure("correlation", constant, constant, level=level, scalars=[1e-7])).all()


@everywhere
def test_counters_of_a_mean(level, dtype):
    settings = {"dtype": dtype, "level": level, "scaled": 1, "rows": 4}
    value, weight, counter = np.array([2.5]), np.array([1.5]), np.array([10.0, 100.0])
    assert run("add_counter", [value, None, counter], [8, 8, 1], **settings)[2].tolist() == [12.5, 132.0]
    assert run("add_counter", [value, weight, counter], [8, 8, 1], **settings)[2].tolist() == [12.5, 112.0]
    assert run("add_counter", [value, None, counter], [8, 8, 4], **settings)[2].tolist() == [10.625, 108.0]
    assert run("add_counter", [value, weight, counter], [8, 8, 4], **settings)[2].tolist() == [10.625, 103.0]


def buckets(y, thresholds):
    """How many thresholds each number exceeds."""
    return (y[..., None] > thresholds).sum(-1)


def by_bucket(bucket, true, weight, n):
    """Counters of one label: weights of the true, then of the false, by bucket."""
    return np.concatenate([np.bincount(bucket[true == side], weight[true == side], n + 1) for side in (True, False)])


@pytest.mark.parametrize("thresholds", [[0.5], [0.1, 0.4, 0.9], [-np.inf], [0.0, 0.3, 0.3, 1.0]])
@everywhere
def test_threshold_counts(thresholds, level, dtype):
    for rows, size, repeat in ((0, 1, 0), (1, 1, 1), (33, 1, 0), (34, 3, 2), (65, 5, 5), (9, 17, 1)):
        rng = np.random.default_rng([rows, size])
        y, t = rng.random((rows, size)).astype(dtype), (2 * rng.integers(0, 2, (rows, size))).astype(dtype)
        y.flat[:3] = np.array([np.nan, 0.3, 1.0], dtype)[:y.size]
        weights, labels = weights_of(rng, rows, repeat, dtype), rng.random(size).astype(dtype)
        limits, n = np.array(thresholds, dtype), len(thresholds)
        exact = buckets(y, limits)
        weight = each(weights, rows, repeat)[:, None] * np.ones((1, size))
        operands, settings = [y, t, weights, None, limits], {"level": level}
        if np.isinf(limits[0]):          # everything exceeds it
            operands[4], exact = None, np.ones_like(exact)
        sizes = [rows, size, max(1, repeat), n, 0, -1, 0]
        assert_close(counted("threshold_counts", operands, 2 * n + 2, sizes, **settings),
                     by_bucket(exact, t != 0, weight, n), 8, scale=rows * size + 1)
        operands[3] = labels
        assert_close(counted("threshold_counts", operands, 2 * n + 2, sizes, **settings),
                     by_bucket(exact, t != 0, weight * labels, n), 8, scale=rows * size + 1)
        operands[3], sizes[6] = None, 1
        each_label = [by_bucket(exact[:, i], t[:, i] != 0, weight[:, i], n) for i in range(size)]
        assert_close(counted("threshold_counts", operands, (2 * n + 2) * size, sizes, **settings),
                     np.concatenate(each_label), 8, scale=rows * size + 1)
        sizes[5:] = size - 1, 0
        assert_close(counted("threshold_counts", operands, 2 * n + 2, sizes, **settings), each_label[-1], 8,
                     scale=rows + 1)


@pytest.mark.parametrize("wide", [False, True])
@everywhere
def test_even_thresholds_need_no_search(wide, level, dtype):
    for n in (2, 3, 5, 200):
        rng = np.random.default_rng(n)
        y = rng.random((65, 3)).astype(dtype)
        y.flat[:8] = np.array([np.nan, 0, 1, -2, 3, np.inf, -np.inf, 0.5], dtype)
        t = rng.integers(0, 2, y.shape).astype(dtype)
        thresholds = np.linspace(0, 1, n).astype(np.float64)
        exact = buckets(np.clip(np.nan_to_num(y.astype(np.float64)), 0, 1), thresholds)
        if wide:
            exact = np.maximum(exact, 1)
        found = counted("threshold_counts", [y, t, None, None, None], 2 * n + 2, [65, 3, 1, n, 0, -1, 0],
                        level=level, flags=EVEN | (WIDE if wide else 0))
        expected = by_bucket(exact, t != 0, np.ones(y.shape), n)
        assert np.abs(found - expected).sum() <= 2        # a number within a rounding of a threshold may fall below it


@everywhere
def test_only_the_k_greatest_are_positive(level, dtype):
    for rows, size in ((1, 1), (5, 4), (33, 9)):
        rng = np.random.default_rng([rows, size])
        y, t = rng.integers(0, 4, (rows, size)).astype(dtype) / 3, rng.integers(0, 2, (rows, size)).astype(dtype)
        for k in (1, 2, size, size + 2):
            kept = np.zeros(y.shape, bool)
            np.put_along_axis(kept, np.argsort(-y, axis=1, kind="stable")[:, :k], True, 1)
            for thresholds in ([-np.inf], [0.5]):
                exact = kept * buckets(y, np.array(thresholds, dtype))
                limits = None if np.isinf(thresholds[0]) else np.array(thresholds, dtype)
                found = counted("threshold_counts", [y, t, None, None, limits], 4, [rows, size, 1, 1, k, -1, 0],
                                level=level)
                assert np.array_equal(found, by_bucket(exact, t != 0, np.ones(y.shape), 1)), (k, thresholds)
    y = np.full((1, 3), np.nan, dtype)
    assert counted("threshold_counts", [y, y, None, None, None], 4, [1, 3, 1, 1, 2, -1, 0], level=level).sum() == 3


@pytest.mark.parametrize("threshold", [None, 0.4])
@everywhere
def test_class_counts(threshold, level, dtype):
    for rows, size, repeat in ((0, 2, 0), (1, 1, 1), (33, 3, 0), (65, 7, 1)):
        rng = np.random.default_rng([rows, size])
        y = (rng.integers(0, 4, (rows, size)) / 3).astype(dtype)
        t = rng.random((rows, size)).round(1).astype(dtype)
        weights = weights_of(rng, rows, repeat, dtype)
        hit = y > np.asarray(threshold, dtype) if threshold else (y >= y.max(1, keepdims=True)) & (y > 1e-9)
        w = each(weights, rows, repeat)[:, None]
        t64 = t.astype(np.float64)
        exact = [(w * hit * t64).sum(0), (w * hit * (1 - t64)).sum(0), (w * ~hit * t64).sum(0), (w * t64).sum(0)]
        found = counted("class_counts", [y, t, weights], 4 * size, [rows, size, max(1, repeat)],
                        [] if threshold is None else [threshold], level=level, flags=0 if threshold is None else 1)
        assert_close(found, np.concatenate(exact), 8, scale=rows + 4 * size)


@everywhere
def test_confusion_counts(level, dtype):
    for rows, classes in ((0, 2), (1, 1), (33, 3), (65, 7)):
        rng = np.random.default_rng([rows, classes])
        true, guess = rng.integers(-2, classes + 2, (2, rows))
        weights = rng.random(rows).astype(dtype)
        scores, hot = rng.random((rows, classes)).astype(dtype), rng.random((rows, classes)).astype(dtype)
        for flags in range(8):
            y, t = (scores if flags & ARGMAX_Y else guess + 0.25, hot if flags & ARGMAX_TARGET else true + 0.25)
            y, t = (np.asarray(a, dtype).reshape(rows, a.shape[1] if a.ndim > 1 else 1) for a in (y, t))
            g = scores.argmax(1) if flags & ARGMAX_Y else np.trunc(y[:, 0]).astype(int)
            c = hot.argmax(1) if flags & ARGMAX_TARGET else np.trunc(t[:, 0]).astype(int)
            if flags & THRESHOLD_Y:
                g = (y[:, 0] >= np.asarray(0.5, dtype)).astype(int)
            for ignored in (None, 1):
                used = (g >= 0) & (g < classes) & (c >= 0) & (c < classes) & (c != ignored)
                exact = np.zeros((classes, classes))
                np.add.at(exact, (c[used], g[used]), weights[used].astype(np.float64))
                sizes = [rows, y.shape[1], t.shape[1], 1, classes]
                found = counted("confusion_counts", [y, t, weights], classes**2, sizes, [0.5, ignored or 0],
                                level=level, flags=flags | (0 if ignored is None else IGNORE_CLASS))
                assert_close(found, exact.ravel(), 8, scale=rows + classes**2)
    nan = np.full((2, 1), np.nan, dtype)
    assert not counted("confusion_counts", [nan, nan, None], 4, [2, 1, 1, 1, 2], [0.0, 0.0], level=level).any()


@everywhere
def test_sums_of_the_coefficient_of_determination(level, dtype):
    for rows, size, repeat in ((0, 2, 0), (1, 1, 1), (33, 3, 0), (65, 7, 1)):
        rng = np.random.default_rng([rows, size])
        y, t = rng.normal(size=(2, rows, size)).astype(dtype)
        weights = weights_of(rng, rows, repeat, dtype)
        w, y64, t64 = each(weights, rows, repeat)[:, None], y.astype(np.float64), t.astype(np.float64)
        sums = [(w * t64).sum(0), (w * t64**2).sum(0), (w * (t64 - y64) ** 2).sum(0), (w + 0 * t64).sum(0)]
        found = counted("r2_sums", [y, t, weights], 1 + 4 * size, [rows, size, max(1, repeat)], level=level)
        assert found[0] == rows * size
        assert_close(found[1:], np.concatenate(sums), 16, scale=4 * (rows + size))
