"""``parallel_for``: every block once, on no more threads than allowed, and never a hang after a fork."""
import ctypes
import itertools
import math
import os
import platform
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
import threadpoolctl

from fastnn import _threads
from fastnn._kernels import _cpus, parallel

BLOCK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_ssize_t)
openmp = pytest.mark.skipif(not parallel.has_openmp, reason="a build without OpenMP has one thread")

# What a child process does: a region on two threads, then a fork whose child tries the same.
FORK = """
import os, signal, sys, warnings
sys.path.insert(0, {tests!r})
from test_parallel import run_blocks
from fastnn import _threads
_threads.set_num_threads(2)
run_blocks(8, 2)
child = os.fork()
if child == 0:
    signal.alarm(30)  # a child that hangs ends with status -14
    warnings.simplefilter("ignore")
    _threads.set_num_threads(2)
    took = run_blocks(8, 2)
    os._exit(0 if len(took) == 8 and len(set(took.values())) == 1 and _threads.get_num_threads() == 1 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(set(run_blocks(8, 2).values())))
"""


def run_blocks(blocks, threads, look_too=lambda _: None):
    """Run ``parallel_for`` and return {block: id of the thread that took it}; a block taken twice is an error.

    ``look_too`` is called in each block.
    """
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    prototype = ctypes.CFUNCTYPE(None, BLOCK, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
    parallel_for = prototype(get_pointer(parallel.capsule, b"fastnn.parallel_for"))
    took, twice = {}, []

    @BLOCK
    def take(context, block):
        if block in took or context != 42:
            twice.append(block)
        took[block] = threading.get_native_id()
        look_too(None)

    parallel_for(take, 42, blocks, threads)
    assert twice == []
    return took


@pytest.fixture(autouse=True)
def restored_threads():
    before = _threads.get_num_threads()
    yield
    parallel.limit_thread(0)
    _threads.set_num_threads(before)


@pytest.mark.parametrize("blocks", [0, 1, 2, 3, 7, 64, 65])
@pytest.mark.parametrize("threads", [-1, 0, 1, 2, 3, 5, 70])
def test_every_block_is_taken_once(blocks, threads):
    took = run_blocks(blocks, threads)
    assert sorted(took) == list(range(blocks))
    assert len(set(took.values())) <= max(1, threads)


@openmp
@pytest.mark.parametrize("threads", [2, 3])
def test_each_thread_takes_one_contiguous_stretch(threads):
    took = run_blocks(10, threads)
    owners = [took[block] for block in range(10)]
    assert len(set(owners)) == threads
    assert sum(a != b for a, b in itertools.pairwise(owners)) == threads - 1
    sizes = [owners.count(owner) for owner in set(owners)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("blocks", "threads"), [(5, 1), (1, 2), (5, 0)])
def test_serial_work_stays_in_the_calling_thread(blocks, threads):
    assert set(run_blocks(blocks, threads).values()) == {threading.get_native_id()}


def test_serial_work_starts_no_thread(run_python):
    code = f"""
import os, sys
sys.path.insert(0, {__file__.rpartition("/")[0]!r})
from test_parallel import run_blocks
before = len(os.listdir("/proc/self/task"))
run_blocks(100, 1), run_blocks(1, 4)
print(len(os.listdir("/proc/self/task")) - before)
"""
    assert run_python(code).stdout == "0\n"


@openmp
def test_a_limit_lowered_by_others_counts():
    _threads.set_num_threads(2)
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        assert _threads.get_num_threads() == 1
        assert len(set(run_blocks(8, 2).values())) == 1
    assert _threads.get_num_threads() == 2
    assert len(set(run_blocks(8, 2).values())) == 2


@openmp
@pytest.mark.skipif(platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="reads glibc's fenv_t")
def test_the_threads_of_the_pool_get_their_own_floating_point_mode_back():
    """With denormals to zero in the calling thread, another library's region on the same threads must keep them."""
    libm, pool = ctypes.CDLL("libm.so.6"), [each["filepath"] for each in threadpoolctl.threadpool_info()
                                            if each["user_api"] == "openmp" and "libgomp" in each["filepath"]]
    if not pool:
        pytest.skip("the OpenMP library is not libgomp")
    kept, least = {}, sys.float_info.min
    look = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: kept.update({threading.get_native_id(): least / 2 > 0}))
    own, flushing = (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    libm.fegetenv(own), libm.fegetenv(flushing)
    flushing[7] |= 0x8040                                   # MXCSR: flush to zero, denormals are zero
    libm.fesetenv(flushing)
    with threadpoolctl.threadpool_limits(2, user_api="openmp"):     # whatever limit stood before: a team of two
        workers = set(run_blocks(8, 2, look_too=look).values())
    libm.fesetenv(own)
    assert set(kept.values()) == {False}, "the blocks run in the mode of the caller"
    teams = []
    for path in pool:                       # other packages may have brought an OpenMP, and threads, of their own
        kept.clear()
        ctypes.CDLL(path).GOMP_parallel(look, None, 2, 0)
        teams.append(set(kept))
        assert set(kept.values()) == {True}
    assert workers in teams


def test_a_forked_child_runs_on_one_thread_and_never_hangs(run_python):
    done = run_python(FORK.format(tests=__file__.rpartition("/")[0]), timeout=120)
    assert done.stdout == f"0 {2 if parallel.has_openmp else 1}\n", done.stderr


def command(*arguments):
    """Run one of the commands of docs/testing.md; (status, what it printed)."""
    import fastnn

    environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=Path(__file__).parents[1], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
    return done.returncode, done.stdout


def test_processes_however_started_after_parallel_work():
    status, text = command("tests.threads.fork", "--n", "40")
    assert status == 0 and "40 forks, 0 bad" in text, text
    assert "multiprocessing, fork: right" in text and "spawn: right" in text


def test_predictions_from_many_python_threads():
    status, text = command("tests.threads.predict", "--calls", "320")
    assert status == 0, text


@openmp
def test_too_many_threads_are_found():
    status, text = command("tests.threads.predict", "--calls", "64", "--plant")
    assert status == 1, text


@openmp
def test_a_limit_set_by_others_is_that_of_their_thread():
    """OpenMP keeps a number for each thread: threadpoolctl's limit does not reach other Python threads."""
    _threads.set_num_threads(2)
    seen = []
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        other = threading.Thread(target=lambda: seen.append(_threads.get_num_threads()))
        other.start()
        other.join()
    assert seen == [2]


def test_threadpoolctl_sees_the_runtime():
    if parallel.has_openmp:
        assert any(library["user_api"] == "openmp" for library in threadpoolctl.threadpool_info())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_the_affinity_of_the_process_counts(run_python):
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import fastnn
print(fastnn.get_num_threads())
"""
    assert run_python(code, FASTNN_NUM_THREADS=None, OMP_NUM_THREADS=None).stdout == "1\n"


def test_set_num_threads():
    for n in (1, 2, 3):
        _threads.set_num_threads(n)
        assert _threads.get_num_threads() == (n if parallel.has_openmp else 1)


@pytest.mark.parametrize("n", [0, -1, 4097])
def test_set_num_threads_refuses_numbers_out_of_range(n):
    with pytest.raises(ValueError, match=rf"n: expected a whole number of threads from 1 to 4096, got {n}"):
        _threads.set_num_threads(n)


@pytest.mark.parametrize("n", [1.5, "2", None])
def test_set_num_threads_refuses_what_is_no_integer(n):
    with pytest.raises(TypeError, match="n: expected a whole number of threads from 1 to 4096, got"):
        _threads.set_num_threads(n)


@openmp
def test_threads_holds_for_the_calling_thread_alone():
    _threads.set_num_threads(3)
    seen = []
    with _threads.threads(2):
        other = threading.Thread(target=lambda: seen.append(_threads.get_num_threads()))
        other.start()
        other.join()
        with _threads.threads(1):
            seen.append(_threads.get_num_threads())
        seen.append(_threads.get_num_threads())
    assert [*seen, _threads.get_num_threads()] == [3, 1, 2, 3]


def test_threads_comes_back_after_an_exception():
    before = _threads.get_num_threads()
    with pytest.raises(KeyError), _threads.threads(1):
        raise KeyError
    assert _threads.get_num_threads() == before


@pytest.mark.parametrize(("ours", "openmps", "expected"), [
    ("3", "5", 3), (" 3 ", None, 3), (None, "5", 5), (None, "4,2", 4), ("", "2", 2),
    (None, "0", 9), (None, "many", 9), (None, None, 9), ("4096", None, 4096), (None, "9" * 20, 9), (None, "5000", 9),
])
def test_the_default_number_of_threads(monkeypatch, ours, openmps, expected):
    monkeypatch.setattr(_cpus, "available_cpus", lambda: 9)
    for name, value in (("FASTNN_NUM_THREADS", ours), ("OMP_NUM_THREADS", openmps)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert _cpus.default_threads() == expected


@pytest.mark.parametrize("value", ["0", "-2", "1.5", "all", "5000", "9" * 20])
def test_a_bad_number_in_the_environment_is_an_import_error(run_python, value):
    done = run_python("import fastnn._kernels", FASTNN_NUM_THREADS=value)
    expected = f"ImportError: FASTNN_NUM_THREADS: expected a whole number of threads from 1 to 4096, got '{value}'"
    assert expected in done.stderr


@pytest.mark.parametrize(("files", "membership", "expected"), [
    ({}, "0::/a/b", math.inf),
    ({"cpu.max": "max 100000"}, "0::/", math.inf),
    ({"cpu.max": "150000 100000"}, "0::/", 1.5),
    ({"cpu.max": "150000 100000"}, "0::/not/seen/from/here", 1.5),
    ({"a/cpu.max": "50000 100000", "a/b/cpu.max": "max 100000"}, "0::/a/b", 0.5),
    ({"a/cpu.max": "50000 100000"}, "0::/b", math.inf),
    ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu,cpuacct:/", math.inf),
    ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, "4:cpu,cpuacct:/x\n3:pids:/x", 3.0),
    ({"cpu.max": "nonsense"}, "0::/", math.inf),
])
def test_the_quota_of_cgroups(tmp_path, files, membership, expected):
    for name, text in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text + "\n")
    (tmp_path / "membership").write_text(membership + "\n")
    assert _cpus.cgroup_quota(str(tmp_path / "membership"), str(tmp_path / "root")) == expected


def test_available_cpus_rounds_a_quota_up(monkeypatch):
    monkeypatch.setattr(_cpus.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for quota, expected in ((math.inf, 8), (0.5, 1), (1.5, 2), (16.0, 8)):
        monkeypatch.setattr(_cpus, "cgroup_quota", lambda quota=quota: quota)
        assert _cpus.available_cpus() == expected


def test_no_warning_for_threads_in_a_process_that_was_not_forked():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _threads.set_num_threads(2)
