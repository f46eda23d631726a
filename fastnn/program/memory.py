"""The memory plan: where each buffer lies in the arena, so that buffers never alive together share memory."""
from __future__ import annotations

import numpy as np

from .ir import Operation, Value

ALIGNMENT = 64      # bytes


def lifetimes(operations: list[Operation]) -> dict[Value, tuple[int, int]]:
    """(first, last) operation that touches each buffer of the arena, in order of birth.

    What the head writes lives to the end, for every batch reads it again.
    """
    alive: dict[Value, tuple[int, int]] = {}
    for i, operation in enumerate(operations):
        for value in operation.operands:
            if value is None or value.root.home is not None:
                continue
            first, _ = alive.get(value.root, (i, i))
            if value.root not in alive and not any(v is not None and v.root is value.root for v in operation.outputs):
                raise RuntimeError(f"operation {i} ({operation.label} of {operation.layer!r}) reads {value.name!r}, "
                                   "which no operation before it writes")
            alive[value.root] = (first, i)
    return {v: (first, len(operations) if operations[first].phase == "head" else last)
            for v, (first, last) in alive.items()}


def plan(alive: dict[Value, tuple[int, int]], n_bytes: dict[Value, int]) -> tuple[dict[Value, int], int]:
    """(offset of each buffer, bytes of the arena): greedy by size, each at the lowest offset free during its life.

    Largest first with lowest fit is the greedy-by-size rule of Pisarchyk and Lee, Efficient Memory Management for Deep
    Neural Net Inference, 2020. A recurrent net whose steps are unrolled has tens of thousands of buffers: those alive
    together with one are found, and the gaps between them, in whole arrays.
    """
    placed = np.empty((4, len(alive)), np.int64)       # offset, end, first, last; in order of offsets
    offsets: dict[Value, int] = {}
    size = 0
    for n, value in enumerate(sorted(alive, key=lambda v: -n_bytes[v])):
        first, last = alive[value]
        need = -(-max(n_bytes[value], 1) // ALIGNMENT) * ALIGNMENT
        starts, ends, births, deaths = placed[:, :n]
        together = np.flatnonzero((births <= last) & (deaths >= first))
        offset = lowest_gap(starts[together], ends[together], need)
        i = int(starts.searchsorted(offset))
        placed[:, i + 1:n + 1] = placed[:, i:n]
        placed[:, i] = offset, offset + need, first, last
        offsets[value] = offset
        size = max(size, offset + need)
    return offsets, size


def lowest_gap(starts: np.ndarray, ends: np.ndarray, need: int) -> int:
    """The lowest offset with ``need`` bytes free, where what is taken is in order of its starts."""
    tops = np.concatenate([[0], np.maximum.accumulate(ends)])       # of all that begin before
    wide = tops[:-1] + need <= starts
    return int(tops[int(wide.argmax()) if wide.any() else -1])
