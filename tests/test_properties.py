"""The properties that the engine promises, each by its own test."""
import sys
import threading

import numpy as np
import pytest
from nets import bits, blobs, deep_net, small_net

import fastnn
from fastnn import testing
from fastnn.layers import Dense


def profiled_calls(function):
    """How many Python and C functions are called from Python while ``function`` runs."""
    n = 0

    def count(frame, event, argument):
        nonlocal n
        n += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return n


def test_no_python_between_batches():
    x, y = blobs(4000)
    model = deep_net()
    model.fit(x, y, batch_size=4, verbose=0)            # lowered and planned
    few = profiled_calls(lambda: model.fit(x[:40], y[:40], batch_size=4, verbose=0))
    many = profiled_calls(lambda: model.fit(x, y, batch_size=4, verbose=0))
    assert few == many


def test_a_batch_hook_costs_only_those_who_use_it():
    x, y = blobs(400)
    model = deep_net()
    seen = []
    watcher = fastnn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    model.fit(x, y, batch_size=40, verbose=0, callbacks=[watcher])
    assert len(seen) == 10 and np.isfinite(seen).all()


@pytest.mark.parametrize("threads", [2, 3])
def test_same_bits_for_any_number_of_threads(threads):
    x, y = blobs(203)
    one, many = deep_net(), deep_net()
    with testing.forced_threads(1):
        one.fit(x, y, batch_size=50, epochs=3, verbose=0)
        expected = one.predict(x, verbose=0)
    with testing.forced_threads(threads):
        many.fit(x, y, batch_size=50, epochs=3, verbose=0)
        assert np.array_equal(many.predict(x, verbose=0), expected)
    assert bits(many.get_weights()) == bits(one.get_weights())


def test_same_seed_same_bits_and_another_seed_others():
    x, y = blobs()
    nets = [deep_net(seed=s) for s in (1, 1, 2)]
    for net in nets:
        net.fit(x, y, epochs=2, verbose=0)
    a, b, c = (bits(net.get_weights()) for net in nets)
    assert a == b != c


def test_row_invariance():
    x, _ = blobs(256)
    model = deep_net()
    whole = model.predict(x, verbose=0)
    for batch_size in (1, 2, 7, 32, 256):
        assert np.array_equal(model.predict(x, batch_size=batch_size, verbose=0), whole)
    for i in (0, 100, 255):
        assert np.array_equal(model(x[i:i + 1])[0], whole[i])


def test_fit_twice_goes_on():
    x, y = blobs()
    once, twice = deep_net(dropout=0.0), deep_net(dropout=0.0)
    once.fit(x, y, epochs=4, verbose=0)
    twice.fit(x, y, epochs=2, verbose=0)
    twice.fit(x, y, epochs=2, verbose=0)
    assert bits(once.get_weights()) == bits(twice.get_weights())
    assert once.optimizer.iterations == twice.optimizer.iterations == 12


def test_two_fits_of_one_model_at_once():
    x, y = blobs()
    model = small_net(20)
    inside, go_on = threading.Event(), threading.Event()

    def hold(epoch, logs):
        inside.set()
        go_on.wait(30)

    holder = fastnn.callbacks.LambdaCallback(on_epoch_end=hold)
    thread = threading.Thread(target=lambda: model.fit(x, y, verbose=0, callbacks=[holder]))
    thread.start()
    try:
        assert inside.wait(30)
        with pytest.raises(RuntimeError, match="is being trained"):
            model.fit(x, y, verbose=0)
        assert model.predict(x, verbose=0).shape == (96, 3)
    finally:
        go_on.set()
        thread.join()
    model.fit(x, y, verbose=0)


def predict_often(model, x, expected, wrong, n=2000):
    for i in range(n):
        rows = 1 + i % len(x)
        result = model.predict(x[:rows], verbose=0)
        if not (np.isfinite(result).all() if expected is None else np.array_equal(result, expected[:rows])):
            wrong.append(i)


@pytest.mark.parametrize("training", [False, True])
def test_sixteen_threads_predict_on_one_model(training):
    x, y = blobs(32)
    model = deep_net()
    model.fit(x, y, verbose=0)
    expected = None if training else model.predict(x, verbose=0)
    wrong: list[int] = []
    workers = [threading.Thread(target=predict_often, args=(model, x, expected, wrong)) for _ in range(16)]
    for worker in workers:
        worker.start()
    while training and any(worker.is_alive() for worker in workers):
        model.fit(x, y, epochs=20, batch_size=8, verbose=0)
    for worker in workers:
        worker.join()
    assert wrong == []


def test_what_raises_in_a_batch_leaves_no_trace_of_it():
    """Compute, then commit: nothing of a batch is written when one of its operations fails."""
    x, y = blobs(64)
    fail = []

    def metric(y_true, y_pred):
        if fail:
            raise ZeroDivisionError("on purpose")
        return 1.0

    model = deep_net()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[metric])
    history = model.fit(x, y, epochs=1, verbose=0)
    assert history.history["metric"] == [1.0]
    before = bits(model.get_weights()), bits(model.optimizer.variables)
    fail.append(True)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        model.fit(x, y, epochs=1, verbose=0)
    assert (bits(model.get_weights()), bits(model.optimizer.variables)) == before
    fail.clear()
    model.fit(x, y, epochs=1, verbose=0)


def test_ctrl_c_leaves_a_usable_model(run_python):
    code = """
import os, signal, threading
import numpy as np
from nets import bits, blobs, deep_net
x, y = blobs(20000)
model = deep_net()
model.fit(x, y, verbose=0)
steps = model.optimizer.iterations
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    model.fit(x, y, epochs=10**6, verbose=0)
except KeyboardInterrupt:
    print("usable", end="")
assert model.optimizer.iterations > steps
assert all(np.isfinite(w).all() for w in model.get_weights())
before = model.evaluate(x, y, verbose=0)[0]
model.fit(x, y, epochs=1, verbose=0)
assert len(model.history.history["loss"]) == 1 and np.isfinite(before)
print()
"""
    done = run_python(f"import sys; sys.path.insert(0, {__file__.rsplit('/', 1)[0]!r})\n" + code)
    assert done.stdout == "usable\n", done.stderr


def test_float64_model():
    x, y = blobs(dtype="float64")
    fastnn.backend.set_floatx("float64")
    try:
        model = deep_net()
        model.fit(x, y, epochs=2, verbose=0)
        assert model.predict(x, verbose=0).dtype == np.float64
        assert {w.dtype for w in model.weights} == {"float64"}
    finally:
        fastnn.backend.set_floatx("float32")


def test_a_layer_in_two_models_has_one_truth():
    x, y = blobs()
    whole = small_net(20)
    half = fastnn.Sequential([fastnn.Input((20,)), *whole.layers[:2]])
    before = half.predict(x, verbose=0)
    whole.fit(x, y, epochs=1, verbose=0)
    after = half.predict(x, verbose=0)
    assert not np.array_equal(before, after)
    assert np.array_equal(after, whole.layers[1](whole.layers[0](x)))


def test_frozen_layers_stay():
    x, y = blobs()
    model = deep_net()
    model.layers[0].trainable = False
    model.layers[1].trainable = False                      # batch normalisation: inference behaviour as well
    frozen = bits(model.layers[0].get_weights() + model.layers[1].get_weights())
    others = bits(model.layers[3].get_weights())
    model.fit(x, y, epochs=2, verbose=0)
    assert bits(model.layers[0].get_weights() + model.layers[1].get_weights()) == frozen
    assert bits(model.layers[3].get_weights()) != others
    model.layers[0].trainable = True
    model.fit(x, y, epochs=1, verbose=0)
    assert bits(model.layers[0].get_weights() + model.layers[1].get_weights()) != frozen


def test_dense_on_higher_ranks_is_dense_on_rows():
    rng = np.random.default_rng(0)
    layer = Dense(5, activation="tanh")
    x = rng.standard_normal((3, 4, 2, 6)).astype("float32")
    assert np.array_equal(layer(x), layer(x.reshape(-1, 6)).reshape(3, 4, 2, 5))
