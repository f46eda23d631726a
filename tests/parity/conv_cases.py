"""Convolution layers over their settings: outputs, and three steps of training through some."""

from functools import partial
from itertools import product

import numpy as np
from seeded import inputs, named_weights

SHAPES = {1: (2, 11, 4), 2: (1, 9, 10, 2)}            # of the inputs
# strides and dilation: the layers that mix channels take one of them above 1
SPREAD = ((1, 1), (2, 1), (3, 1), (1, 2))


def make(K, kind, options):
    """The layer of this name with these arguments."""
    return getattr(K.layers, kind)(**options)


def outputs(K, kind, rank, settings):
    """What the layer gives with each of the settings, by their name."""
    result, x = {}, inputs(*SHAPES[rank])
    for name, options in settings.items():
        layer = make(K, kind, options)
        layer(x)                                # builds it
        small_weights([layer])
        result[name] = np.asarray(layer(x))
    return result


def channels_first(K, kind, rank):
    """What the layer gives with channels first: softmax goes along the last axis, whatever stands there.

    Keras on CPUs has it with oneDNN alone, which sums in another order and is off for recording: it exchanges the axes.
    """
    result, x = {}, inputs(*SHAPES[rank])
    options = {"kernel_size": 3} if "Depthwise" in kind else {"filters": 5, "kernel_size": 3}
    for name in ("relu", "softmax", "log_softmax"):
        keras = K.__name__.startswith("keras")
        layer = make(K, kind, options if keras else {**options, "data_format": "channels_first", "activation": name})
        given = x if keras else np.moveaxis(x, -1, 1)
        layer(given)
        small_weights([layer])
        y = np.asarray(layer(given))
        result[name] = np.asarray(K.activations.get(name)(np.moveaxis(y, -1, 1))) if keras else y
    return result


def small_weights(layers):
    """Give the layers weights with which signals keep their size."""
    rng = np.random.default_rng(2)
    for layer in layers:
        layer.set_weights([(rng.normal(size=w.shape) / np.sqrt(np.prod(w.shape[:-1]))).astype("float32")
                           for w in layer.get_weights()])


def training(K, kind, rank, options):
    """Three steps through the layer between two Dense layers; losses, weights, predictions."""
    shape = SHAPES[rank][1:]
    model = K.Sequential([K.Input(shape), K.layers.Dense(shape[-1], activation="tanh"), make(K, kind, options),
                          K.layers.Flatten(), K.layers.Dense(2)])
    small_weights(model.layers)
    model.compile(optimizer=K.optimizers.SGD(0.005), loss="mse")
    x, y = inputs(11, *shape), inputs(11, 2, seed=5)
    losses = model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0).history["loss"]
    return {"loss": losses, "predict": model.predict(x, verbose=0)} | named_weights(model.get_weights())


def named(grid):
    """{a name: keyword arguments} for each dict, the name being made of its values."""
    return {"_".join(str(v).replace(" ", "") for v in options.values()): options for options in grid}


def convolutions(padding):
    """Kernel sizes, strides or dilation, and groups."""
    return named({"filters": 6, "kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "groups": groups,
                  "padding": padding} for kernel, (strides, dilation), groups in product((1, 2, 3, 5), SPREAD, (1, 2)))


def depthwise(padding):
    return named({"kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "depth_multiplier": multiplier,
                  "padding": padding} for kernel, (strides, dilation), multiplier in product(
                      (1, 2, 3), (*SPREAD, (2, 2)), (1, 2)))


def separable(padding):
    return named({"filters": 5, "kernel_size": 3, "strides": strides, "dilation_rate": dilation, "depth_multiplier": 2,
                  "padding": padding} for strides, dilation in (*SPREAD, (2, 2)))


def transposed(padding):
    return named({"filters": 3, "kernel_size": kernel, "strides": strides, "output_padding": more, "padding": padding}
                 for kernel, (strides, more) in product(
                     (1, 2, 3, 4), ((1, None), (2, None), (3, None), (2, 1), (3, 1), (3, 2))))


SIDES = named([
    {"filters": 5, "kernel_size": (3, 2), "strides": (2, 1), "padding": "same"},
    {"filters": 5, "kernel_size": (1, 3), "dilation_rate": (1, 2)},
    {"filters": 5, "kernel_size": [9, 10]},
    {"filters": 5, "kernel_size": 5, "use_bias": False},
    {"filters": 5, "kernel_size": 5, "padding": "SAME", "activation": "relu"},
])
KINDS = [("Conv{}D", convolutions), ("DepthwiseConv{}D", depthwise), ("SeparableConv{}D", separable),
         ("Conv{}DTranspose", transposed)]
TRAINED = {
    **{f"conv{rank}d_{kernel}_{strides}_{dilation}_{padding}_{groups}": (f"Conv{rank}D", {
        "filters": 6, "kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "groups": groups,
        "padding": padding}) for rank, (kernel, strides, dilation, padding, groups) in product((1, 2), (
            (3, 1, 1, "valid", 1), (3, 1, 1, "same", 2), (2, 3, 1, "same", 1), (3, 2, 1, "valid", 2),
            (3, 1, 2, "same", 1), (1, 1, 1, "valid", 1), (5, 2, 1, "same", 1)))},
    "conv1d_causal": ("Conv1D", {"filters": 6, "kernel_size": 3, "dilation_rate": 2, "padding": "causal"}),
    "conv2d_relu": ("Conv2D", {"filters": 6, "kernel_size": 3, "activation": "relu"}),
    **{f"depthwise{rank}d_{strides}": (f"DepthwiseConv{rank}D", {
        "kernel_size": 3, "strides": strides, "depth_multiplier": 2, "padding": "same"})
       for rank, strides in product((1, 2), (1, 2))},
    **{f"separable{rank}d_{strides}": (f"SeparableConv{rank}D", {
        "filters": 5, "kernel_size": 3, "strides": strides, "activation": "tanh"})
       for rank, strides in product((1, 2), (1, 2))},
    **{f"transpose{rank}d_{strides}_{padding}": (f"Conv{rank}DTranspose", {
        "filters": 3, "kernel_size": 3, "strides": strides, "padding": padding})
       for rank, strides, padding in product((1, 2), (1, 2), ("valid", "same"))},
}

CASES = {f"{kind.format(rank).lower()}_{padding}": partial(outputs, kind=kind.format(rank), rank=rank,
                                                           settings=settings(padding))
         for rank, (kind, settings), padding in product((1, 2), KINDS, ("valid", "same"))}
CASES |= {
    "conv1d_causal": partial(outputs, kind="Conv1D", rank=1, settings=convolutions("causal")),
    "conv2d_sides": partial(outputs, kind="Conv2D", rank=2, settings=SIDES),
}
CASES |= {f"{kind.format(rank).lower()}_first": partial(channels_first, kind=kind.format(rank), rank=rank)
          for rank, (kind, _) in product((1, 2), KINDS)}
CASES |= {f"trained_{name}": partial(training, kind=kind, rank=1 if "1D" in kind else 2, options=options)
          for name, (kind, options) in TRAINED.items()}
