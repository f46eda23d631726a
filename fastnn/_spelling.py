"""Texts for names that do not fit: the nearest that does, and all that there are."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

OLD_ARGUMENTS = {       # of earlier versions of Keras, or of others
    "nb_epoch": "its name is `epochs`", "show_accuracy": "use compile(metrics=['accuracy'])",
    "workers": "it belongs to fastnn.utils.Sequence", "use_multiprocessing": "it belongs to fastnn.utils.Sequence",
    "max_queue_size": "it belongs to fastnn.utils.Sequence", "lr": "give it to the optimizer: learning_rate=...",
    "learning_rate": "give it to the optimizer, e.g. fastnn.optimizers.Adam(learning_rate=...)",
    "sample_weight_mode": "the shape of `sample_weight` decides",
}
LISTED = 300          # characters of a text at which the list of known names ends


def nearest(name: str, choices: Iterable[str]) -> str:
    """The choice that looks most like ``name``, whatever its case and underscores."""
    import difflib  # for an error only

    by_letters: dict[str, str] = {}
    for choice in choices:
        by_letters.setdefault(_letters(choice), choice)
    return by_letters[difflib.get_close_matches(_letters(name), by_letters, 1, cutoff=0.0)[0]]


def unknown_name(kind: str, identifier, choices: Iterable[str]) -> str:
    """The text for a name that is none of ``choices``: the nearest, and all that fit."""
    import textwrap  # for an error only

    # a class is known by several spellings: list the lower-case one
    spellings = {_letters(choice): choice for choice in sorted(choices, key=str.islower)}
    names = sorted(spellings.values())
    text = f"Could not interpret {kind} identifier: {identifier!r:.60}."
    if isinstance(identifier, str):
        from ._names import keras_has
        namespace = {"loss": "losses", "activation function": "activations"}.get(kind, f"{kind}s")
        text += (" Keras has it, fastnn does not (yet)." if keras_has(namespace, identifier) else
                 f" Did you mean {nearest(identifier, names)!r}?")
    return f"{text} Known are {textwrap.shorten(', '.join(names), LISTED - len(text), placeholder=' ...')}"


def unknown_argument(function: str, unknown: Iterable[str], known: Callable) -> str:
    """The text for a keyword argument that ``known`` does not take: the nearest that it does."""
    import inspect  # for an error only

    names = [n for n, p in inspect.signature(known).parameters.items() if p.kind is not p.VAR_KEYWORD][1:]
    return unknown_among(function, unknown, names, OLD_ARGUMENTS)


def unknown_among(function: str, unknown: Iterable[str], names: Iterable[str], old: Mapping[str, str] = {}) -> str:
    """The text for a keyword argument that is none of ``names``, or of the ``old`` ones, which say what to do."""
    import textwrap  # for an error only

    name = next(iter(unknown))
    text = f"{function}: there is no argument `{name}`; "
    if name in old:
        return text + old[name]
    text += f"did you mean `{nearest(name, names)}`? It takes "
    return text + textwrap.shorten(", ".join(names), LISTED - len(text) + 80, placeholder=" ...")


def _letters(name: str) -> str:
    return name.lower().replace("_", "")
