"""Durations measured in another process, handed to pytest-benchmark so that all results stand in one kind of file.

    @pytest.mark.benchmark(timer=recorded.clock)
    def test_something(benchmark):
        recorded.replay(benchmark, durations)
"""
import os
import pathlib
import sys

_now = 0.0


def clock():
    """The timer of replayed benchmarks: seconds replayed so far."""
    return _now


def replay(benchmark, durations):
    """Give pytest-benchmark one round for each duration, in seconds."""
    remaining = iter(durations)

    def step():
        global _now
        _now += next(remaining)

    benchmark.pedantic(step, rounds=len(durations))


def child(*arguments):
    """Command and environment of a Python process that imports the fastnn of this one."""
    import fastnn
    folder = str(pathlib.Path(fastnn.__file__).parents[1])
    path = os.pathsep.join(part for part in (folder, os.environ.get("PYTHONPATH")) if part)
    return {"args": [sys.executable, *arguments], "env": {**os.environ, "PYTHONPATH": path}}
