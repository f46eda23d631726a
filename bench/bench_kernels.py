"""Kernels against the limits of the machine, beside NumPy and, where it is installed, torch.

    pytest bench/bench_kernels.py --benchmark-json=kernels.json [--case-seconds 0.3]
    FASTNN_ISA=v3 pytest bench/bench_kernels.py --benchmark-json=kernels-v3.json        # another instruction set

Results are checked against float64 NumPy first. All contestants of a case then run in turns, in bursts of half a
millisecond, with the FMA peak and the bandwidth of as many bytes measured in the same rounds (fastnn/_kernel_bench.py,
which `fastnn bench --kernels` runs as well). A round of the result is a call's share of one burst. One thread; the rows
with two come from processes of their own.
"""
import importlib.util
import random
import statistics
from functools import cache

import numpy as np
import pytest
import recorded

from fastnn import _kernel_bench, _race, _roofline
from fastnn._kernel_cases import ELEMENTWISE, PRODUCTS, READERS, ROWS, SHAPES, Case, arrays, check, check_value
from fastnn.program import Lowering, Program, Variable

LIBRARIES = ("fastnn", "numpy", *["torch"] * (importlib.util.find_spec("torch") is not None))
PROGRAM = "fastnn, in a program"          # aligned buffers and no checks, as in a training step
NETS = [(32,) * 3, (48,) * 3, (2048,) * 3, (30, 4, 64), (8, 784, 128), (64, 784, 128), (256, 128, 64), (128, 32, 64),
        (64, 32, 10), (128, 256, 64), (32, 64, 128), (32, 10, 64), (32, 128, 784), (256, 128, 784)]
SIDES = (64, 96, 128, 192, 256, 384, 512, 768, 1024)          # of square float64 matrices
CASES = [
    *(Case(kernel, shape) for kernel in PRODUCTS for shape in SHAPES + NETS),
    *(Case("A·B", (side,) * 3, "float64") for side in SIDES),
    *(Case(kernel, (256,) * 3, "float64") for kernel in ("Aᵀ·B", "A·Bᵀ")),
    *(Case("dot", (1000,), dtype) for dtype in ("float32", "float64")),
    *(Case(kernel, (n,)) for n in (100_000, 10_000_000) for kernel in (*ELEMENTWISE, *READERS)),
    *(Case(kernel, shape) for kernel in ROWS for shape in ((32, 10), (1000, 10), (1000, 1000))),
]
SAMPLE = random.Random(0)
ODD = [(48, 48, 49), (255, 255, 255), *(tuple(SAMPLE.randint(48, 255) for _ in range(3)) for _ in range(22))]


def contestants(case):
    """Who can run a case."""
    more = [PROGRAM] if case.kernel in PRODUCTS else ["for loop"] if case.kernel == "dot" else []
    return [*(library for library in LIBRARIES if case.statement(library)), *more]


def label(case):
    return f"{case.kernel}-{'x'.join(map(str, case.shape))}-{case.dtype}"


FIELD = [pytest.param(case, name, id=f"{label(case)}-{name}".replace(", ", "_").replace(" ", "_"))
         for case in CASES for name in contestants(case)]
TWO = [*_kernel_bench.two_thread_cases(False)]


def in_a_program(case):
    """The product so often inside one program, on aligned buffers, as a training step does it, and its result."""
    (m, k, n), flags, given = case.shape, PRODUCTS[case.kernel], arrays(case, case.dtype)
    build = Lowering(False, case.dtype)
    a = Variable(given["x"].T if flags & 1 else given["x"], dtype=case.dtype)
    b = Variable(given["y"].T if flags & 2 else given["y"], dtype=case.dtype)
    c = build.parameter(Variable(np.zeros((m, n)), dtype=case.dtype))         # what nobody reads would be left out
    build.matmul(build.parameter(a), build.parameter(b), c, m, k, n, flags=flags)
    plan = Program(build, "matmul").plan(1)
    frame = plan.acquire()

    def run(calls):
        return _kernel_bench.seconds_of(lambda: frame.run([], calls, 1, 0, calls))
    run(1)
    return run, frame.slot(*plan.place(c), (m, n), case.dtype)


@cache
def race(case, seconds):
    """All contestants of a case in turns."""
    _race.one_thread()                   # torch has a number of its own, which the fixture does not reach
    timers = {}
    for name in contestants(case):
        if name == PROGRAM:
            timers[name], result = in_a_program(case)
            check_value(case, name, result)
            continue
        check(case, name)
        timers[name] = _kernel_bench.timer(case, name)
    return _kernel_bench.measure(case, timers, seconds)


def describe(benchmark, measured, table, **more):
    """What the report needs to know of a row."""
    case = measured.case
    benchmark.extra_info.update(table=table, kernel=case.kernel, shape=case.shape, dtype=case.dtype, flops=case.flops,
                                moved=case.moved, threads=measured.threads, peak=measured.peak,
                                bandwidth=measured.bandwidth, bound=measured.bound, **more)


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("case", "name"), FIELD)
def test_kernel(benchmark, request, case, name):
    measured = race(case, request.config.getoption("case_seconds"))
    benchmark.group = label(case)
    describe(benchmark, measured, "kernels", library=name)
    recorded.replay(benchmark, measured.seconds[name])


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("shape", ODD, ids=lambda shape: "x".join(map(str, shape)))
def test_odd_shape(benchmark, request, shape):
    """A product of any shape beside the next one of multiples of 16, in turns."""
    odd, even = Case("A·B", shape), Case("A·B", tuple(-(-side // 16) * 16 for side in shape))
    for case in (odd, even):
        check(case, "fastnn")
    timers = {"fastnn": _kernel_bench.timer(odd, "fastnn"), "even": _kernel_bench.timer(even, "fastnn")}
    measured = _kernel_bench.measure(odd, timers, request.config.getoption("case_seconds"))
    benchmark.group = "odd shapes"
    describe(benchmark, measured, "odd", library="fastnn", even=even.shape, even_flops=even.flops,
             even_median=statistics.median(measured.seconds["even"]))
    recorded.replay(benchmark, measured.seconds["fastnn"])


@cache
def two_threads(part):
    """The rows of a part of the command, by case."""
    return {(row["kernel"], tuple(row["shape"])): row for row in _kernel_bench.rows_of(part, False)}


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize("case", TWO, ids=label)
def test_two_threads(benchmark, case):
    ours, numpy = (two_threads(part)[case.kernel, case.shape] for part in ("two", "two, NumPy"))
    benchmark.group = "two threads"
    benchmark.extra_info.update(ours, table="two threads", library="fastnn", numpy=numpy["median"]["numpy"])
    recorded.replay(benchmark, [ours["median"]["fastnn"]])


@pytest.mark.benchmark(timer=recorded.clock)
def test_limits(benchmark, request):
    """Peak and bandwidths of one thread; in few rounds where the cases have few."""
    (limits,) = _kernel_bench.rows_of("limits", request.config.getoption("case_seconds") < 0.05)
    benchmark.group = "limits"
    benchmark.extra_info.update(limits, table="limits", streams=_roofline.NAMES)
    recorded.replay(benchmark, [1.0])
