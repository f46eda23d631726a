"""Train a net on a CSV file, or on iris (default) or digits, and show how well it learned.

A CSV file: its first line names the columns; --target is the one to predict, a number or classes; the others are
numbers or categories. A fifth of the rows is held out to test the net. The folder gets the model, for `fastnn predict`,
and pictures. iris and digits: data, split, scaling and report come from scikit-learn.

Draws the learning curves and the confusion matrix of the test rows. The last line gives rows, epochs, time of a
training step (median over the epochs, validation not counted) and seconds since the process started.
"""
import os
import statistics
import time
from collections import namedtuple
from importlib import import_module

import fastnn
from fastnn import plotting
from fastnn.cli import CommandError, count, missing, names, one_of, process_seconds, save_pictures, seed, whole, wholes

BATCH_SIZE = 32
# Enough epochs for the learning curve to be flat, and still over within a second.
DEFAULTS = {"iris": {"epochs": 50, "hidden": [64, 64]}, "digits": {"epochs": 30, "hidden": [128, 64]}}

FOR_TABLES = ("target", "task", "categories", "ignore")       # options that a known data set does not take


def source(text):
    """An argparse type: a known data set, or the path of a file."""
    return text if os.path.exists(text) or os.path.splitext(text)[1] or os.sep in text else known(text)


known = one_of("dataset", list(DEFAULTS))
OPTIONS = {
    "source": {"nargs": "?", "default": "iris", "type": source, "metavar": "DATA",
               "help": "the CSV file to learn from; or iris or digits (default: iris)"},
    "--target": {"metavar": "COLUMN", "help": "the column of the table to predict"},
    "--task": {"type": one_of("task", ["classes", "number"]), "metavar": "TASK",
               "help": "classes or number (default: classes for texts and for up to 20 different whole numbers)"},
    "--categories": {"type": names, "metavar": "COLUMN[,...]", "help": "columns whose numbers are only names"},
    "--ignore": {"type": names, "metavar": "COLUMN[,...]", "help": "columns to leave out"},
    "--epochs": {"type": whole, "metavar": "N",
                 "help": "passes over the training rows (default: 50 iris, 30 digits, a table 100, 20 if it is large)"},
    "--batch-size": {"type": whole, "metavar": "N", "help": "rows of a step (default: 32, for a large table 256)"},
    "--hidden": {"type": wholes, "metavar": "N[,N...]",
                 "help": "units of the hidden layers (default: 64,64 iris, 128,64 digits, 64 a table)"},
    "--seed": {"type": seed, "default": 0, "metavar": "N",
               "help": "seed of the split, the weights and the shuffling (default: 0)"},
    "--out": {"metavar": "DIR", "help": "folder for the model and pictures (default: fastnn-iris, fastnn-FILE, ...)"},
}

Data = namedtuple("Data", "x_train x_test y_train y_test class_names")


class StepClock(fastnn.callbacks.Callback):
    """Takes the time of the training part of each epoch: the hooks of an epoch cost nothing between batches."""

    def __init__(self):
        super().__init__()
        self.seconds = []
        self._running = False

    def on_epoch_begin(self, epoch, logs=None):
        self._running, self._start = True, time.perf_counter()

    def on_test_begin(self, logs=None):
        self._stop()             # the validation of this epoch is no training step

    def on_epoch_end(self, epoch, logs=None):
        self._stop()

    def _stop(self):
        if self._running:
            self.seconds.append(time.perf_counter() - self._start)
            self._running = False


def load(dataset, seed):
    """The data set split 80 : 20 within each class, features scaled by the training rows' mean and deviation."""
    try:
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise missing("scikit-learn") from None
    module = import_module(f"fastnn.datasets.{dataset}")
    (x_train, y_train), (x_test, y_test) = module.load_data(seed=seed)
    scaler = StandardScaler().fit(x_train)
    return Data(scaler.transform(x_train), scaler.transform(x_test), y_train, y_test, module.CLASS_NAMES)


def build(features, hidden, classes):
    """A net of relu layers with a softmax over the classes, compiled."""
    model = fastnn.Sequential([fastnn.Input((features,))])
    for units in hidden:
        model.add(fastnn.layers.Dense(units, activation="relu"))
    model.add(fastnn.layers.Dense(classes, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(options):
    """Train, report, draw."""
    given = [name for name in FOR_TABLES if getattr(options, name) is not None]
    if options.source not in DEFAULTS:
        if not options.target:
            raise CommandError(f"{options.source}: --target is missing: the name of the column to predict", 2)
        from . import train_file
        train_file.run(options)
    elif given:
        raise CommandError(f"--{given[0]} is for a CSV file, not for {options.source}", 2)
    else:
        train_known(options)


def train_known(options):
    """The same on a known data set."""
    data = load(options.source, options.seed)
    epochs = options.epochs or DEFAULTS[options.source]["epochs"]
    batch_size = options.batch_size or BATCH_SIZE
    fastnn.utils.set_random_seed(options.seed)
    model = build(data.x_train.shape[1], options.hidden or DEFAULTS[options.source]["hidden"], len(data.class_names))
    model.summary()
    clock = StepClock()
    history = model.fit(data.x_train, data.y_train, batch_size=batch_size, epochs=epochs, verbose=0,
                        validation_data=(data.x_test, data.y_test), callbacks=[clock])
    report(options, data, history, model.predict(data.x_test, verbose=0).argmax(axis=1))
    rows = len(data.x_train)
    step = statistics.median(clock.seconds) / -(-rows // batch_size)
    print(f"{options.source}: {count(rows, 'row')}, {count(epochs, 'epoch')}, {step * 1e6:.1f} µs a step, "
          f"{process_seconds():.2f} s since the process started")


def report(options, data, history, predicted):
    """Print how each class of the test rows was predicted; draw the two pictures."""
    from sklearn.metrics import classification_report
    print(f"\n{count(len(data.y_test), 'test row')}:")
    print(classification_report(data.y_test, predicted, target_names=data.class_names, zero_division=0))
    save_pictures(options.out or f"fastnn-{options.source}", {
        "learning-curves.png": lambda figure: draw_curves(history, figure),
        "confusion-matrix.png": lambda figure: plotting.confusion_matrix(data.y_test, predicted, data.class_names,
                                                                         ax=figure.subplots()),
    })


def draw_curves(history, figure):
    """The loss on the left, the accuracy on the right."""
    for metric, ax in zip(("loss", "accuracy"), figure.subplots(1, 2), strict=True):
        plotting.learning_curves(history, metric, ax=ax)
