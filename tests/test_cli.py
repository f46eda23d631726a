"""The command ``fastnn``, as a user types it: status, words, pictures."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_checks import ok, refused

import fastnn

pytest.importorskip("sklearn")
image = pytest.importorskip("matplotlib.image")

LAST_LINE = re.compile(r"(iris|digits): (\d+) rows, (\d+) epochs?, (\d+\.\d) µs a step, "
                       r"(\d+\.\d\d) s since the process started")
PICTURES = ("learning-curves.png", "confusion-matrix.png")


@pytest.fixture
def command(tmp_path):
    """A function that runs ``fastnn`` with these arguments in an empty folder and returns the finished process."""
    def run(*arguments, code=None):
        environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
        environment.pop("PYTHONUNBUFFERED", None)
        main = "\nfrom fastnn.cli import main\nimport sys; sys.exit(main(sys.argv[1:]))"
        start = ["-m", "fastnn"] if code is None else ["-c", code + main]
        return subprocess.run([sys.executable, *start, *arguments], capture_output=True, encoding="utf-8", timeout=120,
                              env=environment, cwd=tmp_path)
    return run


def one_line(process, status):
    """The only line that a refused command wrote."""
    assert (process.returncode, process.stdout) == (status, "")
    assert process.stderr.count("\n") == 1 and process.stderr.endswith("\n")
    return process.stderr.rstrip("\n")


def check_picture(path):
    """A PNG that any reader opens, and with something on it."""
    pixels = image.imread(path)
    assert pixels.ndim == 3 and min(pixels.shape[:2]) > 300
    assert len({tuple(pixel) for pixel in pixels[::7, ::7].reshape(-1, pixels.shape[2]).tolist()}) > 3


def test_train_ends_with_one_line_and_two_pictures(command, tmp_path):
    process = command("train")
    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.splitlines()
    dataset, rows, epochs, step, seconds = LAST_LINE.fullmatch(last).groups()
    assert (dataset, rows, epochs) == ("iris", "120", "50")
    assert float(step) > 0 and float(seconds) > 0
    assert any(line.split()[0:1] == ["setosa"] for line in lines)
    accuracy = next(float(line.split()[1]) for line in lines if line.split()[0:1] == ["accuracy"])
    assert accuracy >= 0.9
    assert sorted(os.listdir(tmp_path)) == ["fastnn-iris"]
    for name in PICTURES:
        assert os.path.join("fastnn-iris", name) in process.stdout
        check_picture(tmp_path / "fastnn-iris" / name)


def test_train_takes_its_options(command, tmp_path):
    process = command("train", "digits", "--epochs", "2", "--hidden", "24,12", "--seed", "3", "--out", "a/b")
    assert process.returncode == 0, process.stderr
    assert LAST_LINE.fullmatch(process.stdout.splitlines()[-1]).groups()[:3] == ("digits", "1437", "2")
    # 64-24-12-10: weights and biases of three dense layers
    assert f"{64 * 24 + 24 + 24 * 12 + 12 + 12 * 10 + 10:,}" in process.stdout
    for name in PICTURES:
        check_picture(tmp_path / "a" / "b" / name)


def test_train_with_convolutions_draws_what_they_see(command, tmp_path):
    process = command("train", "digits", "--model", "cnn", "--epochs", "1", "--hidden", "16")
    assert process.returncode == 0, process.stderr
    assert LAST_LINE.fullmatch(process.stdout.splitlines()[-1]).groups()[:3] == ("digits", "7185", "1")
    # two convolutions of 3 x 3, and dense layers behind 5 x 5 x 64
    assert f"{9 * 32 + 32 + 9 * 32 * 64 + 64 + 1600 * 16 + 16 + 16 * 10 + 10:,}" in process.stdout
    assert sorted(os.listdir(tmp_path / "fastnn-digits")) == sorted((*PICTURES, "filters.png", "feature-maps.png"))
    for name in os.listdir(tmp_path / "fastnn-digits"):
        check_picture(tmp_path / "fastnn-digits" / name)


def test_train_is_repeatable_from_its_seed(command, capsys, monkeypatch, tmp_path):
    options = ("train", "--epochs", "5", "--seed")
    plain = "import sys; sys.modules['matplotlib'] = None"       # pictures take longer than the training
    other_process = command(*options, "1", code=plain).stdout.splitlines()[:-1]
    for name in ("matplotlib", "matplotlib.figure"):             # what has been imported is found without its parent
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.chdir(tmp_path)
    here = {}
    for seed in ("1", "2"):
        ok(*options, seed)
        here[seed] = capsys.readouterr().out.splitlines()[:-1]
    assert other_process == here["1"] != here["2"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["trian"], "unknown command 'trian'; did you mean 'train'?"),
    (["banana"], "unknown command 'banana'; choose from train, predict, generate, summary, bench, info"),
    (["train", "irsi"], "unknown dataset 'irsi'; did you mean 'iris'?"),
    (["bench", "matmull"], "unknown operation 'matmull'; did you mean 'matmul'?"),
    (["--verison"], "unknown option '--verison'; did you mean '--version'?"),
    (["train", "--epcohs", "5"], "unknown option '--epcohs'; did you mean '--epochs'?"),
    (["train", "--epoch=5"], "unknown option '--epoch'; did you mean '--epochs'?"),
    (["bench", "-e", "5"], "unknown option '-e'; choose from --help, --sizes, --kernels, --quick, --out"),
    (["bench", "dot", "--kernels"], "--kernels measures all kernels: it takes no operation and no --sizes"),
    (["bench", "--kernels", "--sizes", "5"], "--kernels measures all kernels: it takes no operation and no --sizes"),
    (["bench", "--quick"], "--quick is for --kernels; use: fastnn bench --kernels --quick"),
    (["bench", "--out", ""], "argument --out: expected a name, got ''"),
    (["train", "--out", ""], "argument --out: expected a name, got ''"),
    (["predict", "a", "b", "--out="], "argument --out: expected a name, got ''"),
    (["info", "--x"], "unknown option '--x'; see --help"),
    (["train", "--epochs"], "argument --epochs: expected one argument"),
    (["train", "--epochs", "0"], "argument --epochs: expected a whole number from 1 to 1000000000, got '0'"),
    (["train", "--epochs", "1.5"], "argument --epochs: expected a whole number from 1 to 1000000000, got '1.5'"),
    (["train", "--hidden", "8,,8"], "argument --hidden: expected a whole number from 1 to 1000000000, got ''"),
    (["train", "--seed", "-1"], "argument --seed: expected a whole number from 0 to 4294967295, got '-1'"),
    (["train", "--seed", "9" * 5000],
     f"argument --seed: expected a whole number from 0 to 4294967295, got '{'9' * 5000}'"),
    (["train", "iris", "digits"], "unrecognized arguments: digits"),
    (["info", "more"], "unrecognized arguments: more"),
    (["train", "iris", "--target", "species"], "--target is for a CSV file, not for iris"),
    (["train", "iris", "--model", "cnn"], "--model cnn is for digits, not for iris"),
    (["train", "table.csv", "--model", "mlp"], "--model mlp is for digits, not for table.csv"),
    (["train", "digits", "--model", "cnm"], "argument --model: unknown model 'cnm'; did you mean 'cnn'?"),
    (["train", "table.csv"], "table.csv: cannot be read: No such file or directory"),
    (["generate"], "the following arguments are required: MODEL"),
    (["train", "table.csv", "--target", "y", "--task", "clases"],
     "argument --task: unknown task 'clases'; did you mean 'classes'?"),
    (["predict"], "the following arguments are required: MODEL, FILE.csv"),
    (["predict", "net.fastnn"], "the following arguments are required: FILE.csv"),
    (["summary"], "the following arguments are required: MODEL"),
])
def test_a_wrong_name_or_option_is_one_line_and_status_2(capsys, monkeypatch, tmp_path, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert refused(capsys, *arguments) == words


@pytest.mark.parametrize("arguments", [["--kernels"], ["dot"]])
def test_bench_checks_the_folder_before_it_measures(command, arguments, tmp_path):
    (tmp_path / "taken").write_text("a file")
    line = one_line(command("bench", *arguments, "--out", "taken"), 2)
    assert line == f"fastnn: --out 'taken': {str(tmp_path / 'taken')!r} is no folder"
    if Path("/proc/self").exists():                  # where root may write, and yet cannot
        line = one_line(command("bench", *arguments, "--out", "/proc/x"), 2)
        assert line == "fastnn: --out '/proc/x': '/proc' is not writable"


def test_bench_says_when_no_contestant_is_left(command):
    process = command("bench", "matmul", "--sizes", "100000")
    assert process.returncode == 2 and process.stderr == (
        "fastnn: size 100000: the calls of every contestant would take more than 5 s; choose a smaller --sizes\n")


@pytest.mark.parametrize(("name", "value", "words"), [
    ("FASTNN_ISA", "avx", "FASTNN_ISA=avx: no level has that name; choose from"),
    ("FASTNN_NUM_THREADS", "x", "FASTNN_NUM_THREADS: expected a whole number of threads from 1 to 4096, got 'x'"),
    ("FASTNN_NUM_THREADS", "9" * 20, "FASTNN_NUM_THREADS: expected a whole number of threads from 1 to 4096, got '99"),
])
def test_a_wrong_environment_is_one_line_and_status_2(command, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    assert one_line(command("info"), 2).startswith(f"fastnn: {words}")
    assert command("info", code="").returncode == 1              # no command: the error is the program's to meet


def test_train_without_scikit_learn_says_what_to_install(command):
    line = one_line(command("train", code="import sys; sys.modules['sklearn'] = None"), 1)
    assert line == "fastnn: scikit-learn is not installed; install it with: pip install 'fastnn[all]'"


def test_train_without_matplotlib_draws_nothing(command, tmp_path):
    process = command("train", "--epochs", "1", code="import sys; sys.modules['matplotlib'] = None")
    assert process.returncode == 0, process.stderr
    *_, note, last = process.stdout.splitlines()
    assert note == "No pictures: matplotlib is not installed; install it with: pip install 'fastnn[all]'"
    assert LAST_LINE.fullmatch(last)
    assert os.listdir(tmp_path) == []


def test_bench_prints_a_table_and_draws_the_bars(command, tmp_path):
    process = command("bench", "--sizes", "10,1000", "--out", "out")
    assert process.returncode == 0, process.stderr
    for words in ("10 elements", "1000 elements", "mean ± sd", "forloop, list", "listcomprehension, numpy",
                  "vectorized, numpy", "fastnn.ops.dot, numpy"):
        assert words in process.stdout
    check_picture(tmp_path / "out" / "race-dot.png")


@pytest.mark.parametrize(("operation", "size"), [("matmul", "4"), ("relu", "5"), ("conv", "3")])
def test_bench_runs_every_operation(command, tmp_path, operation, size):
    process = command("bench", operation, "--sizes", size)
    assert process.returncode == 0, process.stderr
    assert f"fastnn.ops.{operation}, numpy" in process.stdout
    check_picture(tmp_path / "fastnn-bench" / f"race-{operation}.png")


def test_bench_refuses_a_wrong_result(command):
    process = command("bench", "--sizes", "10", code="import fastnn; fastnn.ops.dot = lambda a, b: 0.5")
    assert process.returncode == 1
    assert process.stderr == ("fastnn: fastnn.ops.dot, list: dot of size 10: 1 of 1 numbers differ from the oracle's\n")


def test_help_names_every_command(command):
    alone, asked = command(), command("--help")
    assert (alone.returncode, asked.returncode) == (0, 0)
    assert alone.stdout == asked.stdout
    for name in ("train", "predict", "generate", "summary", "bench", "info"):
        assert re.search(rf"^  {name} ", alone.stdout, re.MULTILINE)
        text = " ".join(command(name, "--help").stdout.split())
        assert text.startswith(f"usage: fastnn {name}")
        assert ("or the folder it is in" in text) == (name in ("predict", "generate", "summary"))


def test_version_and_info(command):
    assert command("--version").stdout == f"fastnn {fastnn.__version__}\n"
    info = command("info").stdout
    assert fastnn.__version__ in info
    assert fastnn.show_config("dicts")["levels"]["used"] in info


def test_a_reader_that_stops_early_is_no_error(command):
    process = command("info", code="import os, sys\nread, write = os.pipe(); os.close(read); os.dup2(write, 1)")
    assert (process.returncode, process.stderr) == (141, "")


def test_interrupting_is_one_line(command):
    code = "import fastnn.cli.train as train\ndef run(options): raise KeyboardInterrupt\ntrain.run = run"
    assert one_line(command("train", code=code), 130) == "fastnn: interrupted"


def test_info_loads_nothing_heavy(run_python):
    code = ("import sys; from fastnn.cli import main; main(['info'])\n"
            "print([name for name in ('sklearn', 'scipy', 'matplotlib', 'torch') if name in sys.modules])")
    assert run_python(code).stdout.splitlines()[-1] == "[]"


def test_process_seconds_count_from_the_start_of_the_process(run_python):
    start = time.monotonic()
    code = "import time; time.sleep(0.3); from fastnn.cli import process_seconds; print(process_seconds())"
    seconds = float(run_python(code).stdout)
    # The system counts the start in hundredths of a second.
    assert 0.3 <= seconds <= time.monotonic() - start + 0.02
