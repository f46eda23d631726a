"""Eager is a program too: one layer or model, from an array to an array, at once."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .lowering import Lowering
from .program import Program, threads_for
from .tensor import Scalar as Scalar
from .tensor import Tensor

READABLE = frozenset("fdeBilq?")      # dtype characters that gather reads (l and q: int64)


class EagerProgram:
    """The program of ``lower`` for arrays of ``shape`` (without the batch axis).

    Calling it with an array of shape (rows, *shape) returns a new Tensor (rows, *output shape).
    """

    def __init__(self, name: str, lower: Callable, shape, dtype: str, training: bool, seed: int,
                 winograd: bool):
        build = Lowering(training, dtype, winograd)
        build.layer = name
        output, _ = lower(build, build.gather(shape, "x"))
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
        if rows:
            plan = self._plan
            if rows > plan.capacity:
                plan = self._plan = self.program.plan(rows)
            frame = plan.acquire()
            try:
                frame.run([x, output], rows, rows, 0, 1, None, None, self.step, threads_for(plan, 1))
            finally:
                plan.release(frame)
            self.step += 1
        return output.view(Tensor)
