"""N-grams: what a net that predicts the next word is measured against.

Both kinds here mix the shares of what followed the last 0, 1, ... ``order`` - 1 words in the training text, and an even
share for every word. What is free to choose in a mixture is tuned on other text, on which it makes the words most
likely.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

ROUNDS = 200
CLOSE = 1e-6          # the weights have settled
DISCOUNTS = np.arange(1, 20) / 20


class _Counts:
    """How often each n-gram of up to ``order`` numbers from 1 to ``size`` - 1 comes.

    blocks: texts that do not join, arrays of numbers. Before the first of a block stands 0, as often as needed.
    """

    def __init__(self, order: int, size: int, blocks: Sequence[np.ndarray]):
        self.order, self.size = order, size
        self._known: list[np.ndarray] = []        # of each length: place of the history among the shorter · size + word
        self.counts: list[np.ndarray] = []        # of each of those
        self.kinds: list[np.ndarray] = []         # of how many that are longer by one it is the end
        stream, words = self._stream(blocks, 0)
        ends = np.zeros(len(stream), np.int64)
        for _ in range(order):
            before = ends
            known, first, ends = np.unique(_moved(ends) * size + stream, return_index=True, return_inverse=True)
            counts = np.bincount(ends[words], minlength=len(known))
            self.kinds.append(np.bincount(before[first[counts > 0]], minlength=before.max() + 1))
            self._known.append(known)
            self.counts.append(counts)
        self.kinds = [*self.kinds[1:], counts]                # nothing is longer than the longest: these are counted

    def seen(self, blocks: Sequence[np.ndarray], counts: list[np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
        """For n = 1, 2, ... ``order``, at each word but the first of each block: counts of the n-gram that ends there
        and of all with its history; and how many different ones those are."""
        stream, words = self._stream(blocks, 1)
        ends = np.zeros(len(stream), np.int64)
        for known, of in zip(self._known, counts):
            histories, heads = _moved(ends), known // self.size
            keys = histories * self.size + stream                             # below 0: the history is not known
            ends = np.searchsorted(known, keys).clip(max=len(known) - 1)
            ends[known[ends] != keys] = -1
            yield tuple(_at(values, places[words]) for values, places in (
                (of, ends), (np.bincount(heads, of), histories), (np.bincount(heads, of > 0), histories)))

    def _stream(self, blocks, skipped: int) -> tuple[np.ndarray, np.ndarray]:
        """The blocks in one, zeros before each, and the places of their words but the first ``skipped``."""
        padded = [np.concatenate([np.zeros(self.order - 1, np.int64), block]) for block in blocks]
        words = np.concatenate([np.arange(len(block)) >= self.order - 1 + skipped for block in padded])
        return np.concatenate(padded), np.flatnonzero(words)


class Mixture:
    """What the n-gram models share; each gives ``probabilities``."""

    def __init__(self, order: int, size: int, blocks: Sequence[np.ndarray]):
        self._grams = _Counts(order, size, blocks)

    def probabilities(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """The probability of each word but the first of each block, given those before it in the block."""
        raise NotImplementedError

    def perplexity(self, blocks: Sequence[np.ndarray]) -> float:
        """exp of the mean of -log probability."""
        return float(np.exp(-np.log(self.probabilities(blocks)).mean()))


class Interpolated(Mixture):
    """P(w | h) = sum over n of weight_n · P_n(w | h), P_n(w | h) = count(the last n - 1 of h, then w) / count(the last
    n - 1 of h), or P_(n-1) where these never came; P_0 = 1 / words.

    The weights are tuned by expectation and maximization (Jelinek and Mercer, Interpolated estimation of Markov source
    parameters, 1980).
    """

    def __init__(self, order: int, size: int, blocks: Sequence[np.ndarray]):
        super().__init__(order, size, blocks)
        self.weights = np.full(order + 1, 1 / (order + 1))

    def tune(self, blocks: Sequence[np.ndarray]) -> Interpolated:
        """Find the weights for these blocks; their first words do not count, as in ``perplexity``."""
        parts = self._parts(blocks)
        for _ in range(ROUNDS):
            shares = parts * self.weights
            sums = (shares / shares.sum(axis=1, keepdims=True)).sum(axis=0) + 1       # 1: none of them becomes 0
            before, self.weights = self.weights, sums / sums.sum()
            if abs(self.weights - before).max() < CLOSE:
                break
        return self

    def probabilities(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        return self._parts(blocks) @ self.weights

    def _parts(self, blocks) -> np.ndarray:
        """(words, order + 1): P_0, P_1, ... of each word."""
        columns = [np.array(1 / (self._grams.size - 1))]
        for counts, sums, _ in self._grams.seen(blocks, self._grams.counts):
            columns.append(np.where(sums > 0, counts / np.maximum(sums, 1), columns[-1]))
        return np.stack(np.broadcast_arrays(*columns), axis=1)


class KneserNey(Mixture):
    """P_n(w | h) = (max(c - discount, 0) + discount · how many words came after h · P_(n-1)(w | h)) / sum of c; P_(n-1)
    where h never came.

    c of the longest n-grams is how often each came, that of shorter ones how many different words came before it; the
    mixture and this idea are those of Kneser and Ney, Improved backing-off for m-gram language modeling, 1995, as Chen
    and Goodman interpolate it (An empirical study of smoothing techniques for language modeling, 1999).
    """

    discount = 0.75

    def tune(self, blocks: Sequence[np.ndarray]) -> KneserNey:
        """Find the discount for these blocks."""
        seen = list(self._grams.seen(blocks, self._grams.kinds))
        self.discount = max(DISCOUNTS, key=lambda discount: np.log(self._mixed(seen, discount)).sum())
        return self

    def probabilities(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        return self._mixed(self._grams.seen(blocks, self._grams.kinds), self.discount)

    def _mixed(self, seen, discount: float) -> np.ndarray:
        found = np.array(1 / (self._grams.size - 1))
        for counts, sums, kinds in seen:
            here = (np.maximum(counts - discount, 0) + discount * kinds * found) / np.maximum(sums, 1)
            found = np.where(sums > 0, here, found)
        return found


def _moved(places: np.ndarray) -> np.ndarray:
    """What stands one place before; before the first stands 0, the n-gram of nothing but zeros."""
    return np.concatenate([[0], places[:-1]])


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The value at each place, 0 at one below 0 or behind the last."""
    return np.where((places >= 0) & (places < len(values)), values[places.clip(0, len(values) - 1)], 0)
