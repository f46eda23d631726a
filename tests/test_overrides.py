"""A method of a built-in class that a user overrides is called, or refused: never passed over."""

import numpy as np
import pytest

import fastnn
from fastnn import constraints, layers, losses, metrics, optimizers, regularizers
from fastnn.constraints import Constraint
from fastnn.layers import Dense, Layer
from fastnn.losses import Loss
from fastnn.metrics.lowering import written_in_python
from fastnn.optimizers import schedules
from fastnn.regularizers import Regularizer

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = X.sum(1, keepdims=True) ** 2


def classes(registry):
    return sorted(set(registry.by_name.values()), key=lambda cls: cls.__name__)


def method(*_, **__):
    raise AssertionError("called")


def overriding(cls, name):
    return type(f"My{cls.__name__}", (cls,), {name: method})


@pytest.fixture(autouse=True)
def same_weights():
    """Nets that a test makes by ``net`` begin alike."""
    fastnn.utils.set_random_seed(3)


def net(*objects, loss="mse", optimizer=None):
    model = fastnn.Sequential([fastnn.Input((3,)), *objects])
    fastnn.utils.set_random_seed(3)                  # for the layers of the next
    model.compile(optimizer or fastnn.optimizers.SGD(0.05), loss)
    return model


# over all registries


@pytest.mark.parametrize("cls", classes(losses._registry))
def test_call_of_every_loss(cls):
    mine = overriding(cls, "call")
    with pytest.raises(AssertionError, match="called"):
        mine()(np.ones((4, 1) if cls.integer_targets else (4, 3)), np.full((4, 3), 0.5))
    with pytest.raises(NotImplementedError, match=f"My{cls.__name__}.__call__ would never be called: write call"):
        overriding(cls, "__call__")


@pytest.mark.parametrize("cls", classes(regularizers._registry))
def test_call_of_every_regularizer(cls):
    with pytest.raises(AssertionError, match="called"):
        net(Dense(1, kernel_regularizer=overriding(cls, "__call__")())).evaluate(X, Y, verbose=0)
    with pytest.raises(ValueError, match="has no gradient"):
        net(Dense(1, kernel_regularizer=overriding(cls, "__call__")())).fit(X, Y, verbose=0)
    with pytest.raises(AssertionError, match="called"):
        net(Dense(3, kernel_regularizer=overriding(cls, "gradient")())).fit(X, X, verbose=0)


@pytest.mark.parametrize("cls", classes(constraints._registry))
def test_call_of_every_constraint(cls):
    with pytest.raises(AssertionError, match="called"):
        net(Dense(1, kernel_constraint=overriding(cls, "__call__")())).fit(X, Y, verbose=0)


@pytest.mark.parametrize("cls", classes(layers.registry))
def test_call_of_every_layer(cls):
    assert overriding(cls, "call").lower is Layer.lower
    for name in ("__call__", "compute_mask"):
        with pytest.raises(NotImplementedError, match=f"My{cls.__name__}.{name} would never be called"):
            overriding(cls, name)


@pytest.mark.parametrize("name", ["update_step", "apply", "apply_gradients"])
@pytest.mark.parametrize("cls", classes(optimizers._registry))
def test_steps_of_every_optimizer(cls, name):
    with pytest.raises(NotImplementedError, match=f"My{cls.__name__}.{name} would never be called: .*lower_update"):
        overriding(cls, name)


@pytest.mark.parametrize("cls", classes(schedules._registry))
def test_call_of_every_schedule(cls):
    mine = overriding(cls, "__call__")
    with pytest.raises(AssertionError, match="called"):
        mine.rates(object.__new__(mine), 0, 2)


@pytest.mark.parametrize("name", ["update_state", "result", "reset_state"])
@pytest.mark.parametrize("cls", classes(metrics._registry))
def test_methods_of_every_metric(cls, name):
    assert written_in_python(object.__new__(overriding(cls, name)))


@pytest.mark.parametrize("name", ["train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "call",
                                  "make_train_function"])
def test_steps_of_models(name):
    with pytest.raises(NotImplementedError, match=f"MySequential.{name} would never be called: .*apply_gradients"):
        overriding(fastnn.Sequential, name)
    mixin = type("Mixin", (), {name: method})
    with pytest.raises(NotImplementedError, match=f"Mixin.{name}"):
        type("Mine", (mixin, fastnn.Sequential), {})


def test_models_that_override_nothing_of_these_are_as_before():
    class Mine(fastnn.Sequential):
        def fit(self, *args, **kwargs):
            return super().fit(*args, verbose=0, **kwargs)

    model = Mine([fastnn.Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(X, Y).history["loss"]) == 1
    assert Mine.lower is fastnn.Sequential.lower


# that they are taken


def trained(model):
    model.fit(X, Y, epochs=3, verbose=0)
    return model.get_weights()


def test_a_dense_layer_with_a_call_of_its_own():
    class Mine(Dense):
        def call(self, x):
            return x @ self.kernel + self.bias

        def call_gradient(self, dy, x, y):
            return dy @ self.kernel.numpy().T, x.T @ dy, dy.sum(0)

    for ours, theirs in zip(trained(net(Mine(4, name="one"), Dense(1, name="two"))),
                            trained(net(Dense(4, name="one"), Dense(1, name="two")))):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_what_the_super_class_does_not_have_is_told():
    class Mine(Dense):
        def call(self, x):
            return super().call(x)

    class Twice(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    with pytest.raises(NotImplementedError, match=r"super\(\).call: .* x @ self.kernel"):
        Mine(2)(X)
    with pytest.raises(NotImplementedError, match=r"Twice has no call\(\) in Python to build on"):
        Twice()(Y, Y)


def test_lowering_that_is_nearer_than_call_counts():
    class Mine(Dense):
        def call(self, x):
            raise AssertionError("not this one")

    class Lowered(Mine):
        lower = Dense.lower
    assert Lowered(2)(X).shape == (8, 2)


def test_a_loss_with_a_call_of_its_own():
    class Twice(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            error = y_pred - y_true
            return 2 * (error ** 2).mean(-1), 4 * error / error.shape[-1]

    theirs = trained(net(Dense(1), optimizer=fastnn.optimizers.SGD(0.1)))
    for ours, other in zip(trained(net(Dense(1), loss=Twice())), theirs):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_a_regularizer_with_a_call_of_its_own():
    class Twice(regularizers.L2):
        def __call__(self, x):
            return 2 * self.l2 * (x ** 2).sum()

        def gradient(self, x):
            return 4 * self.l2 * x

    for ours, other in zip(trained(net(Dense(1, kernel_regularizer=Twice(0.1)))),
                           trained(net(Dense(1, kernel_regularizer=regularizers.L2(0.2))))):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_a_constraint_with_a_call_of_its_own():
    class AtMost(constraints.NonNeg):
        def __call__(self, w):
            return np.minimum(super().__call__(w), 0.1)

    kernel = trained(net(Dense(1, kernel_constraint=AtMost())))[0]
    assert kernel.min() >= 0 and kernel.max() <= np.float32(0.1)


def test_built_in_classes_stay_as_they_are():
    for cls, base in ((losses.MeanSquaredError, Loss), (regularizers.L2, Regularizer), (constraints.NonNeg, Constraint),
                      (Dense, Layer)):
        mine = type("Mine", (cls,), {"get_config": method})
        assert mine.lower is cls.lower is not base.lower
