"""Losses inside a compiled model, with their gradients, and losses called on arrays.

Keras on TensorFlow computes a crossentropy from the logits wherever the model's output is still the very result of
softmax or sigmoid, whatever layers that change nothing stand after it. Some cases have logits so large that the two
ways differ.
"""

from functools import partial

import numpy as np
from seeded import inputs, set_weights, targets


def one_step(K, layers, loss, target, scale=1.0, shape=(8, 4)):
    """The loss in evaluate and in one training step, and the gradients: with a learning rate of 1, the change."""
    model = set_weights(K.Sequential([K.Input(shape[1:]), *layers(K)]))
    model.compile(optimizer=K.optimizers.SGD(learning_rate=1.0), loss=loss if isinstance(loss, str) else loss(K))
    x = (scale * inputs(*shape)).astype("float32")
    y = target if isinstance(target, np.ndarray) else targets(target, len(x))
    before = model.get_weights()
    result = {"evaluate": model.evaluate(x, y, batch_size=len(x), verbose=0)}
    result["fit"] = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history["loss"]
    # float64, so that the subtraction adds no rounding of its own
    pairs = zip(before, model.get_weights(), strict=True)
    return result | {f"gradient_{i}": a.astype("float64") - b for i, (a, b) in enumerate(pairs)}


def dense(units, activation=None):
    """A hidden layer and the head, as a function of the library."""
    return lambda K: [K.layers.Dense(5, activation="tanh"), K.layers.Dense(units, activation=activation)]


def then(activation, after):
    """A Dense head of three units, and one more layer after its activation."""
    return lambda K: [K.layers.Dense(3, activation=activation), after(K)]


def separate(units, activation):
    """The activation as a layer of its own."""
    return lambda K: [K.layers.Dense(units), K.layers.Activation(activation)]


def sparse_rank_3(K):
    """Labels of every step of a sequence, shape (batch, steps)."""
    y = np.random.default_rng(5).integers(0, 3, size=(4, 6))
    return one_step(K, dense(3, "softmax"), "sparse_categorical_crossentropy", y, shape=(4, 6, 5))


def mse_rank_3(K):
    """Real targets of every step of a sequence."""
    return one_step(K, dense(2), "mse", inputs(4, 6, 2, seed=6), shape=(4, 6, 5))


def on_arrays(K, name, options, y, p):
    """A loss object called on arrays, with each reduction."""
    result = {}
    for reduction in ("sum_over_batch_size", "sum", None):
        loss = getattr(K.losses, name)(reduction=reduction, **options)
        result[str(reduction)] = np.asarray(loss(y, p))
    return result


def probabilities(rows, classes=3):
    """Rows that do not sum to 1, with exact zeros and ones: a crossentropy must renormalise and clip them."""
    p = np.random.default_rng(7).uniform(0, 1, size=(rows, classes)).astype("float32")
    p[0], p[1] = np.eye(classes, dtype="float32")[:2]
    return p


def bce(**options):
    """BinaryCrossentropy as a function of the library."""
    return lambda K: K.losses.BinaryCrossentropy(**options)


def cce(**options):
    """CategoricalCrossentropy as a function of the library."""
    return lambda K: K.losses.CategoricalCrossentropy(**options)


def sce(**options):
    """SparseCategoricalCrossentropy as a function of the library."""
    return lambda K: K.losses.SparseCategoricalCrossentropy(**options)


MSE, BCE, CCE, SCE = "mse", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"

STEPS = {
    "mse_flat": (dense(1), MSE, "real"),
    "mse_column": (dense(1), MSE, "real_column"),
    "mse_three": (dense(3), MSE, "reals"),
    "mse_after_softmax": (dense(3, "softmax"), MSE, "one_hot"),
    "mse_after_sigmoid": (dense(1, "sigmoid"), MSE, "binary"),
    "mse_after_relu": (dense(3, "relu"), "mean_squared_error", "reals"),
    "mse_object": (dense(1), lambda K: K.losses.MeanSquaredError(), "real"),
    "binary_flat": (dense(1, "sigmoid"), BCE, "binary"),
    "binary_column": (dense(1, "sigmoid"), BCE, "binary_column"),
    "binary_multilabel": (dense(3, "sigmoid"), BCE, "multilabel"),
    "binary_layer": (separate(1, "sigmoid"), BCE, "binary"),
    "binary_logits": (dense(1), bce(from_logits=True), "binary_column"),
    "binary_logits_flat": (dense(1), bce(from_logits=True), "binary"),
    "binary_smoothing": (dense(3, "sigmoid"), bce(label_smoothing=0.2), "multilabel"),
    "binary_logits_smoothing": (dense(3), bce(from_logits=True, label_smoothing=0.2), "multilabel"),
    "categorical": (dense(3, "softmax"), CCE, "one_hot"),
    "categorical_layer": (separate(3, "softmax"), CCE, "one_hot"),
    "categorical_logits": (dense(3), cce(from_logits=True), "one_hot"),
    "categorical_smoothing": (dense(3, "softmax"), cce(label_smoothing=0.1), "one_hot"),
    "categorical_logits_smoothing": (dense(3), cce(from_logits=True, label_smoothing=0.1), "one_hot"),
    "sparse_flat": (dense(3, "softmax"), SCE, "labels"),
    "sparse_column": (dense(3, "softmax"), SCE, "labels_column"),
    "sparse_layer": (separate(3, "softmax"), SCE, "labels"),
    "sparse_logits": (dense(3), sce(from_logits=True), "labels"),
    "sparse_logits_column": (dense(3), sce(from_logits=True), "labels_column"),
    # CategoricalCrossentropy renormalises and then clips, the sparse one clips and then renormalises
    "not_probabilities": (dense(3, "relu"), CCE, "one_hot"),
    "not_probabilities_sparse": (dense(3, "relu"), SCE, "labels"),
    "not_probabilities_binary": (dense(3), BCE, "multilabel"),
}

# Logits of several dozen: from the logits the loss is exact, from clipped probabilities it is at most 16.1.
LARGE = {
    "binary": (lambda K: [K.layers.Dense(1, activation="sigmoid")], BCE, "binary"),
    "binary_logits": (lambda K: [K.layers.Dense(1)], bce(from_logits=True), "binary"),
    "categorical": (lambda K: [K.layers.Dense(3, activation="softmax")], CCE, "one_hot"),
    "sparse": (lambda K: [K.layers.Dense(3, activation="softmax")], SCE, "labels"),
    "linear_between": (then("softmax", lambda K: K.layers.Activation("linear")), CCE, "one_hot"),
    "dropout_0_between": (then("softmax", lambda K: K.layers.Dropout(0.0)), CCE, "one_hot"),
    "dropout_0_between_sparse": (then("softmax", lambda K: K.layers.Dropout(0.0)), SCE, "labels"),
    "flatten_between": (then("softmax", lambda K: K.layers.Flatten()), CCE, "one_hot"),
    "flatten_between_sparse": (then("softmax", lambda K: K.layers.Flatten()), SCE, "labels"),
    "flatten_between_binary": (then("sigmoid", lambda K: K.layers.Flatten()), BCE, "multilabel"),
    "relu_between": (then("softmax", lambda K: K.layers.Activation("relu")), CCE, "one_hot"),
    "softmax_twice": (then("softmax", lambda K: K.layers.Activation("softmax")), CCE, "one_hot"),
    "softmax_with_from_logits": (then("softmax", lambda K: K.layers.Dropout(0.0)), cce(from_logits=True), "one_hot"),
    # Keras takes the logits of either activation for either loss.
    "sigmoid_with_categorical": (lambda K: [K.layers.Dense(3, activation="sigmoid")], CCE, "one_hot"),
    "softmax_with_binary": (lambda K: [K.layers.Dense(3, activation="softmax")], BCE, "one_hot"),
}


def dropout_between_evaluate(K):
    """Dropout after softmax changes nothing in evaluate, so the loss there is still computed from the logits."""
    model = K.Sequential([K.Input((4,)), *then("softmax", lambda K: K.layers.Dropout(0.5))(K)])
    set_weights(model).compile(optimizer="sgd", loss=CCE)
    return {"evaluate": model.evaluate(20 * inputs(8, 4), targets("one_hot", 8), verbose=0)}


def array_cases():
    """Every loss called on arrays, from probabilities and from logits, with one shape of labels each."""
    p, z, hot = probabilities(6), 5 * inputs(6, 3), targets("one_hot", 6)
    labels = targets("labels", 6)
    calls = {
        "mse": ("MeanSquaredError", {}, hot, z),
        "binary": ("BinaryCrossentropy", {}, hot, p),
        "binary_logits": ("BinaryCrossentropy", {"from_logits": True}, hot, z),
        "binary_smoothing": ("BinaryCrossentropy", {"label_smoothing": 0.2}, hot, p),
        "binary_flat": ("BinaryCrossentropy", {}, hot[:, 0], p[:, :1]),
        "categorical": ("CategoricalCrossentropy", {}, hot, p),
        "categorical_logits": ("CategoricalCrossentropy", {"from_logits": True}, hot, z),
        "categorical_smoothing": ("CategoricalCrossentropy", {"label_smoothing": 0.1}, hot, p),
        "sparse": ("SparseCategoricalCrossentropy", {}, labels, p),
        "sparse_column": ("SparseCategoricalCrossentropy", {}, labels[:, None], p),
        "sparse_logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, labels, z),
        "binary_above_one": ("BinaryCrossentropy", {}, hot, 2 * p),
        "categorical_above_one": ("CategoricalCrossentropy", {}, hot, 2 * p),
        "sparse_above_one": ("SparseCategoricalCrossentropy", {}, labels, 2 * p),
    }
    return {f"arrays_{k}": partial(on_arrays, name=n, options=o, y=y, p=q) for k, (n, o, y, q) in calls.items()}


CASES = {name: partial(one_step, layers=layers, loss=loss, target=y) for name, (layers, loss, y) in STEPS.items()}
CASES |= {
    f"large_{name}": partial(one_step, layers=layers, loss=loss, target=y, scale=20.0)
    for name, (layers, loss, y) in LARGE.items()
}
CASES |= array_cases()
CASES |= {
    "sparse_rank_3": sparse_rank_3,
    "mse_rank_3": mse_rank_3,
    "large_dropout_between_evaluate": dropout_between_evaluate,
}
