"""Caches of programs: bounded, shared by threads, and as fast as a dict where they hit."""
import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import fastnn
from fastnn import losses, metrics
from fastnn.models.data import Checker
from fastnn.program.recent import KEPT, Recent

LENGTHS = range(2, 3 * KEPT)


def test_keeps_what_was_made_last():
    recent = Recent()
    for i in range(100):
        assert recent.keep(i, -i) == -i
    assert dict(recent) == {i: -i for i in range(100 - KEPT, 100)}
    assert recent.keep(99, 5) == -99 and len(recent) == KEPT      # what another thread has kept before
    assert type(copy.deepcopy(recent)) is Recent and pickle.loads(pickle.dumps(recent)) == recent


def test_many_threads():
    recent, wrong = Recent(), []

    def work(seed):
        try:
            for i in np.random.default_rng(seed).integers(0, 40, 5000).tolist():
                if recent.get(i, i) != i or recent.keep(i, i) != i or len(recent) > KEPT:
                    wrong.append(i)
        except RuntimeError as error:
            wrong.append(error)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def sequences(n):
    x = np.random.default_rng(n).normal(size=(3, n, 2)).astype("float32")
    return x, np.zeros((3, n, 2), "float32")


CALLS = {
    "layer": (lambda: fastnn.layers.Dense(2, kernel_initializer="ones"), lambda o, x, y: o(x), "_programs"),
    "loss": (losses.MeanSquaredError, lambda o, x, y: o(y, x), "_programs"),
    "metric": (metrics.PearsonCorrelation, lambda o, x, y: o.update_state(y + x[:, ::-1], x), "_updates"),
    "function": (lambda: metrics.functions._metric(metrics.PearsonCorrelation, axis=-1),
                 lambda o, x, y: metrics.pearson_correlation(y + x[:, ::-1], x), "_updates"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_no_more_programs_than_are_kept(kind):
    """Many lengths of sequences: old programs and their arenas are gone, and the results are those of a new object."""
    make, call, attribute = CALLS[kind]
    holder = make()
    cache = getattr(holder, attribute)
    cache.clear()
    call(holder, *sequences(LENGTHS[0]))
    found = next(iter(cache.values()))
    first = weakref.ref(found[0] if isinstance(found, tuple) else found)
    del found
    for n in LENGTHS[1:]:
        call(holder, *sequences(n))
        assert len(cache) <= KEPT
    gc.collect()
    assert len(cache) == KEPT and first() is None
    x, y = sequences(LENGTHS[0])
    assert np.array_equal(call(holder, x, y), call(make(), x, y))


def test_no_more_steps_of_a_model_than_are_kept():
    """A step is lowered anew for each choice of trainable layers."""
    net = fastnn.Sequential([fastnn.Input((2,)), *(fastnn.layers.Dense(2) for _ in range(6))])
    net.compile("sgd", "mse")
    x = np.ones((4, 2), "float32")
    for i in range(1, 2 * KEPT):
        for k, layer in enumerate(net.layers):
            layer.trainable = bool(i >> k & 1)
        net.train_on_batch(x, x)
    assert len(net._steps) == KEPT


def test_checks_of_data_are_kept_as_well():
    checker = Checker("float32")
    for n in LENGTHS:
        checker.scan({"x": sequences(n)[0]}, {})
    assert len(checker._programs) == KEPT
