"""Predictions from many Python threads at once: the same bits always, and no more threads of the system than allowed.

    python -m tests.threads.predict --py-threads 16 --calls 10000

Each Python thread that starts parallel work gets OpenMP threads of its own, so that with two of them at most twice as
many threads exist as Python made; inside ``with fastnn.threads(1)`` not one is added. With ``--plant`` the limit is
ignored, which is to be found.
"""
import argparse
import re
import sys
import threading
from pathlib import Path

import numpy as np

import fastnn
from fastnn import layers
from fastnn.testing import changed_limits


def system_threads():
    return int(re.search(r"Threads:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def run(py_threads, calls, limit, plant=False):
    """(predictions whose bits differ, threads of the system added by OpenMP at the most)."""
    model = fastnn.Sequential([fastnn.Input((20,)), layers.Dense(64, activation="relu"), layers.Dense(5)])
    x = np.random.default_rng(0).standard_normal((300, 20)).astype("float32")
    expected, wrong, most = model.predict(x, verbose=0).tobytes(), [], [0]

    together = threading.Barrier(py_threads)

    def work():
        with fastnn.threads(2 if plant else limit):
            for _ in range(calls // py_threads):
                if model.predict(x, verbose=0).tobytes() != expected:
                    wrong.append(1)
                most[0] = max(most[0], system_threads())
            together.wait()             # now every thread has its pool and none has ended
            most[0] = max(most[0], system_threads())
            together.wait()

    before = system_threads()
    workers = [threading.Thread(target=work) for _ in range(py_threads)]
    with changed_limits(matmul=0, light=0, heavy=0, block=16, run=-1):
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return len(wrong), max(0, most[0] - before - py_threads)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--py-threads", type=int, default=16)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--plant", action="store_true")
    options = parser.parse_args()
    failures = 0
    for limit in (1, 2):
        wrong, added = run(options.py_threads, options.calls, limit, options.plant)
        allowed = options.py_threads * (limit - 1)
        print(f"with fastnn.threads({limit}): {options.calls} predictions by {options.py_threads} Python threads, "
              f"{wrong} with other bits, at most {added} threads added (allowed {allowed})")
        failures += wrong > 0 or added > allowed
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
