"""Weights brought over: Keras's own initial weights, recorded, give Keras's outputs here."""

from functools import partial
from pathlib import Path

import numpy as np
from seeded import inputs

RECORD = Path(__file__).parent / "data" / "transfer.npz"


def plain(K):
    L = K.layers
    return [K.Input((6,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")]


def normalized(K):
    L = K.layers
    return [K.Input((6,)), L.Dense(8, activation="gelu"), L.BatchNormalization(), L.Dropout(0.3), L.Dense(8,
                                                                                                          use_bias=False),
            L.LayerNormalization(), L.PReLU(), L.Dense(2)]


def inner(K):
    return [K.Input((6,)), K.Sequential([K.layers.Dense(5, activation="tanh"), K.layers.BatchNormalization()]),
            K.layers.Dense(1)]


def transfer(K, net, case):
    """The weights that Keras drew and the outputs that go with them."""
    model = K.Sequential(net(K))
    if K.__name__.startswith("keras"):
        rng = np.random.default_rng(5)             # so that moving statistics are not those of the beginning
        model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
        weights = model.get_weights()
    else:
        with np.load(RECORD) as arrays:
            weights = [arrays[f"{case}/weight_{i}"] for i in range(len(model.weights))]
        model.set_weights(weights)
    outputs = model.predict(inputs(10, 6), verbose=0)
    return {f"weight_{i}": w for i, w in enumerate(weights)} | {"outputs": outputs}


CASES = {net.__name__: partial(transfer, net=net, case=net.__name__) for net in (plain, normalized, inner)}
