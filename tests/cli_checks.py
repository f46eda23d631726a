"""What the tests of the command share: tables, and the command run or refused."""
import csv
import io
from pathlib import Path

import numpy as np

from fastnn.cli import main

QUICK = ("--epochs", "2", "--hidden", "4")


def write(path, columns, separator=","):
    """A CSV file of named columns."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
    return str(path)


def houses(n=300, seed=0):
    """Columns of numbers and categories, with a price that follows from them and a kind that follows from the price."""
    rng = np.random.default_rng(seed)
    area, rooms = rng.uniform(20, 200, n).round(2), rng.integers(1, 6, n)
    city = rng.choice(["Oslo", "Paris", "Rome"], n)
    price = 3000 * area + np.where(city == "Paris", 200_000, 0) + 20_000 * rooms
    kind = np.where(price > np.median(price), "dear", "cheap")
    return {"area": area, "city": city, "rooms": rooms, "price": price.round(1), "kind": kind}


def numbers(n=40):
    """A table of numbers alone; y is a number."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, n))
    return {"a": a, "b": b, "y": 2 * a - b}


def ok(*arguments):
    """Run the command; it must succeed."""
    assert main([*map(str, arguments)]) == 0


def refused(capsys, *arguments):
    """The one line of a refused command, which has written nothing."""
    before = sorted(str(path) for path in Path().rglob("*"))
    assert main([*map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.endswith("\n")
    assert sorted(str(path) for path in Path().rglob("*")) == before
    return err[len("fastnn: "):-1]


def predictions(capsys, *arguments):
    """What ``fastnn predict`` writes, as rows of texts."""
    capsys.readouterr()
    ok("predict", *arguments)
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


def missing(column, line, what="", hint=True):
    """The text about a value that is missing."""
    return (f"column {column!r}, line {line}: the value is missing{what}; fill or remove such rows"
            + f", or leave the column out with --ignore {column!r}" * hint)


def no_number(column, line, cell):
    """The text about a text among numbers."""
    return (f"column {column!r}, line {line}: expected a number as in other rows, got {cell!r}; correct it, or "
            f"--categories {column!r} takes it as names")
