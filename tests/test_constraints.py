"""Constraints on arrays and in programs. The kernel: test_optimizer_options.py; formulas: parity."""
import json

import numpy as np
import pytest
from nets import blobs

import fastnn
from fastnn import constraints, optimizers
from fastnn.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from fastnn.layers import Dense

ALL = [MaxNorm(0.5), MaxNorm(0.5, axis=1), MaxNorm(0.5, axis=[0, 1]), MaxNorm(0.5, axis=None), NonNeg(), UnitNorm(),
       UnitNorm(axis=-1), MinMaxNorm(0.5, 0.8), MinMaxNorm(0.5, 0.8, 0.3, 1)]


class Rounded(constraints.Constraint):
    """A constraint of a user's."""

    def __call__(self, w):
        return np.round(w)


class Doubled(MaxNorm):
    """One of fastnn's, changed by a user."""

    def __call__(self, w):
        return 2 * super().__call__(w)


def step_with(constraint, dtype="float32"):
    """(weights after an ordinary step, weights after a step with the constraint)."""
    rng = np.random.default_rng(0)
    start, gradient = rng.standard_normal((5, 7)).astype(dtype), rng.standard_normal((5, 7))
    results = []
    for chosen in (None, constraint):
        layer = Dense(7, kernel_constraint=chosen, dtype=dtype)
        layer.build((None, 5))
        layer.kernel.assign(start)
        optimizers.SGD(0.1).apply_gradients([(gradient, layer.kernel)])
        results.append(layer.kernel.numpy())
    return results


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("constraint", [*ALL, Rounded(), Doubled(0.5)], ids=repr)
def test_a_step_and_a_call_agree(constraint, dtype):
    free, held = step_with(constraint, dtype)
    np.testing.assert_allclose(held, constraint(free), rtol=10 * np.finfo(dtype).eps)
    assert not np.allclose(held, free)


def test_a_function_of_the_users():
    free, held = step_with(lambda w: np.clip(w, -0.1, 0.1))
    np.testing.assert_array_equal(held, np.clip(free, -0.1, 0.1))


@pytest.mark.parametrize("constraint", ALL, ids=repr)
def test_settings(constraint):
    described = json.loads(json.dumps(constraints.serialize(constraint)))
    again = constraints.get(described)
    assert type(again) is type(constraint) and again.get_config() == constraint.get_config()
    layer = Dense(3, kernel_constraint=constraint)
    assert Dense.from_config(layer.get_config()).kernel_constraint.get_config() == constraint.get_config()


def test_get():
    assert constraints.get(None) is None
    assert constraints.get(ALL[0]) is ALL[0]
    assert type(constraints.get("max_norm")) is type(constraints.get("MaxNorm")) is type(constraints.get(MaxNorm))
    assert constraints.max_norm is MaxNorm and constraints.non_neg is NonNeg
    assert isinstance(constraints.get(Rounded), Rounded)
    with fastnn._describe.custom_object_scope({"Rounded": Rounded}):
        assert isinstance(constraints.get("Rounded"), Rounded)
    with pytest.raises(ValueError, match="Did you mean 'max_norm'"):
        constraints.get("maxnrm")


def test_weights_hold_after_every_step_of_fit():
    x, y = blobs(64, 4)
    model = fastnn.Sequential([
        fastnn.Input((4,)), Dense(16, activation="tanh", kernel_constraint=MaxNorm(0.7), bias_constraint="non_neg"),
        Dense(3, kernel_constraint=UnitNorm(axis=1), activation="softmax")])
    model.compile(optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    for _ in range(5):
        model.fit(x, y, batch_size=16, verbose=0)
        first, bias, second, _ = model.get_weights()
        norms = np.linalg.norm(first, axis=0)
        assert norms.max() <= 0.7 * (1 + 1e-6) and (bias >= 0).all() and norms.max() > 0.69
        np.testing.assert_allclose(np.linalg.norm(second, axis=1), 1, rtol=1e-6)


def test_lists_and_results():
    result = NonNeg()([[1.0, -2.0]])
    assert result.tolist() == [[1.0, 0.0]] and result.numpy().dtype == np.float64
    assert UnitNorm()(np.zeros((3, 2), "float32")).tolist() == [[0, 0]] * 3
    assert constraints.Constraint().get_config() == {}


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="`axis`"):
        MaxNorm(axis=2)(np.ones((2, 2)))
    with pytest.raises(ValueError, match="shape"):
        step_with(lambda w: w[:1])


def test_a_constraint_that_raises_does_so_before_anything_changes():
    def refuse(w):
        raise ZeroDivisionError("on purpose")

    x, y = blobs(16, 4)
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(3, kernel_constraint=refuse, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()[0]
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert model.optimizer.iterations == 0
