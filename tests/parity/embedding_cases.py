"""Embedding: outputs, training with few rows used in a batch, and what becomes of its mask in the layers after it."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights

VOCABULARY, ROWS, STEPS = 12, 11, 6


def ids(*shape, seed=0, most=VOCABULARY, padded=True):
    """Ids, of which the last steps of some rows are 0, and all steps of one row."""
    x = np.random.default_rng(seed).integers(1, most, shape).astype("int32")
    if padded:
        x[::3, -2:] = 0
        x[4 % len(x)] = 0
    return x


def outputs(K):
    """The rows of the table for ids of any rank and dtype."""
    layer = K.layers.Embedding(VOCABULARY, 3)
    layer.build((None,))
    layer.set_weights([inputs(VOCABULARY, 3)])
    given = {"rank_1": ids(7, padded=False), "rank_2": ids(5, 4), "rank_3": ids(3, 2, 4)}
    given |= {dtype: ids(5, 4).astype(dtype) for dtype in ("int64", "uint8", "float32")}
    return {name: np.asarray(layer(x)) for name, x in given.items()}


def trained(K, optimizer="SGD", dtype="int32", settings=None, once=False, **options):
    """Batches that use few of the rows, and each other ones: the rest must stay, or go on as their momentum says.

    ``once``: no id comes twice in a batch. Keras on TensorFlow adds up the gradients of an id that does only after what
    it has computed of each, such as its square, which is not what its optimizers say, nor what Keras on JAX does.
    """
    settings = {name: make(K) if callable(make) else make for name, make in (settings or {}).items()}
    model = K.Sequential([K.Input((STEPS,), dtype=dtype), K.layers.Embedding(VOCABULARY, 4, **settings),
                          K.layers.Flatten(), K.layers.Dense(2)])
    set_weights(model).compile(optimizer=getattr(K.optimizers, optimizer)(0.05, **options), loss="mse")
    x = ids(ROWS, STEPS, most=5)
    x[ROWS // 2:] += VOCABULARY - 5
    if once:
        x = np.array([np.random.default_rng(i).permutation(VOCABULARY)[:STEPS] for i in range(ROWS)])
    history = model.fit(x.astype(dtype), inputs(ROWS, 2, seed=5), batch_size=1 if once else 3,
                        epochs=1 if once else 3, shuffle=False, verbose=0)
    return history.history | named_weights(model.get_weights())


def given_weights(K):
    """The table to begin with as an argument."""
    layer = K.layers.Embedding(VOCABULARY, 3, weights=[inputs(VOCABULARY, 3)])
    return {"output": np.asarray(layer(ids(4, 3))), "table": layer.get_weights()[0]}


def behind(K, layers):
    """Ids that come through other layers before."""
    model = K.Sequential([K.Input((STEPS,)), *layers(K), K.layers.Embedding(VOCABULARY, 2)])
    set_weights(model)
    return {"predict": model.predict(ids(ROWS, STEPS).astype("float32"), verbose=0)}


def masked(K, layers):
    """Layers behind a mask: what they give, and training, in whose loss masked steps have no part if the mask lasts."""
    model = K.Sequential([K.Input((STEPS,), dtype="int32"), K.layers.Embedding(VOCABULARY, 4, mask_zero=True),
                          *layers(K)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse", metrics=["mae"])
    x = ids(ROWS, STEPS)
    first = model.predict(x, verbose=0)
    y = inputs(*first.shape, seed=5)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return history | {"predict": first, "evaluate": model.evaluate(x, y, batch_size=4, verbose=0)} | named_weights(
        model.get_weights())


def nested(K):
    """A model that begins with an Embedding, in a model; and one by itself on the steps of rows."""
    inner = K.Sequential([K.Input((STEPS,), dtype="int32"), K.layers.Embedding(VOCABULARY, 4, mask_zero=True),
                          K.layers.Dense(3)])
    model = K.Sequential([K.Input((STEPS,), dtype="int32"), inner, K.layers.GlobalAveragePooling1D()])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse")
    x, y = ids(ROWS, STEPS)[[0, 1, 2, 3, 5]], inputs(5, 3, seed=5)
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history
    return history | {"predict": model.predict(x, verbose=0)} | named_weights(model.get_weights())


def sentences(K):
    """Words into classes: a mean of rows, weighed samples, accuracy."""
    model = K.Sequential([K.Input((STEPS,), dtype="int32"), K.layers.Embedding(VOCABULARY, 4),
                          K.layers.GlobalAveragePooling1D(), K.layers.Dense(3, activation="softmax")])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy",
                               metrics=["accuracy"])
    labels = np.random.default_rng(1).integers(0, 3, ROWS)
    weights = np.random.default_rng(2).uniform(0.5, 2, ROWS).astype("float32")
    history = model.fit(ids(ROWS, STEPS), labels, sample_weight=weights, batch_size=4, epochs=2, shuffle=False,
                        verbose=0)
    return history.history | {"predict": model.predict(ids(ROWS, STEPS), verbose=0)}


MASKED = {
    "alone": lambda L: [],
    "dense": lambda L: [L.Dense(3, activation="tanh")],
    "activation": lambda L: [L.Activation("sigmoid")],
    "relu": lambda L: [L.LeakyReLU(), L.PReLU()],
    "softmax": lambda L: [L.Activation("softmax")],
    "identity": lambda L: [L.Identity(), L.ActivityRegularization(0.01)],
    "dropout": lambda L: [L.Dropout(0.0), L.SpatialDropout1D(0.0), L.GaussianNoise(0.0)],
    "flatten": lambda L: [L.Flatten(), L.Dense(2)],
    "reshape": lambda L: [L.Reshape((STEPS, 2, 2)), L.Dense(2)],
    "reshape_same": lambda L: [L.Reshape((STEPS, 4)), L.Dense(2)],
    "permute": lambda L: [L.Permute((2, 1)), L.Dense(2)],
    "layer_normalization": lambda L: [L.LayerNormalization(), L.Dense(2)],
    "rms_normalization": lambda L: [L.RMSNormalization(), L.Dense(2)],
    "unit_normalization": lambda L: [L.UnitNormalization(), L.Dense(2)],
    "group_normalization": lambda L: [L.GroupNormalization(2), L.Dense(2)],
    "rescaling": lambda L: [L.Rescaling(2.0, 0.5), L.Dense(2)],
    "max_pooling": lambda L: [L.GlobalMaxPooling1D(), L.Dense(2)],
    "pooling": lambda L: [L.MaxPooling1D(2), L.AveragePooling1D(2, 1, "same"), L.Dense(2)],
    "convolution": lambda L: [L.Conv1D(3, 3, padding="same"), L.Dense(2)],
    "padding": lambda L: [L.ZeroPadding1D(1), L.Cropping1D(1), L.Dense(2)],
    "masking": lambda L: [L.Masking(), L.Dense(2)],
}
OPTIMIZERS = {"SGD": {"momentum": 0.9, "nesterov": True}, "Adam": {"amsgrad": True}, "RMSprop": {"momentum": 0.5},
              "Adagrad": {}, "AdamW": {"weight_decay": 0.1}, "Lion": {}, "Adadelta": {}, "Nadam": {}}
SETTINGS = {
    "regularizer": {"embeddings_regularizer": lambda K: K.regularizers.L1L2(0.01, 0.02)},
    "constraint": {"embeddings_constraint": lambda K: K.constraints.MaxNorm(0.5, axis=1)},
    "mask_zero": {"mask_zero": True},
}
CASES = {"outputs": outputs, "given_weights": given_weights, "nested": nested, "sentences": sentences}
CASES |= {f"trained_{name}": partial(trained, optimizer=name, once=name not in ("SGD", "Lion"), **options)
          for name, options in OPTIMIZERS.items()}
CASES |= {f"trained_{name}": partial(trained, settings=settings) for name, settings in SETTINGS.items()}
CASES |= {f"trained_{name}": partial(trained, dtype=name) for name in ("float32", "int64", "uint8")}
CASES |= {f"trained_{name}": partial(trained, once=True, **{name: value})
          for name, value in {"clipnorm": 0.1, "global_clipnorm": 0.1, "clipvalue": 0.02}.items()}
CASES |= {f"trained_{name}": partial(trained, **{name: value})
          for name, value in {"use_ema": True, "gradient_accumulation_steps": 2}.items()}
CASES |= {f"masked_{name}": partial(masked, layers=lambda K, make=make: make(K.layers))
          for name, make in MASKED.items()}
CASES |= {"behind_reshape": partial(behind, layers=lambda K: [K.layers.Reshape((2, STEPS // 2))]),
          "behind_arithmetic": partial(behind, layers=lambda K: [K.layers.Rescaling(0.5), K.layers.Rescaling(2.0)])}
