"""Training on a text: what `fastnn train TEXTFILE --model lstm` does."""
from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastnn
from fastnn import layers, plotting

from . import CommandError, count, process_seconds, train
from .folder import MODEL, PICTURES, check_folder, save_model, save_pictures, tell_of_model
from .ngrams import Interpolated, KneserNey
from .table import wrong
from .text import STEPS, Parts, Vocabulary, default, read, split, tokens, unit, windows

DEFAULT = "text"              # the name of the text that comes along
FEWEST_BLOCKS = 10            # of a window and the next word: eight to train, one to tune with, one held out
BASELINES = {False: (2, "bigram"), True: (3, "trigram")}
LONGEST = 5                   # words of the n-grams that show what can be had without a net
SAMPLE, TEMPERATURE = {False: 30, True: 200}, 0.8
LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
MANY = 200_000                # words from which on windows that overlap are not needed, and larger batches do
ROWS = 64                     # windows that are predicted together: their probabilities take much memory


class Recipe(NamedTuple):
    """How a net learns; found on scikit-learn's descriptions, where it is overfitting that limits what is learned: of a
    longer text it learns with less dropout."""

    embedding: int
    hidden: int
    dropout: tuple[float, float, float]     # of whole words, of what the embedding gives and the recurrent layer does
    rate: float = 4e-3
    patience: int = 6                       # epochs without a better loss on the validation text
    short: int = 20_000                     # words, or characters, up to which that dropout is whole

    def dropout_of(self, n: int) -> list[float]:
        """The dropout for a text of ``n`` words or characters to learn from: a half of it for 16 times a short one."""
        return [rate * min(1.0, (self.short / n) ** 0.25) for rate in self.dropout]


RECIPES = {False: Recipe(256, 256, (0.2, 0.65, 0.65)),
           True: Recipe(64, 256, (0.05, 0.1, 0.5), 5e-3, short=100_000)}


def run(options) -> None:
    """Read, train, compare, save, draw. Nothing is written before all went well."""
    check(options)
    source = options.source or DEFAULT
    options.out = options.out or f"fastnn-{Path(source).stem}"
    check_folder(options.out, (MODEL, *PICTURES))
    text = default() if source == DEFAULT else read(source)
    vocabulary, parts = prepare(text, source, options.chars)
    fastnn.utils.set_random_seed(options.seed)
    model = build(vocabulary, parts, options.model or "lstm", options.hidden)
    tell_of_model(options.out)
    model.summary()
    start = time.perf_counter()
    history = fit(model, vocabulary, parts, options)
    seconds = time.perf_counter() - start
    report(model, vocabulary, parts, options.model or "lstm")
    save_model(model, options.out)
    save_pictures(options.out, {"learning-curves.png": lambda figure: plotting.history(history, ax=figure.subplots())},
                  PICTURES)
    words, epochs = sum(map(len, parts.train)), len(history.epoch)
    print(f"{source}: {count(words, unit(options.chars))}, {count(epochs, 'epoch')}, "
          f"{words * epochs / seconds:,.0f} {unit(options.chars)}s a second, {process_seconds():.2f} s since the "
          "process started")


def check(options) -> None:
    """Raise CommandError for options that do not go with a text."""
    given = [name for name in train.FOR_TABLES if getattr(options, name) is not None]
    if options.source in ("iris", "digits"):
        asked = "--chars" if options.chars else f"--model {options.model}"
        raise CommandError(f"{asked} is for a text, not for {options.source}", 2)
    if options.model and options.model not in train.TEXT_MODELS:
        raise CommandError(f"--model {options.model} is for digits, not for a text; choose from "
                           f"{', '.join(train.TEXT_MODELS)}", 2)
    if given:
        raise CommandError(f"--{given[0]} is for a CSV file, not for a text", 2)


def prepare(text: str, source: str, chars: bool) -> tuple[Vocabulary, Parts]:
    """The vocabulary of the part to learn from, and all parts in its numbers; CommandError for too short a text."""
    words, steps = tokens(text, chars), STEPS[chars]
    advice = "" if chars or len(text) < FEWEST_BLOCKS * (STEPS[True] + 1) else "; --chars learns its characters instead"
    if len(words) < FEWEST_BLOCKS * (steps + 1):
        raise wrong(source, f"has {count(len(words), unit(chars))}; {FEWEST_BLOCKS * (steps + 1)} or more are needed: "
                            f"{FEWEST_BLOCKS} parts of a window of {steps} and the one that follows{advice}")
    parts = split(words, steps)
    vocabulary = Vocabulary.of(parts.train, chars, steps)
    if not vocabulary.words:
        raise wrong(source, f"no {unit(chars)} comes twice in the part to learn from: there is nothing to learn"
                            + advice)
    return vocabulary, Parts(*([vocabulary.encode(block) for block in blocks] for blocks in parts))


def build(vocabulary: Vocabulary, parts: Parts, kind: str, hidden: list[int] | None):
    """A net that gives the probabilities of the next word after each word of a window, compiled."""
    recipe = RECIPES[vocabulary.chars]
    words, before, behind = recipe.dropout_of(sum(map(len, parts.train)))
    model = fastnn.Sequential([
        fastnn.Input((vocabulary.steps,), dtype="int32"), layers.Embedding(vocabulary.size, recipe.embedding),
        layers.Dropout(words, noise_shape=(None, vocabulary.steps, 1)), layers.Dropout(before)])
    for units in hidden or [recipe.hidden]:
        model.add(LAYERS[kind](units, return_sequences=True))
        model.add(layers.Dropout(behind))
    last = layers.Dense(vocabulary.size, activation="softmax")
    model.add(last)
    # It starts from how often each word comes, rather than to spend its first epochs on that.
    counts = np.bincount(np.concatenate(parts.train), minlength=vocabulary.size) + 0.1
    last.set_weights([last.get_weights()[0], np.log(counts / counts.sum())])
    model.compile(optimizer=fastnn.optimizers.Adam(recipe.rate), loss="sparse_categorical_crossentropy")
    model.notes = vocabulary.notes()
    return model


def fit(model, vocabulary: Vocabulary, parts: Parts, options):
    """Train until the loss on the validation text no longer falls; the weights are those of its best epoch."""
    many, steps = sum(map(len, parts.train)) > MANY, vocabulary.steps
    x, y, _ = windows(parts.train, steps, steps if many else steps // 2)
    stop = fastnn.callbacks.EarlyStopping(patience=RECIPES[vocabulary.chars].patience, restore_best_weights=True)
    return model.fit(x, y, batch_size=options.batch_size or (64 if many else 32), epochs=options.epochs or 40,
                     validation_data=windows(parts.tune, steps, steps)[:2], callbacks=[stop], verbose=2)


def perplexity(model, blocks: list[np.ndarray], steps: int) -> float:
    """That of each word but the first of each block, given those before it in its window, half a window at least
    wherever the block has them."""
    x, y, counts = windows(blocks, steps, steps // 2)
    logs = []
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        given = model.predict(x[rows], batch_size=ROWS, verbose=0)
        found = np.take_along_axis(given, y[rows, :, None], axis=2)[..., 0][counts[rows]]
        logs.append(np.log(found.astype(np.float64).clip(np.finfo(np.float32).tiny)))
    return float(np.exp(-np.concatenate(logs).mean()))


def report(model, vocabulary: Vocabulary, parts: Parts, kind: str) -> None:
    """Print the perplexity of the net beside that of n-grams, and what it writes by itself."""
    from .generate import complete
    order, name = BASELINES[vocabulary.chars]
    baseline = Interpolated(order, vocabulary.size, parts.train).tune(parts.tune)
    longest = KneserNey(LONGEST, vocabulary.size, parts.train).tune(parts.tune)
    held_out = np.concatenate(parts.test)
    print(f"\n{count(len(held_out), unit(vocabulary.chars))} held out in {count(len(parts.test), 'block')}; "
          f"{(held_out == 1).mean():.1%} of them are none of the {len(vocabulary.words)} in the vocabulary")
    print(f"{'perplexity':22}{'validation':>12}{'held out':>12}")
    for title, of in ((kind, lambda blocks: perplexity(model, blocks, vocabulary.steps)),
                      (f"interpolated {name}", baseline.perplexity),
                      (f"Kneser-Ney {LONGEST}-gram", longest.perplexity)):
        print(f"{title:22}{of(parts.tune):12.2f}{of(parts.test):12.2f}")
    sample = complete(model, vocabulary, "", SAMPLE[vocabulary.chars], TEMPERATURE, np.random.default_rng(0))
    print(f"\nA sample at temperature {TEMPERATURE}:\n{sample}\n")
