"""Processes forked after parallel work: each must compute the right bits on one thread, and none may hang.

    python -m tests.threads.fork --n 1000

Forks ``--n`` times by os.fork, one in ten while another Python thread is inside parallel work; then starts processes by
multiprocessing's fork, forkserver and spawn, and by joblib's loky where it is installed. A child that takes longer than
ten seconds hangs. ``--plant`` makes the children forget that they were forked; the first such child is to be found.
"""
import argparse
import importlib.util
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings

import numpy as np

import fastnn
from fastnn import ops
from fastnn._kernels import parallel
from fastnn.testing import forced_threads

SECONDS = 10
warnings.filterwarnings("ignore", "this process was forked")      # that is what is tried here


def product():
    """The bytes of a product on two threads, where there may be two."""
    a = np.random.default_rng(0).standard_normal((130, 70)).astype(np.float32)
    with forced_threads(2):
        return ops.matmul(a, a.T).tobytes()


def child(expected, plant):
    """What a forked child does: status 0 for the right bits on one thread."""
    signal.alarm(1 if plant else SECONDS)
    if plant:
        return 0 if threads_after_all() else 1
    with forced_threads(2):
        threads = fastnn.get_num_threads()
    return 0 if product() == expected and threads == 1 else 1


def threads_after_all():
    """What would happen without the guard: a region of OpenMP in a forked child."""
    import ctypes
    libgomp = ctypes.CDLL("libgomp.so.1")
    region = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
    libgomp.GOMP_parallel(region, None, 2, 0)
    return True


def forked(expected, plant):
    """Fork once; the status of the child, negative where a signal ended it."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = child(expected, plant)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def busy(stop):
    """Parallel work until told to stop."""
    while not stop.is_set():
        product()


def fork_often(n, plant):
    """Statuses of n children that were not 0; of a planted fault the first one tells enough."""
    expected, bad, stop = product(), [], threading.Event()
    other = threading.Thread(target=busy, args=(stop,))
    for i in range(n):
        if i == n - n // 10 and not plant:
            other.start()
        status = forked(expected, plant)
        if status:
            bad.append(status)
            if plant:
                break
    stop.set()
    if other.ident:
        other.join()
    return bad


def by_multiprocessing(method, expected):
    """Whether two processes started so give the right bits in time."""
    context = multiprocessing.get_context(method)
    pool = context.Pool(2)
    try:
        return pool.starmap_async(product, [()] * 4).get(60) == [expected] * 4
    except multiprocessing.TimeoutError:
        return False
    finally:
        pool.terminate()


def by_loky(expected):
    import joblib
    return joblib.Parallel(n_jobs=2, timeout=60)(joblib.delayed(product)() for _ in range(4)) == [expected] * 4


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--plant", action="store_true", help="enter OpenMP in the children, to see that it is found")
    options = parser.parse_args()
    began = time.monotonic()
    if not parallel.has_openmp:
        print("a build without OpenMP: nothing to fork after")
    bad = fork_often(options.n, options.plant)
    print(f"{options.n} forks, {len(bad)} bad (statuses {sorted(set(bad))}), {time.monotonic() - began:.1f} s")
    failures = len(bad)
    expected = product()
    for method in () if options.plant else ("fork", "forkserver", "spawn"):
        right = by_multiprocessing(method, expected)
        print(f"multiprocessing, {method}: {'right' if right else 'WRONG'}")
        failures += not right
    if not options.plant and importlib.util.find_spec("joblib"):
        right = by_loky(expected)
        print(f"joblib, loky: {'right' if right else 'WRONG'}")
        failures += not right
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
