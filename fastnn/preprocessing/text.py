"""Text as numbers, in the way of earlier versions of Keras."""
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import _arrays, _settings

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "freq", "tfidf")

COUNTED = {"word_counts": (str, 0), "word_docs": (str, 0), "index_docs": (int, 0), "index_word": (int, None),
           "word_index": (str, 1)}               # what a Tokenizer has counted: kind of the keys, least of the values

__all__ = ["Tokenizer", "text_to_word_sequence", "tokenizer_from_json"]


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text; the characters in ``filters`` separate them too.

    >>> text_to_word_sequence("A cat, a hat.")
    ['a', 'cat', 'a', 'hat']
    """
    text = input_text.lower() if lower else input_text
    return [word for word in text.translate({ord(character): split for character in filters}).split(split) if word]


class Tokenizer:
    """Numbers the words of texts by how often they come, from 1; the most frequent is 1.

    num_words: only words with numbers below it are used, None for all. ``char_level``: every character is a word.
    ``oov_token``: what stands, as number 1, for words that are not used; without it they are left out. ``analyzer``: a
    function text -> words instead of ``filters`` and ``split``. After ``fit_on_texts``: ``word_index`` {word: number},
    ``index_word``, ``word_counts``, ``word_docs`` and ``index_docs`` (texts that have a word), ``document_count``.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat", "the hat"])
    >>> tokenizer.texts_to_sequences(["the hat", "a cat"])
    [[1, 3], [2]]
    """

    def __init__(self, num_words: int | None = None, filters: str = FILTERS, lower: bool = True, split: str = " ",
                 char_level: bool = False, oov_token: str | None = None,
                 analyzer: Callable[[str], Iterable[str]] | None = None, *, document_count: int = 0):
        self.num_words = _settings.optional_count("num_words", num_words)
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = _arrays.whole_number("document_count", document_count, 0)
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable) -> None:
        """Count the words of texts (strings, or lists of words) and number all that were ever counted."""
        counts: Counter[str] = Counter()
        documents: Counter[str] = Counter()
        n = 0
        for words in map(self._words, _texts(texts)):
            n += 1
            counts.update(words)
            documents.update(set(words))
        self.document_count += n
        self.word_counts.update(counts)
        self.word_docs.update(documents)
        first = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {w: i for i, w in enumerate(first + [w for w, _ in self.word_counts.most_common()], 1)}
        self.index_word = {i: w for w, i in self.word_index.items()}
        self.index_docs = Counter({self.word_index[w]: n for w, n in self.word_docs.items()})

    def fit_on_sequences(self, sequences: Iterable) -> None:
        """Count in how many sequences each number comes, for "tfidf" of sequences that come from elsewhere."""
        for sequence in sequences:
            self.document_count += 1
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable) -> Iterator[list[int]]:
        """As ``texts_to_sequences``, one text at a time."""
        limit = self.num_words or np.inf
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for words in map(self._words, _texts(texts)):
            numbers = (self.word_index.get(word) for word in words)
            kept = (unknown if n is None or n >= limit else n for n in numbers)
            yield [n for n in kept if n is not None]

    def sequences_to_texts(self, sequences: Iterable) -> list[str]:
        """The words of numbers, joined by blanks; a number whose word is not used is left out, or is ``oov_token``."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable) -> Iterator[str]:
        """As ``sequences_to_texts``, one sequence at a time."""
        limit = self.num_words or np.inf
        for sequence in sequences:
            words = (self.index_word.get(int(n), self.oov_token) if n < limit else self.oov_token for n in sequence)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable, mode: str = "binary") -> np.ndarray:
        """A row for each text, float64 (texts, words): see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable, mode: str = "binary") -> np.ndarray:
        """A row for each sequence, float64 (sequences, ``num_words`` or number of words + 1), column n for word n.

        ``mode``: "binary" 1 where the word comes, "count" how often, "freq" its share, "tfidf" (1 + log count)·
        log(1 + texts / (1 + texts with the word)). Raises ValueError for another mode, and where neither
        ``num_words`` nor words that were counted say how many columns there are.
        """
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {', '.join(MODES)}, got {mode!r:.60}")
        if not self.num_words and not self.word_index:
            raise ValueError("`Tokenizer` has counted no words yet; call fit_on_texts first, or give it `num_words`")
        sequences = list(sequences)
        width = self.num_words or len(self.word_index) + 1
        rows = np.zeros((len(sequences), width))
        for row, sequence in zip(rows, sequences, strict=True):
            counts = np.bincount([n for n in sequence if n < width], minlength=width) if len(sequence) else 0
            row += {"binary": np.minimum(counts, 1), "freq": counts / max(1, len(sequence))}.get(mode, counts)
        if mode == "tfidf":
            documents = np.array([self.index_docs.get(n, 0) for n in range(width)])
            present = rows > 0
            rows[present] = 1 + np.log(rows[present])
            rows *= np.log(1 + self.document_count / (1 + documents))
        return rows

    def get_config(self) -> dict[str, Any]:
        """The settings and what was counted, the latter as JSON texts; ``analyzer`` is no part of it."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {name: getattr(self, name) for name in names} | {name: json.dumps(getattr(self, name))
                                                                for name in COUNTED}

    def to_json(self, **options) -> str:
        """The tokenizer as a JSON text, for ``tokenizer_from_json``; ``options`` are those of ``json.dumps``."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **options)

    def _words(self, text) -> list[str]:
        if isinstance(text, str) and not self.char_level:
            if self.analyzer is not None:
                return list(self.analyzer(text))
            return text_to_word_sequence(text, self.filters, self.lower, self.split)
        try:
            return [word.lower() if self.lower else word for word in text]
        except AttributeError:
            raise TypeError(f"`texts` must be texts or lists of words, got the {type(text).__name__} {text!r:.60}"
                            f"{'; decode it first: text.decode()' if isinstance(text, bytes) else ''}") from None


def _texts(texts: Iterable) -> Iterator:
    """The texts; TypeError for a single string, whose characters would be texts, and for what is no text."""
    if isinstance(texts, str):
        raise TypeError(f"`texts` must be a list of texts, got the text {texts!r:.60}; use [text]")
    if not _iterable(texts):
        raise TypeError(f"`texts` must be a list of texts, got {texts!r:.60}")
    for place, text in enumerate(texts):
        if not _iterable(text):
            raise TypeError(f"`texts` must be texts or lists of words, got {text!r:.60} at place {place}; leave it "
                            'out, or put "" there')
        yield text


def _iterable(value) -> bool:
    try:
        iter(value)
    except TypeError:
        return False
    return True


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The Tokenizer that ``to_json`` wrote, here or in Keras. Raises ValueError for anything else.

    >>> tokenizer = Tokenizer(char_level=True)
    >>> tokenizer.fit_on_texts(["abba"])
    >>> tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(["ba"])
    [[2, 1]]
    """
    described = _parsed("json_string", json_string)
    config = described.get("config")
    if described.get("class_name") != "Tokenizer" or not isinstance(config, dict):
        raise ValueError("`json_string` must be what `Tokenizer.to_json` writes, got a JSON object with "
                         f"{', '.join(described) or 'nothing in it'!s:.60}")
    counted = {name: _counted(name, config.pop(name, None)) for name in COUNTED}
    kinds = {"num_words": (int, type(None)), "filters": (str,), "lower": (bool,), "split": (str,),
             "char_level": (bool,), "oov_token": (str, type(None)), "document_count": (int,)}
    for name, value in config.items():
        if type(value) not in kinds.get(name, ()):
            raise ValueError(f"`json_string`: no setting of a Tokenizer: {name!r:.60} with the value {value!r:.60}")
    if counted["index_word"] != {i: w for w, i in counted["word_index"].items()}:
        raise ValueError("`json_string`: `index_word` and `word_index` must be the reverse of each other")
    tokenizer = Tokenizer(**config)
    for name, value in counted.items():
        setattr(tokenizer, name, value if name in ("index_word", "word_index") else Counter(value))
    return tokenizer


def _parsed(what: str, text: Any) -> dict[str, Any]:
    """The JSON object in a text."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"`{what}` must be the text of a JSON object, got {text!r:.60}")
    return found


def _counted(name: str, text: Any) -> dict[Any, Any]:
    """One of the dicts of a Tokenizer; JSON makes texts of keys that are numbers."""
    (key_kind, least), parsed = COUNTED[name], _parsed(f"json_string: {name}", text)
    try:
        found = {key_kind(key): value for key, value in parsed.items()}
    except ValueError:
        raise ValueError(f"`json_string`: keys of `{name}` must be whole numbers, got {list(parsed)!r:.60}") from None
    for key, value in found.items():
        if not (isinstance(value, str) if least is None else type(value) is int and value >= least):
            what = "words" if least is None else f"whole numbers of {least} or more"
            raise ValueError(f"`json_string`: the values of `{name}` must be {what}, got {value!r:.60} for {key!r:.60}")
    return found
