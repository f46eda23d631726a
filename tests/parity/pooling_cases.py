"""Pooling over its settings: outputs, steps of training through some, and which of equal places get the gradient."""

from functools import partial
from itertools import product

import numpy as np
from layer_cases import layer_call, layer_training
from seeded import inputs

SHAPES = {1: (2, 11, 4), 2: (2, 9, 10, 3)}            # of the inputs
FIRST = {"data_format": "channels_first"}


def outputs(K, kind, rank, settings):
    """What the layer gives with each of the settings, by their name."""
    x = inputs(*SHAPES[rank])
    return {name: np.asarray(getattr(K.layers, kind)(**options)(x)) for name, options in settings.items()}


def windows(padding):
    """Windows and strides: smaller, equal, larger; and larger than the input."""
    grid = [*product((1, 2, 3, 5), (None, 1, 2, 4)), *(((13, 1),) if padding == "same" else ())]
    return {f"{size}_{strides}": {"pool_size": size, "strides": strides, "padding": padding} for size, strides in grid}


def sides(padding):
    """Rows and columns that differ."""
    return {f"{size}_{strides}": {"pool_size": size, "strides": strides, "padding": padding}
            for size, strides in (((3, 2), None), ((2, 4), (3, 1)), ([1, 10], (2, 2)), ((9, 10), 1))}


def equal_places(K, pooling, steps=4):
    """One step of training where several places are the largest, each with a gradient of its own."""
    x = np.zeros((2, steps, 2), "float32")
    x[..., 0] = [[1, 1, 0, 1][:steps], [0, 2, 2, 1][:steps]]
    x[..., 1] = np.arange(2 * steps).reshape(2, steps)
    model = K.Sequential([K.Input((steps, 2)), K.layers.Dense(1), pooling(K), K.layers.Flatten(), K.layers.Dense(1)])
    outer = model.layers[-1].get_weights()
    model.set_weights([np.array([[1.0], [0.0]]), np.zeros(1), np.full(outer[0].shape, 0.5), outer[1]])
    model.compile(optimizer=K.optimizers.SGD(0.01), loss="mse")
    model.fit(x, np.ones((2, 1), "float32"), batch_size=2, verbose=0)
    return {"kernel": model.get_weights()[0]}


def masked_mean(K, keepdims):
    """GlobalAveragePooling1D over the steps that a mask marks, and three steps of training through it."""
    x, y = inputs(7, 5, 3), inputs(7, 2, seed=5)
    x[::3, 3:] = 0
    x[1, :4] = 0
    model = K.Sequential([K.Input((5, 3)), K.layers.Masking(), K.layers.Dense(4, activation="tanh"),
                          K.layers.GlobalAveragePooling1D(keepdims=keepdims), K.layers.Flatten(), K.layers.Dense(2)])
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
    model.compile(optimizer=K.optimizers.SGD(0.1), loss="mse")
    losses = model.fit(x, y, batch_size=3, shuffle=False, epochs=2, verbose=0).history["loss"]
    return {"loss": losses, "predict": model.predict(x, verbose=0), "kernel": model.get_weights()[0]}


GLOBAL = [f"Global{kind}Pooling{rank}D" for kind, rank in product(("Max", "Average"), (1, 2))]
TRAINED = {
    f"{kind}{rank}d_{size}_{strides}_{padding}": (f"{kind}Pooling{rank}D", {
        "pool_size": size, "strides": strides, "padding": padding})
    for kind, rank, (size, strides, padding) in product(("Max", "Average"), (1, 2), (
        (2, None, "valid"), (2, None, "same"), (3, 2, "same"), (4, 3, "valid"), (2, 3, "same"), (5, 2, "same")))
}

CASES = {f"{kind.lower()}{rank}d_{padding}": partial(outputs, kind=f"{kind}Pooling{rank}D", rank=rank,
                                                     settings=windows(padding))
         for kind, rank, padding in product(("Max", "Average"), (1, 2), ("valid", "same"))}
CASES |= {f"{kind.lower()}2d_sides_{padding}": partial(outputs, kind=f"{kind}Pooling2D", rank=2,
                                                       settings=sides(padding))
          for kind, padding in product(("Max", "Average"), ("valid", "same"))}
CASES |= {f"{kind.lower()}{rank}d_first": partial(
    layer_call, make=partial(lambda K, name: getattr(K.layers, name)(2, padding="same", **FIRST),
                             name=f"{kind}Pooling{rank}D"), shape=SHAPES[rank])
          for kind, rank in product(("Max", "Average"), (1, 2))}
CASES |= {f"{name.lower()}_{keepdims}_{kind}": partial(
    layer_call, make=partial(lambda K, name, options: getattr(K.layers, name)(**options), name=name,
                             options={"keepdims": keepdims} | (FIRST if kind == "first" else {})),
    shape=SHAPES[int(name[-2])])
          for name, keepdims, kind in product(GLOBAL, (False, True), ("last", "first"))}
CASES |= {f"trained_{name}": partial(
    layer_training, make=partial(lambda K, kind, options: getattr(K.layers, kind)(**options), kind=kind,
                                 options=options), shape=SHAPES[int(kind[-2])][1:])
          for name, (kind, options) in TRAINED.items()}
CASES |= {f"trained_{name.lower()}": partial(
    layer_training, make=partial(lambda K, name: getattr(K.layers, name)(keepdims=True), name=name),
    shape=SHAPES[int(name[-2])][1:]) for name in GLOBAL}
CASES |= {
    "equal_places": partial(equal_places, pooling=lambda K: K.layers.MaxPooling1D(2)),
    "equal_places_overlapping": partial(equal_places, pooling=lambda K: K.layers.MaxPooling1D(3, 1)),
    "equal_places_of_all": partial(equal_places, pooling=lambda K: K.layers.GlobalMaxPooling1D()),
    "masked_mean": partial(masked_mean, keepdims=False),
    "masked_mean_keepdims": partial(masked_mean, keepdims=True),
}
