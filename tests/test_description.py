"""Descriptions of models in files and as JSON: what they may say, own classes, every class that there is."""
import copy
import json
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from nets import bits, check_goes_on, nested, small_net, trained

import fastnn
from fastnn.layers import LSTM, Dense, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from fastnn.models import clone_model, load_model, model_from_json
from fastnn.saving import format as files

# what a file may say

def changed(path, change):
    """A file with another description, or other arrays, signed."""
    described, arrays = files.read(path)
    change(described, arrays)
    files.write(path, arrays, described)


@pytest.mark.parametrize("change, words", [
    (lambda d, a: d.update(format=2), "newer fastnn"), (lambda d, a: d.update(kind="weights"), "load_weights"),
    (lambda d, a: d.update(kind="x"), "kind"), (lambda d, a: d.pop("seeds"), "must have the keys"),
    (lambda d, a: d.update(more=1), "must have the keys"), (lambda d, a: d["seeds"].append(1), "seeds"),
    (lambda d, a: d["model"].update(class_name="os.system"), "os.system"),
    (lambda d, a: layer(d, 1).update(class_name="Lambda"), "Lambda"),
    (lambda d, a: layer(d, 1).update(class_name="Mine"), "custom_objects"),
    (lambda d, a: layer(d, 1)["config"].update(units=10**9), r"\(20, 1000000000\)"),
    (lambda d, a: layer(d, 1)["config"].update(activation="rellu"), "relu"),
    (lambda d, a: layer(d, 1)["config"].update(colour=3), "colour"),
    (lambda d, a: d["compile"].update(optimizer={"class_name": "SGD", "config": {}}), "optimizer"),
    (lambda d, a: d["compile"].update(loss={"class_name": "function", "config": "os.system"}), "custom_objects"),
    (lambda d, a: a.update({"dense/more": np.ones(2, "f4")}), "lists"),
    (lambda d, a: (a.update({"dense/more": np.ones(2, "f4")}), d["weights"].append("dense/more")), "does not ask for"),
    (lambda d, a: a.update({"fastnn.optimizer/iterations": np.array([-1])}), "iterations")])
def test_a_description_that_does_not_fit(tmp_path, change, words):
    path = tmp_path / "net"
    trained()[0].save(path)
    changed(path, change)
    with pytest.raises(fastnn.ModelFileError, match=words) as caught:
        load_model(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) <= 400


def with_metric(class_name, **config):
    return lambda d, a: d["compile"].update(metrics=[{"class_name": class_name, "config": config}])


@pytest.mark.parametrize("change, words", [
    (with_metric("AUC", num_thresholds=3 * 10**8), "num_thresholds"),
    (with_metric("PrecisionAtRecall", recall=0.5, num_thresholds=10**5 + 1), "num_thresholds"),
    (with_metric("MeanIoU", num_classes=10**7), "num_classes"),
    (with_metric("auc", num_thresholds=1e9), "num_thresholds"),
    (lambda d, a: d["compile"].update(metrics=["mse"] * 60, weighted_metrics=["mse"] * 41), "at most 100 metrics")])
def test_a_metric_costs_no_more_than_its_file(tmp_path, change, words):
    path = tmp_path / "net"
    trained()[0].save(path)
    changed(path, change)
    tracemalloc.start()
    with pytest.raises(fastnn.ModelFileError, match=words):
        load_model(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_what_would_not_load_is_not_saved(tmp_path):
    model = small_net(metrics=[fastnn.metrics.MeanIoU(10_001)])
    with pytest.raises(ValueError, match="num_classes"):
        model.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []
    small_net(metrics=[fastnn.metrics.AUC(num_thresholds=100_000)]).save(tmp_path / "net")
    load_model(tmp_path / "net")


def test_memory_that_runs_out_while_loading(tmp_path, monkeypatch):
    def no_memory(*_):
        raise MemoryError

    path = tmp_path / "net"
    trained()[0].save(path)
    for place in ("fastnn.models.persistence._built", "fastnn.saving.format._opened"):
        with monkeypatch.context() as patch:
            patch.setattr(place, no_memory)
            with pytest.raises(fastnn.ModelFileError, match="more memory"):
                load_model(path)


@pytest.mark.parametrize("change", [
    lambda d, a: layer(d, 0)["config"].update(shape=[20.0]), lambda d, a: layer(d, 0)["config"].update(shape=[True]),
    lambda d, a: layer(d, 1)["config"].update(name=5), lambda d, a: layer(d, 1)["config"].update(name=["a"]),
    lambda d, a: d["compile"].update(loss={"class_name": "MeanSquaredError", "config": {"name": [1]}}),
    lambda d, a: d["compile"]["optimizer"]["config"].update(name=7), with_metric("MeanSquaredError", name=[1]),
    lambda d, a: d["model"]["config"]["layers"].insert(1, {"class_name": "Normalization", "config": {
        "mean": "x", "variance": 1}}),
    lambda d, a: d["model"]["config"]["layers"].insert(1, {"class_name": "Normalization", "config": {
        "mean": 1, "variance": -1}})])
def test_settings_of_the_wrong_kind_are_found_when_a_file_is_loaded(tmp_path, change):
    path = tmp_path / "net"
    trained()[0].save(path)
    changed(path, change)
    with pytest.raises(fastnn.ModelFileError, match=r"`name`|`shape`|`mean`|`variance`"):
        load_model(path)


@pytest.mark.parametrize("make", [
    lambda: [fastnn.Input((784,)), Dense(128, kernel_initializer=fastnn.initializers.Constant(
        np.random.default_rng(0).standard_normal((784, 128)).astype("float32")))],
    lambda: [fastnn.Input((60_000,)), fastnn.layers.Normalization(mean=np.full(60_000, 0.1), variance=np.ones(60_000)),
             Dense(1)]])
def test_settings_that_are_large_arrays(tmp_path, make):
    model = fastnn.Sequential(make())
    model.notes = {"commas": "," * 5_000, "names": [f"category {i}" for i in range(5_000)]}
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net")
    assert again.get_config() == model.get_config() and again.notes == model.notes
    assert bits(copy.deepcopy(model).get_weights()) == bits(model.get_weights())


def test_many_layers_take_time_in_proportion(tmp_path):
    model = fastnn.Sequential([fastnn.Input((2,)), Dense(1)])
    model.save(tmp_path / "net")
    changed(tmp_path / "net", lambda d, a: d["model"]["config"]["layers"].extend(
        {"class_name": "Identity", "config": {"name": f"i{k}"}} for k in range(6000)))
    changed(tmp_path / "net", lambda d, a: d.update(seeds=["x"]))
    compared = 0

    class Name(str):
        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    with pytest.raises(fastnn.ModelFileError, match="seed"):       # before any layer is made
        load_model(tmp_path / "net")
    layers = [fastnn.layers.Identity(name=Name(f"i{k}")) for k in range(300)]
    fastnn.Sequential(layers)
    assert compared < 1000


@pytest.mark.parametrize("path, error", [(5, TypeError), (None, TypeError), ("", ValueError)])
def test_what_is_no_path(path, error):
    model = small_net()
    for call in (model.save, model.save_weights, model.load_weights, load_model):
        with pytest.raises(error, match="`filepath`"):
            call(path)


@pytest.mark.parametrize("max_bytes", ["x", None, 0, 1.5])
def test_max_bytes_is_a_whole_number(tmp_path, max_bytes):
    with pytest.raises((TypeError, ValueError), match="`max_bytes`"):
        load_model(tmp_path / "net", max_bytes=max_bytes)


def layer(described, i):
    return described["model"]["config"]["layers"][i]


def test_a_large_layer_is_refused_before_it_is_made(tmp_path, monkeypatch):
    path = tmp_path / "net"
    trained()[0].save(path)
    changed(path, lambda d, a: layer(d, 1)["config"].update(units=10**15))
    monkeypatch.setattr(fastnn.random, "generator", None)         # and nothing is drawn
    with pytest.raises(fastnn.ModelFileError, match=r"10{15}"):
        load_model(path)
    monkeypatch.undo()
    trained()[0].save(path)
    monkeypatch.setattr(fastnn.random, "generator", None)
    load_model(path)


# classes and functions of the user's own

class Doubled(Dense):
    """Dense, under a name of the user's."""


def gap(y_true, y_pred):
    return np.abs(y_pred).mean(-1)


def own_net():
    model = fastnn.Sequential([fastnn.Input((4,)), Doubled(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[gap, "accuracy"])
    return trained(model)


def test_own_classes_and_functions_come_from_the_caller(tmp_path):
    model, x, y = own_net()
    model.save(tmp_path / "net")
    with pytest.raises(fastnn.ModelFileError, match=r"'Doubled'.*custom_objects"):
        load_model(tmp_path / "net")
    with pytest.raises(fastnn.ModelFileError, match=r"'gap'.*custom_objects"):
        load_model(tmp_path / "net", {"Doubled": Doubled})
    again = load_model(tmp_path / "net", custom_objects={"Doubled": Doubled, "gap": gap})
    assert type(again.layers[0]) is Doubled
    check_goes_on(model, again, x, y)
    check_goes_on(model, pickle.loads(pickle.dumps(model)), x, y)


def sloped(y_true, y_pred):
    difference = y_pred - np.eye(3)[y_true.astype(int).reshape(-1)]
    return (difference ** 2).mean(-1), 2 * difference / 3


def ramp(shape, dtype=None):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape) / 10


def halved(w):
    return w / 2


def test_functions_of_every_kind(tmp_path):
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(3, kernel_initializer=ramp, kernel_constraint=halved)])
    model.compile("sgd", sloped, metrics=[gap], weighted_metrics=[fastnn.metrics.MeanMetricWrapper(gap, "other")])
    _, x, y = trained(model)
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net", custom_objects={f.__name__: f for f in (sloped, ramp, halved, gap)})
    check_goes_on(model, again, x, y)
    check_goes_on(model, copy.deepcopy(model), x, y)
    for left_out in ("sloped", "ramp", "halved", "gap"):
        with pytest.raises(fastnn.ModelFileError, match=left_out):
            load_model(tmp_path / "net", {f.__name__: f for f in (sloped, ramp, halved, gap) if f.__name__ != left_out})


def test_an_own_class_named_like_one_of_ours_is_not_saved(tmp_path):
    class Dropout(Dense):
        pass

    model = fastnn.Sequential([fastnn.Input((4,)), Dropout(3)])
    with pytest.raises(ValueError, match=r"'Dropout'.*rename"):
        model.save(tmp_path / "net")
    assert not os.listdir(tmp_path)


def test_what_no_file_can_hold(tmp_path):
    model, _, _ = trained()
    for notes in ([], {1: 2}, {"a": np.ones(2)}, {"a": float("nan")}, {"a": (1,)}):
        model.notes = notes
        with pytest.raises(ValueError, match="`notes`"):
            model.save(tmp_path / "net")
    model.notes = {}
    model.optimizer = fastnn.optimizers.SGD(lambda step: 0.1)
    model.save(tmp_path / "net")                       # a function: by its name, and only from the caller
    with pytest.raises(fastnn.ModelFileError, match="<lambda>"):
        load_model(tmp_path / "net")


def test_a_lambda_layer_is_refused_with_the_reason(tmp_path):
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Lambda(lambda x: x * 2)])
    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        model.save(tmp_path / "net")
    assert not os.listdir(tmp_path)


# descriptions

def test_notes_go_with_the_model(tmp_path):
    model, _, _ = trained()
    model.notes = {"columns": ["a", "b" * 3000, "é"], "n": [1, 2.5, None, True], "class_name": {"config": "os.system"}}
    model.save(tmp_path / "net")
    assert load_model(tmp_path / "net").notes == model.notes
    for again in (copy.deepcopy(model), model_from_json(model.to_json()), clone_model(model)):
        assert again.notes == model.notes
    model.save_weights(tmp_path / "w")
    assert "notes" not in files.read(tmp_path / "w").description


def test_json(tmp_path):
    model, x, y = trained()
    again = model_from_json(model.to_json(indent=1))
    assert again.get_config() == model.get_config() and again.optimizer.get_config() == model.optimizer.get_config()
    assert bits(again.get_weights()) != bits(model.get_weights())
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    again.fit(x, y, verbose=0)
    with pytest.raises(fastnn.ModelFileError, match="JSON"):
        model_from_json("{")


def test_clones_have_weights_of_their_own():
    model, x, _ = trained()
    again = clone_model(model)
    assert again.get_config() == model.get_config() and again.optimizer is None
    assert not {id(w) for w in again.weights} & {id(w) for w in model.weights}
    frozen = clone_model(model, lambda layer: type(layer).from_config({**layer.get_config(), "trainable": False}))
    assert not frozen.trainable_weights and frozen.predict(x, verbose=0).shape == (96, 3)


def test_get_config_is_plain_and_makes_the_same_again():
    model = nested()
    config = model.get_config()
    assert json.loads(json.dumps(config)) == config
    again = fastnn.Sequential.from_config(config)
    assert again.get_config() == config and again.built
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


# every class that there is

def stacked_cells():
    return StackedRNNCells([LSTMCell(3), GRUCell(4), SimpleRNNCell(2)])


# of a layer: arguments, or functions that make them
ARGUMENTS = {
    "Dense": (3,), "Activation": ("tanh",), "Dropout": (0.5,), "GaussianNoise": (0.1,), "GaussianDropout": (0.1,),
    "AlphaDropout": (0.1,), "Reshape": ((2, 3),), "Rescaling": (2.0,), "InputLayer": None, "Lambda": None,
    "Conv1D": (4, 2), "Conv2D": (4, (2, 1)), "Conv1DTranspose": (4, 2), "Conv2DTranspose": (4, 2, 2),
    "DepthwiseConv1D": (2,), "DepthwiseConv2D": ((2, 1),), "SeparableConv1D": (4, 2), "SeparableConv2D": (4, (2, 1)),
    "AveragePooling1D": (2,), "AveragePooling2D": ((2, 1),), "MaxPooling2D": ((2, 1),), "Permute": ((1,),),
    "RepeatVector": (2,), "SpatialDropout1D": (0.1,), "SpatialDropout2D": (0.1,), "GroupNormalization": (3,),
    "Cropping1D": (1,), "Cropping2D": ((1, 0),), "UpSampling1D": (2,), "UpSampling2D": (2,), "ZeroPadding1D": (1,),
    "LSTM": (3,), "GRU": (3,), "SimpleRNN": (3,), "RNN": (stacked_cells,), "Bidirectional": (lambda: LSTM(3),),
    "TimeDistributed": (lambda: Dense(3),),
    # parts of RNN, a layer of ids, and what test_models_inside_models shows
    "LSTMCell": None, "GRUCell": None, "SimpleRNNCell": None, "StackedRNNCells": None, "Embedding": None,
    "Sequential": None}
# what six features become for layers over steps and images
SHAPES = {"1D": (3, 2), "2D": (3, 2, 1), **dict.fromkeys(("LSTM", "GRU", "RNN", "Bidir", "TimeD"), (3, 2)), "": (6,)}


@pytest.mark.parametrize("name", sorted({cls.__name__ for cls in fastnn.layers.registry.by_name.values()}))
def test_every_layer_comes_back(tmp_path, name):
    if ARGUMENTS.get(name, ()) is None:
        return
    x = np.random.default_rng(0).standard_normal((20, 6)).astype("float32")
    fastnn.random.set_seed(4)
    arguments = [given() if callable(given) else given for given in ARGUMENTS.get(name, ())]
    layer = getattr(fastnn.layers, name)(*arguments)
    if hasattr(layer, "adapt"):
        layer.adapt(x)
    shape = next(shape for part, shape in SHAPES.items() if part in name)
    model = fastnn.Sequential([fastnn.Input((6,)), Dense(6), fastnn.layers.Reshape(shape), layer,
                               fastnn.layers.Flatten(), Dense(2)])
    model.compile("adam", "mse")
    model.fit(x, x[:, :2], verbose=0)
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net")
    assert again.get_config() == model.get_config()
    check_goes_on(model, again, x, x[:, :2])


CREATED = [(kind, name) for kind in ("losses", "metrics", "optimizers", "initializers", "regularizers", "constraints")
           for name in sorted({cls.__name__ for cls in getattr(fastnn, kind)._registry.by_name.values()})]
NEED = {"LossMetric": (fastnn.losses.Huber(0.5),), "IoU": (2, [0]), "MeanIoU": (2,), "OneHotIoU": (2, [0]),
        "OneHotMeanIoU": (2,),
        "SensitivityAtSpecificity": (0.5,),
        "SpecificityAtSensitivity": (0.5,), "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,)}


@pytest.mark.parametrize("kind, name", CREATED)
def test_every_description_is_json_and_makes_the_same_again(kind, name):
    module = getattr(fastnn, kind)
    cls = getattr(module, name)
    if name == "MeanMetricWrapper":
        return                                   # made of a function, and described by that
    made = cls(*NEED.get(name, ()))
    described = json.loads(json.dumps(made.describe()))
    again = module.get(described)
    assert type(again) is cls and again.describe() == made.describe()
