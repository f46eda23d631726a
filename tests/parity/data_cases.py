"""Data in: Sequences and generators, steps, weights of rows and steps, the helpers that prepare data."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

ROWS = 37


def net(K, units=3, activation="softmax", **compiled):
    """A small compiled network with seeded weights."""
    layers = [K.layers.Dense(8, activation="relu"), K.layers.Dense(units, activation=activation)]
    model = set_weights(K.Sequential([K.Input((4,)), *layers]))
    settings = {"optimizer": K.optimizers.SGD(learning_rate=0.1), "loss": "sparse_categorical_crossentropy"}
    model.compile(**(settings | {"metrics": ["accuracy"]} | compiled))
    return model


def data(rows=ROWS, seed=0):
    """Inputs and class numbers."""
    return inputs(rows, 4, seed=seed), targets("labels", rows, seed=seed + 1)


def batches(K, weighted=False, rows=ROWS, size=8):
    """The data as a PyDataset, with an uneven last batch."""
    x, y = data(rows)
    w = np.linspace(0.0, 2.0, rows).astype("float32")

    class Batches(K.utils.PyDataset):
        def __len__(self):
            return (rows + size - 1) // size

        def __getitem__(self, i):
            part = slice(i * size, (i + 1) * size)
            return (x[part], y[part], w[part]) if weighted else (x[part], y[part])

    return Batches()


def logged(model, history):
    """Weights and all values of a history, by key in order."""
    values = {key: history.history[key] for key in sorted(history.history)}
    return named_weights(model.get_weights()) | {"keys": np.array(list(values)), "history": list(values.values())}


def sequence(K, weighted=False, **options):
    """fit on a Sequence, in order, validated on another."""
    model = net(K)
    history = model.fit(batches(K, weighted), shuffle=False, verbose=0, validation_data=batches(K, rows=11), **options)
    return logged(model, history)


def endless(K, epochs=3, steps=2):
    """fit on a generator that never ends: each epoch goes on where the last one ended."""
    x, y = data()

    def batch():
        while True:
            for i in range(0, ROWS, 8):
                yield x[i:i + 8], y[i:i + 8]

    model = net(K)
    return logged(model, model.fit(batch(), epochs=epochs, steps_per_epoch=steps, verbose=0))


def steps_of_arrays(K, **options):
    """steps_per_epoch with data in memory: passes go on over epochs, and end with the data."""
    model, (x, y) = net(K), data()
    return logged(model, model.fit(x, y, shuffle=False, verbose=0, **options))


def other_calls(K):
    """evaluate and predict of a Sequence and with steps; the calls on one batch."""
    model, (x, y) = net(K), data()
    w = np.linspace(0.0, 2.0, ROWS).astype("float32")
    return {
        "evaluate_sequence": model.evaluate(batches(K), verbose=0),
        "evaluate_weighted": model.evaluate(batches(K, weighted=True), verbose=0),
        "evaluate_steps": model.evaluate(x, y, batch_size=8, steps=3, verbose=0),
        "evaluate_steps_alone": model.evaluate(x, y, steps=3, verbose=0),
        "predict_sequence": model.predict(batches(K), verbose=0),
        "predict_steps": model.predict(x, batch_size=8, steps=2, verbose=0),
        "test_on_batch": model.test_on_batch(x, y),
        "test_on_batch_weighted": model.test_on_batch(x, y, sample_weight=w),
        "predict_on_batch": model.predict_on_batch(x),
        "train_on_batch_classes": model.train_on_batch(x, y, class_weight={0: 2.0, 2: 0.5}),
        "train_on_batch_weighted": model.train_on_batch(x, y, sample_weight=w),
    }


def class_weight(K, kind, loss, units, activation):
    """class_weight with class numbers, a column of them, or one-hot rows."""
    model = net(K, units, activation, loss=loss)
    x, y = inputs(ROWS, 4), targets(kind, ROWS)
    weights = {0: 2.0, 1: 0.25} if units == 1 else {0: 2.0, 2: 0.5}
    options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0, "class_weight": weights}
    return logged(model, model.fit(x, y, validation_data=(x[:9], y[:9]), **options))


def class_weight_of_any_number(K):
    """class_weight for y rounded to class numbers, for labels that the loss ignores, with keys that are no class."""
    x, labels = inputs(ROWS, 4), targets("labels", ROWS)
    shares = np.random.default_rng(9).uniform(0, 1, ROWS).astype("float32")
    given = {
        "rounded": (net(K, 1, "sigmoid", loss="binary_crossentropy"), shares, {0: 2.0, 1: 0.25}),
        "signs": (net(K, 1, "tanh", loss="hinge"), np.where(shares < 0.5, -1, 1), {-1: 2.0, 1: 0.25}),
        "ignored": (net(K, 3, "softmax", loss=K.losses.SparseCategoricalCrossentropy(ignore_class=-1)),
                    np.where(shares < 0.3, -1, labels), {0: 2.0, 2: 0.5}),
        "beyond": (net(K, 3, "softmax", loss="sparse_categorical_crossentropy"), labels, {1: 2.0, 3: 9.0, -7: 3.0}),
    }
    return {name: [model.train_on_batch(x, y, class_weight=weights) for _ in range(2)]
            for name, (model, y, weights) in given.items()}


def sample_weight(K, fraction):
    """Row weights, also those split off for validation."""
    model, (x, y) = net(K), data()
    w = np.linspace(0.0, 2.0, ROWS).astype("float32")
    return logged(model, model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, sample_weight=w,
                                   validation_split=fraction))


def weights_of_steps(K, form):
    """Outputs with an axis of steps: a weight for each step, or for each row as a column."""
    model = set_weights(K.Sequential([K.Input((5, 3)), K.layers.Dense(4, activation="tanh"), K.layers.Dense(2)]))
    model.compile(optimizer=K.optimizers.SGD(0.1), loss="mse")
    x, y = inputs(9, 5, 3), inputs(9, 5, 2, seed=5)
    w = np.random.default_rng(7).uniform(0, 2, (9, 5)).astype("float32")
    w = w if form == "steps" else w[:, :1]
    history = model.fit(x, y, sample_weight=w, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return logged(model, history) | {"evaluate": model.evaluate(x, y, sample_weight=w, verbose=0)}


def padded(K):
    """pad_sequences with each of its arguments."""
    pad, given = K.utils.pad_sequences, [[1], [2, 3], [], [4, 5, 6, 7]]
    steps = [np.ones((2, 2)), np.full((3, 2), 2.0)]
    return {
        "default": pad(given), "maxlen": pad(given, maxlen=3), "longer": pad(given, maxlen=6),
        "post": pad(given, padding="post"), "truncated": pad(given, maxlen=2, truncating="post"),
        "value": pad(given, value=-1), "float": pad(given, dtype="float32", value=0.5), "vectors": pad(steps),
        "dtypes": np.array([pad(given).dtype.name, pad(given, dtype="float32").dtype.name]),
    }


def encoded(K):
    """to_categorical and normalize."""
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 12.0]])
    return {
        "categorical": K.utils.to_categorical([0, 2, 1]), "more_classes": K.utils.to_categorical([[0], [1]], 4),
        "inner_axes": K.utils.to_categorical([[0, 1], [2, 0]]), "rows": K.utils.normalize(x),
        "first_axis": K.utils.normalize(x, axis=1, order=1),
    }


WINDOWS = {
    "plain": {}, "stride": {"sequence_stride": 3}, "rate": {"sampling_rate": 4}, "both": {"sequence_stride": 2,
    "sampling_rate": 3}, "from": {"start_index": 5}, "to": {"end_index": 31}, "between": {"start_index": 7,
    "end_index": 20, "sampling_rate": 2}, "single": {"batch_size": None}, "small": {"batch_size": 4},
}
REFUSED = {
    "stride_0": {"sequence_stride": 0}, "stride_all": {"sequence_stride": 40}, "rate_negative": {"sampling_rate": -1},
    "rate_all": {"sampling_rate": 40}, "start_negative": {"start_index": -1}, "start_after": {"start_index": 40},
    "end_after": {"end_index": 40}, "end_negative": {"end_index": -3}, "end_first": {"start_index": 9, "end_index": 5},
    "format": {"format": "other"}, "right": {"start_index": 9, "end_index": 39},
}


def windows(K, targets=None):
    """Windows of a series and their targets; the sizes of their batches; and which settings are refused."""
    data = inputs(40, 2)
    aims = None if targets is None else inputs(targets, seed=1)
    results = {}
    for name, options in WINDOWS.items():
        if targets == 20 and "start_index" in options:
            continue                         # Keras on TensorFlow fails: it looks for targets that are not there
        batches = [batch if targets else (batch,) for batch in K.utils.timeseries_dataset_from_array(
            data, aims, 3, **options)]
        join = np.stack if options.get("batch_size", 1) is None else np.concatenate
        results |= {f"{name}_{i}": join([np.asarray(a) for a in arrays]) for i, arrays in enumerate(zip(*batches))}
        results[f"{name}_sizes"] = [len(batch[0]) for batch in batches]
    for name, options in REFUSED.items():
        try:
            K.utils.timeseries_dataset_from_array(data, aims, 3, **options)
            results[f"refused_{name}"] = "no"
        except ValueError:
            results[f"refused_{name}"] = "yes"
    return results


KINDS = {
    "labels": ("labels", "sparse_categorical_crossentropy", 3, "softmax"),
    "column": ("labels_column", "sparse_categorical_crossentropy", 3, "softmax"),
    "one_hot": ("one_hot", "categorical_crossentropy", 3, "softmax"),
    "binary": ("binary", "binary_crossentropy", 1, "sigmoid"),
}

CASES = {
    "sequence": partial(sequence, epochs=3),
    "sequence_weighted": partial(sequence, weighted=True, epochs=2),
    "sequence_classes": partial(sequence, epochs=2, class_weight={0: 2.0, 1: 0.5}),
    "sequence_validation_steps": partial(sequence, epochs=2, validation_steps=1),
    "generator_endless": endless,
    "steps_divide": partial(steps_of_arrays, batch_size=8, epochs=3, steps_per_epoch=2),
    "steps_end": partial(steps_of_arrays, batch_size=8, epochs=4, steps_per_epoch=3),
    "steps_alone": partial(steps_of_arrays, epochs=2, steps_per_epoch=3),
    "other_calls": other_calls,
    "weights_of_steps": partial(weights_of_steps, form="steps"),
    "weights_of_rows_as_a_column": partial(weights_of_steps, form="column"),
    "class_weight_of_any_number": class_weight_of_any_number,
    "pad_sequences": padded,
    "encoded": encoded,
    "windows": windows,
    "windows_and_targets": partial(windows, targets=40),
    "windows_and_fewer_targets": partial(windows, targets=20),
}
CASES |= {f"class_weight_{name}": partial(class_weight, kind=kind, loss=loss, units=units, activation=activation)
          for name, (kind, loss, units, activation) in KINDS.items()}
CASES |= {f"sample_weight_{fraction}": partial(sample_weight, fraction=fraction) for fraction in (0.0, 0.3)}
