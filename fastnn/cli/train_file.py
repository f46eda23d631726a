"""Training on a CSV file: what `fastnn train FILE.csv` does."""
from __future__ import annotations

import time
from pathlib import Path

import numpy as np

import fastnn
from fastnn import plotting

from . import CommandError, count, process_seconds
from .columns import Inputs, notes_of, target_of
from .folder import MODEL, PICTURES, check_folder, save_model, save_pictures, tell_of_model
from .table import Table, check_column, read, wrong

HELD_OUT = 0.2                    # share of the rows that measure how well the net learned
FEWEST_ROWS = 10
MOST_CLASSES = 20                 # a target of whole numbers with more different values is a number
HINTS = {"missing": ", or leave the column out with --ignore {}", "text": ", or --categories {} takes it as names"}
LARGE = 10_000                    # rows from which on larger batches and fewer epochs do


def run(options) -> None:
    """Read, train, report, save, draw. Nothing is written before all went well."""
    table = _read(options)
    labels, model, history, parts, seconds = _learn(options, table)
    predicted = model.predict(parts.x_test, batch_size=1024, verbose=0)
    _report(options, parts.y_test, predicted, labels)
    save_model(model, options.out)
    save_pictures(options.out, _drawings(history, parts.y_test, predicted, labels), PICTURES)
    rows, epochs = len(parts.x_train), len(history.epoch)
    print(f"{options.source}: {count(rows, 'row')}, {count(epochs, 'epoch')}, "
          f"{rows * epochs / seconds:,.0f} rows a second, {process_seconds():.2f} s since the process started")


def _read(options) -> Table:
    """The table, once it is sure that the target is in it and the result can be written."""
    options.out = options.out or f"fastnn-{Path(options.source).stem}"
    check_folder(options.out, (MODEL, *PICTURES))
    ignored, categories = options.ignore or (), options.categories or ()
    if options.target in ignored:
        raise CommandError(f"--ignore: {options.target!r} is the target", 2)

    def wanted(names):
        for name in (options.target, *ignored, *categories):
            check_column(options.source, name, names)
        return [name for name in names if name not in ignored]

    table = read(options.source, wanted, categories, HINTS)
    if table.rows < FEWEST_ROWS:
        raise wrong(options.source, f"has {count(table.rows, 'row')}; {FEWEST_ROWS} or more are needed to train and to "
                                    "test")
    return table


class _Parts:
    """The rows that a net learns from, and those that test it."""

    def __init__(self, x, y, strata, seed: int):
        order = np.random.default_rng(seed).permutation(len(x))
        test = np.zeros(len(x), bool)
        for stratum in np.unique(strata):                        # of each class the same share, rounded down
            members = order[strata[order] == stratum]
            test[members[:int(len(members) * HELD_OUT)]] = True
        if not test.any():                                       # no class has enough rows for that
            test[order[:max(1, int(len(x) * HELD_OUT))]] = True
        self.x_train, self.x_test, self.y_train, self.y_test = x[~test], x[test], y[~test], y[test]


def _learn(options, table: Table):
    """(labels, model, history, parts, seconds of training)."""
    values = table.columns[options.target]
    as_classes = _has_classes(options.task, values)
    y, labels = target_of(values, as_classes)
    _check_target(options, table, y, labels)
    inputs = Inputs.of(table, options.target)
    x = inputs.encode(table)
    parts = _Parts(x, y, y if as_classes else np.zeros(len(y)), options.seed)
    mean, deviation = (0.0, 1.0) if as_classes else (parts.y_train.mean(), parts.y_train.std() or 1.0)
    fastnn.utils.set_random_seed(options.seed)
    model = build(*inputs.scale(parts.x_train), options.hidden or [64], labels)
    model.notes = notes_of(inputs, options.target, labels)
    if labels is not None and not options.task and not isinstance(values, list):
        print(f"Target {options.target}: {len(labels)} classes (--task number for a number)")
    tell_of_model(options.out)
    model.summary()
    large = len(parts.x_train) >= LARGE
    start = time.perf_counter()
    history = model.fit(parts.x_train, ((parts.y_train - mean) / deviation).astype("float32"), verbose=0,
                        epochs=options.epochs or (20 if large else 100),
                        batch_size=options.batch_size or (256 if large else 32))
    seconds = time.perf_counter() - start
    if not as_classes:
        to_unit_of_target(model, mean, deviation)
    return labels, model, history, parts, seconds


def _has_classes(task: str | None, values) -> bool:
    """Whether the target holds classes: texts, or few different whole numbers; ``task`` decides where it is given."""
    if task:
        return task == "classes"
    return isinstance(values, list) or bool((values == np.round(values)).all()
                                            and len(np.unique(values)) <= MOST_CLASSES)


def _check_target(options, table: Table, y, labels) -> None:
    if labels is None and y.dtype.kind != "f":
        raise wrong(table.path, f"column {options.target!r} holds texts; --task number needs numbers")
    different = len(labels) if labels is not None else len(np.unique(y))
    if different < 2:
        value = table.columns[options.target][0]
        raise wrong(table.path, f"column {options.target!r} has the one value {value!s:.60}: there is nothing to learn")
    if labels is not None and different > table.rows // 2:
        raise wrong(table.path, f"column {options.target!r} has {different} classes in {table.rows} rows, too many to "
                                "learn; --task number takes a target of numbers as it is")


def build(mean, variance, hidden, labels):
    """A net of relu layers behind the scaling of its inputs, compiled: for two or more classes, or for a number."""
    layers = fastnn.layers
    model = fastnn.Sequential([fastnn.Input((len(mean),)), layers.Normalization(mean=mean, variance=variance)])
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
    if labels is None:
        model.add(layers.Dense(1))
        model.compile(optimizer="adam", loss="mse")
    elif len(labels) == 2:
        model.add(layers.Dense(1, activation="sigmoid"))
        model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    else:
        model.add(layers.Dense(len(labels), activation="softmax"))
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def to_unit_of_target(model, mean: float, deviation: float) -> None:
    """Let a net that learned (y - mean) / deviation predict y: its last weights take that over."""
    last = model.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([kernel * deviation, bias * deviation + mean])
    model.compile(optimizer="adam", loss="mse")                  # the optimizer's state was that of the other unit


def classes(predicted: np.ndarray) -> np.ndarray:
    """The number of the class from probabilities (rows, classes), or (rows, 1) of the second of two."""
    return (predicted[:, 0] > 0.5).astype(int) if predicted.shape[1] == 1 else predicted.argmax(axis=1)


def _report(options, y, predicted, labels) -> None:
    print(f"\n{count(len(y), 'row')} held out:")
    if labels is None:
        errors = y - predicted[:, 0].astype(np.float64)
        r2 = 1 - (errors ** 2).sum() / max(((y - y.mean()) ** 2).sum(), np.finfo(float).tiny)
        print(f"{options.target}: R² {r2:.4f}, RMSE {np.sqrt((errors ** 2).mean()):.4g}")
        return
    found = classes(predicted)
    try:
        from sklearn.metrics import classification_report
    except ImportError:
        print(f"accuracy {(found == y).mean():.4f}; with scikit-learn there is a report for each class")
        return
    print(classification_report(y, found, labels=range(len(labels)), target_names=labels, zero_division=0))


def _drawings(history, y, predicted, labels):
    pictures = {"learning-curves.png": lambda figure: plotting.history(history, ax=figure.subplots())}
    if labels is not None and len(labels) <= MOST_CLASSES:
        pictures["confusion-matrix.png"] = lambda figure: plotting.confusion_matrix(y, classes(predicted), labels,
                                                                                    ax=figure.subplots())
    return pictures
