"""N-grams against counting in plain Python."""
import itertools
import math
from collections import Counter
from functools import partial

import numpy as np
import pytest

from fastnn.cli.ngrams import DISCOUNTS, Interpolated, KneserNey

SIZE = 7
BLOCKS = [np.array(block) for block in ([1, 2, 3, 1, 2, 4, 1], [2, 2, 3, 1, 5], [6, 1, 2])]
OTHERS = [np.array(block) for block in ([1, 2, 3, 3, 2], [4, 1, 2, 6])]


def grams(block, n):
    """The n-gram that ends in each word of a block."""
    padded = [0] * (n - 1) + block.tolist()
    return [tuple(padded[i:i + n]) for i in range(len(block))]


def counts(n):
    return Counter(gram for block in BLOCKS for gram in grams(block, n))


def interpolated(order, weights, history, word):
    """The probability by dictionaries."""
    found, part = weights[0] / (SIZE - 1), 1 / (SIZE - 1)
    for n in range(1, order + 1):
        after = {gram[-1]: count for gram, count in counts(n).items() if gram[:-1] == history[len(history) - n + 1:]}
        if after:
            part = after.get(word, 0) / sum(after.values())
        found += weights[n] * part
    return found


def kneser_ney(order, discount, history, word):
    found = 1 / (SIZE - 1)
    for n in range(1, order + 1):
        kinds = counts(n) if n == order else Counter(gram[1:] for gram in counts(n + 1))
        after = {gram[-1]: count for gram, count in kinds.items() if gram[:-1] == history[len(history) - n + 1:]}
        if after:
            found = (max(after.get(word, 0) - discount, 0) + discount * len(after) * found) / sum(after.values())
    return found


def chosen(kind, order):
    """A model of order ``order`` that is not tuned, and its probability by dictionaries."""
    model = kind(order, SIZE, BLOCKS)
    if kind is KneserNey:
        model.discount = 0.6
        return model, partial(kneser_ney, order, 0.6)
    model.weights = np.arange(1, order + 2) / np.arange(1, order + 2).sum()
    return model, partial(interpolated, order, model.weights)


KINDS = pytest.mark.parametrize("kind", [Interpolated, KneserNey])


@KINDS
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_are_those_of_counting(kind, order):
    model, probability = chosen(kind, order)
    expected = [probability(gram[:-1], gram[-1]) for block in OTHERS for gram in grams(block, 5)[1:]]
    assert model.probabilities(OTHERS).tolist() == pytest.approx(expected, rel=1e-12)
    assert model.perplexity(OTHERS) == pytest.approx(math.exp(-np.log(expected).mean()), rel=1e-12)


@KINDS
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_after_whatever_words_the_probabilities_add_to_one(kind, order):
    model = kind(order, SIZE, BLOCKS).tune(OTHERS)
    for length in (1, 2, 3):
        ways = [np.array(way) for way in itertools.product(range(1, SIZE), repeat=length + 1)]
        last = model.probabilities(ways).reshape(-1, SIZE - 1, length)[..., -1]
        assert last.sum(axis=1) == pytest.approx(1)


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


def test_the_tuned_discount_is_the_best_of_all():
    text = [np.random.default_rng(i).geometric(0.4, 60).clip(max=SIZE - 1) for i in range(6)]
    model = KneserNey(3, SIZE, text[:4]).tune(text[4:])
    best = model.perplexity(text[4:])
    for model.discount in DISCOUNTS:
        assert model.perplexity(text[4:]) >= best - 1e-12


@KINDS
def test_what_was_never_seen_is_still_possible(kind):
    same = [np.array([1, 2] * 200)]
    model = kind(2, SIZE, same).tune(same)
    assert model.perplexity([np.array([1, 6, 5])]) < 1e5


@KINDS
def test_long_grams_of_many_words_are_told_apart(kind):
    text = [np.array([1, 2, 3, 9_999_999, 5, 1, 2, 3, 9_999_998, 6] * 50)]
    assert kind(5, 10_000_000, text).tune(text).perplexity(text) < 1.2
