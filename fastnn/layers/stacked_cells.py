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
from .recurrent_calls import CellCall, flat, packed
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
        gradient: Callable | None = getattr(cell, "call_gradient", None)
        y = build.result(x, *states, *weights, shape=(self.output_size,), name="python")
        after = [build.result(y, shape=s.shape, name="state") for s in states]
        if build.training and y.needs_gradient and gradient is None:
            raise ValueError(f"layer {layer.name!r}: nothing can be trained through a cell in Python, which has no "
                             "gradient; write call_gradient(self, dy, dstates, inputs, states), which returns (dx, "
                             "dstates, *gradients of the weights), or set `trainable = False`")
        options = {"training": build.training} if "training" in inspect.signature(cell.call).parameters else {}

        def nested(arrays) -> Any:
            return packed(list(arrays), cell.state_size if isinstance(cell.state_size, (list, tuple)) else [0])

        def forward(x: np.ndarray, *rest: np.ndarray) -> None:
            output, new = cell.call(x, nested(rest[:n]), **options)
            results = [output, *flat(new)]
            if len(results) != 1 + n:
                raise ValueError(f"layer {layer.name!r}: `call` of the cell must return (output, states) with {n} "
                                 f"states, got {len(results) - 1}")
            for value, place in zip(results, rest[n:]):
                write(layer, place, value, "call")

        wanted = [v for v in (x, *states, *weights) if v.needs_gradient]

        def slope(*arrays: np.ndarray) -> None:
            assert gradient is not None
            (dy, *dstates), (x, *before), places = arrays[:1 + n], arrays[1 + n:2 + 2 * n], arrays[2 + 2 * n:]
            dx, dbefore, *dweights = gradient(dy, nested(dstates), x, nested(before))
            found = zip([*flat(dx), *flat(dbefore), *dweights], (x_value, *states, *weights), strict=True)
            for value, place in zip([v for v, of in found if of.needs_gradient], places, strict=True):
                write(layer, place, value, "call_gradient")

        x_value = x

        def backward(*gradients: Value | None) -> None:
            filled = [g if g is not None else zeros(build, v.shape) for g, v in zip(gradients, [y, *after])]
            places = [build.gradient_place(v) for v in wanted]
            build.python(slope, [*filled, x_value, *states], places)
            for value, place in zip(wanted, places):
                build.add_gradient(value, place)

        build.python(forward, [x, *states], [y, *after])
        if y.needs_gradient:
            build.backward([y, *after], backward)
        return y, after


def output_size(cell: Any) -> int:
    """The size of a cell's output: of its first state, where it does not say."""
    size = getattr(cell, "output_size", None)
    return flat(cell.state_size)[0] if size is None else size


class StackedRNNCells(Composite, CellCall):
    """Cells one on the other, as one cell: each reads the output of the one before; the states are those of all."""

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

    @classmethod
    def from_config(cls, config):
        from . import get  # which stands above
        return cls(**config | {"cells": [get(cell) if isinstance(cell, dict) else cell for cell in config["cells"]]})
