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


def layer_call(K, make, shape, scale=1.0):
    """The layer on an array, in inference and in training, and its weights' shapes."""
    layer = make(K)
    model = set_weights(K.Sequential([K.Input(shape[1:]), layer]))
    x = scale * inputs(*shape) + 0.5
    result = outputs(model, x) | {"training": np.asarray(layer(x, training=True))}
    return result | {"output_shape": model.output_shape[1:]} | named_weights(model.get_weights())


def layer_training(K, make, shape=(6, 5), before=True):
    """Three steps through the layer between two Dense layers; losses, weights, predictions."""
    first = [K.layers.Dense(shape[-1], activation="tanh")] if before else []
    flat = [K.layers.Flatten()] if len(shape) > 1 else []
    model = K.Sequential([K.Input(shape), *first, make(K), *flat, K.layers.Dense(2)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse")
    x, y = inputs(11, *shape), inputs(11, 2, seed=5)
    losses = model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0).history["loss"]
    return {"loss": losses, "predict": model.predict(x, verbose=0)} | named_weights(model.get_weights())


def noise_statistics(K, make, value=0.0):
    """Mean, deviation and extremes of what a random layer makes of 200000 equal numbers."""
    K.utils.set_random_seed(0)
    y = np.asarray(make(K)(np.full((200, 1000), value, "float32"), training=True))
    return {"mean": y.mean(), "deviation": y.std(), "largest_share": np.unique(y, return_counts=True)[1].max() / y.size}


def noise_shape(K, shape):
    """How many different rows, steps and features of the mask there are along each axis of (20, 6, 5)."""
    K.utils.set_random_seed(0)
    kept = np.asarray(K.layers.Dropout(0.5, noise_shape=shape)(np.ones((20, 6, 5), "float32"), training=True)) != 0
    return {"shared": [bool((kept == kept.take([0], axis)).all()) for axis in range(3)]}


def normalization_adapted(K, axis=-1, shape=(40, 3), **options):
    """Normalization after adapt: outputs and weights."""
    layer = K.layers.Normalization(axis=axis, **options)
    x = 3 * inputs(*shape) + np.arange(shape[-1], dtype="float32")
    layer.adapt(x)
    mean, variance, _ = layer.get_weights()          # the third, a count, Keras leaves at 0
    return {"call": np.asarray(layer(x)), "mean": mean, "variance": variance,
            "broadcast_mean": np.asarray(layer.mean)}


def masked_output(K, value, rank):
    """Masking sets masked steps to 0."""
    x = np.round(inputs(4, 5, 2) if rank == 3 else inputs(9, 2))
    x[1, 2:] = value
    return outputs(K.Sequential([K.Input(x.shape[1:]), K.layers.Masking(value)]), x)


def masked_training(K, loss="mse", rank=3, weighted=False, outputs=2):
    """A net over masked steps: the loss and mean metrics leave them out."""
    shape = (5, 3) if rank == 3 else (3,)
    x, y = inputs(11, *shape), inputs(11, *shape[:-1], outputs, seed=5)
    x[::3] = 0
    if rank == 3:
        x[:, 3:] = 0
        x[4] = 0
    model = K.Sequential([K.Input(shape), K.layers.Masking(), K.layers.Dense(4, activation="tanh"),
                          K.layers.LayerNormalization(), K.layers.Dense(outputs)])
    loss = K.losses.MeanSquaredError(reduction=loss) if loss in ("sum", "mean_with_sample_weight") else loss
    metrics = {"metrics": ["mae", K.metrics.MeanSquaredError(name="mse_metric")]}
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.05), loss=loss, **metrics)
    options = {"sample_weight": np.linspace(0.5, 2, 11).astype("float32")} if weighted else {}
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **options).history
    evaluated = model.evaluate(x, y, batch_size=11, verbose=0, **options)
    return {name: values for name, values in history.items()} | {"evaluate": evaluated} | named_weights(
        model.get_weights())


LAYERS = {
    "layer_norm": (lambda K: K.layers.LayerNormalization(), (4, 7)),
    "layer_norm_rank_3": (lambda K: K.layers.LayerNormalization(epsilon=0.1), (4, 3, 5)),
    "layer_norm_axis_1": (lambda K: K.layers.LayerNormalization(axis=1), (4, 3, 5)),
    "layer_norm_axes": (lambda K: K.layers.LayerNormalization(axis=[1, 2]), (4, 3, 5)),
    "layer_norm_axes_apart": (lambda K: K.layers.LayerNormalization(axis=(1, 3)), (4, 3, 2, 5)),
    "layer_norm_plain": (lambda K: K.layers.LayerNormalization(center=False, scale=False), (4, 7)),
    "layer_norm_no_scale": (lambda K: K.layers.LayerNormalization(scale=False), (4, 7)),
    "rms_norm": (lambda K: K.layers.RMSNormalization(), (4, 7)),
    "rms_norm_rank_3": (lambda K: K.layers.RMSNormalization(epsilon=0.1), (4, 3, 5)),
    "unit_norm": (lambda K: K.layers.UnitNormalization(), (4, 7)),
    "unit_norm_axis_1": (lambda K: K.layers.UnitNormalization(axis=1), (4, 3, 5)),
    "unit_norm_axes": (lambda K: K.layers.UnitNormalization(axis=[1, 2]), (4, 3, 5)),
    "reshape": (lambda K: K.layers.Reshape((5, 3)), (4, 3, 5)),
    "reshape_rest": (lambda K: K.layers.Reshape((-1, 2)), (4, 6, 5)),
    "reshape_flat": (lambda K: K.layers.Reshape((30,)), (4, 6, 5)),
    "identity": (lambda K: K.layers.Identity(), (4, 3)),
    "activity_regularization": (lambda K: K.layers.ActivityRegularization(0.1, 0.1), (4, 3)),
    "rescaling": (lambda K: K.layers.Rescaling(1 / 127.5, offset=-1), (4, 3, 5)),
    "rescaling_list": (lambda K: K.layers.Rescaling([0.5, 2.0, 3.0], [1.0, 0.0, -1.0]), (4, 5, 3)),
    "normalization_given": (lambda K: K.layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.25]), (4, 2)),
    "normalization_invert": (lambda K: K.layers.Normalization(mean=1.0, variance=4.0, axis=None, invert=True), (4, 2)),
    "normalization_axis_1": (
        lambda K: K.layers.Normalization(axis=1, mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0]), (4, 3, 2)),
    "normalization_zero_variance": (lambda K: K.layers.Normalization(mean=[1.0], variance=[0.0]), (4, 1)),
    "flatten_data_format": (lambda K: K.layers.Flatten(data_format="channels_last"), (4, 3, 2)),
}
TRAINED = {
    **{name: LAYERS[name][0] for name in ("layer_norm", "layer_norm_plain", "rms_norm", "unit_norm", "identity",
                                          "rescaling", "activity_regularization")},
    "layer_norm_axis_1": lambda K: K.layers.LayerNormalization(axis=1),
    "layer_norm_axes": lambda K: K.layers.LayerNormalization(axis=[1, 2]),
    "unit_norm_axis_1": lambda K: K.layers.UnitNormalization(axis=1),
    "batch_norm_axis_1": lambda K: K.layers.BatchNormalization(axis=1),
    "reshape": lambda K: K.layers.Reshape((5, 6)),
    "normalization": lambda K: K.layers.Normalization(mean=[0.1] * 5, variance=[4.0] * 5),
}
NOISE = {
    "gaussian_noise": (lambda K: K.layers.GaussianNoise(0.5), 0.0),
    "gaussian_dropout": (lambda K: K.layers.GaussianDropout(0.2), 2.0),
    "alpha_dropout": (lambda K: K.layers.AlphaDropout(0.3), 1.0),
    "dropout": (lambda K: K.layers.Dropout(0.3), 1.0),
}

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
CASES |= {f"layer_{name}": partial(layer_call, make=make, shape=shape) for name, (make, shape) in LAYERS.items()}
CASES |= {f"trained_{name}": partial(layer_training, make=make) for name, make in TRAINED.items()}
CASES |= {f"noise_{name}": partial(noise_statistics, make=make, value=value) for name, (make, value) in NOISE.items()}
CASES |= {f"masking_{value}_{rank}": partial(masked_output, value=value, rank=rank)
          for value, rank in product((0.0, -1.0), (2, 3))}
CASES |= {
    "masked_training": masked_training,
    "masked_training_mae": partial(masked_training, loss="mae"),
    "masked_training_sum": partial(masked_training, loss="sum"),
    "masked_training_share": partial(masked_training, loss="mean_with_sample_weight"),
    "masked_training_rank_2": partial(masked_training, rank=2),
    "masked_training_rank_2_weighted": partial(masked_training, rank=2, weighted=True),
    "noise_shape_none": partial(noise_shape, shape=(None, 1, None)),
    "noise_shape_steps": partial(noise_shape, shape=(20, 1, 5)),
    "noise_shape_rows": partial(noise_shape, shape=(1, 6, 1)),
    "adapted": normalization_adapted,
    "adapted_axis_1": partial(normalization_adapted, axis=1, shape=(10, 4, 3)),
    "adapted_axes": partial(normalization_adapted, axis=(1, 2), shape=(10, 4, 3)),
    "adapted_all": partial(normalization_adapted, axis=None, shape=(10, 4, 3)),
    "adapted_invert": partial(normalization_adapted, invert=True),
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
