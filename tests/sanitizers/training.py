"""Fits, predictions and eager functions on three threads and tiny blocks; then at once from several Python threads.

A workload for the thread sanitizer:

    python tests/sanitizers/training.py
"""
import threading

import numpy as np

import fastnn
from fastnn import layers, ops
from fastnn.testing import forced_threads


def net(optimizer):
    """Layers of every kind of work: products, rows, columns, random numbers."""
    every_kind = [fastnn.Input((20,)), layers.Dense(33, activation="relu", kernel_regularizer="l2"),
                  layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(17, activation="tanh"),
                  layers.LayerNormalization(), layers.Dense(5, activation="softmax")]
    model = fastnn.Sequential(every_kind)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(optimizer):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((150, 20)).astype("float32"), rng.integers(0, 5, 150)
    model = net(optimizer=optimizer)
    model.fit(x, y, batch_size=64, epochs=2, validation_split=0.2, sample_weight=np.ones(150), verbose=0)
    model.evaluate(x, y, verbose=0)
    return model, x, model.predict(x, verbose=0)


def work(model, x, expected, wrong):
    with fastnn.threads(2):
        for _ in range(10):
            if not np.array_equal(model.predict(x, verbose=0), expected):
                wrong.append("predict")
            a = np.ones((130, 70), np.float32)
            if not (ops.matmul(a, a.T) == 70).all():
                wrong.append("matmul")




def main():
    wrong = []
    with forced_threads(3):
        for optimizer in ("sgd", "adam", "rmsprop"):
            model, x, expected = train(optimizer)
        threads = [threading.Thread(target=work, args=(model, x, expected, wrong)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print("wrong:", wrong or "nothing")
    return len(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
