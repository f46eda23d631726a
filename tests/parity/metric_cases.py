"""Metrics on arrays and in compiled models, with and without weights.

On arrays a metric takes in a part, then the rest, is reset, and is called. In a model the same numbers must come from
the counters of a run. Names are given where Keras numbers its metrics by process.
"""

from functools import partial

import numpy as np
from seeded import inputs, set_weights, targets

ROWS = 29


def on_arrays(K, kind, y, p, options, weights=None):
    """One metric object on two parts, then reset and called on the second."""
    metric = getattr(K.metrics, kind)(**options)
    results = []
    for rows in (slice(0, 11), slice(11, None)):
        metric.update_state(y[rows], p[rows], *(() if weights is None else (weights[rows],)))
        results.append(np.asarray(metric.result()))
    metric.reset_state()
    return {"results": np.stack([*results, np.asarray(metric(y[11:], p[11:]))])}


def of_values(K, kind, values, weights=None):
    """Mean and Sum of numbers and arrays of any rank."""
    metric = getattr(K.metrics, kind)()
    results = []
    for value, weight in zip(values, weights or [None] * len(values), strict=True):
        metric.update_state(value, sample_weight=weight)
        results.append(float(metric.result()))
    return {"results": results}


def per_row(y_true, y_pred):
    """A function of the user's that gives a value a row."""
    return abs(y_true - y_pred).mean(-1) if isinstance(y_pred, np.ndarray) else _per_row(y_true, y_pred)


def _per_row(y_true, y_pred):
    from keras import ops

    return ops.mean(ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred), -1)


def one_number(y_true, y_pred):
    """A function of the user's that gives one number a batch: a row like others in the mean of the batches."""
    return (y_pred * y_pred).mean() if isinstance(y_pred, np.ndarray) else _one_number(y_pred)


def _one_number(y_pred):
    from keras import ops

    return ops.mean(y_pred * y_pred)


def wrapped(K, fn, weights=None):
    """MeanMetricWrapper around a function."""
    metric = K.metrics.MeanMetricWrapper(fn, name="mine")
    y, p = inputs(6, 3, seed=1), inputs(6, 3, seed=2)
    metric.update_state(y, p, sample_weight=weights)
    return {"result": float(metric.result())}


def written_in_python(K):
    """A subclass with variables, the way of Keras's guide."""

    class Hits(K.metrics.Metric):
        def __init__(self, name="hits", **kwargs):
            super().__init__(name=name, **kwargs)
            self.hits = self.add_weight(name="hits", shape=(2,), initializer="zeros")
            self.mean = K.metrics.Mean()

        def update_state(self, y_true, y_pred, sample_weight=None):
            weight = 1.0 if sample_weight is None else sample_weight
            self.hits.assign_add(np.array([1.0, 2.0], "float32"))
            self.mean.update_state(per_row(y_true, y_pred) * weight)

        def result(self):
            return self.hits[1] * self.mean.result() / self.hits[0]

    return fit(K, (1, "sigmoid"), "binary_crossentropy", "binary_column", lambda K: [Hits(), Hits("again")],
               lambda K: [Hits("weighted")])


def fit(K, head, loss, target, metrics, weighted=None, weights=True, shape=(4,), listed=True):
    """Two epochs with weights, a partial batch and validation; two without; evaluate, as a list too where Keras does
    not list metrics of one name twice."""
    layers = [K.layers.Dense(6, activation="tanh"), K.layers.Dense(head[0], activation=head[1])]
    model = set_weights(K.Sequential([K.Input(shape), *layers]))
    given = {} if weighted is None else {"weighted_metrics": weighted(K)}
    model.compile(optimizer=K.optimizers.SGD(0.1), loss=loss, metrics=metrics(K), **given)
    x = inputs(ROWS, *shape)
    y = target if isinstance(target, np.ndarray) else targets(target, ROWS)
    weight = WEIGHTS if weights else None
    options = {"batch_size": 8, "verbose": 0}
    history = model.fit(x, y, epochs=2, shuffle=False, sample_weight=weight, validation_data=(x[:9], y[:9]), **options)
    result = {"keys": np.array(sorted(history.history))}
    for name, values in history.history.items():
        result[f"fit_{name}"] = np.array([np.asarray(v) for v in values])
    plain = model.fit(x, y, epochs=2, shuffle=False, **options).history
    result |= {f"plain_{name}": np.array([np.asarray(v) for v in values]) for name, values in plain.items()}
    evaluated = model.evaluate(x, y, sample_weight=weight, return_dict=True, **options)
    result |= {f"evaluate_{name}": np.asarray(value) for name, value in evaluated.items()}
    if listed:
        values = model.evaluate(x, y, sample_weight=weight, **options)
        result["list"] = np.concatenate([np.ravel(value) for value in values])
    return result


def scores(*shape, seed=20):
    """Numbers between 0 and 1, as a model gives them."""
    return np.random.default_rng(seed).uniform(0, 1, size=shape).astype("float32")


def classes(*shape, seed=21, n=3):
    """Class numbers."""
    return np.random.default_rng(seed).integers(0, n, size=shape)


def bits(*shape, seed=22):
    """Zeros and ones, as numbers."""
    return np.random.default_rng(seed).integers(0, 2, size=shape).astype("float32")


WEIGHTS = np.random.default_rng(23).uniform(0, 2, ROWS).astype("float32")
HOT = np.eye(3, dtype="float32")[classes(ROWS)]
SHARE = scores(ROWS, 3)
SOFT = SHARE / SHARE.sum(1, keepdims=True)
SEQUENCE, STEPS = scores(ROWS, 4, 3, seed=24), classes(ROWS, 4, seed=25)
REALS, GUESSES = inputs(ROWS, 3, seed=26), inputs(ROWS, 3, seed=27)
SIGNS = np.sign(REALS).astype("float32")
ONE, P1 = bits(ROWS, 1), scores(ROWS, 1, seed=28)
MANY = bits(ROWS, 3)
FLAT = (bits(ROWS, seed=29), scores(ROWS, seed=30))
WILD = classes(ROWS, 5, seed=31, n=5) - 1          # -1 .. 3, for three classes

ARRAYS = {
    "accuracy": ("Accuracy", classes(ROWS, 3, n=2).astype("float32"), bits(ROWS, 3), {}),
    "accuracy_flat": ("Accuracy", classes(ROWS, n=2).astype("float32"), bits(ROWS), {}),
    "binary_accuracy": ("BinaryAccuracy", MANY, SHARE, {}),
    "binary_accuracy_threshold": ("BinaryAccuracy", MANY, SHARE, {"threshold": 0.3}),
    "binary_accuracy_flat": ("BinaryAccuracy", *FLAT, {}),
    "categorical_accuracy": ("CategoricalAccuracy", HOT, SHARE, {}),
    "categorical_accuracy_rank_3": ("CategoricalAccuracy", np.eye(3)[STEPS], SEQUENCE, {}),
    "sparse_accuracy": ("SparseCategoricalAccuracy", classes(ROWS), SHARE, {}),
    "sparse_accuracy_rank_3": ("SparseCategoricalAccuracy", STEPS, SEQUENCE, {}),
    "top_k": ("TopKCategoricalAccuracy", HOT, SHARE, {"k": 2}),
    "top_k_all": ("TopKCategoricalAccuracy", HOT, SHARE, {}),
    "top_k_rank_3": ("TopKCategoricalAccuracy", np.eye(3)[STEPS], SEQUENCE, {"k": 2}),
    "sparse_top_k": ("SparseTopKCategoricalAccuracy", classes(ROWS), SHARE, {"k": 2}),
    "sparse_top_k_ties": ("SparseTopKCategoricalAccuracy", classes(ROWS), MANY, {"k": 1}),
    "sparse_top_k_rank_3": ("SparseTopKCategoricalAccuracy", STEPS, SEQUENCE, {"k": 2}),
    "sparse_top_k_sorted": ("SparseTopKCategoricalAccuracy", classes(ROWS, n=9),
                            classes(ROWS, 6, seed=32, n=9).astype("float32"), {"k": 4, "from_sorted_ids": True}),
    "mse": ("MeanSquaredError", REALS, GUESSES, {}),
    "rmse": ("RootMeanSquaredError", REALS, GUESSES, {}),
    "rmse_flat": ("RootMeanSquaredError", *FLAT, {}),
    "mae": ("MeanAbsoluteError", REALS, GUESSES, {}),
    "mape": ("MeanAbsolutePercentageError", REALS, GUESSES, {}),
    "msle": ("MeanSquaredLogarithmicError", SHARE, SOFT, {}),
    "log_cosh": ("LogCoshError", REALS, GUESSES, {}),
    "cosine": ("CosineSimilarity", REALS, GUESSES, {}),
    "pearson": ("PearsonCorrelation", REALS, GUESSES, {}),
    "concordance": ("ConcordanceCorrelation", REALS, GUESSES, {}),
    "hinge": ("Hinge", SIGNS, GUESSES, {}),
    "hinge_bits": ("Hinge", MANY, GUESSES, {}),
    "squared_hinge": ("SquaredHinge", SIGNS, GUESSES, {}),
    "categorical_hinge": ("CategoricalHinge", HOT, SHARE, {}),
    "binary_crossentropy": ("BinaryCrossentropy", MANY, SHARE, {}),
    "binary_crossentropy_options": ("BinaryCrossentropy", MANY, GUESSES, {"from_logits": True, "label_smoothing": 0.1}),
    "categorical_crossentropy": ("CategoricalCrossentropy", HOT, SHARE, {}),
    "categorical_crossentropy_options": ("CategoricalCrossentropy", HOT, GUESSES,
                                         {"from_logits": True, "label_smoothing": 0.1}),
    "sparse_crossentropy": ("SparseCategoricalCrossentropy", classes(ROWS), SOFT, {}),
    "sparse_crossentropy_logits": ("SparseCategoricalCrossentropy", classes(ROWS), GUESSES, {"from_logits": True}),
    "kl_divergence": ("KLDivergence", SOFT, SOFT[::-1], {}),
    "poisson": ("Poisson", SHARE, SOFT, {}),
    "r2": ("R2Score", REALS, GUESSES, {}),
    "r2_columns": ("R2Score", REALS, GUESSES, {"class_aggregation": None}),
    "r2_variance": ("R2Score", REALS, GUESSES, {"class_aggregation": "variance_weighted_average"}),
    "r2_adjusted": ("R2Score", REALS, GUESSES, {"num_regressors": 2}),
    "r2_constant": ("R2Score", np.ones((ROWS, 2), "float32"), P1 * np.ones(2, "float32"), {}),
    "precision": ("Precision", ONE, P1, {}),
    "precision_flat": ("Precision", *FLAT, {}),
    "precision_threshold": ("Precision", MANY, SHARE, {"thresholds": 0.7}),
    "precision_unsorted": ("Precision", MANY, SHARE, {"thresholds": [0.9, 0.1, 0.4]}),
    "precision_even": ("Precision", MANY, SHARE, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}),
    "precision_top_k": ("Precision", MANY, SHARE, {"top_k": 2}),
    "precision_top_k_ties": ("Precision", MANY, np.round(2 * SHARE) / 2, {"top_k": 2}),
    "precision_top_k_threshold": ("Precision", MANY, SHARE, {"top_k": 2, "thresholds": 0.5}),
    "precision_class": ("Precision", MANY, SHARE, {"class_id": 1}),
    "precision_class_top_k": ("Precision", MANY, SHARE, {"class_id": 1, "top_k": 1}),
    "recall": ("Recall", MANY, SHARE, {}),
    "recall_thresholds": ("Recall", MANY, SHARE, {"thresholds": [0.2, 0.8]}),
    "recall_top_k": ("Recall", MANY, SHARE, {"top_k": 1, "class_id": 2}),
    "recall_rank_3": ("Recall", np.eye(3)[STEPS], SEQUENCE, {"class_id": 2}),
    "f1": ("F1Score", HOT, SOFT, {}),
    "f1_threshold": ("F1Score", MANY, SHARE, {"threshold": 0.4}),
    "f1_micro": ("F1Score", HOT, SOFT, {"average": "micro"}),
    "f1_macro": ("F1Score", HOT, SOFT, {"average": "macro"}),
    "f1_weighted": ("F1Score", HOT, SOFT, {"average": "weighted"}),
    "f1_zeros": ("F1Score", HOT, np.round(SOFT), {}),
    "f_beta": ("FBetaScore", HOT, SOFT, {"beta": 2.0}),
    "f_beta_options": ("FBetaScore", MANY, SHARE, {"beta": 0.5, "threshold": 0.6, "average": "weighted"}),
    "iou": ("IoU", classes(ROWS, 5), classes(ROWS, 5, seed=33), {"num_classes": 3, "target_class_ids": [0, 2]}),
    "iou_flat": ("IoU", classes(ROWS), classes(ROWS, seed=33), {"num_classes": 4, "target_class_ids": [1, 3]}),
    "iou_ignore": ("IoU", classes(ROWS, 5), classes(ROWS, 5, seed=33),
                   {"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 2}),
    "iou_scores": ("IoU", classes(ROWS), SHARE, {"num_classes": 3, "target_class_ids": [0], "sparse_y_pred": False}),
    "mean_iou": ("MeanIoU", classes(ROWS, 5), classes(ROWS, 5, seed=33), {"num_classes": 3}),
    "mean_iou_wild": ("MeanIoU", WILD, classes(ROWS, 5, seed=33), {"num_classes": 3, "ignore_class": -1}),
    "mean_iou_scores": ("MeanIoU", STEPS, SEQUENCE, {"num_classes": 3, "sparse_y_pred": False}),
    "binary_iou": ("BinaryIoU", MANY, SHARE, {}),
    "binary_iou_options": ("BinaryIoU", MANY, SHARE, {"target_class_ids": [1], "threshold": 0.3}),
    "one_hot_iou": ("OneHotIoU", HOT, SHARE, {"num_classes": 3, "target_class_ids": [0, 1]}),
    "one_hot_iou_sparse": ("OneHotIoU", HOT, classes(ROWS, seed=33),
                           {"num_classes": 3, "target_class_ids": [0, 1], "sparse_y_pred": True}),
    "one_hot_mean_iou": ("OneHotMeanIoU", np.eye(3, dtype="float32")[STEPS], SEQUENCE, {"num_classes": 3}),
    "auc": ("AUC", ONE, P1, {}),
    "auc_flat": ("AUC", *FLAT, {}),
    "auc_few": ("AUC", MANY, SHARE, {"num_thresholds": 5}),
    "auc_two": ("AUC", MANY, SHARE, {"num_thresholds": 2}),
    "auc_thresholds": ("AUC", MANY, SHARE, {"thresholds": [0.7, 0.2, 0.5]}),
    "auc_even_thresholds": ("AUC", MANY, SHARE, {"thresholds": [0.25, 0.5, 0.75]}),
    "auc_logits": ("AUC", MANY, GUESSES, {"from_logits": True}),
    "auc_out_of_range": ("AUC", MANY, GUESSES, {"num_thresholds": 9}),
    "auc_labels": ("AUC", MANY, SHARE, {"multi_label": True}),
    "auc_labels_weighted": ("AUC", MANY, SHARE, {"multi_label": True, "num_labels": 3,
                                                 "label_weights": [1.0, 2.0, 0.5]}),
    "auc_label_weights": ("AUC", MANY, SHARE, {"label_weights": [1.0, 2.0, 0.5]}),
}
for _curve in ("ROC", "PR", "PRGAIN"):
    for _sum in ("interpolation", "minoring", "majoring"):
        ARRAYS[f"auc_{_curve.lower()}_{_sum}"] = ("AUC", MANY, SHARE, {"curve": _curve, "summation_method": _sum})
        ARRAYS[f"auc_labels_{_curve.lower()}_{_sum}"] = (
            "AUC", MANY, SHARE, {"curve": _curve, "summation_method": _sum, "multi_label": True, "num_thresholds": 20})
for _name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
    ARRAYS[_name] = (_name, MANY, SHARE, {})
    ARRAYS[f"{_name}_thresholds"] = (_name, MANY, SHARE, {"thresholds": [0.6, 0.2]})
for _name in ("SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"):
    ARRAYS[_name] = (_name, ONE, P1, {_name.split("At")[1].lower(): 0.45})
    ARRAYS[f"{_name}_options"] = (_name, MANY, SHARE, {_name.split("At")[1].lower(): 0.6, "num_thresholds": 7,
                                                       "class_id": 1})
    ARRAYS[f"{_name}_one"] = (_name, MANY, SHARE, {_name.split("At")[1].lower(): 0.3, "num_thresholds": 1})

# Keras counts the cells of IoU in whole numbers, and weighs elements, not rows
WHOLE = {name: (1 + np.arange(ROWS) % 3).astype("int32") for name in ("iou_flat", "iou_scores", "one_hot_iou")}
UNWEIGHTED = {name for name in ARRAYS if "iou" in name} - set(WHOLE)
# a weight a row, which Keras cannot stretch over the steps, or stretches in a way of its own
UNWEIGHTED |= {"recall_rank_3", "r2_constant"}

CASES = {f"arrays_{name}": partial(on_arrays, kind=kind, y=y, p=p, options=options)
         for name, (kind, y, p, options) in ARRAYS.items()}
CASES |= {f"weighted_{name}": partial(on_arrays, kind=kind, y=y, p=p, options=options,
                                      weights=WHOLE.get(name, WEIGHTS))
          for name, (kind, y, p, options) in ARRAYS.items() if name not in UNWEIGHTED}
VALUES = [3.0, [1.0, 2.0, 4.0], inputs(4, 2), inputs(2, 3, 2)]
VALUE_WEIGHTS = [0.5, [1.0, 0.0, 2.0], [[1.0, 0.5], [0.0, 0.0], [2.0, 1.0], [1.0, 1.0]], [0.5, 2.0]]
for _name in ("Mean", "Sum"):
    CASES[f"values_{_name}"] = partial(of_values, kind=_name, values=VALUES)
    CASES[f"values_{_name}_weighted"] = partial(of_values, kind=_name, values=VALUES, weights=VALUE_WEIGHTS)
CASES |= {
    "wrapped_per_row": partial(wrapped, fn=per_row),
    "wrapped_per_row_weighted": partial(wrapped, fn=per_row, weights=[1.0, 0.0, 2.0, 0.5, 1.0, 1.0]),
    "wrapped_one_number": partial(wrapped, fn=one_number),
    "written_in_python": written_in_python,
}


def binary(K):
    """Metrics of one sigmoid."""
    M = K.metrics
    return ["accuracy", M.AUC(name="auc"), M.AUC(name="pr", curve="PR", num_thresholds=50), M.Precision(name="p"),
            M.Recall(name="r", thresholds=[0.3, 0.6]), M.TruePositives(name="tp"), "mse",
            M.SensitivityAtSpecificity(0.4, name="sas"), M.RootMeanSquaredError(),
            M.AUC(name="logits", from_logits=True), per_row]


def unweighted(K):
    """Those for which Keras has no weights of rows, or rounds them."""
    return [*binary(K), K.metrics.BinaryIoU(name="iou"), one_number]


def hot(K):
    """Metrics of a softmax against one-hot rows."""
    M = K.metrics
    return ["acc", M.TopKCategoricalAccuracy(k=2), M.F1Score(), M.F1Score(average="macro", name="macro"),
            M.FBetaScore(average="weighted", beta=2.0), M.Precision(name="top", top_k=2),
            M.Recall(class_id=1, name="r"), M.AUC(multi_label=True, name="auc"),
            M.OneHotMeanIoU(num_classes=3, name="iou"), "categorical_crossentropy"]


def sparse(K):
    """Metrics of a softmax against labels."""
    M = K.metrics
    return ["accuracy", M.SparseTopKCategoricalAccuracy(k=2), M.MeanIoU(3, sparse_y_pred=False, name="iou"),
            "sparse_categorical_accuracy", "sparse_categorical_crossentropy", "accuracy"]


def real(K):
    """Metrics of a regression."""
    M = K.metrics
    return ["mse", M.RootMeanSquaredError(name="rmse"), M.R2Score(), M.R2Score(class_aggregation=None, name="columns"),
            M.PearsonCorrelation(), M.ConcordanceCorrelation(), "mse", per_row]


def doubled(K):
    """The same names among plain and weighted metrics."""
    return ["accuracy", K.metrics.AUC(name="auc"), K.metrics.AUC(name="auc")]


CASES |= {
    "fit_binary": partial(fit, head=(1, "sigmoid"), loss="binary_crossentropy", target="binary_column",
                          metrics=unweighted),
    "fit_binary_weighted": partial(fit, head=(1, "sigmoid"), loss="binary_crossentropy", target="binary_column",
                                   metrics=lambda K: ["accuracy"], weighted=binary, listed=False),
    "fit_binary_no_weights": partial(fit, head=(1, "sigmoid"), loss="binary_crossentropy", target="binary_column",
                                     metrics=lambda K: None, weighted=binary, weights=False),
    "fit_hot": partial(fit, head=(3, "softmax"), loss="categorical_crossentropy", target="one_hot", metrics=hot),
    "fit_hot_weighted": partial(fit, head=(3, "softmax"), loss="categorical_crossentropy", target="one_hot",
                                metrics=lambda K: [], weighted=lambda K: hot(K)[:-2]),
    "fit_sparse": partial(fit, head=(3, "softmax"), loss="sparse_categorical_crossentropy", target="labels",
                          metrics=sparse, listed=False),
    "fit_sparse_steps": partial(fit, head=(3, "softmax"), loss="sparse_categorical_crossentropy", target=STEPS,
                                shape=(4, 5), metrics=lambda K: sparse(K)[:3], weights=False),
    "fit_real": partial(fit, head=(3, None), loss="mse", target="reals", metrics=real, listed=False),
    "fit_real_weighted": partial(fit, head=(3, None), loss="mse", target="reals", metrics=real, weighted=real,
                                 listed=False),
    "fit_doubled": partial(fit, head=(1, "sigmoid"), loss="binary_crossentropy", target="binary_column",
                           metrics=doubled, listed=False,
                           weighted=lambda K: [*doubled(K), K.metrics.AUC(name="other")]),
    "fit_nested": partial(fit, head=(1, "sigmoid"), loss="binary_crossentropy", target="binary_column",
                          metrics=lambda K: [["accuracy", [K.metrics.Precision(name="p")]]]),
}
