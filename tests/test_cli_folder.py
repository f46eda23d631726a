"""The folder of a training: checked before it begins, never without the model that was there."""
import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from cli_checks import QUICK, houses, numbers, ok, refused, write

import fastnn
from fastnn.cli import folder, main

pytestmark = pytest.mark.usefixtures("cli_folder")
KINDS = {"table": ("t.csv", "--target", "y"), "text": ("story.txt", "--model", "rnn")}


@pytest.fixture(params=list(KINDS))
def training(request, monkeypatch):
    """The command that trains on a table, or on a text, into the folder x."""
    monkeypatch.setattr("fastnn.cli.train_text.save_pictures", lambda *arguments: None)
    write("t.csv", numbers())
    Path("story.txt").write_text("The cat sat on the mat. " * 60)
    return ("train", *KINDS[request.param], *QUICK, "--out", "x")


@pytest.fixture
def untrained(monkeypatch):
    """Nothing may be trained."""
    def fit(*arguments, **options):
        raise AssertionError("it was to be refused before")
    monkeypatch.setattr(fastnn.Sequential, "fit", fit)


def test_two_trainings_that_end_at_once_keep_both_models(monkeypatch):
    Path("m.fastnn").write_text("one")
    link = os.link

    def slow(path, name):                  # another has taken that name meanwhile
        if name == "m-1.fastnn":
            Path(name).write_text("another")
        link(path, name)

    monkeypatch.setattr(os, "link", slow)
    with folder._kept("m.fastnn") as kept:
        assert Path("m.fastnn").read_text() == "one"           # it has its name until it is replaced
    assert kept == "m-2.fastnn" and Path("m-1.fastnn").read_text() == "another"


def test_where_links_cannot_be_made_the_model_is_renamed(monkeypatch):
    def refuse(path, name):
        raise PermissionError(1, "Operation not permitted")

    Path("m.fastnn").write_text("one")
    monkeypatch.setattr(os, "link", refuse)
    with folder._kept("m.fastnn") as kept:
        assert Path(kept).read_text() == "one" and not os.path.exists("m.fastnn")
    with pytest.raises(ZeroDivisionError), folder._kept("m-1.fastnn"):
        raise ZeroDivisionError
    assert os.listdir() == ["m-1.fastnn"]


def test_a_model_that_is_there_is_kept(capsys, training):
    for seed in ("0", "1", "2"):
        ok(*training, "--seed", seed)
        models = sorted(os.listdir("x"))
        out = capsys.readouterr().out
        told = f"x/model.fastnn is there already: it becomes x/model-{seed}.fastnn when the new model is saved"
        if seed == "0":
            first = Path("x/model.fastnn").read_bytes()
            assert models == ["model.fastnn"] and "there already" not in out and "Model: x/model.fastnn\n" in out
        else:
            assert out.index(told) < out.index("Total params") < out.index(
                f"Model: x/model.fastnn; the one before: x/model-{seed}.fastnn\n")
    assert models == ["model-1.fastnn", "model-2.fastnn", "model.fastnn"]
    kept = [Path("x", name).read_bytes() for name in models]
    assert kept[0] == first and len(set(kept)) == 3


def test_a_model_that_is_there_survives_a_training_that_fails(capsys, monkeypatch, training):
    def save(model, path):
        raise OSError(27, "File too large")
    ok(*training)
    before = Path("x/model.fastnn").read_bytes()
    monkeypatch.setattr(fastnn.Sequential, "save", save)
    assert main([*training]) == 2
    assert capsys.readouterr().err == "fastnn: cannot write 'x/model.fastnn': File too large\n"
    assert os.listdir("x") == ["model.fastnn"] and Path("x/model.fastnn").read_bytes() == before


@pytest.mark.parametrize("name", ["model.fastnn", "learning-curves.png"])
def test_every_file_is_checked_before_the_training(capsys, untrained, training, name):
    Path("x", name).mkdir(parents=True)
    assert refused(capsys, *training) == f"--out 'x': 'x/{name}' is a folder; choose another --out"
    Path("x", name).rmdir()
    os.mkfifo(Path("x", name))
    assert refused(capsys, *training) == f"--out 'x': 'x/{name}' is no regular file; choose another --out"
    Path("x", name).unlink()
    Path("x", name).touch()
    access = os.access
    with pytest.MonkeyPatch.context() as patch:                        # root may write everywhere
        patch.setattr(os, "access", lambda path, mode: not str(path).endswith(name) and access(path, mode))
        assert refused(capsys, *training) == f"--out 'x': 'x/{name}' is not writable; choose another --out"


def test_the_pictures_of_a_known_data_set_are_checked_too(capsys, untrained):
    Path("fastnn-iris/confusion-matrix.png").mkdir(parents=True)
    words = "--out 'fastnn-iris': 'fastnn-iris/confusion-matrix.png' is a folder; choose another --out"
    assert refused(capsys, "train") == words
    Path("taken").touch()
    words = f"--out 'taken': {os.path.abspath('taken')!r} is no folder"
    assert refused(capsys, "train", "digits", "--out", "taken") == words


@pytest.mark.parametrize("arguments", [["--kernels", "--quick"], ["relu"]])
def test_the_picture_of_a_race_is_checked_before_it(capsys, arguments):
    name = "roofline.png" if "--kernels" in arguments else "race-relu.png"
    Path("x", name).mkdir(parents=True)
    words = f"--out 'x': 'x/{name}' is a folder; choose another --out"
    assert refused(capsys, "bench", *arguments, "--out", "x") == words


def test_a_model_without_room_leaves_no_folder(capsys, training):
    limits, old = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        assert main([*training[:-1], "deep/x"]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert capsys.readouterr().err == "fastnn: cannot write 'deep/x/model.fastnn': File too large\n"
    assert sorted(os.listdir()) == ["story.txt", "t.csv"]


def test_pictures_are_whole_or_none_and_leave_no_folder(monkeypatch):
    pytest.importorskip("matplotlib")
    def full(path, data):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr("fastnn.saving.atomic.write", full)
    with pytest.raises(folder.CommandError, match=r"^cannot write pictures to 'y': No space left on device$") as error:
        folder.save_pictures("y", {"a.png": lambda figure: None})
    assert error.value.status == 2 and os.listdir() == []


def test_pictures_of_another_net_are_removed(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("fastnn.cli.train_file.save_pictures", folder.save_pictures)
    Path("x").mkdir()
    Path("x/feature-maps.png").write_bytes(b"somebody else's")
    write("t.csv", houses(40))
    for target, drawn in (("kind", ["confusion-matrix.png"]), ("price", [])):
        ok("train", "t.csv", "--target", target, *QUICK, "--out", "x")
        pictures = sorted(name for name in os.listdir("x") if name.endswith(".png"))
        assert pictures == [*drawn, "feature-maps.png", "learning-curves.png"]


def test_the_pictures_of_convolutions_go_when_others_come(monkeypatch):
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    folder.save_pictures("fastnn-digits", {"filters.png": lambda figure: None, "feature-maps.png": lambda figure: None,
                                           "race-dot.png": lambda figure: None})
    ok("train", "digits", "--epochs", "1", "--hidden", "4")
    assert sorted(os.listdir("fastnn-digits")) == ["confusion-matrix.png", "learning-curves.png", "race-dot.png"]


def test_the_model_before_keeps_its_link():
    """What a link points to is not written to: the link goes with its name."""
    model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(1)])
    Path("x").mkdir()
    Path("best").write_bytes(b"weeks")
    Path("x/model.fastnn").symlink_to("../best")
    folder.save_model(model, "x")
    assert Path("best").read_bytes() == Path("x/model-1.fastnn").read_bytes() == b"weeks"
    x = np.ones((1, 2), "float32")
    assert np.array_equal(fastnn.models.load_model("x/model.fastnn").predict(x, verbose=0), model.predict(x, verbose=0))
