"""Regularizers: values, gradients, and what they do to a step of training."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, assert_slope, everywhere, run, threads_for

import fastnn
from fastnn import regularizers
from fastnn.layers import ActivityRegularization, Dense
from fastnn.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

L1_FACTOR, L2_FACTOR = 0.3, 0.7


class Quartic(Regularizer):
    """A regularizer of a user's."""

    def __init__(self, factor=0.5):
        self.factor = factor

    def __call__(self, x):
        return self.factor * np.sum(np.asarray(x) ** 4)

    def gradient(self, x):
        return 4 * self.factor * x ** 3


class NoGradient(Regularizer):
    def __call__(self, x):
        return float(np.abs(x).max())


@everywhere
def test_penalty(level, dtype):
    for n in (*SIZES, 1000):
        x = np.random.default_rng(n).normal(0, 1, n).astype(dtype)
        exact = L1_FACTOR * np.abs(x, dtype="float64").sum() + L2_FACTOR * np.square(x, dtype="float64").sum()
        settings = {"level": level, "dtype": dtype, "scalars": [L1_FACTOR, L2_FACTOR]}
        after = run("penalty", [x, None, np.empty(1)], [n, 1], **settings)[2]
        assert_close(after, [exact])
        after = run("penalty", [x, np.array([5.0]), np.empty(1)], [n, 4], **settings)[2]
        assert_close(after, [5 + exact / 4])


@everywhere
def test_penalty_gradient(level, dtype):
    for n in SIZES:
        x, earlier = np.random.default_rng(n).normal(0, 1, (2, n)).astype(dtype)
        x[::5] = 0
        settings = {"level": level, "dtype": dtype, "scalars": [L1_FACTOR, L2_FACTOR], "threads": threads_for(n)}
        exact = (L1_FACTOR * np.sign(x) + 2 * L2_FACTOR * x.astype("float64")) / 4
        own = run("penalty_gradient", [x, None, np.empty_like(x)], [n, 4], **settings)[2]
        assert_close(own, exact, scale=1)
        total = run("penalty_gradient", [x, earlier, np.empty_like(x)], [n, 4], **settings)[2]
        assert_close(total, exact + earlier, scale=1)
        in_place = run("penalty_gradient", [x, earlier, None], [n, 4], alias={2: 1}, **settings)[1]
        assert np.array_equal(in_place, total)


@everywhere
def test_add_penalty(level, dtype):
    for n in SIZES:
        losses = np.random.default_rng(n).random(n).astype(dtype)
        operands = [losses, np.array([0.25]), np.empty_like(losses)]
        out = run("add_penalty", operands, [n], level=level, dtype=dtype)[2]
        assert np.array_equal(out, losses + losses.dtype.type(0.25))


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_gradient_of_the_orthogonal_one(mode):
    regularizer = OrthogonalRegularizer(0.3, mode)
    x = np.random.default_rng(0).normal(0, 1, (4, 3))
    assert_slope(regularizer.gradient(x), lambda x: float(regularizer(x)), x)
    assert regularizer(np.eye(3)) == 0


def step(layer, x, y, **options):
    """(logged loss, gradients of all weights) of one step of plain SGD with rate 1 in float64."""
    model = fastnn.Sequential([fastnn.Input(x.shape[1:]), layer, Dense(2)])
    model.compile(fastnn.optimizers.SGD(1.0), "mse")
    before = model.get_weights()
    loss = model.fit(x, y, batch_size=len(x), verbose=0, **options).history["loss"][0]
    return model, loss, before, [a - b for a, b in zip(before, model.get_weights())]


@pytest.mark.parametrize("make", [L1, L2, lambda: L1L2(0.2, 0.3), OrthogonalRegularizer, Quartic])
@pytest.mark.parametrize("place", ["kernel_regularizer", "bias_regularizer", "activity_regularizer"])
def test_loss_and_gradients_of_a_step(make, place, float64):
    """Against central differences of the loss that is logged."""
    if make is OrthogonalRegularizer and place == "bias_regularizer":
        pytest.skip("needs a matrix")
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (5, 4)), rng.normal(0, 1, (5, 2))
    layer = Dense(3, activation="tanh", bias_initializer=fastnn.initializers.RandomNormal(), **{place: make()})
    model, loss, before, gradients = step(layer, x, y)

    def loss_with(i, value):
        model.set_weights([value if j == i else w for j, w in enumerate(before)])
        return model.evaluate(x, y, verbose=0)

    model.set_weights(before)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(loss, rel=1e-12)
    for i, gradient in enumerate(gradients):
        assert_slope(gradient, lambda value, i=i: loss_with(i, value), before[i])


def test_a_net_without_regularizers_has_the_operations_it_had():
    def kernels(**options):
        model = fastnn.Sequential([fastnn.Input((4,)), Dense(3, **options), Dense(2)])
        model.compile("sgd", "mse")
        return [o.label for o in model.program().operations]
    plain, regular = kernels(), kernels(kernel_regularizer="l2")
    assert not any("penalty" in name for name in plain)
    assert [name for name in regular if "penalty" not in name] == plain, "the gradient is added where it lies"


def test_frozen_weights_have_no_penalty():
    layer = Dense(3, kernel_regularizer="l2")
    model = fastnn.Sequential([fastnn.Input((4,)), layer, Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 4), "float32"), np.zeros((8, 1), "float32")
    with_penalty = model.evaluate(x, y, verbose=0)
    layer.trainable = False
    without = model.evaluate(x, y, verbose=0)
    assert with_penalty - without == pytest.approx(float(L2()(layer.kernel.numpy())), rel=1e-4)


def test_one_penalty_for_a_layer_used_twice_and_one_for_each_output():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (6, 3)).astype("float32")
    layer = Dense(3, kernel_regularizer="l2", activity_regularizer="l2", use_bias=False, name="twice")
    inner = fastnn.Sequential([fastnn.Input((3,)), layer])
    model = fastnn.Sequential([fastnn.Input((3,)), inner, ActivityRegularization(l1=0.1)])
    model.compile("sgd", "mse")
    y = model.predict(x, verbose=0)
    expected = L2()(layer.kernel.numpy()) + L2()(y) / 6 + L1(0.1)(y) / 6
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_regularizer_without_gradient_is_refused_in_training_only():
    x, y = np.ones((8, 4), "float32"), np.zeros((8, 3), "float32")
    for given in (NoGradient(), lambda x: 0.01 * np.abs(x).sum()):
        model = fastnn.Sequential([fastnn.Input((4,)), Dense(3, kernel_regularizer=given)])
        model.compile("sgd", "mse")
        assert model.evaluate(x, y, verbose=0) > 0
        with pytest.raises(ValueError, match=r"has no gradient.*gradient\(self, x\)"):
            model.fit(x, y, verbose=0)


def test_names_and_descriptions():
    assert type(regularizers.get("l1")) is L1 and type(regularizers.get("L1L2")) is L1L2
    assert type(regularizers.get("l1_l2")) is L1L2 and type(regularizers.get(L2)) is L2
    assert regularizers.get(None) is None
    for regularizer in (L1(0.1), L2(0.2), L1L2(0.1, 0.2), OrthogonalRegularizer(0.3, "columns")):
        again = regularizers.deserialize(regularizers.serialize(regularizer))
        assert type(again) is type(regularizer) and again.get_config() == regularizer.get_config()
    described = regularizers.serialize(Quartic(0.25))
    assert regularizers.deserialize(described, {"Quartic": Quartic}).factor == 0.25
    with pytest.raises(ValueError, match=r"'l3'.*Did you mean"):
        regularizers.get("l3")
    layer = Dense(3, kernel_regularizer=L1L2(0.1, 0.2))
    assert Dense.from_config(layer.get_config()).kernel_regularizer.l2 == 0.2


@pytest.mark.parametrize("make", [lambda: L1(-1), lambda: L2("0.1"), lambda: L1L2(0.1, float("nan")),
                                  lambda: L1(float("inf")), lambda: OrthogonalRegularizer(0.1, "diagonal")])
def test_bad_settings(make):
    with pytest.raises(ValueError, match=r"`(l1|l2|mode)` must be"):
        make()
