"""Complete a text with a model that `fastnn train TEXTFILE --model lstm` saved.

The model says how probable each word, or character, is as the next one; one is drawn, and so on. At a low temperature
the probable ones are drawn more often than the model says, at 0 always the most probable one; at a high one the others
are. Words that the model does not know are never drawn. The same seed gives the same text.
"""
import argparse
import math
import sys

import numpy as np

from . import CommandError, count, seed, whole
from .predict import load
from .text import from_notes, joined, tokens, unit

HOTTEST = 100
LENGTH = {False: 50, True: 300}      # words, or characters


def temperature(text):
    """An argparse type: a number from 0 on."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= HOTTEST:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {HOTTEST}, got {text!r:.60}")
    return value


OPTIONS = {
    "model": {"metavar": "MODEL",
              "help": "model file, as `fastnn train TEXTFILE --model lstm` writes, or the folder it is in"},
    "--prompt": {"default": "", "metavar": "TEXT", "help": "the text to complete (default: none)"},
    "--temperature": {"type": temperature, "default": 0.8, "metavar": "T",
                      "help": "0: always the most probable; above 1: more surprises than the model expects "
                              "(default: 0.8)"},
    "--length": {"type": whole, "metavar": "N",
                 "help": "words, or for a model of characters those, to add (default: 50 words, 300 characters)"},
    "--seed": {"type": seed, "default": 0, "metavar": "N", "help": "another seed, another text (default: 0)"},
}


def run(options):
    """Print the prompt and what follows it."""
    model = load(options.model)
    vocabulary = from_notes(model, options.model)
    known = set(vocabulary.words)
    unknown = [word for word in tokens(options.prompt, vocabulary.chars) if word not in known]
    if unknown:
        print(f"fastnn: --prompt: the model does not know {count(len(unknown), unit(vocabulary.chars))}, such as "
              f"{unknown[0]!r:.60}", file=sys.stderr)
    print(complete(model, vocabulary, options.prompt, options.length or LENGTH[vocabulary.chars], options.temperature,
                   np.random.default_rng(options.seed)))


def complete(model, vocabulary, prompt, length, heat, rng):
    """The text ``prompt`` and behind it ``length`` words, drawn by ``rng``."""
    words = []
    numbers = vocabulary.encode(tokens(prompt, vocabulary.chars)).tolist() or [vocabulary.beginning()]
    for _ in range(length):
        numbers.append(draw(next_probabilities(model, numbers, vocabulary.steps), heat, rng))
        words.append(vocabulary.words[numbers[-1] - 2])
    return joined(words, vocabulary.chars, prompt)


def next_probabilities(model, numbers, steps):
    """What the model expects after these: they stand at the beginning of a window, whose rest nothing depends on."""
    last = numbers[-steps:]
    x = np.zeros((1, steps), np.int32)
    x[0, :len(last)] = last
    probabilities = np.asarray(model(x))[0, len(last) - 1]
    if not np.isfinite(probabilities).all():
        raise CommandError("the output of the model is not finite: there are NaN or infinite weights in it, as of a "
                           "training that diverged; train it again", 2)
    return probabilities


def draw(probabilities, heat, rng):
    """The number of a word that is known."""
    logs = np.log(np.maximum(probabilities[2:].astype(np.float64), np.finfo(np.float32).tiny))
    if heat == 0:
        return int(logs.argmax()) + 2
    # The largest of these sums falls on each word as often as the softmax of logs / heat says (Gumbel's trick).
    with np.errstate(over="ignore"):
        return int(((logs - logs.max()) / heat + rng.gumbel(size=len(logs))).argmax()) + 2
