"""What to say about a name that a module does not have: where it is, that Keras has it, or the nearest.

Nothing here runs, and Keras's names are not loaded, until somebody asks for such a name.
"""
from __future__ import annotations

import sys
from functools import partial
from types import FrameType, ModuleType

# Of what Keras keeps for old programs alone: what does it now.
WINDOWS = "; `utils.timeseries_dataset_from_array(data, targets[n:], n)` gives the same windows"
NUMBERS = "; `preprocessing.text.Tokenizer` numbers words, so that no two share a number"
PAIRS = "; an Embedding trained to predict the next word (docs/recurrent.md) learns vectors of words too"
INSTEAD = {"preprocessing.sequence.TimeseriesGenerator": WINDOWS, "preprocessing.text.one_hot": NUMBERS,
           "preprocessing.text.hashing_trick": NUMBERS, "preprocessing.sequence.skipgrams": PAIRS,
           "preprocessing.sequence.make_sampling_table": PAIRS}
NOT_TRAINED = "; no trained nets come with it: build one of `layers` and train it, or see docs/weights-from-keras.md"
IMAGES = "; read images with a library of yours into an array (rows, height, width, channels)"
ONLY = {"applications": NOT_TRAINED, "preprocessing.image": IMAGES}      # of what only Keras has: what to do
SIMILAR = 0.7        # how much alike two names must look for one to be proposed for the other, from 0 to 1


def explain_unknown(package: ModuleType) -> None:
    """Give a package and its public modules that are loaded a ``__getattr__`` that raises what ``unknown`` says; an
    import of a module that only Keras has says so too."""
    for module in (package, *modules_below(package)):
        vars(module).setdefault("__getattr__", partial(_raise_unknown, module))
    if LastFinder not in sys.meta_path:
        sys.meta_path.append(LastFinder)


class LastFinder:
    """The last finder of the import system: it finds nothing, but says of a module that only Keras has that this is
    so."""

    @staticmethod
    def find_spec(path: str, *rest) -> None:
        """None; ModuleNotFoundError for a module below fastnn that Keras has by this name."""
        package, _, namespace = path.partition(".")
        namespace = namespace.removeprefix("keras.")
        if package == __package__ and not namespace.startswith("_") and _is_module_of_keras(namespace):
            raise ModuleNotFoundError(f"No module named {path!r}.{_only_keras(*_parted(namespace))}", name=path)


def _is_module_of_keras(namespace: str) -> bool:
    return any(f"{other}.".startswith(f"{namespace}.") for other in _all_keras_names())


def _parted(namespace: str) -> tuple[str, str]:
    """("a.b", "c") of "a.b.c"."""
    above, _, name = namespace.rpartition(".")
    return above, name


def _raise_unknown(module: ModuleType, name: str):
    raise unknown(module, name, sys._getframe(1))


def unknown(module: ModuleType, name: str, asking: FrameType) -> Exception:
    """The error for a name that a module lacks.

    An AttributeError, which Python itself would replace by a text of its own where ``from module import name`` asks:
    there an ImportError.
    """
    text = f"module {module.__name__!r} has no attribute {name!r}"
    if name.startswith("_"):                 # Python's own questions, such as for __path__
        return AttributeError(text, name=name, obj=module)
    text += f".{advice(module, name)}"
    from opcode import opmap
    if asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(text, name=module.__name__)
    return AttributeError(text, name=name, obj=None)     # with the module here Python would add a suggestion of its own


def advice(module: ModuleType, name: str) -> str:
    """A sentence about a name that a module lacks, empty where nothing looks like it."""
    namespace = module.__name__.partition(".")[2]
    own = _spelling(name, public(module))
    if own:
        return f" Did you mean {own!r}?"
    if f"{namespace}.{name}" in INSTEAD:
        return f" tf.keras has it for old programs{INSTEAD[f'{namespace}.{name}']}."
    if _spelling(name, keras_names(namespace)):
        return _only_keras(namespace, name)
    fastnn = sys.modules[__package__]
    found = [other for other in (fastnn, *modules_below(fastnn)) if name in public(other)]
    if found:
        return f" It is {found[0].__name__}.{name}."
    for other in _all_keras_names():
        if name in keras_names(other):
            return _only_keras(other, name)
    close = _closest(name, public(module))
    return f" Did you mean {close!r}?" if close else ""


def keras_has(namespace: str, name: str) -> str:
    """Keras's spelling of a name in one of its namespaces that fastnn lacks there, else ""."""
    found, module = _spelling(name, keras_names(namespace)), sys.modules.get(f"fastnn.{namespace}")
    return "" if module is not None and found in (*vars(module), *public(module)) else found


def keras_names(namespace: str) -> list[str]:
    """The names that Keras has in a namespace, those of namespaces below it too; "" is the top level."""
    names, above = _all_keras_names(), f"{namespace}." if namespace else ""
    below = {path[len(above):].partition(".")[0] for path in names if path.startswith(above)}
    return [*names.get(namespace, []), *filter(None, below)]


def public(module: ModuleType) -> list[str]:
    """The names that a module offers."""
    return vars(module).get("__all__") or [name for name in vars(module) if not name.startswith("_")]


def letters(name: str) -> str:
    """A name without case and underscores."""
    return name.lower().replace("_", "")


def _only_keras(namespace: str, name: str) -> str:
    path = ".".join(filter(None, ("keras", namespace, _spelling(name, keras_names(namespace)))))
    instead = next((text for start, text in ONLY.items() if f"{path}.".startswith(f"keras.{start}.")), "")
    return f" Keras has it ({path}), fastnn does not (yet){instead}."


def _spelling(name: str, names: list[str]) -> str:
    """How ``name`` is written among ``names``: as it stands, else in other letters' case; "" if it is not there."""
    return name if name in names else next((n for n in names if letters(n) == letters(name)), "")


def _closest(name: str, names: list[str]) -> str:
    import difflib
    by_letters = {letters(n): n for n in names}
    close = difflib.get_close_matches(letters(name), by_letters, 1, cutoff=SIMILAR)
    return by_letters[close[0]] if close else ""


def modules_below(package: ModuleType) -> list[ModuleType]:
    """The public modules of a package that are loaded, and those below them."""
    things = [vars(package).get(name) for name in public(package)]
    modules = [t for t in things if isinstance(t, ModuleType) and t.__name__.rpartition(".")[0] == package.__name__]
    return modules + [below for module in modules for below in modules_below(module)]


def _all_keras_names() -> dict[str, list[str]]:
    from ._keras_names import NAMES
    return NAMES
