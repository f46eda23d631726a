"""Outputs of single layers, and what BatchNormalization and Dropout do in training."""

from functools import partial
from itertools import product

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

ACTIVATIONS = (None, "linear", "relu", "sigmoid", "tanh", "softmax")


def outputs(model, x):
    """What predict gives, and what calling the model gives."""
    return {"predict": model.predict(x, verbose=0), "call": np.asarray(model(x))}


def dense(K, activation, use_bias, shape):
    """Forward pass of one Dense layer."""
    x = inputs(*shape)
    layer = K.layers.Dense(6, activation=activation, use_bias=use_bias)
    return outputs(set_weights(K.Sequential([K.Input(shape[1:]), layer])), x)


def dense_wide(K):
    """Sizes that no vector width divides, in batches of 16 of which the last is partial."""
    model = K.Sequential([K.Input((131,)), K.layers.Dense(67, activation="tanh"), K.layers.Dense(19)])
    return {"predict": set_weights(model).predict(inputs(37, 131), batch_size=16, verbose=0)}


def activation_layer(K, activation):
    """Activation as a layer, on rank 3 and with inputs large enough to saturate."""
    model = K.Sequential([K.Input((3, 5)), K.layers.Activation(activation)])
    return outputs(model, 8 * inputs(4, 3, 5))


def activation_function(K, activation):
    """The function of keras.activations behind the string, also far out where a careless formula overflows."""
    x = np.array([[-200, -30, -1, -0.0, 1e-3, 2, 30, 200]], dtype="float32")
    return {"output": np.asarray(getattr(K.activations, activation)(x))}


def flatten(K, shape):
    """Flatten keeps the batch axis and the order of the others."""
    return outputs(K.Sequential([K.Input(shape[1:]), K.layers.Flatten()]), inputs(*shape))


def dropout_inference(K):
    """Dropout changes nothing in inference."""
    model = K.Sequential([K.Input((50,)), K.layers.Dropout(0.5)])
    x = inputs(4, 50)
    return outputs(model, x) | {"training_false": np.asarray(model(x, training=False))}


def dropout_training(K, rate):
    """The share of units kept and the value of a kept 1, over 200000 units."""
    K.utils.set_random_seed(0)
    y = np.asarray(K.layers.Dropout(rate)(np.ones((200, 1000), "float32"), training=True))
    return {"kept_share": np.mean(y != 0), "kept_value": np.unique(y[y != 0])}


def batch_norm_call(K, shape=(12, 5), **options):
    """The layer called in inference and in training; the call in training moves the statistics."""
    layer = K.layers.BatchNormalization(**options)
    model = set_weights(K.Sequential([K.Input(shape[1:]), layer]))
    x = 2 * inputs(*shape) + 1
    result = {"inference": np.asarray(layer(x)), "training": np.asarray(layer(x, training=True))}
    return result | named_weights(model.get_weights())


def batch_norm_training(K, trainable=True, **options):
    """Four training steps through BatchNormalization between two Dense layers; all weights after every step."""
    layer = K.layers.BatchNormalization(**options)
    model = K.Sequential([K.Input((4,)), K.layers.Dense(6), layer, K.layers.Dense(1)])
    layer.trainable = trainable
    set_weights(model).compile(optimizer=K.optimizers.SGD(learning_rate=0.1), loss="mse")
    losses, snapshots = [], []
    for step in range(4):
        x, y = inputs(10, 4, seed=10 + step), targets("real_column", 10, seed=20 + step)
        losses += model.fit(x, y, batch_size=10, verbose=0, shuffle=False).history["loss"]
        snapshots.append(model.get_weights())
    result = {"losses": losses, "predict": model.predict(inputs(6, 4, seed=30), verbose=0)}
    return result | named_weights(*snapshots)


def batch_norm_names(K, center, scale):
    """The weights that exist, in order: the statistics last, and not trainable."""
    layer = K.layers.BatchNormalization(center=center, scale=scale)
    K.Sequential([K.Input((4,)), layer])
    names = [[w.name for w in weights] for weights in (layer.weights, layer.trainable_weights)]
    return {"all": np.array(names[0]), "trainable": np.array(names[1], dtype="U20")}


BATCH_NORM = {
    "default": {},
    "no_center": {"center": False},
    "no_scale": {"scale": False},
    "plain": {"center": False, "scale": False},
    "momentum": {"momentum": 0.8},
    "epsilon": {"epsilon": 0.1},
}

CASES = {
    f"dense_{activation}_{'bias' if use_bias else 'no_bias'}_rank_{len(shape)}": partial(
        dense, activation=activation, use_bias=use_bias, shape=shape
    )
    for activation, use_bias, shape in product(ACTIVATIONS, (True, False), ((5, 4), (5, 3, 4)))
}
CASES |= {f"activation_layer_{name}": partial(activation_layer, activation=name) for name in ACTIVATIONS[1:]}
CASES |= {f"activation_function_{name}": partial(activation_function, activation=name) for name in ACTIVATIONS[1:]}
CASES |= {f"batch_norm_call_{name}": partial(batch_norm_call, **options) for name, options in BATCH_NORM.items()}
CASES |= {f"batch_norm_steps_{name}": partial(batch_norm_training, **options) for name, options in BATCH_NORM.items()}
CASES |= {
    f"batch_norm_names_{center}_{scale}": partial(batch_norm_names, center=center, scale=scale)
    for center, scale in product((True, False), repeat=2)
}
CASES |= {
    "dense_wide": dense_wide,
    "flatten_rank_2": partial(flatten, shape=(4, 5)),
    "flatten_rank_3": partial(flatten, shape=(4, 3, 5)),
    "flatten_rank_4": partial(flatten, shape=(4, 3, 2, 5)),
    "dropout_inference": dropout_inference,
    "dropout_training_0.5": partial(dropout_training, rate=0.5),
    "dropout_training_0.2": partial(dropout_training, rate=0.2),
    "batch_norm_call_rank_3": partial(batch_norm_call, shape=(6, 4, 5)),
    "batch_norm_call_axis_1": partial(batch_norm_call, shape=(6, 4, 5), axis=1),
    "batch_norm_steps_frozen": partial(batch_norm_training, trainable=False),
}
