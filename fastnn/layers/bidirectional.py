"""Bidirectional: a recurrent layer over the steps in their order, and another over them in reverse."""
from __future__ import annotations

from .. import _describe
from ..program import Lowering, Value
from .base import Layer, each_shape
from .recurrent import RNN
from .recurrent_calls import SequenceCall
from .steps import added, joined, multiplied, reversed_steps, scaled

MODES = ("sum", "mul", "concat", "ave", None)
SHARED = ("stateful", "return_sequences", "return_state")


class Bidirectional(SequenceCall):
    """Two recurrent layers, one over the steps in their order, one in reverse; their outputs are merged step by step.

    ``layer``: an RNN, LSTM, GRU or SimpleRNN, of which both are copies; ``backward_layer``: another for the reverse.
    ``merge_mode``: "concat" (outputs side by side), "sum", "mul", "ave", or None: both outputs. With ``return_state``
    the states of the first follow, then those of the second. ``weights``: first weights, of both layers.
    Raises ValueError for layers that do not go together.

    >>> import numpy as np
    >>> from fastnn.layers import LSTM
    >>> Bidirectional(LSTM(4, return_sequences=True))(np.zeros((2, 5, 3))).shape
    (2, 5, 8)
    """
    unsaved = (*SequenceCall.unsaved, "weights")
    holds = ("layer", "backward_layer")

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        for argument, value in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(value, RNN) and (argument == "layer" or value is not None):
                raise ValueError(f"Bidirectional: `{argument}` must be an RNN, LSTM, GRU or SimpleRNN layer, got "
                                 f"{type(value).__name__}: {value!r:.60}")
        if merge_mode not in MODES:
            raise ValueError(f"Bidirectional: `merge_mode` must be one of {MODES}, got {merge_mode!r:.60}")
        super().__init__(**kwargs)
        self.merge_mode, self._first = merge_mode, weights
        name = layer.name.removeprefix("forward_").removeprefix("backward_")
        self.forward_layer = copied(layer, name=f"forward_{name}")
        self.backward_layer = backward_layer or copied(
            layer, name=f"backward_{name}", go_backwards=not layer.go_backwards)
        self._check_pair()
        self.stateful, self.return_state = layer.stateful, layer.return_state
        self.return_sequences = layer.return_sequences
        for part in self.parts:
            part.zero_output_for_mask = self.return_sequences

    def _check_pair(self) -> None:
        first, second = self.parts
        if first.go_backwards == second.go_backwards:
            raise ValueError("Bidirectional: one of `layer` and `backward_layer` must have go_backwards=True, got "
                             f"{first.go_backwards} for both")
        for name in SHARED:
            if getattr(first, name) != getattr(second, name):
                raise ValueError(f"Bidirectional: `layer` and `backward_layer` must have the same `{name}`, got "
                                 f"{getattr(first, name)} and {getattr(second, name)}")

    @property
    def parts(self) -> list:
        return [self.forward_layer, self.backward_layer]

    @property
    def layer(self) -> Layer:
        return self.forward_layer

    def n_outputs(self):
        return 2 if self.merge_mode is None else 1

    def nested_sizes(self):
        return [size for part in self.parts for size in part.nested_sizes()]

    def take_batch(self, rows):
        for part in self.parts:
            part.take_batch(rows)

    def reset_state(self) -> None:
        """Begin again with zeros."""
        for part in self.parts:
            part.reset_state()

    reset_states = reset_state

    def check_shape(self, shape: tuple) -> None:
        """ValueError for an input without steps, which names this layer: the user made it, and not its parts."""
        for part in self.parts:
            part.check_shape(shape, self)

    def build(self, input_shape):
        self.check_shape(input_shape)
        for part in self.parts:
            self.take_in(part)
            part.ensure_built(input_shape)
        if self._first is not None:
            self.set_weights(self._first)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape)
        (shape, *states), (other, *others) = (each_shape(p.compute_output_shape(input_shape)) for p in self.parts)
        outputs = [shape, other]
        if self.merge_mode == "concat":
            outputs = [(*shape[:-1], shape[-1] + other[-1])]
        elif self.merge_mode is not None:
            if shape != other:
                raise ValueError(f"layer {self.name!r}: merge_mode={self.merge_mode!r} needs two layers with as many "
                                 f"units, got outputs of shapes {shape} and {other}")
            outputs = [shape]
        outputs += [*states, *others]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def lower_all(self, build: Lowering, x: Value, mask: Value | None = None, states: list | None = None):
        results: list[list[Value]] = []
        after = None
        for part in self.parts:
            n = len(part.initial_sizes())
            own, states = (None, None) if states is None else (states[:n], states[n:])
            outputs, kept = part.lower_all(build, x, mask, own)
            build.regularize(outputs[0], part.activity_regularizer)
            results.append(outputs)
            after = after or kept
        (y, *last), (z, *last_too) = results
        if self.return_sequences:
            z = reversed_steps(build, z)
        return [*self._merged(build, y, z), *last, *last_too], after

    def _merged(self, build: Lowering, y: Value, z: Value) -> list[Value]:
        if self.merge_mode is None:
            return [y, z]
        if self.merge_mode == "concat":
            return [joined(build, [y, z])]
        if self.merge_mode == "mul":
            return [multiplied(build, y, z)]
        total = added(build, y, z)
        return [scaled(build, total, 0.5) if self.merge_mode == "ave" else total]


def copied(layer: Layer, **changes) -> Layer:
    """A new layer with the settings of ``layer``, but for some; the user's own classes among them are known."""
    with _describe.recording() as objects:
        config = layer.get_config() | changes
    own = {type(o).__name__: type(o) for o in [layer, *objects] if not type(o).__module__.startswith("fastnn.")}
    with _describe.custom_object_scope(own):
        return type(layer).from_config(config)
