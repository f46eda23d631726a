"""Models in files: save and load whole, weights alone, as JSON text, and copies."""
from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .. import _arrays, _describe
from .._version import __version__
from .._warn import warn
from ..saving import description
from ..saving import format as files
from ..saving.description import BadDescription, fields, kind, whole
from ..saving.errors import ModelFileError, fault
from ..saving.given import Given, NotGiven, giving
from .describing import compile_as, describe, layer_of, models_in, plain_notes, weights_by_name

VERSION = 1                     # of the description; a file with a greater one is refused
STATE = "fastnn.optimizer/"     # before the names of the optimizer's arrays
COMMON = ("format", "kind", "fastnn", "weights", "optimizer", "learning_rate")
OTHER_SUFFIXES = (".keras", ".h5", ".hdf5")
KERAS_JSON = re.compile(r'\s*\{\s*"(module|class_name|build_config|backend)"\s*:')     # of any version, also sorted


class Saved:
    """What a model can do with files."""
    notes: dict[str, Any]

    def save(self, filepath, overwrite=True, zipped=None) -> None:
        """Write the whole model to one file: layers, weights, how it is compiled, the optimizer's state, seed, notes.

        The file is fastnn's own format whatever the suffix, conventionally ``.fastnn``. It appears whole or not at
        all, also when the process is killed or the disk is full; but save between steps, not while another thread
        trains the model. ``zipped`` is accepted for Keras's sake.
        Raises ValueError for what a file cannot hold (a Lambda layer), before anything is written; FileExistsError
        with ``overwrite=False``; OSError from the disk.
        """
        files.check_path("save", filepath)
        described, arrays, _ = whole_model(self)
        _write(filepath, arrays, described, overwrite)

    def save_weights(self, filepath, overwrite=True) -> None:
        """Write the weights, and of a compiled model the optimizer's state, to one file, as ``save`` does."""
        files.check_path("save_weights", filepath)
        described, arrays = weights_alone(self)
        _write(filepath, arrays, described, overwrite)

    def load_weights(self, filepath, skip_mismatch=False) -> None:
        """Take the weights, and the optimizer's state where both have one, from a file of ``save_weights`` or ``save``.

        Weights are matched by their order; shapes must be equal. Raises ``fastnn.ModelFileError`` (a ValueError) naming
        the file and the first fault, the model left as it was.
        """
        if skip_mismatch:
            raise ValueError("load_weights: `skip_mismatch` must be False: a file that does not fit is refused whole")
        files.check_path("load_weights", filepath)
        where = f"model file {os.fspath(filepath)!r:.200}"
        content = files.read(filepath)
        take_weights(self, *_checked(content, where, ("model", "weights")), where)

    def to_json(self, **options) -> str:
        """The description as JSON text, without weights; for ``fastnn.models.model_from_json``.

        ``options`` go to ``json.dumps``. Raises ValueError for what a description cannot hold.
        """
        model, compiled, _ = describe(self)
        return json.dumps({"model": model, "compile": compiled, "notes": plain_notes(self.notes)}, **options)

    def _check_savable(self, whole: bool) -> None:
        """ValueError for what ``save``, or without ``whole`` ``save_weights``, would refuse after training."""
        model: Any = self
        try:
            if whole:
                described, compiled, _ = describe(model)
                description.encode({"model": described, "compile": compiled, "notes": plain_notes(model.notes)})
            if model.built:
                description.encode({"weights": list(weights_by_name(model))})
        except BadDescription as error:
            raise ValueError(f"model {model.name!r} cannot be saved: {error}") from None

    def __reduce__(self):
        described, arrays, own = whole_model(self)
        return _again, (bytes(files.to_bytes(arrays, described)), own)


def save_model(model, filepath, overwrite=True, zipped=None) -> None:
    """``model.save``."""
    if not isinstance(model, Saved):
        raise TypeError(f"save_model: `model` must be a model, got {type(model).__name__}: {model!r:.60}")
    model.save(filepath, overwrite, zipped)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True, max_bytes=files.MAX_BYTES):
    """The model of a file that ``model.save`` wrote: it predicts, and trains on, bit for bit as the one that was saved.

    ``custom_objects``: {name: class or function} of your own that the model uses. ``compile=False``: without optimizer
    and loss. ``max_bytes``: larger files are refused unread. Files of strangers are safe to load: nothing in a file is
    run, imported or opened, and ``safe_mode`` can only be True.
    Raises ``fastnn.ModelFileError`` (a ValueError) naming the file and the first fault.
    """
    if safe_mode is not True:
        raise ValueError(f"load_model: `safe_mode` must be True, got {safe_mode!r:.60}; there is no unsafe way to load")
    files.check_path("load_model", filepath)
    max_bytes = _arrays.whole_number("max_bytes", max_bytes, 1)
    where = f"model file {os.fspath(filepath)!r:.200}"
    own = _describe.own_objects(custom_objects)
    return _restored(files.read(filepath, max_bytes), where, own, bool(compile))


def model_from_json(json_string, custom_objects=None):
    """The model of ``model.to_json()``, with new weights. Raises ``fastnn.ModelFileError`` (a ValueError) for
    another text, Keras's own among them, TypeError for what is no text.
    """
    if not isinstance(json_string, str):
        raise TypeError("model_from_json: `json_string` must be the text that model.to_json() returns, got "
                        f"{type(json_string).__name__}: {json_string!r:.60}")
    own = _describe.own_objects(custom_objects)
    if KERAS_JSON.match(json_string):
        raise fault("the JSON of a model", "this is Keras's JSON, which fastnn does not read; write the layers anew, "
                                           f"with the same names and arguments; {files.BRING_WEIGHTS}")
    try:
        described = description.decode(json_string.encode("utf-8", "surrogatepass"))
        model, compiled, notes = fields(described, "the description", "model", "compile", "notes")
        with _describe.custom_object_scope(own):
            return _built(model, compiled, notes)
    except Exception as error:
        raise fault("the JSON of a model", _text(error)) from error


def clone_model(model, clone_function: Callable | None = None):
    """A new model with layers like those of ``model``, its notes, and new weights, not compiled.

    ``clone_function``: takes a layer and returns the one to put in its place.
    """
    if clone_function is not None:
        inputs = model.inputs if model.built else ()
        clone = type(model)([*inputs, *map(clone_function, model.layers)], name=model.name)
    else:
        described, _, own = describe(model)
        with _describe.custom_object_scope(own):
            clone = _model_of(described)
    clone.notes = copy.deepcopy(model.notes)
    return clone


def whole_model(model) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """(description, arrays, the user's own classes and functions) of a model."""
    described, compiled, own = describe(model)
    common, arrays = _common(model, "model")
    return {**common, "model": described, "compile": compiled, "seeds": [m.seed for m in models_in(model)],
            "notes": plain_notes(model.notes)}, arrays, own


def weights_alone(model, kind: str = "weights") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(description, arrays) of a model's weights and optimizer."""
    return _common(model, kind)


def take_weights(model, described: dict[str, Any], arrays: dict[str, np.ndarray], where: str) -> None:
    """Give a model the weights and the optimizer's state of a file; ModelFileError before anything changes."""
    if not model.built:
        raise ValueError(f"model {model.name!r} has no weights yet: call build((None, features)) before load_weights")
    names, variables = described["weights"], weights_by_name(model)
    if len(names) != len(variables):
        raise fault(where, f"holds {len(names)} weights, model {model.name!r} has {len(variables)}")
    for name, (own, variable) in zip(names, variables.items()):
        if arrays[name].shape != variable.shape:
            raise fault(where, f"weight {name!r:.80} has shape {arrays[name].shape}, {own!r:.80} of model "
                               f"{model.name!r:.60} has {variable.shape}")
    optimizer, state = model.optimizer, _state_of(arrays)
    if optimizer is not None and state:
        if described["optimizer"] == type(optimizer).__name__:
            _give_state(model, state, dict(zip(variables.values(), names)), where)
        else:
            warn(f"{where}: it holds the state of {described['optimizer']}, which the optimizer of the model, "
                 f"{type(optimizer).__name__}, does not take over")
    same = optimizer is not None and described["optimizer"] == type(optimizer).__name__
    if same and fixed_rate(optimizer) is not None and described["learning_rate"] is not None:
        optimizer.learning_rate = described["learning_rate"]
    for name, variable in zip(names, variables.values()):
        variable.assign(arrays[name])


def check_common(described: Any, arrays: dict[str, np.ndarray], kinds: tuple[str, ...], more: tuple[str, ...] = ()
                 ) -> str:
    """The kind of a file whose description is of this version and agrees with its arrays; BadDescription otherwise."""
    version = whole(described.get("format"), "`format`", 1)
    if version > VERSION:
        raise BadDescription(f"it was written by a newer fastnn ({described.get('fastnn')!r:.40}, format {version}; "
                             f"this "
                             f"is {__version__}, which reads up to {VERSION}): update fastnn")
    found = described.get("kind")
    if found not in kinds:
        hint = {"weights": "weights alone: build the model, then call model.load_weights(file)",
                "training": "a backup of BackupAndRestore: give the same `backup_dir` to fit again"}.get(str(found), "")
        raise BadDescription(f"it holds {hint}" if hint else f"`kind` must be {' or '.join(kinds)}, got {found!r:.40}")
    if found == "model":
        more = ("model", "compile", "seeds", "notes")
    fields(described, "its description", *COMMON, *more)
    rate = kind(described["learning_rate"], "`learning_rate`", float, type(None))
    if rate is not None and rate < 0:
        raise BadDescription(f"`learning_rate` must be at least 0, got {rate}")
    names = kind(described["weights"], "`weights`", list)
    kind(described["optimizer"], "`optimizer`", str, type(None))
    for name in names:
        kind(name, "the name of a weight", str)
    if len(set(names)) != len(names) or set(names) != {n for n in arrays if not n.startswith("fastnn.")}:
        raise BadDescription("the weights that its description lists are not those it holds")
    if described["optimizer"] is None and any(n.startswith(STATE) for n in arrays):
        raise BadDescription("it holds the state of an optimizer, but names none")
    return found


def fixed_rate(optimizer) -> float | None:
    """The learning rate where it is a number, None for a schedule or a function."""
    rate = optimizer.get_config()["learning_rate"]
    return float(rate) if isinstance(rate, (int, float)) else None


def _common(model, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What every file of a model holds."""
    weights = weights_by_name(model)
    arrays = {name: variable.value for name, variable in weights.items()}
    optimizer = model.optimizer
    if optimizer is not None and (optimizer.built or optimizer.iterations):
        names = {variable: name for name, variable in weights.items()}
        if not optimizer.members or not optimizer.members.isdisjoint(names):         # it is not another model's
            arrays |= {STATE + key: value for key, value in optimizer.state(names).items()}
    return {"format": VERSION, "kind": kind, "fastnn": __version__, "weights": list(weights),
            "optimizer": None if optimizer is None else type(optimizer).__name__,
            "learning_rate": None if optimizer is None else fixed_rate(optimizer)}, arrays


def _write(path, arrays: dict[str, np.ndarray], described: dict[str, Any], overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{os.fspath(path)!r} exists, and `overwrite` is False")
    if os.fsdecode(path).endswith(OTHER_SUFFIXES):
        _warn_of_suffix()
    files.write(path, arrays, described)


@cache                                # once
def _warn_of_suffix() -> None:
    warn("the file gets Keras's name but fastnn's own format, which Keras cannot read; the usual suffix is "
         ".fastnn")


def _checked(content: files.Content, where: str, kinds: tuple[str, ...]) -> tuple[dict, dict]:
    try:
        check_common(content.description, content.arrays, kinds)
    except BadDescription as error:
        raise fault(where, str(error)) from None
    return content


def _restored(content: files.Content, where: str, own, compiling: bool):
    """The model of a file's content."""
    described, arrays = _checked(content, where, ("model",))
    try:
        with _describe.custom_object_scope(own):
            seeds = [whole(s, "a seed", 0, 2**64 - 1) for s in kind(described["seeds"], "`seeds`", list)]
            if not seeds:
                raise BadDescription("`seeds` must hold a seed for each model")
            state = {name: arrays.pop(name) for name in list(arrays) if name.startswith("fastnn.")}
            with giving(Given(arrays)) as source:
                model = _built(described["model"], described["compile"] if compiling else None, described["notes"])
            if source.arrays:
                raise NotGiven(f"it holds the weight {next(iter(source.arrays))!r:.80}, which its description does not "
                               "ask for")
            inner = list(models_in(model))
            if len(seeds) != len(inner):
                raise BadDescription(f"`seeds` must hold {len(inner)} seeds, got {len(seeds)}")
            for m, seed in zip(inner, seeds):
                m.seed = seed
            if model.optimizer is not None and type(model.optimizer).__name__ != described["optimizer"]:
                raise BadDescription("`optimizer` is not the one that the model is compiled with")
            if model.optimizer is not None and state:
                names = {variable: name for name, variable in weights_by_name(model).items()}
                _give_state(model, _state_of(state), names, where)
        return model
    except ModelFileError:
        raise
    except Exception as error:
        raise fault(where, _text(error)) from error


def _built(described: Any, compiled: Any, notes: Any):
    model = _model_of(described)
    model.notes = kind(notes, "`notes`", dict)
    if compiled is not None:
        compile_as(model, compiled)
    return model


def _model_of(described: Any):
    from .sequential import Sequential
    class_name, _ = fields(described, "the model", "class_name", "config")
    if class_name == Sequential.__name__:
        return Sequential.from_config(described["config"])
    model = layer_of(described)
    if not hasattr(model, "graph"):
        raise BadDescription(f"the model must be a Sequential, got {class_name!r:.60}")
    return model


def _text(error: Exception) -> str:
    """What to say of an error while a model is made of a description."""
    if isinstance(error, MemoryError) and not isinstance(error, ValueError):       # which says what is too large
        return "its model needs more memory than there is"
    if isinstance(error, (BadDescription, NotGiven, ModelFileError)):
        return str(error)
    return f"no model can be made of its description: {error}" if isinstance(error, ValueError) else (
        f"no model can be made of its description: {type(error).__name__}: {error}")


def _state_of(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(STATE): value for name, value in arrays.items() if name.startswith(STATE)}


def _give_state(model, state: dict[str, np.ndarray], names: dict[Any, str], where: str) -> None:
    """Hand the optimizer its state, which it checks before anything changes; ``names``: of weights in the file.

    Weights that had not taken part there have no state here either.
    """
    optimizer, stems = model.optimizer, {key.partition("/")[2] for key in state}
    held = {variable: name for variable, name in names.items() if name in stems}
    new = [variable for variable in held if variable not in optimizer.members]
    try:
        optimizer.belong_to(model)
        optimizer.join(new)
        optimizer.set_state(state, held)
    except (ValueError, TypeError, KeyError) as error:
        optimizer.leave(new)
        raise fault(where, f"the state of its optimizer: {error}") from error
    others = [variable for variable in names if variable not in held]
    if (optimizer.slot_names or optimizer.option_slots) and optimizer.leave(others):
        model.forget_programs()


def _again(data: bytes, own: dict[str, Any]):
    """A copy of a model, from its file's bytes."""
    where = "the copy of a model"
    return _restored(files.from_bytes(data, where), where, own, True)
