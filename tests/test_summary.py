"""summary() looks as Keras's does: the texts of golden/summary.txt were printed by Keras 3.15 for the same models."""
from pathlib import Path

import numpy as np
import pytest

from fastnn.models.summary import summary_text

GOLDEN = Path(__file__).parent / "golden" / "summary.txt"
KERAS = dict(part.split("\n", 1) for part in GOLDEN.read_text(encoding="utf-8").split("## ")[1:])


class Fake:
    """What summary_text reads of a layer or a model."""

    def __init__(self, name, output_shape=None, weights=(), fixed=(), trainable=True, built=True, layers=None):
        self.name, self.output_shape, self.trainable, self.built = name, output_shape, trainable, built
        arrays = [np.broadcast_to(np.float32(0), shape) for shape in weights]
        self.trainable_weights = arrays if trainable else []
        self.non_trainable_weights = [] if trainable else arrays
        self.non_trainable_weights = self.non_trainable_weights + [np.zeros(shape, "float32") for shape in fixed]
        self.optimizer = None
        if layers is not None:
            self.layers = layers
            self.trainable_weights = [w for layer in layers for w in layer.trainable_weights]

    @property
    def weights(self):
        return self.trainable_weights + self.non_trainable_weights

    def count_params(self):
        return sum(w.size for w in self.weights)


class Optimizer:
    def __init__(self, iterations, *shapes):
        self.iterations = iterations
        self.variables = [np.zeros((), "int64"), *(np.broadcast_to(np.float32(0), shape) for shape in shapes)]


KINDS = {kind: type(kind, (Fake,), {}) for kind in ("Dense", "Dropout", "BatchNormalization", "Flatten", "Sequential")}


def dense(name, n_in, n_out, **options):
    return KINDS["Dense"](name, (None, n_out), [(n_in, n_out), (n_out,)], **options)


def mlp():
    return Fake("sequential", layers=[dense("dense", 784, 128), dense("dense_1", 128, 64), dense("dense_2", 64, 10)])


def trained():
    model = mlp()
    # the optimizer of Keras holds the step number, the learning rate and two moments of every weight
    model.optimizer = Optimizer(1, (), *(w.shape for w in 2 * model.weights))
    return model


def unbuilt():
    layers = [KINDS["Dense"]("dense_3", built=False), KINDS["BatchNormalization"]("batch_normalization", built=False)]
    return Fake("unbuilt", layers=layers)


def normalised():
    return Fake("normalised", layers=[
        dense("a_layer_with_quite_a_long_name", 16, 300, trainable=False),
        KINDS["BatchNormalization"]("batch_normalization_1", (None, 300), [(300,)] * 2, [(300,)] * 2),
        KINDS["Dropout"]("dropout_1", (None, 300)),
        dense("an_extremely_long_name_without_any_space_in_it_at_all", 300, 1)])


def nested():
    inner = KINDS["Sequential"]("inner", (None, 2), layers=[dense("d1", 8, 4), dense("d2", 4, 2)])
    return Fake("outer", layers=[inner, dense("d3", 2, 1)])


def big():
    return Fake("big", layers=[KINDS["Flatten"]("flatten", (None, 2352)), dense("wide", 2352, 3000)])


CASES = {
    "dense": (mlp, {}),
    "line_length 60": (mlp, {"line_length": 60}),
    "trainable": (mlp, {"show_trainable": True}),
    "range": (mlp, {"layer_range": ["dense_1", "dense_2"]}),
    "positions": (mlp, {"positions": [0.6, 0.8, 1.0]}),
    "trained": (trained, {}),
    "unbuilt": (unbuilt, {}),
    "long": (normalised, {"show_trainable": True}),
    "long narrow": (normalised, {"line_length": 40}),
    "nested": (nested, {}),
    "nested expanded": (nested, {"expand_nested": True}),
    "big": (big, {}),
}


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """A terminal of 80 columns, as the golden texts were made in."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("case", KERAS)
def test_same_text_as_keras(case):
    make, options = CASES[case]
    assert summary_text(make(), **options) == KERAS[case].rstrip("\n")


def test_every_case_has_a_golden_text():
    assert sorted(CASES) == sorted(KERAS)


def test_lines_are_at_most_88_wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert {len(line) for line in summary_text(mlp()).splitlines()[1:-3]} == {88}
    assert {len(line) for line in summary_text(mlp(), show_trainable=True).splitlines()[1:-3]} == {100}
    assert {len(line) for line in summary_text(mlp(), line_length=150).splitlines()[1:-3]} == {150}


def test_shared_weights_count_once():
    layer = dense("shared", 4, 3)
    assert " Total params: 15 (60.00 B)" in summary_text(Fake("twice", layers=[layer, layer]))


def test_optimizer_is_shown_after_training_only():
    model = mlp()
    model.optimizer = Optimizer(0, (3,))
    assert "Optimizer" not in summary_text(model)


def test_float64_weights_take_twice_the_memory():
    layer = dense("dense", 4, 3)
    layer.trainable_weights = [w.astype("float64") for w in layer.trainable_weights]
    assert " Trainable params: 15 (120.00 B)" in summary_text(Fake("model", layers=[layer]))


@pytest.mark.parametrize(("options", "words"), [
    ({"line_length": 10}, "line_length.*10"),
    ({"positions": [0.5, 1.0]}, "positions.*3 numbers"),
    ({"layer_range": ["dense_1", "conv"]}, "layer_range.*'conv'.*dense, dense_1, dense_2"),
    ({"layer_range": ["dense"]}, "layer_range.*two names"),
    ({"layer_range": "ab"}, "layer_range.*two names"),
])
def test_bad_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        summary_text(mlp(), **options)


def test_layer_range_takes_patterns_in_any_order():
    text = summary_text(mlp(), layer_range=["dense_2", "dense_1"])
    assert "dense_1 (" in text and "dense_2 (" in text and " dense (" not in text
