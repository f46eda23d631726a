"""The benchmarks measure what they say: right results, the protocol, and a page that holds the measured numbers."""
import doctest
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn
import fastnn.testing
from fastnn import _race

pytest.importorskip("pytest_benchmark")
image = pytest.importorskip("matplotlib.image")

BENCH = Path(__file__).resolve().parents[1] / "bench"
RUNNERS = [runner for operation in _race.OPERATIONS for runner in _race.contestants(operation)]
SMALL = {"dot": 9, "matmul": 5, "relu": 9, "conv": 4}


def run(*arguments, folder, code=None):
    """Run Python in the folder with the fastnn of this process."""
    environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
    environment.pop("PYTEST_XDIST_WORKER", None)        # in a worker of a parallel run benchmarks are switched off
    start = [sys.executable, *(() if code is None else ("-c", code))]
    return subprocess.run([*start, *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=240,
                          env=environment, cwd=folder)


def benchmark(name, chosen, folder, *options):
    """Run a part of a benchmark file. Returns the path of the JSON that it wrote."""
    target = folder / f"{name}.json"
    process = run("-m", "pytest", BENCH / f"{name}.py", "-p", "no:cacheprovider", "-k", chosen,
                  f"--benchmark-json={target}", *options, folder=folder)
    assert process.returncode == 0, process.stdout + process.stderr
    return target


@pytest.fixture
def bench_module(monkeypatch):
    """A function that imports a module of bench/ for one test."""
    monkeypatch.syspath_prepend(BENCH)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == BENCH:
            del sys.modules[name]


@pytest.mark.parametrize("runner", RUNNERS, ids=lambda runner: runner.label)
def test_every_contestant_is_right(runner):
    for size in (1, 2, SMALL[runner.operation]):
        result = runner.function(*_race.arguments(runner.operation, size, runner.container))
        _race.check(runner.operation, size, result)


def test_the_arguments_leave_no_room_for_rounding():
    for operation, settings in _race.OPERATIONS.items():
        for x in _race.arrays(operation, settings.sizes[-1]):
            assert np.array_equal(x, np.rint(x)) and not np.any(x == 0) and np.abs(x).max() <= 8
    for container in ("list", "numpy"):
        assert np.array_equal(_race.arguments("dot", 20, container), _race.arrays("dot", 20))


@pytest.mark.parametrize(("operation", "spoil"), [
    ("dot", lambda a, b: np.dot(a, b) + 1),
    ("dot", lambda a, b: np.dot(a[:-1], b[:-1])),
    ("dot", lambda a, b: float("nan")),
    ("dot", lambda a, b: a * b),
    ("matmul", lambda a, b: np.matmul(a, b).T),
    ("matmul", lambda a, b: np.matmul(a, b)[:-1]),
    ("matmul", lambda a, b: np.matmul(a, b) * (1 + 1e-7)),
    ("relu", lambda x: np.abs(x)),
    ("conv", lambda x, w: _race.Conv.oracle(x, w[::-1])),
    ("conv", lambda x, w: _race.Conv.oracle(x, w)[:, 1:]),
    ("relu", lambda x: np.where(np.arange(len(x)) < len(x) - 1, np.maximum(x, 0), -1)),
])
def test_a_planted_wrong_result_is_refused(operation, spoil):
    runner = _race.Contestant(operation, "fastnn", "numpy", spoil)
    with pytest.raises(_race.WrongResult, match=f"{operation} of size {SMALL[operation]}"):
        _race.measure(runner, SMALL[operation], rounds=1, iterations=1)


def test_the_protocol_is_ten_rounds_of_ten_calls():
    calls = []
    runner = _race.Contestant("dot", "fastnn", "numpy", lambda a, b: calls.append(1) or np.dot(a, b))
    timing = _race.measure(runner, 10)
    assert len(timing.seconds) == 10 and len(calls) == 1 + 10 * 10
    assert min(timing.seconds) <= timing.median <= max(timing.seconds)
    assert timing.mean == pytest.approx(np.mean(timing.seconds))
    assert timing.deviation == pytest.approx(np.std(timing.seconds, ddof=1))


def test_what_takes_too_long_is_left_out():
    assert _race.measure(_race.contestant("dot", "forloop", "list"), 1000, limit=0.0) is None
    calls = []
    runner = _race.Contestant("matmul", "forloop", "numpy", lambda a, b: calls.append(len(a)) or np.matmul(a, b))
    assert _race.measure(runner, 10**6, limit=1e-9) is None      # judged by a smaller size: it would fill the memory
    assert calls == [16]


def test_published_figures_stand_beside_what_they_measured():
    runner = _race.Contestant("dot", "vectorized", "torch", np.dot)
    assert runner.published(1000) == (6.93e-6, 10.1e-6)
    assert runner.published(100) is None
    assert _race.Contestant("dot", "vectorized", "numpy", np.dot).published(1000) is None


def test_examples_of_the_race():
    assert doctest.testmod(_race).failed == 0


def test_race_becomes_a_page(tmp_path):
    results = benchmark("bench_vectorization", "dot-10- or matmul-8- or relu-100- or conv-6-", tmp_path)
    process = run(BENCH / "report.py", results, "--out", tmp_path / "docs", folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    entries = json.loads(results.read_text())["benchmarks"]
    assert len(entries) == sum(len(_race.contestants(operation)) for operation in _race.OPERATIONS)
    for entry in entries:
        stats = entry["stats"]
        assert (stats["rounds"], stats["iterations"]) == (10, 10)
        spread = f"{_race.duration(stats['mean'])} ± {_race.duration(stats['stddev'])}"
        assert f"| {_race.duration(stats['median'])} | {spread} |" in page
    assert "bench_vectorization.py" in page and f"fastnn {fastnn.__version__}" in page
    for operation in _race.OPERATIONS:
        assert f"race-{operation}.png" in page
        assert image.imread(tmp_path / "docs" / f"race-{operation}.png").shape[1] > 500


def test_the_race_fails_on_a_planted_wrong_result(tmp_path):
    code = ("import sys, pytest, fastnn\nfastnn.ops.dot = lambda a, b: 0.5\nsys.exit(pytest.main(sys.argv[1:]))")
    process = run(BENCH / "bench_vectorization.py", "-p", "no:cacheprovider", "-k", "dot-10-fastnn", folder=tmp_path,
                  code=code)
    assert process.returncode == 1 and "WrongResult" in process.stdout


def test_kernels_and_start_become_sections(tmp_path):
    chosen = "-64x64x64-float or dot or 32x10- or 48x48x49 or limits or (test_import and not all)"
    results = benchmark("bench_kernels", chosen, tmp_path, BENCH / "bench_import.py", "--case-seconds=0.001",
                        "--processes=1")
    process = run(BENCH / "report.py", results, "--out", tmp_path, folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    entries = json.loads(results.read_text())["benchmarks"]
    ours, inside = (next(entry for entry in entries if entry["extra_info"].get("kernel") == "A·B"
                         and entry["extra_info"]["library"] == name) for name in ("fastnn", "fastnn, in a program"))
    peaks = [f"{entry['extra_info']['flops'] / entry['stats']['median'] / entry['extra_info']['peak']:.0%}"
             for entry in (ours, inside)]
    median, best = (_race.duration(ours["stats"][name]) for name in ("median", "min"))
    assert f"| 64x64x64 | {median} | {best} | {peaks[0]} | {peaks[1]} |" in page
    for heading in ("### Aᵀ·B, float32", "### A·Bᵀ, float32", "### A·B, float64", "### Odd shapes",
                    "### Dot product", "### Functions of rows, 32x10 float32", "## Start"):
        assert heading in page
    assert "The race" not in page and "of the rate of A·B" in page
    level = fastnn.show_config("dicts")["levels"]["used"]
    assert f"## Kernels, level {level}, NumPy with" in page
    assert image.imread(tmp_path / f"roofline-{level}.png").shape[1] > 500


@pytest.mark.skipif(len(fastnn.testing.levels()) < 2, reason="one level")
def test_each_level_has_its_section(tmp_path, monkeypatch):
    results = []
    for level in fastnn.testing.levels()[:2]:
        monkeypatch.setenv("FASTNN_ISA", level)
        (tmp_path / level).mkdir()
        results.append(benchmark("bench_kernels", "48x48x49", tmp_path / level, "--case-seconds=0.001"))
    process = run(BENCH / "report.py", *results, "--out", tmp_path, folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    for level in fastnn.testing.levels()[:2]:
        assert f"## Kernels, level {level}, NumPy with" in page


def test_convolutions_become_a_section(tmp_path):
    results = benchmark("bench_convolution", "28x28x1-32 and -1-", tmp_path, "--turns=1", "--turn-seconds=0.001")
    process = run(BENCH / "report.py", results, "--out", tmp_path, folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    entries = {(entry["extra_info"]["work"], entry["extra_info"]["contestant"]): entry
               for entry in json.loads(results.read_text())["benchmarks"]}
    assert {work for work, name in entries if name == "fastnn"} == {"forward", "dW", "all"}
    flops = 2 * 32 * 26 * 26 * 9 * 32
    for work, parts in (("forward", 1), ("dW", 1), ("all", 2)):
        ours, direct, numpy = (entries[work, name]["stats"]["median"] for name in ("fastnn", "fastnn, direct", "numpy"))
        about = entries[work, "fastnn, direct"]["extra_info"]
        assert about["flops"] == parts * flops and about["peak"] > 1e9
        row = next(line for line in page.splitlines() if line.startswith(f"| 32x28x28x1-32, {work} |"))
        assert f"| {_race.duration(ours)} |" in row and row.endswith(f" {_race.times(numpy, ours)} |")
        assert f" {_race.duration(direct)} | {parts * flops / direct / about['peak']:.0%} |" in row
    level = fastnn.show_config("dicts")["levels"]["used"]
    assert f"## Convolutions, level {level}" in page and "### One thread" in page


def test_a_wrong_convolution_is_refused(bench_module):
    module = bench_module("convolutions")
    shape = "32x28x28x1-32"
    given = {name: array.astype(float) for name, array in module.arrays(shape).items()}
    right = module.oracle(**given)
    module.check(shape, "forward", {"y": right["y"]})
    for results in ({"y": right["y"] * 1.001}, {"y": right["y"][:, ::-1]}, {}, {"dx": right["dx"]}):
        with pytest.raises(AssertionError):
            module.check(shape, "forward", results)
    for name in ("x", "w", "b"):                     # the gradients are the slopes of the sum of y · dy, in a direction
        step = np.random.default_rng(1).standard_normal(given[name].shape)
        above, below = (module.oracle(**{**given, name: given[name] + e * step})["y"] for e in (0.5, -0.5))
        slope = ((above - below) * given["dy"]).sum()
        assert (right[f"d{name}"] * step).sum() == pytest.approx(slope, rel=1e-9)


def test_convolutions_on_two_threads_stand_beside_those_on_one(bench_module):
    module = bench_module("results")
    results = [module.Result({"shape": "s", "work": "dW", "threads": threads, "contestant": name, "flops": 1e6,
                              "peak": 1e9 * threads}, seconds, seconds, 0.0, seconds, {"machine": {}, "date": "today"})
               for name, threads, seconds in (("fastnn", 1, 4e-3), ("fastnn, direct", 1, 5e-3), ("fastnn", 2, 2e-3),
                                              ("torch", 2, 9e-3), ("torch, channels last", 2, 6e-3))]
    text = bench_module("convolution_tables").sections(results)
    assert "| s, dW | 4.00 ms | 4.00 ms | 5.00 ms | 20% | 20% |\n" in text
    assert "| s, dW | 2.00 ms | 2.00 ms |  |  |  | 3.00x | 2.00x |\n" in text       # without "direct"


def test_recurrent_layers_become_a_section(tmp_path):
    results = benchmark("bench_recurrent", "SimpleRNN and -1-", tmp_path, "--turns=1", "--turn-seconds=0.001")
    process = run(BENCH / "report.py", results, "--out", tmp_path, folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    for entry in json.loads(results.read_text())["benchmarks"]:
        about, stats = entry["extra_info"], entry["stats"]
        if about["contestant"] == "fastnn":
            parts = 3 if "backward" in about["work"] else 1
            assert about["flops"] == parts * 2 * 32 * 30 * (1 + 64) * 64
            assert (f"| SimpleRNN, {about['work']} | 1 | {_race.duration(stats['median'])} | "
                    f"{_race.duration(stats['min'])} | {about['flops'] / stats['median'] / 1e9:.0f} |") in page
    assert f"## Recurrent layers, level {fastnn.show_config('dicts')['levels']['used']}" in page


def test_peers_of_recurrent_layers_stand_beside_fastnn(bench_module):
    module = bench_module("results")
    results = [module.Result({"layer": "GRU", "work": "forward", "threads": 2, "contestant": name, "flops": 1e6},
                             seconds, seconds, 0.0, seconds, {"machine": {}, "date": "today"})
               for name, seconds in (("fastnn", 1e-4), ("torch", 8e-4), ("keras", 9e-4))]
    text = bench_module("recurrent_tables").sections(results)
    assert "| layer, what | threads | median | best | GFLOP/s | torch | Keras |" in text
    assert "| GRU, forward | 2 | 100 µs | 100 µs | 10 | 8.00x | 9.00x |" in text


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_a_wrong_recurrent_layer_is_refused(bench_module, layer):
    module = bench_module("recurrents")
    given = {name: array[:3] if name in ("x", "dy") else array
             for name, array in module.arrays(layer).items()}
    given = {name: array.astype(float) for name, array in given.items()}
    right = module.oracle(layer, **given)
    for name in ("x", "w", "u", "b"):                # the gradients are the slopes of the sum of y · dy, in a direction
        step = np.random.default_rng(1).standard_normal(given[name].shape)
        above, below = (module.oracle(layer, **{**given, name: given[name] + e * step})["y"] for e in (1e-5, -1e-5))
        slope = ((above - below) * given["dy"]).sum() / 2e-5
        assert (right[f"d{name}"] * step).sum() == pytest.approx(slope, rel=1e-6)
    whole = module.oracle(layer, **{name: array.astype(float) for name, array in module.arrays(layer).items()})
    module.check(layer, "forward + backward", whole)
    for changed in ({"y": whole["y"] * 1.001}, {"du": whole["du"][::-1]}, {"more": whole["y"]}):
        with pytest.raises(AssertionError, match=layer):
            module.check(layer, "forward + backward", whole | changed)


def test_two_threads_stand_beside_one_and_numpy(bench_module):
    result = bench_module("results").Result(
        {"kernel": "A·B", "shape": [8, 8, 8], "bound": 1e-3, "median": {"fastnn, 1 thread": 4e-3}, "numpy": 6e-3},
        2e-3, 2e-3, 0.0, 2e-3, {})
    text = bench_module("kernel_tables").two([result])
    assert "| A·B | 8x8x8 | 2.00 ms | 2.00x | 50% | 3.00x |" in text


def test_one_thread_stands_beside_two_at_every_size(bench_module):
    module = bench_module("results")
    results = [module.Result({"kind": "light", "work": 1000, "state": state, "threads": threads}, seconds, seconds,
                             0.0, seconds, {"machine": {}, "date": "today"})
               for state, threads, seconds in (("hot", 1, 3e-6), ("hot", 2, 2e-6), ("cold", 1, 4e-6),
                                               ("cold", 2, 8e-6))]
    assert ("| light | 1,000 | 3.00 µs | 2.00 µs | 1.50x | 4.00 µs | 8.00 µs | 0.50x |"
            in bench_module("kernel_tables").thresholds(results))


def test_a_product_in_a_program_is_checked(bench_module, monkeypatch):
    module, case = bench_module("bench_kernels"), bench_module("bench_kernels").Case("A·B", (5, 3, 4))
    run, result = module.in_a_program(case)
    monkeypatch.setattr(module, "contestants", lambda case: [module.PROGRAM])
    monkeypatch.setattr(module._kernel_bench, "measure", lambda case, timers, seconds: list(timers))
    monkeypatch.setattr(module._race, "one_thread", lambda: None)
    assert module.race(case, 0) == [module.PROGRAM]
    monkeypatch.setattr(module, "in_a_program", lambda case: (run, result + 1))
    with pytest.raises(_race.WrongResult, match="in a program"):
        module.race(case, 1)


def test_both_crossovers_are_told(bench_module, capsys):
    module = bench_module("bench_threads")
    sizes = module.KINDS["light"][2]
    for n, work in enumerate(sizes):
        for state, pays in (("hot", 2), ("cold", 5)):
            for threads in (1, 2):
                module.medians["light", work, state, threads] = 1.0 if threads == 1 or n < pays else 0.5
    assert (module.pays_from("light", "hot"), module.pays_from("light", "cold")) == (f"{sizes[2]:,}", f"{sizes[5]:,}")
    module.medians["light", sizes[-1], "cold", 2] = 1.0
    assert module.pays_from("light", "cold") == "none of these sizes"
    assert module.threshold("light") == module.threshold("heavy") == 400_000


@pytest.mark.parametrize("state", ["hot", "cold"])
def test_hot_calls_are_woken_and_cold_ones_sleep(bench_module, monkeypatch, state):
    module, done = bench_module("bench_threads"), []

    def run(calls):
        done.append(calls)
        return 0.5 * calls

    monkeypatch.setattr(module.time, "sleep", lambda seconds: done.append(f"asleep {seconds}"))
    assert getattr(module, state)(run)(7) == 3.5
    assert done == {"hot": [1, 7], "cold": ["asleep 0.005", 1]}[state]


def test_training_runs_its_field_and_becomes_a_section(tmp_path):
    results = benchmark("bench_training", "iris_mlp", tmp_path, "--turns=2", "--turn-seconds=0.01")
    entries = json.loads(results.read_text())["benchmarks"]
    quantities = {entry["extra_info"]["quantity"] for entry in entries if entry["extra_info"]["contestant"] == "fastnn"}
    assert quantities == {"step", "step, an epoch a call", "one row, plain call", "one row, predict"}
    assert all(entry["stats"]["rounds"] == 2 and entry["stats"]["min"] > 0 for entry in entries)
    process = run(BENCH / "report.py", results, "--out", tmp_path, folder=tmp_path)
    assert process.returncode == 0, process.stderr
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "### iris_mlp" in page and "| fastnn |" in page
    assert image.imread(tmp_path / "training.png").shape[1] > 500


@pytest.mark.parametrize(("loss", "accuracy", "fails"), [
    (0.10, 0.99, False), (0.144, 0.98, False), (0.15, 0.99, True), (float("nan"), 0.99, True), (0.10, 0.95, True)])
def test_training_counts_only_when_the_loss_is_like_the_peers(bench_module, loss, accuracy, fails):
    check = bench_module("bench_training").check
    learned = {"fastnn": {"loss": loss, "accuracy": accuracy}, "torch": {"loss": 0.10, "accuracy": 0.98},
               "jax": {"loss": 0.10, "accuracy": 0.99}}
    if fails:
        with pytest.raises(AssertionError, match="iris_mlp"):
            check(learned, "iris_mlp")
    else:
        check(learned, "iris_mlp")


def test_training_without_peers_has_a_recorded_bound(bench_module):
    check = bench_module("bench_training").check
    check({"fastnn": {"loss": 0.03, "accuracy": 0.98}}, "iris_mlp")
    with pytest.raises(AssertionError):
        check({"fastnn": {"loss": 0.2, "accuracy": 0.98}}, "iris_mlp")


def test_workloads_are_whole_batches_of_known_shape(bench_module):
    workloads = bench_module("workloads")
    for name, workload in workloads.WORKLOADS.items():
        x, y = workloads.data(name)
        assert x.shape == (len(y), *workload.shape) and len(y) % workloads.BATCH == 0
        assert (x.dtype, y.dtype) == {"lstm": (np.float32, np.float32),
                                      "next_word": (np.int32, np.int64)}.get(name, (np.float32, np.int64))
        if name == "next_word":
            assert {*x.ravel(), *y} <= set(range(workload.classes))
        elif not workload.number:
            assert set(y) == set(range(workload.classes))


def test_a_number_that_is_learned_has_the_variance_it_explains(bench_module):
    workloads, contestants = bench_module("workloads"), bench_module("contestants")
    x, y = workloads.data("lstm")
    exact = contestants.Contestant(lambda epochs: 0.5, x, lambda rows: y[:, None])
    halved = exact._replace(call=lambda rows: y[:, None] / 2)
    worker = bench_module("worker")
    assert worker.learned(exact, workloads.WORKLOADS["lstm"], y) == {"loss": 0.5, "accuracy": 1.0}
    assert worker.learned(halved, workloads.WORKLOADS["lstm"], y)["accuracy"] == pytest.approx(0.75, abs=0.01)


def test_replayed_durations_arrive_unchanged(bench_module):
    recorded, rounds = bench_module("recorded"), []

    class Benchmark:
        """As much of pytest-benchmark's fixture as replaying needs."""

        def pedantic(self, step, rounds):
            for _ in range(rounds):
                start = recorded.clock()
                step()
                self.data.append(recorded.clock() - start)

        data = rounds

    recorded.replay(Benchmark(), [0.25, 1e-6, 3.0])
    assert rounds == pytest.approx([0.25, 1e-6, 3.0])
