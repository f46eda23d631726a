"""States of recurrent layers: as lists of arrays, those that a sequence begins with, those that outlive a batch."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays, _overrides
from ..program import Lowering, PerRow, Value, Variable
from ..program.eager import EagerProgram, Tensor
from .base import Layer
from .python import write

if TYPE_CHECKING:
    from .recurrent import RNN


def flat(nested: Any) -> list:
    """The leaves of nested lists and tuples."""
    return [leaf for part in nested for leaf in flat(part)] if isinstance(nested, (list, tuple)) else [nested]


def packed(leaves: list, like: Any) -> Any:
    """``leaves``, of which it takes what it needs, nested as ``like`` is."""
    return [packed(leaves, part) for part in like] if isinstance(like, (list, tuple)) else leaves.pop(0)


def cut(states: np.ndarray, sizes: list[int]) -> list[Tensor]:
    """States that lie side by side in one array, each by itself."""
    return [np.ascontiguousarray(s).view(Tensor) for s in np.split(states, np.cumsum(sizes)[:-1], 1)]


def check_states(layer: Layer, states: Any, sizes: list[int], rows: int, argument: str) -> list[np.ndarray]:
    """States as contiguous arrays (rows, size); ValueError for another number or shape."""
    arrays = [readable(s, f"{argument}[{i}]") for i, s in enumerate(flat(states))]
    expected = [(rows, size) for size in sizes]
    if [a.shape for a in arrays] != expected:
        raise ValueError(f"layer {layer.name!r}: `{argument}` must be a list of {len(sizes)} arrays of shapes "
                         f"{expected!s:.100}, got {[a.shape for a in arrays]!s:.100}")
    return arrays


def readable(x: Any, argument: str) -> np.ndarray:
    """An array that gather reads as it lies."""
    array = np.ascontiguousarray(_arrays.as_rows(x, argument))
    return array if EagerProgram.takes(array) else array.astype(np.float64)


def zero_states(sizes: Any, batch_size: Any, dtype: str) -> Any:
    """Zeros (batch_size, size) for each of ``sizes``, nested as these are."""
    rows = _arrays.whole_number("batch_size", batch_size, 1)
    if isinstance(sizes, (list, tuple)):
        return [zero_states(size, rows, dtype) for size in sizes]
    return np.zeros((rows, sizes), dtype).view(Tensor)


def states_of_cell(cell: Any, batch_size: Any, dtype: str) -> list:
    """The states that a sequence of a cell begins with: what its ``get_initial_state`` gives, or zeros."""
    own = getattr(cell, "get_initial_state", None)
    if own is None:
        return zero_states(flat(cell.state_size), batch_size, dtype)
    states = own(batch_size=batch_size)
    return list(states) if isinstance(states, (list, tuple)) else [states]


def begins_with_zeros(layer: RNN) -> bool:
    """Whether no ``get_initial_state`` of the user's has a say in what a sequence begins with."""
    methods = [getattr(one, "get_initial_state", None) for one in (layer, *cells_in(layer.cell))]
    return not any(map(_overrides.by_user, methods))


def cells_in(cell: Any) -> Iterator[Any]:
    """A cell and those it is a stack of."""
    from .stacked_cells import StackedRNNCells  # which needs this module
    yield cell
    for inner in cell.cells if isinstance(cell, StackedRNNCells) else ():
        yield from cells_in(inner)


def lower_first(build: Lowering, layer: RNN) -> list[Value | None]:
    """The states that every batch begins with, None for zeros; where the user's code makes them they are an operation
    that calls it, without a gradient."""
    sizes = layer.initial_sizes()
    if begins_with_zeros(layer):
        return [None] * len(sizes)

    def first(*places: np.ndarray) -> None:
        for place, state in zip(places, checked_first(layer, len(places[0]))):
            write(layer, place, state, "get_initial_state")

    values = [build.value((size,), name="first state") for size in sizes]
    build.python(first, [], values)
    return list(values)


def checked_first(layer: RNN, rows: int) -> list[np.ndarray]:
    """What the layer's ``get_initial_state`` gives for so many rows, as arrays; ValueError for other shapes."""
    sizes = layer.initial_sizes()
    if not rows:
        return [np.zeros((0, size)) for size in sizes]
    return check_states(layer, layer.get_initial_state(batch_size=rows), sizes, rows, "get_initial_state(batch_size)")


class States:
    """The states of a stateful layer between batches: arrays (rows, size), all batches of these rows."""

    def __init__(self, layer: RNN):
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
            zeros = begins_with_zeros(self.layer)
            first = [None] * len(sizes) if zeros else checked_first(self.layer, self.rows)
            self.variables = [Variable.at(f"{self.layer.name}/rnn_state", (self.rows, size), build.dtype, False, state)
                              for size, state in zip(sizes, first)]
        build.stateful = self.layer.name, self.rows
        return [Value((size,), build.dtype, True, "state", variable.vector, variable.offset)
                for size, variable in zip(sizes, self.variables)]

    def lower_commit(self, build: Lowering, after: list[Value]) -> None:
        """Keep the states of a batch for the next, at its end."""
        for value, place in zip(after, self.lower(build)):
            n_bytes = value.size * value.dtype.itemsize
            build.emit("put_part", [value], [place], [PerRow(1), n_bytes, n_bytes, 0], phase="commit")
