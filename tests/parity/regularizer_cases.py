"""Regularizers: their value on arrays, and what penalties do to logged losses and to weights in training."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets


def value(K, make, shape):
    """The penalty of an array."""
    return {"value": np.asarray(make(K)(inputs(*shape)))}


def from_string(K, name):
    """The regularizer behind a string."""
    return {"value": np.asarray(K.regularizers.get(name)(inputs(4, 3)))}


def training(K, first, last=None, trainable=True, rows=14, **compiled):
    """Two epochs of batches of 4, the last partial: losses of fit and evaluate, and the weights."""
    first, last = first(K), last(K) if last else {}
    middle = K.layers.Dense(6, activation="tanh", **first)
    model = K.Sequential([K.Input((4,)), middle, K.layers.Dense(3, **last)])
    middle.trainable = trainable
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse", **compiled)
    x, y = inputs(rows, 4), targets("reals", rows)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    result = {"loss": history.history["loss"], "evaluate": model.evaluate(x, y, batch_size=5, verbose=0)}
    return result | {"predict": model.predict(x, verbose=0)} | named_weights(model.get_weights())


def softmax_output(K):
    """A penalty on the very output that is fused with its loss."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, activation="softmax", activity_regularizer="l2")])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="categorical_crossentropy", metrics=["accuracy"])
    x, y = inputs(12, 4), targets("one_hot", 12)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return {"loss": history["loss"], "accuracy": history["accuracy"]} | named_weights(model.get_weights())


def activity_layer(K, rank):
    """ActivityRegularization inside a net, with weights of the samples."""
    shape = (5, 4) if rank == 3 else (4,)
    model = K.Sequential([K.Input(shape), K.layers.Dense(3), K.layers.ActivityRegularization(0.02, 0.03),
                          K.layers.Dense(2)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse")
    x, y = inputs(9, *shape), inputs(9, *shape[:-1], 2, seed=5)
    weights = np.linspace(0.5, 2, 9).astype("float32") if rank == 2 else None
    history = model.fit(x, y, sample_weight=weights, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return {"loss": history.history["loss"]} | named_weights(model.get_weights())


def layer_losses(K):
    """``layer.losses``: the penalties of the weights."""
    layer = K.layers.Dense(3, kernel_regularizer="l1", bias_regularizer=K.regularizers.L2(0.5), bias_initializer="ones")
    set_weights(K.Sequential([K.Input((4,)), layer]))
    return {"losses": np.sort([float(value) for value in layer.losses])}


def normalization(K):
    """Batch normalisation's own regularizers."""
    norm = K.layers.BatchNormalization(gamma_regularizer="l2", beta_regularizer=K.regularizers.L1(0.1))
    model = K.Sequential([K.Input((4,)), K.layers.Dense(5), norm, K.layers.Dense(1)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.05), loss="mse")
    x, y = inputs(10, 4), targets("real_column", 10)
    history = model.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    return {"loss": history.history["loss"]} | named_weights(model.get_weights())


MAKERS = {
    "l1": lambda K: K.regularizers.L1(0.3),
    "l1_default": lambda K: K.regularizers.L1(),
    "l2": lambda K: K.regularizers.L2(0.2),
    "l2_default": lambda K: K.regularizers.L2(),
    "l1l2": lambda K: K.regularizers.L1L2(l1=0.1, l2=0.7),
    "l1l2_default": lambda K: K.regularizers.L1L2(),
    "function_l1": lambda K: K.regularizers.l1(0.4),
    "function_l1_l2": lambda K: K.regularizers.l1_l2(l1=0.4, l2=0.1),
}
NETS = {
    "kernel_l1": (lambda K: {"kernel_regularizer": "l1"},),
    "kernel_l2": (lambda K: {"kernel_regularizer": K.regularizers.L2(0.1)},),
    "kernel_l1l2": (lambda K: {"kernel_regularizer": K.regularizers.L1L2(0.01, 0.1)},),
    "orthogonal_rows": (lambda K: {"kernel_regularizer": K.regularizers.OrthogonalRegularizer(0.1)},),
    "orthogonal_columns": (lambda K: {"kernel_regularizer": K.regularizers.OrthogonalRegularizer(1.0, "columns")},),
    "bias": (lambda K: {"bias_regularizer": "l2", "bias_initializer": "ones"},),
    "activity_l1": (lambda K: {"activity_regularizer": K.regularizers.L1(0.1)},),
    "activity_l2": (lambda K: {"activity_regularizer": K.regularizers.L2(0.1)},),
    "all": (lambda K: {"kernel_regularizer": "l1", "bias_regularizer": "l2", "activity_regularizer": "l2"},
            lambda K: {"kernel_regularizer": "l2", "activity_regularizer": "l1"}),
}

CASES = {f"value_{name}_{len(shape)}": partial(value, make=make, shape=shape)
         for name, make in MAKERS.items() for shape in ((5,), (4, 3), (2, 3, 7))}
CASES |= {f"string_{name}": partial(from_string, name=name) for name in ("l1", "l2", "L1", "L2", "L1L2")}
CASES |= {f"training_{name}": partial(training, **dict(zip(("first", "last"), nets))) for name, nets in NETS.items()}
CASES |= {
    "training_frozen": partial(training, first=NETS["all"][0], trainable=False),
    "softmax_output": softmax_output,
    "activity_layer_2": partial(activity_layer, rank=2),
    "activity_layer_3": partial(activity_layer, rank=3),
    "layer_losses": layer_losses,
    "batch_normalization": normalization,
}
