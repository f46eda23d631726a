"""Text as numbers, against what the Tokenizer of Keras gives (recorded)."""
import numpy as np
import pytest

from fastnn.preprocessing.text import Tokenizer, text_to_word_sequence

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


def test_misuse():
    with pytest.raises(TypeError, match="`texts` must be a list of texts, got the text 'one text'"):
        Tokenizer().fit_on_texts("one text")
    with pytest.raises(ValueError, match="`mode` must be one of binary, count, freq, tfidf, got 'tf'"):
        Tokenizer().sequences_to_matrix([[1]], "tf")
    with pytest.raises(ValueError, match="`num_words`"):
        Tokenizer(num_words=0)
