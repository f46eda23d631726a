"""fastnn train on tables: CSV files, columns, tasks; one clear line where something is wrong."""
import csv
import io
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from cli_checks import QUICK, houses, missing, no_number, numbers, ok, predictions, refused, write

import fastnn
from fastnn.cli import main, table

pytestmark = pytest.mark.usefixtures("cli_folder")

pytest.importorskip("sklearn")
ROOT = Path(__file__).resolve().parent.parent


# training


def test_a_number_is_learned_and_predicted_in_its_unit(capsys):
    columns = houses()
    path = write("houses.csv", columns)
    ok("train", path, "--target", "price", "--ignore", "kind", "--epochs", "150")
    out = capsys.readouterr().out
    r2, rmse = map(float, re.search(r"60 rows held out:\nprice: R² (\S+), RMSE (\S+)\n", out).groups())
    assert r2 > 0.99 and rmse < 0.1 * columns["price"].std()
    assert "\nModel: fastnn-houses/model.fastnn\n" in out
    assert re.search(r"\nhouses.csv: 240 rows, 150 epochs, [\d,]+ rows a second, ", out)
    names, *rows = predictions(capsys, "fastnn-houses/model.fastnn", path)
    assert names == ["price"] and len(rows) == 300
    errors = np.array(rows, float)[:, 0] - columns["price"]
    assert np.sqrt((errors ** 2).mean()) < 0.1 * columns["price"].std()


def test_the_figures_are_those_of_the_rows_held_out(capsys):
    """R² and RMSE computed again from the saved model and the split that the seed gives."""
    columns = numbers(50)
    ok("train", write("t.csv", columns), "--target", "y", "--seed", "5", *QUICK)
    r2, rmse = map(float, re.search(r"R² (\S+), RMSE (\S+)", capsys.readouterr().out).groups())
    held_out = np.random.default_rng(5).permutation(50)[:10]
    predicted = np.array(predictions(capsys, "fastnn-t/model.fastnn", "t.csv")[1:], float)[held_out, 0]
    y = columns["y"][held_out]
    assert rmse == pytest.approx(np.sqrt(((y - predicted) ** 2).mean()), rel=1e-3)
    assert r2 == pytest.approx(1 - ((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum(), abs=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_learned_and_predicted_by_name(capsys, classes):
    columns = houses()
    columns["kind"] = np.where(columns["area"] > 110, "large", "small")
    if classes == 3:
        columns["kind"][columns["city"] == "Oslo"] = "far"
    ok("train", write("houses.csv", columns), "--target", "kind", "--ignore", "price", "--out", "out")
    out = capsys.readouterr().out
    assert float(re.search(r"accuracy\s+(\S+)", out)[1]) > 0.95
    for name in set(columns["kind"].tolist()):
        assert re.search(rf"\n +{name} +\d\.\d\d +\d\.\d\d +\d\.\d\d +\d+\n", out)
    names, *rows = predictions(capsys, "out/model.fastnn", "houses.csv")
    assert names == ["kind", "probability"]
    assert (np.array(rows)[:, 0] == columns["kind"]).mean() > 0.95
    assert all(1 / classes - 1e-4 <= float(p) <= 1 for _, p in rows)


@pytest.mark.parametrize(("values", "options", "labels"), [
    ([1, 2, 3], (), ["1", "2", "3"]),
    ([0, 1, 0], (), ["0", "1"]),
    ([1, 2, 3], ("--task", "number"), None),
    ([0.5, 1.5, 1], (), None),
    ([0.5, 1.5, 1], ("--task", "classes"), ["0.5", "1", "1.5"]),
])
def test_whole_numbers_are_classes_unless_the_task_is_a_number(values, options, labels):
    write("t.csv", {"x": np.arange(30), "y": values * 10})
    ok("train", "t.csv", "--target", "y", *options, *QUICK)
    assert fastnn.models.load_model("fastnn-t/model.fastnn").notes["labels"] == labels


def test_many_whole_numbers_are_a_number():
    write("t.csv", {"x": np.arange(30), "y": np.arange(30)})
    ok("train", "t.csv", "--target", "y", *QUICK)
    assert fastnn.models.load_model("fastnn-t/model.fastnn").notes["labels"] is None


def test_the_model_scales_its_inputs_itself(capsys):
    """The file alone predicts from numbers as they stand in the table, categories one by one."""
    columns = houses(60)
    ok("train", write("t.csv", columns), "--target", "price", "--ignore", "kind", *QUICK)
    model = fastnn.models.load_model("fastnn-t/model.fastnn")
    assert model.notes == {"inputs": [["area", None], ["city", ["Oslo", "Paris", "Rome"]], ["rooms", None]],
                           "target": "price", "labels": None}
    one_hot = columns["city"][:, None] == np.array(["Oslo", "Paris", "Rome"])
    x = np.column_stack([columns["area"], one_hot, columns["rooms"]]).astype("float32")
    predicted = np.array(predictions(capsys, "fastnn-t/model.fastnn", "t.csv")[1:], np.float32)
    np.testing.assert_array_equal(model.predict(x, verbose=0), predicted)
    train = np.sort(np.random.default_rng(0).permutation(60)[12:])
    scaling = model.layers[0]
    for found, of in ((scaling.mean, np.mean), (scaling.variance, np.var)):
        neutral = [float(of is np.var)] * 3                     # categories stay 0 and 1
        np.testing.assert_allclose(np.asarray(found).ravel(), [of(x[train, 0]), *neutral, of(x[train, 4])], rtol=1e-5)


def test_training_is_repeatable_from_its_seed(capsys):
    write("t.csv", numbers())
    results = []
    for seed in ("1", "1", "2"):
        ok("train", "t.csv", "--target", "y", "--seed", seed, *QUICK)
        results.append(predictions(capsys, "fastnn-t/model.fastnn", "t.csv"))
    assert results[0] == results[1] != results[2]


def test_columns_can_be_left_out_or_taken_as_names():
    write("t.csv", {"id": np.arange(40), "zip": [101, 202] * 20, "y": np.linspace(0, 1, 40)})
    ok("train", "t.csv", "--target", "y", "--ignore", "id", "--categories", "zip", *QUICK)
    assert fastnn.models.load_model("fastnn-t/model.fastnn").notes["inputs"] == [["zip", ["101", "202"]]]


@pytest.mark.parametrize(("separator", "encoding", "ends"), [
    (";", "utf-8", "\n"), ("\t", "utf-8", "\n"), (",", "utf-8-sig", "\r\n"), (",", "utf-8", "\n\n")])
def test_files_of_other_habits(separator, encoding, ends):
    lines = [separator.join(["größe", '"y"'])] + [f"{i}{separator}{i * i / 7}" for i in range(30)]
    Path("t.csv").write_bytes((ends.join(lines) + ends).encode(encoding))
    ok("train", "t.csv", "--target", "y", *QUICK)
    assert fastnn.models.load_model("fastnn-t/model.fastnn").notes["inputs"] == [["größe", None]]


@pytest.mark.parametrize("city", [False, True])
def test_the_index_that_pandas_writes_is_left_out(capsys, city):
    """Of numbers alone, and beside texts, which another reader takes."""
    columns = {**numbers(), **({"city": ["Oslo", "Rome"] * 20} if city else {})}
    write("with.csv", {"": np.arange(40), **columns})
    write("without.csv", columns)
    told = ("fastnn: with.csv: column 1 has no name and is left out, as the index that pandas writes without "
            "to_csv(index=False)\n")
    ok("train", "with.csv", "--target", "y", *QUICK)
    assert capsys.readouterr().err == told
    model = fastnn.models.load_model("fastnn-with/model.fastnn")
    assert [name for name, _ in model.notes["inputs"]] == ["a", "b", "city"][:2 + city]
    ok("predict", "fastnn-with/model.fastnn", "with.csv")
    out, err = capsys.readouterr()
    assert err == told and out.count("\n") == 41
    assert predictions(capsys, "fastnn-with/model.fastnn", "without.csv") == list(csv.reader(io.StringIO(out)))


def test_columns_that_pandas_numbers():
    """A frame without names of columns: those that pandas gives them are names."""
    write("t.csv", {"": np.arange(40), "0": numbers()["a"], "1": numbers()["y"]})
    ok("train", "t.csv", "--target", "1", *QUICK)
    assert fastnn.models.load_model("fastnn-t/model.fastnn").notes["inputs"] == [["0", None]]


def test_an_option_names_a_column_with_a_comma():
    write("t.csv", {"size, m2": np.arange(40), 'a "b"': np.arange(40), "c": np.arange(40), "y": numbers()["y"]})
    shown = [table.as_option(name)[1:-1] for name in ("size, m2", 'a "b"')]
    for option in ('"size, m2"', '"size, m2","a ""b"""', *shown):
        ok("train", "t.csv", "--target", "y", "--ignore", option, *QUICK)
        left = {name for name, _ in fastnn.models.load_model("fastnn-t/model.fastnn").notes["inputs"]}
        assert left == {"size, m2", 'a "b"', "c"} - ({"size, m2"} if "size" in option else set()) - (
            {'a "b"'} if "b" in option else set())


def test_whole_numbers_that_become_classes_are_told(capsys):
    columns = {"x": np.arange(30), "year": [2019, 2020, 2021] * 10, "kind": ["a", "b", "c"] * 10}
    write("t.csv", columns)
    line = "Target year: 3 classes (--task number for a number)\n"
    ok("train", "t.csv", "--target", "year", *QUICK)
    assert line in capsys.readouterr().out
    for options in (["year", "--task", "classes"], ["year", "--task", "number"], ["kind"]):
        ok("train", "t.csv", "--target", *options, *QUICK)
        assert "--task" not in capsys.readouterr().out


def test_one_of_a_thing_is_in_the_singular(capsys):
    write("t.csv", {"x": np.arange(10), "kind": ["a"] * 5 + list("bbbcc")})
    ok("train", "t.csv", "--target", "kind", "--epochs", "1", "--hidden", "1")
    out = capsys.readouterr().out
    assert "\n1 row held out:\n" in out and "t.csv: 9 rows, 1 epoch, " in out


def test_both_readers_read_the_same():
    columns = numbers()
    fast = table.read(write("t.csv", columns), lambda names: names)
    slow = table.read(write("u.csv", {**columns, "c": ["x"] * 40}), lambda names: names[:3])
    assert list(fast.columns) == list(slow.columns) == ["a", "b", "y"]
    for name, values in columns.items():
        np.testing.assert_array_equal(fast.columns[name], values)
        np.testing.assert_array_equal(slow.columns[name], values)


def test_numbers_go_through_the_fast_reader(monkeypatch):
    monkeypatch.setattr(table, "_read_cells", None)
    assert table.read(write("t.csv", numbers()), lambda names: names).rows == 40


def test_pictures_are_drawn_beside_the_model(monkeypatch):
    image = pytest.importorskip("matplotlib.image")
    from fastnn.cli.folder import save_pictures
    monkeypatch.setattr("fastnn.cli.train_file.save_pictures", save_pictures)
    ok("train", write("t.csv", houses(60)), "--target", "kind", *QUICK)
    assert sorted(os.listdir("fastnn-t")) == ["confusion-matrix.png", "learning-curves.png", "model.fastnn"]
    assert image.imread("fastnn-t/confusion-matrix.png").ndim == 3


def test_the_commands_of_the_page_run(capsys):
    page = (ROOT / "docs" / "command.md").read_text(encoding="utf-8")
    columns = houses(60)
    write("houses.csv", columns)
    write("new.csv", {name: columns[name][:5] for name in ("area", "city", "rooms", "kind")})
    lines = re.search("```sh\n(.*?)```", page, re.DOTALL)[1].splitlines()
    commands = [shlex.split(line, comments=True) for line in lines]
    assert [words[:2] for words in commands] == [["fastnn", name] for name in ("train", "predict", "summary")]
    for words in commands:
        ok(*words[1:words.index(">") if ">" in words else None])
    code = re.search("```python\n(.*?)```", page, re.DOTALL)[1]
    capsys.readouterr()
    exec(code, {"fastnn": fastnn})
    assert capsys.readouterr().out.startswith("[['area', None], ['city', ['Oslo', 'Paris', 'Rome']]")


# one clear line

TABLE = "a,b,y\n" + "".join(f"{i},{i % 7},{i / 3}\n" for i in range(20))


def changed(old, new):
    return TABLE.replace(old, new, 1)


@pytest.mark.parametrize(("content", "words"), [
    ("", "is empty; expected a line with the names of the columns, then rows"),
    ("\n\n", "is empty; expected a line with the names of the columns, then rows"),
    ("a,b,y\n", "has no rows below the names of its columns"),
    ("a,b,y\n\n \n".replace(" ", ""), "has no rows below the names of its columns"),
    ("a,b,y\n1,2,3\n", "has 1 row; 10 or more are needed to train and to test"),
    (TABLE.partition("\n")[2], "the first line must name the columns, got numbers: 0, 0, 0.0"),
    (changed("a,b,y", "a,,y"), ("column 2 has no name in the first line; an index of pandas is left out by "
                                "to_csv(index=False)")),
    (changed("a,b,y", "a,a,y"), "2 columns are named 'a'"),
    (changed("a,b,y", "a,b,z"), "unknown column 'y'; choose from a, b, z"),
    (changed("a,b,y", "a,b,yy"), "unknown column 'y'; did you mean 'yy'?"),
    (changed("\n3,3,", "\nthree,3,"), no_number("a", 5, "three")),
    (changed("\n3,3,", "\n3,,"), missing("b", 5)),
    (changed("\n3,3,", "\n3,NaN,"), missing("b", 5, " ('NaN')")),
    (changed("\n3,3,", "\n3,N/A,"), missing("b", 5, " ('N/A')")),
    (changed("\n3,3,", "\n3,inf,"), no_number("b", 5, "inf")),
    (changed("\n3,3,", "\n3,1e300,"), "column 'b', line 5 holds 1e+300, beyond float32"),
    (changed("\n3,3,", "\n3,3,3,"), "line 5 has 4 values, the first line 3 columns"),
    (changed("\n3,3,", "\n\n\n3,x,"), no_number("b", 7, "x")),
    (changed("a,b,y\n", '"a",b,y\n"0\n",1,2\n').replace("\n3,", "\n,", 1), missing("a", 7)),
    (changed("a,b,y", ",b,z"), "unknown column 'y'; choose from b, z"),
    (changed("a,b,y", ",1.5,2.5"), "the first line must name the columns, got numbers: , 1.5, 2.5"),
    (changed("a,b", '"a, m2","say ""b"""').replace("\n3,3", "\n,three", 1), missing("a, m2", 5).replace(
        "--ignore 'a, m2'", "--ignore '\"a, m2\"'")),
    (changed("\n3,3,1.0", "\n3"), "line 5 has 1 value, the first line 3 columns"),
    (changed("\n3,3,1.0", "\n3,3"), "line 5 has 2 values, the first line 3 columns"),
    (changed("\n3,", '\n"3,'), "is no CSV file: unexpected end of data"),
    ("y\n" + "1\n2\n" * 10, "there is no column beside the target 'y'"),
    ("a,y\n" + "1,5\n" * 20, "column 'y' has the one value 5.0: there is nothing to learn"),
    ("a,y\n" + "1,yes\n" * 20, "column 'y' has the one value yes: there is nothing to learn"),
    ("a,y\n" + "".join(f"{i},c{i}\n" for i in range(20)),
     "column 'y' has 20 classes in 20 rows, too many to learn; --task number takes a target of numbers as it is"),
    ("a,y\n" + "".join(f"n{i},{i / 3}\n" for i in range(20)),
     "column 'a' holds 20 different texts in 20 rows, too many for categories; leave it out with --ignore 'a'"),
])
def test_a_table_that_cannot_be_used(capsys, content, words):
    Path("t.csv").write_text(content)
    assert refused(capsys, "train", "t.csv", "--target", "y") == f"t.csv: {words}"


@pytest.mark.parametrize(("content", "words"), [
    ("größe,y\n1,2\n".encode("latin-1"), "is no UTF-8 text (byte 0xf6); save it as CSV in UTF-8"),
    (TABLE.encode() + "ä,1,2\n".encode("latin-1"), "is no UTF-8 text (byte 0xe4); save it as CSV in UTF-8"),
    (TABLE.encode("utf-16"), "is in UTF-16, not in UTF-8 (byte 0xff); save it as CSV in UTF-8"),
    (b"\0\0\xfe\xff" + TABLE.encode("utf-32-be"), "is in UTF-32, not in UTF-8 (byte 0xfe); save it as CSV in UTF-8"),
    (changed("\n3,", "\n\0,").encode(), no_number("a", 5, "\0")),
    (b"PK\x03\x04\x14\x00\x06\x00\x08", "has no rows below the names of its columns"),
])
def test_bytes_that_are_no_table(capsys, content, words):
    Path("t.csv").write_bytes(content)
    assert refused(capsys, "train", "t.csv", "--target", "y") == f"t.csv: {words}"


@pytest.mark.parametrize(("path", "words"), [
    ("none.csv", "none.csv: cannot be read: No such file or directory"),
    ("folder.csv", "folder.csv: is a folder; expected a CSV file"),
    ("/dev/null", "/dev/null: is no regular file; expected a CSV file"),
    ("iriss", "unknown dataset 'iriss'; did you mean 'iris'?"),
])
def test_files_that_are_none(capsys, path, words):
    os.mkdir("folder.csv")
    assert refused(capsys, "train", path, "--target", "y") == words


@pytest.mark.parametrize(("options", "words"), [
    (["--out", "t.csv"], r"--out 't.csv': '.*/t.csv' is no folder"),
    (["--out", "t.csv/deeper"], r"--out 't.csv/deeper': '.*/t.csv' is no folder"),
    (["--ignore", "y"], "--ignore: 'y' is the target"),
    (["--ignore", "q"], "t.csv: unknown column 'q'; choose from a, b, y"),
    (["--categories", "a,q"], "t.csv: unknown column 'q'; choose from a, b, y"),
    (["--ignore", "a,b"], "t.csv: there is no column beside the target 'y'"),
])
def test_options_that_do_not_fit(capsys, options, words):
    Path("t.csv").write_text(TABLE)
    assert re.fullmatch(words, refused(capsys, "train", "t.csv", "--target", "y", *options))


def test_texts_are_no_number(capsys):
    write("t.csv", houses(30))
    words = "t.csv: column 'kind' holds texts; --task number needs numbers"
    assert refused(capsys, "train", "t.csv", "--target", "kind", "--task", "number") == words


def test_out_is_checked_before_the_training(capsys, monkeypatch):
    monkeypatch.setattr("fastnn.cli.train_file.read", None)          # not even the table is read
    Path("t.csv").write_text(TABLE)
    assert "is no folder" in refused(capsys, "train", "t.csv", "--target", "y", "--out", "t.csv")


def test_an_interrupted_training_writes_nothing(capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt
    monkeypatch.setattr(fastnn.Sequential, "fit", interrupt)
    assert main(["train", write("t.csv", numbers()), "--target", "y"]) == 130
    assert capsys.readouterr().err == "fastnn: interrupted\n" and os.listdir() == ["t.csv"]


def test_decimal_commas_are_told_and_not_taken_for_categories(capsys, cli_folder):
    Path("de.csv").write_text("a;b;y\n" + "".join(f"0,{i};x{i % 3};1,{i % 4}\n" for i in range(1, 60)))
    text = refused(capsys, "train", "de.csv", "--target", "y", *QUICK)
    assert "'a', line 2" in text and "'0,1' has a decimal comma" in text and "'0.1'" in text


def test_a_number_with_an_underscore_is_a_name():
    values = numbers()
    values["id"] = [f"1_{i % 3}" for i in range(len(values["y"]))]
    ok("train", write("t.csv", values), "--target", "y", "--out", "out", *QUICK)
    found = dict(fastnn.models.load_model("out/model.fastnn").notes["inputs"])
    assert found["id"] == ["1_0", "1_1", "1_2"]
