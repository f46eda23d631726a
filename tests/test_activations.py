"""Activations as objects: calls on numbers and arrays, settings, descriptions; and the layers made of them."""
import copy
import inspect
import json
import pickle
from functools import partial

import numpy as np
import pytest
from layer_checks import check_gradients, check_layer

from fastnn import activations
from fastnn.layers import ELU, Activation, Dense, LeakyReLU, PReLU, ReLU, Softmax
from fastnn.program import Lowering
from fastnn.program.eager import Scalar, Tensor

NAMES = sorted({a.name for a in vars(activations).values() if isinstance(a, activations.Activation)})
LAYERS = {
    "relu": (lambda: ReLU(), (7, 5)),
    "relu, bounded": (lambda: ReLU(max_value=1.0), (7, 5)),
    "relu with a slope": (lambda: ReLU(negative_slope=0.2), (7, 3, 5)),
    "relu with all": (lambda: ReLU(1.5, 0.2, 0.3), (33, 17)),
    "leaky relu": (lambda: LeakyReLU(), (7, 5)),
    "elu": (lambda: ELU(0.7), (7, 5)),
    "softmax": (lambda: Softmax(), (5, 3, 4)),
    "softmax along axis 1": (lambda: Softmax(axis=1), (5, 3, 4)),
    "softmax along axis -2": (lambda: Softmax(axis=-2), (5, 3, 2, 4)),
    "softmax along two axes": (lambda: Softmax(axis=(1, 2)), (5, 3, 2, 4)),
    "softmax along the last two axes": (lambda: Softmax(axis=[2, 3]), (5, 3, 2, 4)),
    "log softmax along axis 1": (lambda: Activation(activations.log_softmax.having(axis=1)), (5, 3, 4)),
    "prelu": (lambda: PReLU("glorot_uniform"), (9, 5)),
    "prelu of rank 4": (lambda: PReLU("glorot_uniform"), (4, 3, 2, 5)),
    "prelu sharing axis 1": (lambda: PReLU("glorot_uniform", shared_axes=[1]), (4, 3, 2, 5)),
    "prelu sharing axis 2": (lambda: PReLU("glorot_uniform", shared_axes=2), (4, 3, 2, 5)),
    "prelu sharing axis 3": (lambda: PReLU("glorot_uniform", shared_axes=[3]), (4, 3, 2, 5)),
    "prelu sharing the first two": (lambda: PReLU("glorot_uniform", shared_axes=[1, 2]), (4, 3, 2, 5)),
    "prelu sharing the outer two": (lambda: PReLU("glorot_uniform", shared_axes=[1, 3]), (4, 3, 2, 5)),
    "prelu sharing all": (lambda: PReLU("glorot_uniform", shared_axes=[1, 2]), (17, 3, 2)),
}
LAYERS |= {name: (partial(Activation, name), (17, 3)) for name in NAMES}
LAYERS |= {"gelu by tanh": (lambda: Activation(activations.gelu.having(approximate=True)), (17, 3)),
           "dense mish": (lambda: Dense(5, activation="mish"), (7, 4)),
           "dense with a layer": (lambda: Dense(5, activation=LeakyReLU(0.1)), (7, 4))}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    check_layer(*LAYERS[name])


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, float64):
    make, shape = LAYERS[name]
    check_gradients(make(), shape)


@pytest.mark.parametrize("name", NAMES)
def test_calls_on_anything(name):
    f = getattr(activations, name)
    x = np.random.default_rng(0).normal(0, 2, (3, 4, 5)).astype("float32")
    y = f(x)
    assert type(y) is Tensor and y.dtype == np.float32 and y.shape == x.shape and type(y.numpy()) is np.ndarray
    assert not np.shares_memory(x, y)
    assert np.array_equal(f(np.asfortranarray(x)), y)
    assert np.array_equal(f(x.astype(object).tolist()), y), "lists are floatx"
    assert np.array_equal(f(x[0, 0]), y[0, 0]), "rank 1"
    assert f(x.astype("float64")).dtype == np.float64
    np.testing.assert_allclose(f(x.astype("float64")), y, rtol=2e-6, atol=1e-6)
    for array in (np.arange(4), np.arange(4, dtype="uint8"), np.arange(4.0, dtype="float16"), [0, 1, 2, 3]):
        z = f(array)
        assert z.dtype == np.float32 and np.array_equal(z, f(np.arange(4, dtype="float32")))
    if name not in ("softmax", "log_softmax"):
        for number in (0.7, np.float32(0.7), np.array(0.7), 1, True):
            assert type(f(number)) is Scalar
        assert f(0.7).numpy() == f(np.float32([0.7]))[0]
        assert f(np.zeros((0, 3), "float32")).shape == (0, 3)


def test_settings_are_those_of_the_formula():
    x = np.array([-2.0, -0.5, 0.5, 2.0, 8.0])
    cases = [
        (activations.relu(x, max_value=6), [0, 0, 0.5, 2, 6]),
        (activations.relu(x, 0.1), [-0.2, -0.05, 0.5, 2, 8]),
        (activations.relu(x, 0.5, 3.0, 1.0), [-1.5, -0.75, -0.25, 2, 3]),
        (activations.leaky_relu(x), [-0.4, -0.1, 0.5, 2, 8]),
        (activations.leaky_relu(x, negative_slope=-1), [2, 0.5, 0.5, 2, 8]),
        (activations.elu(x, 2.0), [2 * np.expm1(-2), 2 * np.expm1(-0.5), 0.5, 2, 8]),
        (activations.hard_shrink(x, threshold=1.0), [-2, 0, 0, 2, 8]),
        (activations.soft_shrink(x, 1.0), [-1, 0, 0, 1, 7]),
    ]
    for actual, expected in cases:
        np.testing.assert_allclose(actual, expected, rtol=1e-14)


def test_softmax_along_any_axis():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (0, 1, 2, -1, -2, -3, (0, 1), [1, 2], (0, 1, 2)):
        e = np.exp(x)
        axes = tuple(axis) if isinstance(axis, (tuple, list)) else axis
        expected = e / e.sum(axes, keepdims=True)
        np.testing.assert_allclose(activations.softmax(x, axis=axis), expected, rtol=1e-13)
        np.testing.assert_allclose(activations.log_softmax(x, axis), np.log(expected), rtol=1e-12)


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3, (1, 2), (2, 3), [1, 2, 3]])
def test_the_layer_takes_the_axis_of_the_function(axis):
    x = np.random.default_rng(0).normal(size=(5, 3, 2, 4)).astype("float32")
    np.testing.assert_allclose(Softmax(axis=axis)(x), activations.softmax(x, axis=axis), rtol=1e-6)
    log_softmax = Activation(activations.log_softmax.having(axis=axis))
    np.testing.assert_allclose(log_softmax(x), activations.log_softmax(x, axis=axis), rtol=1e-6)


@pytest.mark.parametrize("shared", [None, 1, [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]])
def test_prelu_shares_alpha_along_the_axes(shared):
    x = np.random.default_rng(0).normal(size=(6, 3, 2, 5)).astype("float32")
    layer = PReLU("glorot_uniform", shared_axes=shared)
    y, alpha = layer(x), layer.alpha.numpy()
    assert alpha.shape == tuple(1 if i + 1 in np.atleast_1d(shared or 0) else n for i, n in enumerate(x.shape[1:]))
    assert np.array_equal(y, np.where(x > 0, x, alpha * x))


def test_signatures_show_the_settings():
    assert str(inspect.signature(activations.elu)) == "(x, alpha=1.0)"
    assert str(inspect.signature(activations.relu)) == "(x, negative_slope=0.0, max_value=None, threshold=0.0)"
    with pytest.raises(TypeError, match="alpa"):
        activations.elu(1.0, alpa=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_description(name):
    f = activations.get(name)
    assert f is getattr(activations, name) is activations.get(f) is activations.deserialize(activations.serialize(f))
    assert activations.serialize(f) == name == f.__name__
    assert f.__doc__ and repr(f) == f"<activation {name}>"
    x = np.linspace(-3, 3, 7)
    for other in (copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert np.array_equal(other(x), f(x))


def test_descriptions_with_settings():
    for f in (activations.leaky_relu.having(0.05), activations.gelu.having(True), activations.relu.having(max_value=6),
              activations.softmax.having(axis=(1, 2))):
        described = json.loads(json.dumps(activations.serialize(f)))
        again = activations.get(described)
        x = 8 * np.random.default_rng(0).normal(size=(2, 3, 4))
        assert np.array_equal(again(x), f(x)) and not np.array_equal(getattr(activations, f.name)(x), f(x))
    assert activations.serialize(activations.relu.having()) == "relu"
    layer = Dense(3, activation=LeakyReLU(0.05))
    assert layer.get_config()["activation"] == {"class_name": "leaky_relu", "config": {"negative_slope": 0.05}}
    assert Dense.from_config(layer.get_config()).activation.settings == {"negative_slope": 0.05}


def test_aliases_and_custom_objects():
    assert activations.get("swish") is activations.silu and activations.get("hard_swish") is activations.hard_silu
    assert activations.get(None) is activations.linear
    mine = activations.leaky_relu.having(0.4)
    assert activations.deserialize("mine", custom_objects={"mine": mine}) is mine


@pytest.mark.parametrize(("identifier", "words"), [
    ("rellu", "Did you mean 'relu'"),
    (5, "activation function identifier: 5"),
    ({"class_name": "nope", "config": {}}, "'nope'"),
    ({"class_name": "elu", "config": {"beta": 1}}, "among ['alpha'], got {'beta': 1}"),
    ({"class_name": "elu", "config": {"alpha": "big"}}, "`alpha` must be a finite number, got 'big'"),
    ({"class_name": "elu", "config": [1]}, "among ['alpha'], got [1]"),
    ({"config": {}}, "activation function identifier"),
    (lambda x: x, "layers.Lambda"),
    (np.tanh, "'tanh' is a Python function"),
    (ReLU, "activation function identifier"),
])
def test_what_is_no_activation(identifier, words):
    with pytest.raises(ValueError) as caught:
        activations.get(identifier)
    assert words in str(caught.value)


def test_a_slope_below_zero_has_no_derivative_from_the_output():
    layer = Dense(3, activation={"class_name": "leaky_relu", "config": {"negative_slope": -0.5}})
    with pytest.raises(ValueError, match=r"negative_slope=-0\.5 must be at least 0 in a layer"):
        layer(np.zeros((2, 4), "float32"))


@pytest.mark.parametrize("name, kernels", [
    (ReLU(), ["relu_forward", "relu_backward"]),
    (ReLU(max_value=6), ["clipped_relu_forward", "clipped_relu_backward"]),
    (ReLU(negative_slope=0.1), ["leaky_relu_forward", "leaky_relu_backward"]),
    (Softmax(), ["softmax_forward", "softmax_backward"]),
    (Activation("gelu"), ["gelu_forward", "gelu_backward"]),
])
def test_which_kernels(name, kernels):
    """The planner and the losses look for relu, sigmoid, tanh and softmax by these names."""
    build = Lowering(True, "float32")
    x = build.gather((3,), "x")
    x.needs_gradient = True
    y, _ = name.lower(build, x)
    build.add_gradient(y, build.gather((3,), "dy"))
    build.differentiate()
    assert [o.kernel for o in build.operations if o.kernel != "gather"] == kernels


def test_alpha_of_leaky_relu_and_shared_axes():
    with pytest.warns(UserWarning, match="negative_slope"):
        layer = LeakyReLU(alpha=0.1)
    assert layer.negative_slope == 0.1 and layer.get_config()["negative_slope"] == 0.1
    layer = PReLU(shared_axes=[1, 2])
    layer(np.zeros((2, 4, 5, 3), "float32"))
    assert layer.alpha.shape == (1, 1, 3) and layer.alpha.path.endswith("/alpha") and not layer.alpha.numpy().any()
    with pytest.raises(ValueError, match="fits alpha of shape"):
        layer(np.zeros((2, 4, 5, 2), "float32"))
    layer(np.zeros((2, 7, 5, 3), "float32"))          # what is shared may have any size


def test_prelu_keeps_constraint_and_regularizer():
    layer = PReLU(alpha_regularizer="l2", alpha_constraint="non_neg")
    again = PReLU.from_config(layer.get_config())
    assert type(again.alpha_regularizer) is type(layer.alpha_regularizer) is not type(None)
    assert type(again.alpha_constraint) is type(layer.alpha_constraint) is not type(None)
    again.ensure_built((None, 3))
    assert again.alpha.regularizer is again.alpha_regularizer and again.alpha.constraint is again.alpha_constraint
