"""RNN: a cell, step by step over sequences."""
from __future__ import annotations

from typing import Any

from .. import _describe, _settings, backend
from ..program import Lowering, Value
from .base import Layer
from .recurrent_calls import SequenceCall
from .recurrent_cells import RecurrentCell
from .recurrent_states import States, flat, lower_first, states_of_cell
from .stacked_cells import StackedRNNCells, adapted, cell_of, output_size
from .steps import as_steps, each_step, reversed_steps, selected, zeros

SETTINGS = ("return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask")

ONE_FEATURE = ("; for one feature add an axis: x[..., None]; if it comes from a recurrent layer, make that one with "
               "return_sequences=True")


class RNN(SequenceCall):
    """A recurrent layer: a cell is called with each step of a sequence and the states that the step before left.

    ``cell``: LSTMCell, GRUCell, SimpleRNNCell, a list of cells one on the other, or one of your own in NumPy: an object
    with ``state_size`` (an int or a list of them), perhaps ``output_size`` and ``build(input_shape)``, and
    ``call(self, inputs, states)``, which returns (output, states); to be trained, it has
    ``call_gradient(self, dy, dstates, inputs, states)``, which returns (dx, dstates, *gradients of the weights). Its
    ``get_initial_state(batch_size)``, where it has one, says what a sequence begins with in place of zeros.
    Input (batch, steps, ...); output (batch, size), of the last step, or with ``return_sequences`` (batch, steps,
    size). ``return_state``: return the last states too. ``go_backwards``: begin with the last step; a sequence of
    outputs is in the order of the calls. ``stateful``: a batch begins with the states that the batch before left, row
    by row, until ``reset_state``; all batches are of one size. ``unroll`` changes nothing here. A step that a mask
    leaves out changes no state and has the output of the step before, or zeros with ``zero_output_for_mask``.
    """
    holds = ("cell",)

    def __init__(self, cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False,
                 unroll=False, zero_output_for_mask=False, **kwargs):
        super().__init__(**kwargs)
        self.cell: Any = cell_of(type(self).__name__, cell)
        where = f"{type(self).__name__}: "
        self.return_sequences = _settings.flag("return_sequences", return_sequences, where)
        self.return_state = _settings.flag("return_state", return_state, where)
        self.go_backwards = _settings.flag("go_backwards", go_backwards, where)
        self.stateful, self.unroll = _settings.flag("stateful", stateful, where), bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.kept = States(self)
        if isinstance(self.cell, Layer) and not self._trainable:
            self.cell.trainable = False

    def __setattr__(self, name: str, value: Any):
        super().__setattr__(name, value)
        if name in SETTINGS:
            self.forget_programs()

    @property
    def parts(self) -> list[Layer]:
        return [self.cell] if isinstance(self.cell, Layer) else []

    @property
    def state_size(self) -> list:
        """The sizes of the states, one for each."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def nested_sizes(self):
        sizes = self.state_size
        return [flat(size) for size in sizes] if isinstance(self.cell, StackedRNNCells) else sizes

    # shapes and weights

    def check_shape(self, shape: tuple, called: Layer | None = None) -> None:
        """ValueError for an input without steps, or of no step; ``called``: the layer that this one is a part of."""
        called = called or self
        if len(shape) < 3 or (len(shape) != 3 and isinstance(self, CellLayer)):
            advice = called.missing_axis(ONE_FEATURE) if len(shape) == 2 else ""
            raise ValueError(f"layer {called.name!r}: expected an input of rank 3, (batch, steps, features), got shape "
                             f"{tuple(shape)}{advice}")
        if None in shape[2:]:
            raise ValueError(f"layer {called.name!r}: expected a known number of features, got shape {tuple(shape)}; "
                             "only the steps may be None")
        if shape[1] == 0:
            raise ValueError(f"layer {called.name!r}: expected sequences of 1 step or more, got shape {tuple(shape)}")

    def build(self, input_shape):
        self.check_shape(input_shape)
        if input_shape[0] is not None:
            self.take_batch(input_shape[0])
        for part in self.parts:
            self.take_in(part)
        if hasattr(self.cell, "build") and not getattr(self.cell, "built", False):
            self.cell.build((input_shape[0], *input_shape[2:]))
            self.cell.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape)
        if self.built and isinstance(self.cell, RecurrentCell):
            self.cell.check_features(self.name, input_shape)
        output = (input_shape[0], *input_shape[1:2] * self.return_sequences, output_size(self.cell))
        if not self.return_state:
            return output
        return (output, *((input_shape[0], size) for size in self.initial_sizes()))

    def forget_weights(self):
        super().forget_weights()
        self.kept = States(self)

    # states between batches

    def take_batch(self, rows):
        if self.stateful:
            self.kept.take_batch(rows)

    @property
    def states(self) -> list | None:
        """The states that the next batch begins with, where the layer is stateful."""
        return self.kept.variables or None

    def reset_state(self) -> None:
        """Begin again with zeros."""
        self.kept.reset()

    reset_states = reset_state

    def get_initial_state(self, batch_size) -> list:
        """What a sequence of so many rows begins with, an array for each state: zeros, or what a cell of yours says."""
        return states_of_cell(self.cell, batch_size, self.dtype)

    # operations

    def lower_all(self, build: Lowering, x: Value, mask: Value | None = None, states: list | None = None):
        self.check_shape((None, *x.shape))
        if mask is not None and mask.shape != x.shape[:1]:
            if mask.shape != (*x.shape[:1], 1):
                raise ValueError(f"layer {self.name!r}: expected a mask with a number for each step, shape "
                                 f"{(None, *x.shape[:1])}, got {(None, *mask.shape)}")
            mask = build.view(mask, x.shape[:1])
        given, seen = mask, mask
        if self.go_backwards:
            x = reversed_steps(build, x)
            seen = None if mask is None else reversed_steps(build, mask)
        if states is None:
            states = self.kept.lower(build) if self.stateful else lower_first(build, self)
        y, after = self._lower_steps(build, x, seen, states)
        if self.stateful:
            self.kept.lower_commit(build, after)
        if seen is not None and self.zero_output_for_mask:
            y = selected(build, seen, None if self.return_sequences else seen.size - 1, y, None)
        return [y, *after] if self.return_state else [y], given if self.return_sequences else None

    def _lower_steps(self, build: Lowering, x: Value, mask: Value | None, states: list) -> tuple[Value, list[Value]]:
        """(output, states) of all steps: by kernels for the whole sequence where there are some, else step by step."""
        cell = adapted(self.cell, self)
        fast = cell.lower_fast(build, x, mask, states, self.return_sequences)
        return fast or self._lower_unrolled(build, cell, x, mask, states)

    def _lower_unrolled(self, build: Lowering, cell, x: Value, mask: Value | None, states: list
                        ) -> tuple[Value, list[Value]]:
        first = [zeros(build, (size,)) if state is None else state
                 for state, size in zip(states, self.initial_sizes())]
        carried = cell.lower_shared(build)
        outputs: list[Value] = []
        for step, z in enumerate(each_step(build, cell.lower_inputs(build, x, carried))):
            y, after = cell.lower_step(build, z, first, carried)
            if mask is not None:
                y = selected(build, mask, step, y, outputs[-1] if outputs else None)
                after = [selected(build, mask, step, new, old) for new, old in zip(after, first)]
            outputs.append(y)
            first = after
        return as_steps(build, outputs) if self.return_sequences else outputs[-1], first


class CellLayer(RNN):
    """Base of the layers that are one cell of their own class: its settings are theirs."""
    cell_class: type[Layer]
    unsaved = (*RNN.unsaved, "cell")

    @classmethod
    def make_cell(cls, kwargs: dict, *settings):
        """The cell of a new layer; takes what is the cell's out of ``kwargs``."""
        own = {"implementation": kwargs.pop("implementation")} if "implementation" in kwargs else {}
        name = backend.snake_case(cls.cell_class.__name__)
        try:
            return cls.cell_class(*settings, name=name, dtype=kwargs.get("dtype"), **own)
        except ValueError as error:              # the user wrote the layer
            text = str(error).replace(f"{cls.cell_class.__name__}:", f"{cls.__name__}:", 1)
            raise ValueError(text) from None

    def __getattr__(self, name: str):
        if name.startswith("_") or not hasattr(vars(self).get("cell"), name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.cell, name)

    def __setattr__(self, name: str, value: Any):
        cls: Any = self.cell_class
        if "cell" in vars(self) and name in _describe.parameters(cls) and name not in _describe.parameters(RNN):
            raise AttributeError(f"layer {self.name!r}: `{name}` is a setting of its cell, which stays as it was made, "
                                 f"got {value!r:.60}; make another layer: {type(self).__name__}(..., {name}=...)")
        super().__setattr__(name, value)
