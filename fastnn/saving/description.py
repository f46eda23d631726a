"""The description in a model file: strict JSON, small, and plain data in known places.

A description may come from a stranger. So it is bounded before it is parsed, and what is parsed holds only what this
version writes: no duplicate keys, no NaN or infinity, no long strings outside the notes, no deep nesting.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

LARGEST = 4 * 2**20        # bytes
MOST_MEMORY = 12 * 2**20   # bytes of the objects that it becomes, by what each of these costs at most while it is read
COST = {b",": 56, b'"': 32, b"[": 120, b"{": 120, b":": 250}
DEEPEST = 64               # lists and objects within each other
LONGEST_STRING = 1000      # characters; not in the notes
DTYPES = (None, "float32", "float64", "int32", "int64", "uint8", "bool")


class BadDescription(ValueError):
    """What is wrong with a description."""


def encode(description: dict[str, Any]) -> bytes:
    """The description as JSON; ValueError for what JSON or this format cannot hold."""
    try:
        data = json.dumps(description, allow_nan=False, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadDescription(f"its description cannot be written as JSON: {error}") from None
    if decode(data) != description:
        raise BadDescription("its description holds what JSON would change, such as keys that are no strings")
    return data


def decode(data: bytes) -> dict[str, Any]:
    """The description of these bytes; BadDescription says what is wrong with them."""
    if len(data) > LARGEST:
        raise BadDescription(f"its description has {len(data)} bytes, more than {LARGEST}")
    memory = sum(data.count(sign) * cost for sign, cost in COST.items())
    if memory > MOST_MEMORY:
        raise BadDescription(f"its description holds too many values: objects of {memory} bytes, more than "
                             f"{MOST_MEMORY}; large arrays go in as weights, with set_weights, not as settings")
    try:
        text = data.decode("utf-8", "strict")
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float,
                           parse_int=_int)
    except UnicodeDecodeError as error:
        raise BadDescription(f"its description is no UTF-8 text: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise BadDescription("its description is nested too deep") from None
    except json.JSONDecodeError as error:
        raise BadDescription(f"its description is no JSON: {error.msg} at character {error.pos}") from None
    if type(found) is not dict:
        raise BadDescription(f"its description must be a JSON object, got {type(found).__name__}")
    for key, value in found.items():
        _check(key, value, key == "notes")
    return found


def fields(value: Any, where: str, *names: str) -> list[Any]:
    """The values of an object that has exactly these keys, in this order."""
    if type(value) is not dict or set(value) != set(names):
        got = sorted(value) if type(value) is dict else type(value).__name__
        raise BadDescription(f"{where} must have the keys {', '.join(names)}, got {got!s:.120}")
    return [value[name] for name in names]


def whole(value: Any, where: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """An int of a description (True is none) within bounds."""
    if type(value) is not int or not least <= value <= most:
        raise BadDescription(f"{where} must be a whole number from {least} to {most}, got {value!r:.60}")
    return value


def kind(value: Any, where: str, *types: type) -> Any:
    """A value of one of these types exactly."""
    if type(value) not in types:
        raise BadDescription(f"{where} must be {' or '.join(t.__name__ for t in types)}, got {value!r:.60}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadDescription("its description has a key twice in one object")
    return found


def _constant(name: str):
    raise BadDescription(f"its description holds {name}, which is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BadDescription(f"its description holds the number {text:.40}, beyond float64")
    return value


def _int(text: str) -> int:
    if len(text) > 20:
        raise BadDescription(f"its description holds the number {text:.40}, too large")
    return int(text)


def _check(name: str, value: Any, notes: bool) -> None:
    """Bounds that hold everywhere: depth, length of strings, names of dtypes."""
    for key, found, depth in _walk(name, value):
        if depth > DEEPEST:
            raise BadDescription(f"its description is nested deeper than {DEEPEST}")
        for text in (key, found):
            if isinstance(text, str):
                if len(text) > LONGEST_STRING and not notes:
                    raise BadDescription(f"its description holds a string of {len(text)} characters: {text:.40}")
                if any("\ud800" <= c <= "\udfff" for c in text):
                    raise BadDescription("its description holds half a surrogate pair")
        if key == "trainable" and not notes and type(found) is not bool:
            raise BadDescription(f"`trainable` in its description must be true or false, got {found!r:.40}")
        if key == "dtype" and not notes and (isinstance(found, (list, dict)) or found not in DTYPES):
            raise BadDescription(f"`dtype` in its description must be one of {', '.join(map(str, DTYPES))}, got "
                                 f"{found!r:.40}")


def _walk(name: str, value: Any) -> Iterator[tuple[str | None, Any, int]]:
    """(key, value, depth) of everything in it but numbers in lists, without recursion."""
    yield name, value, 0
    stack = [_inside(value)]
    while stack:
        for key, found in stack[-1]:
            yield key, found, len(stack)
            if isinstance(found, (dict, list)):
                stack.append(_inside(found))
                break
        else:
            stack.pop()


def _inside(value: Any) -> Iterator[tuple[str | None, Any]]:
    """(key, value) of what is in it, but for numbers in a list."""
    if isinstance(value, dict):
        return iter(value.items())
    return ((None, v) for v in value if type(v) is not float and type(v) is not int) if isinstance(value, list) else (
        iter(()))
