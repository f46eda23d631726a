"""What happens between the stretches of a fit: callbacks that change it, learning rates, errors."""
import io

import numpy as np
import pytest
from nets import bits, blobs, linear_net, small_net

import fastnn


def test_learning_rate_can_be_changed_between_and_during_fits():
    x, y = blobs()
    model = small_net(20, optimizer=fastnn.optimizers.SGD(0.1))
    model.optimizer.learning_rate = 0.0
    before = bits(model.get_weights())
    model.fit(x, y, verbose=0)
    assert bits(model.get_weights()) == before, "0 is legal: nothing moves"

    def start(epoch, logs):
        model.optimizer.learning_rate = 0.1 if epoch else 0.0

    seen = []
    callbacks = [fastnn.callbacks.LambdaCallback(
        on_epoch_begin=start, on_epoch_end=lambda epoch, logs: seen.append(bits(model.get_weights()) == before))]
    model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)
    assert seen == [True, False]
    rates = []
    scheduled = small_net(20, optimizer=fastnn.optimizers.SGD(lambda step: rates.append(step) or 0.01))
    scheduled.fit(x, y, epochs=2, verbose=0)
    assert rates == list(range(6))


def test_stop_training():
    x, y = blobs()
    model = small_net(20)

    def stop(epoch, logs):
        model.stop_training = epoch == 1

    history = model.fit(x, y, epochs=10, verbose=0, callbacks=[fastnn.callbacks.LambdaCallback(on_epoch_end=stop)])
    assert history.epoch == [0, 1]
    assert model.fit(x, y, epochs=1, verbose=0).epoch == [0]


def test_fit_with_callbacks_is_one_call_into_the_runner_an_epoch():
    """Unless a callback wants to know of batches: the same number of calls whatever the number of batches."""
    import cProfile
    import pstats

    def calls(rows):
        x, y = blobs(rows)
        model = small_net(20)
        callbacks = [fastnn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)]
        model.fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
        profile = cProfile.Profile()
        profile.runcall(model.fit, x, y, batch_size=8, epochs=3, verbose=0, validation_data=(x, y), callbacks=callbacks)
        return pstats.Stats(profile).total_calls

    assert calls(80) == calls(8000)


def test_an_error_between_stretches_invents_no_history(monkeypatch):
    monkeypatch.setattr("fastnn.models.training.STRETCH_STEPS", 10)
    model = linear_net(optimizer="sgd", loss="mse")
    x, y = blobs(20, 3)[0], np.zeros(20)
    model.fit(x, y, batch_size=2, epochs=5, verbose=0)
    first = model.optimizer.iterations

    def rate(step):
        if step >= first + 30:
            raise RuntimeError("no rate")
        return 0.01

    model.optimizer.learning_rate = rate
    with pytest.raises(RuntimeError, match="no rate"):
        model.fit(x, y, batch_size=2, epochs=5, verbose=0)
    assert model.history.epoch == [0, 1, 2] and len(model.history.history["loss"]) == 3
    assert model.optimizer.iterations == first + 30


def test_compile_in_a_callback_holds_from_the_next_fit_on():
    model = linear_net(optimizer=fastnn.optimizers.SGD(0.1), loss="mse")
    x, y = blobs(20, 3)[0], np.zeros(20)
    optimizer = model.optimizer
    callback = fastnn.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.compile(optimizer="adam", loss="mae"))
    model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[callback])
    assert optimizer.iterations == 30 and model.optimizer.iterations == 0
    model.fit(x, y, batch_size=2, verbose=0)
    assert model.optimizer.iterations == 10


def test_a_watched_fit_makes_few_learning_rates_in_vain(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    calls = []
    monkeypatch.setattr("fastnn.models.training.STRETCH_STEPS", 500)
    monkeypatch.setattr("sys.stdout", Terminal())
    model = linear_net(optimizer=fastnn.optimizers.SGD(lambda step: calls.append(step) or 0.01), loss="mse")
    n = 200_000
    model.fit(np.ones((n, 3), "float32"), np.zeros(n, "float32"), batch_size=1, verbose=1)
    assert model.optimizer.iterations == n and len(calls) < 1.2 * n
