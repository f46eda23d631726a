"""Printing: the glass box. A program as a table of its operations, and a profile of where the time of a run goes."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import debug
from .fusion import PRODUCTS
from .ir import CONVOLUTIONS, Operation, Value
from .lowering import ACTIVATION_IDS, FORWARD_SHIFT, GRADIENT_SHIFT, SCALE_FIRST, TRANSPOSE_A, TRANSPOSE_B

if TYPE_CHECKING:
    from .program import Plan, Program

NAMES = {i: name for name, i in ACTIVATION_IDS.items()}


def describe(operation: Operation) -> str:
    """The operation's name with what is fused into it: ``matmul + bias + relu``."""
    if operation.kernel in CONVOLUTIONS:
        text = f"{operation.label} {operation.sizes[7]}×{operation.sizes[8]}"
    elif operation.kernel == "matmul":
        transposed = {TRANSPOSE_A: " AᵀB", TRANSPOSE_B: " ABᵀ"}
        text = "matmul" + "".join(t for flag, t in transposed.items() if operation.flags & flag)
    else:
        text = operation.label
    return text + epilogue(operation) if operation.kernel in PRODUCTS else text


def epilogue(operation: Operation) -> str:
    """What is fused into a matmul or convolution, in its order."""
    flags, text = operation.flags, ""
    text += " + bias" if operation.inputs[2] is not None else ""
    forward, gradient = NAMES.get(flags >> FORWARD_SHIFT & 0xFF), NAMES.get(flags >> GRADIENT_SHIFT & 0xFF)
    scale = " + scale + shift" if operation.inputs[3] is not None else ""
    text += scale if flags & SCALE_FIRST else ""
    text += f" + {forward}" if forward else ""
    text += scale if not flags & SCALE_FIRST else ""
    text += f" * {gradient}'" if gradient else ""
    if operation.kernel in ("convolution", "winograd") and operation.sizes[20] * operation.sizes[21] > 1:
        text += f" + max pooling {operation.sizes[20]}×{operation.sizes[21]}"
    return text


def shape_text(value: Value) -> str:
    """``rows×64`` for a batched value, ``64×10`` for others."""
    shape = (["rows"] if value.batched else []) + [str(n) for n in value.shape]
    return "×".join(shape) or "1"


def buffer_text(value: Value, plan: Plan) -> str:
    """Where a value lies: its place in the arena, or its name among the weights, gradients and counters."""
    if value.root.home is not None:
        return value.name
    if debug.ENABLED:
        return "own mapping"
    return f"arena+{plan.place(value)[1]}"


def human(n: float) -> str:
    """1234567 as 1.23M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= size:
            return f"{n / size:.3g}{unit}"
    return f"{n:.3g}"


def columns(header: list[str], rows: list[list[str]], right: set[int]) -> str:
    """A plain text table; columns in ``right`` are flush right."""
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip()
             for r in [header, *rows]]
    return "\n".join([lines[0], "-" * len(max(lines, key=len)), *lines[1:]])


def row_of(i: int, operation: Operation, plan: Plan) -> list[str]:
    """The cells of one operation: number, phase, layer, what, shapes, flops, bytes, result's buffer."""
    rows = plan.capacity
    ins = [shape_text(v) for v in operation.inputs if v is not None]
    outs = [v for v in operation.outputs if v is not None and v.name != "scratch"]
    shapes = " ".join(ins) + (" -> " + " ".join(shape_text(v) for v in outs) if outs else "")
    flops = operation.flops(rows)
    return [str(i), operation.phase, operation.layer, describe(operation), shapes, human(flops) if flops else "",
            human(operation.n_bytes(rows)), buffer_text(outs[0], plan) if outs else ""]


HEADER = ["#", "phase", "layer", "operation", "shapes", "flops", "bytes", "result in"]


def table(program: Program, plan: Plan) -> str:
    """The whole program as text."""
    rows = [row_of(i, o, plan) for i, o in enumerate(program.operations)]
    flops = sum(o.flops(plan.capacity) for o in program.operations)
    title = f"{program.name}: {len(rows)} operations, {program.dtype}, any number of rows"
    foot = f"For {plan.capacity} rows: {human(flops)} flops a batch, {human(plan.arena_bytes)}B of buffers."
    return "\n".join([title, columns(HEADER, rows, {0, 5, 6}), foot])


class Profile:
    """Seconds of each operation of a run; printing it shows them as a table, slowest first.

    ``seconds``: float64 array, one place an operation; ``n_batches``: how many batches they are the sum of.
    """

    def __init__(self, program: Program, plan: Plan, seconds: np.ndarray, n_batches: int):
        self.seconds, self.n_batches = seconds, n_batches
        self._plan, self._program = plan, program

    def __str__(self) -> str:
        total = self.seconds.sum() or 1.0
        rows = []
        for i in np.argsort(-self.seconds, kind="stable"):
            operation, seconds = self._plan.operations[i], self.seconds[i] / self.n_batches
            rate = operation.flops(self._plan.capacity) / seconds / 1e9 if seconds else 0.0
            cells = row_of(int(i), operation, self._plan)[:5]
            rows.append(cells + [f"{1e6 * seconds:.2f}", f"{100 * self.seconds[i] / total:.1f} %",
                                 f"{rate:.1f}" if rate else ""])
        header = HEADER[:5] + ["µs a batch", "share", "GFLOP/s"]
        mean = 1e6 * total / self.n_batches
        foot = f"{mean:.2f} µs a batch, over {self.n_batches} batches; rates as for {self._plan.capacity} rows."
        return "\n".join([f"{self._program.name}: profile", columns(header, rows, {0, 5, 6, 7}), foot])
