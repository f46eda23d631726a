"""Layers made of others: files and copies whatever their parts were before, shared parts, what a freeze reaches."""
import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn.layers import (
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Embedding,
    GRUCell,
    LSTMCell,
    StackedRNNCells,
    TimeDistributed,
)

X = np.random.default_rng(0).standard_normal((6, 5, 3)).astype("float32")
STEP = X[:, 0]


def called(thing, *arguments):
    """A layer or cell that has been called by itself: its weights have the paths of one that stands alone."""
    thing(*arguments)
    return thing


def zeros(n):
    return [np.zeros((6, 4), "float32")] * n


def called_twice(part):
    """A layer that was called by itself, then a part of another."""
    TimeDistributed(called(part, STEP))(X)
    return part


STEPS = (5, 3)
PREBUILT = {
    "TimeDistributed": (STEPS, lambda: TimeDistributed(called(Dense(2), STEP))),
    "of another before": (STEPS, lambda: TimeDistributed(called_twice(Dense(2)))),
    "built in another": (STEPS, lambda: TimeDistributed(called(TimeDistributed(Dense(2)), X).layer)),
    "at two levels": ((2, 5, 3), lambda: TimeDistributed(called(TimeDistributed(called(Dense(2), STEP)), X))),
    "a cell": (STEPS, lambda: RNN(called(LSTMCell(4), STEP, zeros(2)))),
    "cells": (STEPS, lambda: RNN([called(GRUCell(4), STEP, zeros(1)), GRUCell(2)])),
    "stacked cells": (STEPS, lambda: RNN(called(StackedRNNCells([GRUCell(4), GRUCell(4)]), STEP, zeros(2)))),
    "Bidirectional": (STEPS, lambda: Bidirectional(
        LSTM(2), backward_layer=called(LSTM(2, go_backwards=True), X))),
    "a model": (STEPS, lambda: TimeDistributed(fastnn.Sequential([fastnn.Input((3,)), called(Dense(2), STEP)]))),
    "an embedding": (STEPS, lambda: TimeDistributed(Embedding(3, 2, weights=[np.arange(6.0).reshape(3, 2)]))),
}


def copies(model, path):
    """What becomes of a model in a file, and by the ways to copy it."""
    model.save(path / "m.fastnn")
    return {"file": fastnn.models.load_model(path / "m.fastnn"), "deepcopy": copy.deepcopy(model),
            "pickle": pickle.loads(pickle.dumps(model))}


@pytest.mark.parametrize("name", PREBUILT)
def test_parts_that_were_built_before_go_into_files(name, tmp_path):
    shape, make = PREBUILT[name]
    model = fastnn.Sequential([fastnn.Input(shape), make()])
    x = np.random.default_rng(1).integers(0, 2, (4, *shape)).astype("float32")
    for way, again in copies(model, tmp_path).items():
        assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0)), way
        assert len(again.weights) == len(model.weights)


@pytest.mark.parametrize("half", ["forward_layer", "backward_layer"])
def test_a_frozen_half_of_bidirectional_stays_frozen(half, tmp_path):
    layer = Bidirectional(LSTM(2))
    model = fastnn.Sequential([fastnn.Input(STEPS), layer])
    getattr(layer, half).trainable = False
    for way, again in copies(model, tmp_path).items():
        assert [w.trainable for w in again.weights] == [w.trainable for w in model.weights], way
        assert len(again.trainable_weights) == 3 and again.get_config() == model.get_config()


def shared():
    """Models that use one layer at two places."""
    cell, dense = GRUCell(3, name="both"), Dense(3, name="both")
    return {"of two layers": [RNN(cell, return_sequences=True), RNN(cell)], "of one": [RNN([GRUCell(3), cell, cell])],
            "in a model": [fastnn.Sequential([TimeDistributed(dense)]), dense],
            "of an LSTM": [layer := LSTM(3, return_sequences=True), RNN(layer.cell)]}


@pytest.mark.parametrize("where", shared())
def test_what_is_shared_is_not_copied_as_two(where, tmp_path):
    model = fastnn.Sequential([fastnn.Input(STEPS), *shared()[where]])
    for way in (copy.deepcopy, pickle.dumps, fastnn.models.clone_model, lambda m: m.save(tmp_path / "m"),
                lambda m: m.to_json()):
        with pytest.raises(ValueError, match=r"'(both|lstm_cell)' is used at two places.*save_weights"):
            way(model)
    again = fastnn.Sequential([fastnn.Input(STEPS), *shared()[where]])
    model.save_weights(tmp_path / "w.fastnn")
    again.load_weights(tmp_path / "w.fastnn")
    assert np.array_equal(model.predict(X, verbose=0), again.predict(X, verbose=0))


def test_a_cell_that_stands_twice_counts_once():
    cell = GRUCell(3)
    layer = RNN([cell, cell])
    layer(X)
    assert len(layer.weights) == 3 and layer.count_params() == cell.count_params()


@pytest.mark.parametrize("make", [
    lambda: Bidirectional(LSTM(2), trainable=False), lambda: TimeDistributed(Dense(2), trainable=False),
    lambda: RNN(GRUCell(2), trainable=False), lambda: RNN(StackedRNNCells([GRUCell(2), GRUCell(2)], trainable=False)),
    lambda: LSTM(2, trainable=False)])
def test_a_layer_made_frozen_freezes_its_parts(make):
    model = fastnn.Sequential([fastnn.Input(STEPS), make()])
    assert model.weights and not model.trainable_weights


def test_freezing_a_part_makes_another_step():
    layer = Bidirectional(LSTM(2))
    model = fastnn.Sequential([fastnn.Input(STEPS), layer])
    model.compile("sgd", "mse")
    y = np.ones((6, 4))
    model.fit(X, y, verbose=0)
    layer.forward_layer.trainable = False
    before = model.get_weights()
    model.fit(X, y, verbose=0)
    assert [np.array_equal(a, b) for a, b in zip(before, model.get_weights())] == [True] * 3 + [False] * 3


def test_a_part_called_by_itself_has_the_weights_of_the_model():
    """They move when the model is built; what was lowered before does not read them."""
    dense = called(Dense(2), STEP)
    model = fastnn.Sequential([fastnn.Input(STEPS), TimeDistributed(dense)])
    model.set_weights([np.ones((3, 2)), np.zeros(2)])
    np.testing.assert_allclose(dense(STEP), np.repeat(STEP.sum(1, keepdims=True), 2, 1), rtol=1e-5)


def test_parts_have_the_dtype_of_the_model():
    layer = TimeDistributed(Dense(2))
    model = fastnn.Sequential([fastnn.Input(STEPS), layer], dtype="float64")
    assert np.array_equal(layer.layer(STEP), model.predict(X, verbose=0)[:, 0])
