"""What a program is made of before it is planned: values and operations."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .variable import Variable, Vector

WINOGRAD = frozenset(("winograd", "winograd_weights"))
CONVOLUTIONS = WINOGRAD | {"convolution", "convolution_weights", "depthwise_forward", "depthwise_backward",
                           "depthwise_weights"}          # their first 16 sizes are the same

GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}          # products of x and h in a step of a recurrent cell


class PerRow(int):
    """A size that is multiplied by the rows of the batch."""


class FrameVector:
    """A vector that belongs to the frame of a run: gradients (laid out as their weights), metric counters."""

    def __init__(self, name: str, size: int, dtype):
        self.name, self.size, self.dtype = name, size, np.dtype(dtype)


def mean(counters: np.ndarray) -> float:
    """sum / count of these two counters, 0 where nothing was counted."""
    total, count = counters.tolist()
    return total / count if count else 0.0


def means(counters: np.ndarray) -> list[float]:
    """``mean`` of each row of counters (epochs, 2)."""
    return [total / count if count else 0.0 for total, count in counters.tolist()]


class Counter(NamedTuple):
    """What a loss or metric counts: float64 places start..stop-1 of the counters. ``results`` makes numbers of them,
    a list of one for each row of counters (epochs, stop - start)."""
    name: str
    start: int
    stop: int
    results: Callable


class Ids(NamedTuple):
    """What ``layer`` reads: whole numbers from 0 to ``rows`` - 1, each the number of a row of its table."""
    rows: int
    layer: str


class Value:
    """A symbolic array: the result of an operation, an array of a vector, or a view of another value.

    ``shape`` leaves the batch axis out where ``batched``. ``home`` is None for buffers of the arena, else the vector
    that holds the value at ``offset`` (elements). ``root`` is the value whose memory this one shows; one of the arena
    from ``offset`` on. ``fold``: how many rows there are for one of the batch (``Lowering.rows_times``).
    """
    __slots__ = ("shape", "dtype", "batched", "name", "home", "offset", "root", "needs_gradient", "variable", "fold")

    def __init__(self, shape, dtype, batched=True, name="", home: Vector | FrameVector | None = None, offset=0,
                 root: Value | None = None, needs_gradient=False, variable: Variable | None = None, fold: int = 1):
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.batched = batched
        self.name = name
        self.home = home
        self.offset = offset
        self.root = self if root is None else root
        self.needs_gradient = needs_gradient
        self.variable = variable
        self.fold = fold

    @property
    def size(self) -> int:
        """Elements, of one row where batched."""
        return math.prod(self.shape)

    def elements(self) -> int:
        """The size as an operation states it: per row where batched."""
        return PerRow(self.size) if self.batched else self.size

    def n_bytes(self, rows: int) -> int:
        return self.size * self.dtype.itemsize * (rows * self.fold if self.batched else 1)

    def rows(self) -> int:
        """The product of all axes but the last, per row of the batch where batched."""
        n = math.prod(self.shape[:-1])
        return PerRow(n) if self.batched else n


class Operation:
    """One call of a kernel: operands are its inputs, then its outputs, in the kernel's order (None: absent)."""
    __slots__ = ("kernel", "dtype", "inputs", "outputs", "sizes", "scalars", "flags", "layer", "phase")

    def __init__(self, kernel: str | Callable, dtype, inputs, outputs, sizes=(), scalars=(), flags=0, layer="",
                 phase="body"):
        self.kernel, self.dtype = kernel, dtype
        self.inputs: list[Value | None] = list(inputs)
        self.outputs: list[Value | None] = list(outputs)
        self.sizes, self.scalars, self.flags = tuple(sizes), tuple(scalars), flags
        self.layer, self.phase = layer, phase

    @property
    def operands(self) -> list[Value | None]:
        return self.inputs + self.outputs

    @property
    def label(self) -> str:
        return self.kernel if isinstance(self.kernel, str) else f"python:{self.kernel.__name__}"

    def size(self, i: int, rows: int) -> int:
        return int(self.sizes[i]) * (rows if isinstance(self.sizes[i], PerRow) else 1)

    def flops(self, rows: int) -> int:
        """Multiplications and additions of a matmul, convolution or recurrent cell; 0 for others, which are bound by
        memory."""
        if self.kernel == "matmul":
            return 2 * self.size(0, rows) * self.size(1, rows) * self.size(2, rows)
        if self.kernel in WINOGRAD:                  # 36 for each 4 x 4 places, in place of 144
            channels, filters, _, _, *places = self.sizes[1:7]
            return 72 * self.size(0, rows) * channels * filters * math.prod(-(-n // 4) for n in places)
        if self.kernel in CONVOLUTIONS:
            channels, filters, _, _, *windows = self.sizes[1:9]
            return 2 * self.size(0, rows) * channels // self.sizes[15] * filters * math.prod(windows)
        cell, _, direction = self.label.rpartition("_")
        if cell in GATES and direction in ("forward", "backward"):     # rows, steps, [features inside], units
            depth = sum(self.sizes[2:4])
            return 2 * self.size(0, rows) * self.sizes[1] * GATES[cell] * self.sizes[-1] * depth
        return 0

    def n_bytes(self, rows: int) -> int:
        """Bytes read and written, each operand once; of a table only the rows that are used."""
        used = [v.n_bytes(rows) for v in self.operands if v is not None and not v.name.startswith("scratch")]
        if self.label.startswith("embedding_"):
            used = [min(n, self.size(0, rows) * self.size(1, rows) * np.dtype(self.dtype).itemsize) for n in used]
        return sum(used)

    def nanoseconds(self, rows: int) -> float:
        """A rough estimate (tens of GFLOP/s, 10 bytes a ns), to decide on threads and looks at the clock, not to
        show."""
        if not isinstance(self.kernel, str):
            return 20_000.0
        return 20.0 + self.flops(rows) / 60.0 + self.n_bytes(rows) / 10.0
