"""LSTM, GRU and SimpleRNN: forward, and forward with backward, beside torch, JAX and Keras, on one and two threads.

    pytest bench/bench_recurrent.py --benchmark-json=recurrent.json [--turns 20] [--turn-seconds 0.05]
    FASTNN_ISA=v3 pytest bench/bench_recurrent.py --benchmark-json=recurrent-v3.json    # another instruction set

Shapes and results: recurrents.py. Every contestant lives in a process of its own, on as many CPUs as it has threads;
all take turns. Keras runs on TensorFlow, where TENSORFLOW_PYTHON names the Python of an environment that has it. A
round of the result is a burst of a millisecond.
"""
import importlib.util
import itertools
import os
import sys
from functools import cache

import pytest
import recorded
import recurrents
from turns import Worker, on_threads, take_turns

THREADS = [n for n in (1, 2) if n <= (os.cpu_count() or 1)]


def python_of(module):
    """The Python that has a module, "" where none is known."""
    known = os.environ.get("TENSORFLOW_PYTHON", "") if module == "tensorflow" else ""
    return known or (sys.executable if importlib.util.find_spec(module) else "")


PYTHONS = {name: python_of(module) for name, (module, _) in recurrents.CONTESTANTS.items()}
NAMES = [name for name, python in PYTHONS.items() if python]
FIELD = [pytest.param(layer, work, threads, name, id=f"{layer}-{work}-{threads}-{name}".replace(" + ", "_and_"))
         for threads in THREADS for layer in recurrents.GATES for work in recurrents.WORKS for name in NAMES]


@cache
def race(layer, threads, turns, seconds):
    """All contestants on a layer in turns. Returns the bursts by contestant and work."""
    workers = {name: Worker("recurrent_worker.py", name, layer, threads, interpreter=PYTHONS[name],
                            environment=on_threads(threads) | recurrents.CONTESTANTS[name][1]) for name in NAMES}
    times = {key: [] for key in itertools.product(NAMES, recurrents.WORKS)}
    for name, answer in take_turns(workers, [{"seconds": seconds}] * turns):
        for work, durations in answer.items():
            times[name, work] += durations
    return times


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize(("layer", "work", "threads", "name"), FIELD)
def test_recurrent(benchmark, request, layer, work, threads, name):
    times = race(layer, threads, request.config.getoption("turns"), request.config.getoption("turn_seconds"))
    benchmark.group = f"{layer}, {work}, threads: {threads}"
    benchmark.extra_info.update(table="recurrent", layer=layer, work=work, threads=threads, contestant=name,
                                flops=recurrents.flops(layer, work))
    recorded.replay(benchmark, times[name, work])
