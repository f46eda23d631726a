"""Train a net on a CSV file, a text, or on iris (default) or digits, and show how well it learned.

A CSV file: its first line names the columns; --target is the one to predict, a number or classes; the others are
numbers or categories. A fifth of the rows is held out to test the net. The folder gets the model, for `fastnn predict`,
and pictures; a model that is there already is kept by another name. A text in UTF-8 with `--model lstm` (gru, rnn): the
net learns which word, or with --chars which character, comes next, for `fastnn generate`; what is held out of the text
measures it beside n-grams. `fastnn train text` takes scikit-learn's descriptions of its data sets. iris and digits:
data, split, scaling and report come from scikit-learn; digits with `--model cnn` are enlarged to 28 x 28 pixels and
learned with copies that are moved by a pixel, by two convolutions, each with a pooling behind it.

Draws the learning curves and the confusion matrix of the test rows. The last line gives rows, epochs, time of a
training step (median over the epochs, validation not counted) and seconds since the process started.
"""
import os
import statistics
import time
from collections import namedtuple
from importlib import import_module

import fastnn
from fastnn import layers, plotting
from fastnn.cli import CommandError, count, file_name, missing, names, one_of, process_seconds, seed, whole, wholes
from fastnn.cli.folder import PICTURES, check_folder, save_pictures

BATCH_SIZE = 32
# Enough epochs for the learning curve to be flat, and still over within a second.
DEFAULTS = {"iris": {"epochs": 50, "hidden": [64, 64]}, "digits": {"epochs": 30, "hidden": [128, 64]},
            "digits as pictures": {"epochs": 5, "hidden": [128]}}
KNOWN = ("iris", "digits", "text")
TEXT_MODELS = ("lstm", "gru", "rnn")
FILTERS = (32, 64)               # of the convolutions
BRIGHTEST = 16                   # value of a pixel
MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))       # pixels down and to the right; two around are black

FOR_TABLES = ("target", "task", "categories", "ignore")       # options that neither a known data set nor a text takes


def source(text):
    """An argparse type: a known data set, or the path of a file."""
    return text if os.path.exists(text) or os.path.splitext(text)[1] or os.sep in text else known(text)


known = one_of("dataset", list(KNOWN))
OPTIONS = {
    "source": {"nargs": "?", "type": source, "metavar": "DATA",
               "help": "the CSV file or text to learn from; or iris, digits or text (default: iris, with --model lstm, "
                       "gru or rnn text)"},
    "--target": {"metavar": "COLUMN", "help": "the column of the table to predict"},
    "--task": {"type": one_of("task", ["classes", "number"]), "metavar": "TASK",
               "help": "classes or number (default: classes for texts and for up to 20 different whole numbers)"},
    "--categories": {"type": names, "metavar": "COLUMN[,...]", "help": "columns whose numbers are only names"},
    "--ignore": {"type": names, "metavar": "COLUMN[,...]", "help": "columns to leave out"},
    "--model": {"type": one_of("model", ["mlp", "cnn", *TEXT_MODELS]), "metavar": "MODEL",
                "help": "for digits: mlp, dense layers alone, or cnn, convolutions before them (default: mlp); for a "
                        "text: lstm, gru or rnn (default: lstm)"},
    "--chars": {"action": "store_true", "help": "learn a text character by character"},
    "--epochs": {"type": whole, "metavar": "N",
                 "help": "passes over the training rows (default: 50 iris, 30 digits, 5 as pictures, a table 100, 20 "
                         "if it is large; a text at most 40)"},
    "--batch-size": {"type": whole, "metavar": "N",
                     "help": "rows of a step (default: 32, 256 for a large table, 64 for a large text)"},
    "--hidden": {"type": wholes, "metavar": "N[,N...]",
                 "help": "units of the hidden layers (default: 64,64 iris, 128,64 digits, 128 as pictures, 64 a "
                         "table, 256 a text)"},
    "--seed": {"type": seed, "default": 0, "metavar": "N",
               "help": "seed of the split, the weights and the shuffling (default: 0)"},
    "--out": {"type": file_name, "metavar": "DIR",
              "help": "folder for the pictures, and for a table or text the model; one that is there is kept by "
                      "another name (default: fastnn-iris, fastnn-FILE, ...)"},
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


def load_pictures(seed):
    """The digits as pictures of 28 x 28 pixels from 0 to 1, split likewise; those to train with moved about as well."""
    import numpy as np

    from fastnn.datasets import digits
    try:
        (x_train, y_train), (x_test, y_test) = digits.load_data(seed=seed, size=28)
    except ImportError:
        raise missing("scikit-learn") from None
    x_train, x_test = (x[..., None] / BRIGHTEST for x in (x_train, x_test))
    x_train = np.concatenate([np.roll(x_train, move, (1, 2)) for move in MOVES])
    return Data(x_train, x_test, np.tile(y_train, len(MOVES)), y_test, digits.CLASS_NAMES)


def build(shape, hidden, classes):
    """A net of relu layers with a softmax over the classes, for pictures with convolutions before them, compiled."""
    model = fastnn.Sequential([fastnn.Input(shape)])
    if len(shape) > 1:
        for filters in FILTERS:
            model.add(layers.Conv2D(filters, (3, 3), activation="relu"))
            model.add(layers.MaxPooling2D())
        model.add(layers.Flatten())
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(classes, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(options):
    """Train, report, draw."""
    try:
        choose(options)
    except MemoryError as error:
        asked = f"--hidden {','.join(map(str, options.hidden))}: " if options.hidden else ""
        raise CommandError(f"{asked}not enough memory: {error}") from None


def choose(options):
    """Train on what the options name."""
    given = [name for name in FOR_TABLES if getattr(options, name) is not None]
    if options.source == "text" or options.chars or options.model in TEXT_MODELS:
        from . import train_text
        return train_text.run(options)
    options.source = options.source or "iris"
    if options.model and options.source != "digits":
        raise CommandError(f"--model {options.model} is for digits, not for {options.source}", 2)
    if options.source not in KNOWN:
        if not options.target:
            from .text import read
            read(options.source)           # a file that is not there, or is no text, is what to complain of
            raise CommandError(f"{options.source}: --target is missing: the name of the column to predict; --model "
                               "lstm takes the file as a text", 2)
        from . import train_file
        train_file.run(options)
    elif given:
        raise CommandError(f"--{given[0]} is for a CSV file, not for {options.source}", 2)
    else:
        train_known(options)


def train_known(options):
    """The same on a known data set."""
    pictures = options.model == "cnn"
    options.out = options.out or f"fastnn-{options.source}"
    check_folder(options.out, PICTURES)
    data = load_pictures(options.seed) if pictures else load(options.source, options.seed)
    defaults = DEFAULTS["digits as pictures" if pictures else options.source]
    epochs = options.epochs or defaults["epochs"]
    batch_size = options.batch_size or BATCH_SIZE
    fastnn.utils.set_random_seed(options.seed)
    model = build(data.x_train.shape[1:], options.hidden or defaults["hidden"], len(data.class_names))
    model.summary()
    clock = StepClock()
    history = model.fit(data.x_train, data.y_train, batch_size=batch_size, epochs=epochs, verbose=0,
                        validation_data=(data.x_test, data.y_test), callbacks=[clock])
    report(options, data, history, model, pictures)
    rows = len(data.x_train)
    step = statistics.median(clock.seconds) / -(-rows // batch_size)
    print(f"{options.source}: {count(rows, 'row')}, {count(epochs, 'epoch')}, {step * 1e6:.1f} µs a step, "
          f"{process_seconds():.2f} s since the process started")


def report(options, data, history, model, pictures):
    """Print how each class of the test rows was predicted; draw what happened, and what the convolutions see."""
    from sklearn.metrics import classification_report
    predicted = model.predict(data.x_test, verbose=0).argmax(axis=1)
    print(f"\n{count(len(data.y_test), 'test row')}:")
    print(classification_report(data.y_test, predicted, target_names=data.class_names, zero_division=0))
    drawings = {
        "learning-curves.png": lambda figure: draw_curves(history, figure),
        "confusion-matrix.png": lambda figure: plotting.confusion_matrix(data.y_test, predicted, data.class_names,
                                                                         ax=figure.subplots()),
    }
    if pictures:
        drawings["filters.png"] = lambda figure: plotting.filters(model.layers[0], ax=figure.subplots())
        drawings["feature-maps.png"] = lambda figure: plotting.feature_maps(model, data.x_test[0], 0,
                                                                            ax=figure.subplots())
    save_pictures(options.out, drawings, PICTURES)


def draw_curves(history, figure):
    """The loss on the left, the accuracy on the right."""
    for metric, ax in zip(("loss", "accuracy"), figure.subplots(1, 2), strict=True):
        plotting.learning_curves(history, metric, ax=ax)
