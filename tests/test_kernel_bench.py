"""Kernels are measured as the pages say: right results first, then all in turns, beside the machine's limits."""
import itertools
import json
import re
import stat
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import _kernel_bench, _roofline, ops
from fastnn._kernel_cases import (
    CONVOLUTIONS,
    ELEMENTWISE,
    FUNCTIONS,
    PRODUCTS,
    READERS,
    ROWS,
    SHAPES,
    Case,
    check,
    convolved,
    value,
)
from fastnn._race import WrongResult
from fastnn.cli import CommandError, kernels

KERNELS = Path(__file__).resolve().parent.parent / "kernels"
TINY = [Case("A·B", (5, 3, 4)), Case("Aᵀ·B", (5, 3, 4)), Case("A·Bᵀ", (5, 3, 4), "float64"), Case("dot", (9,)),
        Case("relu", (9,)), Case("softmax", (3, 4)), Case("conv", (2, 5, 4, 3, 2))]


def small(kernel):
    """A small shape of a kernel."""
    if kernel == "conv":
        return (2, 7, 6, 3, 9)
    return (7, 20, 9) if kernel in PRODUCTS else (30, 11) if kernel in ROWS else (1000,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [*PRODUCTS, *FUNCTIONS, "conv"])
def test_every_expression_is_right(kernel, dtype):
    case = Case(kernel, small(kernel), dtype)
    for library in ("fastnn", "numpy"):
        if case.statement(library):
            check(case, library)


@pytest.mark.parametrize("kernel", [*PRODUCTS, *FUNCTIONS, "conv"])
def test_torch_computes_the_same(kernel):
    pytest.importorskip("torch")
    check(Case(kernel, small(kernel)), "torch")


def test_the_convolution_of_numpy_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 5, 4, 3)), rng.standard_normal((3, 3, 3, 2))
    expected = np.zeros((2, 3, 2, 2))
    for n, i, j, f in np.ndindex(expected.shape):
        expected[n, i, j, f] = (x[n, i:i + 3, j:j + 3] * w[..., f]).sum()
    np.testing.assert_allclose(convolved(x, w), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [*ELEMENTWISE, *ROWS])
def test_numpy_is_not_timed_allocating(kernel):
    case = Case(kernel, (1000, 100) if kernel in ROWS else (100_000,))
    if case.statement("numpy"):
        names = case.names("numpy")
        tracemalloc.start()
        result = value(case.statement("numpy"), names)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (kernel == "logsumexp" or result is names["out"]) and most < names["x"].nbytes / 4


def test_torch_writes_where_it_can():
    pytest.importorskip("torch")
    for kernel in (*ELEMENTWISE, "softmax", "log_softmax"):
        names = Case(kernel, (30, 11)).names("torch")
        assert value(Case(kernel, (30, 11)).statement("torch"), names).data_ptr() == names["out"].data_ptr(), kernel


def test_only_the_ends_of_a_large_result_are_compared(monkeypatch):
    monkeypatch.setattr("fastnn._kernel_cases.LARGE", 100)
    monkeypatch.setattr("fastnn._kernel_cases.END", 10)
    check(Case("erf", (101,)), "fastnn")
    for wrong, refused in ((3, True), (50, False), (95, True)):
        def relu(x, out, wrong=wrong):
            np.maximum(x, 0, out=out)
            out[wrong] += 1
            return out
        monkeypatch.setattr(ops, "relu", relu)
        if refused:
            with pytest.raises(WrongResult, match="fastnn, relu 101 float32"):
                check(Case("relu", (101,)), "fastnn")
        else:
            check(Case("relu", (101,)), "fastnn")


@pytest.mark.parametrize(("name", "case", "spoiled"), [
    ("matmul", Case("Aᵀ·B", (4, 5, 6)), lambda x, y, out: np.matmul(x, y) + np.float32(1e-4)),
    ("matmul", Case("A·B", (4, 5, 6)), lambda x, y, out: np.matmul(x, y)[:-1]),
    ("dot", Case("dot", (10,)), lambda x, y: float(x[1:] @ y[1:])),
    ("relu", Case("relu", (10,)), lambda x, out: np.abs(x)),
    ("softmax", Case("softmax", (2, 3)), lambda x, out: np.full_like(x, np.nan)),
    ("argmax", Case("argmax", (10,)), lambda x: int(np.argmin(x))),
    ("conv", Case("conv", (2, 5, 4, 3, 2)), lambda x, y, out: convolved(x, y[::-1])),
    ("conv", Case("conv", (2, 5, 4, 3, 2)), lambda x, y, out: convolved(x, y) + np.float32(1e-4)),
])
def test_a_planted_wrong_result_is_refused(monkeypatch, name, case, spoiled):
    monkeypatch.setattr(ops, name, spoiled)
    with pytest.raises(WrongResult, match=f"fastnn, {case.kernel}"):
        check(case, "fastnn")


def test_work_and_bytes_are_counted_once():
    product = Case("A·Bᵀ", (2, 3, 5))
    assert (product.flops, product.moved, product.stream) == (2 * 2 * 3 * 5, 4 * (2 * 3 + 3 * 5 + 2 * 5), "read")
    assert Case("A·B", (2, 3, 5), "float64").moved == 2 * product.moved
    assert (Case("dot", (10,)).flops, Case("dot", (10,), "float64").moved) == (20, 160)
    assert (Case("relu", (10,)).flops, Case("relu", (10,)).moved, Case("relu", (10,)).stream) == (10, 80, "copy")
    assert (Case("add", (10,)).moved, Case("axpy", (10,)).flops, Case("axpy", (10,)).moved) == (120, 20, 120)
    assert (Case("sum", (10,)).moved, Case("softmax", (3, 4)).moved) == (40, 96)
    assert _roofline.intensity(product.flops, product.moved) == 60 / 124
    conv = Case("conv", (2, 5, 4, 3, 7))
    assert conv.flops == 2 * (2 * 3 * 2 * 7) * (3 * 3 * 3)
    assert conv.moved == 4 * (2 * 5 * 4 * 3 + 3 * 3 * 3 * 7 + 2 * 3 * 2 * 7) and conv.stream == "copy"


# What the operations of vec.h count at the level that needs fewest: with instructions for exponents.
WORK = {"add": 1, "sub": 1, "mul": 1, "div": 1, "min": 1, "max": 1, "select_gt": 1, "fma": 2, "fnma": 2,
        "product_rest": 2, "whole": 1, "grow2": 1, "split": 1}


@pytest.fixture(scope="module")
def work():
    """The operations of an expression of kernels/, counted in the sources."""
    template = pytest.importorskip("Cython.Tempita").Template
    float32 = SimpleNamespace(real="float", name="float32", v="vf", int="int32_t")
    text = "".join(template((KERNELS / f"{name}.pxi.in").read_text()).substitute(types=[float32], loops=lambda v: [])
                   for name in ("functions", "activation"))
    found = re.findall(r"cdef inline vf vf_(\w+)\(.*?\) noexcept nogil:\n(.*?)(?=\ncdef |\Z)", text, re.DOTALL)
    bodies = {name: re.sub(r'"{3}.*?"{3}|#[^\n]*', "", body, flags=re.DOTALL) for name, body in found}

    def count(expression):
        names = re.findall(r"\bvf_(\w+)\(", expression)
        return sum(WORK[name] if name in WORK else count(bodies.get(name, "")) for name in names)
    return count


@pytest.mark.parametrize(("name", "expression", "beside"), [
    ("exp", "vf_exp(x)", 0), ("log", "vf_log(x)", 0), ("sigmoid", "vf_sigmoid(x)", 0), ("tanh", "vf_tanh(x)", 0),
    ("softplus", "vf_softplus(x)", 0), ("erf", "vf_erf(x)", 0), ("gelu", "vf_gelu(x)", 0),
    ("silu", "vf_mul(vf_above(x), vf_sigmoid(x))", 0),
    ("softmax", "vf_max(vf_sub(vf_exp_below(vf_mul(x))))", 1.75),       # four sums and what is lost, of four
    ("log_softmax", "vf_max(vf_sub(vf_add(vf_exp(vf_sub(vf_sub(x))))))", 0),
    ("logsumexp", "vf_max(vf_sub(vf_add(vf_exp(x))))", 0),
])
def test_operations_are_those_that_the_kernels_execute(work, name, expression, beside):
    assert work(expression) > 2
    assert FUNCTIONS[name].flops == work(expression) + beside


def test_two_threads_are_measured_against_the_better_limit():
    class Limited(_kernel_bench.Limits):
        def __init__(self, rates):
            self.counts, self.peak, self.bandwidth = [1, 2], 0.0, 0.0
            self.peaks = [lambda: 5.0, lambda: 3.0]
            self.streams = [rates.get]

    limits = Limited({1: 7.0, 2: 4.0})
    limits.measure()
    assert (limits.peak, limits.bandwidth) == (5.0, 7.0)
    assert len(_kernel_bench.Limits(Case("add", (1000,)), 2).peaks) == 2


def test_what_is_not_possible_is_marked():
    row = {"bound": 1.0, "threads": 2, "median": {"fastnn": 1.0}}
    assert kernels.mark(row) == kernels.mark(row, 2.0) == kernels.mark({**row, "bound": 1.004}) == ""
    assert kernels.mark({**row, "bound": 1.01}) == kernels.mark(row, 4.41) == kernels.mark(row, 0.25) == " disturbed"


def test_contestants_take_turns_and_nobody_is_timed_alone():
    order = []

    def timer(name, seconds):
        def run(calls):
            order.append(name)
            return seconds * calls
        return run

    case = Case("sum", (256,))
    measured = _kernel_bench.measure(case, {"a": timer("a", 1e-4), "b": timer("b", 1e-6)}, seconds=0)
    assert order[-2 * _kernel_bench.FEWEST:] == ["a", "b"] * _kernel_bench.FEWEST
    assert measured.seconds == {"a": pytest.approx([1e-4] * 3), "b": pytest.approx([1e-6] * 3)}
    assert measured.bound == _roofline.shortest(case.flops, case.moved, measured.peak, measured.bandwidth) > 0
    row = _kernel_bench.as_row(measured)
    assert row["median"] == row["best"] == {"a": pytest.approx(1e-4), "b": pytest.approx(1e-6)}
    assert json.loads(json.dumps(row))["shape"] == [256] and row["rounds"] == 3


@pytest.fixture
def pretended(monkeypatch):
    """A machine whose probes take 2, 1 and 4 ms; those asked: the kind, its dtype, its threads, those of the run."""
    asked = []

    def seconds(probe, threads=None):
        asked.append((type(probe).__name__, str(probe.arrays[0].dtype), probe.threads, threads or probe.threads))
        return next(times)

    times = itertools.cycle([2e-3, 1e-3, 4e-3])
    monkeypatch.setattr(_roofline.Probe, "seconds", seconds)
    return asked


def test_limits_of_two_threads_are_measured_with_one_and_two(pretended):
    limits = _kernel_bench.Limits(Case("relu", (1000,)), 2)
    limits.measure()
    assert set(pretended) == {("Peak", "float32", 1, 1), ("Peak", "float32", 2, 2), ("Stream", "float32", 2, 1),
                              ("Stream", "float32", 2, 2)}
    assert len(limits.streams) == 2                         # copies, also past the caches
    assert limits.bandwidth == max(stream.moved for stream in limits.streams) / 1e-3          # the best of all


def test_the_peak_is_that_of_the_dtype_and_the_best(pretended):
    for dtype in ("float32", "float64"):
        pretended.clear()
        limits = _kernel_bench.Limits(Case("A·B", (4, 4, 4), dtype), 1)
        limits.measure()
        assert {entry for entry in pretended if entry[0] == "Peak"} == {("Peak", dtype, 1, 1)}
        assert limits.peak == 2 * _roofline.PEAK_WORK / 1e-3


def test_every_library_is_checked_before_it_is_timed(monkeypatch):
    checked = []
    monkeypatch.setattr(_kernel_bench, "check", lambda case, library: checked.append(library))
    monkeypatch.setattr(_kernel_bench, "measure", lambda case, timers, seconds: (list(checked), list(timers)))
    present = ["fastnn", "numpy", "for loop"]
    assert _kernel_bench.compare(Case("dot", (9,)), tuple(present), 0) == (present, present)
    checked.clear()
    assert _kernel_bench.compare(Case("erf", (9,)), ("fastnn", "numpy"), 0) == (["fastnn"], ["fastnn"])


def test_the_part_of_two_threads_checks_and_uses_two_and_one(monkeypatch):
    seen, case = [], Case("relu", (9,))

    def measure(case, timers, seconds, threads=1):
        for name, run in timers.items():
            run(3)
            seen.append((name, threads))
        return name

    monkeypatch.setattr(_kernel_bench, "two_thread_cases", lambda quick: [case])
    monkeypatch.setattr(_kernel_bench, "check", lambda case, library: seen.append(("checked", library)))
    monkeypatch.setattr(_kernel_bench, "timer", lambda case, library: lambda calls: seen.append((library, calls)))
    monkeypatch.setattr(fastnn, "set_num_threads", lambda n: seen.append(("threads", n)))
    monkeypatch.setattr(_kernel_bench, "measure", measure)
    monkeypatch.setattr(_kernel_bench, "as_row", str)
    list(_kernel_bench.part_two(True))
    assert seen == [("checked", "fastnn"), ("threads", 2), ("fastnn", 3), ("fastnn", 2),
                    ("threads", 1), ("fastnn", 3), ("fastnn, 1 thread", 2)]


def test_printed_numbers_are_those_measured():
    """relu of 1000 elements: 8000 bytes at 8 GB/s take 1 µs; the median is 2 µs, the best 1.6."""
    measured = _kernel_bench.Measured(Case("relu", (1000,)), 1, {"fastnn": [3e-6, 1.6e-6, 2e-6],
                                                                 "numpy": [5e-6, 9e-6, 6e-6]}, 100e9, 8e9)
    row = _kernel_bench.as_row(measured)
    assert (row["median"], row["best"]["fastnn"], row["bound"]) == ({"fastnn": 2e-6, "numpy": 6e-6}, 1.6e-6, 1e-6)
    assert kernels.line(row, row["median"], row["median"]["numpy"]).split() == [
        "relu", "1000", "f32", "2.00", "µs", "1.60", "µs", "0.5", "4.0", "50%", "3.00x"]


def test_the_command_measures_what_its_page_promises():
    cases = [case for case, _ in _kernel_bench.command_cases(False)]
    for shape in SHAPES:
        assert {case.kernel for case in cases if case.shape == shape and case.dtype == "float32"} == set(PRODUCTS)
    for kernel in (*ELEMENTWISE, *READERS):
        assert {case.shape for case in cases if case.kernel == kernel} == {(100_000,), (10_000_000,)}
    assert set(FUNCTIONS) == {*ELEMENTWISE, *READERS, *ROWS, "dot"} <= {case.kernel for case in cases}
    assert [case.shape for case in cases if case.kernel == "conv"] == CONVOLUTIONS
    assert {case.shape for case in cases if case.kernel == "softmax"} == {(32, 10), (1000, 10), (1000, 1000)}
    short = [case for case, _ in _kernel_bench.command_cases(True)]
    assert set(short) < set(cases) and len(short) < len(cases) / 2


@pytest.fixture
def tiny(monkeypatch):
    """The command measures next to nothing, and in this process."""
    monkeypatch.setattr(_kernel_bench, "BURST", 1e-6)
    monkeypatch.setattr(_kernel_bench, "command_cases", lambda quick: [
        (case, ("numpy", "for loop") if case.kernel == "dot" else ("numpy",)) for case in TINY])
    monkeypatch.setattr(_kernel_bench, "two_thread_cases", lambda quick: TINY[:1])
    monkeypatch.setattr(_roofline, "sizes", lambda: {"L1": 4096, "memory": 8192})
    monkeypatch.setattr(_kernel_bench, "rows_of",
                        lambda part, quick: (json.loads(json.dumps(row)) for row in _kernel_bench.PARTS[part][0](True)))
    measure = _kernel_bench.measure
    monkeypatch.setattr(_kernel_bench, "measure", lambda case, timers, seconds, threads=1:
                        measure(case, timers, 0, threads))


def test_the_command_prints_a_block_to_share_and_draws(tiny, capsys, tmp_path, two_threads):
    image = pytest.importorskip("matplotlib.image")
    kernels.show(True, tmp_path / "out")
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert max(map(len, lines[:-1])) <= 100
    for words in ("kernels of level", "NumPy", "Peak of one thread, Gflop/s: float32", "copy past caches",
                  "for loop over NumPy arrays"):
        assert words in printed
    assert ("Two threads" in printed and "only an idle machine" in printed) == two_threads
    for case in TINY:
        shape = "x".join(map(str, case.shape))
        rest = r" +[\d.]+ [nµm]?s +[\d.]+ [nµm]?s +[\d.]+ +[\d.]+ +\d+% +[\d.,]+x"
        assert re.search(rf"^{case.kernel} +{shape} +f{case.dtype[-2:]}{rest}$", printed, re.MULTILINE), case
    assert image.imread(tmp_path / "out" / "roofline.png").shape[1] > 500


@pytest.fixture
def two_threads():
    """Two threads meanwhile; whether this build has them."""
    before = fastnn.get_num_threads()
    fastnn.set_num_threads(2)
    yield fastnn.get_num_threads() == 2
    fastnn.set_num_threads(before)


def test_a_wrong_result_ends_the_command(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(ops, "relu", lambda x, out: np.abs(x))
    with pytest.raises(CommandError, match=r"fastnn, relu 9 float32: the result is not that of float64 NumPy"):
        kernels.show(True, tmp_path)


def test_limits_come_from_a_process_of_one_thread(monkeypatch, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the user')")
    monkeypatch.chdir(tmp_path)
    (limits,) = _kernel_bench.rows_of("limits", True)
    assert set(limits["peak"]) == {"float32", "float64"} and set(limits["bandwidth"]) == set(limits["sizes"])
    assert all(set(rates) == set(_roofline.NAMES) for rates in limits["bandwidth"].values())


def pretend(monkeypatch, tmp_path, script):
    """Let a script measure."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(path))


def test_the_measuring_process_has_its_number_of_threads(monkeypatch, tmp_path):
    pretend(monkeypatch, tmp_path, 'echo "{\\"threads\\": [$OPENBLAS_NUM_THREADS, $FASTNN_NUM_THREADS]}"')
    assert list(_kernel_bench.rows_of("one", True)) == [{"threads": [1, 1]}]
    assert list(_kernel_bench.rows_of("two", True)) == [{"threads": [2, 2]}]


@pytest.mark.parametrize(("script", "error", "words"), [
    ("""echo '{"wrong": "numpy, dot"}'""", WrongResult, "numpy, dot"),
    ("exit 3", RuntimeError, "ended with status 3"),
])
def test_what_goes_wrong_in_the_measuring_process_is_told(monkeypatch, tmp_path, script, error, words):
    pretend(monkeypatch, tmp_path, script)
    with pytest.raises(error, match=words):
        list(_kernel_bench.rows_of("one", True))


def test_the_measuring_process_tells_a_wrong_result(monkeypatch, capsys):
    def part(quick):
        yield {"quick": quick}
        raise WrongResult("fastnn, dot")

    monkeypatch.setitem(_kernel_bench.PARTS, "one", (part, 1))
    monkeypatch.setattr("sys.argv", ["-c", "one", "1"])
    _kernel_bench.main()
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"quick": True}, {"wrong": "fastnn, dot"}]
