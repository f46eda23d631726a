"""Faults that a sanitizer or a guard page must find: kernels that are told wrong sizes.

    python tests/sanitizers/planted.py NAME LEVEL

``none`` is the control: the same calls with the right sizes. Nothing is compiled for a fault: it happens in the kernel
itself, so a fault that is found shows that the kernels of this level are watched.
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import kernel_memory

from fastnn import testing

N = 63       # one less than whole vectors: the address sanitizer does not know masked loads, guard pages do


def add(level, n):
    x = np.ones(N, np.float32)
    run("add", [x, x.copy(), x.copy()], [n], level=level)


def matmul(level, a_stride, c_stride, threads=1):
    """Two rows and more of A . B with the wrong distance from row to row."""
    m, k, n = (8192 if threads > 1 else 2), 16, 16         # 2 million multiply-adds are several blocks
    a, b, c = np.ones((m, k), np.float32), np.ones((k, n), np.float32), np.ones((m, n), np.float32)
    run("matmul", [a if a_stride > 0 else a[:1], b, None, None, None, None, None, c],
        (m, k, n, a_stride, n, c_stride), level=level, threads=threads, limits={"matmul": 0})


def none(level):
    add(level, N)
    matmul(level, 16, 16)
    matmul(level, 16, 16, threads=2)


FAULTS = {
    "none": none,
    "past the end": lambda level: add(level, N + 1),
    "before the start": lambda level: matmul(level, -16, 16),
    "overflow": lambda level: run("fill", [np.ones(4, np.float32)], [1 << 62], [0.0], scaled=1, rows=4, level=level),
    "race": lambda level: matmul(level, 16, 0, threads=2),
}

if __name__ == "__main__":
    run = kernel_memory.watched(testing.run_kernel) if kernel_memory.MODE else testing.run_kernel
    FAULTS[sys.argv[1]](sys.argv[2])
