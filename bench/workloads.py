"""The nets and data of the training benchmark, described once for every library.

A net is a list of layers: ("convolution", filters) of 3 x 3 with a relu, ("max_pooling",) of 2 x 2, ("flatten",),
("dense", units), ("batch_normalization",), ("dropout", rate), ("embedding", vocabulary, units), ("lstm", units,
whether it gives all steps). Every dense layer but the last has a relu; the last one's outputs are logits of the
classes, a single one that of the second of two, or the number that is learned by its mean squared error. All train with
Adam at its usual 0.001 in batches of 32.
"""
from typing import NamedTuple

import numpy as np

BATCH = 32
LEARNING_RATE = 1e-3
CENTRES = 2.2
WAVELENGTH = 6.0                   # pixels
STEP = 0.2                         # of a sine, radians
FOLLOWERS = 4                      # words that may follow a word
MOMENTUM, EPSILON = 0.99, 1e-3     # of batch normalization, as in Keras


class Workload(NamedTuple):
    """A net, what it is fed, and how long it trains."""

    shape: tuple[int, ...]  # of a row
    layers: list
    epochs_a_call: int      # epochs of one long call
    epochs_to_learn: int    # epochs after which the losses of all libraries must be alike
    loss_at_most: float     # where no peer is installed: a quarter above what the peers reached
    number: bool = False    # whether it learns a number

    @property
    def outputs(self):
        """Logits: one for each class, or one for two classes."""
        return self.layers[-1][1]

    @property
    def classes(self):
        return max(self.outputs, 2)

    @property
    def pictures(self):
        return len(self.shape) == 3


def normalized(units, rate):
    """A dense layer with batch normalization and dropout behind it."""
    return [("dense", units), ("batch_normalization",), ("dropout", rate)]


def convolutional(outputs):
    """Two convolutions, each with a pooling behind it, and two dense layers."""
    return [("convolution", 32), ("max_pooling",), ("convolution", 64), ("max_pooling",), ("flatten",), ("dense", 128),
            ("dense", outputs)]


WORKLOADS = {
    "iris_mlp": Workload((4,), [("dense", 64), ("dense", 64), ("dense", 3)], 25, 100, 0.07),
    "mnist_mlp": Workload((784,), [("dense", 128), ("dense", 64), ("dense", 10)], 2, 4, 0.11),
    "deep_bn": Workload((20,), [*normalized(64, 0.3), *normalized(32, 0.3), *normalized(16, 0.2), ("dense", 3)],
                        10, 60, 0.31),
    "mnist_cnn": Workload((28, 28, 1), convolutional(10), 1, 3, 0.03),
    "cat_cnn": Workload((64, 64, 3), convolutional(1), 1, 4, 0.02),
    "lstm": Workload((30, 1), [("lstm", 64, True), ("lstm", 64, False), ("dense", 1)], 2, 20, 0.002, number=True),
    "next_word": Workload((20,), [("embedding", 2000, 64), ("lstm", 128, False), ("dense", 2000)], 2, 30, 3.3),
}


def data(name):
    """x: float32 (rows, *shape), words int32, y: int64 (rows,), a number float32; rows are a whole number of batches,
    so all do the same steps."""
    if name == "iris_mlp":
        from sklearn.datasets import load_iris
        x, y = load_iris(return_X_y=True)
        rows = np.arange(160) % len(x)
        return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)[rows], y[rows].astype(np.int64)
    if name in ("lstm", "next_word"):
        return {"lstm": sines, "next_word": chains}[name](512, WORKLOADS[name])
    rows, workload = {"mnist_mlp": 4096, "deep_bn": 800, "mnist_cnn": 2048, "cat_cnn": 512}[name], WORKLOADS[name]
    if workload.pictures:
        return waves(rows, workload.shape, workload.classes)
    return clusters(rows, *workload.shape, workload.classes)


def clusters(rows, features, classes):
    """Rows scattered about one centre for each class, the same in every process."""
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=rows)
    # Centres as far apart whatever the number of features, so that no workload is learned at a glance.
    centres = CENTRES * rng.standard_normal((classes, features)) / features**0.5
    x = centres[y] + rng.standard_normal((rows, features))
    return x.astype(np.float32), y


def waves(rows, shape, classes):
    """Pictures of waves in noise: a class is their direction, wherever the crests lie."""
    rng = np.random.default_rng(0)
    y = rng.integers(classes, size=rows)
    down, across = np.mgrid[:shape[0], :shape[1]] * 2 * np.pi / WAVELENGTH
    angle, phase = (value[:, None, None] for value in (np.pi * y / classes, rng.uniform(0, 2 * np.pi, rows)))
    crests = np.sin(np.cos(angle) * down + np.sin(angle) * across + phase)
    x = crests[..., None] + rng.standard_normal((rows, *shape), np.float32)
    return x.astype(np.float32), y


def sines(rows, workload):
    """Pieces of a sine from anywhere on, and how each goes on."""
    rng, (steps, _) = np.random.default_rng(0), workload.shape
    values = np.sin(rng.uniform(0, 2 * np.pi, (rows, 1)) + STEP * np.arange(steps + 1)).astype(np.float32)
    return values[:, :steps, None].copy(), values[:, steps].copy()


def chains(rows, workload):
    """Sentences in which few words may follow a word, and the next word of each."""
    rng, (steps,) = np.random.default_rng(0), workload.shape
    vocabulary = workload.layers[0][1]
    often = rng.zipf(1.3, (vocabulary, FOLLOWERS)).clip(max=vocabulary) - 1
    words = np.empty((rows, steps + 1), np.int64)
    words[:, 0] = rng.integers(vocabulary, size=rows)
    for step in range(steps):
        words[:, step + 1] = often[words[:, step], rng.integers(FOLLOWERS, size=rows)]
    return words[:, :steps].astype(np.int32), words[:, steps].copy()


def steps(name):
    """Training steps of an epoch."""
    return len(data(name)[0]) // BATCH
