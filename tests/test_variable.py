"""Variables of one's own: values, arithmetic, and loops with apply_gradients."""

import numpy as np
import pytest

import fastnn
from fastnn import Variable


@pytest.mark.parametrize("arguments, value, dtype", [
    (([1.0, 2.0],), [1, 2], "float32"),
    ((3.0,), 3, "float32"),
    ((np.ones((2, 3)),), np.ones((2, 3)), "float64"),
    (([1.5], None, "float64"), [1.5], "float64"),
    ((np.arange(3),), [0, 1, 2], "int64"),
    (("ones", (2, 2)), np.ones((2, 2)), "float32"),
    (("zeros", 3), np.zeros(3), "float32"),
    ((fastnn.initializers.Constant(2.0), (2,), "float64"), [2, 2], "float64"),
    ((lambda shape, dtype: np.full(shape, 4), (1,)), [4], "float32"),
    ((Variable([1.0, 2.0]),), [1, 2], "float32"),
])
def test_the_value_comes_first_as_in_keras(arguments, value, dtype):
    variable = Variable(*arguments)
    np.testing.assert_array_equal(variable.numpy(), value)
    assert (variable.shape, variable.dtype, variable.trainable) == (np.shape(value), dtype, True)


def test_it_copies_its_value():
    array = np.zeros(3, "float32")
    Variable(array).assign([1, 2, 3])
    assert not array.any()


def test_names():
    assert Variable([1.0], name="w").name == Variable([1.0], name="w").path == "w"
    assert Variable(1.0).name.startswith("variable")
    assert Variable(1.0).name != Variable(1.0).name


@pytest.mark.parametrize("make, error, says", [
    (lambda: Variable("zeros"), ValueError, "`shape` must be given.*'zeros'"),
    (lambda: Variable(None), TypeError, "array of real numbers.*NoneType"),
    (lambda: Variable(["a"]), TypeError, "array of real numbers.*list: \\['a'\\]"),
    (lambda: Variable([1.0], name="a/b"), ValueError, "`name` must be a string without '/', got 'a/b'"),
    (lambda: Variable([1.0, 2.0]).assign([1.0]), ValueError, "has shape \\(2,\\)"),
])
def test_what_makes_no_variable_is_told(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_arithmetic_makes_new_arrays():
    w, x = Variable([1.0, 2.0]), np.arange(6, dtype="float32").reshape(3, 2)
    value = w.numpy()
    for ours, theirs in ((w + 1, value + 1), (2 * w, 2 * value), (x @ w, x @ value), (w @ w, value @ value),
                         (-w, -value), (w ** 2, value ** 2), (x - w, x - value), (w[1:], value[1:]), (w[0], value[0]),
                         (abs(-w), value), (np.exp(w), np.exp(value)), (w > 1, value > 1), (w == 2, value == 2),
                         (w.mean() if hasattr(w, "mean") else np.mean(w), value.mean())):
        np.testing.assert_array_equal(ours, theirs)
    assert (w + 1).numpy().dtype == np.float32
    assert w[0].numpy() == 1
    w[0][...] = 5
    w[:][0] = 5
    np.testing.assert_array_equal(w.numpy(), value)


def test_a_variable_is_equal_to_itself_alone():
    a, b = Variable([1.0]), Variable([1.0])
    assert a == a and a != b and a in [b, a] and b not in [a] and {a: 1}[a] == 1 and a != None   # noqa: E711


def test_numbers_of_single_variables():
    assert (float(Variable(2.5)), int(Variable(2)), bool(Variable(0.0)), len(Variable([1, 2]))) == (2.5, 2, False, 2)


def test_assignments():
    w = Variable([1.0, 2.0])
    assert w.assign_add([1, 1]) is w and w.assign_sub(0.5) is w
    np.testing.assert_array_equal(w.numpy(), [1.5, 2.5])
    with pytest.raises(TypeError, match="assign_add"):
        w += 1
    np.testing.assert_array_equal(w.numpy(), [1.5, 2.5])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_loop_of_ones_own(optimizer):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype("float32")
    y = x @ [1.0, -2.0, 0.5] + 3
    w, b = Variable("zeros", (3,), name="w"), Variable(0.0, name="b")
    optimizer = fastnn.optimizers.get(optimizer)
    optimizer.learning_rate = 0.1
    for _ in range(300):
        error = x @ w + b - y
        optimizer.apply_gradients(zip([2 * x.T @ error / len(x), 2 * error.mean()], [w, b]))
    np.testing.assert_allclose(w.numpy(), [1, -2, 0.5], atol=1e-2)
    assert float(b) == pytest.approx(3, abs=1e-2)


def test_weights_of_layers_are_such_variables():
    layer = fastnn.layers.Dense(2)
    layer(np.ones((1, 3)))
    assert isinstance(layer.kernel, Variable) and layer.kernel in layer.weights
    np.testing.assert_array_equal(np.ones((4, 3), "float32") @ layer.kernel,
                                  np.ones((4, 3), "float32") @ layer.kernel.numpy())


def test_swapped_pairs_and_none_are_refused():
    w, gradient = Variable([1.0, 2.0]), np.ones(2, "float32")
    optimizer = fastnn.optimizers.SGD(0.1)
    for call in (lambda: optimizer.apply_gradients(zip([w], [gradient])), lambda: optimizer.apply([w], [w])):
        with pytest.raises(ValueError, match=r"`grads\[0\]` must be a gradient, got .* gradients come first"):
            call()
    with pytest.raises(ValueError, match="at least one pair"):
        optimizer.apply_gradients([])
    assert not optimizer.built and gradient.all() and optimizer.iterations == 0
    optimizer.apply_gradients(zip([gradient], [w]))
    np.testing.assert_allclose(w.numpy(), [0.9, 1.9], rtol=1e-6)


def test_whole_numbers_cannot_be_trained():
    with pytest.raises(TypeError, match="must be float32 or float64, got int64"):
        fastnn.optimizers.SGD().apply_gradients([(np.ones(2), Variable([1, 2]))])
