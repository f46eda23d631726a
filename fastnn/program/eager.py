"""Eager is a program too: one layer or model, from an array to an array, at once."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .faults import fault_error
from .ir import Ids
from .lowering import Lowering
from .program import Program, threads_for
from .tensor import Scalar as Scalar
from .tensor import Tensor

READABLE = frozenset("fdeBilq?")      # dtype characters that gather reads (l and q: int64)


class EagerProgram:
    """The program of ``lower`` for arrays of ``shape`` (without the batch axis).

    ``ids``: the whole numbers that the array must hold, None for any numbers.
    Calling it with an array of shape (rows, *shape) returns a new Tensor (rows, *output shape).
    """

    def __init__(self, name: str, lower: Callable, shape, ids: Ids | None, dtype: str, training: bool, seed: int,
                 winograd: bool):
        build = Lowering(training, dtype, winograd)
        build.layer = name
        output, _ = lower(build, build.gather_x(shape, ids))
        build.scatter(output, "output")
        self.program = Program(build, f"{name}: {'call in training' if training else 'call'}", seed)
        self.shape = output.shape
        self.dtype = np.dtype(dtype)
        self.step = 0                 # so that dropout differs from call to call
        self._plan = self.program.plan(1)

    @staticmethod
    def takes(x: np.ndarray) -> bool:
        """Whether gather reads this array as it lies."""
        return x.dtype.char in READABLE and x.dtype.isnative and x.flags.c_contiguous

    def __call__(self, x: np.ndarray) -> Tensor:
        rows = len(x)
        output = np.empty((rows, *self.shape), self.dtype)
        self._run([x, output], rows)
        return output.view(Tensor)

    def _run(self, arrays: list[np.ndarray], rows: int) -> None:
        """Run all rows as one batch."""
        if rows:
            self.program.check_rows(rows, rows)
            plan = self._plan
            if rows > plan.capacity:
                plan = self._plan = self.program.plan(rows)
            frame = plan.acquire()
            try:
                _, fault = frame.run(arrays, rows, rows, 0, 1, None, None, self.step, threads_for(plan, 1))
            finally:
                plan.release(frame)
            if fault is not None:
                raise fault_error(plan.operations, fault)
            self.step += 1


class EagerCall(EagerProgram):
    """The program of ``lower`` for several arrays of these shapes (without the batch axis), which returns a list of
    new Tensors."""

    def __init__(self, name: str, lower: Callable, shapes, dtype: str, training: bool, seed: int, winograd: bool):
        build = Lowering(training, dtype, winograd)
        build.layer = name
        outputs = lower(build, *[build.gather(shape, f"array {i}") for i, shape in enumerate(shapes)])
        for output in outputs:
            build.scatter(output, "output")
        self.program = Program(build, f"{name}: {'call in training' if training else 'call'}", seed)
        self.shapes = [output.shape for output in outputs]
        self.dtype = np.dtype(dtype)
        self.step = 0
        self._plan = self.program.plan(1)

    def __call__(self, *arrays: np.ndarray) -> list[Tensor]:      # type: ignore[override]
        rows = len(arrays[0])
        outputs = [np.empty((rows, *shape), self.dtype) for shape in self.shapes]
        self._run([*arrays, *outputs], rows)
        return [output.view(Tensor) for output in outputs]
