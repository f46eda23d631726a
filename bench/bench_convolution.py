"""Convolutions of 3 x 3: forward, gradients of weights and input, beside torch, JAX and NumPy, on one and two threads.

    pytest bench/bench_convolution.py --benchmark-json=convolution.json [--turns 20] [--turn-seconds 0.05]
    FASTNN_ISA=v3 pytest bench/bench_convolution.py --benchmark-json=convolution-v3.json    # another instruction set

Shapes and results: convolutions.py. Every contestant lives in a process of its own, on as many CPUs as it has threads;
all take turns, and fastnn's measures the peak of multiply-adds in each of its turns. A round of the result is a burst
of a millisecond.
"""
import importlib.util
import itertools
import json
import os
import subprocess
import time
from functools import cache

import convolutions
import pytest
import recorded

PAUSE = 0.02         # seconds before a turn, in which the threads of the one before fall asleep
THREADS = [n for n in (1, 2) if n <= (os.cpu_count() or 1)]
NAMES = [name for name, (library, _) in convolutions.CONTESTANTS.items() if importlib.util.find_spec(library)]
FIELD = [pytest.param(shape, work, threads, name, id=f"{shape}-{work}-{threads}-{name}".replace(", ", "_"))
         for threads in THREADS for shape in convolutions.SHAPES for work in convolutions.works(shape)
         for name in NAMES]


class Worker:
    """A contestant's process on one shape."""

    def __init__(self, name, shape, threads):
        library, environment = convolutions.CONTESTANTS[name]
        script = os.path.join(os.path.dirname(__file__), "convolution_worker.py")
        command = recorded.child(script, library, shape, str(threads))
        numbers = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "FASTNN_NUM_THREADS"),
                                str(threads))
        command["env"] |= numbers | environment
        self.process = subprocess.Popen(**command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def turn(self, seconds):
        """The bursts of each kind of work. Raises RuntimeError if the process ended instead."""
        try:
            self.process.stdin.write(json.dumps({"seconds": seconds}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass                                  # it has ended: there is no answer either
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.process.args[-3:]} ended with status {self.process.wait()}")
        return json.loads(answer)

    def stop(self):
        """Let the process end by itself; it does when nobody asks any more."""
        self.process.stdin.close()
        self.process.wait(timeout=60)


@cache
def race(shape, threads, turns, seconds):
    """All contestants on a shape in turns. Returns the bursts by contestant and work, and the best peak."""
    workers = {name: Worker(name, shape, threads) for name in NAMES}
    times = {key: [] for key in itertools.product(NAMES, convolutions.works(shape))}
    peak = 0.0
    try:
        for _, (name, worker) in itertools.product(range(turns), workers.items()):
            time.sleep(PAUSE)
            answer = worker.turn(seconds)
            peak = max(peak, answer.pop("peak", 0.0))
            for work, durations in answer.items():
                times[name, work] += durations
    finally:
        for worker in workers.values():
            worker.stop()
    return times, peak


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize(("shape", "work", "threads", "name"), FIELD)
def test_convolution(benchmark, request, shape, work, threads, name):
    times, peak = race(shape, threads, request.config.getoption("turns"), request.config.getoption("turn_seconds"))
    benchmark.group = f"convolution {shape}, {work}, threads: {threads}"
    benchmark.extra_info.update(table="convolution", shape=shape, work=work, threads=threads, contestant=name,
                                flops=convolutions.flops(shape, work), peak=peak)
    recorded.replay(benchmark, times[name, work])
