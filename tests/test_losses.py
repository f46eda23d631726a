"""Losses as classes, functions and names; reductions, ignored classes, axes, and losses written in Python."""
import copy
import itertools
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import losses, testing
from fastnn.losses.arrays import ROWS
from fastnn.losses.functions import CLASS_OF
from fastnn.program import Lowering, Program

RNG = np.random.default_rng(0)
X, REALS = RNG.normal(size=(6, 4)), RNG.normal(size=(6, 3))
LABELS = np.array([0, 2, -1, 1, -1, 0])
HOT, W = np.eye(3)[np.abs(LABELS)], np.array([0.5, 0, 1, 2, 0.25, 1])
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)

# name: (loss, activation before it, targets)
CASES = {cls.__name__: (cls(), "sigmoid", HOT) for cls in CLASS_OF.values()}
CASES |= {f"{name}, logits": (getattr(losses, name)(from_logits=True), "linear", HOT) for name in (
    "BinaryCrossentropy", "CategoricalCrossentropy", "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")}
CASES |= {f"{name}, smoothed": (getattr(losses, name)(label_smoothing=0.2), "softmax", HOT) for name in (
    "BinaryCrossentropy", "CategoricalCrossentropy", "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")}
CASES |= {f"reduction {r}": (losses.LogCosh(reduction=r), "linear", REALS) for r in REDUCTIONS}
CASES |= {f"ignoring, reduction {r}": (
    losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction=r), "softmax", LABELS) for r in REDUCTIONS}
CASES |= {
    "SparseCategoricalCrossentropy": (losses.SparseCategoricalCrossentropy(), "softmax", np.abs(LABELS)),
    "sparse, logits": (losses.SparseCategoricalCrossentropy(from_logits=True), "linear", np.abs(LABELS)),
    "ignoring a class": (losses.SparseCategoricalCrossentropy(ignore_class=0), "linear", np.abs(LABELS)),
    "ignoring, logits": (losses.SparseCategoricalCrossentropy(True, ignore_class=-1), "linear", LABELS),
    "huber": (losses.Huber(0.3), "linear", REALS), "quantile": (losses.Quantile(0.9), "linear", REALS),
    "cosine": (losses.CosineSimilarity(), "linear", REALS), "hinge": (losses.Hinge(), "tanh", 2 * HOT - 1),
    "categorical hinge": (losses.CategoricalHinge(), "linear", HOT),
    "msle": (losses.MeanSquaredLogarithmicError(), "exponential", REALS ** 2),
    "poisson": (losses.Poisson(), "exponential", np.rint(REALS ** 2)),
    "focal": (losses.BinaryFocalCrossentropy(True, 0.6, 1.5), "sigmoid", HOT),
    "focal after softmax": (losses.BinaryFocalCrossentropy(True, 0.6, 1.5), "softmax", HOT),
    "categorical focal": (losses.CategoricalFocalCrossentropy(0.6, 1.5), "softmax", HOT),
    "divergence": (losses.KLDivergence(), "softmax", 0.8 * HOT + 0.1),
}


def lowered(loss, activation, x, y, weights, kernel):
    """(losses as the step counts them, gradient of the kernel) of loss(activation(x @ kernel), y), in float64."""
    build = Lowering(True, "float64")
    z = build.gather((*x.shape[1:-1], kernel.shape[1]), "z")
    z.needs_gradient = True
    output = fastnn.activations.get(activation).lower(build, z)
    target = loss.gather_target(build, output.shape)
    given = None if weights is None else build.gather((), "weights")
    values = loss.lower_reduced(build, output, target, given)
    build.differentiate()
    build.scatter(values, "values")
    build.scatter(build._gradients[z], "dz")
    results = np.empty((len(x), *values.shape)), np.empty((*x.shape[:-1], kernel.shape[1]))
    arrays = [x @ kernel, y, *([] if weights is None else [weights]), *results]
    assert Program(build, "loss").run(arrays, len(x), len(x)) is None
    return results[0], np.tensordot(x, results[1], (list(range(x.ndim - 1)),) * 2)


def check_slope(loss, activation, x, y, weights, units=3):
    kernel = np.random.default_rng(3).normal(size=(x.shape[-1], units))
    gradient = lowered(loss, activation, x, y, weights, kernel)[1]
    total = loss.reduction in ("none", None)

    def value(k):
        values = lowered(loss, activation, x, y, weights, k)[0]
        return values.sum() if total else values.mean()

    steps, numeric = 1e-5, np.empty_like(kernel)
    for i in np.ndindex(kernel.shape):
        d = np.zeros_like(kernel)
        d[i] = steps
        at = [value(kernel + f * d) for f in (-2, -1, 1, 2)]
        numeric[i] = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * steps)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8 * max(1, np.abs(numeric).max()))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_gradients_of_a_layer_before_the_loss(name, weighted):
    loss, activation, y = CASES[name]
    check_slope(loss, activation, X, y, W if weighted else None)


RANK_3 = {
    "mae": losses.MeanAbsoluteError(), "sum": losses.MeanSquaredError(reduction="sum"), "none": losses.LogCosh(None),
    "shared": losses.LogCosh("mean_with_sample_weight"), "divergence": losses.KLDivergence(),
    "cosine": losses.CosineSimilarity(1), "cosine from the end": losses.CosineSimilarity(-2),
    "softmax": losses.CategoricalCrossentropy(True, axis=1), "probabilities": losses.CategoricalCrossentropy(axis=1),
    "focal": losses.BinaryFocalCrossentropy(axis=1), "categorical focal": losses.CategoricalFocalCrossentropy(axis=1),
    "logits": losses.CategoricalFocalCrossentropy(from_logits=True, axis=-2),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", RANK_3)
def test_gradients_of_rank_3_along_any_axis(name, weighted):
    x, y = RNG.normal(size=(3, 4, 2)), RNG.uniform(0.1, 0.9, (3, 4, 3))
    check_slope(RANK_3[name], "sigmoid", x, y, W[:3] if weighted else None)


@pytest.mark.parametrize("name", [n for n, (loss, _, _) in CASES.items() if loss.reduction is not None])
def test_a_step_counts_what_a_call_on_arrays_gives(name):
    loss, activation, y = CASES[name]
    p = np.asarray(fastnn.activations.get(activation)(X @ REALS[:4]))
    for weights in (None, W):
        values = lowered(loss, "linear", X, y, weights, REALS[:4])[0] if activation == "linear" else None
        result = loss(y, p, weights)
        assert values is None or result == pytest.approx(values.mean(), rel=1e-12) or loss.reduction == "none"
        each = type(loss).from_config(loss.get_config() | {"reduction": None})(y, p)
        valid = np.ones(6) if loss.ignore_class is None else y != loss.ignore_class
        w = valid * (1 if weights is None else weights)
        share = {"sum": 1, "mean_with_sample_weight": w.sum()}.get(loss.reduction, valid.sum())
        if loss.reduction != "none":
            assert result == pytest.approx((each * w).sum() / share, rel=1e-12)


@pytest.mark.parametrize("function", CLASS_OF, ids=lambda f: f.__name__)
def test_functions_are_their_classes_without_reduction(function):
    cls = CLASS_OF[function]
    y = np.abs(LABELS) if cls.integer_targets else HOT
    p = RNG.uniform(0.1, 0.9, (6, 3)).astype("float32")
    values = function(y, p)
    assert values.shape == (6,) and values.dtype == np.float32
    assert np.array_equal(values, cls(reduction=None)(y, p))
    assert function(y[0], p[0]).numpy() == values[0] and function(y[0], p[0]).shape == ()
    assert isinstance(losses.get(function), cls) and isinstance(losses.get(function.__name__), cls)
    assert isinstance(losses.get(cls), cls) and isinstance(losses.get(cls.__name__), cls)
    assert function.__doc__.startswith("The loss of each row")
    # an activation that no loss here is fused with
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3, activation="hard_sigmoid")])
    model.compile("sgd", loss=function, metrics=[function])
    logs = model.evaluate(X, y, return_dict=True, verbose=0)
    assert logs[function.__name__] == pytest.approx(logs["loss"], rel=1e-5)


def test_functions_take_settings_by_place_and_name():
    y, p = np.array([[0.0, 1]]), np.array([[0.5, 3]])
    assert losses.huber(y, p, 0.5) == losses.huber(y, p, delta=0.5) == pytest.approx((0.125 + 0.5 * 1.75) / 2)
    assert losses.huber(y_pred=p, y_true=y) == pytest.approx((0.125 + 1.5) / 2)
    assert losses.mse is losses.MSE is losses.mean_squared_error and losses.kld is losses.kl_divergence
    with pytest.raises(TypeError, match="delta"):
        losses.mse(y, p, delta=1)


@pytest.mark.parametrize("name", CASES)
def test_descriptions_copies_and_pickles(name):
    loss, activation, y = CASES[name]
    again = losses.get(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    p = np.asarray(fastnn.activations.get(activation)(X @ REALS[:4]))
    expected = loss(y, p, W)
    for other in (again, copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert np.array_equal(other(y, p, W), expected)


def test_shapes_on_arrays():
    y, p = REALS[:, :1], REALS[:, 1:2]
    expected = losses.mse(y, p)
    for pair in ((y[:, 0], p), (y, p[:, 0])):
        assert np.array_equal(losses.mse(*pair), expected)
    assert losses.MeanSquaredError()(y[:, 0], p[:, 0]) == pytest.approx(expected.mean())
    assert losses.MeanSquaredError()(y[:0], p[:0]) == 0
    assert losses.mse(y.tolist(), p.tolist()).tolist() == expected.tolist()
    with testing.forced_threads(3):
        assert np.array_equal(losses.mse(y, p), expected)


def test_dtype_of_calls_on_arrays():
    y, p = REALS, REALS.astype("float32") + 1
    assert losses.MeanSquaredError(None)(y, p).dtype == np.float32
    assert losses.MeanSquaredError(None, dtype="float64")(y, p).dtype == np.float64
    assert losses.MeanSquaredError(None, dtype="float32")(y, REALS).dtype == np.float32


@pytest.mark.parametrize(("units", "y", "cls"), [
    (1, np.abs(LABELS) % 2, "binary"), (3, np.abs(LABELS), "sparse_categorical"), (3, HOT, "categorical"),
    (3, np.abs(LABELS)[:, None], "sparse_categorical")])
def test_crossentropy_by_shapes(units, y, cls):
    values = []
    for name in ("crossentropy", "ce", f"{cls}_crossentropy"):
        model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(
            units, "sigmoid" if units == 1 else "softmax", kernel_initializer="ones")])
        model.compile("sgd", name, metrics=[name])
        model.fit(X, y, verbose=0)
        values.append([*model.evaluate(X, y, verbose=0), *model.predict(X, verbose=0).ravel()])
    assert values[0] == values[1] == values[2] and values[0][0] == pytest.approx(values[0][1])
    p = model.predict(X, verbose=0)
    assert losses.get("ce")(y, p) == losses.get(f"{cls}_crossentropy")(y, p)


class Squares(losses.Loss):
    """A loss of the user's."""

    def call(self, y_true, y_pred):
        assert not y_pred.flags.writeable
        error = y_pred - y_true
        return (error ** 2).mean(-1), 2 * error / error.shape[-1]


def squares(y_true, y_pred):
    return Squares().call(y_true, y_pred)


def squares_alone(y_true, y_pred):
    return (y_pred - y_true) ** 2


def trained(loss, weights=None, y=REALS, activation=None, shape=(4,), x=X):
    fastnn.utils.set_random_seed(1)
    metrics = ["mae"] if y.shape == (len(x), *shape[:-1], 3) else None
    model = fastnn.Sequential([fastnn.Input(shape), fastnn.layers.Dense(3, activation)])
    model.compile("sgd", loss, metrics=metrics)
    history = model.fit(x, y, epochs=3, batch_size=4, sample_weight=weights, verbose=0).history
    return [history["loss"], *(w.ravel() for w in model.get_weights())]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [None, W])
def test_a_loss_in_python_trains_like_the_same_in_the_library(reduction, weights):
    expected = trained(losses.MeanSquaredError(reduction), weights)
    for a, b in zip(trained(Squares(reduction=reduction), weights), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    x, y = RNG.normal(size=(6, 5, 4)), RNG.normal(size=(6, 5, 3))
    settings = {"x": x, "y": y, "shape": (5, 4)}
    expected = trained(losses.MeanSquaredError(reduction), weights, **settings)
    for a, b in zip(trained(Squares(reduction=reduction), weights, **settings), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_functions_of_the_user():
    for a, b in zip(trained(squares), trained("mse"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    loss = losses.get(squares)
    assert loss(REALS, REALS + 1, W) == pytest.approx(W.mean()) == Squares()(REALS, REALS + 1, W)
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3)])
    model.compile("sgd", squares_alone, metrics=[squares_alone, Squares()])
    before = model.get_weights()
    loss, alone, pairs = model.evaluate(X, REALS, verbose=0)
    assert loss == pytest.approx(alone) == pytest.approx(pairs)
    with pytest.raises(ValueError, match="losses, gradient"):
        model.fit(X, REALS, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    with fastnn._describe.custom_object_scope({"squares": squares, "Squares": Squares}):
        assert losses.get(losses.serialize(losses.get(squares))).function is squares
        assert isinstance(losses.get(losses.serialize(Squares())), Squares)


def test_class_indices_for_a_loss_in_python():
    def sparse(y_true, y_pred):
        assert y_true.dtype == np.int32 and y_true.shape == (len(y_pred),)
        p, rows = y_pred, np.arange(len(y_pred))
        gradient = np.zeros_like(p)
        gradient[rows, y_true] = -1 / p[rows, y_true]
        return -np.log(p[rows, y_true]), gradient

    labels = np.abs(LABELS)
    for a, b in zip(trained(sparse, y=labels, activation="softmax"),
                    trained("sparse_categorical_crossentropy", y=labels, activation="softmax"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_fused_loss_leaves_no_trace_of_reductions_it_does_not_have():
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert "loss_weights" not in [o.kernel for o in model.program().operations]
    model.compile("sgd", losses.SparseCategoricalCrossentropy(reduction="sum"))
    assert "loss_weights" in [o.kernel for o in model.program().operations]
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3, "sigmoid")])
    model.compile("sgd", "binary_focal_crossentropy")
    kernels = [o.kernel for o in model.program().operations]
    assert "sigmoid_focal" in kernels and "sigmoid_forward" not in kernels


def test_large_arrays_go_through_in_pieces():
    """Losses of rows need memory for a piece of the rows; where they depend on each other they are one batch."""
    rows = 2 * ROWS + 7
    p, labels = RNG.dirichlet(np.ones(3), rows).astype("float32"), RNG.integers(0, 3, rows)
    weights = RNG.uniform(0, 2, rows).astype("float32")
    labels[::5] = -1
    for reduction, ignored in itertools.product(REDUCTIONS, (None, -1)):
        y = labels if ignored else np.abs(labels)
        for w in (None, weights):
            loss = losses.SparseCategoricalCrossentropy(reduction=reduction, ignore_class=ignored)
            found = loss(y, p, w)
            (program, _), = loss._programs.values()
            whole = reduction == "sum" or (reduction == "mean_with_sample_weight" and w is not None) or (
                ignored is not None and reduction not in ("none", None))
            assert program.plan(1).capacity == (rows if whole else ROWS)
            valid = np.ones(rows) if ignored is None else labels != -1
            each = -np.log(np.take_along_axis(p.astype("float64"), np.maximum(y, 0)[:, None], 1)[:, 0]) * valid
            weighed = each if w is None else each * w
            share = valid.sum() if w is None else (valid * w).sum()
            expected = {"sum": weighed.sum(), "none": weighed, None: weighed,
                        "mean_with_sample_weight": weighed.sum() / share}.get(reduction, weighed.sum() / valid.sum())
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    labels[-2] = 5
    with pytest.raises(ValueError, match=f"got 5 at row {rows - 2}"):
        losses.SparseCategoricalCrossentropy(reduction=None, ignore_class=-1)(labels, p)
    seen = []
    losses.get(lambda t, y: seen.append(len(y)) or np.zeros(len(y)))(p, p)
    assert seen == [rows]                                           # of a batch, as far as a loss in Python can tell


def test_what_shapes_call_for_is_made_once():
    lowered = []

    class Sparse(losses.Loss):
        scale = 1.0

        def call(self, y_true, y_pred):
            self.calls = getattr(self, "calls", 0) + 1
            return self.scale * np.ones(len(y_pred))

    p, labels = np.full((4, 3), 1 / 3, "float32"), np.arange(4) % 3
    by_shapes, own = losses.get("crossentropy"), Sparse()
    for loss in (by_shapes, own):
        assert loss.resolved((3,), ()) is loss.resolved((3,), ())
        assert loss.resolved((3,), ()) is not loss.resolved((3,), (3,))
        loss(labels, p)
        kept = loss.resolved((3,), ())._programs
        lowered.append(next(iter(kept.values())))
        loss(labels, p)
        assert list(kept.values()) == lowered[-1:]
        assert copy.deepcopy(loss)(labels, p) == loss(labels, p)
    own.scale = 3.0                                                 # what is changed later holds
    assert own(labels, p) == 3.0 and own.calls == 4
