"""The limits of this machine, measured: arithmetic in registers and streams of memory, and the roofline they make.

A kernel that does ``flops`` operations on ``moved`` bytes takes at least the longer of flops / peak and moved /
bandwidth (Williams, Waterman and Patterson, "Roofline", 2009). Its intensity is flops / moved; drawn over it, the
highest rate that the machine allows is a slope that ends in a flat roof. ``moved`` counts what must be read and written
once at least: operands and results. What is measured here is kernels/roofline.pxi.in, at the level in use.
"""
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import _kernels
from ._kernels import runner

# The kernel of each stream, and which of its arrays each operand is: an update is a triad in place.
KINDS = {"read": ("stream_read", [0]), "copy": ("stream_copy", [0, 1]), "copy_past": ("stream_copy_past", [0, 1]),
         "triad": ("stream_triad", [0, 1, 2]), "update": ("stream_triad", [0, 1, 1])}
NAMES = {"read": "read", "copy": "copy", "copy_past": "copy past caches", "triad": "triad"}
PEAK_WORK = 192 * 10_000          # multiply-adds of a block: a multiple of 12 chains of any level's vectors
STREAM_BYTES = 4_000_000          # moved by one measurement of a small stream: 20 to 100 us
START = 1.0                       # with FACTOR and SHIFT: every number stays near 1
FACTOR, SHIFT = 0.999, 1e-3


class Probe:
    """One compiled kernel over its own arrays, timed by calling it."""

    def __init__(self, kernel: str, dtype: str, elements: int, operands: list[int], sizes: list[int], threads: int):
        self.threads = threads
        self.arrays = list(_apart(elements, max(operands) + 1, dtype))
        item = (kernel, dtype, operands, [0] * len(operands), sizes, 0, [FACTOR, SHIFT], 0, 0)
        self.frame = runner.RunFrame(runner.Program(_kernels.kernels, [item], 0, 1), self.arrays)

    def seconds(self, threads: int | None = None) -> float:
        """The duration of one run, on other threads than usual if said so."""
        start = time.perf_counter()
        self.frame.run_one([], 1, 0, None, 0.0, 0, threads or self.threads)
        return time.perf_counter() - start


class Peak(Probe):
    """Floating-point operations a second in registers: multiply-adds where the level has them."""

    def __init__(self, dtype: str = "float32", threads: int = 1):
        super().__init__("fma_peak", dtype, 192, [0], [PEAK_WORK, threads], threads)
        self.flops = 2 * PEAK_WORK * threads

    def __call__(self) -> float:
        return self.flops / self.seconds()


class Stream(Probe):
    """Bytes a second that a stream of one kind moves, in passes of ``size`` bytes."""

    def __init__(self, kind: str, size: int, threads: int = 1):
        kernel, operands = KINDS[kind]
        elements = max(1, size // len(operands) // 512) * 128      # whole vectors, eight at a time, at every level
        repeats = max(1, STREAM_BYTES // size)
        super().__init__(kernel, "float32", elements, operands, [elements, repeats], threads)
        self.moved = 4 * elements * len(operands) * repeats

    def __call__(self, threads: int | None = None) -> float:
        return self.moved / self.seconds(threads)


def _apart(elements: int, arrays: int, dtype: str) -> Iterator[np.ndarray]:
    """Arrays on lines of the cache, at other places of a page: a store that seems to meet a later load would wait."""
    size = elements * np.dtype(dtype).itemsize
    for number in range(arrays):
        raw = np.empty(size + 2 * 4096, np.uint8)
        first = -raw.ctypes.data % 4096 + 1344 * number % 4096
        array = raw[first:first + size].view(dtype)
        array.fill(START)
        yield array


def bandwidth(size: int, kinds: tuple[str, ...], rounds: int, threads: int = 1) -> dict[str, float]:
    """The best rates, bytes a second, of these streams through ``size`` bytes, by kind."""
    streams = {kind: Stream(kind, size, threads) for kind in kinds}
    best = dict.fromkeys(kinds, 0.0)
    for _ in range(rounds):
        for kind, stream in streams.items():
            best[kind] = max(best[kind], stream())
    return best


def intensity(flops: float, moved: float) -> float:
    """Operations a byte.

    >>> intensity(2 * 64**3, 4 * 3 * 64**2)
    10.666666666666666
    """
    return flops / moved


def shortest(flops: float, moved: float, peak: float, rate: float) -> float:
    """The fewest seconds in which a machine of this peak (flop/s) and bandwidth (bytes/s) can do the work.

    >>> shortest(2e9, 1e6, 100e9, 50e9), shortest(1e6, 1e9, 100e9, 50e9)
    (0.02, 0.02)
    """
    return max(flops / peak, moved / rate)


def caches(folder: str = "/sys/devices/system/cpu/cpu0/cache") -> dict[str, int]:
    """Bytes of the data caches by name; usual sizes where the system does not tell."""
    found = {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}
    for index in sorted(Path(folder).glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = int(size.rstrip("KMG")) << {"K": 10, "M": 20, "G": 30}.get(size[-1], 0)
    return found


def sizes() -> dict[str, int]:
    """Bytes with which a stream shows each level: half a core's own caches, a quarter of the shared one, and memory."""
    cache = caches()
    memory = min(max(128 << 20, 4 * cache["L3"]), 1 << 30)
    return {"L1": cache["L1"] // 2, "L2": cache["L2"] // 2, "L3": min(cache["L3"] // 4, 16 << 20), "memory": memory}
