"""Operands of kernels in memory that ends where they end, for every test that runs a kernel.

The environment variable FASTNN_GUARD decides, and conftest.py puts ``watched`` in the place of ``testing.run_kernel``:

1      each operand lies between two pages that may not be touched: once its first byte follows the first page, once its
       last byte comes before the second; a kernel must give the same bits at both addresses
exact  each operand is a block of its own from malloc, whose ends the address sanitizer watches

An operand is what the kernel gets: from the first byte of the array to its last, so that of rows some distance apart
nothing follows the last row. Operands that share memory share it here too. FASTNN_GUARD_LOG names a folder that
receives the names of the kernels that ran.
"""
import ctypes
import functools
import mmap
import os
import uuid
from pathlib import Path

import numpy as np
from numpy.lib.array_utils import byte_bounds

from fastnn import _kernels
from fastnn.program.debug import guarded

MODE = os.environ.get("FASTNN_GUARD", "")
PLACES = {"1": ("start", "end"), "exact": ("exact",)}
SCRATCH = {"matmul": (6,), "convolution": (6,), "winograd": (6,), "winograd_weights": (2,),
           "convolution_weights": (2,), "gru_forward": (5,), "gru_backward": (7,),
           "depthwise_forward": (3,), "depthwise_backward": (2,), "depthwise_weights": (2,),
           "group_normalization_backward": (5,), "batch_normalization_forward": (3,),
           "batch_normalization_backward": (5,)}       # operands whose contents afterwards say nothing

seen = set()                     # (level, dtype, kernel)
pool = {}                        # regions between guard pages that are free, by their number of pages


class Block:
    """Arrays that share memory, from the lowest byte to the highest, and a copy of them in another place."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def place(self, how):
        size = self.high - self.low
        if how == "exact":
            self.region, self.start = np.empty(size, np.uint8), 0
        else:
            n_pages = -(-max(size, 1) // mmap.PAGESIZE)
            free = pool.setdefault(n_pages, [])
            self.region = free.pop() if free else guarded(n_pages * mmap.PAGESIZE)
            self.start = 0 if how == "start" else len(self.region) - size
        self.copy = self.region[self.start:self.start + size]
        ctypes.memmove(self.region.ctypes.data + self.start, self.low, size)

    def view(self, array):
        """The array, in the copy."""
        offset = array.__array_interface__["data"][0] - self.low
        if not array.size:
            return self.region[len(self.region):].view(array.dtype).reshape(array.shape)
        return np.ndarray(array.shape, array.dtype, self.region, self.start + offset, array.strides)

    def release(self):
        if len(self.region) % mmap.PAGESIZE == 0 and MODE == "1":
            pool[len(self.region) // mmap.PAGESIZE].append(self.region)

    def give_back(self):
        """Write what the kernel wrote to where the test looks for it."""
        size = self.high - self.low
        if ctypes.string_at(self.low, size) != self.copy.tobytes():
            ctypes.memmove(self.low, self.region.ctypes.data + self.start, size)


def blocks_of(arrays):
    """One block for arrays that overlap; those without elements have one each, where nothing may be touched."""
    blocks = {}
    places = sorted((*byte_bounds(array), i) for i, array in enumerate(arrays) if array.size)
    last = None
    for low, high, i in places:
        if last is not None and low < last.high:
            last.high = max(last.high, high)
        else:
            last = Block(low, high)
        blocks[i] = last
    for i, array in enumerate(arrays):
        if not array.size:
            blocks[i] = Block(array.__array_interface__["data"][0], array.__array_interface__["data"][0])
    return blocks


def watched(run_kernel):
    """``run_kernel`` on operands in such memory."""
    @functools.wraps(run_kernel)
    def run(name, operands, *positional, arrays=(), order=None, **settings):
        if order is not None:
            order = np.ascontiguousarray(order, np.int64)
        given = [*operands, *arrays, order]
        present = [i for i, array in enumerate(given) if array is not None]
        blocks = {present[i]: block for i, block in blocks_of([given[i] for i in present]).items()}
        different = set(blocks.values()) - {blocks[i] for i in SCRATCH.get(name, ()) if i in blocks}
        level = settings.get("level") or _kernels.level.level
        seen.add((level, np.dtype(settings.get("dtype", "float32")).name, name))
        first = None
        for how in PLACES[MODE]:
            for block in set(blocks.values()):
                block.place(how)
            copies = [None if array is None else blocks[i].view(array) for i, array in enumerate(given)]
            n = len(operands)
            result = run_kernel(name, copies[:n], *positional, arrays=copies[n:-1], order=copies[-1], **settings)
            bits = repr(result), {block: block.copy.tobytes() for block in different}
            assert first is None or bits == first, f"{name}: other bits at another address"
            first = bits
            for block in set(blocks.values()):
                block.release()
        for block in set(blocks.values()):
            block.give_back()
        return result
    return run


def write_log():
    """The kernels that ran in this process, to the folder FASTNN_GUARD_LOG."""
    folder = os.environ.get("FASTNN_GUARD_LOG")
    if folder and seen:
        Path(folder, f"{uuid.uuid4().hex}.txt").write_text("\n".join(" ".join(key) for key in sorted(seen)))
