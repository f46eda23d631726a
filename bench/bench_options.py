"""What an option costs: a training step with it beside the same step without, one thread.

    pytest bench/bench_options.py --benchmark-json=options.json [--turns 5] [--turn-seconds 0.25]

Two nets with one sigmoid output: a small one, where a microsecond shows, and one for a table of 100 000 x 50. All
variants of a net train in turns on the same data; a round of the result is the median step of one turn.
"""
import itertools
import statistics
import time
from functools import cache

import numpy as np
import pytest
import recorded

import fastnn
from fastnn import layers, metrics, optimizers

BATCH = 32
NETS = {"4-64-64-1": (160, [4, 64, 64]), "50-64-1": (100_000, [50, 64])}


def precision_and_auc():
    return {"metrics": [metrics.AUC(), metrics.Precision()]}


# what it is called: (arguments of compile, arguments of Dense, arguments of fit by the number of rows)
OPTIONS = {
    "plain": (dict, dict, lambda n: {}),
    "sample_weight": (dict, dict, lambda n: {"sample_weight": np.linspace(0.5, 1.5, n, dtype="float32")}),
    "class_weight": (dict, dict, lambda n: {"class_weight": {0: 1.0, 1: 3.0}}),
    "AUC and Precision": (precision_and_auc, dict, lambda n: {}),
    "L2 regularizers": (dict, lambda: {"kernel_regularizer": "l2"}, lambda n: {}),
    "clipnorm": (lambda: {"optimizer": optimizers.Adam(clipnorm=1.0)}, dict, lambda n: {}),
    "weight_decay": (lambda: {"optimizer": optimizers.Adam(weight_decay=0.004)}, dict, lambda n: {}),
    "averaged weights": (lambda: {"optimizer": optimizers.Adam(use_ema=True)}, dict, lambda n: {}),
}

pytestmark = pytest.mark.usefixtures("one_thread")


def contestant(net, option):
    """A function that trains for a number of epochs, and the steps of one."""
    rows, (features, *hidden) = NETS[net]
    compile_options, dense_options, fit_options = OPTIONS[option]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, features)).astype("float32")
    y = (x.sum(1) > 0).astype("float32")
    fastnn.utils.set_random_seed(0)
    model = fastnn.Sequential([fastnn.Input((features,)),
                               *(layers.Dense(n, activation="relu", **dense_options()) for n in hidden),
                               layers.Dense(1, activation="sigmoid", **dense_options())])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy"} | compile_options())
    settings = fit_options(rows)
    return (lambda epochs: model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, **settings)), -(-rows // BATCH)


@cache
def race(net, turns, seconds):
    """Seconds of a step, by option: one number a turn."""
    fields = {option: contestant(net, option) for option in OPTIONS}
    epochs = max(1, round(1000 / fields["plain"][1]))
    for train, _ in fields.values():
        train(epochs)
    times = {option: [] for option in fields}
    for _, (option, (train, steps)) in itertools.product(range(turns), fields.items()):
        runs, end = [], time.perf_counter() + seconds
        while not runs or time.perf_counter() < end:
            start = time.perf_counter()
            train(epochs)
            runs.append((time.perf_counter() - start) / (epochs * steps))
        times[option].append(statistics.median(runs))
    return times


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("net", NETS)
def test_option(benchmark, request, net, option):
    times = race(net, request.config.getoption("turns"), request.config.getoption("turn_seconds"))
    benchmark.group = f"options: {net}"
    benchmark.extra_info.update(table="options", net=net, option=option, batch=BATCH)
    recorded.replay(benchmark, times[option])
