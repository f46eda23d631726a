"""The command on texts: train, generate; and one line for every text that cannot be used."""
import doctest
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from cli_checks import ok, refused

import fastnn
from fastnn import layers
from fastnn.cli import generate, main, text, train_text
from fastnn.cli.ngrams import Interpolated, KneserNey
from fastnn.cli.text import Vocabulary

QUICK = ("--epochs", "1", "--hidden", "4")
WINDOW = text.STEPS[False]
CHARS = "; --chars learns its characters instead"
NEEDED = f"{10 * (WINDOW + 1)} or more are needed: 10 parts of a window of {WINDOW} and the one that follows"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Every test works in an empty folder, without pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fastnn.cli.train_text.save_pictures", lambda *arguments: None)
    return tmp_path


def story(n=60, seed=0):
    """Sentences in which every word but the names follows from the one before."""
    rng = np.random.default_rng(seed)
    return " ".join(f"The {rng.choice(['cat', 'dog', 'hen'])} sat on the mat (it was old), and then it went away."
                    for _ in range(n))


def output(capsys, *arguments):
    capsys.readouterr()
    ok(*arguments)
    return capsys.readouterr().out


def net(steps=4, words=("a", "b", "c"), chars=True, notes=None):
    """A model for text, untrained, in the file net.fastnn."""
    vocabulary = Vocabulary(list(words), chars, steps)
    model = fastnn.Sequential([fastnn.Input((steps,), dtype="int32"), layers.Embedding(vocabulary.size, 3),
                               layers.SimpleRNN(5, return_sequences=True),
                               layers.Dense(vocabulary.size, activation="softmax")])
    model.notes = vocabulary.notes() if notes is None else notes
    model.save("net.fastnn")
    return model, vocabulary


# texts


def test_examples():
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize("sentence", ["it's 5 o'clock (or 6), isn't it? a -- b... done.", "été naïve 日本 café!",
                                      "नमस्ते दुनिया", "می\u200cخواهم بروم.", "ein ❤\ufe0f!"])
def test_joining_words_gives_a_text_of_the_same_words(sentence):
    words = text.tokens(sentence, chars=False)
    assert text.tokens(text.joined(words, chars=False), chars=False) == words
    assert text.joined(text.tokens(sentence, chars=True), chars=True) == sentence


def test_combining_marks_belong_to_their_letters():
    assert text.tokens("नमस्ते दुनिया! हिन्दी", chars=False) == ["नमस्ते", "दुनिया", "!", "हिन्दी"]
    assert text.tokens("می\u200cخواهم n\u0303-x\u0308 ❤\ufe0f❤\ufe0f", chars=False) == [
        "می\u200cخواهم", "\xf1-\u1e8d", "❤\ufe0f❤\ufe0f"]
    for chars in (False, True):                       # however its letters were composed
        assert text.tokens("Cafe\u0301 cafe\u0301", chars) == text.tokens("Caf\xe9 caf\xe9", chars)


def test_blocks_are_whole_apart_and_all_of_the_text():
    words = [str(i) for i in range(50 * 21 + 13)]
    parts = text.split(words, 20)
    assert [len(blocks) for blocks in parts] == [40, 5, 5]
    blocks = sorted((block for blocks in parts for block in blocks), key=lambda block: int(block[0]))
    assert [word for block in blocks for word in block] == words and min(map(len, blocks)) >= 21
    assert [len(blocks) for blocks in text.split(words[:210], 20)] == [8, 1, 1]


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("length", [5, 6, 11, 12])
def test_windows_count_every_word_but_the_first_once(length, stride):
    blocks = [np.arange(length, dtype=np.int32), 100 + np.arange(5, dtype=np.int32)]
    x, y, counts = text.windows(blocks, 4, stride)
    assert np.array_equal(y, x + 1) and x.dtype == np.int32
    assert y[counts].tolist() == [*range(1, length), *range(101, 105)]


def test_words_are_numbered_by_frequency_and_rare_ones_are_unknown():
    vocabulary = Vocabulary.of([["b", "a", "b"], ["a", "b", "z"]], False, 20)
    assert vocabulary.words == ["b", "a"] and vocabulary.size == 4
    assert vocabulary.encode(["a", "z", "b", "?"]).tolist() == [3, 1, 2, 1]


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn brings the text")
def test_the_default_text_is_there_without_a_network():
    assert "Iris plants dataset" in text.default() and len(text.tokens(text.default(), chars=False)) > 5000


# training


def test_perplexity_is_that_of_each_word_with_its_context():
    model, vocabulary = net()
    block = np.array([2, 3, 4, 2, 2, 3, 1, 4, 3, 2], np.int32)
    expected, steps = [], vocabulary.steps
    for place in range(1, len(block)):                   # half a window of words before it, or all there are
        start = 0 if place <= steps else min((place - steps + 1) // 2 * 2, len(block) - 1 - steps)
        given = model.predict(block[None, start:start + steps], verbose=0)[0, place - start - 1]
        expected.append(-np.log(given[block[place]]))
    found = train_text.perplexity(model, [block, block], steps)
    assert found == pytest.approx(np.exp(np.mean(expected)), rel=1e-5)


def test_a_text_is_learned_saved_and_completed(capsys):
    Path("story.txt").write_text(story())
    out = output(capsys, "train", "story.txt", "--model", "gru", "--epochs", "30", "--hidden", "24")
    rows = {line.split()[0]: line.split()[-2:] for line in out.splitlines()
            if line.startswith(("gru", "interpolated", "Kneser"))}
    assert all(1 < float(value) < 3 for values in rows.values() for value in values) and len(rows) == 3
    assert "words held out in" in out and "A sample at temperature 0.8:" in out
    assert out.splitlines()[-1].startswith("story.txt: ")
    model = fastnn.models.load_model("fastnn-story/model.fastnn")
    assert "cat" in model.notes["text"]["words"] and model.notes["text"]["chars"] is False
    line = output(capsys, "generate", "fastnn-story/model.fastnn", "--prompt", "The Hen", "--temperature", "0",
                  "--length", "8")
    assert line == "The Hen sat on the mat (it was old\n"
    assert "Vocabulary: " in output(capsys, "summary", "fastnn-story/model.fastnn")


def test_what_is_held_out_is_in_the_report_alone(capsys):
    words = text.tokens(story(80), chars=False)
    parts = text.split(list(range(len(words))), WINDOW)
    for name, blocks in zip(("learned", "tuned", "held"), parts, strict=True):
        for place in (place for block in blocks for place in block[::13]):
            words[place] = name
    for start, *_, end in parts.test:                   # other weights and another discount would suit it
        words[start:end] = sorted(words[start:end])
    Path("story.txt").write_text(" ".join(words))
    out = output(capsys, "train", "story.txt", "--model", "rnn", "--hidden", "16", "--batch-size", "4")
    model = fastnn.models.load_model("fastnn-story/model.fastnn")
    vocabulary = Vocabulary(**model.notes["text"])
    assert "learned" in vocabulary.words and not {"tuned", "held"} & set(vocabulary.words)
    learned, tuned, held = ([vocabulary.encode(block) for block in blocks] for blocks in text.split(words, WINDOW))
    given = float(np.mean(np.concatenate(held) == 1))
    assert f"{sum(map(len, held))} words held out in {len(held)} blocks; {given:.1%} of them are none of" in out
    pairs, longest = Interpolated(2, vocabulary.size, learned), KneserNey(5, vocabulary.size, learned)
    for title, measure in (("rnn", lambda blocks: train_text.perplexity(model, blocks, WINDOW)),
                           ("interpolated bigram", pairs.tune(tuned).perplexity),
                           ("Kneser-Ney 5-gram", longest.tune(tuned).perplexity)):
        assert f"{title:22}{measure(tuned):12.2f}{measure(held):12.2f}\n" in out
    losses = [float(line.split()[-1]) for line in out.splitlines() if " val_loss: " in line]
    x, y, _ = text.windows(tuned, WINDOW, WINDOW)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(min(losses), abs=1e-4) != losses[-1]


@pytest.mark.parametrize(("kind", "layer"), [("lstm", layers.LSTM), ("rnn", layers.SimpleRNN)])
def test_each_model_has_its_layer(kind, layer):
    Path("story.txt").write_text(story(20))
    ok("train", "story.txt", "--model", kind, *QUICK, "--out", "here")
    assert [type(part) for part in fastnn.models.load_model("here/model.fastnn").layers].count(layer) == 1


def test_characters(capsys):
    Path("story.txt").write_text(story(20), encoding="utf-8-sig")       # a mark at the beginning is no character
    out = output(capsys, "train", "story.txt", "--chars", *QUICK)
    assert "interpolated trigram" in out and "characters a second" in out
    assert "\ufeff" not in fastnn.models.load_model("fastnn-story/model.fastnn").notes["text"]["words"]
    line = output(capsys, "generate", "fastnn-story/model.fastnn", "--prompt", "The h", "--length", "7")
    assert line.startswith("The h") and len(line) == 5 + 7 + 1


def test_training_is_repeatable_from_its_seed(capsys):
    Path("story.txt").write_text(story(20))
    first, again, other = (output(capsys, "train", "story.txt", "--model", "rnn", *QUICK, "--seed", seed)
                           for seed in ("1", "1", "2"))
    tables = [[line for line in out.splitlines() if line.startswith("rnn")] for out in (first, again, other)]
    assert tables[0] == tables[1] != tables[2]


def test_an_interrupted_training_writes_nothing(capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt
    Path("story.txt").write_text(story(20))
    monkeypatch.setattr(fastnn.Sequential, "fit", interrupt)
    assert main(["train", "story.txt", "--model", "lstm", *QUICK]) == 130
    assert os.listdir() == ["story.txt"]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty; expected a text"),
    (b" \n\n", "is empty; expected a text"),
    (b"ab\nc\xe9 d", "is no UTF-8 text (byte 0xe9 at place 4, in line 2); save it in UTF-8"),
    (b"\xef\xbb\xbfab\xff", "is no UTF-8 text (byte 0xff at place 5, in line 1); save it in UTF-8"),
    ("text".encode("utf-16"), "is in UTF-16, not in UTF-8 (byte 0xff at place 0, in line 1); save it in UTF-8"),
    ("text".encode("utf-32"), "is in UTF-32, not in UTF-8 (byte 0xff at place 0, in line 1); save it in UTF-8"),
    (b"ab\ncd\0ef", "is no text (byte 0x00 at place 5, in line 2: a binary file, or UTF-16); save it in UTF-8"),
    ("text".encode("utf-16-le"),
     "is no text (byte 0x00 at place 1, in line 1: a binary file, or UTF-16); save it in UTF-8"),
    (b"... !!!", f"has 2 words; {NEEDED}"),
    (b"one", f"has 1 word; {NEEDED}"),
    (b"\xe6\x97\xa5" * 650, f"has 1 word; {NEEDED}{CHARS}"),
    (b"a " * (10 * WINDOW + 9), f"has {10 * WINDOW + 9} words; {NEEDED}"),
    (" ".join(map(str, range(300))).encode(),
     "no word comes twice in the part to learn from: there is nothing to learn" + CHARS),
], ids=lambda value: value[:20] if isinstance(value, str) else None)
def test_a_text_that_cannot_be_used(capsys, content, words):
    Path("t.txt").write_bytes(content)
    assert refused(capsys, "train", "t.txt", "--model", "lstm") == f"t.txt: {words}"


@pytest.mark.parametrize(("arguments", "words"), [
    (["none.txt", "--model", "lstm"], "none.txt: cannot be read: No such file or directory"),
    ([".", "--model", "lstm", "--out", "x"], ".: is a folder; expected a text file"),
    (["t.txt", "--model", "lstm", "--out", "t.txt"], "is no folder"),
    (["text", "--model", "cnn"], "--model cnn is for digits, not for a text; choose from lstm, gru, rnn"),
    (["iris", "--model", "gru"], "--model gru is for a text, not for iris"),
    (["digits", "--chars"], "--chars is for a text, not for digits"),
    (["t.txt", "--model", "lstm", "--target", "y"], "--target is for a CSV file, not for a text"),
    (["none.txt"], "none.txt: cannot be read: No such file or directory"),
    (["net.fastnn"], "is no UTF-8 text (byte 0x8e at place 0, in line 1); save it in UTF-8"),
    (["t.txt"], "t.txt: --target is missing: the name of the column to predict; --model lstm takes the file as a text"),
])
def test_options_that_do_not_fit(capsys, arguments, words):
    Path("t.txt").write_text("a text")
    Path("net.fastnn").write_bytes(b"\x8e")
    assert refused(capsys, "train", *arguments).endswith(words)


@pytest.mark.parametrize("arguments", [["--model", "lstm"], ["--chars", "--model", "gru"]])
def test_more_units_than_any_memory_has_room_for(capsys, monkeypatch, arguments):
    Path("t.txt").write_text(story(20))
    monkeypatch.setattr("fastnn.program.lowering.MOST_ELEMENTS", 10**5)        # else the weights before take minutes
    assert main(["train", "t.txt", *arguments, "--hidden", "300"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("fastnn: --hidden 300: not enough memory: layer '") and err.count("\n") == 1
    assert ": a weight of shape (" in err and os.listdir() == ["t.txt"]


# completing


def test_a_folder_stands_for_the_model_in_it(capsys):
    net()
    expected = output(capsys, "generate", "net.fastnn")
    Path("folder").mkdir()
    assert refused(capsys, "generate", "folder") == "folder: is a folder without model.fastnn; expected a model file"
    Path("net.fastnn").rename("folder/model.fastnn")
    assert output(capsys, "generate", "folder") == expected and output(capsys, "generate", "folder/") == expected
    assert "Vocabulary" in output(capsys, "summary", "folder")


def test_what_comes_next_does_not_depend_on_the_rest_of_the_window():
    model, vocabulary = net()
    for numbers in ([3], [2, 4, 3], [4, 3, 2, 2], [2, 3, 4, 2, 3, 4]):
        last = np.array(numbers[-4:], np.int32)
        padded = np.concatenate([last, np.full(4 - len(last), 3, np.int32)])
        expected = model.predict(padded[None], verbose=0)[0, len(last) - 1]
        assert np.array_equal(generate.next_probabilities(model, numbers, vocabulary.steps), expected)


def test_temperature_sharpens_what_is_drawn():
    probabilities = np.array([0.3, 0.3, 0.1, 0.2, 0.1], np.float32)           # none and unknown are never drawn
    def shares(heat):
        rng = np.random.default_rng(0)
        drawn = [generate.draw(probabilities, heat, rng) for _ in range(4000)]
        return np.bincount(drawn, minlength=5) / len(drawn)
    assert shares(0).tolist() == shares(1e-310).tolist() == [0, 0, 0, 1, 0]
    assert shares(1) == pytest.approx([0, 0, 0.25, 0.5, 0.25], abs=0.03)
    assert shares(0.5) == pytest.approx([0, 0, 1 / 6, 4 / 6, 1 / 6], abs=0.03)
    assert shares(100) == pytest.approx([0, 0, 1 / 3, 1 / 3, 1 / 3], abs=0.03)


def test_a_word_of_probability_zero_can_be_met():
    assert generate.draw(np.array([0.5, 0.5, 0, 0], np.float32), 0.8, np.random.default_rng(0)) in (2, 3)


def test_the_seed_decides_and_prompts_may_be_empty_or_unknown(capsys):
    net()
    texts = [output(capsys, "generate", "net.fastnn", "--length", "40", "--seed", seed) for seed in ("1", "1", "2")]
    assert texts[0] == texts[1] != texts[2] and set(texts[0][:-1]) <= set("abc") and len(texts[0]) == 41
    assert main(["generate", "net.fastnn", "--prompt", "xay", "--length", "2"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("xay") and err == "fastnn: --prompt: the model does not know 2 characters, such as 'x'\n"


@pytest.mark.parametrize(("arguments", "words"), [
    (["none"], "model file 'none': cannot be read: No such file or directory"),
    (["net.fastnn", "--temperature", "-1"], "argument --temperature: expected a number from 0 to 100, got '-1'"),
    (["net.fastnn", "--temperature", "nan"], "argument --temperature: expected a number from 0 to 100, got 'nan'"),
    (["net.fastnn", "--length", "0"], "argument --length: expected a whole number from 1 to 1000000000, got '0'"),
])
def test_generate_with_options_that_do_not_fit(capsys, arguments, words):
    net()
    assert refused(capsys, "generate", *arguments) == words


@pytest.mark.parametrize(("number", "layer"), [(np.nan, 1), (np.inf, -1)])
def test_a_model_that_is_not_finite_writes_nothing(capsys, number, layer):
    model, _ = net()
    kernel, *others = model.layers[layer].get_weights()
    model.layers[layer].set_weights([np.full_like(kernel, number), *others])
    model.save("net.fastnn")
    words = ("the output of the model is not finite: there are NaN or infinite weights in it, as of a training that "
             "diverged; train it again")
    assert refused(capsys, "generate", "net.fastnn") == words


@pytest.mark.parametrize("notes", [
    {}, {"text": 5}, {"text": {"words": ["a", "b", "c"], "chars": True}}, {"inputs": [["a", None]]},
    {"text": {"words": ["a", "b"], "chars": True, "steps": 4}}, {"text": {"words": "abc", "chars": True, "steps": 4}},
    {"text": {"words": ["a", "b", "b"], "chars": True, "steps": 4}},
    {"text": {"words": ["a", "b", ""], "chars": True, "steps": 4}},
    {"text": {"words": ["a", "b", ["c"]], "chars": True, "steps": 4}},
    {"text": {"words": ["a", "b", "c"], "chars": 1, "steps": 4}},
    {"text": {"words": ["a", "b", "c"], "chars": True, "steps": 5}},
    {"text": {"words": ["a", "b", "c"], "chars": True, "steps": True}},
])
def test_models_that_are_not_for_text(capsys, notes):
    net(notes=notes)
    assert refused(capsys, "generate", "net.fastnn") == (
        "net.fastnn: is no model for text; `fastnn train TEXTFILE --model lstm` makes one")


def test_a_model_for_text_predicts_no_table(capsys):
    net()
    Path("t.csv").write_text("a\n1\n")
    assert "does not say which columns it takes" in refused(capsys, "predict", "net.fastnn", "t.csv")


@pytest.mark.parametrize("n, chars, rates", [
    (20_000, False, [0.2, 0.65, 0.65]), (320_000, False, [0.1, 0.325, 0.325]), (100_000, True, [0.05, 0.1, 0.5]),
    (8_100_000, True, [0.05 / 3, 0.1 / 3, 0.5 / 3])])
def test_a_long_text_is_learned_with_less_dropout(n, chars, rates):
    parts = text.Parts([np.zeros(n // 2, np.int32)] * 2, [], [])
    model = train_text.build(Vocabulary(["a", "b"], chars, 5), parts, "lstm", [4])
    found = [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]
    np.testing.assert_allclose(found, rates)
