"""LSTM (Hochreiter and Schmidhuber, Long short-term memory, 1997; with forget gates: Gers et al., 2000)."""
from __future__ import annotations

import numpy as np

from .. import activations, initializers
from ..program import Lowering, Value
from .recurrent import CellLayer
from .recurrent_cells import Carried, RecurrentCell
from .recurrent_lowering import lower_lstm
from .steps import added, multiplied, parts


class ForgetBias(initializers.Initializer):
    """The bias of an LSTM: ones for the forget gate, so that it starts by keeping, ``others`` for the rest."""

    def __init__(self, others):
        self.others = others

    def __call__(self, shape, dtype=None, rng=None):
        units = shape[0] // 4
        value = np.array(self.others(shape, dtype, rng=rng))
        value[units:2 * units] = 1
        return value


class LSTMCell(RecurrentCell):
    """One step of an LSTM; states h (the output) and c. Arguments and weights as in LSTM."""
    gates = 4
    states = 2

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
                 recurrent_dropout=0.0, seed=None, **kwargs):
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
                         recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def first_bias(self):
        return ForgetBias(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    def lower_sequence(self, *arguments):
        return lower_lstm(*arguments)

    def lower_step(self, build: Lowering, z: Value, states: list[Value], carried: Carried):
        h, c = states
        z_i, z_f, z_c, z_o = parts(build, self.lower_recurrent(build, z, h, carried), [self.units] * 4)
        i, f, o = (self.recurrent_activation.lower(build, z) for z in (z_i, z_f, z_o))
        c = added(build, multiplied(build, f, c), multiplied(build, i, self.activation.lower(build, z_c)))
        h = multiplied(build, o, self.activation.lower(build, c))
        return h, [h, c]


class LSTM(CellLayer):
    """Long short-term memory: a state c that gates let in, keep and let out.

    i, f, o = recurrent_activation(x · W + h · U + b), each with its own columns; g = activation(the same);
    c = f · c + i · g; h = o · activation(c). Input (batch, steps, features); output (batch, units), the last h, or with
    ``return_sequences`` (batch, steps, units). ``unit_forget_bias``: the bias of f begins with 1. ``dropout``,
    ``recurrent_dropout``: shares of x and of the h before, in these products, that are left out in training, the same
    at all steps; with ``recurrent_dropout`` each gate has masks of its own. ``return_state``, ``go_backwards``,
    ``stateful``: as in RNN. ``unroll`` and ``use_cudnn`` change nothing here.
    Weights, in the order i, f, g, o: kernel (features, 4 · units), recurrent_kernel (units, 4 · units),
    bias (4 · units,).

    >>> import numpy as np
    >>> y, h, c = LSTM(4, return_sequences=True, return_state=True)(np.zeros((2, 5, 3)))
    >>> y.shape, h.shape, c.shape
    ((2, 5, 4), (2, 4), (2, 4))
    """
    cell_class = LSTMCell

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
                 unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
                 activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
                 dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
                 go_backwards=False, stateful=False, unroll=False, use_cudnn="auto", **kwargs):
        cell = self.make_cell(
            kwargs, units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed)
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.use_cudnn = use_cudnn
