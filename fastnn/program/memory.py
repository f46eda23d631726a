"""The memory plan: where each buffer lies in the arena, so that buffers never alive together share memory."""
from __future__ import annotations

from bisect import insort

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
    Neural Net Inference, 2020.
    """
    placed: list[tuple[int, int, int, int]] = []       # (offset, end, first, last), in order
    offsets: dict[Value, int] = {}
    size = 0
    for value in sorted(alive, key=lambda v: -n_bytes[v]):
        first, last = alive[value]
        need = -(-max(n_bytes[value], 1) // ALIGNMENT) * ALIGNMENT
        offset = 0
        for start, end, born, died in placed:
            if born <= last and first <= died:          # alive together: not in this place
                if offset + need <= start:
                    break
                offset = max(offset, end)
        offsets[value] = offset
        insort(placed, (offset, offset + need, first, last))
        size = max(size, offset + need)
    return offsets, size
