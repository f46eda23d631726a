"""What the cells of recurrent layers share: settings, weights, dropout that is the same for all steps."""
from __future__ import annotations

from typing import NamedTuple

from .. import activations, constraints, initializers, regularizers
from ..program import Lowering, Value
from .dense import dense
from .recurrent_calls import CellCall
from .recurrent_lowering import fast
from .regularization import RandomLayer
from .spatial_dropout import kept_channels, without_channels
from .steps import added, joined, parts
from .windows import positive_int


class Carried(NamedTuple):
    """What all steps of a sequence share."""
    inputs: list[Value]              # masks of dropout on the inputs: none, one, or one for each gate
    recurrent: list[Value]           # and on the state before
    kernels: list[Value]             # the recurrent kernel: whole, or cut into gates
    biases: tuple[Value | None, Value | None]         # of the products with the inputs, and of those with the state


class RecurrentCell(CellCall, RandomLayer):
    """Base of the cells: one step of a sequence, ``gates`` products of ``units`` columns each.

    A subclass has ``lower_step``. Its weights are kernel (features, gates · units), recurrent_kernel
    (units, gates · units) and bias.
    """
    gates = 1
    states = 1
    recurrent_activation: activations.Activation

    def __init__(self, units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                 kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
                 bias_constraint, dropout, recurrent_dropout, seed, **kwargs):
        self.implementation = kwargs.pop("implementation", 2)
        super().__init__(seed, **kwargs)
        self.units = positive_int(type(self).__name__, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = self.share("dropout", dropout)
        self.recurrent_dropout = self.share("recurrent_dropout", recurrent_dropout)

    @property
    def state_size(self):
        return self.units if self.states == 1 else [self.units] * self.states

    @property
    def output_size(self) -> int:
        return self.units

    # weights

    def build(self, input_shape):
        columns = self.gates * self.units
        self.kernel = self.add_weight("kernel", (input_shape[-1], columns), self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", (self.units, columns), self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint)
        self.bias = self.add_weight("bias", self.bias_shape(), self.first_bias(), regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None

    def check_features(self, layer: str, input_shape: tuple) -> None:
        """ValueError for an input with other features than those that the weights are for."""
        if input_shape[-1] != self.kernel.shape[0]:
            raise ValueError(f"layer {layer!r}: expected {self.kernel.shape[0]} features on the last axis, got an "
                             f"input of shape {input_shape}")

    def bias_shape(self) -> tuple:
        return (self.gates * self.units,)

    def first_bias(self):
        """The initializer of the bias."""
        return self.bias_initializer

    # operations

    def one_mask(self) -> bool:
        """Whether dropout has one mask for all gates."""
        return self.gates == 1 or (self.implementation != 1 and self.recurrent_dropout == 0)

    def drawn_masks(self, build: Lowering) -> list[list[Value]]:
        """Masks of dropout, drawn once for a sequence: on the inputs, and on the state before."""
        n_masks = 1 if self.one_mask() else self.gates
        masks = []
        for i, (rate, size) in enumerate(((self.dropout, self.kernel.shape[0]), (self.recurrent_dropout, self.units))):
            keys = [self.random_key(build, i * n_masks + n) for n in range(n_masks)] if build.training and rate else []
            masks.append([kept_channels(build, size, rate, key) for key in keys])
        return masks

    def lower_shared(self, build: Lowering) -> Carried:
        """Name the operations that all steps share."""
        masks = self.drawn_masks(build)
        kernel = build.parameter(self.recurrent_kernel)
        cut = self.recurrent_cut(len(masks[1]) > 1)
        kernels = [kernel] if len(cut) == 1 else parts(build, kernel, [n * self.units for n in cut])
        return Carried(masks[0], masks[1], kernels, self.biases(build))

    def biases(self, build: Lowering) -> tuple[Value | None, Value | None]:
        """The bias of the products with the inputs, and of those with the state."""
        return None if self.bias is None else build.parameter(self.bias), None

    def recurrent_cut(self, gates: bool) -> list[int]:
        """How the columns of the recurrent kernel are cut, in numbers of gates; ``gates``: each by itself."""
        return [1] * self.gates if gates else [self.gates]

    def lower_inputs(self, build: Lowering, x: Value, carried: Carried) -> Value:
        """x · kernel + bias of one step or of all at once."""
        kernel, bias = build.parameter(self.kernel), carried.biases[0]
        if len(carried.inputs) < 2:
            if carried.inputs:
                x = without_channels(build, x, carried.inputs[0], self.dropout)
            return dense(build, x, kernel, bias)
        sizes = [self.units] * self.gates
        kernels = parts(build, kernel, sizes)
        biases = parts(build, bias, sizes) if bias is not None else [None] * self.gates
        return joined(build, [dense(build, without_channels(build, x, kept, self.dropout), k, b)
                              for kept, k, b in zip(carried.inputs, kernels, biases)])

    def before(self, build: Lowering, h: Value, carried: Carried) -> list[Value]:
        """The state before as each part of the recurrent kernel sees it: after dropout."""
        return [without_channels(build, h, kept, self.recurrent_dropout) for kept in carried.recurrent] or [
            h] * len(carried.kernels)

    def products(self, build: Lowering, before: list[Value], carried: Carried) -> Value:
        """h · recurrent_kernel + its bias, part by part."""
        kernels = carried.kernels[:len(before)]
        biases: list[Value | None] = [carried.biases[1]] * len(kernels)
        if len(kernels) > 1 and carried.biases[1] is not None:
            biases = list(parts(build, carried.biases[1], [kernel.shape[-1] for kernel in kernels]))
        products = [dense(build, *operands) for operands in zip(before, kernels, biases)]
        return products[0] if len(products) == 1 else joined(build, products)

    def lower_recurrent(self, build: Lowering, z: Value, h: Value, carried: Carried) -> Value:
        """z + h · recurrent_kernel."""
        return added(build, z, self.products(build, self.before(build, h, carried), carried))

    def lower_step(self, build: Lowering, z: Value, states: list[Value], carried: Carried) -> tuple[Value, list[Value]]:
        """(output, states) of a step whose inputs have become ``z``."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_step(build, z, states, carried)")

    def lower_fast(self, build: Lowering, x: Value, mask: Value | None, states: list, sequences: bool):
        """(output, states) of a whole sequence by kernels made for it, or None where there are none."""
        functions = [self.activation.describe(), *([self.recurrent_activation.describe()] if self.gates > 1 else [])]
        if not all(isinstance(name, str) for name in functions) or not fast(*functions):
            return None
        weights = [None if w is None else build.parameter(w) for w in (self.kernel, self.recurrent_kernel, self.bias)]
        masks, kept = self.drawn_masks(build)
        factors = self.factors(build, kept) if kept else None
        if kept or len(masks) > 1:
            biases = self.biases(build)
            x = self.lower_inputs(build, x, Carried(masks, kept, [], biases))
            weights[0], weights[2] = None, biases[1]
        elif masks:
            x = without_channels(build, x, masks[0], self.dropout)
        return self.lower_sequence(build, x, *weights, states, mask, sequences, *functions, factors)

    def factors(self, build: Lowering, kept: list[Value]) -> Value:
        """What the state before is multiplied by, for each gate: 0, or 1 / (1 - rate) where it is kept."""
        ones = build.value((self.units,), name="ones")
        build.emit("fill", [], [ones], [ones.elements()], [1.0])
        return joined(build, [without_channels(build, ones, mask, self.recurrent_dropout) for mask in kept])

    def lower_sequence(self, *arguments) -> tuple[Value, list[Value]]:
        """Name the operations of those kernels, from fastnn/layers/recurrent_lowering.py."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_sequence")
