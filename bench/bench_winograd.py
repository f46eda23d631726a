"""Winograd's algorithm against the direct convolution over shapes: where it pays (fastnn/layers/winograd.py).

    pytest bench/bench_winograd.py --benchmark-json=winograd.json

One thread; both take turns in short bursts, and the smallest times count. ``ratio``: direct / Winograd with its filters
transformed already, as in all batches of a run but the first; ``first``: with that transformation, as in a run of one
batch and in every step of training.
"""
import time

import numpy as np
import pytest
import recorded

from fastnn.layers.convolution_lowering import Geometry
from fastnn.layers.windows import axis_of
from fastnn.layers.winograd import transformed
from fastnn.program import Lowering, Program, Variable

# images, places, channels, filters: channels; places beside one image and beside four; large ones
SHAPES = [(2, 16, c, f) for c, f in ((4, 32), (8, 8), (8, 32), (16, 16), (32, 8), (32, 32), (64, 64))]
SHAPES += [(n, places, 64, 64) for n in (1, 4) for places in (3, 4, 5, 6, 7, 8, 10, 14)]
SHAPES += [(4, 29, 32, 64), (1, 28, 128, 128), (1, 14, 256, 256), (1, 7, 512, 512)]
ROUNDS = 100


def batches(images, places, channels, filters, operation, again):
    """A function that convolves so many batches; ``again``: the filters are transformed in each."""
    rng = np.random.default_rng(0)
    axis = axis_of(places, 3, padding="same")
    g = Geometry.of(channels, filters, 1, (axis, axis))
    build = Lowering(False, "float32")
    x, w, y = (build.parameter(Variable(rng.standard_normal(shape, np.float32), dtype="float32"))
               for shape in ((images, places, places, channels), (3, 3, channels, filters),
                             (images, places, places, filters)))
    if operation == "winograd":
        w = transformed(build, w, g, "body" if again else "head")
    row = places * filters
    build.emit(operation, [x, w, None, None, None, None], [build.scratch(), None, y],
               [images, *g.sizes()[1:], filters, row, places * row, 0, 1, 1])
    frame = Program(build, operation).plan(1).acquire()
    return lambda n: frame.run([], n, 1, 0, n, None, None, 0, 1)


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_winograd(benchmark, shape, one_thread):
    runs = [batches(*shape, *what) for what in (("convolution", False), ("winograd", False), ("winograd", True))]
    best = [np.inf] * len(runs)
    n = 1
    while time_of(runs[0], n) < 3e-4:
        n *= 2
    for _ in range(ROUNDS):
        best = [min(b, time_of(run, n)) for b, run in zip(best, runs)]
    direct, later, first = (b / n for b in best)
    benchmark.group = "winograd"
    benchmark.extra_info.update(direct=direct, ratio=direct / later, first=direct / first)
    print(f"\n{shape}: direct {direct * 1e6:.1f} us, ratio {direct / later:.2f}, first {direct / first:.2f}")
    recorded.replay(benchmark, [later])


def time_of(run, n):
    """Seconds of n batches."""
    start = time.perf_counter()
    run(n)
    return time.perf_counter() - start
