"""Interpolated n-grams: what a net that predicts the next word is measured against.

P(w | h) = sum over n of weight_n · count(the last n - 1 of h, then w) / count(the last n - 1 of h), and weight_0 / size
for n = 0. The counts are those of the training text. The weights are tuned on other text, on which they make the words
most likely, by expectation and maximization (Jelinek and Mercer, Interpolated estimation of Markov source parameters,
1980).
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDS = 200
CLOSE = 1e-6          # the weights have settled


class Interpolated:
    """An n-gram model of numbers from 0 to ``size`` - 1, with all shorter ones and the uniform one mixed in.

    blocks: texts that do not join, arrays of numbers. Before the first of a block stands 0, which nothing else may be.
    """

    def __init__(self, order: int, size: int, blocks: Sequence[np.ndarray]):
        if size ** order >= 2 ** 63:
            raise ValueError(f"n-grams of {order} have no room for {size} words")
        self.order, self.size = order, size
        self._grams = [np.unique(keys, return_counts=True) for keys in self._keys(blocks, 0)]
        self._histories = [_added(keys // size, counts) for keys, counts in self._grams]
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
        """The probability of each word but the first of each block, given those before it in the block."""
        return self._parts(blocks) @ self.weights

    def perplexity(self, blocks: Sequence[np.ndarray]) -> float:
        """exp of the mean of -log probability."""
        return float(np.exp(-np.log(self.probabilities(blocks)).mean()))

    def _parts(self, blocks) -> np.ndarray:
        """(words, order + 1): the probability by each order, that of 0 uniform over all but the 0 before a block."""
        columns = []
        for keys, (grams, counts), (histories, sums) in zip(self._keys(blocks, 1), self._grams, self._histories):
            times = _count_of(keys, grams, counts)
            columns.append(times / np.maximum(_count_of(keys // self.size, histories, sums), 1))
        return np.stack([np.full(len(columns[0]), 1 / (self.size - 1)), *columns], axis=1)

    def _keys(self, blocks, skipped: int) -> list[np.ndarray]:
        """For 1, 2, ... ``order``: the n-grams that end in each word of a block, each as a number."""
        found = []
        for n in range(1, self.order + 1):
            scale = self.size ** np.arange(n, dtype=np.int64)[::-1]
            padded = [np.concatenate([np.zeros(n - 1, np.int64), block]) for block in blocks]
            found.append(np.concatenate([np.lib.stride_tricks.sliding_window_view(block, n)[skipped:] @ scale
                                         for block in padded]))
        return found


def _added(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each key once, in order, with the sum of its counts."""
    unique, places = np.unique(keys, return_inverse=True)
    return unique, np.bincount(places, counts)


def _count_of(keys: np.ndarray, known: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The count of each key, 0 for one that is not known."""
    places = np.searchsorted(known, keys).clip(max=len(known) - 1)
    return np.where(known[places] == keys, counts[places], 0)
