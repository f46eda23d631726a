"""Known data sets: those of scikit-learn, and MNIST's from files; hostile .npz files are in test_datasets_npz.py."""
import gzip
import io
import os
import struct
import tracemalloc

import numpy as np
import pytest

from fastnn import datasets
from fastnn.datasets import _idx, digits, fashion_mnist, iris, mnist

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
ROWS, TESTS, SIDE = 12, 5, 3


def test_split_without_rows_of_a_class():
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=r"digits.load_data: `test_split` must .* got 0.001 of 1797 rows"):
        digits.load_data(0.001)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return small(tmp_path, monkeypatch)


def small(tmp_path, monkeypatch):
    """An empty current folder without a cache of Keras's; the data sets are small."""
    monkeypatch.setattr(_idx, "ROWS", {"train": ROWS, "t10k": TESTS})
    monkeypatch.setattr(_idx, "SIDE", SIDE)
    return alone(tmp_path, monkeypatch)


def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    return tmp_path


def arrays(seed=0, rows=ROWS, tests=TESTS, side=SIDE):
    """Random pictures and classes: x_train, y_train, x_test, y_test."""
    rng = np.random.default_rng(seed)
    return [part for n in (rows, tests) for part in (rng.integers(0, 256, (n, side, side), np.uint8),
                                                     rng.integers(0, 10, n, np.uint8))]


def idx(array):
    """An IDX file of bytes."""
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def put(where, content, pack=bytes, end=""):
    """Write the four files of arrays, or of bytes, each packed."""
    where.mkdir(parents=True, exist_ok=True)
    for file, part in zip(FILES, content):
        (where / f"{file}{end}").write_bytes(pack(part if isinstance(part, bytes) else idx(part)))
    return where


def npz(content, compress=True, **others):
    """The bytes of an .npz file of these arrays, others in place of some."""
    file = io.BytesIO()
    save = np.savez_compressed if compress else np.savez
    named = dict(zip(("x_train", "y_train", "x_test", "y_test"), content))
    save(file, **{**named, **others})
    return file.getvalue()


def same(loaded, expected):
    (x_train, y_train), (x_test, y_test) = loaded
    for got, array in zip((x_train, y_train, x_test, y_test), expected):
        assert got.dtype == np.uint8 and got.flags.writeable and got.flags.c_contiguous
        assert np.array_equal(got, array)


@pytest.mark.parametrize("loader", [mnist, fashion_mnist])
@pytest.mark.parametrize(("pack", "end"), [(bytes, ""), (gzip.compress, ".gz"), (bytes, ".gz"), (gzip.compress, "")])
def test_four_files_in_a_folder(folder, loader, pack, end):
    expected = arrays()
    put(folder / "here", expected, pack, end)
    same(loader.load_data("here"), expected)
    same(loader.load_data(folder / "here"), expected)


def test_files_with_a_dot_in_their_names(folder):
    where = put(folder / "here", arrays())
    for file in FILES:
        (where / file).rename(where / file.replace("-idx", ".idx"))
    same(mnist.load_data("here"), arrays())


@pytest.mark.parametrize("compress", [True, False])
def test_the_npz_file_of_keras(folder, compress):
    (folder / "any.npz").write_bytes(npz(arrays(), compress))
    same(mnist.load_data("any.npz"), arrays())
    (folder / "mnist.npz").write_bytes(npz(arrays(1), compress))
    same(mnist.load_data("."), arrays(1))


@pytest.mark.parametrize(("loader", "place", "after"), [
    (mnist, "data/mnist", "data"), (fashion_mnist, "data/fashion-mnist", "data"),
    (mnist, "data", "home/.keras/datasets"), (fashion_mnist, "home/.keras/datasets/fashion-mnist", "data")])
def test_where_files_are_looked_for(folder, loader, place, after):
    put(folder / after, arrays(1))
    same(loader.load_data(), arrays(1))
    put(folder / place, arrays(2))
    same(loader.load_data(), arrays(2))


def test_the_cache_folder_of_keras(folder, monkeypatch):
    cache = folder / "home" / ".keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(npz(arrays()))
    same(mnist.load_data(), arrays())
    same(mnist.load_data("mnist.npz"), arrays())                 # as Keras is asked
    monkeypatch.setenv("KERAS_HOME", str(folder / "elsewhere"))
    with pytest.raises(FileNotFoundError):
        mnist.load_data()
    put(folder / "elsewhere" / "datasets" / "mnist", arrays(1))
    same(mnist.load_data(), arrays(1))


@pytest.mark.parametrize("loader", [mnist, fashion_mnist])
def test_without_files_it_says_what_belongs_where(folder, loader):
    with pytest.raises(FileNotFoundError) as caught:
        loader.load_data()
    name, subfolder = ("mnist", "mnist") if loader is mnist else ("fashion_mnist", "fashion-mnist")
    for words in (f"{name}: no files in {os.path.join('data', subfolder)!r}", "fastnn downloads nothing", f"{name}.npz",
                  *FILES, "`path`", os.path.join("home", ".keras", "datasets")):
        assert words in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"no files in 'nowhere', .*nowhere'; .* there$"):
        loader.load_data("nowhere")


def a_file_named_data(folder):
    (folder / "data").write_bytes(b"of another program")


def one_file_of_four(folder):
    put(folder / "data", arrays(1)[:1])


def a_folder_named_like_the_file(folder):
    (folder / "data" / "mnist.npz").mkdir(parents=True)


def files_of_the_other(folder):
    content = arrays(1)
    content[1][:10] = list(_idx.FIRST["fashion_mnist"])
    put(folder / "data" / "mnist", content)


UNRELATED = {a_file_named_data: "'data': is no .npz file", one_file_of_four: "'data' lacks train-labels",
             a_folder_named_like_the_file: r"'data.mnist.npz': .*directory",
             files_of_the_other: "holds the rows of fashion_mnist"}


@pytest.mark.parametrize("thing", UNRELATED)
def test_places_that_do_not_fit_are_passed_over(folder, thing):
    thing(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=UNRELATED[thing]) as caught:
        mnist.load_data()
    assert "mnist: no files in 'data" in str(caught.value) and "fastnn downloads nothing" in str(caught.value)
    cache = folder / "home" / ".keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(npz(arrays()))
    same(mnist.load_data(), arrays())


def test_nothing_is_opened_but_files(folder, run_python):
    code = """
import sys
sys.addaudithook(lambda event, _: sys.exit(f"opened: {event}") if event.startswith(("socket.", "urllib.")) else None)
from fastnn import datasets
try:
    datasets.mnist.load_data()
except FileNotFoundError:
    print("quiet")
"""
    assert run_python(code).stdout == "quiet\n"


def test_a_folder_that_lacks_some_files(folder):
    put(folder / "here", arrays()[:2])
    with pytest.raises(FileNotFoundError, match=r"mnist: 'here' lacks t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"):
        mnist.load_data("here")


@pytest.mark.parametrize("path", [5, b"data", ["data"], ""])
def test_what_is_no_path(path):
    with pytest.raises(ValueError if path == "" else TypeError, match=r"mnist.load_data: `path` must be a file"):
        mnist.load_data(path)


x, y = arrays()[:2]
BROKEN = {       # in place of the pictures (0) or classes (1) to train with: what is said of them
    "empty": (0, b"", "begins with nothing, expected 00 00 08 03"),
    "another magic number": (0, idx(x)[::-1], "begins with .*, expected 00 00 08 03, the magic number"),
    "classes in place of pictures": (0, idx(y), "begins with 00 00 08 01, expected 00 00 08 03"),
    "floats": (0, b"\0\0\x0d\3" + idx(x)[4:], "begins with 00 00 0d 03"),
    "a header that ends": (0, idx(x)[:9], r"says that its shape is \(12,\), expected \(12, 3, 3\)"),
    "fewer rows": (0, idx(x[:-1]), r"says that its shape is \(11, 3, 3\), expected \(12, 3, 3\)"),
    "more rows": (1, idx(np.append(y, y)), r"says that its shape is \(24,\), expected \(12,\)"),
    "other sizes": (0, idx(x.reshape(12, 1, 9)), r"says that its shape is \(12, 1, 9\)"),
    "a huge shape": (0, struct.pack(">4I", 0x803, *[2**32 - 1] * 3), "says that its shape is"),
    "cut off": (0, idx(x)[:-1], r"holds 107 of the 108 elements of shape \(12, 3, 3\)"),
    "header alone": (1, idx(y)[:8], "holds 0 of the 12 elements"),
    "too long": (1, idx(y) + b"\0", r"holds more than the 12 elements of shape \(12,\)"),
    "a class of 10": (1, idx(np.where(np.arange(12) == 7, 10, y).astype("u1")), "class 10 at row 7, expected 0 to 9"),
    "gzip that ends": (0, gzip.compress(idx(x))[:-20], "ended before"),
    "gzip that is damaged": (0, b"\x1f\x8b\x08" + bytes(40), "."),
    "gzip of no known kind": (0, b"\x1f\x8b\x07" + bytes(40), "Unknown compression method"),
    "gzip that is longer": (0, gzip.compress(idx(x) + bytes(9)), "holds more than the 108"),
    "too large": (0, idx(x) + bytes(_idx.ROOM + 1), "has 1048701 bytes, expected at most 1048700"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_idx_files_are_named(folder, case):
    place, content, words = BROKEN[case]
    files = arrays()
    files[place] = content
    put(folder / "here", files)
    with pytest.raises(ValueError, match=words) as caught:
        mnist.load_data("here")
    assert type(caught.value) is ValueError
    named = "" if case == "a class of 10" else f"{os.sep}{FILES[place]}"
    assert str(caught.value).startswith(f"mnist: 'here{named}'")


def test_a_gzip_bomb_is_not_unpacked(folder):
    files = [gzip.compress(idx(x) + bytes(50_000_000)), *arrays()[1:]]
    put(folder / "here", files)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="holds more than the 108 elements"):
            mnist.load_data("here")
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["fifo", "folder", "zero"])
def test_what_is_no_regular_file_is_not_read(folder, kind):
    where = put(folder / "here", arrays())
    path = where / FILES[2]
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{FILES[2]}': (is no regular file|.*directory)"):
        mnist.load_data("here")


def test_an_idx_file_is_no_npz_file(folder):
    put(folder / "here", arrays())
    with pytest.raises(ValueError, match=r"is no .npz file; of IDX files give the folder"):
        mnist.load_data(folder / "here" / FILES[0])


def test_files_of_the_other_data_set_are_not_taken_for_its_own(folder):
    content = arrays()
    for loader, other, first in ((fashion_mnist, mnist, "5041921314"), (mnist, fashion_mnist, "9003027255")):
        content[1][:10] = list(map(int, first))
        put(folder / "data", content)
        same(other.load_data(), content)
        with pytest.raises(ValueError, match=r"holds the rows of .*, whose files have the same names; put those of"):
            loader.load_data()


def test_full_sizes(tmp_path, monkeypatch):
    where = alone(tmp_path, monkeypatch)
    content = [np.zeros((60000, 28, 28), "u1"), np.tile(np.arange(10, dtype="u1"), 6000),
               np.full((10000, 28, 28), 255, "u1"), np.tile(np.arange(10, dtype="u1"), 1000)]
    put(where / "data" / "mnist", content, lambda data: gzip.compress(data, 1), ".gz")
    same(datasets.mnist.load_data(), content)


def test_names_of_classes():
    assert digits.CLASS_NAMES == mnist.CLASS_NAMES == tuple("0123456789")
    assert len(fashion_mnist.CLASS_NAMES) == 10 and fashion_mnist.CLASS_NAMES[9] == "Ankle boot"


def test_the_data_sets_of_scikit_learn_are_split_in_each_class():
    pytest.importorskip("sklearn")
    (x_train, y_train), (x_test, y_test) = iris.load_data()
    assert (x_train.shape, x_test.shape) == ((120, 4), (30, 4))
    assert np.bincount(y_train).tolist() == [40] * 3 and np.bincount(y_test).tolist() == [10] * 3
    again = iris.load_data()
    assert np.array_equal(again[0][0], x_train) and not np.array_equal(iris.load_data(seed=1)[0][0], x_train)


def test_digits_as_rows_and_as_pictures():
    pytest.importorskip("sklearn")
    (rows, y_train), (test_rows, y_test) = digits.load_data()
    assert (rows.shape, test_rows.shape, y_train.shape) == ((1437, 64), (360, 64), (1437,))
    (small, y_small), _ = digits.load_data(size=8)
    assert np.array_equal(small, rows.reshape(-1, 8, 8)) and np.array_equal(y_small, y_train)
    (large, _), (test, y) = digits.load_data(size=28)
    assert large.shape == (1437, 28, 28) and np.array_equal(y, y_test) and test.dtype == rows.dtype
    assert np.array_equal(large[:, 2:-2, 2:-2], small.repeat(3, 1).repeat(3, 2))
    assert large[:, :2].max() == large[:, -2:].max() == large[..., :2].max() == large[..., -2:].max() == 0


@pytest.mark.parametrize("size", [0, 16, "28", True, 28.0])
def test_sizes_of_digits(size):
    with pytest.raises(ValueError, match=r"digits.load_data: `size` must be None, 8 or 28, got"):
        digits.load_data(size=size)
