"""What users do wrong with losses: {what: (call, words that the text must have)}, for test_errors.py."""
import numpy as np

import fastnn
from fastnn import losses


def compiled(loss, scale=1.0):
    """A call: compile a model with this loss and train it on one-hot rows, multiplied."""
    def call(bench):
        model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3, activation="softmax")], name="net")
        model.compile("sgd", loss() if isinstance(loss, type) else loss)
        model.fit(bench.x, scale * np.eye(3)[bench.labels], verbose=0)
    return call


class WithoutAnything(losses.Loss):
    """Neither call() nor lower()."""


def losses_only(y_true, y_pred):
    return ((y_true - y_pred) ** 2).mean(-1)


def wrong_losses(y_true, y_pred):
    return np.zeros(3), y_pred - y_true


def wrong_gradient(y_true, y_pred):
    return losses_only(y_true, y_pred), np.zeros(3)


CASES = {
    "a loss with an unknown reduction": (lambda b: losses.MeanSquaredError(reduction="max"), "MeanSquaredError",
                                         "`reduction`", "'sum'", "got 'max'"),
    "a loss of half precision": (lambda b: losses.MeanSquaredError(dtype="float16"), "dtype", "'float32'", "'float16'"),
    "a negative delta": (lambda b: losses.Huber(delta=-1), "Huber", "`delta`", "at least 0", "-1"),
    "a delta of NaN": (lambda b: losses.Huber(delta=float("nan")), "`delta`", "nan"),
    "huber with a list of deltas": (lambda b: losses.huber([[1.0]], [[2.0]], delta=[1]), "`delta`", "[1]"),
    "a quantile of 1": (lambda b: losses.Quantile(1.0), "Quantile", "`quantile`", "between 0 and 1", "1.0"),
    "a quantile in per cent": (lambda b: losses.Quantile(90), "`quantile`", "between 0 and 1", "90"),
    "label smoothing above 1": (lambda b: losses.BinaryCrossentropy(label_smoothing=1.5), "BinaryCrossentropy",
                                "`label_smoothing`", "from 0 to 1", "1.5"),
    "label smoothing of a focal loss in words": (lambda b: losses.CategoricalFocalCrossentropy(label_smoothing="a"),
                                                 "`label_smoothing`", "'a'"),
    "a negative gamma": (lambda b: losses.BinaryFocalCrossentropy(gamma=-2), "BinaryFocalCrossentropy", "`gamma`",
                         "at least 0", "-2"),
    "an alpha for each class": (lambda b: losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.7]), "`alpha`",
                                "finite number", "[0.1, 0.2, 0.7]"),
    "an axis that is no number": (lambda b: losses.CosineSimilarity(axis="last"), "`axis`", "whole number", "'last'"),
    "an axis of True": (lambda b: losses.CategoricalCrossentropy(axis=True), "`axis`", "whole number", "True"),
    "a loss along the rows": (lambda b: losses.cosine_similarity(np.ones((2, 3)), np.ones((2, 3)), axis=0), "`axis`",
                              "after the first", "1 to 1", "got 0"),
    "a loss along an axis that is not there": (compiled(losses.CosineSimilarity(axis=2)), "`axis`", "1 to 1", "got 2"),
    "class numbers along another axis": (
        lambda b: losses.SparseCategoricalCrossentropy(axis=1)(np.zeros((2, 4)), np.ones((2, 4, 3))), "`axis`", "-1",
        "got 1"),
    "an ignored class in words": (lambda b: losses.SparseCategoricalCrossentropy(ignore_class="unknown"),
                                  "`ignore_class`", "whole number", "'unknown'"),
    "a label that is neither a class nor ignored": (
        lambda b: losses.sparse_categorical_crossentropy([0, -1, 7], np.ones((3, 3)), ignore_class=-1), "`y_true`",
        "0 to 2", "got 7 at row 2"),
    "a negative label on arrays": (lambda b: losses.sparse_categorical_crossentropy([0, -1], np.ones((2, 3))),
                                   "`y_true`", "0 to 2", "got -1 at row 1"),
    "one-hot rows for the sparse loss on arrays": (
        lambda b: losses.sparse_categorical_crossentropy(np.eye(3), np.ones((3, 3))), "`y_true`", "(3,)", "one-hot"),
    "targets of another shape on arrays": (lambda b: losses.mse(np.ones((4, 2)), np.ones((4, 3))), "`y_true`",
                                           "(4, 3)", "(4, 2)"),
    "arrays of other lengths": (lambda b: losses.mse(np.ones((4, 3)), np.ones((5, 3))), "`y_true`", "`y_pred`", "4",
                                "5"),
    "words for predictions": (lambda b: losses.mse([[1.0]], [["a"]]), "`y_pred`", "real numbers", "'a'"),
    "nothing to lose": (lambda b: losses.mse(np.ones((4, 0)), np.ones((4, 0))), "`y_pred`", "at least one value",
                        "(4, 0)"),
    "an argument that a loss has not": (lambda b: losses.mse([[1.0]], [[2.0]], delta=1), "mean_squared_error()",
                                         "delta"),
    "a loss without call and lower": (compiled(WithoutAnything), "WithoutAnything", "call()", "lower()"),
    "training with a function without a gradient": (compiled(losses_only), "'losses_only'", "(losses, gradient)",
                                                    "`y_pred`", "evaluate()"),
    "a function that returns too few losses": (compiled(wrong_losses), "'wrong_losses'", "(20,)", "(3,)"),
    "a function with a gradient of another shape": (compiled(wrong_gradient), "'wrong_gradient'", "(20, 3)", "(3,)"),
    "targets above 1 for a binary focal loss": (compiled("binary_focal_crossentropy", 3.0), "`y`", "0 to 1", "3.0"),
    "a loss by a name that is nearly one": (lambda b: b.model.compile("sgd", "mean_absolut_error"), "loss identifier",
                                            "Did you mean 'mean_absolute_error'?"),
}
