"""Cells on cells, and cells of the user's in NumPy."""
from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _overrides
from ..program import Lowering, Value
from .base import Layer
from .composite import Composite
from .python import write
from .recurrent_calls import CellCall
from .recurrent_states import flat, packed, states_of_cell
from .steps import zeros


def cell_of(where: str, cell: Any) -> Any:
    """``cell``, a list of cells as one; ValueError for what is no cell."""
    if isinstance(cell, (list, tuple)):
        return StackedRNNCells(cell)
    if isinstance(cell, type):
        raise ValueError(f"{where}: `cell` must be a cell, got the class {cell.__name__}; make an object of it: "
                         f"{cell.__name__}(...)")
    if not hasattr(cell, "state_size") or not (hasattr(cell, "call") or hasattr(cell, "lower_step")):
        raise ValueError(f"{where}: `cell` must have `state_size` and call(inputs, states), as LSTMCell(8) or a class "
                         f"of your own, got {type(cell).__name__}: {cell!r:.60}")
    return cell


def adapted(cell: Any, layer: Layer) -> Any:
    """A cell with methods that lower it: one whose step is Python code in a wrapper."""
    if hasattr(cell, "lower_step") and _overrides.nearest(type(cell), {"call"}, {"lower_step"}) is None:
        return cell
    return PythonCell(cell, layer)


class PythonCell:
    """A cell whose step is a call in Python, an operation of each step."""

    def __init__(self, cell: Any, layer: Layer):
        self.cell, self.layer = cell, layer
        self.state_size = cell.state_size
        self.output_size = output_size(cell)

    def lower_shared(self, build: Lowering) -> list[Value]:
        weights = self.cell.weights if isinstance(self.cell, Layer) else []
        return [build.parameter(w) for w in weights]

    def lower_inputs(self, build: Lowering, x: Value, weights: list[Value]) -> Value:
        return x

    def lower_fast(self, *_) -> None:
        return None

    def lower_step(self, build: Lowering, x: Value, states: list[Value], weights: list[Value]
                   ) -> tuple[Value, list[Value]]:
        cell, layer, n = self.cell, self.layer, len(states)
        y = build.result(x, *states, *weights, shape=(self.output_size,), name="python")
        after = [build.result(y, shape=s.shape, name="state") for s in states]
        if build.training and y.needs_gradient and getattr(cell, "call_gradient", None) is None:
            raise ValueError(f"layer {layer.name!r}: nothing can be trained through a cell in Python, which has no "
                             "gradient; write call_gradient(self, dy, dstates, inputs, states), which returns (dx, "
                             "dstates, *gradients of the weights), or set `trainable = False` for this layer and those "
                             "before it")
        options = {"training": build.training} if "training" in inspect.signature(cell.call).parameters else {}

        def forward(x: np.ndarray, *rest: np.ndarray) -> None:
            form = f"(output, states) with {n} states"
            result = leaves(layer, "call", form, cell.call(x, self._nested(rest[:n]), **options), 2, 1 + n)
            for value, place in zip(result, rest[n:]):
                write(layer, place, value, "call")

        build.python(forward, [x, *states], [y, *after])
        if y.needs_gradient:
            build.backward([y, *after], self._lower_gradient(build, x, states, weights, [y, *after]))
        return y, after

    def _lower_gradient(self, build: Lowering, x: Value, states: list[Value], weights: list[Value],
                        outputs: list[Value]) -> Callable:
        """What names the operation of the gradient, given those of the outputs."""
        layer, n, of = self.layer, len(states), [x, *states, *weights]
        wanted = [v for v in of if v.needs_gradient]
        form = f"(dx, dstates, *gradients of the weights) with {n} dstates and gradients of {len(weights)} weights"

        def slope(*arrays: np.ndarray) -> None:
            (dy, *dstates), (x, *before), places = arrays[:1 + n], arrays[1 + n:2 + 2 * n], arrays[2 + 2 * n:]
            result = self.cell.call_gradient(dy, self._nested(dstates), x, self._nested(before))
            found = zip(leaves(layer, "call_gradient", form, result, 2 + len(weights), len(of)), of)
            for value, place in zip([value for value, v in found if v.needs_gradient], places, strict=True):
                write(layer, place, value, "call_gradient")

        def backward(*gradients: Value | None) -> None:
            filled = [g if g is not None else zeros(build, v.shape) for g, v in zip(gradients, outputs)]
            places = [build.gradient_place(v) for v in wanted]
            build.python(slope, [*filled, x, *states], places)
            for value, place in zip(wanted, places):
                build.add_gradient(value, place)
        return backward

    def _nested(self, arrays) -> Any:
        """States as the cell nests them."""
        return packed(list(arrays), self.state_size if isinstance(self.state_size, (list, tuple)) else [0])


def leaves(layer: Layer, method: str, form: str, result: Any, length: int, total: int) -> list:
    """The arrays in what a method of the user's cell has returned; ValueError for other numbers of them."""
    if not isinstance(result, (tuple, list)) or (len(result), len(flat(result))) != (length, total):
        raise ValueError(f"layer {layer.name!r}: `{method}` of the cell must return {form}, got {received(result)}")
    return flat(result)


def received(result: Any) -> str:
    """What a method of the user's has returned, in short."""
    if isinstance(result, (tuple, list)):
        return f"({', '.join(map(received, result))})"
    return f"an array {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__


def output_size(cell: Any) -> int:
    """The size of a cell's output: of its first state, where it does not say."""
    size = getattr(cell, "output_size", None)
    return flat(cell.state_size)[0] if size is None else size


class StackedRNNCells(Composite, CellCall):
    """Cells one on the other, as one cell: each reads the output of the one before; the states are those of all."""
    holds = ("cells",)

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"StackedRNNCells: `cells` must be a list of cells, got {cells!r:.60}")
        self.cells = [cell_of("StackedRNNCells", cell) for cell in cells]

    @property
    def parts(self):
        return [cell for cell in self.cells if isinstance(cell, Layer)]

    @property
    def state_size(self):
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None) -> list:
        """What a sequence of so many rows begins with, a list for each cell: zeros, or what a cell of yours says."""
        return [states_of_cell(cell, batch_size, self.dtype) for cell in self.cells]

    def build(self, input_shape):
        for cell in self.cells:
            if isinstance(cell, Layer):
                self.take_in(cell)
            if hasattr(cell, "build") and not getattr(cell, "built", False):
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    def lower_shared(self, build: Lowering) -> list:
        return [adapted(cell, self).lower_shared(build) for cell in self.cells]

    def lower_inputs(self, build: Lowering, x: Value, carried: list) -> Value:
        return adapted(self.cells[0], self).lower_inputs(build, x, carried[0])

    def lower_fast(self, *_) -> None:
        return None

    def lower_step(self, build: Lowering, z: Value, states: list[Value], carried: list) -> tuple[Value, list[Value]]:
        rest, after = list(states), list[Value]()
        for i, (cell, shared) in enumerate(zip(self.cells, carried)):
            lowered, n = adapted(cell, self), len(flat(cell.state_size))
            if i:
                z = lowered.lower_inputs(build, z, shared)
            z, new = lowered.lower_step(build, z, rest[:n], shared)
            rest, after = rest[n:], after + new
        return z, after
