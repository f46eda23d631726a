"""What the benchmarks share: facts about the machine in the JSON, one thread, options."""
import importlib.metadata
import os
import shlex

import pytest

LIBRARIES = ("numpy", "torch", "jax", "onnxruntime", "scikit-learn")


def pytest_addoption(parser):
    group = parser.getgroup("training")
    group.addoption("--turns", type=int, default=5, help="turns of every contestant in the training benchmark")
    group.addoption("--turn-seconds", type=float, default=0.25, help="seconds of each quantity in a turn")
    parser.getgroup("start").addoption("--processes", type=int, default=15, help="processes that start, of each kind")
    group = parser.getgroup("kernels")
    group.addoption("--case-seconds", type=float, default=0.3, help="seconds of one kernel on one shape, all libraries")


def pytest_benchmark_update_machine_info(config, machine_info):
    """Add what the figures depend on: versions, fastnn's build, the machine's load, the command itself."""
    import fastnn
    machine_info["versions"] = {"fastnn": fastnn.__version__, **versions()}
    machine_info["fastnn"] = fastnn.show_config("dicts")
    machine_info["cpus"] = fastnn.get_num_threads()
    machine_info["blas"] = blas()
    machine_info["load"] = os.getloadavg()[0]
    machine_info["command"] = shlex.join(["pytest", *map(str, config.invocation_params.args)])


def versions():
    """The versions of the libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def blas():
    """NumPy's BLAS and the processor that it takes this one for: that decides what NumPy's products cost."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    import numpy  # noqa: F401 - loads it
    for library in threadpoolctl.threadpool_info():
        if library["user_api"] == "blas":
            return f"{library['internal_api']} {library['version']} for {library.get('architecture', 'any processor')}"
    return "unknown"


@pytest.fixture
def one_thread():
    """fastnn, NumPy's BLAS and torch on one thread while a test runs."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    import fastnn
    before = fastnn.get_num_threads()
    fastnn.set_num_threads(1)
    with threadpoolctl.threadpool_limits(1):
        yield
    fastnn.set_num_threads(before)
