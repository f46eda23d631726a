"""States of recurrent layers that outlive a batch."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays
from ..program import Lowering, PerRow, Value, Variable
from ..program.eager import Tensor

if TYPE_CHECKING:
    from .recurrent_calls import SequenceCall


def zero_states(sizes: Any, batch_size: Any, dtype: str) -> Any:
    """Zeros (batch_size, size) for each of ``sizes``, nested as these are."""
    rows = _arrays.whole_number("batch_size", batch_size, 1)
    if isinstance(sizes, (list, tuple)):
        return [zero_states(size, rows, dtype) for size in sizes]
    return np.zeros((rows, sizes), dtype).view(Tensor)


class States:
    """The states of a stateful layer between batches: arrays (rows, size), all batches of these rows."""

    def __init__(self, layer: SequenceCall):
        self.layer = layer
        self.rows: int | None = None
        self.variables: list[Variable] = []

    def take_batch(self, rows: int) -> None:
        """Decide the rows of a batch; ValueError where they are others already."""
        if not self.rows and rows != self.rows:             # none yet, or of a call on no rows
            self.rows, self.variables = rows, []
        elif rows not in (0, self.rows):
            raise ValueError(f"layer {self.layer.name!r} is stateful, with states for batches of {self.rows} rows: "
                             f"expected such, got {rows} rows; give batches of one size, or make the layer anew")

    def reset(self) -> None:
        """All states become zero."""
        for variable in self.variables:
            variable.value[...] = 0

    def lower(self, build: Lowering) -> list[Value]:
        """The states as values of a program."""
        if self.rows is None:
            raise ValueError(f"layer {self.layer.name!r} is stateful: the rows of a batch must be known; begin the "
                             "model with Input(batch_shape=(rows, steps, features)), and give `batch_size` to fit")
        sizes = self.layer.initial_sizes()
        if not self.variables or self.variables[0].dtype != build.dtype:
            self.variables = [Variable.at(f"{self.layer.name}/rnn_state", (self.rows, size), build.dtype, False)
                              for size in sizes]
        build.stateful = self.layer.name, self.rows
        return [Value((size,), build.dtype, True, "state", variable.vector, variable.offset)
                for size, variable in zip(sizes, self.variables)]

    def lower_commit(self, build: Lowering, after: list[Value]) -> None:
        """Keep the states of a batch for the next, at its end."""
        for value, place in zip(after, self.lower(build)):
            n_bytes = value.size * value.dtype.itemsize
            build.emit("put_part", [value], [place], [PerRow(1), n_bytes, n_bytes, 0], phase="commit")
