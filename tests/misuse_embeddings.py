"""What users do wrong with ids and with windows of a series: {what: (call on a workbench, words of the text)}."""
import numpy as np

import fastnn
from fastnn import layers
from fastnn.utils import timeseries_dataset_from_array as windows

IDS = np.arange(20).reshape(4, 5) % 9
SERIES = np.arange(12.0)


def case(call, *words):
    """A case that needs no workbench."""
    return (lambda b: call(), *words)


def net(*before):
    """Layers up to an Embedding of nine ids, and one number from it."""
    model = fastnn.Sequential([fastnn.Input((5,)), *before, layers.Embedding(9, 2, name="words"), layers.Flatten(),
                               layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def fit(value):
    """Train on ids of which one is this value."""
    x = IDS.astype(type(value))
    x[2, 3] = value
    return lambda: net().fit(x, np.zeros((4, 1)), verbose=0)


def streamed():
    """Of two batches the second is wrong."""
    yield IDS, np.zeros((4, 1))
    yield IDS + 1, np.zeros((4, 1))


CASES = {
    "fit: an id as large as the vocabulary": case(fit(9), "'words'", "from 0 to 8", "got 9", "row 2, step 3", "`x`"),
    "fit: an id below 0": case(fit(-1), "'words'", "got -1", "row 2, step 3", "padding"),
    "fit: an id that is a fraction": case(fit(1.5), "'words'", "got 1.5", "row 2, step 3", "whole numbers"),
    "fit: an id that is NaN": case(fit(float("nan")), "'words'", "got nan", "whole numbers"),
    "predict: an id outside": case(lambda: net().predict(IDS + 1, verbose=0), "'words'", "got 9", "row 1, step 3"),
    "a layer called on an id outside": case(lambda: layers.Embedding(3, 2, name="words")([[0, 1], [2, 3]]), "'words'",
                                            "got 3", "row 1, step 1"),
    "a stream with an id outside": case(lambda: net().fit(streamed(), verbose=0), "batch 1 of `x`", "'words'", "got 9"),
    "ids that a layer has made fractions": case(
        lambda: net(layers.Rescaling(0.5, name="half")).predict(IDS, verbose=0), "'words'", "got 0.5",
        "row 0, step 1 of its input"),
    "Embedding: no rows": case(lambda: layers.Embedding(0, 4), "`input_dim`", "positive int", "0"),
    "Embedding: rows in words": case(lambda: layers.Embedding("many", 4), "`input_dim`", "'many'"),
    "Embedding: a fraction of a number": case(lambda: layers.Embedding(9, 2.5), "`output_dim`", "2.5"),
    "Embedding: weights of another shape": case(lambda: layers.Embedding(9, 2, weights=np.zeros((2, 9)), name="words"),
                                                "'words'", "(9, 2)", "(2, 9)"),

    "windows: longer than the series": case(lambda: windows(SERIES, None, 13), "`sequence_length`", "13", "12 steps"),
    "windows: of nothing": case(lambda: windows([], [], 5), "`data`", "at least one step"),
    "windows: of no step": case(lambda: windows(SERIES, None, 0), "`sequence_length`", "at least 1", "0"),
    "windows: a rate as long as the series": case(lambda: windows(SERIES, None, 2, sampling_rate=12), "`sampling_rate`",
                                                  "12"),
    "windows: an end beyond the series": case(lambda: windows(SERIES, None, 2, end_index=13), "`end_index`", "13",
                                              "12 steps"),
    "windows: without targets in fit": case(lambda: net().fit(windows(SERIES % 9, None, 5), verbose=0), "`x`",
                                            "(x, y)"),
}
