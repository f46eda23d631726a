"""What users do wrong: {what: (call, words that the text must have)}, for test_errors.py."""
from types import SimpleNamespace

import numpy as np

import fastnn
from fastnn import _arrays, _spelling, initializers, ops, random, utils
from fastnn.callbacks import EarlyStopping, LambdaCallback, Progress

RECORDS = np.zeros(3, [("age", "f4"), ("height", "f4")])
MASKED = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
SPARSE = type("csr_matrix", (), {"toarray": None, "__repr__": lambda self: "<sparse matrix>"})()


class OnTheGPU:
    """A tensor that NumPy cannot read."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("can't convert cuda:0 device type tensor to numpy; copy it to host memory first")


def with_value(value, *place, shape=(20, 4), dtype="float32"):
    x = np.ones(shape, dtype)
    x[place] = value
    return x


def rows(x):
    return lambda: _arrays.as_rows(x, "x")


def raising(builder, *arguments):
    """A call that raises what a builder of texts returns."""
    def call():
        raise ValueError(builder(*arguments))
    return call


NUMBERS = "`x`", "real numbers"
NAMES = ["mse", "mean_squared_error", "MeanSquaredError", "binary_crossentropy", "sparse_categorical_crossentropy"]

ARRAYS = {
    "x is None": (rows(None), "`x`", "None"),
    "x is a word": (rows("iris"), "`x`", "'iris'"),
    "x is a dict": (rows({"a": 1}), "`x`", "dict"),
    "x is some object": (rows(SimpleNamespace(n=1)), "`x`", "SimpleNamespace"),
    "x is a single number": (rows(3.0), "`x`", "3.0", "(1, ...)"),
    "x is complex": (rows(np.ones((2, 2), "complex64")), *NUMBERS, "complex64"),
    "x holds strings": (rows(np.array(["setosa", "virginica"])), *NUMBERS, "'setosa'", "np.unique"),
    "x holds strings as objects": (rows(np.array([["a", "b"]], object)), *NUMBERS, "'a'", "row 0, column 0"),
    "x is made for strings, and empty": (rows(np.array([], "U5")), *NUMBERS, "strings"),
    "x holds numbers as strings": (rows([["1.5", "2"]]), *NUMBERS, "'1.5'", "astype('float32')"),
    "x holds bytes": (rows(np.array([b"ab"])), *NUMBERS, "b'ab'"),
    "x mixes numbers and words": (rows([[1.0, "two"]]), *NUMBERS, "'two'", "row 0, column 1"),
    "x holds a None": (rows([[1.0, 2.0], [None, 4.0]]), *NUMBERS, "None", "row 1, column 0"),
    "x holds objects": (rows(np.array([1.0, 2.0, {}], object)), *NUMBERS, "dict", "row 2"),
    "x holds numbers as objects": (rows(np.array([1.0, 2.0], object)), *NUMBERS, "object", "float64"),
    "x holds a whole number that no int can": (rows([2**70]), *NUMBERS, "object"),
    "x holds dates": (rows(np.array(["2024-01-31"], "datetime64[D]")), *NUMBERS, "datetime64[D]"),
    "x holds durations": (rows(np.array([5], "timedelta64[s]")), *NUMBERS, "timedelta64[s]"),
    "x holds records": (rows(RECORDS), *NUMBERS, "age, height", "structured_to_unstructured"),
    "x holds raw bytes": (rows(np.zeros(3, "V4")), *NUMBERS, "V4"),
    "x is masked": (rows(MASKED), "`x`", "masked", "filled"),
    "x is sparse": (rows(SPARSE), "`x`", "sparse", "toarray()"),
    "x cannot be read": (rows(OnTheGPU()), "`x`", "OnTheGPU", "host memory"),
    "x has rows of different lengths": (rows([[1, 2, 3], [4, 5, 6], [7, 8]]), "`x`", "3 values", "row 2"),
    "x mixes numbers and rows": (rows([[1, 2], 3]), "`x`", "2 values", "a single value in row 1"),
    "x has rows of rows of different lengths": (rows([[[1], [2, 3]], [[4], [5]]]), "`x`", "differ in length"),

    "NaN in a table": (raising(_arrays.not_finite, "x", with_value(np.nan, 3, 1), 3), "`x`", "nan", "row 3, column 1"),
    "inf in a vector": (raising(_arrays.not_finite, "y", with_value(-np.inf, 7, shape=9), 7), "`y`", "-inf", "row 7"),
    "a number beyond float32": (raising(_arrays.not_finite, "x", with_value(-1e300, 2, 3, dtype="float64"), 2),
                                "`x`", "float32", "-1e+300", "row 2, column 3"),
    "NaN in an image": (raising(_arrays.not_finite, "x", with_value(np.nan, 2, 5, 1, 0, shape=(3, 8, 8, 1)), 2),
                        "`x`", "nan", "row 2, position (5, 1, 0)"),
    "a label too large": (raising(_arrays.bad_label, "y", 17, 3.0, 3), "`y`", "0 to 2", "got 3 at row 17", "y - 1"),
    "a negative label": (raising(_arrays.bad_label, "y", 4, -1.0, 3), "`y`", "0 to 2", "got -1 at row 4"),
    "a fractional label": (raising(_arrays.bad_label, "y", 0, 1.5, 10), "`y`", "0 to 9", "got 1.5 at row 0"),
    "one-hot rows for a sparse loss": (lambda: _arrays.as_target(np.eye(3), (), "y", True, (3,)),
                                       "`y`", "(3,)", "(3, 3)", "argmax"),
    "class numbers for a one-hot loss": (lambda: _arrays.as_target(np.arange(3), (3,), "y", False, (3,)),
                                         "`y`", "(3, 3)", "(3,)", "to_categorical"),
    "targets of another size": (lambda: _arrays.as_target(np.ones((9, 2)), (3,), "y", False, (3,)),
                                "`y`", "(9, 3)", "(9, 2)"),
    "lengths that differ": (lambda: _arrays.check_same_length(x=np.zeros(150), y=np.zeros(149)), "`x`", "150", "149"),
    "nothing in x": (lambda: _arrays.check_not_empty("x", np.zeros((0, 4))), "`x`", "(0, 4)"),
    "too few features": (lambda: _arrays.check_features(np.zeros((150, 3)), (4,), "dense"),
                         "`x`", "'dense'", "(rows, 4)", "(150, 3)"),
    "a vector for a table": (lambda: _arrays.check_features(np.zeros(4), (4,), "dense"),
                             "`x`", "(4,)", "reshape(1, -1)"),
    "dot of a matrix": (lambda: ops.dot(np.ones((2, 2)), np.ones(2)), "`x1`", "`x2`", "(2, 2)"),
    "matmul of sizes that differ": (lambda: ops.matmul(np.ones((3, 4)), np.ones((3, 4))), "`x1`", "`x2`", "(3, 4)"),
    "an axis that is not there": (lambda: _arrays.check_axis(2, 2), "`axis`", "-2 to 1", "got 2"),
    "an axis of 1.0": (lambda: _arrays.check_axis(1.0, 2), "`axis`", "float: 1.0"),
    "an unknown loss": (raising(_spelling.unknown_name, "loss", "mean_square_error", NAMES),
                        "'mean_square_error'", "Did you mean 'mean_squared_error'?"),
    "a loss that is no name": (raising(_spelling.unknown_name, "loss", 3.5, NAMES), "3.5", "Known are"),
    "an unknown initializer": (lambda: initializers.get("glorot"), "initializer identifier: 'glorot'", "glorot_"),
    "a negative seed": (lambda: random.set_seed(-1), "`seed`", "at least 0", "-1"),
    "a label to_categorical cannot take": (lambda: utils.to_categorical([0, -2]), "`x`", "at least 0", "-2 at row 1"),
    "a way of showing that is none": (lambda: Progress("loud", 1, 1), "`verbose`", "0, 1, 2 or 'auto'", "'loud'"),
    "EarlyStopping with an unknown mode": (lambda: EarlyStopping(mode="up"), "`mode`", "'max'", "'up'"),
    "LambdaCallback with an unknown hook": (lambda: LambdaCallback(on_epoch_ended=print), "`on_epoch_ended`",
                                            "`on_epoch_end`"),
}


class Workbench:
    """A compiled 4-8-3 classifier that has trained one epoch, and data for it."""

    def __init__(self, loss="sparse_categorical_crossentropy"):
        self.x = np.cos(np.arange(80, dtype="float32")).reshape(20, 4)
        self.labels = np.arange(20) % 3
        self.y = self.labels if loss.startswith("sparse") else np.eye(3, dtype="float32")[self.labels]
        fastnn.backend.clear_session()          # so that names in texts do not depend on the tests before
        self.model = fastnn.Sequential([
            fastnn.Input((4,)), fastnn.layers.Dense(8, activation="relu"), fastnn.layers.BatchNormalization(),
            fastnn.layers.Dense(3, activation="softmax")])
        self.model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
        self.model.fit(self.x, self.y, verbose=0)

    def state(self):
        """All that a training step changes."""
        optimizer = self.model.optimizer
        return [w.tolist() for w in self.model.get_weights()], [np.array(v).tolist() for v in optimizer.variables]

    def fit(self, x=None, y=None, **options):
        """Train the model on these instead of the good data."""
        x, y = self.x if x is None else x, self.y if y is None else y
        return self.model.fit(x, y, **{"verbose": 0} | options)

    def wrong(self, value, *place, of="x"):
        """A copy of x or y with one value changed."""
        array = np.array(getattr(self, of), "float64")
        array[place] = value
        return array


def fit(words, **options):
    """A case: fit with these settings."""
    return (lambda b: b.fit(**options), *words)


def with_loss(loss, call):
    """The call, for a workbench with this loss."""
    call.loss = loss
    return call


def number_for_three(bench):
    """A regression with three outputs, and one number a row."""
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(bench.x, bench.labels * 0.5, verbose=0)


LOSS = "loss identifier"

MODELS = {
    "fit: y one row short": (lambda b: b.fit(y=b.y[:-1]), "`x`", "`y`", "20", "19"),
    "fit: x with three features for four": (lambda b: b.fit(b.x[:, :3]), "`x`", "4", "(20, 3)"),
    "fit: x with an axis too many": (lambda b: b.fit(b.x[:, :, None]), "`x`", "4", "(20, 4, 1)"),
    "fit: x a vector": (lambda b: b.fit(b.x[:, 0]), "`x`", "(20,)", "reshape"),
    "fit: NaN in x": (lambda b: b.fit(b.wrong(np.nan, 7, 2)), "`x`", "nan", "row 7, column 2"),
    "fit: inf in x": (lambda b: b.fit(b.wrong(np.inf, 19, 0)), "`x`", "inf", "row 19, column 0"),
    "fit: x beyond float32": (lambda b: b.fit(b.wrong(1e300, 3, 1)), "`x`", "row 3, column 1"),
    "fit: x None": (lambda b: b.model.fit(None, b.y), "`x`", "None"),
    "fit: y None": (lambda b: b.model.fit(b.x, None), "`y`", "None"),
    "fit: x of strings": (lambda b: b.fit(b.x.astype(str)), "`x`", "(str)", "row 0, column 0"),
    "fit: x of objects": (lambda b: b.fit(b.x.astype(object)), "`x`", "object"),
    "fit: x with a None": (lambda b: b.fit([*b.x.tolist()[:-1], [1, 2, 3, None]]), "`x`", "row 19, column 3"),
    "fit: x masked": (lambda b: b.fit(np.ma.masked_array(b.x, b.x > 2)), "`x`", "masked"),
    "fit: x structured": (lambda b: b.fit(np.zeros(20, [("a", "f4"), ("b", "f4")])), "`x`", "structured", "a, b"),
    "fit: x of dates": (lambda b: b.fit(np.zeros((20, 4), "M8[D]")), "`x`", "dates"),
    "fit: x complex": (lambda b: b.fit(b.x + 1j), "`x`", "complex"),
    "fit: x ragged": (lambda b: b.fit([[1, 2, 3, 4], [5, 6, 7]], [0, 1]), "`x`", "row 1"),
    "fit: x empty": (lambda b: b.fit(b.x[:0], b.y[:0]), "`x`", "(0, 4)"),
    "fit: y of strings": (lambda b: b.fit(y=b.y.astype(str)), "`y`", "'0' (str)", "row 0"),
    "fit: a label too large": (lambda b: b.fit(y=b.wrong(3, 5, of="y")), "`y`", "0 to 2", "got 3 at row 5"),
    "fit: a negative label": (lambda b: b.fit(y=b.wrong(-1, 0, of="y")), "`y`", "0 to 2", "got -1 at row 0"),
    "fit: a fractional label": (lambda b: b.fit(y=b.wrong(0.5, 19, of="y")), "`y`", "0 to 2", "got 0.5 at row 19"),
    "fit: NaN as a label": (lambda b: b.fit(y=b.wrong(np.nan, 2, of="y")), "`y`", "nan", "row 2"),
    "fit: a huge label": (lambda b: b.fit(y=b.y + 2**40), "`y`", "0 to 2", "row 0"),
    "fit: one-hot y for the sparse loss": (lambda b: b.fit(y=np.eye(3)[b.y]), "`y`", "one-hot", "(20, 3)"),
    "fit: class numbers for the one-hot loss": (with_loss("categorical_crossentropy", lambda b: b.fit(y=b.labels)),
                                                "`y`", "(20, 3)", "(20,)"),
    "fit: NaN in targets": (with_loss("mse", lambda b: b.fit(y=b.wrong(np.nan, 4, 1, of="y"))),
                            "`y`", "nan", "row 4, column 1"),
    "fit: a number a row for three outputs": (number_for_three, "`y`", "(20, 3)", "(20,)",
                                              "the last layer must have 1 unit, not 3"),
    "fit: targets of another size": (with_loss("mse", lambda b: b.fit(y=b.y[:, :2])), "`y`", "(20, 3)", "(20, 2)"),

    "fit: batch_size 0": fit(("`batch_size`", "at least 1", "0"), batch_size=0),
    "fit: batch_size -1": fit(("`batch_size`", "at least 1", "-1"), batch_size=-1),
    "fit: batch_size 1.5": fit(("`batch_size`", "at least 1", "1.5"), batch_size=1.5),
    "fit: batch_size True": fit(("`batch_size`", "at least 1", "True"), batch_size=True),
    "fit: epochs 0": fit(("`epochs`", "at least 1", "0"), epochs=0),
    "fit: epochs a float": fit(("`epochs`", "at least 1", "2.0"), epochs=2.0),
    "fit: validation_split 1": fit(("`validation_split`", "below 1", "got 1"), validation_split=1),
    "fit: validation_split 1.2": fit(("`validation_split`", "below 1", "1.2"), validation_split=1.2),
    "fit: validation_split negative": fit(("`validation_split`", "at least 0", "-0.1"), validation_split=-0.1),
    "fit: validation_split NaN": fit(("`validation_split`", "nan"), validation_split=float("nan")),
    "fit: validation_split a word": fit(("`validation_split`", "'0.2'"), validation_split="0.2"),
    "fit: nothing left to train on": fit(("`validation_split`", "20 rows", "training"), validation_split=0.99),
    "fit: nothing left to validate on": (lambda b: b.fit(b.x[:0], b.y[:0], validation_split=0.1), "row"),
    "fit: validation data of another length": (lambda b: b.fit(validation_data=(b.x, b.y[:-3])),
                                               "`validation_data[1]`", "20", "17"),
    "fit: NaN in the validation data": (lambda b: b.fit(validation_data=(b.wrong(np.nan, 1, 3), b.y)), "nan", "row 1"),
    "fit: a validation label too large": (lambda b: b.fit(validation_data=(b.x, b.y + 1)), "0 to 2", "got 3 at row 2"),
    "fit: validation data without y": (lambda b: b.fit(validation_data=b.x), "`validation_data`", "(x, y)"),
    "fit: an unknown verbose": fit(("`verbose`", "0, 1, 2 or 'auto'", "7"), verbose=7),
    "fit: a class for a callback": fit(("`callbacks`", "EarlyStopping"), callbacks=[EarlyStopping]),
    "fit: negative sample weights": (lambda b: b.fit(sample_weight=-np.ones(20)), "`sample_weight`", "-1"),
    "fit: NaN as a sample weight": (lambda b: b.fit(sample_weight=b.wrong(np.nan, 6, of="y")),
                                    "`sample_weight`", "nan"),
    "fit: a sample weight beyond float32": (lambda b: b.fit(sample_weight=b.wrong(1e39, 6, of="y")), "`sample_weight`",
                                            "range of float32", "1e+39", "row 6"),
    "fit: too few sample weights": (lambda b: b.fit(sample_weight=np.ones(19)), "`sample_weight`", "20", "19"),
    "fit: a weight for a class that is none": fit(("`class_weight`", "'cat'"), class_weight={"cat": 2.0}),
    "fit: monitoring what has no direction": fit(("`monitor`", "'gain'", "`mode`"), callbacks=[EarlyStopping("gain")]),

    "fit before compile": (lambda b: fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3)]).fit(b.x, b.y),
                           "compile()"),
    "evaluate before compile": (lambda b: fastnn.Sequential([fastnn.layers.Dense(3)]).evaluate(b.x, b.y), "compile()"),
    "compile: an unknown loss": (lambda b: b.model.compile("adam", "msee"), LOSS, "'msee'", "Did you mean 'mse'?"),
    "compile: a loss that is a number": (lambda b: b.model.compile("adam", loss=5), LOSS, "5"),
    "compile: an unknown optimizer": (lambda b: b.model.compile("adm", "mse"), "optimizer identifier: 'adm'", "'adam'"),
    "compile: an unknown metric": (lambda b: b.model.compile("adam", "mse", metrics=["acuracy"]),
                                   "metric identifier: 'acuracy'", "'accuracy'"),
    "an unknown activation": (lambda b: fastnn.layers.Dense(3, activation="rleu"), "'rleu'", "Did you mean 'relu'?"),
    "a negative learning rate": (lambda b: fastnn.optimizers.SGD(-0.1), "`learning_rate`", "at least 0", "-0.1"),
    "a learning rate of NaN": (lambda b: fastnn.optimizers.Adam(float("nan")), "`learning_rate`", "nan"),
    "a learning rate of inf": (lambda b: fastnn.optimizers.Adam(float("inf")), "`learning_rate`", "inf"),
    "a learning rate in words": (lambda b: fastnn.optimizers.SGD("0.1"), "`learning_rate`", "'0.1'"),
    "a learning rate set to a negative one": (lambda b: setattr(b.model.optimizer, "learning_rate", -1),
                                              "`learning_rate`", "-1"),

    "Sequential: a layer for a list": (lambda b: fastnn.Sequential(fastnn.layers.Dense(3)), "`layers`", "list",
                                       "Dense"),
    "Sequential: an input for a list": (lambda b: fastnn.Sequential(fastnn.Input((4,))), "`layers`", "list"),
    "Sequential: a class for a layer": (lambda b: fastnn.Sequential([fastnn.layers.Dense], name="net"), "'net'",
                                        "class Dense", "Dense(...)"),

    "predict: x with three features for four": (lambda b: b.model.predict(b.x[:, :3]), "4", "(20, 3)"),
    "predict: x of strings": (lambda b: b.model.predict(b.x.astype(str)), "`x`", "(str)"),
    "predict: batch_size 0": (lambda b: b.model.predict(b.x, batch_size=0), "`batch_size`", "0"),
    "evaluate: a label too large": (lambda b: b.model.evaluate(b.x, b.y + 1), "`y`", "got 3 at row 2"),
    "train_on_batch: lengths that differ": (lambda b: b.model.train_on_batch(b.x, b.y[:5]), "`x`", "20", "5"),
    "train_on_batch: NaN in x": (lambda b: b.model.train_on_batch(b.wrong(np.nan, 0, 0), b.y), "`x`", "nan", "row 0"),
    "calling the model with three features for four": (lambda b: b.model(b.x[:, :3]), "(None, 4)", "(None, 3)"),
}
