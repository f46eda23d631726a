"""Programs: lowered once, planned for a capacity of rows, run in frames borrowed from a free list."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import _kernels, _threads
from .._kernels import runner
from . import debug, memory, show
from .fusion import fuse, without_unread
from .ir import FrameVector, Operation, PerRow, Value
from .lowering import Lowering
from .pooling_fusion import pool_gradients_last, pool_in_convolutions
from .variable import Vector, aligned_zeros

SCRATCH = 0                       # the first output, of kernels that have it
SMALLEST_CAPACITY = 32
MOST_BYTES = 1 << 47              # an address has 47 bits


class Plan:
    """A program laid out for at most ``capacity`` rows, with the free list of its frames."""

    def __init__(self, program: Program, capacity: int):
        self.capacity = capacity
        self.alive = memory.lifetimes(program.operations)
        self.n_bytes = {v: program.value_bytes(v, capacity) for v in self.alive}
        self.homes: list[Vector | FrameVector | Value] = []
        self._slots: dict[object, int] = {}
        self.offsets: dict[Value, int] = {}
        self.arena_bytes = 0
        if not debug.ENABLED:
            self.offsets, self.arena_bytes = memory.plan(self.alive, self.n_bytes)
        self.operations = self._with_fills(program.operations) if debug.ENABLED else program.operations
        head = 0 if debug.ENABLED else sum(o.phase == "head" for o in self.operations)
        commit = sum(o.phase != "commit" for o in self.operations)
        items = [self._item(o, capacity) for o in self.operations]
        self.compiled = runner.Program(_kernels.kernels, items, head, commit)
        self.nanoseconds: float = self.compiled.nanoseconds
        self._free: list[runner.RunFrame] = []
        self._seed = program.seed
        self._counter_vector = program.counter_vector

    def acquire(self) -> runner.RunFrame:
        """A frame for one run at a time; give it back with ``release``."""
        try:
            return self._free.pop()
        except IndexError:
            pass
        try:
            slots = [np.empty(0, np.uint8) if debug.ENABLED else aligned_zeros(self.arena_bytes, np.uint8)]
            return runner.RunFrame(self.compiled, slots + [self._storage(h) for h in self.homes], self._seed)
        except MemoryError:
            raise MemoryError(self._too_large()) from None

    def _too_large(self) -> str:
        """The text for buffers that find no memory: how large they are, and whose the largest is."""
        largest = max(self.alive, key=lambda value: self.n_bytes[value])
        layer = next(o.layer for o in self.operations if any(v is not None and v.root is largest for v in o.outputs))
        together = self.arena_bytes or sum(self.n_bytes.values())
        return (f"layer {layer!r}: a buffer of {self.n_bytes[largest] / 1e9:.4g} GB, for batches of {self.capacity} "
                f"rows of shape {largest.shape}, and {together / 1e9:.4g} GB with all others, is more than this "
                "machine can give; use a smaller `batch_size`, or make the layer or its input smaller")

    def release(self, frame: runner.RunFrame) -> None:
        self._free.append(frame)

    def counters_of(self, frame: runner.RunFrame) -> np.ndarray:
        """The frame's counters, float64, those of the loss and of each metric one after the other."""
        return frame.slots[self._slots[self._counter_vector]] if self._counter_vector in self._slots else np.empty(0)

    def _storage(self, home: Vector | FrameVector | Value) -> np.ndarray:
        """The memory of a slot: a vector's own, the frame's, or (debug) a buffer in a mapping of its own."""
        if isinstance(home, Vector):
            return home.data
        if isinstance(home, FrameVector):
            return aligned_zeros(home.size, home.dtype)
        return debug.guarded(self.n_bytes[home])

    def slot_of(self, home: object) -> int:
        """The slot of a vector (or of a buffer, in debug); slot 0 is the arena."""
        if home not in self._slots:
            self._slots[home] = len(self.homes) + 1
            self.homes.append(home)      # type: ignore[arg-type]
        return self._slots[home]

    def place(self, value: Value) -> tuple[int, int]:
        """(slot, offset in bytes) of a value."""
        root = value.root
        if root.home is not None:
            return self.slot_of(root.home), value.offset * root.dtype.itemsize
        if debug.ENABLED:
            return self.slot_of(root), value.offset * root.dtype.itemsize
        return 0, self.offsets[root] + value.offset * root.dtype.itemsize

    def _item(self, operation: Operation, capacity: int) -> tuple:
        """An operation as the runner takes it."""
        places = [(-1, 0) if v is None else self.place(v) for v in operation.operands]
        kernel = operation.kernel
        if not isinstance(kernel, str):
            kernel = self._caller(kernel, operation, places)
        scaled = sum(1 << i for i, size in enumerate(operation.sizes) if isinstance(size, PerRow))
        return (kernel, operation.dtype, [p[0] for p in places], [p[1] for p in places],
                [int(s) for s in operation.sizes], scaled, operation.scalars, operation.flags,
                operation.nanoseconds(capacity))

    @staticmethod
    def _caller(function: Callable, operation: Operation, places: list[tuple[int, int]]) -> Callable:
        """What the runner calls for a Python operation: it hands the function views of its operands."""
        operands = [(v, v in operation.outputs, *place)
                    for v, place in zip(operation.operands, places) if v is not None]

        def view(frame: runner.RunFrame, rows: int, value: Value, writable: bool, slot: int, offset: int) -> np.ndarray:
            outer = (rows * value.fold,) if value.batched else ()
            array = frame.slot(slot, offset, outer + value.shape, value.dtype)
            array.flags.writeable = writable          # a metric that writes to y_pred must not change training
            return array

        def call(frame: runner.RunFrame, rows: int) -> None:
            function(*[view(frame, rows, *operand) for operand in operands])
        return call

    def _with_fills(self, operations: list[Operation]) -> list[Operation]:
        """The operations, with each buffer filled with NaN before its first and after its last (debug)."""
        births: dict[int, list[Value]] = {}
        deaths: dict[int, list[Value]] = {}
        for value, (first, last) in self.alive.items():
            births.setdefault(first, []).append(value)
            deaths.setdefault(last, []).append(value)
        result = []
        for i, operation in enumerate(operations):
            fills = [self._fill(v, operation.phase) for v in births.get(i, [])]
            result += fills + [operation] + [self._fill(v, operation.phase) for v in deaths.get(i, [])]
        return result

    def _fill(self, value: Value, phase: str) -> Operation:
        """Fill a buffer with NaN; integers and bytes are seen as the bit pattern of float32 NaN, whole words only."""
        words = self.n_bytes[value] // 4
        view = Value((words,), "float32", False, value.name, root=value)
        return Operation("fill", "float32", [], [view], [words], [float("nan")], layer="debug", phase=phase)


class Program:
    """An immutable list of operations, for any number of rows.

    ``arrays`` names the caller's arrays that a run takes, in order; ``counters`` the metric counters of a frame.
    Printing it shows every operation with its shapes, flops, bytes and buffer.
    """

    def __init__(self, lowering: Lowering, name: str, seed: int = 0):
        self.name = name
        self.seed = seed
        self.dtype = lowering.dtype
        self.training = lowering.training
        self.arrays = tuple(lowering.arrays)                # roles of the caller's arrays
        self.counters = tuple(c.name for c in lowering.counters)
        self.places = sorted(lowering.counters, key=lambda c: c.name)                       # in the order of logs
        self.python_state = lowering.python_state           # its epochs must be run in a call each
        self.stateful = lowering.stateful                   # (layer, the rows of a batch that it has states for)
        self.counter_vector = lowering.counter_vector
        order = {"head": 0, "body": 1, "commit": 2}
        operations = sorted(lowering.operations, key=lambda o: order[o.phase])
        self.operations = pool_in_convolutions(fuse(pool_gradients_last(without_unread(operations))))
        self._scratch: dict[Value, list[Operation]] = {}    # those that use it, one after the other
        for o in self.operations:
            first = o.outputs[SCRATCH] if o.outputs else None
            if first is not None and first.name == "scratch":
                self._scratch.setdefault(first, []).append(o)
        self._plan: Plan | None = None

    def plan(self, rows: int) -> Plan:
        """The layout for at least ``rows`` rows; a larger capacity only gives buffers other offsets."""
        plan = self._plan
        if plan is None or plan.capacity < rows:
            plan = self._plan = Plan(self, max(rows, SMALLEST_CAPACITY))
        return plan

    def value_bytes(self, value: Value, rows: int) -> int:
        """Bytes of a buffer; scratch is as large as the kernels that use it ask for."""
        if value.name != "scratch":
            return value.n_bytes(rows)
        return max(scratch_bytes(o, rows) for o in self._scratch[value])

    @property
    def fixed_rows(self) -> int | None:
        """The rows of every batch where a stateful layer fixes them, None otherwise."""
        return None if self.stateful is None else self.stateful[1]

    def check_rows(self, n_rows: int, batch_size: int, argument: str = "x") -> None:
        """ValueError where batches of this size are not those that a stateful layer has states for."""
        if self.stateful is None:
            return
        layer, rows = self.stateful
        if min(n_rows, batch_size) != rows or n_rows % rows:
            raise ValueError(f"layer {layer!r} is stateful, with states for batches of {rows} rows: expected "
                             f"`{argument}` of a multiple of {rows} rows and `batch_size={rows}`, got {n_rows} rows "
                             f"and batches of {min(n_rows, batch_size)}; give such batches, or make the layer anew "
                             "for others")

    def run(self, arrays: list[np.ndarray], n_rows: int, batch_size: int) -> tuple | None:
        """Run all batches of ``n_rows`` rows in order, without training; returns the fault, if any."""
        if n_rows == 0:
            return None
        self.check_rows(n_rows, batch_size)
        plan = self.plan(min(n_rows, batch_size))
        frame = plan.acquire()
        try:
            n_batches = -(-n_rows // batch_size)
            return frame.run(arrays, n_rows, batch_size, 0, n_batches, None, None, 0, threads_for(plan, n_batches))[1]
        finally:
            plan.release(frame)

    def __str__(self) -> str:
        return show.table(self, self.plan(SMALLEST_CAPACITY))

    def __repr__(self) -> str:
        return f"<Program {self.name!r}: {len(self.operations)} operations>"


def scratch_bytes(operation: Operation, rows: int) -> int:
    """Bytes of scratch that an operation asks for; MemoryError where their number is beyond all memory."""
    sizes = [operation.size(i, rows) for i in range(len(operation.sizes))]
    assert isinstance(operation.kernel, str)
    n = _kernels.scratch_bytes(operation.kernel, sizes, operation.flags, np.dtype(operation.dtype).itemsize)
    if not 0 <= n < MOST_BYTES or max(map(abs, sizes), default=0) > MOST_BYTES:
        raise MemoryError(f"layer {operation.layer!r}: {operation.label} of sizes {sizes} needs more memory than there "
                          "can be; use smaller inputs, kernels or strides")
    return n


def threads_for(plan: Plan, n_batches: int) -> int:
    """Threads of a run: one where it is estimated too short to wake the others."""
    threads = _threads.get_num_threads()
    return threads if threads > 1 and runner.worth_threads(plan.nanoseconds * n_batches) else 1
