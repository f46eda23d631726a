"""Objects as plain data and back: a name, or {"class_name": ..., "config": {...}}, found in a literal table.

``Described`` gives a class ``get_config``, ``from_config`` and ``describe``; ``Registry`` is what a module's ``get``
and ``serialize`` are made of. Nothing is imported by name and nothing called but a class of the table or one that the
caller has handed over with ``custom_objects``: a description may come from a stranger's file.
"""
from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Generic, TypeVar

import numpy as np

from . import _spelling, backend

T = TypeVar("T")
_custom: ContextVar[Mapping[str, Any]] = ContextVar("custom objects")
_registered: dict[str, Any] = {}              # by the caller's own code, with register_keras_serializable
_seen: ContextVar[list[Described] | None] = ContextVar("objects described", default=None)


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Within it descriptions may name these classes and functions too: {name: object}; TypeError for anything else."""
    token = _custom.set({**_custom.get({}), **own_objects(custom_objects)})
    try:
        yield
    finally:
        _custom.reset(token)


def own_objects(custom_objects: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """``custom_objects`` as a mapping, empty for None. TypeError for what is no {name: class or function}."""
    if custom_objects is None:
        return {}
    if not isinstance(custom_objects, Mapping):
        raise TypeError("`custom_objects` must be a dict {name: class or function}, got "
                        f"{type(custom_objects).__name__}: {custom_objects!r:.60}")
    for name, thing in custom_objects.items():
        if not isinstance(name, str) or not callable(thing):
            raise TypeError("`custom_objects` must be a dict {name: class or function}, got "
                            f"{type(thing).__name__} {thing!r:.60} for {name!r:.60}")
    return custom_objects


def register_keras_serializable(package: str = "Custom", name: str | None = None):
    """A decorator: descriptions may name this class of yours, as ``name`` or as ``package>name``, in this process."""
    def register(cls):
        known_as = name or cls.__name__
        _registered[known_as] = _registered[f"{package}>{known_as}"] = cls
        return cls
    return register


def get_custom_objects() -> dict[str, Any]:
    """What ``register_keras_serializable`` has registered, {name: object}: the dict itself, to add to or to clear."""
    return _registered


def custom(name: str) -> Any:
    """What the caller has handed over under this name, or None."""
    return _custom.get({}).get(name, _registered.get(name))


@contextmanager
def recording() -> Iterator[list[Described]]:
    """A list to which, within it, every object is added that is described."""
    objects: list[Described] = []
    token = _seen.set(objects)
    try:
        yield objects
    finally:
        _seen.reset(token)


@cache
def parameters(cls: type) -> tuple[str, ...]:
    """The names of the arguments of ``cls``, of its bases' where it hands on ``**kwargs``."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:      # whose signature inspect would have to compile
            continue
        found = [p for n, p in enumerate(inspect.signature(vars(base)["__init__"]).parameters.values()) if n]
        names |= dict.fromkeys(p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        if not any(p.kind is p.VAR_KEYWORD for p in found):
            break
    return tuple(names)


class Described:
    """A class whose objects keep each argument of their constructor under its own name."""
    unsaved: tuple[str, ...] = ()             # arguments that are no part of the settings

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an object like this one, as plain data."""
        names = parameters(type(self))      # type: ignore[arg-type]
        return {n: plain(self._setting(n)) for n in names if n not in self.unsaved}

    def _setting(self, name: str) -> Any:
        """An argument as it was kept; ValueError for one that was kept under another name."""
        try:
            return getattr(self, name)
        except AttributeError:
            if hasattr(type(self), name):       # a property of theirs that fails
                raise
            own = getattr(self, "name", None)
            raise ValueError(f"{type(self).__name__}{'' if own is None else f' {own!r:.60}'}: __init__ takes `{name}`, "
                             f"which is kept under no attribute of that name: keep it as self.{name}, or write "
                             "get_config(self), which returns all arguments in a dict") from None

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        """A new object with these arguments."""
        return cls(**config)

    def describe(self) -> Any:
        """What a registry's ``get`` makes an object like this one of."""
        return {"class_name": type(self).__name__, "config": self.get_config()}


def plain(value: Any) -> Any:
    """A setting as what JSON can hold: arrays and tuples become lists, objects their descriptions."""
    if isinstance(value, Described):
        seen = _seen.get()
        if seen is not None:
            seen.append(value)
        return value.describe()
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


class Registry(Generic[T]):
    """The classes of one kind by their names, in CamelCase and snake_case, and ``aliases`` of these.

    ``kind`` names them in texts. ``lower``: the names are the classes' in lower case, and any case will do.
    """

    def __init__(self, kind: str, base: type[T], classes: Iterable[type[T]], aliases: Mapping[str, type[T]] = {},
                 lower: bool = False):
        self.kind, self.base, self.lower = kind, base, lower
        self.by_name: dict[str, type[T]] = {}
        self.enter(classes)
        self.by_name |= aliases
        self.above: dict[str, type[T]] = {}       # defined in rooms above this one, which enter them

    def enter(self, classes: Iterable[type[T]]) -> None:
        """Take classes by their names."""
        for cls in classes:
            self.by_name |= {cls.__name__.lower(): cls} if self.lower else {
                cls.__name__: cls, backend.snake_case(cls.__name__): cls}

    def find(self, name: str) -> type[T]:
        """The class of a name; ValueError names the nearest."""
        known = custom(name)
        if isinstance(known, type) and issubclass(known, self.base):
            return known
        found = self.by_name.get(name) or self.above.get(name)
        found = found or (self.by_name.get(name.lower()) if self.lower else None)
        if found is None:
            raise ValueError(self.unknown(name))
        return found

    def _described(self, name: str) -> type[T]:
        """The class of a description; ValueError says how to hand over one's own."""
        try:
            return self.find(name)
        except ValueError:
            text = self.unknown(name).partition(" Known are")[0]
            raise ValueError(f"{text} If the class is yours, give it as `custom_objects={{{name!r:.60}: the class}}`"
                             ) from None

    def get(self, identifier: Any) -> T:
        """The object of a name, a description, a class of this kind, or such an object itself; ValueError otherwise."""
        if isinstance(identifier, self.base):
            return identifier
        if isinstance(identifier, type) and issubclass(identifier, self.base):
            return identifier()
        if isinstance(identifier, str):
            return self.find(identifier)()
        if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
            return self._described(identifier["class_name"]).from_config(       # type: ignore[attr-defined]
                identifier.get("config", {}))
        raise ValueError(self.unknown(identifier))

    def unknown(self, identifier: Any, also: Iterable[str] = ()) -> str:
        """The text for what names nothing here."""
        return _spelling.unknown_name(self.kind, identifier, [*self.by_name, *also])


def serialize(described: Any) -> Any:
    """A described object as plain data."""
    return plain(described)
