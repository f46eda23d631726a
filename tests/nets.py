"""Small nets and data that several test files train."""
import numpy as np

import fastnn
from fastnn.layers import Activation, BatchNormalization, Dense, Dropout


def blobs(rows=96, features=20, classes=3, seed=0, dtype="float32"):
    """Points around a centre for each class: (x, integer labels)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    x = rng.standard_normal((classes, features))[y] + rng.standard_normal((rows, features))
    return x.astype(dtype), y


def deep_net(features=20, classes=3, dropout=0.3, seed=7):
    """Every kind of layer there is, compiled: dense, activation, batch normalisation, dropout."""
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([
        fastnn.Input((features,)), Dense(64, activation="relu"), BatchNormalization(), Dropout(dropout),
        Dense(32), BatchNormalization(), Activation("tanh"), Dense(16, activation="sigmoid"),
        Dense(classes, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def small_net(features=4, classes=3, seed=7, optimizer="adam", metrics=()):
    """4-64-64-3, compiled."""
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([fastnn.Input((features,)), Dense(64, activation="relu"), Dense(64, activation="relu"),
                               Dense(classes, activation="softmax")])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def bits(arrays):
    """The bytes of all arrays, for comparisons bit by bit."""
    return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
