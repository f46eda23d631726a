"""SimpleRNN: h = activation(x · kernel + h · recurrent_kernel + bias)."""
from __future__ import annotations

from ..program import Lowering, Value
from .recurrent import CellLayer
from .recurrent_cells import Carried, RecurrentCell
from .recurrent_lowering import lower_simple_rnn


class SimpleRNNCell(RecurrentCell):
    """One step: h = activation(x · kernel + h · recurrent_kernel + bias), which is output and state.

    Arguments as in SimpleRNN. Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).
    """

    def __init__(self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
                 bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs):
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
                         recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, **kwargs)

    def lower_sequence(self, *arguments):
        return lower_simple_rnn(*arguments)

    def lower_step(self, build: Lowering, z: Value, states: list[Value], carried: Carried):
        h = self.activation.lower(build, self.lower_recurrent(build, z, states[0], carried))
        return h, [h]


class SimpleRNN(CellLayer):
    """Fully connected recurrent layer: h = activation(x · kernel + h · recurrent_kernel + bias), step by step.

    Input (batch, steps, features); output (batch, units), the last h, or with ``return_sequences`` (batch, steps,
    units). ``dropout``, ``recurrent_dropout``: shares of x and of h, in these products, that are left out in training,
    the same at all steps. ``return_state``, ``go_backwards``, ``stateful``: as in RNN. ``unroll`` changes nothing here.
    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).

    >>> import numpy as np
    >>> SimpleRNN(4)(np.zeros((2, 5, 3))).shape
    (2, 4)
    """
    cell_class = SimpleRNNCell

    def __init__(self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
                 recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
                 recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
                 return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False,
                 seed=None, **kwargs):
        cell = self.make_cell(
            kwargs, units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, seed)
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll,
                         activity_regularizer=activity_regularizer, **kwargs)
