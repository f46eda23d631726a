"""States of recurrent layers that outlive a batch."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Lowering, PerRow, Value, Variable

if TYPE_CHECKING:
    from .recurrent_calls import SequenceCall


class States:
    """The states of a stateful layer between batches: arrays (rows, size), all batches of these rows."""

    def __init__(self, layer: SequenceCall):
        self.layer = layer
        self.rows: int | None = None
        self.variables: list[Variable] = []

    def take_batch(self, rows: int) -> None:
        """Decide the rows of a batch; ValueError where they are others already."""
        if self.rows not in (None, rows):
            raise ValueError(f"layer {self.layer.name!r} is stateful, with states for batches of {self.rows} rows: "
                             f"expected such, got {rows} rows; give batches of one size, or make the layer anew")
        self.rows = rows

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
