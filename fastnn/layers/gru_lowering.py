"""GRU as operations: what x gives to the gates by a plain product, all steps by a kernel, then plain products again.

The rows of ``gates`` hold what kernels/gru.pxi.in says: [z | r | c | d], of which d is there in training alone; after
the backward pass the gradients, with d = dc · r, or r · h where the reset comes before the product. Where h has
dropout, factors of it for each gate, the states that are kept are followed by what these gates multiplied.
"""
from __future__ import annotations

from collections.abc import Sequence

from ..program import Lowering, PerRow, Value
from ..program.lowering import BY_ROWS, TRANSPOSE_A, TRANSPOSE_B
from .convolution_lowering import phase_of

SEQUENCES, RESET_AFTER, KEEP, DROPOUT, ACTIVATION_SHIFT = 1, 2, 4, 8, 8
ACTIVATIONS = {"tanh": 0, "relu": 1}            # bits 8-15 of an operation's flags
VECTORS = 3                                     # in a panel of packed weights, at most
PAD = 16                                        # units are packed as if they were a multiple of this


def lower_gru(build: Lowering, x: Value, kernel: Value | None, recurrent_kernel: Value, bias: Value | None,
              states: Sequence[Value | None], mask: Value | None, sequences: bool, activation="tanh",
              recurrent_activation="sigmoid", dropout: Value | None = None, *, reset_after=True
              ) -> tuple[Value, list[Value]]:
    """A GRU: kernel (features, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units), of input and state, or
    without ``reset_after`` (3 units); gates z, r, h; the state is h. Returns (y, [the last h]). Where the kernel is
    None, x is what the inputs give to the gates, and the bias that of the state, (3 units), or None. ``dropout``:
    factors of h in the product of each gate, (3 units,) a row."""
    assert activation in ACTIVATIONS and recurrent_activation == "sigmoid"
    weights = kernel, recurrent_kernel, bias
    return Gru(build, x, weights, states[0], mask, sequences, ACTIVATIONS[activation], reset_after, dropout).lower()


class Gru:
    """One GRU of a program."""

    def __init__(self, build: Lowering, x: Value, weights: tuple, h0: Value | None, mask: Value | None, sequences: bool,
                 activation: int, reset_after: bool, dropout: Value | None):
        self.build, self.x, self.weights, self.h0, self.mask = build, x, weights, h0, mask
        self.sequences, self.after, self.dropout = sequences, reset_after, dropout
        self.steps, self.features = x.shape
        self.units = weights[1].shape[0]
        self.training = build.training and any(v is not None and v.needs_gradient for v in (x, *weights, h0))
        self.flags = (SEQUENCES * sequences | RESET_AFTER * reset_after | KEEP * self.training
                      | DROPOUT * (dropout is not None) | activation << ACTIVATION_SHIFT)
        self.sizes = [PerRow(1), self.steps, self.units]

    def lower(self) -> tuple[Value, list[Value]]:
        build, units, steps = self.build, self.units, self.steps
        self.gates = build.value((steps, (4 if self.training else 3) * units), name="gates")
        self.of_x()
        state = build.value((units,), name="gru state", needs_gradient=self.training)
        y = state
        if self.sequences or self.mask is not None:
            y = build.value((steps, units) if self.sequences else (units,), name="gru y", needs_gradient=self.training)
        self.previous = build.value((steps, (1 if self.dropout is None else 4) * units), name="gru states") \
            if self.training else None
        build.emit("gru_forward", [self.gates, self.packed(), self.h0, self.mask, self.dropout],
                   [build.scratch(), self.gates, y if y is not state else None, self.previous, state], self.sizes,
                   flags=self.flags)
        if self.training and y is state:
            build.backward([state], lambda dh: self.backward(None, dh))
        elif self.training:
            build.backward([y, state], self.backward)
        return y, [state]

    def of_x(self) -> None:
        """What x gives to the gates, to where they lie."""
        build, units, (kernel, _, bias), row = self.build, self.units, self.weights, self.gates.shape[-1]
        if kernel is None:
            item = self.x.dtype.itemsize
            build.emit("put_part", [self.x], [self.gates], [self.x.rows(), 3 * units * item, row * item, 0])
        else:
            build.emit("matmul", [self.x, kernel, bias, None, None, None], [build.scratch(), self.gates],
                       [PerRow(self.steps), self.features, 3 * units, self.features, 3 * units, row], flags=BY_ROWS)

    def packed(self) -> Value:
        """The recurrent weights as steps read them: the candidate's apart, where its product comes after the reset."""
        build, units, (kernel, recurrent, bias) = self.build, self.units, self.weights
        padded = -(-units // PAD) * PAD
        packed = build.value((3 * padded * (units + 1),), batched=False, name="packed weights")
        second = bias
        if kernel is not None:
            second = part(bias, 3 * units, (3 * units,)) if self.after and bias is not None else None
        # Beside masked inputs the bias is zeros made in every batch, whether it is trained or not.
        phase = "body" if kernel is None or phase_of(recurrent) == "body" else "head"
        for gate, gates in [(0, 3)] if self.after else [(0, 2), (2, 1)]:
            place = part(packed, gate * padded * (units + 1), (gates * padded * (units + 1),))
            build.emit("recurrent_pack", [None, part(recurrent, gate * units, recurrent.shape), second], [place],
                       [0, units, gates, gates, 3 * units], phase=phase)
        return packed

    def backward(self, dy: Value | None, dh: Value | None) -> None:
        build, (kernel, recurrent, bias), h0, x = self.build, self.weights, self.h0, self.x
        dh0 = build.gradient_place(h0) if h0 is not None and h0.needs_gradient else None
        db = of_bias = None
        if bias is not None and bias.needs_gradient:
            db = of_bias = build.gradient_place(bias)
            if kernel is None:                       # the kernel gives that of the inputs, too
                db = build.value((2, 3 * self.units), batched=False, name="d biases")
                of_bias = part(db, 3 * self.units, bias.shape)
        turned = build.value((3 * self.units * (-(-self.units // PAD) * PAD),), batched=False, name="turned weights")
        build.emit("recurrent_turn", [recurrent], [turned], [self.units, 3, VECTORS], phase=phase_of(recurrent))
        build.emit("gru_backward", [self.gates, turned, dy, dh, self.mask, self.previous, self.dropout],
                   [build.scratch(), self.gates, dh0, db], self.sizes, flags=self.flags)
        for value, gradient in ((h0, dh0), (bias, of_bias)):
            if value is not None and gradient is not None:
                build.add_gradient(value, gradient)
        if kernel is not None and kernel.needs_gradient:
            dw = build.gradient_place(kernel)
            self.weight_gradient(x, 0, self.features, 0, 3, dw, 0)
            build.add_gradient(kernel, dw)
        if recurrent.needs_gradient:
            self.recurrent_gradient(build.gradient_place(recurrent))
        if x.needs_gradient:
            self.x_gradient(build.gradient_place(x))

    def x_gradient(self, dx: Value) -> None:
        """The gradients of z, r and h, or their product with the kernel."""
        build, units, kernel, row = self.build, self.units, self.weights[0], self.gates.shape[-1]
        if kernel is None:
            item = dx.dtype.itemsize
            build.emit("take_part", [self.gates], [dx], [dx.rows(), 3 * units * item, row * item, 0])
        else:
            build.emit("matmul", [self.gates, kernel, None, None, None, None], [build.scratch(), dx],
                       [PerRow(self.steps), 3 * units, self.features, row, 3 * units, self.features],
                       flags=TRANSPOSE_B | BY_ROWS)
        build.add_gradient(self.x, dx)

    def recurrent_gradient(self, du: Value) -> None:
        """Of z and r from the state, of h from the state times dc · r, or from r · h times dc."""
        assert self.previous is not None
        units = self.units
        z, r, h = (0, 0, 0) if self.dropout is None else (units, 2 * units, 3 * units)
        if z == r:
            self.weight_gradient(self.previous, z, units, 0, 2, du, 0)
        else:
            self.weight_gradient(self.previous, z, units, 0, 1, du, 0)
            self.weight_gradient(self.previous, r, units, 1, 1, du, 1)
        if self.after:
            self.weight_gradient(self.previous, h, units, 3, 1, du, 2)
        else:
            self.weight_gradient(self.gates, 3 * units, units, 2, 1, du, 2)
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
    return Value(shape, x.dtype, x.batched, x.name, x.home, x.offset + start, x.root, fold=x.fold) if start else x
