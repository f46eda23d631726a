"""What is raised when a model file cannot be read."""
from __future__ import annotations

LONGEST = 400        # characters of a text: a file may hold long names, and a text is read by people


class ModelFileError(ValueError):
    """A model file that is broken, hostile, made by something else, or for another model; nothing has changed."""


def fault(where: str, text: str) -> ModelFileError:
    """The error for a file: its name, then the first fault, on one line of printable characters."""
    line = "".join(c if c.isprintable() else "?" for c in f"{where}: {text}")
    return ModelFileError(line if len(line) <= LONGEST else line[:LONGEST - 3] + "...")
