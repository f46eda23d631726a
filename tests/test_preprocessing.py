"""Text as numbers, against what the Tokenizer of Keras gives (recorded)."""
import json

import numpy as np
import pytest

from fastnn.preprocessing.text import Tokenizer, text_to_word_sequence, tokenizer_from_json

TEXTS = ["The cat sat on the mat.", "The dog: sat!", ["A", "cat"]]


def test_words_of_a_text():
    assert text_to_word_sequence("  Don't\tstop, A-B ") == ["don't", "stop", "a", "b"]
    assert text_to_word_sequence("A;B c", filters="", lower=False, split=";") == ["A", "B c"]


def test_numbers_by_frequency():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index == {"the": 1, "cat": 2, "sat": 3, "on": 4, "mat": 5, "dog": 6, "a": 7}
    assert tokenizer.texts_to_sequences(["the dog barks", "a mat"]) == [[1, 6], [7, 5]]
    assert tokenizer.sequences_to_texts([[1, 6], [7, 99]]) == ["the dog", "a"]
    assert tokenizer.document_count == 3 and tokenizer.word_counts["the"] == 3 and tokenizer.index_word[1] == "the"
    tokenizer.fit_on_texts(["dog dog dog"])
    assert tokenizer.word_index["dog"] == 1, "what was counted before still counts"


def test_words_that_are_not_used():
    tokenizer = Tokenizer(num_words=4, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index["?"] == 1 and tokenizer.word_index["the"] == 2
    assert tokenizer.texts_to_sequences(["the dog sat"]) == [[2, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 55]]) == ["the ?"]
    named = Tokenizer(oov_token="the")                  # comes in the texts too: the numbers go on behind it
    named.fit_on_texts(TEXTS)
    assert named.texts_to_sequences(["a dog barks"]) == [[named.word_index[word] for word in ("a", "dog", "the")]]
    assert named.sequences_to_texts(named.texts_to_sequences(TEXTS[:1])) == ["the cat sat on the mat"]
    few = Tokenizer(num_words=3)
    few.fit_on_texts(TEXTS)
    assert few.texts_to_sequences(["the dog sat"]) == [[1]]


def test_characters():
    tokenizer = Tokenizer(char_level=True)
    tokenizer.fit_on_texts(["Aab"])
    assert tokenizer.texts_to_sequences(["ba"]) == [[2, 1]]


@pytest.mark.parametrize(("mode", "row"), [
    ("binary", [0, 1, 1, 0]), ("count", [0, 2, 1, 0]), ("freq", [0, 2 / 3, 1 / 3, 0]),
    ("tfidf", [0, (1 + np.log(2)) * np.log(1 + 3 / 3), np.log(1 + 3 / 3), 0])])
def test_matrix(mode, row):
    tokenizer = Tokenizer(num_words=4)
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.texts_to_matrix(["the the cat mat", ""], mode).tolist() == [pytest.approx(row), [0] * 4]


def test_words_beyond_num_words_are_not_shown():
    tokenizer = Tokenizer(num_words=4, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.sequences_to_texts([[1, 2, 3, 4, 5, 99]]) == ["? the cat ? ? ?"]
    tokenizer = Tokenizer(num_words=4)
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.sequences_to_texts([[1, 2, 3, 4, 5, 99]]) == ["the cat sat"]


def test_sequences_from_elsewhere_count_for_tfidf():
    tokenizer = Tokenizer(num_words=5)
    tokenizer.fit_on_sequences([[1, 2], [2, 3, 3]])
    assert tokenizer.document_count == 2 and tokenizer.index_docs == {1: 1, 2: 2, 3: 1}
    expected = [0, np.log(2), np.log(1 + 2 / 3), 0, 0]
    assert tokenizer.sequences_to_matrix([[1, 2]], "tfidf").tolist() == [pytest.approx(expected)]


def test_an_analyzer_finds_the_words():
    tokenizer = Tokenizer(analyzer=lambda text: text.split("-"))
    tokenizer.fit_on_texts(["a-b", "b"])
    assert tokenizer.word_index == {"b": 1, "a": 2} and tokenizer.texts_to_sequences(["a-b"]) == [[2, 1]]


# What to_json of Keras wrote for Tokenizer(num_words=4, oov_token="?") after TEXTS.
OF_KERAS = (
    r'{"class_name": "Tokenizer", "config": {"num_words": 4, "filters": "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", '
    r'"lower": true, "split": " ", "char_level": false, "oov_token": "?", "document_count": 3, "word_counts": '
    r'"{\"the\": 3, \"cat\": 2, \"sat\": 2, \"on\": 1, \"mat\": 1, \"dog\": 1, \"a\": 1}", "word_docs": '
    r'"{\"cat\": 2, \"mat\": 1, \"on\": 1, \"the\": 2, \"sat\": 2, \"dog\": 1, \"a\": 1}", "index_docs": '
    r'"{\"3\": 2, \"6\": 1, \"5\": 1, \"2\": 2, \"4\": 2, \"7\": 1, \"8\": 1}", "index_word": '
    r'"{\"1\": \"?\", \"2\": \"the\", \"3\": \"cat\", \"4\": \"sat\", \"5\": \"on\", \"6\": \"mat\", \"7\": \"dog\", '
    r'\"8\": \"a\"}", "word_index": '
    r'"{\"?\": 1, \"the\": 2, \"cat\": 3, \"sat\": 4, \"on\": 5, \"mat\": 6, \"dog\": 7, \"a\": 8}"}}')


def plain(text):
    """The JSON of a tokenizer with its dicts as dicts."""
    found = json.loads(text)
    for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index"):
        found["config"][name] = json.loads(found["config"][name])
    return found


def test_json_is_that_of_keras_both_ways():
    tokenizer = Tokenizer(num_words=4, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    assert plain(tokenizer.to_json()) == plain(OF_KERAS)
    assert list(tokenizer.get_config()) == list(json.loads(OF_KERAS)["config"])
    read = tokenizer_from_json(OF_KERAS)
    assert read.texts_to_sequences(["the dog sat"]) == [[2, 1, 1]] and vars(read) == vars(tokenizer)
    read.fit_on_texts(["dog dog dog"])
    assert read.word_index["dog"] == 2, "what was counted before still counts"
    assert json.loads(tokenizer.to_json(indent=1)) == json.loads(tokenizer.to_json())


@pytest.mark.parametrize(("old", "new", "words"), [
    ("{", "[", "must be the text of a JSON object"),
    (OF_KERAS, "[1]", r"must be the text of a JSON object, got '\[1\]'"),
    (OF_KERAS, "[" * 100_000, "must be the text of a JSON object"),
    (OF_KERAS, "{}", "must be what `Tokenizer.to_json` writes, got a JSON object with nothing in it"),
    ("Tokenizer", "Sequential", "must be what `Tokenizer.to_json` writes"),
    (': 4, "filters"', ': "4", "filters"', "no setting of a Tokenizer: 'num_words' with the value '4'"),
    (': 4, "filters"', ': 0, "filters"', "`num_words`"),
    ("document_count", "documents", "no setting of a Tokenizer: 'documents' with the value 3"),
    ("word_counts", "counts", "`json_string: word_counts` must be the text of a JSON object, got None"),
    (r'the\": 3', r'the\": -3', "values of `word_counts` must be whole numbers of 0 or more, got -3 for 'the'"),
    (r'the\": 3', r'the\": true', "values of `word_counts` must be whole numbers of 0 or more, got True"),
    (r'the\": 3', r'the\": NaN', "values of `word_counts` must be whole numbers of 0 or more, got nan"),
    (r'{\"3\": 2', r'{\"x\": 2', "keys of `index_docs` must be whole numbers"),
    (r'\"?\", \"2', r'1, \"2', "values of `index_word` must be words, got 1 for 1"),
    (r'dog\": 7', r'dog\": 6', "`index_word` and `word_index` must be the reverse of each other"),
])
def test_json_that_is_no_tokenizer(old, new, words):
    assert old in OF_KERAS
    with pytest.raises(ValueError, match=words):
        tokenizer_from_json(OF_KERAS.replace(old, new, 1))
    with pytest.raises(ValueError, match="must be the text of a JSON object"):
        tokenizer_from_json(None)


def test_misuse():
    with pytest.raises(TypeError, match="`texts` must be a list of texts, got the text 'one text'"):
        Tokenizer().fit_on_texts("one text")
    with pytest.raises(ValueError, match="`mode` must be one of binary, count, freq, tfidf, got 'tf'"):
        Tokenizer().sequences_to_matrix([[1]], "tf")
    with pytest.raises(ValueError, match="`num_words`"):
        Tokenizer(num_words=0)
    with pytest.raises(ValueError, match="`Tokenizer` has counted no words yet; call fit_on_texts first"):
        Tokenizer().texts_to_matrix(["a"])


@pytest.mark.parametrize(("texts", "words"), [
    (None, "`texts` must be a list of texts, got None"), ([None], "got None at place 0; leave it out"),
    ([1, 2], "got 1 at place 0"), (["a", float("nan")], 'got nan at place 1; leave it out, or put "" there'),
    (["a", ["b", 3]], r"`texts` must be texts or lists of words, got the list \['b', 3\]")])
def test_what_is_no_text_changes_nothing(texts, words):
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["b", "a b"])
    before = tokenizer.to_json()
    for call in (tokenizer.fit_on_texts, tokenizer.texts_to_sequences, tokenizer.texts_to_matrix):
        with pytest.raises(TypeError, match=words):
            call(texts)
    assert tokenizer.to_json() == before and tokenizer.texts_to_matrix(iter([["b"], ""])).tolist() == [[0, 1, 0],
                                                                                                     [0, 0, 0]]
