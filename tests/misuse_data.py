"""What users do wrong with data, settings of fit, utils and the classics; see misuse.MODELS."""
import numpy as np
from misuse import fit

import fastnn
from fastnn import Perceptron, ThresholdNeuron, gradient_descent, utils, zero_one_loss
from fastnn.datasets import digits, iris


class Frame:
    """A table with a column of words, as libraries of tables have them."""
    columns = ("size", "colour")
    dtypes = (np.dtype("float64"), np.dtype("O"))

    def __getitem__(self, name):
        return np.ones(20) if name == "size" else np.array(["red"] * 20, object)


class Batches(utils.Sequence):
    """Batches of the bench's data, the last of which is wrong."""

    def __init__(self, bench, wrong):
        super().__init__()
        self.bench, self.wrong = bench, wrong

    def __len__(self):
        return 1

    def __getitem__(self, i):
        return self.wrong


def stream(make, call="fit", **options):
    """A call on a generator that yields what ``make(bench)`` gives."""
    return lambda b: getattr(b.model, call)(iter([make(b)]), verbose=0, **options)


def net_of_images():
    return fastnn.Sequential([fastnn.Input((4, 5, 1)), fastnn.layers.Flatten()], name="net")


XY = ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [0, 1, 1])

CASES = {
    "fit: shuffle a word": fit(("`shuffle`", "True or False", "'no'"), shuffle="no"),
    "fit: epoch for epochs": fit(("fit", "`epoch`", "`epochs`"), epoch=3),
    "fit: nb_epoch of old tutorials": fit(("`nb_epoch`", "`epochs`"), nb_epoch=3),
    "fit: workers": fit(("`workers`", "fastnn.utils.Sequence"), workers=4),
    "fit: learning_rate": fit(("`learning_rate`", "optimizer"), learning_rate=0.1),
    "compile: metric for metrics": (lambda b: b.model.compile("adam", "mse", metric=["mae"]), "compile", "`metric`",
                                    "`metrics`"),
    "compile: lr": (lambda b: b.model.compile("adam", "mse", lr=0.1), "compile", "`lr`", "optimizer"),
    "evaluate: return_dictionary": (lambda b: b.model.evaluate(b.x, b.y, return_dictionary=True), "evaluate",
                                    "`return_dictionary`", "`return_dict`"),
    "fit: steps_per_epoch 0": fit(("`steps_per_epoch`", "at least 1", "0"), steps_per_epoch=0),
    "fit: steps_per_epoch a float": fit(("`steps_per_epoch`", "2.5"), steps_per_epoch=2.5),
    "fit: initial_epoch negative": fit(("`initial_epoch`", "at least 0", "-1"), initial_epoch=-1),
    "fit: validation_freq 0": (lambda b: b.fit(validation_data=(b.x, b.y), validation_freq=0), "`validation_freq`",
                               "at least 1"),
    "fit: validation_freq a list of words": (lambda b: b.fit(validation_data=(b.x, b.y), validation_freq=["a"]),
                                             "`validation_freq`", "'a'"),
    "fit: validation_steps 0": (lambda b: b.fit(validation_data=(b.x, b.y), validation_steps=0), "`validation_steps`"),
    "fit: validation_batch_size 0": (lambda b: b.fit(validation_data=(b.x, b.y), validation_batch_size=0),
                                     "`validation_batch_size`", "0"),
    "fit: weights for rows of too many axes": (lambda b: b.fit(sample_weight=np.ones((20, 3))), "`sample_weight`",
                                               "(20,)", "(20, 3)"),
    "fit: both kinds of weights": (lambda b: b.fit(sample_weight=np.ones(20), class_weight={0: 1.0}),
                                   "`class_weight`", "`sample_weight`", "not both", "dict"),
    "fit: class weights as a list": fit(("`class_weight`", "dict", "list"), class_weight=[1, 2, 3]),
    "fit: several inputs in a dict": (lambda b: b.fit({"left": b.x, "right": b.x}), "`x`", "one array", "left, right"),
    "fit: several inputs in a list": (lambda b: b.fit([b.x, b.x]), "`x`", "one input", "2 arrays of 20 rows"),
    "fit: a table with a column of words": (lambda b: b.fit(Frame()), "`x`", "'colour'", "'red' at row 0"),
    "fit: y for a generator": (lambda b: b.model.fit(iter([(b.x, b.y)]), b.y, verbose=0), "`y`", "None", "yield"),
    "fit: sample weights for a generator": (lambda b: b.model.fit(iter([]), sample_weight=b.y), "`sample_weight`",
                                            "yield"),
    "fit: validation_split of a generator": (lambda b: b.model.fit(iter([(b.x, b.y)]), validation_split=0.2),
                                             "`validation_split`", "0.2", "arrays"),
    "fit: an empty generator": (lambda b: b.model.fit(iter([]), verbose=0), "`x`", "at least one batch"),
    "fit: a generator of x alone": (stream(lambda b: (b.x,)), "batch 0 of `x`", "(x, y)", "x alone"),
    "fit: a generator of arrays": (stream(lambda b: b.x), "batch 0 of `x`", "(x, y)", "x alone"),
    "fit: a generator of dicts": (stream(lambda b: {"x": b.x, "y": b.y}), "`x`", "(x, y)", "keys x, y"),
    "fit: a generator of four": (stream(lambda b: (b.x, b.y, b.y, b.y)), "`x`", "(x, y)", "4 values"),
    "fit: a generator of NaN": (stream(lambda b: (b.wrong(np.nan, 2, 1), b.y)), "batch 0 of `x`", "nan", "row 2"),
    "fit: a generator of labels too large": (stream(lambda b: (b.x, b.y + 1)), "batch 0 of `x`", "`y`", "0 to 2"),
    "fit: a generator of lengths that differ": (stream(lambda b: (b.x, b.y[:4])), "batch 0", "20", "4"),
    "fit: a generator of too few features": (stream(lambda b: (b.x[:, :2], b.y)), "batch 0", "4", "(20, 2)"),
    "fit: a generator of nothing": (stream(lambda b: (b.x[:0], b.y[:0])), "batch 0", "`x`", "at least one row"),
    "fit: weights of a batch negative": (stream(lambda b: (b.x, b.y, -np.ones(20))), "`sample_weight`", "-1"),
    "fit: a Sequence of words": (lambda b: b.model.fit(Batches(b, (b.x.astype(str), b.y)), verbose=0), "batch 0 of `x`",
                                 "(str)"),
    "fit: NaN in the rows split off": (lambda b: b.fit(b.wrong(np.nan, 18, 1), validation_split=0.2), "`x[16:]`",
                                       "row 2, column 1"),
    "fit: NaN in batches to validate on": (lambda b: b.fit(validation_data=iter([(b.wrong(np.nan, 3, 1), b.y)])),
                                           "batch 0 of `validation_data`", "`x`", "row 3, column 1"),
    "fit: sequences of several lengths": (lambda b: b.fit([[1, 2, 3], [1]], [0, 1]), "`x`", "row 1", "pad_sequences"),
    "fit: an empty generator to validate on": (lambda b: b.fit(validation_data=iter([])), "`validation_data`",
                                               "at least one batch"),
    "fit: validation batches without y": (lambda b: b.fit(validation_data=iter([(b.x,)])), "`validation_data`",
                                          "(x, y)", "x alone"),
    "evaluate: a generator of NaN": (stream(lambda b: (b.wrong(np.nan, 2, 1), b.y), "evaluate"), "batch 0", "nan"),
    "evaluate: steps 0": (lambda b: b.model.evaluate(b.x, b.y, steps=0), "`steps`", "at least 1"),
    "predict: an empty generator": (lambda b: b.model.predict(iter([]), verbose=0), "`x`", "at least one batch"),
    "predict: a generator of words": (stream(lambda b: "red", "predict"), "`x`", "str: 'red'"),
    "predict: steps 0": (lambda b: b.model.predict(b.x, steps=0), "`steps`", "at least 1"),
    "predict: one image": (lambda b: net_of_images().predict(np.ones((4, 5, 1))), "`x`", "(rows, 4, 5, 1)", "(4, 5, 1)",
                           "x[None]"),
    "call: one image": (lambda b: net_of_images()(np.ones((4, 5, 1))), "'net'", "(None, 4, 5, 1)", "x[None]"),
    "test_on_batch: a label too large": (lambda b: b.model.test_on_batch(b.x, b.y + 1), "`y`", "0 to 2"),
    "predict_on_batch: too few features": (lambda b: b.model.predict_on_batch(b.x[:, :2]), "`x`", "(20, 2)"),

    "split_dataset: a number": (lambda b: utils.split_dataset(3, 0.5), "`dataset`", "int"),
    "digits: a share above 1": (lambda b: digits.load_data(test_split=2), "digits.load_data", "`test_split`", "got 2"),
    "digits: a share in words": (lambda b: digits.load_data("x"), "digits.load_data", "`test_split`", "'x'"),
    "digits: a negative seed": (lambda b: digits.load_data(seed=-1), "digits.load_data", "`seed`", "int", "-1"),
    "iris: a seed that is a word": (lambda b: iris.load_data(seed="x"), "iris.load_data", "`seed`", "int", "'x'"),
    "split_dataset: a share above 1": (lambda b: utils.split_dataset(b.x, 1.5), "`left_size`", "1.5"),
    "split_dataset: no size": (lambda b: utils.split_dataset(b.x), "`left_size`", "`right_size`", "None"),
    "split_dataset: all rows on one side": (lambda b: utils.split_dataset(b.x, 20), "20 rows", "both parts"),
    "pad_sequences: numbers for sequences": (lambda b: utils.pad_sequences([1, 2]), "`sequences`", "got 1"),
    "pad_sequences: padding left": (lambda b: utils.pad_sequences([[1]], padding="left"), "`padding`", "'left'"),
    "pad_sequences: a word among numbers": (lambda b: utils.pad_sequences([[1]], value="x"), "`value`", "int32", "'x'"),
    "Progbar with both lists": (lambda b: utils.Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"]),
                                "`stateful_metrics`", "['a']"),
    "get_file": (lambda b: utils.get_file("a", "https://example.org"), "downloads nothing", "example.org"),
    "Tokenizer: JSON of something else": (lambda b: fastnn.preprocessing.text.tokenizer_from_json("[1]"),
                                          "`json_string`", "JSON object", "'[1]'"),
    "Tokenizer: a missing text": (lambda b: fastnn.preprocessing.text.Tokenizer().fit_on_texts(["a", float("nan")]),
                                  "`texts`", "nan at place 1"),
    "Tokenizer: a matrix before any words": (lambda b: fastnn.preprocessing.text.Tokenizer().texts_to_matrix(["a"]),
                                             "`Tokenizer`", "fit_on_texts", "`num_words`"),
    "pad_sequences: a number too large": (lambda b: utils.pad_sequences([[1], [2**40]]), "`sequences`", "int32",
                                          "1099511627776", "sequence 1"),
    "pad_sequences: words": (lambda b: utils.pad_sequences([[1], ["a"]]), "`sequences`", "int32", "'a'", "sequence 1"),
    "Tokenizer: bytes": (lambda b: fastnn.preprocessing.text.Tokenizer().fit_on_texts([b"the cat"]), "`texts`",
                         "got the bytes b'the cat'", "decode"),
    "plotting.filters: a name": (lambda b: fastnn.plotting.filters("conv2d"), "`layer`", "get_layer('conv2d')"),
    "Tokenizer: one text": (lambda b: fastnn.preprocessing.text.Tokenizer().fit_on_texts("a b"), "`texts`", "'a b'"),

    "Perceptron of no features": (lambda b: Perceptron(0), "`num_features`", "at least 1", "0"),
    "Perceptron: features that differ": (lambda b: Perceptron(3).train(*XY, 1), "`x`", "(rows, 3)", "(3, 2)"),
    "Perceptron: labels -1 and 1": (lambda b: Perceptron(2).train(XY[0], [-1, 1, 1], 1), "`y`", "0 and 1",
                                    "-1 at row 0"),
    "Perceptron: lengths that differ": (lambda b: Perceptron(2).train(XY[0], [0, 1], 1), "`y`", "(3,)", "(2,)"),
    "Perceptron: NaN": (lambda b: Perceptron(2).train([[0.0, np.nan]], [1], 1), "`x`", "nan", "row 0, column 1"),
    "Perceptron: epochs a float": (lambda b: Perceptron(2).train(*XY, 1.5), "`epochs`", "1.5"),
    "Perceptron: a label too few": (lambda b: Perceptron(2).backward(XY[0], [0, 1]), "`y`", "3", "(2,)"),
    "ThresholdNeuron: half an input": (lambda b: ThresholdNeuron([1, 1], 1)([0.5, 1]), "`x`", "0 and 1", "0.5"),
    "ThresholdNeuron: an input that is not there": (lambda b: ThresholdNeuron([1, 1], 1, [2]), "`inhibitory`", "2"),
    "ThresholdNeuron: a threshold in words": (lambda b: ThresholdNeuron([1, 1], "one"), "`threshold`", "'one'"),
    "zero_one_loss: three classes": (lambda b: zero_one_loss([1, 1], XY[0], [0, 1, 2]), "`y`", "0 and 1", "2 at row 2"),
    "zero_one_loss: labels -1 and 0": (lambda b: zero_one_loss([1, 1], XY[0], [-1, 0, 1]), "`y`", "-1 and 1", "row 1"),
    "zero_one_loss: weights of another size": (lambda b: zero_one_loss([1, 1, 1], *XY), "`X`", "(rows, 3)", "(3, 2)"),
    "gradient_descent: no function": (lambda b: gradient_descent(3.0, 1.0, 0.1), "`gradient`", "function", "3.0"),
    "gradient_descent: a learning rate of 0": (lambda b: gradient_descent(np.sign, 1.0, 0), "`learning_rate`",
                                               "above 0"),
    "gradient_descent: a start of NaN": (lambda b: gradient_descent(np.sign, np.nan, 0.1), "`x0`", "nan"),
    "gradient_descent: a gradient of another shape": (lambda b: gradient_descent(lambda x: [1, 2, 3], [1.0, 2.0], 0.1),
                                                      "`gradient`", "(2,)", "(3,)"),
    "gradient_descent: a negative tolerance": (lambda b: gradient_descent(np.sign, 1.0, 0.1, tol=-1), "`tol`", "-1"),
}
