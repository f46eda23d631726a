"""No allocation in a steady training step: counted by a preloaded malloc and mmap."""
import shutil
import subprocess
import sys

import pytest

COUNTER = r"""
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long n;
long allocations(void) { return n; }
void *malloc(size_t size) { n++; return __libc_malloc(size); }
void *calloc(size_t k, size_t size) { n++; return __libc_calloc(k, size); }
void *realloc(void *p, size_t size) { n++; return __libc_realloc(p, size); }
void *mmap(void *a, size_t l, int p, int f, int d, off_t o) { n++; return (void *) syscall(SYS_mmap, a, l, p, f, d, o);
}
"""
CODE = """
import ctypes, sys
sys.path.insert(0, {tests!r})
import numpy as np
from nets import blobs, deep_net
count = ctypes.CDLL(None).allocations
x, y = blobs(1000)
model = deep_net()
model.fit(x, y, batch_size=10, verbose=0)
program, arrays, n = model._prepare(x, y, None, True)
plan = program.plan(10)
frame = plan.acquire()
rates = model.optimizer.rates(100)
def allocations(batches):
    before = count()
    frame.run(arrays, n, 10, 0, batches, None, rates, 0, {threads})
    return count() - before
allocations(100)
few, many = allocations(1), allocations(100)
grabbed = count()
kept = [bytearray(100_000) for _ in range(3)]
print(few, many, count() - grabbed >= 3)
"""


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="needs gcc and LD_PRELOAD")
@pytest.mark.parametrize("threads", [1, 2])
def test_no_allocation_in_a_steady_step(tmp_path, run_python, threads):
    source, library = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER)
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    code = CODE.format(tests=__file__.rsplit("/", 1)[0], threads=threads)
    done = run_python(code, LD_PRELOAD=str(library), FASTNN_DEBUG=None)
    few, many, counts = done.stdout.split()
    assert counts == "True", "the counter does not count"
    assert few == many, done.stdout
