"""Whose state an optimizer keeps: weights that join, leave, are shared or die; one model at a time."""
import copy
import gc
import pickle

import numpy as np
import pytest
from nets import bits, blobs, small_net

import fastnn
from fastnn import optimizers
from fastnn.callbacks import BackupAndRestore, LambdaCallback
from fastnn.layers import Dense
from fastnn.models import load_model

LOSS = "sparse_categorical_crossentropy"


def net(optimizer, *first):
    """4-...-3, compiled; ``first``: layers before the last."""
    model = fastnn.Sequential([fastnn.Input((4,)), *first, Dense(3, activation="softmax")])
    model.compile(optimizer, LOSS)
    return model


def fit(model, epochs=2, **options):
    x, y = blobs(32, 4)
    return model.fit(x, y, epochs=epochs, batch_size=8, verbose=0, **options)


def slots_of(model):
    """The names of the weights that the model's optimizer has slots for."""
    return {key.partition("/")[2] for key in model.optimizer.state() if "/" in key}


def paths(model):
    return {w.path for w in model.weights}


def check_saved(model, tmp_path):
    """The file is read, by a new model and by this one, and both go on with the same bits."""
    path = tmp_path / "net.fastnn"
    model.save(path)
    again = load_model(path)
    assert again.optimizer.iterations == model.optimizer.iterations
    model.load_weights(path)
    for m in (model, again):
        fit(m)
    assert bits(model.get_weights()) == bits(again.get_weights())
    assert sorted(model.optimizer.state()) == sorted(again.optimizer.state())


# model files

@pytest.mark.parametrize("compiled_anew, trained", [(True, True), (False, True), (False, False)])
def test_a_model_whose_last_layer_was_replaced_is_saved(tmp_path, compiled_anew, trained):
    model = net("adam", Dense(5))
    fit(model)
    model.pop()
    model.add(Dense(3, activation="softmax"))
    if compiled_anew:
        model.compile(optimizers.Adam(), LOSS)
    if trained:
        fit(model)
        assert slots_of(model) == paths(model)
    check_saved(model, tmp_path)


def test_models_that_share_a_layer_are_saved(tmp_path):
    shared = Dense(5, name="shared")
    models = [net("adam", shared), net(optimizers.Adam(), shared)]
    for model in models:
        fit(model)
    for model in models:
        assert slots_of(model) == paths(model)
        check_saved(model, tmp_path)


def test_a_frozen_layer_has_no_state_in_the_file(tmp_path):
    model = net(optimizers.Adam(use_ema=True), Dense(5))
    model.layers[0].trainable = False
    fit(model)
    assert slots_of(model) == paths(model) - {w.path for w in model.layers[0].weights}
    check_saved(model, tmp_path)
    whole = net(optimizers.Adam(use_ema=True), Dense(5))
    fit(whole)
    whole.load_weights(tmp_path / "net.fastnn")                      # weights that have no state in it begin anew
    assert slots_of(whole) == paths(whole) - {w.path for w in whole.layers[0].weights}
    before = whole.layers[0].get_weights()[0]
    fit(whole, 1)
    assert slots_of(whole) == paths(whole)
    np.testing.assert_allclose(whole.layers[0].get_weights()[0], before, atol=0.02)


def test_a_file_that_does_not_fit_leaves_the_state_as_it_was(tmp_path):
    model, other = (net(optimizers.SGD(momentum=0.5, use_ema=ema), Dense(5)) for ema in (False, True))
    fit(other)
    other.save(tmp_path / "net.fastnn")
    for trained in (False, True):
        if trained:
            fit(model)
        before = model.optimizer.state()
        with pytest.raises(fastnn.ModelFileError, match="state of its optimizer"):
            model.load_weights(tmp_path / "net.fastnn")
        after = model.optimizer.state()
        assert list(before) == list(after) and bits(before.values()) == bits(after.values())


def test_a_backup_holds_the_state_of_its_model_alone(tmp_path):
    class Stop(Exception):
        pass

    def stop(epoch, logs):
        if epoch == 1:
            raise Stop

    model = net("adam", Dense(5))
    fit(model)
    model.pop()
    model.add(Dense(3, activation="softmax"))
    with pytest.raises(Stop):
        fit(model, 4, callbacks=[BackupAndRestore(tmp_path, delete_checkpoint=False),
                                 LambdaCallback(on_epoch_end=stop)])
    again = net("adam", Dense(5))
    fit(again, 4, callbacks=[BackupAndRestore(tmp_path)])
    assert again.history.epoch == [1, 2, 3]
    assert again.optimizer.iterations == 8 + 16


# averages

@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}, {"ema_overwrite_frequency": 3}])
def test_the_average_of_a_weight_that_joins_later_begins_with_the_weight(options):
    model = net(optimizers.SGD(0.001, use_ema=True, **options), Dense(5))
    model.layers[0].trainable = False
    fit(model, 3)
    model.layers[0].trainable = True
    before = model.layers[0].get_weights()[0]
    fit(model, 1)
    np.testing.assert_allclose(model.layers[0].get_weights()[0], before, atol=0.01)
    model.pop()
    model.add(Dense(3, activation="softmax"))
    before = model.layers[1].get_weights()[0]
    fit(model, 1)
    np.testing.assert_allclose(model.layers[1].get_weights()[0], before, atol=0.01)


def test_a_weight_that_has_not_taken_part_has_no_average_to_become():
    model = net(optimizers.SGD(0.001, use_ema=True), Dense(5))
    model.layers[0].trainable = False
    before = bits(model.layers[0].get_weights())
    fit(model, 2, callbacks=[LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(model.layers[0], "trainable", True))])
    assert bits(model.layers[0].get_weights()) == before
    model.optimizer.finalize_variable_values([np.ones(3), *net("sgd").weights])
    assert bits(model.layers[0].get_weights()) == before and not model.optimizer._applied._arrays


# one model

def test_an_optimizer_trains_one_model_at_a_time():
    optimizer = optimizers.Adam()
    first, second = net(optimizer), net(optimizer)
    fit(first)
    x, y = blobs(32, 4)
    second.evaluate(x, y, verbose=0)
    before = bits(second.get_weights()), bits(optimizer.state().values())
    with pytest.raises(ValueError, match=f"cannot train model '{second.name}'.*'{first.name}'"):
        fit(second)
    assert (bits(second.get_weights()), bits(optimizer.state().values())) == before
    second.compile(copy.copy(optimizer), LOSS)
    fit(second)
    assert optimizer.iterations == second.optimizer.iterations == 8
    fit(first)
    assert optimizer.iterations == 16 and slots_of(first) == paths(first)


def test_an_optimizer_of_arrays_does_not_train_a_model():
    optimizer, w = optimizers.Adam(), np.ones(3)
    optimizer.apply([np.ones(3)], [w])
    with pytest.raises(ValueError, match="other weights"):
        fit(net(optimizer))


def test_the_same_model_may_be_compiled_unfrozen_and_changed():
    optimizer = optimizers.Adam()
    model = net(optimizer, Dense(5))
    model.layers[0].trainable = False
    fit(model)
    model.layers[0].trainable = True
    model.compile(optimizer, LOSS)
    fit(model)
    model.pop(), model.add(Dense(3, activation="softmax"))
    fit(model)
    assert optimizer.iterations == 24 and slots_of(model) == paths(model)


def test_a_model_of_known_weights_shares_the_optimizer():
    """As in Keras: an inner model, all weights of which are trained by the outer one already."""
    optimizer = optimizers.Adam()
    inner = net(optimizer)
    outer = fastnn.Sequential([fastnn.Input((4,)), inner])
    outer.compile(optimizer, LOSS)
    fit(outer), fit(inner), fit(outer)
    assert optimizer.iterations == 24 and slots_of(outer) == paths(outer)


def test_a_model_made_again_begins_anew_and_the_old_one_is_forgotten():
    optimizer = optimizers.Nadam()
    expected = small_net(optimizer=optimizers.Nadam())
    fit(expected)
    for _ in range(5):
        model = None
        model = small_net(optimizer=optimizer)
        fit(model)
        assert bits(model.get_weights()) == bits(expected.get_weights()) and optimizer.iterations == 8
    gc.collect()
    assert len(optimizer.slots) == 1 and len(optimizer.members) == 6
    model.compile("sgd", LOSS)
    fit(small_net(optimizer=optimizer))                  # which is free again


def test_slots_do_not_outlive_their_weights():
    optimizer = optimizers.Adam()
    model = net(optimizer, Dense(5))
    for _ in range(4):
        fit(model, 1)
        model.pop(), model.add(Dense(3, activation="softmax"))
    fit(model, 1)
    gc.collect()
    assert len(optimizer.slots) == 2 and len(optimizer.members) == 4


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_begins_anew(copied):
    model = net(optimizers.Nadam(0.5, use_ema=True), Dense(5))
    fit(model)
    again = copied(model.optimizer)
    assert again.get_config() == model.optimizer.get_config() and model.optimizer.iterations == 8
    fresh = optimizers.Nadam()
    assert {k: v.tolist() for k, v in again.state().items()} == {k: v.tolist() for k, v in fresh.state().items()}
    w = np.ones(3)
    again.apply([np.ones(3)], [w])
    assert again.iterations == 1 and model.optimizer.iterations == 8


# arrays

def test_arrays_that_do_not_decay():
    a, b = np.ones((2, 2)), np.ones(2)
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[a])
    optimizer.apply([np.zeros((2, 2)), np.zeros(2)], [a, b])
    assert (a == 1).all() and (b == 0.5).all()
    with pytest.raises(TypeError, match=r"`var_list\[0\]`"):
        optimizers.SGD().exclude_from_weight_decay(var_list=["kernel"])


def test_arrays_that_are_refused_are_not_kept():
    optimizer, w = optimizers.Adam(), np.ones(2)
    optimizer.apply([np.ones(2)], [w])
    for _ in range(5):
        with pytest.raises(ValueError, match="unknown weights"):
            optimizer.apply([np.ones(3)], [np.ones(3)])
    assert len(optimizer._applied._arrays) == 1


# weights of rows

@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_rows_beyond_float32(dtype):
    x, y = blobs(20, 4)
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(3, activation="softmax")], dtype=dtype)
    model.compile("sgd", LOSS)
    weights = np.ones(20)
    weights[7] = 1e39
    loss, metric = fastnn.losses.MeanSquaredError(), fastnn.metrics.MeanSquaredError()
    y_pred = np.ones((20, 2), dtype)
    calls = [lambda: model.evaluate(x, y, sample_weight=weights, verbose=0),
             lambda: loss(y_pred, y_pred, sample_weight=weights),
             lambda: metric.update_state(y_pred, y_pred, sample_weight=weights)]
    for call in calls:
        if dtype == "float64":
            call()
            continue
        with pytest.raises(ValueError, match=r"`sample_weight`.*range of float32, got 1e\+39 at row 7"):
            call()
    weights[7] = np.nextafter(np.float64(np.finfo("float32").max), np.inf)      # rounded down
    assert np.isfinite(loss(y_pred, y_pred, sample_weight=weights))
    with pytest.raises(ValueError, match=r"class_weight: `1` must be a number in .*got 1e\+39"):
        model.fit(x, y, class_weight={1: 1e39}, verbose=0)
