"""Losses and their gradients: formulas in float64, central differences, weights, clipping and extreme predictions."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run, threads_for

EPSILON, SMOOTHING = 1e-7, 0.1
GAMMA, ALPHA, DELTA, QUANTILE = 1.5, 0.3, 0.25, 0.3


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def clip(p, epsilon):
    return np.clip(p, epsilon, 1 - epsilon)


def binary(t, log_p, log_q):
    return -(t * log_p + (1 - t) * log_q).mean(-1)


def focal(t, p, loss):
    """Binary focal loss of elements, balanced."""
    m = t * (1 - p) + (1 - t) * p
    return ((t * ALPHA + (1 - t) * (1 - ALPHA)) * m ** GAMMA * loss).mean(-1)


def categorical_focal(p, t, e):
    q = clip(p / p.sum(-1, keepdims=True), e)
    return -(ALPHA * t * (1 - q) ** GAMMA * np.log(q)).sum(-1)


def huber(y, t, _):
    a = np.abs(y - t)
    return np.where(a <= DELTA, a * a / 2, DELTA * (a - DELTA / 2)).mean(-1)


def margin(y, t):
    """What a hinge lets through; a target 0 counts as -1."""
    return np.maximum(0, 1 - np.where(t == 0, -1, t) * y)


def cosine(y, t, _):
    return -(y * t).sum(-1) / np.maximum(np.linalg.norm(y, axis=-1) * np.linalg.norm(t, axis=-1), EPSILON)


def divergence(p, t, e):
    p, t = np.clip(p, e, 1), np.clip(t, e, 1)
    return (t * np.log(t / p)).sum(-1)


def each_binary(p, t, e):
    return -(t * np.log(clip(p, e)) + (1 - t) * np.log(1 - clip(p, e)))


# A row's loss from predictions and targets: t is smoothed beforehand, labels are one-hot.
EXACT = {
    "softmax_crossentropy_sparse": lambda z, t, _: -(t * log_softmax(z)).sum(-1),
    "softmax_crossentropy": lambda z, t, _: -(t * log_softmax(z)).sum(-1),
    "sigmoid_crossentropy": lambda z, t, _: binary(t, -np.log1p(np.exp(-z)), -np.log1p(np.exp(z))),
    "crossentropy_sparse": lambda p, t, e: -(t * np.log(clip(p, e) / clip(p, e).sum(-1, keepdims=True))).sum(-1),
    "crossentropy": lambda p, t, e: -(t * np.log(clip(p / p.sum(-1, keepdims=True), e))).sum(-1),
    "binary_crossentropy": lambda p, t, e: binary(t, np.log(clip(p, e)), np.log(1 - clip(p, e))),
    "mean_squared_error": lambda y, t, _: ((y - t) ** 2).mean(-1),
    "mean_absolute_error": lambda y, t, _: np.abs(y - t).mean(-1),
    "mean_absolute_percentage_error": lambda y, t, e: 100 * (np.abs(y - t) / np.maximum(np.abs(t), e)).mean(-1),
    "mean_squared_logarithmic_error": lambda y, t, e: (
        (np.log1p(np.maximum(y, e)) - np.log1p(np.maximum(t, e))) ** 2).mean(-1),
    "huber": huber,
    "log_cosh": lambda y, t, _: np.log(np.cosh(y - t)).mean(-1),
    "quantile": lambda y, t, _: np.maximum(QUANTILE * (t - y), (QUANTILE - 1) * (t - y)).mean(-1),
    "hinge": lambda y, t, _: margin(y, t).mean(-1),
    "squared_hinge": lambda y, t, _: (margin(y, t) ** 2).mean(-1),
    "categorical_hinge": lambda y, t, _: np.maximum(0, 1 + ((1 - t) * y).max(-1) - (t * y).sum(-1)),
    "kl_divergence": divergence,
    "poisson": lambda y, t, e: (y - t * np.log(y + e)).mean(-1),
    "cosine_similarity": cosine,
    "sigmoid_focal": lambda z, t, _: focal(t, sigmoid(z), t * np.log1p(np.exp(-z)) + (1 - t) * np.log1p(np.exp(z))),
    "binary_focal": lambda p, t, e: focal(t, p, each_binary(p, t, e)),
    "categorical_focal": categorical_focal,
}
FUSED = ("softmax_crossentropy_sparse", "softmax_crossentropy", "sigmoid_crossentropy", "sigmoid_focal")
SPARSE = ("softmax_crossentropy_sparse", "crossentropy_sparse")
OVER_CLASSES = ("softmax_crossentropy", "crossentropy", "categorical_focal")      # smoothed by 1 / classes
SMOOTHED = (*OVER_CLASSES, "sigmoid_crossentropy", "binary_crossentropy", "sigmoid_focal", "binary_focal")
CLIPPED = ("crossentropy_sparse", "crossentropy", "binary_crossentropy", "binary_focal", "categorical_focal",
           "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "kl_divergence", "poisson",
           "cosine_similarity")
HINGES = ("hinge", "squared_hinge")
MORE = {"huber": [DELTA], "quantile": [QUANTILE], "categorical_focal": [GAMMA, ALPHA],
        "sigmoid_focal": [GAMMA, ALPHA, 1 - ALPHA], "binary_focal": [GAMMA, ALPHA, 1 - ALPHA]}


def predictions(name, rows, size, dtype, seed=0):
    """Predictions and targets that suit the loss; several targets of a row are not 0."""
    rng = np.random.default_rng([rows, size, seed])
    if name in HINGES:
        return rng.normal(0, 2, (rows, size)).astype(dtype), rng.integers(-1, 2, (rows, size)).astype(dtype)
    x = rng.normal(0, 2, (rows, size)) if name in FUSED else rng.uniform(0.05, 0.95, (rows, size))
    t = rng.integers(0, size, rows).astype(np.int32) if name in SPARSE else rng.random((rows, size)).astype(dtype)
    return x.astype(dtype), t


def target(name, t, size, smoothing):
    """The targets as the formulas take them."""
    if name in SPARSE:
        return np.eye(size)[t]
    t = t.astype(np.float64)
    if name in OVER_CLASSES:
        return t * (1 - smoothing) + smoothing / size
    return t * (1 - smoothing) + smoothing / 2


def scalars(name, epsilon=EPSILON, smoothing=0.0):
    return [epsilon] * (name in CLIPPED) + [smoothing] * (name in SMOOTHED) + MORE.get(name, [])


def lose(name, x, t, weights=None, repeat=1, gradient=True, smoothing=0.0, epsilon=EPSILON, **settings):
    """Run a loss; return losses, gradient (or None) and probabilities (or None)."""
    rows, size = x.shape
    p, d = np.empty_like(x), np.empty_like(x) if gradient else None
    operands = [x, t, weights] + [p] * (name in FUSED) + [d, np.empty(rows, x.dtype)]
    out = run(name, operands, [rows, size, repeat], scalars(name, epsilon, smoothing), dtype=x.dtype.name, **settings)
    return out[-1], out[-2], out[3] if name in FUSED else None


@pytest.mark.parametrize("name", EXACT)
@everywhere
def test_losses_and_probabilities(name, level, dtype):
    for rows in (0, 1, 9, 33):
        for size in SIZES[1:]:
            smoothing = SMOOTHING if name in SMOOTHED else 0.0
            x, t = predictions(name, rows, size, dtype)
            threads = threads_for(rows) if size in (1, 3, 17) else (1,)
            loss, _, p = lose(name, x, t, smoothing=smoothing, level=level, threads=threads)
            exact = EXACT[name](x.astype(np.float64), target(name, t, size, smoothing), EPSILON)
            assert_close(loss, exact, units=16, scale=size)
            if name in FUSED:
                z = x.astype(np.float64)
                assert_close(p, sigmoid(z) if "sigmoid" in name else np.exp(log_softmax(z)), units=16)
            alone = lose(name, x, t, smoothing=smoothing, level=level, gradient=False)[0]
            assert alone.tobytes() == loss.tobytes()


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("rows", "size"), [(6, 1), (6, 5), (4, 20)])
def test_gradients_are_the_slopes_of_the_mean(name, weighted, rows, size):
    repeat = 2 if weighted else 1
    smoothing = SMOOTHING if name in SMOOTHED else 0.0
    x, t = predictions(name, rows, size, "float64")
    weights = np.random.default_rng(1).random(rows // repeat) if weighted else None
    d = lose(name, x, t, weights, repeat, smoothing=smoothing)[1]
    each = np.ones(rows) if weights is None else np.repeat(weights, repeat)
    exact = target(name, t, size, smoothing)
    assert_slope(d, lambda x: (EXACT[name](x, exact, EPSILON) * each).mean(), x)


@pytest.mark.parametrize("name", EXACT)
@everywhere
def test_gradients_and_weights_on_every_level(name, level, dtype):
    for rows, size, repeat in ((1, 3, 1), (33, 1, 1), (18, 1, 3), (33, 10, 1), (34, 3, 2), (5, 40, 5)):
        x, t = predictions(name, rows, size, dtype)
        weights = np.random.default_rng(1).random(rows // repeat).astype(dtype)
        loss, d, _ = lose(name, x, t, weights, repeat, level=level, threads=threads_for(rows))
        plain, plain_d, _ = lose(name, x, t, level=level, threads=threads_for(rows))
        each = np.repeat(weights, repeat)
        assert_close(loss, plain * each.astype(np.float64), units=4)
        # a gradient that is a difference loses digits where its parts are close: that of a single cosine is 0
        scale = 1.0 if name == "cosine_similarity" else np.abs(plain_d).max()
        assert_close(d, plain_d * each[:, None].astype(np.float64), units=8, scale=scale)
        exact = lose(name, x.astype(np.float64), t.astype(np.float64 if name not in SPARSE else np.int32))[1]
        assert_close(plain_d, exact, units=64, scale=max(scale, np.abs(exact).max()))


@pytest.mark.parametrize("name", EXACT)
@everywhere
def test_a_row_does_not_depend_on_the_batch(name, level, dtype):
    for size in (1, 3, 10, 17):
        x, t = predictions(name, 37, size, dtype)
        loss, _, p = lose(name, x, t, level=level)
        for r in (0, 8, 15, 16, 36):
            one, _, one_p = lose(name, x[r:r + 1], t[r:r + 1], level=level)
            assert one.tobytes() == loss[r].tobytes()
            assert p is None or one_p.tobytes() == p[r].tobytes()


@everywhere
def test_extreme_logits_give_finite_losses(level, dtype):
    for size in (3, 20):
        z = np.zeros((3, size), dtype)
        z[0, 0], z[0, 1], z[1, 1], z[2, 1] = 1e4, -1e4, 1e4, -np.inf
        labels, hot = np.array([1, 1, 0], np.int32), np.zeros((3, size), dtype)
        hot[range(3), labels] = 1
        for name, t in (("softmax_crossentropy_sparse", labels), ("softmax_crossentropy", hot)):
            loss, d, _ = lose(name, z, t, level=level)
            assert_close(loss, [2e4, 0, np.log(size - 1)])
            exact = np.exp(log_softmax(z.astype(np.float64))) - hot
            assert_close(d, exact / 3, scale=1)
        z = np.zeros((1, size), dtype)
        z[0, 0] = 1000
        z[0, 1:] = 995
        exact = np.log1p((size - 1) * np.exp(-5.0))         # small beside the logits
        assert_close(lose("softmax_crossentropy_sparse", z, labels[2:], level=level)[0], [exact], scale=1)
        assert_close(lose("softmax_crossentropy", z, hot[2:], level=level)[0], [exact], scale=1)
    z, t = np.array([[1e4], [-1e4], [1e4], [-1e4], [20], [-88]], dtype), np.array([[1], [0], [0], [1], [1], [0]], dtype)
    loss, d, _ = lose("sigmoid_crossentropy", z, t, level=level)
    assert_close(loss, [0, 0, 1e4, 1e4, np.log1p(np.exp(-20.0)), np.exp(-88.0)])
    assert_close(d[:, 0] * 6, [0, 0, 1, -1, -np.exp(-20.0), np.exp(-88.0)], scale=1)
    for name in EXACT:
        x, t = predictions(name, 17, 3, dtype)
        before = lose(name, x, t, level=level)
        x[3, 1] = np.nan
        after = lose(name, x, t, level=level)
        assert np.isnan(after[1][3]).any()
        assert np.isnan(after[0][3])
        for a, b in zip(before, after):
            assert a is None or np.array_equal(np.delete(a, 3, 0), np.delete(b, 3, 0))


@everywhere
def test_clipped_probabilities_cost_a_bounded_loss_and_have_no_gradient(level, dtype):
    p = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [2, 1, 1]], dtype)
    labels = np.array([0, 0, 0, 0], np.int32)
    hot = np.eye(3, dtype=dtype)[labels]
    low, high = np.array(EPSILON, dtype), np.array(1 - EPSILON, dtype)
    exact = -np.log(np.array([high, low, 0.5, 0.5], np.float64))
    slopes = np.array([[0, 0, 0], [0, 0, 0], [-1, 1, 1], [-0.25, 0.25, 0.25]]) / 4
    loss, d, _ = lose("crossentropy", p, hot, level=level)
    assert_close(loss, exact, scale=1)
    assert_close(d, slopes, scale=1)
    loss, d, _ = lose("crossentropy_sparse", p, labels, level=level)
    clipped = np.clip(p.astype(np.float64), low, high)          # clipped first, then renormalised
    assert_close(loss, np.log(clipped.sum(1)) - np.log(clipped[:, 0]), scale=1)
    total = clipped[2].sum()
    assert_close(d, np.array([[0, 0, 0], [0, 0, 0], [1 / total - 2, 1 / total, 0], [0, 0, 0]]) / 4, scale=1)
    p, t = np.array([[0], [1], [0], [1], [0.25]], dtype), np.array([[0], [1], [1], [0], [1]], dtype)
    loss, d, _ = lose("binary_crossentropy", p, t, level=level)
    near = -np.log1p(-np.array([low, 1 - high], np.float64))
    assert_close(loss, [*near, -np.log(float(low)), -np.log(1 - float(high)), -np.log(0.25)], scale=1)
    assert_close(d[:, 0] * 5, [0, 0, 0, 0, -4])


@pytest.mark.parametrize("name", SPARSE)
@everywhere
def test_a_label_outside_the_classes_touches_no_memory(name, level, dtype):
    x = predictions(name, 5, 3, dtype)[0]
    for gradient in (False, True):
        labels = np.array([-1, 0, 2**31 - 1, -2**31, 3], np.int32)
        loss = lose(name, x, labels, level=level, gradient=gradient)[0]
        assert np.isfinite(loss[1]) and np.isnan(np.delete(loss, 1)).all()


@pytest.mark.parametrize("name", EXACT)
@everywhere
def test_the_gradient_of_the_sum_is_that_of_the_mean_times_the_rows(name, level, dtype):
    x, t = predictions(name, 9, 5, dtype)
    loss, d, _ = lose(name, x, t, level=level)
    same, total, _ = lose(name, x, t, level=level, flags=1)
    assert same.tobytes() == loss.tobytes()
    assert_close(total, d.astype(np.float64) * 9, scale=np.abs(total).max())


@everywhere
def test_weights_that_make_a_mean_of_any_reduction(level, dtype):
    w, labels = np.array([0.5, 0, 2, 1], dtype), np.array([1, -1, 0, -1, 2, 2, -1, 0], np.int32)
    valid = labels != -1
    each = np.repeat(w, 2)

    def weigh(weights, flags, labels=None, repeat=2, mask=None):
        labels_out = None if labels is None else np.empty(8, np.int32)
        operands = [weights, labels, mask, np.empty(8, dtype), labels_out]
        out = run("loss_weights", operands, [8, repeat], [-1], level=level, flags=flags, dtype=np.dtype(dtype).name)
        return out[3], out[4]

    assert_close(weigh(w, 0)[0], each)
    assert_close(weigh(None, 1)[0], np.full(8, 8))
    assert_close(weigh(w, 1)[0], each * 8)
    assert_close(weigh(w, 2)[0], each * 8 / each.sum())
    assert_close(weigh(0 * w, 2)[0], np.zeros(8))
    ignoring, kept = weigh(w, 8, labels)
    assert_close(ignoring, each * valid)
    assert kept.tolist() == [1, 0, 0, 0, 2, 2, 0, 0]
    assert_close(weigh(w, 8 | 4, labels)[0], each * valid * 8 / valid.sum())
    assert_close(weigh(None, 8 | 2, labels)[0], valid * 8 / valid.sum())
    mask = np.array([1, 1, 0, 0, 1, 1, 1, 1], np.uint8)
    both = valid * mask
    masked, kept = weigh(w, 8 | 4, labels, mask=mask)
    assert_close(masked, each * both * 8 / both.sum())
    assert kept.tolist() == [1, 0, 0, 0, 2, 2, 0, 0]
    assert_close(weigh(w, 8 | 1, labels, mask=mask)[0], each * both * 8)
    assert_close(weigh(w, 8 | 4, labels, mask=0 * mask)[0], np.zeros(8))
    assert_close(weigh(None, 8 | 1, labels)[0], valid * 8)
    assert_close(weigh(None, 8 | 4, np.full(8, -1, np.int32))[0], np.zeros(8))


@everywhere
def test_kinks_and_extremes_of_the_pointwise_losses(level, dtype):
    def one(name, x, t, **settings):
        loss, d, _ = lose(name, np.array([[x]], dtype), np.array([[t]], dtype), level=level, **settings)
        return float(loss[0]), float(d[0, 0])

    for name in ("mean_absolute_error", "mean_absolute_percentage_error", "quantile"):
        assert one(name, 0.5, 0.5) == (0, 0)
    assert one("hinge", 1, 1) == (0, -1) and one("hinge", -1, 0) == (0, 1) and one("hinge", 2, 1)[1] == 0
    assert one("huber", 1e30, 0)[1] == np.array(DELTA, dtype)
    loss, d = one("log_cosh", 1e4, 0)
    assert_close(np.array(loss, dtype), 1e4 - np.log(2)), assert_close(np.array(d, dtype), 1)
    for name, x, low in (("mean_squared_logarithmic_error", -0.5, True), ("kl_divergence", -0.5, True),
                         ("kl_divergence", 1.5, False)):
        assert one(name, x, 0.5)[1] == 0
        assert_close(np.array(one(name, x, 0.5)[0], dtype), one(name, EPSILON if low else 1, 0.5)[0])
    for p, t, exact in ((0, 0, 0), (1, 1, 0), (1, 0, -np.log(EPSILON) * (1 - ALPHA))):
        loss, d = one("binary_focal", p, t)
        assert np.isfinite(d)
        np.testing.assert_allclose(loss, exact, rtol=2e-2 if dtype == "float32" else 1e-6, atol=1e-6)
    for z, t in ((1e4, 1), (-1e4, 0)):
        assert one("sigmoid_focal", z, t) == (0, 0)
    loss, d = one("sigmoid_focal", -1e4, 1)
    np.testing.assert_allclose((loss, d), (ALPHA * 1e4, -ALPHA), rtol=1e-6)
    zero = np.zeros((1, 3), dtype)
    loss, d, _ = lose("cosine_similarity", zero, np.eye(3, dtype=dtype)[:1], level=level)
    assert loss[0] == 0 and np.isfinite(d).all()
    loss, d, _ = lose("categorical_hinge", zero, np.eye(3, dtype=dtype)[:1], level=level)
    assert loss[0] == 1
    assert_close(d, [[-1, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_powers_of_the_focal_losses(gamma):
    p, t = np.array([[0.2, 0.7, 0.9], [0.5, 0.0, 1.0]]), np.array([[1.0, 0, 1], [0, 0, 1]])
    out = run("binary_focal", [p, t, None, None, np.empty(2)], [2, 3, 1], [EPSILON, 0, gamma, 1, 1], dtype="float64")
    m = t * (1 - p) + (1 - t) * p
    exact = (np.where((m == 0) & (gamma == 0), 1, m ** gamma) * each_binary(p, t, EPSILON)).mean(-1)
    np.testing.assert_allclose(out[-1], exact, rtol=1e-12)
