"""Eager is a program too: one layer or model, from an array to an array, at once."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .faults import fault_error, no_room
from .ir import Ids, Value
from .lowering import Lowering
from .program import Program, threads_for
from .tensor import Scalar as Scalar
from .tensor import Tensor

READABLE = frozenset("fdeBilq?")      # dtype characters that gather reads (l and q: int64)


class EagerProgram:
    """The program of ``lower`` for arrays of ``shape`` (without the batch axis), and their masks of ``mask_shape``.

    ``ids``: the whole numbers that the array must hold, None for any numbers.
    Calling it with an array of shape (rows, *shape), and its mask, returns a new Tensor (rows, *output shape), which
    has the mask that ``lower`` returns.
    """

    def __init__(self, name: str, lower: Callable, shape, ids: Ids | None, dtype: str, training: bool, seed: int,
                 winograd: bool, mask_shape: tuple | None = None):
        build = Lowering(training, dtype, winograd)
        self.name = build.layer = name
        x = build.gather_x(shape, ids)
        output, kept = lower(build, x, None if mask_shape is None else as_mask(build, build.gather(mask_shape, "mask")))
        build.scatter(output, "output")
        self.kept_shape = scatter_mask(build, kept)
        self.plain = mask_shape is None and self.kept_shape is None
        self.program = Program(build, f"{name}: {'call in training' if training else 'call'}", seed)
        self.shape = output.shape
        self.dtype = np.dtype(dtype)
        self.step = 0                 # so that dropout differs from call to call
        self._plan = self.program.plan(1)

    @staticmethod
    def takes(x: np.ndarray) -> bool:
        """Whether gather reads this array as it lies."""
        return x.dtype.char in READABLE and x.dtype.isnative and x.flags.c_contiguous

    def __call__(self, x: np.ndarray, *masks: np.ndarray) -> Tensor:
        rows = len(x)
        try:
            output = np.empty((rows, *self.shape), self.dtype)
        except MemoryError as error:
            raise no_room(self.name, error) from None
        if self.plain:
            self._run([x, output], rows)
            return output.view(Tensor)
        if self.kept_shape is None:
            self._run([x, *masks, output], rows)
            return output.view(Tensor)
        kept = np.empty((rows, *self.kept_shape), self.dtype)
        self._run([x, *masks, output, kept], rows)
        return with_mask(output.view(Tensor), kept)

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
    new Tensors; ``lower`` returns (outputs, the mask of the first)."""

    def __init__(self, name: str, lower: Callable, shapes, dtype: str, training: bool, seed: int, winograd: bool):
        build = Lowering(training, dtype, winograd)
        build.layer = name
        outputs, kept = lower(build, *[build.gather(shape, f"array {i}") for i, shape in enumerate(shapes)])
        for output in outputs:
            build.scatter(output, "output")
        self.kept_shape = scatter_mask(build, kept)
        self.program = Program(build, f"{name}: {'call in training' if training else 'call'}", seed)
        self.shapes = [output.shape for output in outputs]
        self.dtype = np.dtype(dtype)
        self.step = 0
        self._plan = self.program.plan(1)

    def __call__(self, *arrays: np.ndarray) -> list[Tensor]:      # type: ignore[override]
        rows = len(arrays[0])
        outputs = [np.empty((rows, *shape), self.dtype) for shape in self.shapes]
        kept = [] if self.kept_shape is None else [np.empty((rows, *self.kept_shape), self.dtype)]
        self._run([*arrays, *outputs, *kept], rows)
        tensors = [output.view(Tensor) for output in outputs]
        if kept:
            with_mask(tensors[0], kept[0])
        return tensors


def as_mask(build: Lowering, x: Value) -> Value:
    """Numbers as a mask: 1 where one is not 0."""
    other, mask = build.value(x.shape, name="numbers"), build.value(x.shape, "uint8", name="mask")
    build.emit("masking_forward", [x], [other, mask], [x.elements(), 1], [0.0])
    return mask


def scatter_mask(build: Lowering, mask: Value | None) -> tuple | None:
    """Write a mask to one more of the caller's arrays, as numbers of the model's dtype; returns its shape."""
    if mask is None:
        return None
    numbers = build.value(mask.shape, name="mask as numbers")
    build.emit("mask_weights", [mask, None], [numbers], [mask.elements(), 1])
    build.scatter(numbers, "mask")
    return mask.shape


def with_mask(y: Tensor, mask: np.ndarray) -> Tensor:
    """y, which has this mask from now on."""
    y._keras_mask = mask != 0
    return y
