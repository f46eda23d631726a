"""Names that do not fit: the nearest, and texts of bounded length."""
import pytest

from fastnn import _spelling

NAMES = ["mse", "MSE", "MeanSquaredError", "mean_squared_error", "binary_crossentropy", "BinaryCrossentropy",
         "sparse_categorical_crossentropy", "relu", "sigmoid"]


@pytest.mark.parametrize(("name", "close"), [
    ("RELU", "relu"), ("sigmod", "sigmoid"), ("binary_cross_entropy", "binary_crossentropy"), ("msq", "mse"),
    ("sparse_categorical", "sparse_categorical_crossentropy"), ("MeanSquareError", "mean_squared_error"),
    ("Mse", "mse"), ("", None), ("日本", None)])
def test_nearest(name, close):
    found = _spelling.nearest(name, sorted(NAMES, key=str.isupper))
    assert found in NAMES
    if close is not None:
        assert found.lower().replace("_", "") == close.replace("_", "")


def test_unknown_name_lists_each_thing_once_and_stays_short():
    text = _spelling.unknown_name("loss", "xx", NAMES)
    assert text.count("mean_squared_error") == 1 and "MSE" not in text and "MeanSquaredError" not in text
    many = _spelling.unknown_name("loss", "x" * 500, [f"name_{i}" for i in range(500)])
    assert len(many) <= 400 and many.endswith(", ...")


def test_an_error_loads_difflib_and_nothing_before_it_does(run_python):
    code = """
import sys
from fastnn import _spelling
before = "difflib" in sys.modules
_spelling.unknown_name("loss", "xx", ["mse"])
print(before, "difflib" in sys.modules)
"""
    assert run_python(code).stdout == "False True\n"
