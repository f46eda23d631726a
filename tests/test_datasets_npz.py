"""Hostile and damaged .npz files of known data sets."""
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from test_datasets import arrays, npz, same, small

from fastnn.datasets import _idx, mnist


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder; the data sets are small."""
    return small(tmp_path, monkeypatch)


x, y = arrays()[:2]


def member(data, kind=zipfile.ZIP_DEFLATED, name="x_train.npy", rest=True):
    """An .npz file with these bytes as one of its members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr(name, data)
        for key, array in zip(("y_train", "x_test", "y_test") if rest else (), arrays()[1:]):
            archive.writestr(f"{key}.npy", npy(array))
    return file.getvalue()


def npy(array=x, description=None, version=b"\1\0"):
    """A .npy file, with another description of its array where given."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, (1, 0))
    if description is None:
        return file.getvalue()
    body = array.tobytes()
    size = struct.pack("<H" if version == b"\1\0" else "<I", len(description))
    return b"\x93NUMPY" + version + size + description + body


def described(shape, descr="|u1", by_columns=False):
    return f"{{'descr': {descr!r}, 'fortran_order': {by_columns}, 'shape': {shape}}}\n".encode()


def of_many(files, comment=b"", found=None):
    """An .npz file with so many empty members more; ``found``: their number as the record at the end tells it."""
    file = io.BytesIO(npz(arrays()))
    with zipfile.ZipFile(file, "a") as archive:
        for i in range(files):
            archive.writestr(str(i), b"")
        archive.comment = comment
    content = file.getvalue()
    return content if found is None else content[:-12] + struct.pack("<H", found) + content[-10:]

HOSTILE = {
    "many members": (of_many(5000), "lists more than 64 files"),
    "more members than are told": (of_many(5000, found=4), "lists more than 64 files"),
    "a larger record": (npz(arrays())[:-22] + b"PK\6\7" + bytes(16) + npz(arrays())[-22:], "more than 64 files"),
    "a comment": (of_many(5000, b"of the author"), "no whole zip file"),
    "no zip": (b"PK\3\4" + bytes(100), "zip"),
    "text": (b"not a zip file", "no .npz file"),
    "no arrays": (member(b"", name="other"), "x_train.npy"),
    "one array alone": (member(npy(), rest=False), "y_train.npy"),
    "float32": (npz(arrays(), x_train=x.astype("f4")), "x_train has shape .* and dtype float32, expected"),
    "int64 classes": (npz(arrays(), y_test=y[:5].astype("i8")), "y_test has shape .* and dtype int64, expected"),
    "other shape": (npz(arrays(), x_test=x), r"x_test has shape \(12, 3, 3\) .* expected \(5, 3, 3\)"),
    "a class of 10": (npz(arrays(), y_train=y * 0 + 10), "class 10 at row 0"),
    "pickled objects": (npz(arrays(), x_train=np.array([{"a": 1}] * 12, object)), "dtype object"),
    "by columns": (npz(arrays(), x_train=np.asfortranarray(np.arange(108, dtype="u1").reshape(12, 3, 3))), "expected"),
    "a huge shape": (member(npy(x, described((2**40, 3, 3)))), "x_train has shape"),
    "a negative shape": (member(npy(x, described((-12, 3, 3)))), "x_train has shape"),
    "version 2": (member(npy(x, described((12, 3, 3)), b"\2\0")), "version 2.0"),
    "a description that promises 4 GB": (member(b"\x93NUMPY\2\0" + b"\xff" * 4), "version 2.0"),
    "no magic": (member(b"NUMPY" * 30), "magic"),
    "a description cut off": (member(npy()[:30]), "."),
    "code for a description": (member(npy(x, b"__import__('os').abort()\n")), "."),
    "deep brackets": (member(npy(x, b"(" * 9000 + b")" * 9000)), "."),
    "many signs": (member(npy(x, b"-" * 9999 + b"1")), "."),
    "too few elements": (member(npy()[:-1]), "x_train|holds 107 of"),
    "too many elements": (member(npy() + b"\0"), "holds more than the 108"),
    "packed by lzma": (member(npy(), zipfile.ZIP_LZMA), "packed in another way"),
    "a bomb": (member(npy() + bytes(20_000_000)), "holds more than the 108"),
    "too large": (npz(arrays()) + bytes(2 * _idx.ROOM), "bytes, expected at most"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.filterwarnings("ignore:Reading `.npy`")
def test_hostile_npz_files_are_refused(folder, case):
    content, words = HOSTILE[case]
    (folder / "mnist.npz").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words) as caught:
            mnist.load_data("mnist.npz")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("mnist: 'mnist.npz'") and type(caught.value) is ValueError
    assert most < 8e6


def test_a_damaged_array_is_found_by_its_checksum(folder):
    content = bytearray(npz(arrays(), compress=False))
    content[content.index(x.tobytes())] ^= 1
    (folder / "mnist.npz").write_bytes(content)
    with pytest.raises(ValueError, match="CRC"):
        mnist.load_data("mnist.npz")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_npz_file_is_loaded_as_it_was_or_refused(folder, seed):
    good = npz(arrays())
    rng = np.random.default_rng(seed)
    for _ in range(100):
        content = bytearray(good)
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            content[place] ^= 1 << rng.integers(8)
        (folder / "mnist.npz").write_bytes(content[:rng.choice([len(content), rng.integers(len(content))])])
        try:
            loaded = mnist.load_data("mnist.npz")
        except ValueError as error:
            assert str(error).startswith("mnist: 'mnist.npz'")
        else:
            same(loaded, arrays())
