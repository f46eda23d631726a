"""Says which compiled fastnn the tests run on, and stops at once when there is none; fixtures for all test files."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config):
    """Nothing can be tested without the compiled part, and skipping everything would look like success."""
    try:
        import fastnn._kernels  # noqa: F401
    except ImportError as error:
        line = "=" * 100
        pytest.exit(f"fastnn cannot be imported, so there is nothing to test\n{line}\n{error}\n{line}", returncode=3)
    if os.environ.get("FASTNN_GUARD"):
        import kernel_memory

        from fastnn import testing

        testing.run_kernel = kernel_memory.watched(testing.run_kernel)


def pytest_unconfigure(config):
    if "kernel_memory" in sys.modules:
        sys.modules["kernel_memory"].write_log()


def pytest_report_header(config):
    """The first lines of a run: what is tested."""
    import fastnn
    from fastnn import _kernels

    kernels = f"level {_kernels.level.level} (usable here: {' '.join(_kernels.levels_usable)})"
    openmp = "OpenMP" if _kernels.parallel.has_openmp else "no OpenMP"
    debug = os.environ.get("FASTNN_DEBUG", "0")
    return [
        f"fastnn {fastnn.__version__} in {Path(fastnn.__file__).parent}",
        f"kernels: {kernels}, {_kernels.parallel.get_num_threads()} threads, {openmp}, FASTNN_DEBUG={debug}",
    ]


def pytest_generate_tests(metafunc):
    """A test with ``eager_level`` runs on each level, or on the one that FASTNN_ISA chooses for the whole suite."""
    if "eager_level" in metafunc.fixturenames:
        from kernel_checks import LEVELS

        metafunc.parametrize("eager_level", LEVELS, indirect=True)


@pytest.fixture
def eager_level(request):
    """The eager functions on another level's kernels."""
    from fastnn import _kernels
    from fastnn._kernels import parallel, runner

    def connect(module):
        _kernels.ops.connect(module.table, parallel.capsule, runner.limits_capsule(), parallel.get_num_threads)

    connect(_kernels.load_level(request.param))
    yield request.param
    connect(_kernels.level)


@pytest.fixture(autouse=True)
def same_start():
    """No test's names, seeds or initial weights depend on those that ran before it."""
    import fastnn

    fastnn.random.set_seed(1)             # with which no relu of the gradient checks stands near its kink
    fastnn.backend.clear_session()


@pytest.fixture
def run_python():
    """A function that runs Python code in a process of its own and returns the finished process (text output).

    Keyword arguments are environment variables; None removes one. The process imports the same fastnn as the tests.
    """
    import fastnn

    def run(code, *, timeout=120, **variables):
        environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parent.parent), **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)

    return run


@pytest.fixture
def two_threads():
    """Two threads for the test, however many CPUs there are; the number before comes back."""
    from fastnn import _threads

    before = _threads.get_num_threads()
    _threads.set_num_threads(2)
    yield
    _threads.set_num_threads(before)


@pytest.fixture
def float64():
    """Layers of float64, for gradients by differences."""
    import fastnn

    fastnn.backend.set_floatx("float64")
    yield
    fastnn.backend.set_floatx("float32")


@pytest.fixture
def ax():
    """Axes of a figure that no window shows."""
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.fixture
def cli_folder(tmp_path, monkeypatch):
    """The test works in an empty folder, without pictures unless it draws them itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fastnn.cli.train_file.save_pictures", lambda *arguments: None)
    return tmp_path
