"""One thread against two over sizes, for each kind of work that kernels/limits.pxd has a threshold for.

    pytest bench/bench_threads.py --benchmark-json=threads.json

Eager calls with the thresholds out of the way, so that the same call runs on one thread or is shared by two whatever
its size. A round is a loop of calls: the pool of threads is awake, as it is inside a run. At the end stands, for each
kind, the smallest size from which two threads are faster than one by a tenth, at that size and all larger ones; a
threshold belongs at about twice that.
"""
import itertools
import os

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.testing import changed_limits

ROUNDS = 40
ROUND_SECONDS = 1e-3
GAIN = 1.1


def square(work):
    """Two matrices of ``work`` multiply-adds."""
    n = round(work ** (1 / 3))
    return np.ones((n, n), np.float32), np.ones((n, n), np.float32)


def rows_of(n):
    def rows(work):
        return (np.random.default_rng(0).standard_normal((max(1, work // n), n)).astype(np.float32),)
    return rows


# kind: (the function, its arrays for an amount of work, the amounts); of matmul multiply-adds, of the others elements
KINDS = {
    "matmul": (ops.matmul, square, [32**3, 48**3, 64**3, 96**3, 128**3, 192**3, 256**3]),
    "light": (ops.relu, rows_of(1), [10_000, 30_000, 100_000, 200_000, 400_000, 1_000_000, 4_000_000]),
    "heavy": (ops.tanh, rows_of(1), [3_000, 10_000, 20_000, 40_000, 100_000, 400_000]),
    "row-wise": (ops.softmax, rows_of(10), [3_000, 10_000, 20_000, 40_000, 100_000, 400_000]),
}
CASES = [(kind, work) for kind, (_, _, amounts) in KINDS.items() for work in amounts]
medians = {}


def repeat(function, arrays, calls):
    for _ in itertools.repeat(None, calls):
        function(*arrays)


@pytest.fixture
def everything_shared():
    """No threshold keeps work on one thread."""
    with changed_limits(matmul=0, light=0, heavy=0, release=0):
        yield


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
@pytest.mark.usefixtures("everything_shared")
@pytest.mark.parametrize(("kind", "work"), CASES)
@pytest.mark.parametrize("threads", [1, 2])
def test_threads(benchmark, kind, work, threads):
    function, make, _ = KINDS[kind]
    arrays = make(work)
    calls = max(1, round(ROUND_SECONDS / (work * (2e-11 if kind == "matmul" else 4e-10))))
    benchmark.group = f"{kind} {work}"
    with fastnn.threads(threads):
        benchmark.pedantic(repeat, args=(function, arrays, calls), rounds=ROUNDS, warmup_rounds=5)
    benchmark.extra_info.update(table="threads", kind=kind, work=work, threads=threads, calls=calls)
    medians[kind, work, threads] = benchmark.stats.stats.median / calls


@pytest.fixture(scope="module", autouse=True)
def crossovers(request):
    """Print the table and where two threads begin to pay."""
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n")
        for kind in dict.fromkeys(kind for kind, _, _ in medians):
            amounts, pays = KINDS[kind][2], None
            for work in sorted(amounts, reverse=True):
                one, two = medians.get((kind, work, 1)), medians.get((kind, work, 2))
                if one is None or two is None:
                    continue
                print(f"{kind:9} {work:>9}: {1e6 * one:9.2f} us on one thread, {1e6 * two:9.2f} on two, "
                      f"x {one / two:.2f}")
                if pays is not False:
                    pays = work if one / two >= GAIN else (pays or False)
            print(f"{kind:9} two threads pay from {pays or 'none of these sizes'}\n")
