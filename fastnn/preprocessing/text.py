"""Text as numbers, in the way of earlier versions of Keras."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from .. import _arrays

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "freq", "tfidf")

__all__ = ["Tokenizer", "text_to_word_sequence"]


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
    ``oov_token``: what stands, as number 1, for words that are not used; without it they are left out. After
    ``fit_on_texts``: ``word_index`` {word: number}, ``index_word``, ``word_counts``, ``document_count``.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat", "the hat"])
    >>> tokenizer.texts_to_sequences(["the hat", "a cat"])
    [[1, 3], [2]]
    """

    def __init__(self, num_words: int | None = None, filters: str = FILTERS, lower: bool = True, split: str = " ",
                 char_level: bool = False, oov_token: str | None = None):
        self.num_words = _arrays.optional_count("num_words", num_words)
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()         # texts that have the word
        self.document_count = 0
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable) -> None:
        """Count the words of texts (strings, or lists of words) and number all that were ever counted."""
        for words in map(self._words, _texts(texts)):
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        first = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {w: i for i, w in enumerate(first + [w for w, _ in self.word_counts.most_common()], 1)}
        self.index_word = {i: w for w, i in self.word_index.items()}

    def texts_to_sequences(self, texts: Iterable) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable) -> Iterator[list[int]]:
        """As ``texts_to_sequences``, one text at a time."""
        limit = self.num_words or len(self.word_index) + 1
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for words in map(self._words, _texts(texts)):
            numbers = (self.word_index.get(word) for word in words)
            kept = (unknown if n is None or n >= limit else n for n in numbers)
            yield [n for n in kept if n is not None]

    def sequences_to_texts(self, sequences: Iterable) -> list[str]:
        """The words of numbers, joined by blanks; a number without a word is left out, or is ``oov_token``."""
        names = ((self.index_word.get(int(n), self.oov_token) for n in sequence) for sequence in sequences)
        return [" ".join(word for word in words if word is not None) for words in names]

    def texts_to_matrix(self, texts: Iterable, mode: str = "binary") -> np.ndarray:
        """A row for each text, float64 (texts, words): see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable, mode: str = "binary") -> np.ndarray:
        """A row for each sequence, float64 (sequences, ``num_words`` or number of words + 1), column n for word n.

        ``mode``: "binary" 1 where the word comes, "count" how often, "freq" its share, "tfidf" (1 + log count)·
        log(1 + texts / (1 + texts with the word)). Raises ValueError for another mode.
        """
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {', '.join(MODES)}, got {mode!r:.60}")
        sequences = list(sequences)
        width = self.num_words or len(self.word_index) + 1
        rows = np.zeros((len(sequences), width))
        for row, sequence in zip(rows, sequences, strict=True):
            counts = np.bincount([n for n in sequence if n < width], minlength=width) if len(sequence) else 0
            row += {"binary": np.minimum(counts, 1), "freq": counts / max(1, len(sequence))}.get(mode, counts)
        if mode == "tfidf":
            documents = np.array([self.word_docs.get(self.index_word.get(n, ""), 0) for n in range(width)])
            present = rows > 0
            rows[present] = 1 + np.log(rows[present])
            rows *= np.log(1 + self.document_count / (1 + documents))
        return rows

    def _words(self, text) -> list[str]:
        if isinstance(text, str) and not self.char_level:
            return text_to_word_sequence(text, self.filters, self.lower, self.split)
        return [word.lower() if self.lower else word for word in text]


def _texts(texts: Iterable) -> Iterable:
    """texts; TypeError for a single string, whose characters would be texts."""
    if isinstance(texts, str):
        raise TypeError(f"`texts` must be a list of texts, got the text {texts!r:.60}; use [text]")
    return texts
