"""fit, evaluate, predict and train_on_batch: histories, metrics, the forms of what is returned."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

ROWS = 37  # batches of 8 leave one of 5


def classifier(K, units, activation, **compiled):
    """A small compiled network with seeded weights."""
    layers = [K.layers.Dense(8, activation="relu"), K.layers.Dense(units, activation=activation)]
    model = set_weights(K.Sequential([K.Input((4,)), *layers]))
    model.compile(optimizer=K.optimizers.Adam(learning_rate=0.02), **compiled)
    return model


def logged(history):
    """The keys of a history in their order, and its values, a row for each key."""
    return {"keys": np.array(list(history.history)), "history": list(history.history.values())}


def fit_and_evaluate(K, head, loss, target, metrics):
    """Three epochs with a partial last batch and a validation set; then evaluate in both forms."""
    model = classifier(K, *head, loss=loss, metrics=metrics(K))
    x, y = inputs(ROWS, 4), targets(target, ROWS)
    held_out = (inputs(11, 4, seed=3), targets(target, 11, seed=4))
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=held_out)
    by_name = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    result = logged(history)
    result |= {"evaluate": model.evaluate(x, y, batch_size=8, verbose=0)}
    return result | {"dict_keys": np.array(sorted(by_name)), "dict_values": [by_name[k] for k in sorted(by_name)]}


def metric_alone(K, kind, y, p, **options):
    """A metric object fed in two parts, then reset and called."""
    metric = getattr(K.metrics, kind)(**options)
    metric.update_state(y[:4], p[:4])
    first = float(metric.result())
    metric.update_state(y[4:], p[4:])
    both = float(metric.result())
    metric.reset_state()
    return {"first": first, "both": both, "called": float(metric(y[4:], p[4:])), "name": np.array(metric.name)}


def validation_split(K, split):
    """The last rows become the validation part; the rest is trained on in order."""
    model = classifier(K, 3, "softmax", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = inputs(ROWS, 4), targets("labels", ROWS)
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_split=split)
    return logged(history) | named_weights(model.get_weights())


def validation_options(K):
    """validation_data wins over validation_split; validation_batch_size and validation_freq."""
    model = classifier(K, 1, None, loss="mse")
    x, y = inputs(ROWS, 4), targets("real", ROWS)
    held_out = (inputs(11, 4, seed=3), targets("real", 11, seed=4))
    options = {"validation_data": held_out, "validation_split": 0.5, "validation_batch_size": 3, "validation_freq": 2}
    history = model.fit(x, y, epochs=4, shuffle=False, verbose=0, **options).history
    return {"loss": history["loss"], "val_loss": history["val_loss"]}


def fit_again(K):
    """A second fit goes on from the state of the optimizer; initial_epoch shifts the numbers."""
    model = classifier(K, 1, None, loss="mse")
    x, y = inputs(ROWS, 4), targets("real", ROWS)
    first = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    second = model.fit(x, y, batch_size=8, epochs=5, initial_epoch=2, shuffle=False, verbose=0)
    result = {"first": first.history["loss"], "second": second.history["loss"]}
    result |= {"first_epochs": first.epoch, "second_epochs": second.epoch}
    result |= {"params": np.array(sorted(second.params)), "epochs": second.params["epochs"]}
    return result | {"steps": second.params["steps"]} | named_weights(model.get_weights())


def default_batch_size(K):
    """Without batch_size a batch has 32 rows."""
    model = classifier(K, 1, None, loss="mse")
    x, y = inputs(70, 4), targets("real", 70)
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    return {"loss": history.history["loss"], "steps": history.params["steps"]} | named_weights(model.get_weights())


def evaluate_loss_only(K):
    """Without metrics evaluate and train_on_batch: which types they return."""
    model = classifier(K, 1, None, loss="mse")
    x, y = inputs(ROWS, 4), targets("real", ROWS)
    evaluated, trained = model.evaluate(x, y, verbose=0), model.train_on_batch(x, y)
    kinds = [type(evaluated).__name__, type(trained).__name__]
    return {"types": np.array(kinds), "evaluate": evaluated, "train_on_batch": trained}


def train_on_batch(K):
    """Three batches in a row: every call returns the numbers of its own batch."""
    model = classifier(K, 3, "softmax", loss="categorical_crossentropy", metrics=["accuracy"])
    returned = []
    for step in range(3):
        x, y = inputs(8 + step, 4, seed=step), targets("one_hot", 8 + step, seed=50 + step)
        returned.append(model.train_on_batch(x, y))
    result = {"returned": returned, "type": np.array(type(returned[0]).__name__)} | named_weights(model.get_weights())
    by_name = model.train_on_batch(x, y, return_dict=True)
    keys = sorted(by_name)
    return result | {"dict_keys": np.array(keys), "dict_values": [by_name[key] for key in keys]}


def predict_forms(K):
    """Shape and dtype of predict for every batch size, and one row."""
    model = classifier(K, 3, "softmax", loss="mse")
    x = inputs(ROWS, 4)
    sizes = {f"batch_{size}": model.predict(x, batch_size=size, verbose=0) for size in (1, 8, 64)}
    return sizes | {"one_row": model.predict(x[:1], verbose=0), "dtype": np.array(str(sizes["batch_8"].dtype))}


def input_dtypes(K):
    """Numbers of any type are converted to the dtype of the model."""
    model = classifier(K, 3, None, loss="mse")
    x = np.random.default_rng(8).integers(0, 2, size=(6, 4))
    names = ("float64", "float16", "int64", "int32", "uint8", "bool")
    return {name: model.predict(x.astype(name), verbose=0) for name in names}


def deep_with_batch_norm(K):
    """Two hidden layers with BatchNormalization, five epochs, partial batches, validation in inference mode."""
    layers = []
    for units in (8, 6):
        layers += [K.layers.Dense(units, activation="relu"), K.layers.BatchNormalization(), K.layers.Dropout(0.0)]
    model = set_weights(K.Sequential([K.Input((4,)), *layers, K.layers.Dense(3, activation="softmax")]))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = inputs(ROWS, 4), targets("labels", ROWS)
    history = model.fit(x, y, batch_size=8, epochs=5, shuffle=False, verbose=0, validation_split=0.3)
    return logged(history) | named_weights(model.get_weights()) | {"predict": model.predict(x, verbose=0)}


BINARY, CATEGORICAL, SPARSE = (1, "sigmoid"), (3, "softmax"), (3, "softmax")
BINARY_LOSS, CATEGORICAL_LOSS = "binary_crossentropy", "categorical_crossentropy"
SPARSE_LOSS = "sparse_categorical_crossentropy"

FITS = {
    "no_metrics": (BINARY, BINARY_LOSS, "binary", lambda K: None),
    "accuracy_binary": (BINARY, BINARY_LOSS, "binary", lambda K: ["accuracy"]),
    "accuracy_binary_column": (BINARY, BINARY_LOSS, "binary_column", lambda K: ["accuracy"]),
    "accuracy_multilabel": ((3, "sigmoid"), BINARY_LOSS, "multilabel", lambda K: ["accuracy"]),
    "accuracy_categorical": (CATEGORICAL, CATEGORICAL_LOSS, "one_hot", lambda K: ["accuracy"]),
    "accuracy_sparse": (SPARSE, SPARSE_LOSS, "labels", lambda K: ["accuracy"]),
    "accuracy_sparse_column": (SPARSE, SPARSE_LOSS, "labels_column", lambda K: ["accuracy"]),
    "acc_binary": (BINARY, BINARY_LOSS, "binary", lambda K: ["acc"]),
    "acc_categorical": (CATEGORICAL, CATEGORICAL_LOSS, "one_hot", lambda K: ["acc"]),
    "acc_sparse": (SPARSE, SPARSE_LOSS, "labels", lambda K: ["acc"]),
    "string_binary": (BINARY, BINARY_LOSS, "binary", lambda K: ["binary_accuracy"]),
    "string_categorical": (CATEGORICAL, CATEGORICAL_LOSS, "one_hot", lambda K: ["categorical_accuracy"]),
    "string_sparse": (SPARSE, SPARSE_LOSS, "labels", lambda K: ["sparse_categorical_accuracy"]),
    "object_binary": (BINARY, BINARY_LOSS, "binary", lambda K: [K.metrics.BinaryAccuracy()]),
    "object_threshold": (BINARY, BINARY_LOSS, "binary", lambda K: [K.metrics.BinaryAccuracy(threshold=0.3)]),
    "object_categorical": (CATEGORICAL, CATEGORICAL_LOSS, "one_hot", lambda K: [K.metrics.CategoricalAccuracy()]),
    "object_sparse": (SPARSE, SPARSE_LOSS, "labels", lambda K: [K.metrics.SparseCategoricalAccuracy(name="hits")]),
    "two": (CATEGORICAL, CATEGORICAL_LOSS, "one_hot", lambda K: ["mse", "accuracy", K.metrics.CategoricalAccuracy()]),
}


def metric_cases():
    """The metric objects of the first issue, on arrays."""
    p, hot, labels = np.abs(inputs(9, 3)), targets("one_hot", 9), targets("labels", 9)
    calls = {
        "binary": ("BinaryAccuracy", hot, p, {}),
        "binary_threshold": ("BinaryAccuracy", hot, p, {"threshold": 0.9}),
        "binary_flat": ("BinaryAccuracy", hot[:, 0], p[:, :1], {"name": "hits"}),
        "categorical": ("CategoricalAccuracy", hot, p, {}),
        "sparse": ("SparseCategoricalAccuracy", labels, p, {}),
        "sparse_column": ("SparseCategoricalAccuracy", labels[:, None], p, {}),
    }
    return {f"metric_{k}": partial(metric_alone, kind=n, y=y, p=q, **o) for k, (n, y, q, o) in calls.items()}


CASES = {
    f"fit_{name}": partial(fit_and_evaluate, head=head, loss=loss, target=y, metrics=metrics)
    for name, (head, loss, y, metrics) in FITS.items()
}
CASES |= {f"validation_split_{split}": partial(validation_split, split=split) for split in (0.1, 0.25, 0.5)}
CASES |= metric_cases()
CASES |= {
    "validation_options": validation_options,
    "fit_again": fit_again,
    "default_batch_size": default_batch_size,
    "evaluate_loss_only": evaluate_loss_only,
    "train_on_batch": train_on_batch,
    "predict_forms": predict_forms,
    "input_dtypes": input_dtypes,
    "deep_with_batch_norm": deep_with_batch_norm,
}
