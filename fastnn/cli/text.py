"""Text as numbers for a net that predicts the next word, or character: reading, vocabulary, parts, windows."""
from __future__ import annotations

import importlib.util
import itertools
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastnn.preprocessing.text import Tokenizer

from . import CommandError, missing
from .table import no_utf8, wrong

UNKNOWN = "<unknown>"           # number 1, the words that are not in the vocabulary; 0 stands where there is none
FEWEST_TIMES = 2                # a word that came less often while training is unknown
MOST_WORDS = 10_000             # in the vocabulary
STEPS = {False: 20, True: 64}   # words, or characters, of a window
MOST_BLOCKS = 50
# A word, or a mark however often repeated, with what may belong to its letters.
WORD = r"\w[\w{0}]*(?:['’-]\w[\w{0}]*)*|([^\w\s])(?:\1|[{0}])*"
JOINERS = "\u200c\u200d"         # of zero width: they say how the letters on both sides are written
NO_BLANK_BEFORE, NO_BLANK_AFTER = ".,;:!?)]}%’", "([{"
BEGINNINGS = (".", "\n")        # what stands before a text that begins


def read(path: str) -> str:
    """The text of a file in UTF-8. Raises CommandError for any other."""
    if os.path.isdir(path):
        raise wrong(path, "is a folder; expected a text file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise wrong(path, "is no regular file; expected a text file")
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except OSError as error:
        raise wrong(path, f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise wrong(path, f"{no_utf8(data, error.start)} ({_place(data, error.start)}); save it in UTF-8") from None
    if "\0" in text:
        raise wrong(path, f"is no text ({_place(data, data.index(0))}: a binary file, or UTF-16); save it in UTF-8")
    if not text.strip():
        raise wrong(path, "is empty; expected a text")
    return text


def _place(data: bytes, place: int) -> str:
    return f"byte {data[place]:#04x} at place {place}, in line {data.count(10, 0, place) + 1}"


def default() -> str:
    """The descriptions of scikit-learn's data sets, one after the other."""
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise missing("scikit-learn")
    folder = Path(found.submodule_search_locations[0]) / "datasets" / "descr"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.rst"))]
    if not texts:
        raise CommandError(f"{folder}: scikit-learn's descriptions of data sets are missing; name a text file")
    return "\n\n".join(texts)


def tokens(text: str, chars: bool) -> list[str]:
    """The characters of a text, or its words and marks in small letters, composed as NFC has them.

    >>> tokens("Don't stop -- it's 9 o'clock.", chars=False)
    ["don't", 'stop', '--', "it's", '9', "o'clock", '.']
    """
    text = unicodedata.normalize("NFC", text if chars else text.lower())
    if chars:
        return list(text)
    parts = JOINERS + "".join(sorted(c for c in set(text) if unicodedata.category(c)[0] == "M"))
    return [match.group() for match in re.finditer(WORD.format(parts), text)]


def unit(chars: bool) -> str:
    """What a text is made of."""
    return "character" if chars else "word"


def joined(words: Iterable[str], chars: bool, text: str = "") -> str:
    """A text, and behind it words and marks, or characters.

    >>> joined(["(", "or", "hear", ")", "it", "."], chars=False, text="See")
    'See (or hear) it.'
    """
    if chars:
        return text + "".join(words)
    for word in words:
        close = not text or text[-1].isspace() or word[0] in NO_BLANK_BEFORE or text[-1] in NO_BLANK_AFTER
        text += word if close else " " + word
    return text


class Vocabulary(NamedTuple):
    """What a net for text knows: words, or characters, with the numbers 2, 3, ..., and the length of a window."""

    words: list[str]
    chars: bool
    steps: int

    @property
    def size(self) -> int:
        """Numbers in use: those of the words, 1 for unknown ones, 0 for none."""
        return len(self.words) + 2

    @classmethod
    def of(cls, blocks: list[list[str]], chars: bool, steps: int) -> Vocabulary:
        """The words that come often enough, the most frequent first."""
        often = [count for count in Counter(word for block in blocks for word in block).values()
                 if count >= FEWEST_TIMES]
        size = min(len(often), MOST_WORDS) + 2
        tokenizer = Tokenizer(size, oov_token=UNKNOWN, lower=False)
        tokenizer.fit_on_texts(blocks)
        return cls([tokenizer.index_word[n] for n in range(2, size)], chars, steps)

    def __str__(self) -> str:
        return (f"{len(self.words)} {unit(self.chars)}s, the most frequent {', '.join(map(repr, self.words[:8]))}; "
                f"windows of {self.steps}")

    def encode(self, words: Iterable[str]) -> np.ndarray:
        """The number of each word."""
        numbers = {word: n for n, word in enumerate(self.words, 2)}
        return np.array([numbers.get(word, 1) for word in words], np.int32)

    def beginning(self) -> int:
        """The number that stands before a text without a beginning."""
        return next((self.words.index(word) + 2 for word in BEGINNINGS if word in self.words), 1)

    def notes(self) -> dict[str, Any]:
        """For ``model.notes``."""
        return {"text": {"words": self.words, "chars": self.chars, "steps": self.steps}}


def from_notes(model, path: str) -> Vocabulary:
    """The vocabulary of a model that the command trained on a text; CommandError for any other model."""
    try:
        found = Vocabulary(**model.notes["text"])
        right = (type(found.words) is list and type(found.chars) is bool and type(found.steps) is int
                 and all(type(word) is str and word for word in found.words)
                 and len(set(found.words)) == len(found.words))
        if right and model.input_shape == (None, found.steps) and (
                model.output_shape == (None, found.steps, found.size)):
            return found
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    raise wrong(path, "is no model for text; `fastnn train TEXTFILE --model lstm` makes one")


class Parts(NamedTuple):
    """Blocks of a text: to learn from, to decide when to stop and to tune with, and held out."""

    train: list[Any]
    tune: list[Any]
    test: list[Any]


def split(words: list[str], steps: int) -> Parts:
    """Whole blocks of consecutive words: of each ten, eight to train, the fifth to tune with, the tenth held out.

    So what is held out comes from all over the text, and yet no window reaches from one part into another.
    """
    blocks = min(MOST_BLOCKS, len(words) // (steps + 1)) // 10 * 10
    ends = np.linspace(0, len(words), blocks + 1).astype(int)
    cut = [words[start:end] for start, end in itertools.pairwise(ends)]
    return Parts([block for i, block in enumerate(cut) if i % 5 != 4], cut[4::10], cut[9::10])


def windows(blocks: list[np.ndarray], steps: int, stride: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, counts): windows that begin ``stride`` apart, and one at the end of each block.

    x: int32 (windows, steps), y the next words of each; counts, bool like y: whether it is in no window before. Every
    block must have more than ``steps`` words.
    """
    x, y, counts = [], [], []
    for block in blocks:
        last, seen = len(block) - 1 - steps, 0
        for start in [*range(0, last, stride), last]:
            x.append(block[start:start + steps])
            y.append(block[start + 1:start + 1 + steps])
            counts.append(np.arange(start, start + steps) >= seen)
            seen = start + steps
    return np.stack(x), np.stack(y), np.stack(counts)
