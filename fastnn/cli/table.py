"""A CSV file as columns of numbers and texts, or one line that says what is wrong with it.

The first line names the columns; comma, semicolon or tab separates them, whichever that line has most of. A file of
numbers alone goes through NumPy's reader in C; one with texts through the csv module.
"""
from __future__ import annotations

import csv
import os
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import CommandError, unknown

SEPARATORS = ",;\t"
ENCODING = "utf-8-sig"                    # with or without a mark at the beginning
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
NO_HINTS = {"missing": "", "text": ""}


class Table:
    """Columns by name, in the order of the file: float64 arrays, or lists of texts."""

    def __init__(self, path: str, columns: dict[str, Any], rows: int):
        self.path, self.columns, self.rows = path, columns, rows


def check_column(path: str, name: str, names: Iterable[str]) -> None:
    """Raise CommandError, naming the nearest, unless there is a column of that name."""
    if name not in names:
        raise wrong(path, unknown("column", name, list(names)))


def wrong(path: str, text: str) -> CommandError:
    """The error for a file that cannot be used."""
    return CommandError(f"{path}: {text}", 2)


def read(path: str, wanted: Callable[[list[str]], Iterable[str]], texts: Collection[str] = (),
         hints: Mapping[str, str] = NO_HINTS) -> Table:
    """The table in a file. Raises CommandError for whatever is no table of numbers and texts.

    wanted: says which of the columns to read, given the names of all; it may raise CommandError.
    texts: columns that are taken as texts, even where they hold numbers.
    hints: what else a caller offers against a value that is missing, or a text among numbers.
    """
    if os.path.isdir(path):
        raise wrong(path, "is a folder; expected a CSV file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise wrong(path, "is no regular file; expected a CSV file")
    try:
        names, separator, lines = _header(path)
        chosen = list(wanted(names))
        places = [names.index(name) for name in chosen]
        numbers = None if texts else _read_numbers(path, separator, lines, len(names), places)
        if numbers is not None:
            return Table(path, dict(zip(chosen, numbers.T)), len(numbers))
        cells = _read_cells(path, separator, lines, names)
    except OSError as error:
        raise wrong(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise wrong(path, f"is no UTF-8 text (byte {byte:#04x}); save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise wrong(path, f"is no CSV file: {error}") from None
    columns = {name: _column(path, name, [row[i] for row in cells], name in texts, hints)
               for name, i in zip(chosen, places)}
    return Table(path, columns, len(cells))


def _header(path: str) -> tuple[list[str], str, int]:
    """(names of the columns, what separates them, the number of lines they take)."""
    with open(path, encoding=ENCODING, newline="") as file:
        first = file.readline()
        separator = max(SEPARATORS, key=first.count)
        file.seek(0)
        reader = csv.reader(file, delimiter=separator, strict=True)
        names = [name.strip() for name in next(reader, [])]
        lines = reader.line_num
        if not any(names):
            raise wrong(path, "is empty; expected a line with the names of the columns, then rows")
        _check_names(path, names)
        if not any(reader):
            raise wrong(path, "has no rows below the names of its columns")
        return names, separator, lines


def _check_names(path: str, names: list[str]) -> None:
    if all(_is_number(name) for name in names):
        raise wrong(path, f"the first line must name the columns, got numbers: {', '.join(names)[:60]}")
    for i, name in enumerate(names):
        if not name:
            raise wrong(path, f"column {i + 1} has no name in the first line")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise wrong(path, f"{count} columns are named {name!r}")


def _read_numbers(path: str, separator: str, lines: int, columns: int, places: list[int]) -> np.ndarray | None:
    """The numbers (rows, places) of a file that has no others; None for any other, which the csv module looks into."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)             # "input contained no data"
            values = np.loadtxt(Path(path).resolve(), delimiter=separator, skiprows=lines, comments=None, quotechar='"',
                                encoding=ENCODING, ndmin=2)
    except UnicodeDecodeError:
        raise
    except ValueError:
        return None
    if values.shape[1] != columns or not np.isfinite(values).all():
        return None
    return values if places == list(range(columns)) else values[:, places]


def _read_cells(path: str, separator: str, lines: int, names: list[str]) -> list[list[str]]:
    """The texts of all rows, each row as long as the first line."""
    with open(path, encoding=ENCODING, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        next(reader)
        rows = []
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif row:                                        # an empty line is none
                raise wrong(path, f"line {reader.line_num} has {len(row)} values, the first line {len(names)} columns")
    return rows


def _column(path: str, name: str, cells: list[str], as_texts: bool, hints: Mapping[str, str]):
    """A column of numbers, or of texts if no cell is a number. Raises CommandError for a cell that is missing."""
    numeric = not as_texts and any(map(_is_number, cells))
    if not numeric:
        texts = [cell.strip() for cell in cells]
        if "" in texts:
            raise wrong(path, _missing(name, texts.index(""), "", hints))
        return texts
    try:
        numbers = np.array([float(cell) for cell in cells])
        if np.isfinite(numbers).all():
            return numbers
    except ValueError:
        pass
    row, cell = next((i, cell.strip()) for i, cell in enumerate(cells) if not _is_number(cell))
    if cell.lower() in MISSING:
        raise wrong(path, _missing(name, row, cell, hints))
    raise wrong(path, f"column {name!r}, row {row + 1}: expected a number as in other rows, got {cell!r:.60}; correct "
                      f"it{hints['text'].format(name)}")


def _missing(name: str, row: int, cell: str, hints: Mapping[str, str]) -> str:
    what = f" ({cell!r})" if cell else ""
    return (f"column {name!r}, row {row + 1}: the value is missing{what}; fill or remove such rows"
            f"{hints['missing'].format(name)}")


def _is_number(text: str) -> bool:
    """Whether a cell is a finite number."""
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
