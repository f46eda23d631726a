"""Warnings point at the line of the user's that led to them, whatever lies between."""
import ast
import inspect
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, layers

X, Y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")


def compiled(loss="mse", metrics=None):
    model = fastnn.Sequential([fastnn.Input((2,)), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", loss, metrics=metrics)
    return model


def batches():
    yield X, Y


def state_of_another(folder):
    compiled().save(folder / "net.fastnn")
    other = compiled()
    other.compile("sgd", "mse")
    other.fit(X, Y, verbose=0)
    other.save_weights(folder / "sgd.fastnn")
    return folder / "sgd.fastnn"


MISSING = {"verbose": 0, "callbacks": [callbacks.EarlyStopping("val_loss")]}
CASES = {
    "a stream that ends": lambda folder: compiled().fit(batches(), epochs=2, steps_per_epoch=1, verbose=0),
    "evaluating a stream that ends": lambda folder: compiled().evaluate(batches(), steps=2, verbose=0),
    "a metric to monitor": lambda folder: compiled().fit(X, Y, **MISSING),
    "a metric for ReduceLROnPlateau": lambda folder: compiled().fit(
        X, Y, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("val_loss")]),
    "a metric for ModelCheckpoint": lambda folder: compiled().fit(
        X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint(folder / "a", "val_loss", save_best_only=True)]),
    "the same, a batch": lambda folder: compiled().fit(
        X, Y, 4, verbose=0, callbacks=[callbacks.ModelCheckpoint(folder / "a", "val_loss", save_best_only=True,
                                                                 save_freq=1)]),
    "an old name": lambda folder: layers.LeakyReLU(alpha=0.2),
    "input_shape on a layer": lambda folder: layers.Dense(1, input_shape=(2,)),
    "input_dim on a layer": lambda folder: layers.BatchNormalization(input_dim=2),
    "logits that are none": lambda folder: compiled(fastnn.losses.BinaryCrossentropy(from_logits=True)).fit(
        X, Y, verbose=0),
    "a weight without a gradient": lambda folder: fastnn.optimizers.SGD(0.1).apply_gradients(
        [(np.ones(2), np.ones(2)), (None, np.ones(2))]),
    "too few rows for R2Score": lambda folder: compiled(metrics=[fastnn.metrics.R2Score(num_regressors=20)]).evaluate(
        X, Y, verbose=0),
    "the state of another optimizer": lambda folder: compiled().load_weights(state_of_another(folder)),
}


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("name", CASES)
def test_a_warning_points_at_the_users_line(name, tmp_path):
    with pytest.warns(UserWarning) as caught:
        CASES[name](tmp_path)
    first, lines = CASES[name].__code__.co_firstlineno, len(inspect.getsource(CASES[name]).splitlines())
    for warning in caught:
        assert warning.filename == __file__ and first <= warning.lineno < first + lines, (warning.filename,
                                                                                         warning.lineno)


def test_it_points_at_the_layer_of_the_users_own():
    """A class that is derived is outside the package."""
    class Mine(layers.Dense):
        def __init__(self):
            super().__init__(1, input_shape=(2,))

    with pytest.warns(UserWarning, match="Input") as caught:
        Mine()
    assert caught[0].lineno == inspect.getsourcelines(Mine.__init__)[1] + 1


def test_a_warning_is_shown_once_a_line_and_may_be_an_error():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            layers.LeakyReLU(alpha=0.2)
        layers.LeakyReLU(alpha=0.2)
    assert len(caught) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="negative_slope"):
            layers.LeakyReLU(alpha=0.2)


def test_nobody_in_the_package_counts_levels():
    for path in Path(fastnn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", "")
            assert name != "warn" and getattr(node, "arg", "") != "stacklevel", f"{path}: use _warn.warn"
