"""What a class of the user's overrides: taken, or refused when the class is defined, but never passed over in silence.

A class of this library says what it computes twice: in Python, and lowered into operations. Of the two that counts
which is said by the class nearer to the one in question.
"""
from __future__ import annotations

from collections.abc import Set
from typing import Any

PACKAGE = f"{__name__.partition('.')[0]}."


def nearest(cls: type, written: Set[str], lowered: Set[str]) -> str | None:
    """One of the methods ``written``, if a class defines it that is nearer than the first to define one of
    ``lowered``."""
    for base in cls.__mro__:
        if vars(base).keys() & lowered:
            return None
        found = vars(base).keys() & written
        if found:
            return min(found)
    return None


def written_first(cls: type, base: type, written: Set[str], lowered: Set[str]) -> None:
    """Give ``cls`` the methods ``lowered`` of ``base``, which call those ``written``, where a user's class overrides
    one of these."""
    if not _ours(cls) and nearest(cls, written, lowered):
        for name in lowered:
            setattr(cls, name, vars(base)[name])


def refuse(cls: type, names: Set[str], advice: str) -> None:
    """Raise NotImplementedError if a user's class among the bases of ``cls`` has one of these methods, which Keras
    would call and fastnn does not."""
    for base in cls.__mro__:
        found = vars(base).keys() & names
        if found and base is not object and not _ours(base):
            raise NotImplementedError(f"{base.__name__}.{min(found)} would never be called: {advice}")


def by_user(function: Any) -> bool:
    """Whether a method or function is the user's own; False for None."""
    return function is not None and not _ours(function)


def _ours(cls: Any) -> bool:
    return f"{cls.__module__}.".startswith(PACKAGE)
