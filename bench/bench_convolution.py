"""Convolutions of 3 x 3: forward, gradients of weights and input, beside torch, JAX and NumPy, on one and two threads.

    pytest bench/bench_convolution.py --benchmark-json=convolution.json [--turns 20] [--turn-seconds 0.05]
    FASTNN_ISA=v3 pytest bench/bench_convolution.py --benchmark-json=convolution-v3.json    # another instruction set

Shapes and results: convolutions.py. Every contestant lives in a process of its own, on as many CPUs as it has threads;
all take turns, and fastnn's measures the peak of multiply-adds in each of its turns. A round of the result is a burst
of a millisecond.
"""
import importlib.util
import itertools
import os
from functools import cache

import convolutions
import pytest
import recorded
from turns import Worker, on_threads, take_turns

THREADS = [n for n in (1, 2) if n <= (os.cpu_count() or 1)]
NAMES = [name for name, (library, _) in convolutions.CONTESTANTS.items() if importlib.util.find_spec(library)]
FIELD = [pytest.param(shape, work, threads, name, id=f"{shape}-{work}-{threads}-{name}".replace(", ", "_"))
         for threads in THREADS for shape in convolutions.SHAPES for work in convolutions.works(shape)
         for name in NAMES]


@cache
def race(shape, threads, turns, seconds):
    """All contestants on a shape in turns. Returns the bursts by contestant and work, and the best peak."""
    workers = {}
    for name in NAMES:
        library, environment = convolutions.CONTESTANTS[name]
        workers[name] = Worker("convolution_worker.py", library, shape, threads,
                               environment=on_threads(threads) | environment)
    times = {key: [] for key in itertools.product(NAMES, convolutions.works(shape))}
    peak = 0.0
    for name, answer in take_turns(workers, [{"seconds": seconds}] * turns):
        peak = max(peak, answer.pop("peak", 0.0))
        for work, durations in answer.items():
            times[name, work] += durations
    return times, peak


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize(("shape", "work", "threads", "name"), FIELD)
def test_convolution(benchmark, request, shape, work, threads, name):
    times, peak = race(shape, threads, request.config.getoption("turns"), request.config.getoption("turn_seconds"))
    benchmark.group = f"convolution {shape}, {work}, threads: {threads}"
    benchmark.extra_info.update(table="convolution", shape=shape, work=work, threads=threads, contestant=name,
                                flops=convolutions.flops(shape, work), peak=peak)
    recorded.replay(benchmark, times[name, work])
