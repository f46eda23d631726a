"""Interpolated n-grams against counting in plain Python."""
import math
from collections import Counter

import numpy as np
import pytest

from fastnn.cli.ngrams import Interpolated

SIZE = 7
BLOCKS = [np.array(block) for block in ([1, 2, 3, 1, 2, 4, 1], [2, 2, 3, 1, 5], [6, 1, 2])]
OTHERS = [np.array(block) for block in ([1, 2, 3, 3, 2], [4, 1, 2, 6])]


def counted(order, weights, blocks):
    """The probability of each word but the first of each block, by dictionaries."""
    grams, histories = Counter(), Counter()
    for n in range(1, order + 1):
        for block in BLOCKS:
            padded = [0] * (n - 1) + block.tolist()
            for i in range(len(block)):
                gram = tuple(padded[i:i + n])
                grams[gram] += 1
                histories[n, gram[:-1]] += 1
    found = []
    for block in blocks:
        for i in range(1, len(block)):
            p = weights[0] / (SIZE - 1)
            for n in range(1, order + 1):
                gram = tuple(([0] * order + block.tolist())[order + i - n + 1:order + i + 1])
                before = histories[n, gram[:-1]]
                p += weights[n] * (grams[gram] / before if before else 0)
            found.append(p)
    return found


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_are_those_of_counting(order):
    model = Interpolated(order, SIZE, BLOCKS)
    model.weights = np.arange(1, order + 2) / np.arange(1, order + 2).sum()
    expected = counted(order, model.weights, OTHERS)
    assert model.probabilities(OTHERS).tolist() == pytest.approx(expected, rel=1e-12)
    assert model.perplexity(OTHERS) == pytest.approx(math.exp(-np.log(expected).mean()), rel=1e-12)


def test_a_word_after_a_known_history_has_probabilities_that_add_to_one():
    model = Interpolated(3, SIZE, BLOCKS).tune(OTHERS)
    assert model.weights.sum() == pytest.approx(1)
    ways = [np.array([1, 2, word]) for word in range(1, SIZE)]
    assert sum(model.probabilities([way])[-1] for way in ways) == pytest.approx(1)


def test_tuned_weights_are_the_best_there_are():
    rng = np.random.default_rng(0)
    text = [np.array([1 + (i * i) % 5 if rng.random() < 0.7 else rng.integers(1, SIZE) for i in range(60)])
            for _ in range(30)]
    model = Interpolated(2, SIZE, text[:20]).tune(text[20:])
    best = model.perplexity(text[20:])
    for change in ((0.05, -0.05, 0), (0, 0.05, -0.05), (-0.05, 0, 0.05), (0.05, 0, -0.05)):
        other = Interpolated(2, SIZE, text[:20])
        other.weights = np.clip(model.weights + change, 1e-9, None)
        other.weights /= other.weights.sum()
        assert other.perplexity(text[20:]) >= best - 1e-3
    assert best < Interpolated(1, SIZE, text[:20]).tune(text[20:]).perplexity(text[20:])


def test_what_was_never_seen_is_still_possible():
    same = [np.array([1, 2] * 200)]
    model = Interpolated(2, SIZE, same).tune(same)
    assert model.perplexity([np.array([1, 6, 5])]) < 1e5


def test_too_many_words_are_refused():
    with pytest.raises(ValueError, match="n-grams of 3 have no room for 3000000 words"):
        Interpolated(3, 3_000_000, BLOCKS)
