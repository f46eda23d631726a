"""Recurrent layers: every option, masks, states, directions, and steps of training through them."""

from functools import partial
from itertools import product

import numpy as np
from seeded import inputs, layer_weights, named_weights, set_weights

ROWS, STEPS, FEATURES, UNITS = 6, 7, 3, 4


def sequences(masked=False, seed=0):
    """Sequences; ``masked``: with steps of zeros at the end, in the middle and at the start, and a row of them."""
    x = inputs(ROWS, STEPS, FEATURES, seed=seed)
    if masked:
        x[0, 4:] = x[1, 2:4] = x[2, :3] = x[3] = 0
    return x


def numbered(arrays, prefix):
    """Arrays by name, in their order."""
    return {f"{prefix}_{i}": np.asarray(a) for i, a in enumerate(arrays)}


def listed(result):
    """One array, or several, as a list."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


def mask_of(x):
    return x.any(-1)


def called(K, make, masked=False, given=0):
    """What a layer returns when called on arrays: with a mask, with ``given`` initial states."""
    layer = make(K)
    x = sequences(masked)
    layer(x)
    rng = np.random.default_rng(7)
    layer.set_weights([(rng.normal(size=w.shape) / np.sqrt(w.shape[0])).astype("float32") for w in layer.get_weights()])
    options = {"mask": mask_of(x)} if masked else {}
    if given:
        options["initial_state"] = [inputs(ROWS, UNITS, seed=30 + i) for i in range(given)]
    return numbered(listed(layer(x, **options)), "output")


def trained(K, make, masked=False, deep=False, sequences_out=False, regression=1, rate=0.2):
    """Predictions before and after a few steps of training, and the weights after each."""
    middle = [make(K)]
    if masked:
        middle.insert(0, K.layers.Masking())
    if deep:
        middle.append(K.layers.LSTM(UNITS))
    model = K.Sequential([K.Input((STEPS, FEATURES)), *middle, K.layers.Dense(regression)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(rate), loss="mse", run_eagerly=True)
    x = sequences(masked)
    result, losses, snapshots = {"before": model.predict(x, verbose=0)}, [], []
    for step in range(4):
        shape = (ROWS, STEPS, regression) if sequences_out else (ROWS, regression)
        y = inputs(*shape, seed=20 + step)
        losses += model.fit(sequences(masked, seed=step), y, batch_size=ROWS, verbose=0, shuffle=False).history["loss"]
        snapshots.append(model.get_weights())
    return result | {"after": model.predict(x, verbose=0), "loss": losses} | named_weights(*snapshots)


def stateful(K, kind, **options):
    """Batches that go on from the states of the batch before, until these are reset."""
    layer = getattr(K.layers, kind)(UNITS, stateful=True, **options)
    model = K.Sequential([K.Input(batch_shape=(ROWS, STEPS, FEATURES)), layer, K.layers.Dense(1)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.1), loss="mse", run_eagerly=True)
    results = [model.predict(sequences(seed=s), batch_size=ROWS, verbose=0) for s in (0, 1)]
    layer.reset_states()
    results.append(model.predict(sequences(seed=1), batch_size=ROWS, verbose=0))
    x, y = np.concatenate([sequences(seed=2), sequences(seed=3)]), inputs(2 * ROWS, 1, seed=4)
    loss = model.fit(x, y, batch_size=ROWS, epochs=2, shuffle=False, verbose=0).history["loss"]
    results.append(model.predict(sequences(seed=1), batch_size=ROWS, verbose=0))
    return numbered(results, "output") | {"loss": loss} | named_weights(model.get_weights())


def paths(K):
    """The names of weights, in the order of get_weights."""
    K.backend.clear_session()
    model = K.Sequential([K.Input((STEPS, FEATURES)), *[getattr(K.layers, kind)(4, return_sequences=True) for kind in (
        "SimpleRNN", "GRU", "LSTM")], K.layers.Bidirectional(K.layers.LSTM(3, return_sequences=True)),
        K.layers.TimeDistributed(K.layers.Dense(3)), K.layers.RNN(K.layers.GRUCell(2), return_sequences=True),
        K.layers.Bidirectional(K.layers.GRU(2), name="both")])
    shapes = [str(tuple(w.shape)) for w in model.weights]
    # Keras puts the model's own name before in some versions
    return {"paths": np.array([w.path.removeprefix(f"{model.name}/") for w in model.weights]),
            "shapes": np.array(shapes), "output_shape": np.array(model.output_shape[1:])}


def cells(K, make, states):
    """One step of a cell."""
    cell = make(K)
    x = inputs(ROWS, FEATURES)
    before = [inputs(ROWS, UNITS, seed=9 + i) for i in range(states)]
    cell(x, before)
    rng = np.random.default_rng(7)
    cell.set_weights([(rng.normal(size=w.shape) / np.sqrt(w.shape[0])).astype("float32") for w in cell.get_weights()])
    y, after = cell(x, before)
    return numbered([y, *after], "output")


def dropout_statistics(K, kind, **options):
    """Units that are 1 without dropout: the share kept, the value of one kept, whether all steps keep the same."""
    K.utils.set_random_seed(3)
    layer = getattr(K.layers, kind)(1, activation="linear", use_bias=False, kernel_initializer="ones",
                                    recurrent_initializer="zeros", return_sequences=True, **options)
    y = np.asarray(layer(np.ones((20000, 3, 1), "float32"), training=True))
    return {"kept_share": np.mean(y != 0), "kept_value": np.unique(y[y != 0]),
            "same": np.array(bool((y == y[:, :1]).all()))}


def layer(kind, units=UNITS, **options):
    """A function that makes a layer."""
    return lambda K: getattr(K.layers, kind)(units, **{
        name: value(K) if callable(value) else value for name, value in options.items()})


KINDS = {"simple_rnn": ("SimpleRNN", 1), "gru": ("GRU", 1), "lstm": ("LSTM", 2)}
OPTIONS = {
    "plain": {}, "sequences": {"return_sequences": True}, "no_bias": {"use_bias": False},
    "relu": {"activation": "relu"}, "linear": {"activation": None, "return_sequences": True},
    "softsign": {"activation": "softsign", "return_sequences": True},
    "backwards": {"go_backwards": True}, "backwards_sequences": {"go_backwards": True, "return_sequences": True},
    "unrolled": {"unroll": True, "return_sequences": True},
    "regularized": {"kernel_regularizer": lambda K: K.regularizers.L2(0.1),
                    "recurrent_regularizer": lambda K: K.regularizers.L1(0.1),
                    "bias_regularizer": lambda K: K.regularizers.L2(0.2)},
    "constrained": {"kernel_constraint": lambda K: K.constraints.MaxNorm(0.5),
                    "recurrent_constraint": lambda K: K.constraints.NonNeg(),
                    "bias_constraint": lambda K: K.constraints.NonNeg()},
}
# Keras's SimpleRNN forgets its activity_regularizer
GATED = {"activity": {"activity_regularizer": lambda K: K.regularizers.L2(0.3)},
         "hard_sigmoid": {"recurrent_activation": "hard_sigmoid"},
         "relu_tanh": {"activation": "relu", "recurrent_activation": "tanh", "return_sequences": True}}
OWN = {"simple_rnn": {}, "gru": {**GATED, "reset_before": {"reset_after": False},
                                 "reset_before_sequences": {"reset_after": False, "return_sequences": True}},
       "lstm": {**GATED, "forget_zero": {"unit_forget_bias": False}}}
CALLS = {"plain": {}, "sequences": {"return_sequences": True}, "states": {"return_state": True},
         "all": {"return_sequences": True, "return_state": True},
         "backwards": {"return_sequences": True, "return_state": True, "go_backwards": True},
         "zero": {"return_sequences": True, "return_state": True, "zero_output_for_mask": True},
         "zero_last": {"zero_output_for_mask": True},
         "relu": {"activation": "relu", "return_sequences": True, "return_state": True},
         "dropout": {"dropout": 0.5, "recurrent_dropout": 0.5}}
MODES = ("concat", "sum", "mul", "ave")


def bidirectional(kind, mode, **options):
    return lambda K: K.layers.Bidirectional(getattr(K.layers, kind)(UNITS, **options), merge_mode=mode)


def two_kinds(mode, units=UNITS):
    return lambda K: K.layers.Bidirectional(
        K.layers.LSTM(UNITS, return_sequences=True), mode,
        backward_layer=K.layers.SimpleRNN(units, activation="relu", return_sequences=True, go_backwards=True))


def stacked(K):
    return K.layers.RNN([K.layers.LSTMCell(UNITS), K.layers.GRUCell(3), K.layers.SimpleRNNCell(2)],
                        return_sequences=True, return_state=True)


def distributed(make):
    return lambda K: K.layers.TimeDistributed(make(K))


def frames(K, make):
    """A layer at each step of small images, and training through it."""
    model = K.Sequential([K.Input((3, 6, 5, 2)), K.layers.TimeDistributed(make(K)),
                          K.layers.TimeDistributed(K.layers.Flatten()), K.layers.GRU(3), K.layers.Dense(1)])
    set_weights(model)
    model.layers[0].set_weights([np.abs(w) for w in model.layers[0].get_weights()])         # variances are positive
    model.compile(optimizer=K.optimizers.SGD(0.1), loss="mse", run_eagerly=True)
    x, y = inputs(4, 3, 6, 5, 2), inputs(4, 1, seed=1)
    before = model.predict(x, verbose=0)
    loss = model.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"]
    return {"before": before, "after": model.predict(x, verbose=0), "loss": loss} | named_weights(model.get_weights())


def sums(K, first):
    """A cell of the user's that adds its inputs up, from a number of its own."""
    class Sums(K.layers.Layer):
        state_size = FEATURES

        def get_initial_state(self, batch_size=None):
            return [np.full((batch_size, FEATURES), first, "float32")]

        def call(self, inputs, states):
            total = inputs + states[0]
            return total, [total]

    return Sums()


def own_first_states(K):
    """Cells that say what a sequence begins with: alone, with a mask, stateful (until the states are reset), in a
    stack."""
    x, cells = sequences(masked=True), [sums(K, 2), K.layers.SimpleRNNCell(FEATURES, activation="relu"), sums(K, -1)]
    results = [K.layers.RNN(sums(K, 1.5), return_sequences=True)(x), K.layers.RNN(sums(K, 1.5))(x, mask=mask_of(x))]
    memory = K.layers.RNN(sums(K, 0.5), stateful=True)
    results += [memory(x), memory(x)]
    memory.reset_state()
    stack = K.layers.RNN(cells, return_state=True, return_sequences=True)
    stack(x)
    stack.set_weights(layer_weights(stack, np.random.default_rng(2)))
    y, *states = stack(x)
    return numbered([*results, memory(x), y, *[s[0] for s in states]], "output")


def lengths(K, masked, weighted):
    """Batches of other lengths and rows, with targets for each step: what the means of an epoch weigh."""
    before = [K.layers.Masking()] if masked else []
    model = K.Sequential([K.Input((None, FEATURES)), *before, K.layers.GRU(UNITS, return_sequences=True),
                          K.layers.Dense(1)])
    metrics = [K.metrics.MeanAbsoluteError(name="mae")]
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.05), loss="mse", metrics=metrics,
                               weighted_metrics=[K.metrics.MeanSquaredError(name="weighted")])

    def batches():
        while True:
            for rows, steps in ((6, 3), (2, 9), (3, 5)):
                x, y = inputs(rows, steps, FEATURES, seed=steps), inputs(rows, steps, 1, seed=rows)
                if masked:
                    x[0, 1:] = 0
                weights = np.arange(rows * steps, dtype="float32").reshape(rows, steps)
                yield (x, y, weights) if weighted else (x, y)

    history = model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0).history
    means = model.evaluate(batches(), steps=3, verbose=0, return_dict=True)
    return {name: values for name, values in history.items()} | {f"evaluate_{k}": v for k, v in means.items()}


def net(K):
    """A model as a layer."""
    return K.Sequential([K.Input((6, 5, 2)), K.layers.Conv2D(3, 3, activation="relu"), K.layers.MaxPooling2D(),
                         K.layers.Flatten(), K.layers.Dense(4)])


CASES = {f"{name}_{option}": partial(trained, make=layer(kind, **options),
                                     sequences_out=options.get("return_sequences", False),
                                     rate=0.02 if option == "linear" else 0.2)
         for name, (kind, _) in KINDS.items() for option, options in (OPTIONS | OWN[name]).items()}
CASES |= {f"{name}_masked_{option}": partial(trained, make=layer(kind, **options), masked=True,
                                             sequences_out=options.get("return_sequences", False))
          for name, (kind, _) in KINDS.items() for option, options in (OPTIONS | OWN[name]).items()
          if option in ("plain", "sequences", "softsign", "backwards", "backwards_sequences", "reset_before")}
CASES |= {f"{name}_deep{'_masked' * masked}": partial(trained, make=layer(kind, return_sequences=True), masked=masked,
                                                      deep=True)
          for (name, (kind, _)), masked in product(KINDS.items(), (False, True))}
CASES |= {f"{name}_call_{option}{'_masked' * masked}{'_given' * given}": partial(
    called, make=layer(kind, **options), masked=masked, given=given * states)
    for (name, (kind, states)), (option, options), masked, given in product(
        KINDS.items(), CALLS.items(), (False, True), (False, True))}
CASES |= {f"{name}_stateful{'_relu' * (activation == 'relu')}": partial(stateful, kind=kind, activation=activation)
          for (name, (kind, _)), activation in product(KINDS.items(), ("tanh", "relu"))}
CASES |= {f"cell_{name}": partial(cells, make=layer(f"{kind}Cell"), states=states)
          for name, (kind, states) in KINDS.items()}
CASES |= {"cell_gru_reset_before": partial(cells, make=layer("GRUCell", reset_after=False), states=1)}
CASES |= {f"bidirectional_{name}_{mode}{'_masked' * masked}": partial(
    trained, make=bidirectional(kind, mode, return_sequences=True), masked=masked, sequences_out=True)
    for (name, (kind, _)), mode, masked in product(KINDS.items(), MODES, (False, True))}
CASES |= {f"bidirectional_last_{mode}{'_masked' * masked}": partial(
    trained, make=bidirectional("LSTM", mode), masked=masked) for mode, masked in product(MODES, (False, True))}
CASES |= {f"bidirectional_call_{mode}{'_sequences' * seq}{'_masked' * masked}{'_given' * given}": partial(
    called, make=bidirectional("LSTM", mode, return_sequences=seq, return_state=True), masked=masked, given=4 * given)
    for mode, seq, masked, given in product((*MODES, None), (False, True), (False, True), (False, True))}
CASES |= {
    "bidirectional_two_kinds": partial(trained, make=two_kinds("sum"), sequences_out=True),
    "bidirectional_two_kinds_masked": partial(trained, make=two_kinds("mul"), masked=True, sequences_out=True),
    "bidirectional_two_sizes": partial(called, make=two_kinds("concat", 2)),
    "stacked_call": partial(called, make=stacked),
    "stacked_call_masked": partial(called, make=stacked, masked=True),
    "stacked_trained": partial(trained, make=lambda K: K.layers.RNN([K.layers.LSTMCell(4), K.layers.GRUCell(3)])),
    "rnn_of_cell": partial(trained, make=lambda K: K.layers.RNN(K.layers.LSTMCell(4), return_sequences=True),
                           sequences_out=True),
    "distributed_dense": partial(trained, make=distributed(lambda K: K.layers.Dense(5, activation="tanh")),
                                 sequences_out=True),
    "distributed_dense_masked": partial(trained, make=distributed(lambda K: K.layers.Dense(5, activation="tanh")),
                                        masked=True, sequences_out=True),
    "distributed_dense_deep_masked": partial(trained, make=distributed(lambda K: K.layers.Dense(5)), masked=True,
                                             deep=True),
    "frames_conv": partial(frames, make=lambda K: K.layers.Conv2D(3, 3, activation="relu")),
    "frames_pooling": partial(frames, make=lambda K: K.layers.MaxPooling2D()),
    "frames_normalized": partial(frames, make=lambda K: K.layers.LayerNormalization()),
    "frames_batch_normalized": partial(frames, make=lambda K: K.layers.BatchNormalization()),
    "own_first_states": own_first_states,
    **{f"lengths{'_masked' * masked}{'_weighted' * weighted}": partial(lengths, masked=masked, weighted=weighted)
       for masked, weighted in product((False, True), (False, True))},
    "paths": paths,
}
CASES |= {f"dropout_{name}{'_gates' * gates}": partial(
    dropout_statistics, kind=kind, dropout=0.4, recurrent_dropout=0.3 * gates)
    for (name, (kind, _)), gates in product((("simple_rnn", ("SimpleRNN", 1)),), (False, True))}
