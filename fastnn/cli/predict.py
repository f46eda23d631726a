"""Predict for the rows of a CSV file with a model that `fastnn train FILE.csv` saved.

Columns are found by their names; others than those the model takes are passed over. Writes CSV: the target for each
row and, for classes, the probability of the class. A category that the model does not know counts as none of those it
knows; a line on stderr says so.
"""
import csv
import io
import os
import sys
import textwrap

import numpy as np

from . import CommandError, count, file_name
from .columns import from_notes
from .folder import MODEL
from .table import read, wrong

LISTED = 200          # characters of names of columns
OPTIONS = {
    "model": {"metavar": "MODEL", "help": "model file, as `fastnn train FILE.csv` writes, or the folder it is in"},
    "file": {"metavar": "FILE.csv", "help": "table with the columns that the model takes"},
    "--out": {"type": file_name, "metavar": "FILE", "help": "file for the predictions (default: standard output)"},
}


def run(options):
    """Read both files, predict, write."""
    model = load(options.model)
    inputs, target, labels = from_notes(model, options.model)
    if options.out is not None and os.path.isdir(options.out):
        raise CommandError(f"--out {options.out!r}: is a folder; expected the name of a file", 2)
    for kind, path in (("model", options.model), ("table", options.file)):
        if options.out is not None and os.path.exists(options.out) and os.path.samefile(options.out, path):
            raise CommandError(f"--out {options.out!r}: is the {kind} itself; give another name", 2)

    def wanted(names):
        for name in inputs.categories:
            if name not in names:
                has = textwrap.shorten(", ".join(names), LISTED, placeholder=" ...")
                raise wrong(options.file, f"has no column {name!r}, which the model needs; it has {has}")
        return list(inputs.categories)

    texts = [name for name, known in inputs.categories.items() if known is not None]
    table = read(options.file, wanted, texts)
    predicted = model.predict(inputs.encode(table), batch_size=1024, verbose=0)
    lost = ~np.isfinite(predicted).all(axis=1)
    if lost.any():
        raise wrong(options.model, f"gives no finite number for {count(int(lost.sum()), 'row')} of {options.file}, the "
                                   f"first in line {table.line(int(lost.argmax()))}: its weights are NaN or infinite, "
                                   "or the row holds too large a number")
    lines = rows(predicted, target, labels)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    data = text.getvalue().encode()           # UTF-8 wherever it goes: it is read by programs
    if options.out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write(options.out, data)


def write(path, data):
    """Write a file whole or not at all; into what is no file, such as a pipe, as it comes."""
    from fastnn.saving import atomic
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as stream:
                stream.write(data)
        else:
            atomic.write(path, data)
    except OSError as error:
        raise CommandError(f"cannot write {path!r}: {error.strerror or error}", 2) from None


def load(path):
    """The model in a file, or in the folder that `fastnn train` made; CommandError for whatever is none."""
    import fastnn
    if os.path.isdir(path):
        path, folder = os.path.join(path, MODEL), path
        if not os.path.isfile(path):
            raise CommandError(f"{folder}: is a folder without {MODEL}; expected a model file", 2)
    try:
        return fastnn.models.load_model(path)
    except fastnn.ModelFileError as error:
        raise CommandError(str(error), 2) from None
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror or error}", 2) from None


def rows(predicted, target, labels):
    """The lines of the result, the names of its columns first."""
    from .train_file import classes
    if labels is None:
        return [[target], *([str(value)] for value in predicted[:, 0])]
    found = classes(predicted)
    second = predicted[:, 0] if predicted.shape[1] == 1 else None
    sure = predicted[range(len(found)), found] if second is None else [p if c else 1 - p for p, c in zip(second, found)]
    return [[target, "probability"], *([labels[c], f"{p:.4f}"] for c, p in zip(found, sure))]
