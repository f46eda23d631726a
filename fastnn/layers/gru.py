"""GRU (Cho et al., Learning phrase representations using RNN encoder-decoder, 2014)."""
from __future__ import annotations

from .. import activations
from ..program import Lowering, Value
from .dense import dense
from .recurrent import CellLayer
from .recurrent_cells import Carried, RecurrentCell
from .recurrent_lowering import lower_gru
from .steps import added, multiplied, parts, scaled


class GRUCell(RecurrentCell):
    """One step of a GRU; the state is the output. Arguments and weights as in GRU."""
    gates = 3

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
                 recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
                 seed=None, **kwargs):
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
                         recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = bool(reset_after)

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def biases(self, build: Lowering):
        if self.bias is None or not self.reset_after:
            return super().biases(build)
        x_bias, h_bias = parts(build, build.parameter(self.bias), [3 * self.units] * 2, flat=True)
        return x_bias, h_bias

    def recurrent_cut(self, gates: bool) -> list[int]:
        return [1, 1, 1] if gates else [3] if self.reset_after else [2, 1]

    def lower_sequence(self, *arguments):
        return lower_gru(*arguments, reset_after=self.reset_after)

    def lower_step(self, build: Lowering, z: Value, states: list[Value], carried: Carried):
        h, sizes = states[0], [self.units] * 3
        x_z, x_r, x_g = parts(build, z, sizes)
        before = self.before(build, h, carried)
        if self.reset_after:
            h_z, h_r, h_g = parts(build, self.products(build, before, carried), sizes)
        else:
            h_z, h_r = parts(build, self.products(build, before[:-1], carried), sizes[1:])
        update = self.recurrent_activation.lower(build, added(build, x_z, h_z))
        reset = self.recurrent_activation.lower(build, added(build, x_r, h_r))
        if self.reset_after:
            h_g = multiplied(build, reset, h_g)
        else:
            h_g = dense(build, multiplied(build, reset, before[-1]), carried.kernels[-1], None)
        candidate = self.activation.lower(build, added(build, x_g, h_g))
        other = scaled(build, update, -1.0, 1.0)
        h = added(build, multiplied(build, update, h), multiplied(build, other, candidate))
        return h, [h]


class GRU(CellLayer):
    """Gated recurrent unit: a state h that an update gate keeps or replaces by a candidate.

    z, r = recurrent_activation(x · W + h · U + b), each with its own columns;
    g = activation(x · W + b + r · (h · U + b')) with ``reset_after``, else activation(x · W + b + (r · h) · U);
    h = z · h + (1 - z) · g. Input (batch, steps, features); output (batch, units), the last h, or with
    ``return_sequences`` (batch, steps, units). ``dropout``, ``recurrent_dropout``: shares of x and of the h before, in
    the products with W and U, that are left out in training, the same at all steps; with ``recurrent_dropout`` each
    gate has masks of its own. ``return_state``, ``go_backwards``, ``stateful``: as in RNN. ``unroll`` and ``use_cudnn``
    change nothing here.
    Weights, in the order z, r, g: kernel (features, 3 · units), recurrent_kernel (units, 3 · units), bias
    (3 · units,), with ``reset_after`` (2, 3 · units): b, then b'.

    >>> import numpy as np
    >>> GRU(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """
    cell_class = GRUCell

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
                 recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False,
                 stateful=False, unroll=False, reset_after=True, use_cudnn="auto", **kwargs):
        cell = self.make_cell(
            kwargs, units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, reset_after, seed)
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.use_cudnn = use_cudnn
