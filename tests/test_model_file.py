"""Models in files: what comes back predicts and trains on bit for bit; what does not fit is refused whole."""
import copy
import json
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from nets import bits, blobs, deep_net, small_net

import fastnn
from fastnn.layers import BatchNormalization, Dense, Dropout
from fastnn.models import clone_model, load_model, model_from_json
from fastnn.models.describing import weights_by_name
from fastnn.saving import format as files

OPTIMIZERS = ["sgd", "rmsprop", "adam", "adamw", "nadam", "adagrad", "adadelta", "adamax", "lion"]


def state(model):
    """All that a training step changes."""
    names = {variable: name for name, variable in weights_by_name(model).items()}
    return bits([*model.get_weights(), *(value for _, value in sorted(model.optimizer.state(names).items()))])


def trained(model=None, epochs=2):
    model = model or deep_net()
    x, y = blobs(features=model.input_shape[-1])
    model.fit(x, y, epochs=epochs, verbose=0)
    return model, x, y


def check_goes_on(model, again, x, y):
    """Both predict alike now, and after more training."""
    assert bits([again.predict(x, verbose=0)]) == bits([model.predict(x, verbose=0)])
    histories = [m.fit(x, y, epochs=3, batch_size=17, validation_split=0.2, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]
    assert state(model) == state(again)
    assert model.evaluate(x, y, verbose=0) == again.evaluate(x, y, verbose=0)


def test_a_model_comes_back_and_goes_on(tmp_path):
    model, x, y = trained()
    model.save(tmp_path / "net.fastnn")
    again = load_model(tmp_path / "net.fastnn")
    assert (again.name, [w.path for w in again.weights]) == (model.name, [w.path for w in model.weights])
    assert again.optimizer.iterations == model.optimizer.iterations > 0 and again.seed == model.seed
    check_goes_on(model, again, x, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on(tmp_path, optimizer, dtype):
    fastnn.backend.clear_session()
    fastnn.random.set_seed(2)
    model = fastnn.Sequential([fastnn.Input((5,)), Dense(4, activation="tanh"), Dense(3, activation="softmax")],
                              dtype=dtype)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    _, x, y = trained(model)
    model.save(tmp_path / "net")
    check_goes_on(model, load_model(tmp_path / "net"), x, y)


def test_options_of_an_optimizer_go_on(tmp_path):
    schedule = fastnn.optimizers.schedules.ExponentialDecay(0.05, 3, 0.7)
    for optimizer in (fastnn.optimizers.SGD(schedule, momentum=0.9, nesterov=True, weight_decay=0.01, clipnorm=1.0),
                      fastnn.optimizers.Adam(amsgrad=True, use_ema=True, ema_overwrite_frequency=5),
                      fastnn.optimizers.Adam(gradient_accumulation_steps=3),
                      fastnn.optimizers.RMSprop(centered=True, momentum=0.5)):
        model, x, y = trained(small_net(optimizer=optimizer))
        model.save(tmp_path / "net")
        check_goes_on(model, load_model(tmp_path / "net"), x, y)


def test_weights_that_do_not_decay(tmp_path):
    model = small_net(optimizer=fastnn.optimizers.SGD(0.1, weight_decay=0.1))
    model.optimizer.exclude_from_weight_decay(var_list=[model.weights[0]], var_names=["bias"])
    trained(model)
    model.save(tmp_path / "net")
    _, x, y = trained(small_net())
    again = load_model(tmp_path / "net")
    assert [again.optimizer.decays(w) for w in again.weights] == [False, False, True, False, True, False]
    check_goes_on(model, again, x, y)


def test_a_learning_rate_that_was_assigned_comes_back(tmp_path):
    model, _x, _y = trained()
    model.optimizer.learning_rate = 0.25
    model.save(tmp_path / "net")
    assert load_model(tmp_path / "net").optimizer.learning_rate == 0.25


def test_frozen_layers_stay_frozen_and_keep_their_slots(tmp_path):
    model, x, y = trained()
    model.layers[0].trainable = model.layers[3].trainable = False
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net")
    assert [w.trainable for w in again.weights] == [w.trainable for w in model.weights]
    check_goes_on(model, again, x, y)
    for m in (model, again):
        m.layers[0].trainable = True
    check_goes_on(model, again, x, y)


def nested():
    """Models in models, with layers of the same names in each."""
    inner = fastnn.Sequential([fastnn.Input((8,)), Dense(8, activation="relu", name="a"), Dropout(0.2)], name="inner")
    middle = fastnn.Sequential([inner, Dense(8, name="a"), BatchNormalization()], name="middle")
    model = fastnn.Sequential([fastnn.Input((8,)), Dense(8, name="a"), middle, Dense(3, activation="softmax",
                                                                                     name="b")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


def test_models_inside_models(tmp_path):
    model, x, y = trained(nested())
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net")
    check_goes_on(model, again, x, y)
    assert "middle/inner/a/kernel" in files.read(tmp_path / "net").arrays
    # a loaded model inside a new one, whose layer has the name of one of its own
    whole = fastnn.Sequential([again, Dense(3, activation="softmax", name="b")])
    whole.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    whole.fit(x, y, verbose=0)
    whole.save(tmp_path / "whole")
    check_goes_on(whole, load_model(tmp_path / "whole"), x, y)


def test_a_model_without_input_and_one_not_built(tmp_path):
    x, _y = blobs(features=6)
    model = fastnn.Sequential([Dense(4), Dense(3, activation="softmax")])
    model.save(tmp_path / "unbuilt")
    again = load_model(tmp_path / "unbuilt")
    assert not again.built and len(again.layers) == 2 and again.optimizer is None
    model.predict(x, verbose=0)
    model.save(tmp_path / "built")
    assert np.array_equal(load_model(tmp_path / "built").predict(x, verbose=0), model.predict(x, verbose=0))


def test_not_compiled(tmp_path):
    model, x, _ = trained()
    model.save(tmp_path / "net")
    again = load_model(tmp_path / "net", compile=False)
    assert again.optimizer is None and np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_go_on_by_themselves(copied):
    model, x, y = trained()
    again = copied(model)
    again.fit(x, y, verbose=0)
    assert state(again) != state(model)
    model.fit(x, y, verbose=0)
    check_goes_on(model, again, x, y)


# weights alone

def test_weights_go_to_a_model_whose_layers_have_other_names(tmp_path):
    model, x, y = trained()
    model.save_weights(tmp_path / "w.fastnn")
    expected = state(model)
    other = deep_net(seed=99)
    for layer in other.layers:
        assert layer.name in [mine.name for mine in model.layers]
    other = fastnn.Sequential.from_config(json.loads(json.dumps(other.get_config()).replace('"dense', '"other')))
    other.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    other.load_weights(tmp_path / "w.fastnn")
    assert state(other) == expected
    other.seed = model.seed
    check_goes_on(model, other, x, y)


def test_weights_of_a_whole_model_file_and_without_a_compiled_model(tmp_path):
    model, _x, _ = trained()
    model.save(tmp_path / "net")
    other = clone_model(model)
    other.load_weights(tmp_path / "net")
    assert bits(other.get_weights()) == bits(model.get_weights())


def test_the_state_of_another_optimizer_stays_behind(tmp_path):
    model, _, _ = trained()
    model.save_weights(tmp_path / "w")
    other = clone_model(model)
    other.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="Adam"):
        other.load_weights(tmp_path / "w")
    assert bits(other.get_weights()) == bits(model.get_weights()) and other.optimizer.iterations == 0
    assert float(other.optimizer.learning_rate) == pytest.approx(0.01)       # its own, not Adam's 0.001


def test_keras_names_are_taken_with_one_warning(tmp_path, run_python):
    code = f"""
import warnings, fastnn
model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(1)])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for name in ("a.keras", "b.h5", "c.fastnn"):
        model.save({str(tmp_path)!r} + "/" + name)
        fastnn.models.load_model({str(tmp_path)!r} + "/" + name)
    model.save_weights({str(tmp_path)!r} + "/d.weights.h5")
    model.load_weights({str(tmp_path)!r} + "/d.weights.h5")
print([str(w.message)[:50] for w in caught], caught[0].filename)
"""
    done = run_python(code)
    assert done.stdout.count("Keras's name") == 1 and "<string>" in done.stdout, done.stdout + done.stderr


def refused(model, path, words):
    """load_weights fails with these words, the model left as it was."""
    before = state(model)
    with pytest.raises(fastnn.ModelFileError, match=words) as caught:
        model.load_weights(path)
    assert str(path) in str(caught.value) and state(model) == before


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    model, _, _ = trained()
    path = tmp_path / "w"
    small_net().save_weights(path)
    refused(model, path, "6 weights, model 'sequential' has 16")
    deep_net(features=21).save_weights(path)
    refused(model, path, r"\(21, 64\).*\(20, 64\)")
    model.save_weights(path)
    described, arrays = files.read(path)
    for name in ("fastnn.optimizer/momentum/dense/kernel", "fastnn.optimizer/iterations", "dense/kernel"):
        files.write(path, {k: v for k, v in arrays.items() if k != name}, described)
        refused(model, path, name.removeprefix("fastnn.optimizer/").split("/")[0] if "optimizer" in name else "lists")
    files.write(path, arrays | {"fastnn.optimizer/iterations": np.array([1, 2])}, described)
    refused(model, path, "iterations")
    path.write_bytes(path.read_bytes()[:-1])
    refused(model, path, "damaged|safetensors")


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


def test_overwrite(tmp_path):
    model = small_net()
    model.save(tmp_path / "net")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "net", overwrite=False)
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / "net", overwrite=False)


def test_saving_and_loading_does_not_fill_memory(tmp_path):
    import gc
    import tracemalloc
    model, x, _y = trained(small_net())
    path = tmp_path / "net"

    def once():
        model.save(path)
        load_model(path).predict(x, verbose=0)

    for _ in range(3):
        once()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        once()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 50_000


def test_the_same_names_everywhere():
    assert fastnn.saving.load_model is fastnn.models.load_model is load_model
    assert issubclass(fastnn.ModelFileError, ValueError) and fastnn.saving.ModelFileError is fastnn.ModelFileError


# every class that there is

ARGUMENTS = {
    "Dense": (3,), "Activation": ("tanh",), "Dropout": (0.5,), "GaussianNoise": (0.1,), "GaussianDropout": (0.1,),
    "AlphaDropout": (0.1,), "Reshape": ((2, 3),), "Rescaling": (2.0,), "InputLayer": None, "Lambda": None,
    "Conv1D": (4, 2), "Conv2D": (4, (2, 1)), "Conv1DTranspose": (4, 2), "Conv2DTranspose": (4, 2, 2),
    "DepthwiseConv1D": (2,), "DepthwiseConv2D": ((2, 1),), "SeparableConv1D": (4, 2), "SeparableConv2D": (4, (2, 1)),
    "AveragePooling1D": (2,), "AveragePooling2D": ((2, 1),), "MaxPooling2D": ((2, 1),), "Permute": ((1,),),
    "RepeatVector": (2,), "SpatialDropout1D": (0.1,), "SpatialDropout2D": (0.1,), "GroupNormalization": (3,),
    "Cropping1D": (1,), "Cropping2D": ((1, 0),), "UpSampling1D": (2,), "UpSampling2D": (2,), "ZeroPadding1D": (1,)}
SHAPES = {"1D": (3, 2), "2D": (3, 2, 1), "": (6,)}     # what six features become for layers over steps and images


@pytest.mark.parametrize("name", sorted({cls.__name__ for cls in fastnn.layers.registry.by_name.values()}))
def test_every_layer_comes_back(tmp_path, name):
    if ARGUMENTS.get(name, ()) is None:
        return
    x = np.random.default_rng(0).standard_normal((20, 6)).astype("float32")
    fastnn.random.set_seed(4)
    layer = getattr(fastnn.layers, name)(*ARGUMENTS.get(name, ()))
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
