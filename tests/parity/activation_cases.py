"""Activation functions with all their arguments, inside layers and as layers, forward and through training."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

FUNCTIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "sigmoid", "log_sigmoid", "hard_sigmoid"),
    *("sparse_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "softplus", "squareplus"),
    *("sparse_plus", "softsign", "silu", "swish", "hard_silu", "hard_swish", "gelu", "mish", "exponential"),
)
NAMES = (*FUNCTIONS, "softmax", "log_softmax")
ARGUMENTS = {
    "relu_slope": ("relu", {"negative_slope": 0.25}),
    "relu_top": ("relu", {"max_value": 2.0}),
    "relu_edge": ("relu", {"threshold": 1.0}),
    "relu_negative_edge": ("relu", {"threshold": -1.0}),
    "relu_slope_top": ("relu", {"negative_slope": 0.25, "max_value": 2.0}),
    "relu_slope_edge": ("relu", {"negative_slope": 0.25, "threshold": 1.0}),
    "relu_top_edge": ("relu", {"max_value": 2.0, "threshold": 0.5}),
    "relu_all": ("relu", {"negative_slope": 0.25, "max_value": 2.0, "threshold": 0.5}),
    "relu_top_below_edge": ("relu", {"max_value": 0.5, "threshold": 1.0}),
    "relu_negative_top": ("relu", {"max_value": -1.0}),
    "relu_negative_slope": ("relu", {"negative_slope": -0.5}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.05}),
    "elu": ("elu", {"alpha": 0.5}),
    "elu_negative": ("elu", {"alpha": -0.5}),
    "celu": ("celu", {"alpha": 2.0}),
    "gelu": ("gelu", {"approximate": True}),
    "hard_shrink": ("hard_shrink", {"threshold": 1.5}),
    "soft_shrink": ("soft_shrink", {"threshold": 1.5}),
    "squareplus": ("squareplus", {"b": 0.5}),
    "softmax_0": ("softmax", {"axis": 0}),
    "softmax_1": ("softmax", {"axis": 1}),
    "softmax_pair": ("softmax", {"axis": (1, 2)}),
    "log_softmax_0": ("log_softmax", {"axis": 0}),
    "log_softmax_1": ("log_softmax", {"axis": 1}),
}
LAYERS = {
    "relu": ("ReLU", {}),
    "relu_top": ("ReLU", {"max_value": 1.5}),
    "relu_slope": ("ReLU", {"negative_slope": 0.25}),
    "relu_edge": ("ReLU", {"threshold": 0.5}),
    "relu_all": ("ReLU", {"max_value": 1.5, "negative_slope": 0.25, "threshold": 0.5}),
    "leaky_relu": ("LeakyReLU", {}),
    "leaky_relu_slope": ("LeakyReLU", {"negative_slope": 0.05}),
    "leaky_relu_alpha": ("LeakyReLU", {"alpha": 0.1}),
    "elu": ("ELU", {}),
    "elu_alpha": ("ELU", {"alpha": 0.5}),
    "softmax": ("Softmax", {}),
    "softmax_1": ("Softmax", {"axis": 1}),
    "prelu": ("PReLU", {}),
    "prelu_initial": ("PReLU", {"alpha_initializer": "ones"}),
    "prelu_shared": ("PReLU", {"shared_axes": [1]}),
}
DEEP = {
    "softmax_pair": ("Softmax", {"axis": (1, 2)}),
    "softmax_2": ("Softmax", {"axis": 2}),
    "prelu_shared_2": ("PReLU", {"shared_axes": [2]}),
    "prelu_shared_both": ("PReLU", {"shared_axes": [1, 2]}),
    "prelu_shared_ends": ("PReLU", {"shared_axes": [1, 3]}),
    "prelu_shared_last": ("PReLU", {"shared_axes": 3}),
}


def wide():
    """Numbers of every size, among them zeros and those at which a careless formula overflows or loses its digits."""
    ends = [-1e4, -200, -88, -30, -6, -3, -1, -0.5, -1e-3, 0.0, 1e-3, 0.5, 1, 3, 6, 30, 88, 200]
    return np.array(ends, dtype="float32")


def function(K, name):
    """The function of arrays of rank 1, 2 and 3, far out, in float64, and its argument given by name."""
    f = getattr(K.activations, name)
    x = inputs(2, 3, 5)
    result = {"rank_3": f(x), "rank_2": f(x[0]), "rank_1": f(x[0, 0]), "named": f(x=2 * x)}
    result["far"] = f(wide()[:-1] if name == "exponential" else wide())
    double = np.asarray(f(x.astype("float64")))
    return {k: np.asarray(v) for k, v in result.items()} | {"double": double, "dtype": np.array(double.dtype.name)}


def number(K, name):
    """The function of a Python number and of a list."""
    f = getattr(K.activations, name)
    return {"number": np.asarray(f(0.7), "float32"), "list": np.asarray(f([[-0.7, 0.4], [2.5, -3.5]]))}


def with_arguments(K, name, arguments):
    """The function with its arguments by name, and by position."""
    f, x = getattr(K.activations, name), 2 * inputs(4, 3, 5)
    result = {"output": np.asarray(f(x, **arguments))}
    return result | ({"positional": np.asarray(f(x, *arguments.values()))} if len(arguments) == 1 and
                     name != "relu" else {})


def in_dense(K, name):
    """A Dense layer with the activation: its output, and four steps of a net that learns through it."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(7, activation=name), K.layers.Dense(2)])
    return trained(K, model, inputs(13, 4), targets("reals", 13, classes=2))


def trained(K, model, x, y):
    """Output before, losses and weights after four steps of SGD."""
    set_weights(model).compile(optimizer=K.optimizers.SGD(learning_rate=0.01), loss="mse")
    before = model.predict(x, verbose=0)
    losses = model.fit(x, y, batch_size=len(x), epochs=4, verbose=0).history["loss"]
    return {"before": before, "losses": losses} | named_weights(model.get_weights())


def as_layer(K, name, options, shape):
    """A layer between two Dense layers: output, losses and weights of training; and the layer called on an array."""
    layer = getattr(K.layers, name)(**options)
    called = np.asarray(getattr(K.layers, name)(**options)(3 * inputs(6, *shape)))
    model = K.Sequential([K.Input(shape), K.layers.Dense(shape[-1]), layer, K.layers.Flatten(), K.layers.Dense(2)])
    return {"called": called} | trained(K, model, inputs(9, *shape), targets("reals", 9, classes=2))


def prelu_weights(K, shared_axes, shape):
    """The shape of alpha, its name, and that it is trained."""
    layer = K.layers.PReLU(alpha_initializer="ones", shared_axes=shared_axes)
    K.Sequential([K.Input(shape), layer])
    (alpha,) = layer.trainable_weights
    return {"shape": np.array(alpha.shape), "name": np.array(alpha.name), "value": np.asarray(alpha.numpy())}


def layer_as_activation(K):
    """A layer handed to another as its activation."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(6, activation=K.layers.LeakyReLU(negative_slope=0.1))])
    return {"output": set_weights(model).predict(inputs(5, 4), verbose=0)}


def names(K):
    """What the strings stand for, and what serialize makes of the functions."""
    A = K.activations
    return {"found": np.array([A.get(name).__name__ for name in NAMES] + [A.get(None).__name__]),
            "saved": np.array([A.serialize(A.get(name)) for name in NAMES]),
            "loaded": np.array([A.deserialize(name).__name__ for name in FUNCTIONS if not name.endswith("swish")])}


CASES = {f"function_{name}": partial(function, name=name) for name in NAMES}
CASES |= {f"number_{name}": partial(number, name=name) for name in FUNCTIONS[1:]
          if name not in ("hard_shrink", "soft_shrink", "sparse_plus", "tanh_shrink")}
CASES |= {f"arguments_{case}": partial(with_arguments, name=name, arguments=arguments)
          for case, (name, arguments) in ARGUMENTS.items()}
CASES |= {f"dense_{name}": partial(in_dense, name=name) for name in NAMES}
CASES |= {f"layer_{case}_rank_{len(shape) + 1}": partial(as_layer, name=name, options=options, shape=shape)
          for case, (name, options) in LAYERS.items() for shape in ((5,), (3, 5))}
CASES |= {f"layer_{case}_rank_4": partial(as_layer, name=name, options=options, shape=(3, 2, 5))
          for case, (name, options) in DEEP.items()}
CASES |= {f"prelu_weights_{'_'.join(map(str, axes))}": partial(prelu_weights, shared_axes=axes, shape=(3, 2, 5))
          for axes in ([1], [2], [3], [1, 2], [1, 3], [1, 2, 3])}
CASES |= {"layer_as_activation": layer_as_activation, "names": names}
