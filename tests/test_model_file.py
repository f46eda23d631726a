"""Model files and weight files: what comes back goes on bit for bit; files that do not fit are refused."""
import copy
import json
import pickle

import numpy as np
import pytest
from nets import bits, blobs, check_goes_on, deep_net, nested, small_net, state, trained

import fastnn
from fastnn.layers import Dense
from fastnn.models import clone_model, load_model
from fastnn.saving import format as files

OPTIMIZERS = ["sgd", "rmsprop", "adam", "adamw", "nadam", "adagrad", "adadelta", "adamax", "lion"]


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
