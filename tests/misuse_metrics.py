"""What users do wrong with metrics: {what: (call, words that the text must have)}, for test_errors.py."""
import numpy as np

from fastnn import losses, metrics

P = np.full((20, 3), 0.3, "float32")
SPARSE = "sparse_categorical_crossentropy"
HOT = np.eye(3, dtype="float32")[np.arange(20) % 3]


def compiled(*chosen, loss="mse", **more):
    """fit with these metrics on a bench of three outputs, which is then what it was."""
    def call(bench):
        model, optimizer = bench.model, bench.model.optimizer
        model.compile(optimizer, loss, metrics=list(chosen), **more)
        try:
            model.fit(bench.x, bench.y if loss.startswith("sparse") else HOT, verbose=0)
        finally:
            model.compile(optimizer, SPARSE)
    return call


def made(name, *args, **kwargs):
    """A metric made with these arguments."""
    return lambda b: getattr(metrics, name)(*args, **kwargs)


def fed(metric, y, p, *weights):
    """A metric on these arrays."""
    return lambda b: metric.update_state(y, p, *weights)


def ignoring(*chosen):
    """evaluate with these metrics and a loss that ignores the label -1, which y holds."""
    def call(bench):
        model, optimizer = bench.model, bench.model.optimizer
        model.compile(optimizer, losses.SparseCategoricalCrossentropy(ignore_class=-1), metrics=list(chosen))
        try:
            model.evaluate(bench.x, np.where(np.arange(20) == 4, -1, bench.y), verbose=0)
        finally:
            model.compile(optimizer, SPARSE)
    return call


CASES = {
    "metrics: a label that only the loss ignores": (ignoring("accuracy", "perplexity"), "'perplexity'", "0 to 2", "`y`",
                                                    "-1 at row 4", "ignore_class=-1"),
    "metrics: a threshold above 1": (made("Precision", thresholds=1.5), "Precision", "`thresholds`", "0 to 1", "1.5"),
    "metrics: one negative threshold of several": (made("Recall", thresholds=[0.1, -0.5]), "`thresholds`", "-0.5"),
    "metrics: no thresholds": (made("TruePositives", thresholds=[]), "`thresholds`", "[]"),
    "metrics: a threshold in words": (made("AUC", thresholds=["half"]), "AUC", "`thresholds`", "'half'"),
    "metrics: top_k of 0": (made("Precision", top_k=0), "`top_k`", "at least 1", "0"),
    "metrics: k of 1.5": (made("TopKCategoricalAccuracy", k=1.5), "`k`", "1.5"),
    "metrics: a negative class": (made("Recall", class_id=-1), "`class_id`", "-1"),
    "metrics: a class that is none": (compiled(metrics.Recall(class_id=3)), "`class_id`", "0 to 2", "3"),
    "metrics: one threshold for the AUC": (made("AUC", num_thresholds=1), "`num_thresholds`", "at least 2", "1"),
    "metrics: an unknown curve": (made("AUC", curve="ROCK"), "`curve`", "'ROC'", "'PR'", "'ROCK'"),
    "metrics: an unknown summation": (made("AUC", summation_method="mean"), "`summation_method`", "'interpolation'"),
    "metrics: num_labels without multi_label": (made("AUC", num_labels=3), "`num_labels`", "`multi_label=True`"),
    "metrics: num_labels other than the outputs": (compiled(metrics.AUC(multi_label=True, num_labels=4)),
                                                   "`num_labels`", "4", "(None, 3)"),
    "metrics: too few label weights": (compiled(metrics.AUC(label_weights=[1.0, 2.0])), "`label_weights`", "2"),
    "metrics: negative label weights": (made("AUC", label_weights=[1.0, -1.0]), "`label_weights`", "at least 0"),
    "metrics: multi_label of rank 3": (fed(metrics.AUC(multi_label=True), np.ones((2, 3, 4)), np.ones((2, 3, 4))),
                                       "`multi_label=True`", "(rows, labels)", "(None, 3, 4)"),
    "metrics: a specificity above 1": (made("SensitivityAtSpecificity", 1.2), "`specificity`", "0 to 1", "1.2"),
    "metrics: no thresholds for a recall": (made("RecallAtPrecision", 0.5, num_thresholds=0), "`num_thresholds`", "0"),
    "metrics: an unknown average": (made("F1Score", average="mean"), "F1Score", "`average`", "'macro'", "'mean'"),
    "metrics: beta of 0": (made("FBetaScore", beta=0.0), "`beta`", "above 0", "0.0"),
    "metrics: a threshold of 2 for F1": (made("F1Score", threshold=2.0), "`threshold`", "2.0"),
    "metrics: F1 of outputs of rank 3": (fed(metrics.F1Score(), np.ones((2, 3, 4)), np.ones((2, 3, 4))), "F1Score",
                                         "(rows, classes)", "(None, 3, 4)"),
    "metrics: F1 of labels": (compiled(metrics.F1Score(), loss=SPARSE), "'f1_score'", "`y`", "(None, 3)", "(None,)",
                              "one-hot", "'categorical_crossentropy'"),
    "metrics: sparse accuracy of one-hot rows": (compiled(metrics.SparseCategoricalAccuracy()), "(None,)", "(None, 3)",
                                                 "'sparse_categorical_accuracy'", "class numbers"),
    "metrics: F1 of rows of another width": (fed(metrics.F1Score(), HOT[:, :2], P), "`y_true`", "(20, 3)", "(20, 2)"),
    "metrics: R2 of outputs of rank 3": (fed(metrics.R2Score(), np.ones((2, 3, 4)), np.ones((2, 3, 4))), "R2Score",
                                         "(rows, values)"),
    "metrics: an unknown aggregation": (made("R2Score", class_aggregation="mean"), "`class_aggregation`", "'mean'"),
    "metrics: minus one regressor": (made("R2Score", num_regressors=-1), "`num_regressors`", "-1"),
    "metrics: IoU of no classes": (made("MeanIoU", num_classes=0), "`num_classes`", "at least 1", "0"),
    "metrics: IoU of a class that is none": (made("IoU", 2, [0, 2]), "`target_class_ids`", "0 to 1", "[0, 2]"),
    "metrics: IoU along another axis": (made("MeanIoU", 2, axis=1), "`axis`", "-1", "1"),
    "metrics: a correlation along another axis": (made("PearsonCorrelation", axis=0), "`axis`", "-1", "0"),
    "metrics: a wrapped number": (made("MeanMetricWrapper", 3), "`fn`", "function", "3"),
    "metrics: a label that is no class": (fed(metrics.SparseCategoricalAccuracy(), np.arange(20) % 4, P), "`y_true`",
                                          "0 to 2", "got 3 at row 3"),
    "metrics: arrays of two lengths": (fed(metrics.AUC(), HOT[:9], P), "`y_pred`", "`y_true`", "20", "9"),
    "metrics: too few weights": (fed(metrics.AUC(), HOT, P, np.ones(3)), "`sample_weight`", "(20,)", "(3,)"),
    "metrics: negative weights": (fed(metrics.AUC(), HOT, P, -np.ones(20)), "`sample_weight`", "-1"),
    "metrics: predictions in words": (fed(metrics.AUC(), HOT, [["a"]]), "`y_pred`", "'a'"),
    "metrics: weights of the mean that do not fit": (lambda b: metrics.Mean().update_state([1.0, 2.0], [1.0, 2.0, 3.0]),
                                                     "`sample_weight`", "(2,)", "(3,)"),
    "metrics: the mean of words": (lambda b: metrics.Mean().update_state(["a"]), "`values`", "'a'"),
    "metrics: one that needs arguments by name": (lambda b: b.model.compile("sgd", "mse", metrics=["mean_io_u"]),
                                                  "'mean_io_u'", "MeanIoU(...)", "num_classes"),
    "metrics: an unknown weighted metric": (lambda b: b.model.compile("sgd", "mse", weighted_metrics=["acuracy"]),
                                            "metric identifier: 'acuracy'", "'accuracy'"),
    "metrics: a number for a metric": (lambda b: b.model.compile("sgd", "mse", metrics=[3]), "metric identifier: 3"),
}
