"""How kernels are measured: contestants in turns, in short bursts, with the machine's limits measured in between.

A burst lasts half a millisecond; a busy neighbour spoils some of them, and those of everybody. Reported are the median
burst and the best one of each contestant. The limit is the best of many measurements in the same rounds: of the peak,
and of the streams that move as many bytes in the same way.
"""
import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import _roofline
from ._kernel_cases import CONVOLUTIONS, ELEMENTWISE, PRODUCTS, READERS, ROWS, SHAPES, Case, check
from ._race import WrongResult

BURST = 0.5e-3           # seconds
FEWEST = 3               # rounds, however long a call takes
REPEATS = 3              # of each limit in a round: the first finds caches full of something else
Timer = Callable[[int], float]          # so many calls -> seconds


@dataclass(frozen=True)
class Measured:
    """One case: seconds a call of each contestant, one number a round, and the limits beside them."""

    case: Case
    threads: int
    seconds: dict[str, list[float]]
    peak: float              # flop/s
    bandwidth: float         # bytes/s

    @property
    def bound(self) -> float:
        """The fewest seconds that this machine allows."""
        return _roofline.shortest(self.case.flops, self.case.moved, self.peak, self.bandwidth)


def timer(case: Case, library: str) -> Timer:
    """The calls of a library's expression, compiled into one loop."""
    return timeit.Timer(str(case.statement(library)), globals=case.names(library)).timeit


def seconds_of(action: Callable[[], object]) -> float:
    """The duration of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


class Limits:
    """What is measured beside a case. Who writes may do so past the caches; and what one thread of a disturbed machine
    reaches, all threads could."""

    def __init__(self, case: Case, threads: int):
        kinds = ("read",) if case.stream == "read" else (case.stream, "copy_past")
        self.counts = sorted({1, threads})
        self.peaks = [_roofline.Peak(case.dtype, n) for n in self.counts]
        self.streams = [_roofline.Stream(kind, case.moved, threads) for kind in kinds]
        self.peak = self.bandwidth = 0.0         # the best so far: flop/s, bytes/s

    def measure(self) -> None:
        """Measure everything again."""
        for _ in range(REPEATS):
            self.peak = max(self.peak, *(peak() for peak in self.peaks), 0.0)
            self.bandwidth = max(self.bandwidth, *(stream(n) for stream in self.streams for n in self.counts), 0.0)


def measure(case: Case, timers: dict[str, Timer], seconds: float, threads: int = 1) -> Measured:
    """Time all contestants in turns for so many seconds."""
    limits = Limits(case, threads)
    calls = {}
    for name, run in timers.items():
        run(1)                       # wake caches, threads and the clock before anything counts
        calls[name] = max(1, round(BURST / max(run(1), 1e-9)))
        calls[name] = max(1, round(calls[name] * BURST / max(run(calls[name]), 1e-9)))
    times: dict[str, list[float]] = {name: [] for name in timers}
    rounds, end = 0, time.perf_counter() + seconds
    while rounds < FEWEST or time.perf_counter() < end:
        rounds += 1
        for name, run in timers.items():
            times[name].append(run(calls[name]) / calls[name])
        limits.measure()
    return Measured(case, threads, times, limits.peak, limits.bandwidth)


def compare(case: Case, libraries: tuple[str, ...], seconds: float) -> Measured:
    """Check the results of these libraries, then time them on one thread; who has no such function is left out."""
    present = [library for library in libraries if case.statement(library)]
    for library in present:
        check(case, library)
    return measure(case, {library: timer(case, library) for library in present}, seconds)


def command_cases(quick: bool) -> Iterator[tuple[Case, tuple[str, ...]]]:
    """What the command measures on one thread: cases and the libraries beside fastnn."""
    for shape in SHAPES[:6:2] + SHAPES[6:8] if quick else SHAPES:
        for kernel in PRODUCTS:
            yield Case(kernel, shape), ("numpy",)
    for side in (128,) if quick else (64, 128, 256, 512):
        yield Case("A·B", (side,) * 3, "float64"), ("numpy",)
    for images in CONVOLUTIONS[:1] if quick else CONVOLUTIONS:
        yield Case("conv", images), ("numpy",)
    for dtype in ("float32", "float64"):
        yield Case("dot", (1000,), dtype), ("numpy", "for loop")
    for elements in (100_000,) if quick else (100_000, 10_000_000):
        for kernel in (*ELEMENTWISE, *READERS):
            yield Case(kernel, (elements,)), ("numpy",)
    for kernel in ROWS:
        for rows, columns in ((1000, 10),) if quick else ((32, 10), (1000, 10), (1000, 1000)):
            yield Case(kernel, (rows, columns)), ("numpy",)


def two_thread_cases(quick: bool) -> list[Case]:
    """What the command measures on two threads."""
    products = [Case("A·B", (side,) * 3) for side in ((512,) if quick else (256, 512, 1024))]
    products += [] if quick else [Case("conv", CONVOLUTIONS[-1])]
    kernels = ("relu",) if quick else ("relu", "add", "exp", "sum")
    return products + [Case(kernel, (10_000_000,)) for kernel in kernels]


def part_limits(quick: bool) -> Iterator[dict[str, Any]]:
    """The machine's limits on one thread: peaks by dtype, bandwidths by level of the memory and kind of stream."""
    rounds = 5 if quick else 30
    peaks = {dtype: _roofline.Peak(dtype) for dtype in ("float32", "float64")}
    yield {"peak": {dtype: max(peak() for _ in range(10 * rounds)) for dtype, peak in peaks.items()},
           "sizes": _roofline.sizes(),
           "bandwidth": {name: _roofline.bandwidth(size, tuple(_roofline.NAMES), rounds)
                         for name, size in _roofline.sizes().items()}}


def part_one(quick: bool) -> Iterator[dict[str, Any]]:
    """Every case on one thread."""
    for case, libraries in command_cases(quick):
        yield as_row(compare(case, ("fastnn", *libraries), 0.06 if quick else 0.4))


def part_two(quick: bool) -> Iterator[dict[str, Any]]:
    """fastnn on two threads and on one, in turns."""
    for case in two_thread_cases(quick):
        check(case, "fastnn")
        run = timer(case, "fastnn")
        timers = {"fastnn": on_threads(run, 2), "fastnn, 1 thread": on_threads(run, 1)}
        yield as_row(measure(case, timers, 0.2 if quick else 0.6, threads=2))


def part_two_numpy(quick: bool) -> Iterator[dict[str, Any]]:
    """NumPy on two threads, without our threads beside its own."""
    for case in two_thread_cases(quick):
        yield as_row(measure(case, {"numpy": timer(case, "numpy")}, 0.2 if quick else 0.6))


PARTS = {"limits": (part_limits, 1), "one": (part_one, 1), "two": (part_two, 2), "two, NumPy": (part_two_numpy, 2)}


def on_threads(run: Timer, threads: int) -> Timer:
    """A timer whose calls use so many of fastnn's threads."""
    def timed(calls: int) -> float:
        from . import set_num_threads
        set_num_threads(threads)
        return run(calls)
    return timed


def as_row(measured: Measured) -> dict[str, Any]:
    """What the process that measured tells the one that prints."""
    case = measured.case
    return {"kernel": case.kernel, "shape": case.shape, "dtype": case.dtype, "threads": measured.threads,
            "flops": case.flops, "moved": case.moved, "bound": measured.bound, "peak": measured.peak,
            "bandwidth": measured.bandwidth, "rounds": len(next(iter(measured.seconds.values()))),
            "median": {name: statistics.median(times) for name, times in measured.seconds.items()},
            "best": {name: min(times) for name, times in measured.seconds.items()}}


def rows_of(part: str, quick: bool) -> Iterator[dict[str, Any]]:
    """The rows of a part as they are measured, in a process whose libraries have the threads of that part.

    Raises WrongResult for a result that is wrong, RuntimeError if the process ends before its time.
    """
    path = os.pathsep.join([os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                            *filter(None, [os.environ.get("PYTHONPATH")])])
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "FASTNN_NUM_THREADS"),
                            str(PARTS[part][1]))
    # -P: without it, modules in the folder of whoever calls would come before Python's own.
    command = [sys.executable, "-P", "-c", "from fastnn import _kernel_bench; _kernel_bench.main()", part,
               str(int(quick))]
    with subprocess.Popen(command, env={**os.environ, **threads, "PYTHONPATH": path}, stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            for line in process.stdout or ():
                row = json.loads(line)
                if "wrong" in row:
                    raise WrongResult(row["wrong"])
                yield row
            if process.wait():
                raise RuntimeError(f"the process that measures ended with status {process.returncode}")
        finally:
            process.kill()


def main() -> None:
    """The process that measures: one line of JSON a row."""
    part, quick = sys.argv[1:]
    try:
        for row in PARTS[part][0](quick == "1"):
            print(json.dumps(row), flush=True)
    except WrongResult as error:
        print(json.dumps({"wrong": str(error)}), flush=True)
