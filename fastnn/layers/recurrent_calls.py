"""Calls of recurrent layers and cells on arrays: with states, a mask, and several outputs."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _winograd, random
from ..program import Lowering, Value
from ..program.eager import EagerCall, as_mask
from .base import BUILDING, KerasTensor, Layer
from .composite import Composite
from .masks import given_mask
from .recurrent_states import check_states, cut, flat, packed, readable, zero_states
from .steps import joined, parts


class CellCall(Layer):
    """Base of the cells: called as cell(x, states), they return (output, states) of one step.

    A subclass has ``lower_shared(build)``, what all steps share; ``lower_inputs(build, x, shared)``, which
    may treat all steps at once; ``lower_step(build, z, states, shared)`` -> (output, states); and ``lower_fast``.
    """
    state_size: Any
    lower_shared: Callable
    lower_inputs: Callable
    lower_step: Callable

    def __call__(self, x, states=None, training: bool = False):      # type: ignore[override]
        """(output, states) of one step from x (rows, features) and a list of states (rows, size)."""
        if states is None or isinstance(x, KerasTensor):
            raise ValueError(f"layer {self.name!r}: a cell is called on arrays, with states, got "
                             f"{type(x).__name__} and states={states!r:.60}; to put it into a model use RNN(cell)")
        x = readable(x, "inputs")
        with BUILDING:
            if not self.built:
                self.build((None, *x.shape[1:]))
                self.built = True
            sizes = flat(self.state_size)
            arrays = [x, *check_states(self, states, sizes, len(x), "states")]
            arrays[1:] = [np.concatenate(arrays[1:], 1)] * bool(sizes)      # one array: a run takes only so many
            key = ("step", x.shape[1:], bool(training))
            program: Any = self._programs.get(key)
            if program is None:
                program = EagerCall(self.name, self._lower_call, [a.shape[1:] for a in arrays], self.dtype,
                                    bool(training), random.get_seed(), _winograd.enabled)
                self._programs.keep(key, program)
        y, *after = program(*arrays)
        after = cut(after[0], sizes) if after else []
        return y, packed(after, self.state_size if isinstance(self.state_size, (list, tuple)) else [1])

    def get_initial_state(self, batch_size=None) -> list:
        """Zeros for so many rows, an array for each state."""
        return zero_states(flat(self.state_size), batch_size, self.dtype)

    def _lower_call(self, build: Lowering, x: Value, *joined_states: Value) -> tuple[list[Value], None]:
        carried = self.lower_shared(build)
        states = [part for v in joined_states for part in parts(build, v, flat(self.state_size))]
        y, after = self.lower_step(build, self.lower_inputs(build, x, carried), states, carried)
        return [y, *([joined(build, after)] if after else [])], None


class SequenceCall(Composite):
    """Base of the layers over steps that take states and a mask, and may return states.

    A subclass has ``lower_all``, ``initial_sizes`` and ``stateful``.
    """
    stateful = return_state = False

    def lower_all(self, build: Lowering, x: Value, mask: Value | None = None, states: list | None = None
                  ) -> tuple[list[Value], Value | None]:
        """Name the operations; returns (all outputs, the mask of the first)."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_all(build, x, mask, states)")

    def initial_sizes(self) -> list[int]:
        """The sizes of all states."""
        return flat(self.nested_sizes())

    def take_batch(self, rows: int) -> None:
        """Make states for batches of so many rows, if the layer is stateful and has none yet."""
        raise NotImplementedError(f"{type(self).__name__} has no take_batch(rows)")

    def lower(self, build: Lowering, x: Value, mask=None):
        outputs, mask = self.lower_all(build, x, mask)
        return outputs[0], mask

    def __call__(self, x, initial_state=None, mask=None, training: bool = False):      # type: ignore[override]
        """The output for x (batch, steps, features), or with ``return_state`` a list: the output, then the states.

        ``initial_state``: a list of arrays (batch, size), zeros where None. ``mask``: an array (batch, steps), 0 at the
        steps to leave out, by default that of x. Raises ValueError for other shapes.
        """
        if isinstance(x, KerasTensor):
            if initial_state is not None or mask is not None:
                raise ValueError(f"layer {self.name!r}: `initial_state` and `mask` must be None in a call on a "
                                 "symbolic array; give them in a call on arrays, or put Masking before the layer")
            return self._symbolic(x)
        mask = getattr(x, "_keras_mask", None) if mask is None else mask
        if initial_state is None and mask is None and not self.stateful and not self.several_outputs():
            return super().__call__(x, training)
        return self._call_many(x, initial_state, mask, bool(training))

    def _call_many(self, x, initial_state, mask, training: bool):
        x = readable(x, "x")
        with BUILDING:
            self.ensure_built((None, *x.shape[1:]))
            arrays = [x]
            if mask is not None:
                arrays.append(given_mask(self.name, mask, x.shape))
            if initial_state is not None:
                states = check_states(self, initial_state, self.initial_sizes(), len(x), "initial_state")
                arrays.append(np.concatenate(states, 1))
            if self.stateful:
                self.take_batch(len(x))
            key = ("many", *(a.shape[1:] for a in arrays), mask is None, initial_state is None,
                   training and self._training_signature(), self.stateful and len(x) == 0)
            program: Any = self._programs.get(key)
            if program is None:
                def lower(build: Lowering, x: Value, *rest: Value) -> tuple[list[Value], Value | None]:
                    given = None if mask is None else as_mask(build, rest[0])
                    states = None if initial_state is None else parts(build, rest[-1], self.initial_sizes())
                    outputs, kept = self.lower_all(build, x, given, states)
                    n = self.n_outputs()
                    return [*outputs[:n], *([joined(build, outputs[n:])] if outputs[n:] else [])], kept
                program = EagerCall(self.name, lower, [a.shape[1:] for a in arrays], self.dtype, training,
                                    random.get_seed(), _winograd.enabled)
                self._programs.keep(key, program)
        outputs = program(*arrays)
        if not self.several_outputs():
            return outputs[0]
        n = self.n_outputs()
        for other in outputs[1:n]:
            other._keras_mask = outputs[0]._keras_mask
        if not self.return_state:
            return outputs
        return [*outputs[:n], *packed(cut(outputs[n], self.initial_sizes()), self.nested_sizes())]

    def n_outputs(self) -> int:
        """The number of outputs before the states."""
        return 1

    def several_outputs(self) -> bool:
        return self.return_state or self.n_outputs() > 1

    def nested_sizes(self) -> list:
        """The sizes of all states, nested as they are returned."""
        raise NotImplementedError(f"{type(self).__name__} has no nested_sizes()")
