"""Masks of steps: with labels that a loss ignores, and in every kind of metric."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights

ROWS, STEPS = 11, 5


def masked_net(K, outputs, activation=None, **compiled):
    """A net over steps of which some are masked, a whole row among them; and its x."""
    x = inputs(ROWS, STEPS, 3)
    x[::3, 3:] = 0
    x[4] = 0
    model = K.Sequential([K.Input((STEPS, 3)), K.layers.Masking(), K.layers.Dense(outputs, activation=activation)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), **compiled)
    return model, x


def ignored_labels(K, reduction="sum_over_batch_size", weighted=False, where="some"):
    """A loss that ignores a class over masked steps: what either leaves out has no part in the loss."""
    loss = K.losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction=reduction)
    model, x = masked_net(K, 4, "softmax", loss=loss, metrics=["accuracy"])
    labels = np.random.default_rng(3).integers(0, 4, (ROWS, STEPS))
    outside = ~x.any(-1)
    labels[{"padding": outside, "some": labels == 1, "all": labels >= 0}[where]] = -1
    weights = np.random.default_rng(4).uniform(0, 2, (ROWS, STEPS)).astype("float32") if weighted else None
    options = {"sample_weight": weights, "verbose": 0}
    history = model.fit(x, labels, batch_size=4, epochs=2, shuffle=False, **options).history
    return history | {"evaluate": model.evaluate(x, labels, batch_size=ROWS, **options)} | named_weights(
        model.get_weights())


def each_step(y_true, y_pred):
    """A metric of the user's: a value for each step."""
    return abs(y_true - y_pred)[..., 0]


def each_number(y_true, y_pred):
    """A metric of the user's: a value for each number."""
    return abs(y_true - y_pred)


def metric(K, make, weighted=False, real=False):
    """One metric over masked steps, plain or with weights of steps."""
    model, x = masked_net(K, 2, "sigmoid", loss="mse", **{"weighted_metrics" if weighted else "metrics": [make(K)]})
    y = np.random.default_rng(5).integers(0, 2, (ROWS, STEPS, 2)).astype("float32")
    y = inputs(ROWS, STEPS, 2, seed=5) if real else y           # a correlation of what is constant is NaN
    weights = np.random.default_rng(6).uniform(0, 2, (ROWS, STEPS)).astype("float32") if weighted else None
    return {"evaluate": model.evaluate(x, y, batch_size=4, sample_weight=weights, verbose=0)}


METRICS = {
    "function_of_steps": lambda K: each_step,
    "function_of_numbers": lambda K: each_number,
    "wrapper": lambda K: K.metrics.MeanMetricWrapper(each_number, name="wrapper"),
    "rmse": lambda K: K.metrics.RootMeanSquaredError(),
    "mae": lambda K: "mae",
    "loss_function": lambda K: K.losses.mean_squared_error,
    "cosine": lambda K: K.metrics.CosineSimilarity(),
    "accuracy": lambda K: "accuracy",
    "binary_accuracy": lambda K: K.metrics.BinaryAccuracy(),
    "categorical_accuracy": lambda K: K.metrics.CategoricalAccuracy(),
    "top_k": lambda K: K.metrics.TopKCategoricalAccuracy(1),
    "pearson": lambda K: K.metrics.PearsonCorrelation(),
    "concordance": lambda K: K.metrics.ConcordanceCorrelation(),
    "precision": lambda K: K.metrics.Precision(),
    "true_positives": lambda K: K.metrics.TruePositives(),
    "auc": lambda K: K.metrics.AUC(num_thresholds=20),
    "binary_iou": lambda K: K.metrics.BinaryIoU([1], 0.5),
}
CORRELATIONS = ("pearson", "concordance")
WEIGHTED = ("function_of_steps", "function_of_numbers", "mae", "rmse", "binary_accuracy", "auc")

CASES = {f"ignored_{where}": partial(ignored_labels, where=where) for where in ("padding", "some", "all")}
CASES |= {f"ignored_{reduction}": partial(ignored_labels, reduction=reduction)
          for reduction in ("mean", "sum", "mean_with_sample_weight")}
CASES |= {f"ignored_{reduction}_weighted": partial(ignored_labels, reduction=reduction, weighted=True)
          for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight")}
CASES |= {f"metric_{name}": partial(metric, make=make, real=name in CORRELATIONS) for name, make in METRICS.items()}
CASES |= {f"metric_{name}_weighted": partial(metric, make=METRICS[name], weighted=True) for name in WEIGHTED}
