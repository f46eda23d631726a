"""What users do wrong with recurrent layers: {what: (call on a workbench, words of the text)}."""
import numpy as np
from misuse_layers import case, twice

import fastnn
from fastnn import layers
from fastnn.layers import GRU, LSTM, RNN, Bidirectional, Dense, LSTMCell, SimpleRNN, StackedRNNCells, TimeDistributed

X = np.ones((4, 5, 3), "float32")


class Sums:
    """A cell in NumPy, without a gradient."""
    state_size = 3

    def call(self, inputs, states):
        return inputs + states[0], [inputs + states[0]]


class TwoStates(Sums):
    """A cell that returns a state too many."""

    def call(self, inputs, states):
        return inputs, [inputs, inputs]


class WrongSize(Sums):
    """A cell whose output is not what it says."""

    def call(self, inputs, states):
        return inputs[:, :2], [inputs]


class OutputAlone(Sums):
    """A cell that forgets to return its states."""

    def call(self, inputs, states):
        return inputs


class WrongStart(Sums):
    """A cell that begins with states of another size."""

    def get_initial_state(self, batch_size=None):
        return np.zeros((batch_size, 2))


class GradientTooShort(Sums):
    """A cell whose gradient is that of its inputs alone."""

    def call_gradient(self, dy, dstates, inputs, states):
        return dy


class Weighted(layers.Layer, Sums):
    """A cell with a weight, of which its gradient says nothing."""

    def build(self, input_shape):
        self.factor = self.add_weight("factor", (3,))

    def call_gradient(self, dy, dstates, inputs, states):
        return dy, dstates


class ShortLayer(layers.Layer):
    """A layer with a weight, of which its gradient says nothing."""

    def build(self, input_shape):
        self.factor = self.add_weight("factor", (3,))

    def call(self, x):
        return x * self.factor.numpy()

    def call_gradient(self, dy, x, y):
        return dy


def behind_the_last_step(layer):
    """A net whose second layer gets one step for the steps it needs."""
    fastnn.Sequential([fastnn.Input((5, 3)), LSTM(2, name="first"), layer])


def stateful(*calls):
    """A net for batches of 4 rows, then what is done to it."""
    model = fastnn.Sequential([fastnn.Input(batch_shape=(4, 5, 3)), LSTM(2, stateful=True, name="memory"), Dense(1)])
    model.compile("sgd", "mse")
    for call in calls:
        call(model)


def trained(layer):
    model = fastnn.Sequential([fastnn.Input((5, 3)), Dense(3), layer, Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0, :1], verbose=0)


def built(chain, x):
    """A net that has seen data."""
    model = fastnn.Sequential(chain)
    model.compile("sgd", "mse")
    model.predict(x, verbose=0)
    return model


def trained_before_steps(layer):
    """A net with this layer in the middle, trained."""
    model = fastnn.Sequential([fastnn.Input((5, 3)), Dense(3), layer, LSTM(2), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0, :1], verbose=0)


def labelled_steps(y):
    """A net that gives two classes for each of two steps, and these labels."""
    model = fastnn.Sequential([fastnn.Input((2, 3)), Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X[:2, :2], np.array(y), verbose=0)


def masked(layer, mask):
    """Call it with this mask."""
    layer(X, mask=np.ones(mask))


CASES = {
    "LSTM: no units": case(lambda: LSTM(0), "LSTM: ", "`units`", "positive int", "got 0"),
    "GRU: units that are a fraction": case(lambda: GRU(2.5), "`units`", "positive int", "2.5"),
    "LSTM: dropout above 1": case(lambda: LSTM(2, dropout=1.5), "`dropout`", "0 to 1", "1.5"),
    "LSTM: a negative recurrent_dropout": case(lambda: LSTM(2, recurrent_dropout=-0.1), "`recurrent_dropout`", "-0.1"),
    "SimpleRNN: an unknown activation": case(lambda: SimpleRNN(2, "tanhh"), "'tanhh'", "'tanh'"),
    "LSTM: an unknown argument": case(lambda: LSTM(2, return_sequence=True), "LSTM", "`return_sequence`",
                                      "`return_sequences`"),
    "LSTM: inputs without features": case(lambda: LSTM(2, name="lstm")(X[:, :, 0]), "'lstm'", "rank 3", "5)",
                                          "x[..., None]"),
    "LSTM: behind the last step alone": case(lambda: behind_the_last_step(LSTM(2, name="second")), "'second'",
                                             "(None, 2)", "'first'", "return_sequences=True"),
    "Bidirectional: behind the last step alone": case(lambda: behind_the_last_step(Bidirectional(GRU(2), name="both")),
                                                      "layer 'both'", "(None, 2)", "'first'", "return_sequences=True"),
    "Bidirectional: inputs without features": case(lambda: Bidirectional(GRU(2), name="both")(X[:, :, 0]),
                                                   "layer 'both'", "(None, 5)", "x[..., None]"),
    "LSTM: behind the last step alone, called on arrays": case(
        lambda: LSTM(2, name="second")(LSTM(2)(X)), "'second'", "(None, 2)", "x[..., None]", "recurrent layer",
        "return_sequences=True"),
    "TimeDistributed: behind the last step alone": case(
        lambda: behind_the_last_step(TimeDistributed(Dense(2), name="each")), "'each'", "'first'",
        "return_sequences=True"),
    "pooling behind the last step alone": case(
        lambda: behind_the_last_step(layers.GlobalAveragePooling1D(name="mean")), "'mean'", "'first'",
        "return_sequences=True"),
    "LSTM: behind a layer without steps": case(
        lambda: fastnn.Sequential([fastnn.Input((5,)), Dense(3), LSTM(2, name="lstm")]), "'lstm'", "(None, 3)"),
    "LSTM: behind an input without features": case(
        lambda: fastnn.Sequential([fastnn.Input((5,)), LSTM(2, name="lstm")]), "'lstm'", "(None, 5)", "x[..., None]"),
    "LSTM: batch_shape": case(lambda: LSTM(2, batch_shape=(4, 5, 3)), "LSTM", "`batch_shape`",
                              "Input(batch_shape=(4, 5, 3))"),
    "LSTM: a batch_input_shape that is a number": case(lambda: LSTM(2, batch_input_shape=5), "LSTM",
                                                       "`batch_input_shape`", "got 5"),
    "InputLayer: an unknown argument": case(lambda: layers.InputLayer(shap=(3,)), "InputLayer", "`shap`", "`shape`"),
    "InputLayer: no shape": case(lambda: layers.InputLayer(), "`shape`", "missing"),
    "InputLayer: a batch_shape that is a number": case(lambda: layers.InputLayer(batch_shape=5), "`batch_shape`",
                                                       "(rows, ...)", "got 5"),
    "LSTMCell: states for no number of rows": case(lambda: LSTMCell(2).get_initial_state(), "`batch_size`",
                                                   "at least 1", "None"),
    "LSTM: images": case(lambda: LSTM(2, name="lstm")(X[..., None]), "'lstm'", "rank 3", "(None, 5, 3, 1)"),
    "LSTM: sequences of no step": case(lambda: LSTM(2, name="lstm")(X[:, :0]), "'lstm'", "1 step or more", "0, 3)"),
    "LSTM: other features than before": case(lambda: twice(LSTM(2, name="lstm")), "'lstm'", "3 features",
                                             "(None, 5, 2)"),
    "LSTM: a mask of other steps": case(lambda: masked(LSTM(2, name="lstm"), (4, 6)), "'lstm'", "`mask`", "(4, 5)",
                                        "(4, 6)"),
    "GRU: a mask of one row": case(lambda: masked(GRU(2, name="gru"), (5,)), "'gru'", "`mask`", "(4, 5)", "(5,)"),
    "TimeDistributed: a mask of other steps": case(
        lambda: TimeDistributed(Dense(2), name="each")(X, mask=np.ones((4, 6))), "'each'", "mask", "5)", "6)"),
    "LSTM: one state of two": case(lambda: LSTM(2, name="lstm")(X, initial_state=[np.ones((4, 2))]), "'lstm'",
                                   "`initial_state`", "2 arrays", "[(4, 2), (4, 2)]", "[(4, 2)]"),
    "GRU: a state of other units": case(lambda: GRU(2, name="gru")(X, initial_state=np.ones((4, 3))), "'gru'",
                                        "`initial_state`", "(4, 2)", "(4, 3)"),
    "GRU: a state of other rows": case(lambda: GRU(2, name="gru")(X, initial_state=np.ones((3, 2))), "'gru'",
                                       "`initial_state`", "(4, 2)", "(3, 2)"),
    "LSTM: states and a symbolic input": case(
        lambda: LSTM(2, name="lstm")(fastnn.Input((5, 3)), initial_state=[np.ones((4, 2))] * 2), "'lstm'",
        "`initial_state`", "symbolic"),
    "LSTMCell: no state": case(lambda: LSTMCell(2, name="cell")(X[:, 0], []), "'cell'", "`states`", "2 arrays"),
    "stateful: the rows of a batch are unknown": case(
        lambda: fastnn.Sequential([fastnn.Input((5, 3)), LSTM(2, stateful=True, name="memory")]).predict(X, verbose=0),
        "'memory'", "stateful", "Input(batch_shape=(rows, steps, features))", "batch_size"),
    "stateful: another batch_size": case(lambda: stateful(lambda m: m.fit(X, X[:, 0, :1], batch_size=2, verbose=0)),
                                         "'memory'", "stateful", "batches of 4 rows", "batches of 2"),
    "stateful: a partial last batch": case(
        lambda: stateful(lambda m: m.predict(np.ones((6, 5, 3)), verbose=0)), "'memory'", "multiple of 4", "6 rows"),
    "stateful: a call on other rows": case(lambda: [layer(X[:n]) for layer in [GRU(2, stateful=True, name="memory")]
                                                    for n in (4, 3)], "'memory'", "4 rows", "got 3 rows"),
    "stateful: validation data of other batches": case(
        lambda: stateful(lambda m: m.fit(X, X[:, 0, :1], batch_size=4, validation_data=(X[:3], X[:3, 0, :1]),
                                         verbose=0)), "'memory'", "`validation_data[0]`", "multiple of 4", "3 rows"),
    "stateful: a stream of other batches": case(
        lambda: stateful(lambda m: m.fit(iter([(X[:3], X[:3, 0, :1])]), verbose=0)), "batch 0 of `x`", "'memory'",
        "3 rows"),
    "Sequential: a last layer that returns states": case(
        lambda: fastnn.Sequential([fastnn.Input((5, 3)), LSTM(2, return_state=True, name="lstm")], name="net"),
        "'net'", "'lstm'", "one output", "return_state=False"),
    "to_json: a cell of two layers": case(lambda: [
        fastnn.Sequential([RNN(cell, return_sequences=True), RNN(cell)], name="net").to_json()
        for cell in [layers.GRUCell(2, name="cell")]], "'net'", "'cell'", "two places", "save_weights"),
    "Sequential: a layer that returns states": case(
        lambda: fastnn.Sequential([fastnn.Input((5, 3)), LSTM(2, return_state=True, name="lstm"), Dense(1)]),
        "'lstm'", "one output", "return_state=False"),
    "Bidirectional: a layer that is not recurrent": case(lambda: Bidirectional(Dense(2)), "Bidirectional", "`layer`",
                                                         "LSTM", "Dense"),
    "Bidirectional: the class of a layer": case(lambda: Bidirectional(LSTM), "`layer`", "LSTM", "type"),
    "Bidirectional: an unknown merge_mode": case(lambda: Bidirectional(LSTM(2), merge_mode="max"), "`merge_mode`",
                                                 "concat", "'max'"),
    "Bidirectional: two layers in one direction": case(lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2)),
                                                       "`backward_layer`", "go_backwards=True", "False"),
    "Bidirectional: sequences and the last step": case(
        lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_sequences=True)),
        "`return_sequences`", "False and True"),
    "Bidirectional: a sum of other units": case(
        lambda: Bidirectional(LSTM(2), "sum", backward_layer=LSTM(3, go_backwards=True), name="both")(X), "'both'",
        "'sum'", "(None, 2)", "(None, 3)"),
    "LSTM: features of any number": case(
        lambda: fastnn.Sequential([fastnn.Input((5, None)), LSTM(2, name="lstm")]), "'lstm'", "(None, 5, None)",
        "features"),
    "LSTM: sequences longer than those it was built from": case(
        lambda: built([LSTM(2)], X).predict(np.ones((2, 9, 3))), "`x`", "(rows, 5, 3)", "(2, 9, 3)",
        "Input((None, 3))", "pad_sequences", "5 steps"),
    "LSTM: more ids than it was built from": case(
        lambda: built([layers.Embedding(9, 2), LSTM(2)], X[..., 0]).predict(np.ones((2, 9))), "`x`", "(rows, 5)",
        "(2, 9)", "Input((None,))", "pad_sequences"),
    "LSTM: targets for more steps than the data": case(
        lambda: built([fastnn.Input((None, 3)), LSTM(2, return_sequences=True)], X).fit(X, np.ones((4, 6, 2))), "`y`",
        "(4, 5, 2)", "(4, 6, 2)"),
    "PReLU: an alpha for each of any number of steps": case(
        lambda: fastnn.Sequential([fastnn.Input((None, 3)), layers.PReLU(name="prelu")]), "'prelu'", "`shared_axes`",
        "(None, None, 3)"),
    "Lambda: a rank that depends on the size": case(
        lambda: fastnn.Sequential([fastnn.Input((None, 3)), layers.Lambda(
            lambda x: x if x.shape[1] > 40 else x[:, 0], name="f")]), "'f'", "(None, None, 3)", "rank"),
    "TimeDistributed: no layer": case(lambda: TimeDistributed("dense"), "TimeDistributed", "`layer`", "str"),
    "TimeDistributed: inputs without steps": case(lambda: TimeDistributed(Dense(2), name="each")(X[:, 0]), "'each'",
                                                  "rank 3 or more", "(None, 3)"),
    "TimeDistributed: a layer with several outputs": case(
        lambda: TimeDistributed(LSTM(2, return_state=True, name="lstm"), name="each")(X[..., None]), "'each'",
        "one output", "'lstm'"),
    "RNN: what is no cell": case(lambda: RNN(Dense(2)), "RNN", "`cell`", "state_size", "Dense"),
    "RNN: the class of a cell": case(lambda: RNN(LSTMCell), "`cell`", "LSTMCell(...)"),
    "RNN: no cells": case(lambda: RNN([]), "`cells`", "[]"),
    "StackedRNNCells: a single cell": case(lambda: StackedRNNCells(LSTMCell(2)), "`cells`", "list", "LSTMCell"),
    "RNN: training through a cell without a gradient": case(lambda: trained(RNN(Sums(), name="sums")), "'sums'",
                                                            "gradient", "call_gradient"),
    "RNN: a cell that returns other states": case(lambda: RNN(TwoStates(), name="rnn")(X), "'rnn'", "1 states",
                                                  "(an array (4, 3), (an array (4, 3), an array (4, 3)))"),
    "RNN: a cell that returns no states": case(lambda: RNN(OutputAlone(), name="rnn")(X), "'rnn'", "`call`",
                                               "(output, states)", "got an array (4, 3)"),
    "RNN: a cell with a gradient of its inputs alone": case(
        lambda: trained(RNN(GradientTooShort(), name="rnn")), "'rnn'", "`call_gradient`",
        "(dx, dstates, *gradients of the weights)", "got an array (4, 3)"),
    "RNN: a cell with no gradient of its weights": case(
        lambda: trained(RNN(Weighted(), name="rnn")), "'rnn'", "`call_gradient`", "1 dstates", "1 weights",
        "got (an array (4, 3), (an array (4, 3)))"),
    "RNN: a cell that is not trained, behind a layer that is": case(
        lambda: trained(RNN(Sums(), trainable=False, name="sums")), "'sums'", "call_gradient", "those before it"),
    "a layer in NumPy: no gradient of its weights": case(
        lambda: trained_before_steps(ShortLayer(name="short")), "'short'", "2 in all", "got 1"),
    "RNN: a cell that returns another size": case(lambda: RNN(WrongSize(), name="rnn")(X), "'rnn'", "(4, 3)",
                                                  "(4, 2)"),
    "RNN: a cell that begins with another size": case(lambda: RNN(WrongStart(), name="rnn")(X), "'rnn'",
                                                      "`get_initial_state(batch_size)`", "(4, 3)", "(4, 2)"),
    "LSTM: return_sequences a word": case(lambda: LSTM(2, return_sequences="yes"), "LSTM", "`return_sequences`",
                                          "True or False", "'yes'"),
    "LSTM: time_major": case(lambda: LSTM(2, time_major=True), "LSTM", "`time_major`", "(batch, steps, features)"),
    "LSTM: a mask of halves": case(lambda: LSTM(2, name="lstm")(X, mask=np.full((4, 5), 0.5)), "'lstm'", "`mask`",
                                   "got 0.5"),
    "call: a mask of other steps": case(
        lambda: fastnn.Sequential([fastnn.Input((5, 3)), LSTM(2)], name="net")(X, mask=np.ones((4, 6))), "'net'",
        "`mask`", "(4, 5)", "(4, 6)"),
    "call: a mask for a symbolic array": case(
        lambda: Dense(2, name="dense")(fastnn.Input((5, 3)), mask=np.ones((4, 5))), "'dense'", "`mask`", "Masking"),
    "a label of a step too large": case(
        lambda: labelled_steps([[0, 1], [1, 2]]), "`y`", "0 to 1", "got 2 at row 1, step 1"),
    "one label a row for a net that answers each step": case(
        lambda: labelled_steps([0, 1]), "`y`", "(2, 2)", "(2,)", "Flatten", "pooling"),
    "a recurrent cell as a layer of a model": case(
        lambda: fastnn.Sequential([fastnn.Input((3,)), layers.GRUCell(2, name="cell")]), "'cell'", "RNN"),
}
