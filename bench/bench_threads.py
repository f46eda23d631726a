"""One thread against two over sizes, for each kind of work that kernels/limits.pxd has a threshold for.

    pytest bench/bench_threads.py --benchmark-json=threads.json [--case-seconds 0.6]

Eager calls with the thresholds out of the way, so that the same call runs on one thread or is shared by two whatever
its size. One thread and two take turns, hot and cold. Hot calls follow each other: the pool of threads is awake, as it
is inside a run. A cold call comes 5 ms after the last, when the pool sleeps, as an eager call now and then finds it. At
the end stands, for each kind, the smallest size from which two threads are faster than one by a tenth, at that size and
all larger ones; a threshold belongs at about twice that.
"""
import os
import statistics
import time
from functools import cache

import pytest
import recorded

import fastnn
from fastnn import _kernel_bench
from fastnn._kernel_cases import Case, check
from fastnn._kernels import runner
from fastnn.testing import changed_limits

GAIN = 1.1
PAUSE = 5e-3             # seconds: longer than threads of OpenMP spin
STATES = ("hot", "cold")


def square(work):
    return Case("A·B", (round(work ** (1 / 3)),) * 3)


# kind: (its threshold, the case of an amount of work, the amounts); of matmul multiply-adds, of the others elements
KINDS = {
    "matmul": ("matmul", square, [side**3 for side in (32, 48, 64, 80, 96, 128, 160, 192, 256)]),
    "light": ("light", lambda n: Case("relu", (n,)), [10_000, 30_000, 50_000, 100_000, 200_000, 400_000, 1_000_000,
                                                      4_000_000]),
    "heavy": ("heavy", lambda n: Case("tanh", (n,)), [3_000, 10_000, 20_000, 40_000, 50_000, 100_000, 200_000,
                                                      400_000]),
    "row-wise": ("heavy", lambda n: Case("softmax", (n // 10, 10)), [3_000, 10_000, 20_000, 40_000, 50_000, 100_000,
                                                                     200_000, 400_000]),
}
CASES = [(kind, work) for kind, (_, _, amounts) in KINDS.items() for work in amounts]
medians = {}


def hot(run):
    """The calls after one that wakes the threads."""
    def timed(calls):
        run(1)
        return run(calls)
    return timed


def cold(run):
    """One call while the threads sleep, for as many as asked."""
    def timed(calls):
        time.sleep(PAUSE)
        return run(1) * calls
    return timed


@cache
def race(kind, work, seconds):
    """One thread and two, hot and cold, in turns: the seconds of each."""
    case = KINDS[kind][1](work)
    run, before = _kernel_bench.timer(case, "fastnn"), fastnn.get_num_threads()
    timers = {(state, n): _kernel_bench.on_threads(wrap(run), n) for state, wrap in (("hot", hot), ("cold", cold))
              for n in (1, 2)}
    try:
        with changed_limits(matmul=0, light=0, heavy=0, release=0):      # no threshold keeps work on one thread
            check(case, "fastnn")
            return _kernel_bench.measure(case, timers, seconds, threads=2).seconds
    finally:
        fastnn.set_num_threads(before)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize(("kind", "work"), CASES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("threads", [1, 2])
def test_threads(benchmark, request, kind, work, state, threads):
    seconds = race(kind, work, request.config.getoption("case_seconds"))[state, threads]
    benchmark.group = f"{kind} {work}, {state}"
    benchmark.extra_info.update(table="threads", kind=kind, work=work, state=state, threads=threads)
    medians[kind, work, state, threads] = statistics.median(seconds)
    recorded.replay(benchmark, seconds)


def pays_from(kind, state):
    """The smallest size from which two threads are faster than one by a tenth."""
    pays = None
    for work in sorted(KINDS[kind][2], reverse=True):
        one, two = (medians.get((kind, work, state, n)) for n in (1, 2))
        if one and two:
            if one / two < GAIN:
                break
            pays = work
    return f"{pays:,}" if pays else "none of these sizes"


def threshold(kind):
    """From how much work an eager call uses threads."""
    limits = runner.get_limits()
    return max(limits[KINDS[kind][0]], limits["release"] // (1 if kind == "matmul" else 10))


@pytest.fixture(scope="module", autouse=True)
def crossovers(request):
    """Print the table and where two threads begin to pay."""
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for kind in dict.fromkeys(key[0] for key in medians):
            print(f"\n\n{kind:>9}       work   hot: one, us      two           cold: one, us      two")
            for work in KINDS[kind][2]:
                cells = [[medians.get((kind, work, state, n)) for n in (1, 2)] for state in STATES]
                if all(one and two for one, two in cells):
                    print(f"{work:>20,}" + "".join(f"{1e6 * one:>15.2f}{1e6 * two:>9.2f}  x {one / two:.2f}   "
                                                   for one, two in cells))
            print(f"two threads pay from {pays_from(kind, 'hot')} hot, {pays_from(kind, 'cold')} cold; eager calls use "
                  f"them from {threshold(kind):,}")
