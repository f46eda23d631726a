"""Recurrent layers as operations: the one door from layers to the kernels of LSTM, GRU and SimpleRNN.

Each function takes x (steps, features) a row, the weights as Keras keeps them, the initial states (None: zeros) and a
mask (None, or uint8 (steps,) a row), and returns (y, the last states): y is (steps, units) a row with ``sequences``,
else (units,). Where the kernel is None, x is what the inputs give to the gates, bias and all. ``dropout``: factors of h
in the product of each gate, (gates * units,) a row, the same at all steps; only without a kernel. What the kernels do
is described at the head of kernels/recurrent.pxi.in.
"""
from __future__ import annotations

from collections.abc import Sequence

from ..program import Lowering, PerRow, Value
from ..program.lowering import BY_ROWS, TRANSPOSE_A, TRANSPOSE_B
from .convolution_lowering import phase_of
from .gru_lowering import ACTIVATION_SHIFT, ACTIVATIONS, SEQUENCES, part
from .gru_lowering import lower_gru as lower_gru

FIRST = 2                                # a flag beside SEQUENCES
MOST_INSIDE = 16                         # features whose product is made within the steps; that of more, ahead
PAD = 16                                 # units are packed as if they were a multiple of this
VECTORS = 4                              # in a panel of packed weights, at most


def fast(activation: str, recurrent_activation: str = "sigmoid") -> bool:
    """Whether there are kernels for a cell with these activations."""
    return activation in ACTIVATIONS and recurrent_activation == "sigmoid"


def lower_lstm(build: Lowering, x: Value, kernel: Value | None, recurrent_kernel: Value, bias: Value | None,
               states: Sequence[Value | None], mask: Value | None, sequences: bool, activation="tanh",
               recurrent_activation="sigmoid", dropout: Value | None = None) -> tuple[Value, list[Value]]:
    """An LSTM: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units), gates i, f, c, o; the
    states are h and c."""
    assert fast(activation, recurrent_activation)
    weights = kernel, recurrent_kernel, bias
    return Cell(build, "lstm", 4, x, weights, states, mask, sequences, activation, dropout).lower()


def lower_simple_rnn(build: Lowering, x: Value, kernel: Value | None, recurrent_kernel: Value, bias: Value | None,
                     states: Sequence[Value | None], mask: Value | None, sequences: bool, activation="tanh",
                     dropout: Value | None = None) -> tuple[Value, list[Value]]:
    """h = act(x . kernel + h . recurrent_kernel + bias)."""
    assert fast(activation)
    weights = kernel, recurrent_kernel, bias
    return Cell(build, "simple_rnn", 1, x, weights, states, mask, sequences, activation, dropout).lower()


class Cell:
    """A cell whose gates are sums over x and h alike: LSTM and SimpleRNN."""

    def __init__(self, build: Lowering, name: str, gates: int, x: Value, weights: tuple, states: Sequence[Value | None],
                 mask: Value | None, sequences: bool, activation: str, dropout: Value | None):
        assert weights[0] is None or dropout is None
        self.build, self.name, self.gates, self.x, self.weights = build, name, gates, x, weights
        self.states, self.mask, self.sequences, self.dropout = list(states), mask, sequences, dropout
        self.flags = sequences * SEQUENCES | ACTIVATIONS[activation] << ACTIVATION_SHIFT
        self.steps, self.features = x.shape[0], 0 if weights[0] is None else x.shape[1]
        self.units = weights[1].shape[0]
        self.inside = self.features if self.features < MOST_INSIDE else 0     # features in `inputs`
        self.training = build.training and any(v is not None and v.needs_gradient for v in (x, *weights, *states))
        self.input_row = self.inside + self.units * (1 if dropout is None else gates) + 1

    def lower(self) -> tuple[Value, list[Value]]:
        build, units, gates = self.build, self.units, self.gates
        has_c = len(self.states) == 2
        ahead = None if self.inside else self.x if self.weights[0] is None else self.product_ahead()
        shape = (self.steps, units) if self.sequences else (units,)
        y = self.result(shape, f"{self.name} y")
        last = [self.result((units,), f"{self.name} {name}") for name in "hc"[:len(self.states)]]
        slots = self.steps if self.training else 2
        inputs = build.value((slots, self.input_row), name=f"{self.name} inputs")
        kept, cells = [], []
        if self.training:
            kept = [self.same_place(ahead) if ahead else build.value((self.steps, gates * units), name="gates")]
            cells = [build.value((self.steps, 2 * units), name="cells")] if has_c else []
        outputs = [inputs, y, *last, *(kept + cells if self.training else [None] * (1 + has_c))]
        build.emit(f"{self.name}_forward",
                   [self.x if self.inside else self.dropout, ahead, self.packed(), *self.states, self.mask], outputs,
                   [PerRow(1), self.steps, self.inside, units], flags=self.flags)
        if self.training:
            build.backward([y, *last], lambda *gradients: self.backward(inputs, kept[0], cells, *gradients))
        return y, last

    def result(self, shape: tuple, name: str) -> Value:
        return self.build.value(shape, name=name, needs_gradient=self.training)

    def product_ahead(self) -> Value:
        """x . kernel + bias for all steps."""
        build, (kernel, _, bias) = self.build, self.weights
        z = build.value((self.steps, self.gates * self.units), name="gates")
        build.matmul(self.x, kernel, z, self.x.rows(), self.features, self.gates * self.units, start=bias,
                     flags=BY_ROWS)
        return z

    @staticmethod
    def same_place(x: Value) -> Value:
        """What replaces ``x`` in its memory."""
        return Value(x.shape, x.dtype, x.batched, x.name, root=x.root, fold=x.fold)

    def packed(self) -> Value:
        """The weights as steps read them."""
        build, units, gates, (kernel, recurrent, bias) = self.build, self.units, self.gates, self.weights
        size = (1 + self.inside + units) * gates * (-(-units // PAD) * PAD)
        packed = build.value((size,), batched=False, name="packed weights")
        inside = [kernel, recurrent, bias] if self.inside else [None, recurrent, None]
        phases = {phase_of(v) for v in inside if v is not None}
        build.emit("recurrent_pack", inside, [packed],
                   [self.inside, units, gates, VECTORS, gates * units], phase="body" if "body" in phases else "head")
        return packed

    def backward(self, inputs: Value, kept: Value, cells: list, dy: Value | None, *last: Value | None) -> None:
        build, units = self.build, self.units
        turned = build.value((self.gates * units * (-(-units // PAD) * PAD),), batched=False, name="turned weights")
        recurrent = self.weights[1]
        build.emit("recurrent_turn", [recurrent], [turned], [units, self.gates, VECTORS], phase=phase_of(recurrent))
        dz = self.same_place(kept)
        first = [build.value((units,), name=f"d {self.name} state") for _ in self.states]
        h0 = self.states[0]
        wanted = FIRST if h0 is not None and h0.needs_gradient else 0
        build.emit(f"{self.name}_backward", [kept, *cells, turned, dy, *last, self.mask, self.dropout], [dz, *first],
                   [PerRow(1), self.steps, units], flags=self.flags | wanted)
        for state, gradient in zip(self.states, first):
            if state is not None and state.needs_gradient:
                build.add_gradient(state, gradient)
        if self.dropout is None:
            self.weight_gradients(inputs, dz)
        else:
            self.gradients_of_gates(inputs, dz)
        if self.x.needs_gradient:
            build.add_gradient(self.x, dz if self.weights[0] is None else self.product_back(dz))

    def product_back(self, dz: Value) -> Value:
        """dz . kernelT."""
        build, dx, kernel = self.build, self.build.gradient_place(self.x), self.weights[0]
        build.matmul(dz, kernel, dx, dz.rows(), self.gates * self.units, self.features, flags=TRANSPOSE_B | BY_ROWS)
        return dx

    def weight_gradients(self, inputs: Value, dz: Value) -> None:
        """[dW; dU; db] = inputsT . dz: one product for those that lie one after the other."""
        build, (kernel, recurrent, bias) = self.build, self.weights
        rows = [] if self.inside else [(kernel, self.x, 0, self.features)]
        rows += [(kernel, inputs, 0, self.inside)] if self.inside else []
        rows += [(recurrent, inputs, self.inside, self.units), (bias, inputs, self.inside + self.units, 1)]
        products: list[list] = []
        places = []
        for weights, a, column, n in rows:
            if weights is None or not weights.needs_gradient:
                continue
            place = build.gradient_place(weights)
            places.append((weights, place))
            before = products[-1] if products else None
            if before and a is inputs and before[0] is inputs and before[3].home is place.home is not None \
                    and before[3].offset + before[2] * dz.shape[-1] == place.offset \
                    and before[1] + before[2] == column:
                before[2] += n
            else:
                products.append([a, column, n, place])
        for a, column, n, place in products:
            taken = Value((self.steps, n), a.dtype, True, a.name, a.home, a.offset + column, a.root,
                         fold=a.fold)
            c = Value((n, dz.shape[-1]), dz.dtype, False, place.name, place.home, place.offset, place.root)
            build.emit("matmul", [taken, dz, None, None, None, None], [build.scratch(), c],
                       [n, PerRow(self.steps), dz.shape[-1], a.shape[-1], dz.shape[-1], dz.shape[-1]],
                       flags=TRANSPOSE_A | BY_ROWS)
        for weights, place in places:
            build.add_gradient(weights, place)

    def gradients_of_gates(self, inputs: Value, dz: Value) -> None:
        """dU, of each gate by what it multiplied."""
        build, units, recurrent, row = self.build, self.units, self.weights[1], dz.shape[-1]
        if not recurrent.needs_gradient:
            return
        du = build.gradient_place(recurrent)
        for gate in range(0, row, units):
            build.emit("matmul", [part(inputs, gate, inputs.shape), part(dz, gate, dz.shape), None, None, None, None],
                       [build.scratch(), part(du, gate, du.shape)],
                       [units, PerRow(self.steps), units, self.input_row, row, row], flags=TRANSPOSE_A | BY_ROWS)
        build.add_gradient(recurrent, du)
