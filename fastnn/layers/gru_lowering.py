"""GRU as operations: what x gives to the gates by a plain product, all steps by a kernel, then plain products again.

The rows of ``gates`` hold what kernels/gru.pxi.in says: [z | r | c | d], of which d is there in training alone; after
the backward pass the gradients, with d = dc · r, or r · h where the reset comes before the product.
"""
from __future__ import annotations

from collections.abc import Sequence

from ..program import Lowering, PerRow, Value
from ..program.lowering import BY_ROWS, TRANSPOSE_A, TRANSPOSE_B
from .convolution_lowering import phase_of

SEQUENCES, RESET_AFTER, KEEP, ACTIVATION_SHIFT = 1, 2, 4, 8
ACTIVATIONS = {"tanh": 0, "relu": 1}            # bits 8-15 of an operation's flags
VECTORS = 3                                     # in a panel of packed weights, at most
PAD = 16                                        # units are packed as if they were a multiple of this


def lower_gru(build: Lowering, x: Value, kernel: Value, recurrent_kernel: Value, bias: Value | None,
              states: Sequence[Value | None], mask: Value | None, sequences: bool, activation="tanh",
              recurrent_activation="sigmoid", *, reset_after=True) -> tuple[Value, list[Value]]:
    """A GRU: kernel (features, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units), of input and state, or
    without ``reset_after`` (3 units); gates z, r, h; the state is h. Returns (y, [the last h])."""
    assert activation in ACTIVATIONS and recurrent_activation == "sigmoid"
    weights = kernel, recurrent_kernel, bias
    return Gru(build, x, weights, states[0], mask, sequences, ACTIVATIONS[activation], reset_after).lower()


class Gru:
    """One GRU of a program."""

    def __init__(self, build: Lowering, x: Value, weights: tuple, h0: Value | None, mask: Value | None, sequences: bool,
                 activation: int, reset_after: bool):
        self.build, self.x, self.weights, self.h0, self.mask = build, x, weights, h0, mask
        self.sequences, self.after = sequences, reset_after
        self.steps, self.features = x.shape
        self.units = weights[1].shape[0]
        self.training = build.training and any(v is not None and v.needs_gradient for v in (x, *weights, h0))
        self.flags = (SEQUENCES * sequences | RESET_AFTER * reset_after | KEEP * self.training
                      | activation << ACTIVATION_SHIFT)
        self.sizes = [PerRow(1), self.steps, self.units]

    def lower(self) -> tuple[Value, list[Value]]:
        build, units, steps = self.build, self.units, self.steps
        kernel, _, bias = self.weights
        self.gates = build.value((steps, (4 if self.training else 3) * units), name="gates")
        build.emit("matmul", [self.x, kernel, bias, None, None, None], [build.scratch(), self.gates],
                   [PerRow(steps), self.features, 3 * units, self.features, 3 * units, self.gates.shape[-1]],
                   flags=BY_ROWS)
        state = build.value((units,), name="gru state", needs_gradient=self.training)
        y = state
        if self.sequences or self.mask is not None:
            y = build.value((steps, units) if self.sequences else (units,), name="gru y", needs_gradient=self.training)
        self.previous = build.value((steps, units), name="gru states") if self.training else None
        build.emit("gru_forward", [self.gates, self.packed(), self.h0, self.mask],
                   [build.scratch(), self.gates, y if y is not state else None, self.previous, state], self.sizes,
                   flags=self.flags)
        if self.training and y is state:
            build.backward([state], lambda dh: self.backward(None, dh))
        elif self.training:
            build.backward([y, state], self.backward)
        return y, [state]

    def packed(self) -> Value:
        """The recurrent weights as steps read them: the candidate's apart, where its product comes after the reset."""
        build, units, (_, recurrent, bias) = self.build, self.units, self.weights
        padded = -(-units // PAD) * PAD
        packed = build.value((3 * padded * (units + 1),), batched=False, name="packed weights")
        second = part(bias, 3 * units, (3 * units,)) if self.after and bias is not None else None
        phase = "body" if "body" in {phase_of(v) for v in (recurrent, second) if v is not None} else "head"
        for gate, gates in [(0, 3)] if self.after else [(0, 2), (2, 1)]:
            place = part(packed, gate * padded * (units + 1), (gates * padded * (units + 1),))
            build.emit("recurrent_pack", [None, part(recurrent, gate * units, recurrent.shape), second], [place],
                       [0, units, gates, gates, 3 * units], phase=phase)
        return packed

    def backward(self, dy: Value | None, dh: Value | None) -> None:
        build, (kernel, recurrent, bias), h0, x = self.build, self.weights, self.h0, self.x
        dh0 = build.gradient_place(h0) if h0 is not None and h0.needs_gradient else None
        db = build.gradient_place(bias) if bias is not None and bias.needs_gradient else None
        turned = build.value((3 * self.units * (-(-self.units // PAD) * PAD),), batched=False, name="turned weights")
        build.emit("recurrent_turn", [recurrent], [turned], [self.units, 3, VECTORS], phase=phase_of(recurrent))
        build.emit("gru_backward", [self.gates, turned, dy, dh, self.mask, self.previous],
                   [build.scratch(), self.gates, dh0, db], self.sizes, flags=self.flags)
        for value, gradient in ((h0, dh0), (bias, db)):
            if value is not None and gradient is not None:
                build.add_gradient(value, gradient)
        if kernel.needs_gradient:
            dw = build.gradient_place(kernel)
            self.weight_gradient(x, 0, self.features, 0, 3, dw, 0)
            build.add_gradient(kernel, dw)
        if recurrent.needs_gradient:
            self.recurrent_gradient(build.gradient_place(recurrent))
        if x.needs_gradient:
            dx = build.gradient_place(x)
            build.emit("matmul", [self.gates, kernel, None, None, None, None], [build.scratch(), dx],
                       [PerRow(self.steps), 3 * self.units, self.features, 4 * self.units, 3 * self.units,
                        self.features], flags=TRANSPOSE_B | BY_ROWS)
            build.add_gradient(x, dx)

    def recurrent_gradient(self, du: Value) -> None:
        """Of z and r from the state, of h from the state times dc · r, or from r · h times dc."""
        assert self.previous is not None
        self.weight_gradient(self.previous, 0, self.units, 0, 2, du, 0)
        if self.after:
            self.weight_gradient(self.previous, 0, self.units, 3, 1, du, 2)
        else:
            self.weight_gradient(self.gates, 3 * self.units, self.units, 2, 1, du, 2)
        self.build.add_gradient(self.weights[1], du)

    def weight_gradient(self, a: Value, column: int, n: int, gate: int, n_gates: int, dw: Value, to_gate: int) -> None:
        """dw, from a gate on = aᵀ · gates, of ``n`` columns of a and ``n_gates`` gates."""
        build, units = self.build, self.units
        build.emit("matmul", [part(a, column, a.shape), part(self.gates, gate * units, self.gates.shape), None, None,
                              None, None], [build.scratch(), part(dw, to_gate * units, dw.shape)],
                   [n, PerRow(self.steps), n_gates * units, a.shape[-1], self.gates.shape[-1], 3 * units],
                   flags=TRANSPOSE_A | BY_ROWS)


def part(x: Value, start: int, shape: tuple) -> Value:
    """The memory of ``x`` from an element on."""
    return Value(shape, x.dtype, x.batched, x.name, x.home, x.offset + start, x.root) if start else x
