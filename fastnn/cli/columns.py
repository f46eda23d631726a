"""The columns of a table as the inputs of a net: numbers as they are, categories as one 0 or 1 for each.

How is kept as plain data in the notes of the model, so that new tables are read alike.
"""
from __future__ import annotations

import sys
from typing import Any

import numpy as np

from . import count
from .table import Table, as_option, wrong

MOST_CATEGORIES = 256


class Inputs:
    """The input columns of a net: {name: its categories, or None for numbers}."""

    def __init__(self, categories: dict[str, list[str] | None]):
        self.categories = categories

    @classmethod
    def of(cls, table: Table, target: str) -> Inputs:
        """Those of all columns but the target. Raises CommandError where a column of texts holds no categories."""
        found: dict[str, list[str] | None] = {}
        for name, values in table.columns.items():
            if name == target:
                continue
            names = sorted(set(values)) if isinstance(values, list) else None
            if names and (len(names) > MOST_CATEGORIES or len(names) == table.rows > 2):
                raise wrong(table.path, f"column {name!r} holds {len(names)} different texts in {table.rows} rows, too "
                                        f"many for categories; leave it out with --ignore {as_option(name)}")
            found[name] = names
        if not found:
            raise wrong(table.path, f"there is no column beside the target {target!r}")
        return cls(found)

    @property
    def width(self) -> int:
        """The number of inputs."""
        return sum(len(names) if names else 1 for names in self.categories.values())

    def encode(self, table: Table) -> np.ndarray:
        """The inputs, float32 (rows, width). A category that was not in the table the net learned from is no category:
        a line on stderr says so. Raises CommandError for texts among numbers.
        """
        x = np.zeros((table.rows, self.width), np.float32)
        place = 0
        for name, known in self.categories.items():
            values = table.columns[name]
            if known is None:
                x[:, place] = self._numbers(table, name, values)
                place += 1
            else:
                self._one_hot(x, place, name, values, known)
                place += len(known)
        return x

    @staticmethod
    def _numbers(table: Table, name: str, values) -> np.ndarray:
        if isinstance(values, list):
            raise wrong(table.path, f"column {name!r}, line {table.line(0)}: expected numbers as in the table the "
                                    f"model learned from, got {values[0]!r:.60}")
        if abs(values).max(initial=0) > np.finfo(np.float32).max:
            row = int(abs(values).argmax())
            raise wrong(table.path, f"column {name!r}, line {table.line(row)} holds {values[row]:g}, beyond float32")
        return values

    @staticmethod
    def _one_hot(x: np.ndarray, place: int, name: str, values, known: list[str]) -> None:
        places = {category: place + i for i, category in enumerate(known)}
        columns = np.array([places.get(value, -1) for value in values])
        rows = np.flatnonzero(columns >= 0)
        x[rows, columns[rows]] = 1
        if len(rows) < len(columns):
            first = values[int(np.flatnonzero(columns < 0)[0])]
            strangers = len(columns) - len(rows)
            hold, they = ("holds", "it counts") if strangers == 1 else ("hold", "they count")
            print(f"fastnn: column {name!r}: {count(strangers, 'row')} {hold} a category that the model does not know, "
                  f"such as {first!r:.60}; {they} as none of its categories", file=sys.stderr)

    def scale(self, x: np.ndarray) -> tuple[list[float], list[float]]:
        """(means, variances) of the inputs that are numbers; 0 and 1 for categories and where all rows are equal."""
        mean = x.mean(axis=0, dtype=np.float64)
        variance = x.var(axis=0, dtype=np.float64)
        numeric = np.concatenate([[known is None] * (len(known) if known else 1) for known in self.categories.values()])
        varied = numeric & (x != x[0]).any(axis=0)
        return np.where(numeric, mean, 0.0).tolist(), np.where(varied, variance, 1.0).tolist()


def target_of(values, as_classes: bool) -> tuple[np.ndarray, list[str] | None]:
    """(y, labels): class numbers with the names of the classes, or numbers and None."""
    if not as_classes:
        return np.asarray(values), None
    if isinstance(values, list):
        labels, y = np.unique(np.array(values), return_inverse=True)
        return y, labels.tolist()
    numbers, y = np.unique(values, return_inverse=True)
    return y, [str(int(v)) if v == int(v) else str(v) for v in numbers.tolist()]


def notes_of(inputs: Inputs, target: str, labels: list[str] | None) -> dict[str, Any]:
    """What a model has to know to read another table."""
    return {"inputs": [[name, known] for name, known in inputs.categories.items()], "target": target, "labels": labels}


def from_notes(model, path: str) -> tuple[Inputs, str, list[str] | None]:
    """(inputs, target, labels) of a model that the command trained; CommandError for any other model."""
    try:
        notes = model.notes
        inputs, target, labels = Inputs(dict(notes["inputs"])), notes["target"], notes["labels"]
        lists = [names for names in (*inputs.categories.values(), labels) if names is not None]
        texts = [target, *inputs.categories, *(text for names in lists for text in names)]
        right = all(type(names) is list and names for names in lists) and all(type(text) is str for text in texts)
        outputs = len(labels) if labels and len(labels) > 2 else 1
        if right and model.input_shape == (None, inputs.width) and model.output_shape == (None, outputs):
            return inputs, target, labels
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise wrong(path, "the model does not say which columns it takes; one of `fastnn train FILE.csv` does")
