"""Kernels against the limit of one core: matmul as a fraction of the FMA peak measured beside it, dot against np.dot.

    pytest bench/bench_kernels.py --benchmark-json=kernels.json

One thread. A round is a loop of calls, long enough for the clock; the loop itself (about 10 ns a call) is counted in.
"""
import ctypes
import itertools
import os
import pathlib
import shlex
import subprocess
import sysconfig

import numpy as np
import pytest

from fastnn import ops, show_config
from fastnn.program import Lowering, Program, Variable

ROUNDS = 30
ROUND_FLOPS = 500e6                # about 2 ms a round of matrix products
DOT_CALLS = 10_000
SHAPES = [(64, 64, 64), (128, 128, 128), (256, 256, 256), (32, 784, 128), (32, 128, 64), (1, 784, 128)]
FUNCTIONS = {"fastnn": {"matmul": ops.matmul, "dot": ops.dot}, "numpy": {"matmul": np.matmul, "dot": np.dot}}
# The compiler's flags and the bytes of a vector of each level; v2 has no FMA and multiplies and adds in turn.
LEVELS = {
    "v2": ("-march=x86-64-v2", 16),
    "v3": ("-march=x86-64-v3", 32),
    "v4": ("-march=x86-64-v4 -mprefer-vector-width=512", 64),
    "base": ("", 16),
}

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="session")
def fma_peak(tmp_path_factory):
    """A function that measures the core's float32 operations a second at the level in use."""
    flags, width = LEVELS[show_config("dicts")["levels"]["used"]]
    library = tmp_path_factory.mktemp("peak") / "fma_peak.so"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    source = pathlib.Path(__file__).with_name("fma_peak.c")
    subprocess.run([compiler, "-O3", "-ffp-contract=fast", f"-DVECTOR={width}", *flags.split(), "-shared", "-fPIC",
                    str(source), "-o", str(library)], check=True)
    function = ctypes.CDLL(str(library)).fma_peak
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_long, ctypes.c_float, ctypes.c_float, ctypes.POINTER(ctypes.c_float)]
    # The best of a few short tries: an interrupted one shows less than the core can do.
    return lambda: max(function(1_000_000, 0.999, 1e-3, ctypes.byref(ctypes.c_float())) for _ in range(5))


def repeat(function, a, b, calls):
    """Call a function many times."""
    for _ in itertools.repeat(None, calls):
        function(a, b)


def integers(shape):
    """float32 integers of -8 to 8: products and sums are exact, so results must be equal to the oracle's."""
    return np.random.default_rng(0).integers(-8, 9, shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("library", FUNCTIONS)
def test_matmul(benchmark, fma_peak, library, shape):
    m, k, n = shape
    a, b, function = integers((m, k)), integers((k, n)), FUNCTIONS[library]["matmul"]
    assert np.array_equal(function(a, b), a.astype(float) @ b.astype(float))
    flops = 2 * m * k * n
    calls = max(1, round(ROUND_FLOPS / flops))
    before = fma_peak()
    benchmark.group = f"matmul {m}x{k}x{n}"
    benchmark.pedantic(repeat, args=(function, a, b, calls), rounds=ROUNDS, warmup_rounds=3)
    benchmark.extra_info.update(table="matmul", library=library, shape=shape, calls=calls, flops=flops,
                                peak=max(before, fma_peak()))


def in_a_program(m, k, n):
    """A function that runs the product so often inside one program, on aligned buffers, as a training step does."""
    build = Lowering(False, "float32")
    a, b = (Variable(integers(shape), dtype="float32") for shape in ((m, k), (k, n)))
    build.matmul(build.parameter(a), build.parameter(b), build.value((m, n), batched=False), m, k, n)
    frame = Program(build, "matmul").plan(1).acquire()
    return lambda calls: frame.run([], calls, 1, 0, calls)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_matmul_in_a_program(benchmark, fma_peak, shape):
    flops = 2 * shape[0] * shape[1] * shape[2]
    calls = max(1, round(ROUND_FLOPS / flops))
    run, before = in_a_program(*shape), fma_peak()
    benchmark.group = "matmul " + "x".join(map(str, shape))
    benchmark.pedantic(run, args=(calls,), rounds=ROUNDS, warmup_rounds=3)
    benchmark.extra_info.update(table="matmul", library="fastnn, in a program", shape=shape, calls=calls, flops=flops,
                                peak=max(before, fma_peak()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("library", FUNCTIONS)
def test_dot(benchmark, library, dtype):
    a, b = integers(1000).astype(dtype), integers(1000)[::-1].astype(dtype)
    function = FUNCTIONS[library]["dot"]
    assert function(a, b) == np.dot(a.astype(float), b.astype(float))
    benchmark.group = f"dot of 1000 {dtype}"
    benchmark.pedantic(repeat, args=(function, a, b, DOT_CALLS), rounds=ROUNDS, warmup_rounds=3)
    benchmark.extra_info.update(table="dot", library=library, dtype=dtype, calls=DOT_CALLS)
