"""A CSV file as columns of numbers and texts, or one line that says what is wrong with it.

The first line names the columns; comma, semicolon or tab separates them, whichever that line has most of. A file of
numbers alone goes through NumPy's reader in C; one with texts through the csv module.
"""
from __future__ import annotations

import codecs
import csv
import os
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import CommandError, count, unknown

SEPARATORS = ",;\t"
ENCODING = "utf-8-sig"                    # with or without a mark at the beginning
BYTE_ORDER_MARKS = {"UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),      # it begins as that of UTF-16 does
                    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)}
MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
NO_HINTS = {"missing": "", "text": ""}


class Table:
    """Columns by name, in the order of the file: float64 arrays, or lists of texts."""

    def __init__(self, path: str, separator: str, columns: dict[str, Any], rows: int):
        self.path, self.separator, self.columns, self.rows = path, separator, columns, rows

    def line(self, row: int) -> int:
        """The line of the file in which a row begins, the first is 1; the file is read again for it."""
        return _line(self.path, self.separator, row)


def check_column(path: str, name: str, names: Iterable[str]) -> None:
    """Raise CommandError, naming the nearest, unless there is a column of that name."""
    if name not in names:
        raise wrong(path, unknown("column", name, list(names)))


def wrong(path: str, text: str) -> CommandError:
    """The error for a file that cannot be used."""
    return CommandError(f"{path}: {text}", 2)


def no_utf8(data: bytes, place: int) -> str:
    """What bytes are that cannot be read as UTF-8 from ``place`` on; UTF-16 and UTF-32 say so themselves."""
    for name, marks in BYTE_ORDER_MARKS.items():
        if place < 4 and data.startswith(marks):
            return f"is in {name}, not in UTF-8"
    return "is no UTF-8 text"


def read(path: str, wanted: Callable[[list[str]], Iterable[str]], texts: Collection[str] = (),
         hints: Mapping[str, str] = NO_HINTS) -> Table:
    """The table in a file. Raises CommandError for whatever is no table of numbers and texts.

    wanted: says which of the columns to read, given the names of all; it may raise CommandError.
    A first column without a name, as pandas writes its index, is left out, with a line on stderr.
    texts: columns that are taken as texts, even where they hold numbers.
    hints: what else a caller offers against a value that is missing, or a text among numbers.
    """
    if os.path.isdir(path):
        raise wrong(path, "is a folder; expected a CSV file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise wrong(path, "is no regular file; expected a CSV file")
    try:
        names, separator, lines = _header(path)
        chosen = list(wanted(names if names[0] else names[1:]))
        places = [names.index(name) for name in chosen]
        numbers = None if texts else _read_numbers(path, separator, lines, len(names), places)
        if numbers is None:
            cells = _read_cells(path, separator, names)
            columns = {name: _column(path, separator, name, [row[i] for row in cells], name in texts, hints)
                       for name, i in zip(chosen, places)}
            table = Table(path, separator, columns, len(cells))
        else:
            table = Table(path, separator, dict(zip(chosen, numbers.T)), len(numbers))
    except OSError as error:
        raise wrong(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise wrong(path, f"{no_utf8(error.object, error.start)} (byte {byte:#04x}); save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise wrong(path, f"is no CSV file: {error}") from None
    if not names[0]:
        print(f"fastnn: {path}: column 1 has no name and is left out, as the index that pandas writes without "
              "to_csv(index=False)", file=sys.stderr)
    return table


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
    named = names if names[0] else names[1:]
    by_pandas = not names[0] and named == [str(i) for i in range(len(named))]       # its names where none are given
    if all(_is_number(name) for name in named) and not by_pandas:
        raise wrong(path, f"the first line must name the columns, got numbers: {', '.join(names)[:60]}")
    for i, name in enumerate(names):
        if i and not name:
            raise wrong(path, f"column {i + 1} has no name in the first line; an index of pandas is left out by "
                              "to_csv(index=False)")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise wrong(path, f"{times} columns are named {name!r}")


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


def _read_cells(path: str, separator: str, names: list[str]) -> list[list[str]]:
    """The texts of all rows, each row as long as the first line."""
    with open(path, encoding=ENCODING, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        next(reader)
        rows = []
        for row in reader:
            if len(row) == len(names):
                rows.append(row)
            elif row:                                        # an empty line is none
                raise wrong(path, f"line {_line(path, separator, len(rows))} has {count(len(row), 'value')}, the first "
                                  f"line {count(len(names), 'column')}")
    return rows


def _line(path: str, separator: str, wanted: int) -> int:
    """The line in which the row of this number begins: empty lines are no rows, and a row may take several lines."""
    with open(path, encoding=ENCODING, newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        next(reader)
        row, before = 0, reader.line_num
        for cells in reader:
            if cells and row == wanted:
                break
            row, before = row + bool(cells), reader.line_num
    return before + 1


def _column(path: str, separator: str, name: str, cells: list[str], as_texts: bool, hints: Mapping[str, str]):
    """A column of numbers, or of texts if no cell is a number. Raises CommandError for a cell that is missing."""
    numbers = [not as_texts and _is_number(cell) for cell in cells]
    if not as_texts and separator != ",":
        _check_commas(path, separator, name, cells, numbers)
    if not any(numbers):
        texts = [cell.strip() for cell in cells]
        if "" in texts:
            raise wrong(path, _missing(name, _line(path, separator, texts.index("")), "", hints))
        return texts
    if all(numbers):
        return np.array([float(cell) for cell in cells])
    row = numbers.index(False)
    cell = cells[row].strip()
    line = _line(path, separator, row)
    if cell.lower() in MISSING:
        raise wrong(path, _missing(name, line, cell, hints))
    raise wrong(path, f"column {name!r}, line {line}: expected a number as in other rows, got {cell!r:.60}; correct "
                      f"it{hints['text'].format(as_option(name))}")


def _check_commas(path: str, separator: str, name: str, cells: list[str], numbers: list[bool]) -> None:
    """Raise CommandError for a column of numbers with decimal commas, which would be taken for categories."""
    commas = [bool(DECIMAL_COMMA.fullmatch(cell)) for cell in cells]
    if any(commas) and all(a or b for a, b in zip(numbers, commas)):
        row = commas.index(True)
        raise wrong(path, f"column {name!r}, line {_line(path, separator, row)}: {cells[row].strip()!r} has a decimal "
                          f"comma; write {cells[row].strip().replace(',', '.')!r}, or, for a category, use "
                          f"--categories {as_option(name)}")


def _missing(name: str, line: int, cell: str, hints: Mapping[str, str]) -> str:
    what = f" ({cell!r})" if cell else ""
    return (f"column {name!r}, line {line}: the value is missing{what}; fill or remove such rows"
            f"{hints['missing'].format(as_option(name))}")


def as_option(name: str) -> str:
    """The name of a column as an option takes it, quotes included."""
    return repr('"{}"'.format(name.replace('"', '""')) if set(name) & {",", '"'} else name)


def _is_number(text: str) -> bool:
    """Whether a cell is a finite number; 1_0, which Python takes for one, is a name."""
    try:
        return "_" not in text and bool(np.isfinite(float(text)))
    except ValueError:
        return False
