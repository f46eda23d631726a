"""fastnn predict and fastnn summary with models of tables."""
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_checks import QUICK, houses, missing, numbers, ok, predictions, refused, write

import fastnn

pytestmark = pytest.mark.usefixtures("cli_folder")


@pytest.fixture
def model(capsys):
    """The path of a model that takes area, city and rooms."""
    ok("train", write("houses.csv", houses(100)), "--target", "price", "--ignore", "kind", "--out", "m", *QUICK)
    capsys.readouterr()
    return "m/model.fastnn"


def test_columns_are_found_by_name(capsys, model):
    columns = houses(20, seed=3)
    write("a.csv", columns)
    write("b.csv", {"extra": ["?"] * 20, **{name: columns[name] for name in ("rooms", "city", "area")}})
    assert predictions(capsys, model, "a.csv") == predictions(capsys, model, "b.csv")


def test_predictions_go_to_a_file(capsys, model):
    expected = predictions(capsys, model, "houses.csv")
    ok("predict", model, "houses.csv", "--out", "p.csv")
    assert capsys.readouterr().out == ""
    with open("p.csv", newline="") as file:
        assert list(csv.reader(file)) == expected
    ok("predict", model, "houses.csv", "--out", "/dev/null")
    assert not Path("/dev/null").is_file()


def test_an_unknown_category_counts_as_none_and_is_told(capsys, model):
    write("new.csv", {"area": [50, 50], "city": ["Rome", "Lima"], "rooms": [3, 3]})
    ok("predict", model, "new.csv")
    out, err = capsys.readouterr()
    assert err == ("fastnn: column 'city': 1 row holds a category that the model does not know, such as 'Lima'; it "
                   "counts as none of its categories\n")
    expected = fastnn.models.load_model(model).predict(np.array([[50, 0, 0, 1, 3], [50, 0, 0, 0, 3]]), verbose=0)
    np.testing.assert_array_equal(np.array(out.split()[1:], np.float32), expected[:, 0])


def test_categories_that_look_like_numbers_stay_names(capsys):
    write("t.csv", {"zip": ["x1", "22", "22", "x1"] * 10, "y": np.arange(40) / 7})
    ok("train", "t.csv", "--target", "y", "--categories", "zip", *QUICK)
    write("new.csv", {"zip": ["22", "22"]})
    assert len(predictions(capsys, "fastnn-t/model.fastnn", "new.csv")) == 3


def test_summary_shows_layers_and_columns(capsys, model):
    ok("summary", model)
    out = capsys.readouterr().out
    assert "(Normalization)" in out
    assert out.endswith("Target: price, a number\nColumns: area, city (3 categories), rooms\n")


def test_summary_of_a_model_that_is_not_for_tables(capsys):
    fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(3)]).save("net.fastnn")
    ok("summary", "net.fastnn")
    assert "Total params: 9 " in capsys.readouterr().out.splitlines()[-3]


@pytest.mark.parametrize(("columns", "words"), [
    ({"area": [5], "rooms": [1]}, "new.csv: has no column 'city', which the model needs; it has area, rooms"),
    ({"area": ["large"], "city": ["Rome"], "rooms": [1]},
     "new.csv: column 'area', line 2: expected numbers as in the table the model learned from, got 'large'"),
    ({"area": [5], "city": [""], "rooms": [1]}, f"new.csv: {missing('city', 2, hint=False)}"),
    ({"area": [], "city": [], "rooms": []}, "new.csv: has no rows below the names of its columns"),
])
def test_tables_that_a_model_cannot_take(capsys, model, columns, words):
    write("new.csv", columns)
    assert refused(capsys, "predict", model, "new.csv", "--out", "p.csv") == words


@pytest.mark.parametrize("name", ["predict", "summary"])
@pytest.mark.parametrize(("path", "words"), [
    ("none.fastnn", "'none.fastnn'"), ("houses.csv", "'houses.csv'"), (".", ".: is a folder without model.fastnn"),
    ("empty.fastnn", "'empty.fastnn'")])
def test_files_that_are_no_models(capsys, name, path, words):
    write("houses.csv", houses(20))
    Path("empty.fastnn").touch()
    arguments = [name, path] if name == "summary" else [name, path, "houses.csv"]
    line = refused(capsys, *arguments)
    assert words in line and len(line) < 400


def net(notes, width=2, outputs=1):
    model = fastnn.Sequential([fastnn.Input((width,)), fastnn.layers.Dense(outputs)])
    model.notes = notes
    return model


@pytest.mark.parametrize(("notes", "outputs"), [
    ({}, 1),
    ({"inputs": 5, "target": "y", "labels": None}, 1),
    ({"inputs": [["a", None]], "target": "y", "labels": None}, 1),                     # one input for two
    ({"inputs": [["a", None], ["b", None]], "target": 5, "labels": None}, 1),
    ({"inputs": [["a", None], ["b", None]], "target": "y", "labels": ["u", "v", "w"]}, 1),
    ({"inputs": [["a", None], ["b", [7]]], "target": "y", "labels": None}, 1),
    ({"inputs": [["a", None], ["b", []]], "target": "y", "labels": None}, 1),
    ({"inputs": [["a", None], ["b", None]], "target": "y", "labels": None}, 3),
])
def test_models_that_do_not_name_their_columns(capsys, notes, outputs):
    net(notes, outputs=outputs).save("net.fastnn")
    write("t.csv", numbers())
    line = refused(capsys, "predict", "net.fastnn", "t.csv")
    assert line == ("net.fastnn: the model does not say which columns it takes; one of `fastnn train FILE.csv` does")


def test_predictions_that_are_not_finite(capsys, model):
    words = ": its weights are NaN or infinite, or the row holds too large a number"
    write("new.csv", {"area": [5, 5, 3e38, 3e38], "city": ["Rome"] * 4, "rooms": [1] * 4})
    line = refused(capsys, "predict", model, "new.csv", "--out", "p.csv")
    assert line == f"{model}: gives no finite number for 2 rows of new.csv, the first in line 4{words}"
    spoiled = fastnn.models.load_model(model)
    kernel, bias = spoiled.layers[-1].get_weights()
    spoiled.layers[-1].set_weights([kernel * np.nan, bias])
    spoiled.save(model)
    write("new.csv", {"area": [5], "city": ["Rome"], "rooms": [1]})
    line = refused(capsys, "predict", model, "new.csv")
    assert line == f"{model}: gives no finite number for 1 row of new.csv, the first in line 2{words}"


def test_predictions_that_cannot_be_written(capsys, model):
    words = "cannot write 'none/p.csv': No such file or directory"
    assert refused(capsys, "predict", model, "houses.csv", "--out", "none/p.csv") == words


def test_predictions_do_not_replace_a_folder(capsys, model):
    os.mkdir("p")
    assert refused(capsys, "predict", model, "houses.csv", "--out", "p") == (
        "--out 'p': is a folder; expected the name of a file")


def test_predict_does_not_write_over_what_it_reads(capsys, model):
    before = Path(model).read_bytes()
    table = write("new.csv", houses(20))
    assert "the model itself" in refused(capsys, "predict", model, table, "--out", model)
    assert "the table itself" in refused(capsys, "predict", model, table, "--out", "./new.csv")
    assert Path(model).read_bytes() == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full disk")
def test_a_full_disk_and_a_poor_terminal(model):
    table = write("new.csv", houses(20))
    environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1]), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "fastnn", "predict", model, table]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    assert ended.returncode == 2 and ended.stderr == "fastnn: standard output: No space left on device\n"
    summary = [*command[:3], "summary", model]
    ended = subprocess.run(summary, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0 and "Total params" in ended.stdout
