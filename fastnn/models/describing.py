"""A model as plain data and back: its layers, how it is compiled, and the classes of the user's own that it needs."""
from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from .. import (
    _describe,
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from ..layers.base import Layer
from ..layers.composite import Composite, within
from ..saving.description import BadDescription, fields, kind

FUNCTION = "function"          # the class name of a function in a description
_MODULES: tuple[ModuleType, ...] = (
    layers, losses, metrics, optimizers, activations, initializers, regularizers, constraints)
COMPILE = ("optimizer", "loss", "metrics", "weighted_metrics", "undecayed")
# What a metric costs grows with these numbers, which a file could name for nothing.
MOST = {"num_thresholds": 100_000, "num_classes": 10_000}
MOST_METRICS = 100


def describe(model) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
    """(description, how it is compiled or None, the user's own classes and functions by name).

    Raises ValueError for what cannot be described, naming it.
    """
    own: dict[str, Any] = {}
    _refuse_shared(model)
    with _describe.recording() as objects:
        described = _named(_describe.plain(model), f"model {model.name!r}", own)
        compiled = model.optimizer and {
            "optimizer": _describe.plain(model.optimizer), "loss": _describe.plain(model.loss),
            "metrics": [_identifier(m) for m in model.metric_identifiers],
            "weighted_metrics": [_identifier(m) for m in model.weighted_identifiers],
            "undecayed": [name for name, w in weights_by_name(model).items() if not model.optimizer.decays(w)]}
        if compiled and model.loss_weight != 1.0:
            compiled["loss_weights"] = model.loss_weight
        if compiled:
            compiled = _named(compiled, "compile", own)
            _check_metrics(compiled["metrics"], compiled["weighted_metrics"])
        else:
            compiled = None
    for thing in [model, *objects]:
        cls, function = type(thing), getattr(thing, "function", None)
        if not cls.__module__.startswith("fastnn."):
            _enter(cls, own)
        elif callable(function) and not isinstance(function, _describe.Described):
            # of a wrapper around a function, which is described by its name
            _enter(function, own)
    return described, compiled, own


def layer_of(entry: Any) -> Layer:
    """The layer of one entry of a description; ValueError for what is none."""
    class_name, config = fields(entry, "a layer of the description", "class_name", "config")
    kind(class_name, "the class name of a layer", str), kind(config, "the settings of a layer", dict)
    if class_name == "Lambda" and _describe.custom(class_name) is None:
        raise BadDescription("it holds a Lambda layer, whose function no file can hold: write a class derived from "
                             "fastnn.layers.Layer and give it as `custom_objects`")
    if _describe.custom(class_name) is None and class_name not in layers.registry.by_name:
        raise BadDescription(f"its layer class {class_name!r:.80} is not one of fastnn's; if it is yours, give it as "
                             f"`custom_objects={{{class_name!r:.80}: the class}}`")
    return layers.registry.find(class_name).from_config(with_functions(config))


def compile_as(model, compiled: Any) -> None:
    """Compile a model as its description says."""
    arguments = compile_arguments(compiled)
    undecayed = kind(arguments.pop("undecayed"), "`undecayed`", list)
    model.compile(**arguments)
    if undecayed:
        weights = weights_by_name(model)
        if not all(isinstance(name, str) and name in weights for name in undecayed):
            raise BadDescription(f"`undecayed` must name weights of the model, got {undecayed!r:.80}")
        model.optimizer.exclude_from_weight_decay([weights[name] for name in undecayed])


def compile_arguments(compiled: Any) -> dict[str, Any]:
    """The settings of ``compile`` in a description."""
    compiled = with_functions(compiled)
    given = (*COMPILE, *["loss_weights"] * (isinstance(compiled, dict) and "loss_weights" in compiled))
    arguments = dict(zip(given, fields(compiled, "the compile settings", *given)))
    names = ("metrics", "weighted_metrics")
    _check_metrics(*(kind(arguments[name], f"`{name}`", list) for name in names))
    for name in names:
        arguments[name] = [_metric(m) for m in arguments[name]]
    return arguments


def _check_metrics(*lists: list[Any]) -> None:
    """What metrics may cost by a description alone, before one is made."""
    described = [m for metrics in lists for m in metrics]
    if len(described) > MOST_METRICS:
        raise BadDescription(f"a description holds at most {MOST_METRICS} metrics, this one {len(described)}")
    for metric in described:
        config = metric.get("config") if isinstance(metric, dict) else None
        if not isinstance(config, dict) or _describe.custom(str(metric.get("class_name"))) is not None:
            continue
        for name, most in MOST.items():
            if isinstance(config.get(name), (int, float)) and config[name] > most:
                raise BadDescription(f"`{name}` of the metric {metric.get('class_name')!s:.60} must be at most {most} "
                                     f"in a description, got {config[name]}")


def with_functions(value: Any) -> Any:
    """A description with its functions in their places: only those that the caller has handed over."""
    if isinstance(value, list):
        return [with_functions(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"class_name", "config"} and value["class_name"] == FUNCTION:
        name = kind(value["config"], "the name of a function", str)
        function = _describe.custom(name)
        if not callable(function):
            raise BadDescription(f"it needs the function {name!r:.80}: give it as `custom_objects={{{name!r:.80}: the "
                                 "function}`")
        return function
    return {k: with_functions(v) for k, v in value.items()}


def _named(value: Any, where: str, own: dict[str, Any]) -> Any:
    """Plain data as JSON can hold it: functions become names, fastnn's own or entered into ``own``."""
    if isinstance(value, dict):
        config = value.get("config")
        if value.get("class_name") == "Function" and isinstance(config, dict):
            return _named(config["function"], where, own)         # of an initializer or constraint
        return {k: _named(v, f"{where}, {k}", own) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(v, where, own) for v in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}, which a description cannot hold: use a large finite number")
        return float(value)
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        if any(vars(module).get(name) is value for module in _MODULES):
            return name
        _enter(value, own)
        return {"class_name": FUNCTION, "config": name}
    raise ValueError(f"{where} is {type(value).__name__} {value!r:.60}, which a description cannot hold; give its "
                     f"class "
                     "a get_config()")


def _identifier(metric: Any) -> Any:
    """A metric as it was given to ``compile``; a loss given as one says so, for both may have the same name."""
    if isinstance(metric, losses.Loss):
        return {"class_name": "Loss", "config": _describe.plain(metric)}
    return _describe.plain(metric)


def _metric(described: Any) -> Any:
    if isinstance(described, dict) and described.get("class_name") == "Loss":
        return losses.get(described.get("config"))
    return metrics.get(described) if isinstance(described, dict) else described


def _enter(thing: Any, own: dict[str, Any]) -> None:
    """Enter a class or function of the user's; one with the name of one of fastnn's would come back as that."""
    if any(thing.__name__ in vars(module) for module in _MODULES):
        raise ValueError(f"{thing.__name__!r} of {thing.__module__} has the name of one of fastnn's, which a "
                         f"description "
                         "could not tell apart: rename it")
    if own.setdefault(thing.__name__, thing) is not thing:
        raise ValueError(f"the model uses two classes or functions named {thing.__name__!r}, which a description "
                         f"could not "
                         "tell apart: rename one")


def models_in(model) -> Iterator[Any]:
    """The model itself and all models inside it, in an order that depends on its structure alone."""
    yield model
    for layer in model.layers:
        if hasattr(layer, "graph"):
            yield from models_in(layer)


def _refuse_shared(model) -> None:
    """ValueError for a layer that stands twice in a model, of which a description would make two."""
    seen = set()
    for layer in within(model):
        if layer in seen:
            raise ValueError(f"model {model.name!r} cannot be saved or copied: {layer.name!r} is used at two places, "
                             "which share its weights, and a description would make two layers of it; use save_weights"
                             ", or give each place a layer of its own")
        seen.add(layer)


def weights_by_name(model) -> dict[str, Any]:
    """{name in a file: variable} in the order of ``get_weights``; ValueError for two of one name."""
    found: dict[str, Any] = {}
    known = set()
    for name, variable in _weights(model, ""):
        if variable in known:                 # of a layer that is used at two places
            continue
        known.add(variable)
        if name in found:
            raise ValueError(f"two weights of model {model.name!r} are named {name!r}: give their layers different "
                             f"names")
        if name.startswith("fastnn."):
            raise ValueError(f"the weight name {name!r} begins with 'fastnn.', which model files keep for themselves")
        found[name] = variable
    return found


def _weights(model, prefix: str) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        if hasattr(layer, "graph"):
            yield from _weights(layer, f"{prefix}{layer.name}/")
            continue
        names = {w: name for name, w in _weights_of(layer, prefix, "")}
        yield from ((names[w], w) for w in layer.weights)


def _weights_of(layer, prefix: str, scope: str) -> Iterator[tuple[str, Any]]:
    """(name, variable) of a layer's weights; a part is named as if it had been built inside ``scope``, for it may have
    been built before, and will be built there when the file is read."""
    parts = layer.parts if isinstance(layer, Composite) else []
    for part in parts:
        if hasattr(part, "graph"):
            yield from _weights(part, f"{prefix}{part.name}/")
        else:
            yield from _weights_of(part, prefix, f"{scope}{layer.name}/")
    of_parts = {w for part in parts for w in part.weights}
    own = set(layer.own_weights())
    for w in layer.weights:
        if w not in of_parts:
            inner = w.path.removeprefix(layer.scope).partition("/")[2]
            yield prefix + (f"{scope}{layer.name}/{inner}" if w in own and inner else w.path), w


def plain_notes(notes: Any) -> dict[str, Any]:
    """``model.notes`` if JSON holds it as it is; ValueError otherwise."""
    if not isinstance(notes, dict) or not _is_plain(notes):
        raise ValueError("`notes` must be a dict of None, bool, int, finite float, str, lists and dicts with str keys, "
                         f"got {notes!r:.100}")
    return notes


def _is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(type(k) is str and _is_plain(v) for k, v in value.items())
    if type(value) is list:
        return all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, str) or (type(value) is float and bool(np.isfinite(value)))
