"""MNIST and Fashion-MNIST from files: four in the IDX format, or one .npz as Keras keeps it.

An IDX file of bytes: 00 00 08, the number of axes, each axis as a big-endian number of 32 bits, then the elements. A
file must hold exactly what the data set has. No more of it is read than that, whatever it promises or unpacks to, and
nothing in it is run.
"""
from __future__ import annotations

import gzip
import math
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

ROWS = {"train": 60_000, "t10k": 10_000}
SIDE = 28
CLASSES = 10
FOLDERS = {"mnist": "mnist", "fashion_mnist": "fashion-mnist"}       # the latter as in Keras's cache
# The first classes of the training rows: files of the same names and sizes are told apart by them.
FIRST = {"mnist": bytes([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]), "fashion_mnist": bytes([9, 0, 0, 3, 0, 2, 7, 2, 5, 5])}
KEYS = ("x_train", "y_train", "x_test", "y_test")
ROOM = 1 << 20               # bytes that a container may need beside its content
GZIP, ZIP = b"\x1f\x8b", b"PK"
ZIP_END, ZIP_LOCATOR = 22, 20                # bytes of the last records of a zip file
MOST_FILES, MOST_LISTED = 64, 1 << 14        # in an .npz file, and bytes of the list of them
BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError,
          RuntimeError, MemoryError, struct.error)          # what gzip, zipfile and NumPy raise for a broken file


def load(name: str, path: Any = None):
    """The data set of this name: (x_train, y_train), (x_test, y_test). ``path`` as in its ``load_data``."""
    refused: list[Exception] = []
    for place in _places(name, path):
        try:
            arrays = _from_place(name, place)
        except (ValueError, FileNotFoundError) as error:
            if path is not None:                     # where the caller named the place: it should have it
                raise
            refused.append(error)                    # a folder may have files of the same names for another purpose
            continue
        if arrays:
            x_train, y_train, x_test, y_test = arrays
            return (x_train, y_train), (x_test, y_test)
    if refused:
        kind = ValueError if any(isinstance(error, ValueError) for error in refused) else FileNotFoundError
        raise kind("; ".join([*map(str, refused), _advice(name, path)]))
    raise FileNotFoundError(_advice(name, path))


def _from_place(name: str, place: str) -> list[np.ndarray]:
    """The arrays of a file or a folder; none where there is none of the files."""
    npz = os.path.join(place, f"{name}.npz") if os.path.isdir(place) else place
    arrays = _from_npz(name, npz) if os.path.exists(npz) else _from_folder(name, place)
    if arrays:
        with _naming(name, place):
            _check_classes(name, arrays[1], arrays[3])
    return arrays


def _places(name: str, path: Any) -> list[str]:
    """Where to look, in turn."""
    cache = os.path.join(os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras"), "datasets")
    if path is None:
        return [os.path.join("data", FOLDERS[name]), os.path.join(cache, FOLDERS[name]), "data", cache]
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{name}.load_data: `path` must be a file or a folder, got {type(path).__name__}: {path!r:.60}")
    given = os.path.expanduser(os.fsdecode(path))
    if not given:
        raise ValueError(f"{name}.load_data: `path` must be a file or a folder, got {path!r}")
    return [given, os.path.join(cache, given)]       # which is ``given`` itself where that is absolute


def _advice(name: str, path: Any) -> str:
    """What is missing, and where it belongs."""
    looked = ", ".join(f"{place!r:.200}" for place in dict.fromkeys(_places(name, path)))
    where = f"into {_places(name, None)[0]!r}, or give their folder as `path`" if path is None else "there"
    return (f"{name}: no files in {looked}; fastnn downloads nothing. Put {', '.join(_names())} (as they are or with "
            f".gz), or {name}.npz as Keras keeps it, {where}")


def _names() -> list[str]:
    return [f"{part}-{kind}-idx{axes}-ubyte" for part in ROWS for kind, axes in (("images", 3), ("labels", 1))]


def _shapes() -> Iterator[tuple[int, ...]]:
    """Of the arrays of KEYS."""
    for rows in ROWS.values():
        yield from ((rows, SIDE, SIDE), (rows,))


@contextmanager
def _naming(name: str, path: str):
    """ValueError that names the data set and the file, for whatever is wrong with it."""
    try:
        yield
    except BROKEN as error:
        raise ValueError(f"{name}: {path!r:.200}: {error or type(error).__name__}") from None


def _from_folder(name: str, folder: str) -> list[np.ndarray]:
    """The arrays of the four IDX files, of none where there is none of them."""
    paths = {file: _idx_path(folder, file) for file in _names()}
    missing = [file for file, path in paths.items() if not path]
    if missing and len(missing) < len(paths):
        raise FileNotFoundError(f"{name}: {folder!r:.200} lacks {', '.join(missing)} (as it is or with .gz)")
    arrays = []
    for path, shape in zip(filter(None, paths.values()), _shapes()):
        with _naming(name, path):
            arrays.append(_read_idx(path, shape))
    return arrays


def _idx_path(folder: str, file: str) -> str | None:
    """An IDX file under one of the names that it goes by."""
    names = (f"{base}{end}" for end in ("", ".gz") for base in (file, file.replace("-idx", ".idx")))
    return next((path for path in (os.path.join(folder, name) for name in names) if os.path.exists(path)), None)


def _read_idx(path: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array of an IDX file."""
    header, size = struct.pack(f">{1 + len(shape)}I", 0x800 + len(shape), *shape), math.prod(shape)
    with _opened(path, len(header) + size) as file:
        packed = file.read(len(GZIP)) == GZIP            # whatever its name says: browsers unpack
        file.seek(0)
        source: Any = gzip.GzipFile(fileobj=file) if packed else file
        found, data = source.read(len(header)), source.read(size + 1)
    if found[:4] != header[:4]:
        raise ValueError(f"begins with {found[:4].hex(' ') or 'nothing'}, expected {header[:4].hex(' ')}, the magic "
                         f"number of an IDX file of bytes with {len(shape)} axes")
    if found != header:
        sizes = struct.unpack(f">{len(found) // 4}I", found[:len(found) // 4 * 4])[1:]
        raise ValueError(f"says that its shape is {sizes}, expected {shape}")
    return _array(data, shape)


def _from_npz(name: str, path: str) -> list[np.ndarray]:
    """The arrays of an .npz file."""
    with _naming(name, path), _opened(path, sum(map(math.prod, _shapes()))) as file:
        if file.read(2) != ZIP:
            raise ValueError("is no .npz file; of IDX files give the folder")
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            return [_read_npy(archive, key, shape) for key, shape in zip(KEYS, _shapes())]


def _check_directory(file: BinaryIO) -> None:
    """ValueError unless the archive ends as one of a few files does: zipfile reads the list of its files as a whole.

    Where no comment follows the record at the end, and no larger record is announced before it, zipfile believes this
    record: at 10 the number of files, at 12 the bytes of their list.
    """
    file.seek(max(0, file.seek(0, os.SEEK_END) - ZIP_LOCATOR - ZIP_END))
    tail = file.read()
    end, locator = tail[-ZIP_END:], tail[:-ZIP_END]
    if end[:4] != b"PK\5\6" or end[-2:] != bytes(2) or len(end) < ZIP_END:
        raise ValueError("is no whole zip file, as NumPy writes it")
    files, listed = struct.unpack_from("<HI", end, 10)
    if locator[:4] == b"PK\6\7" or files > MOST_FILES or listed > MOST_LISTED:
        raise ValueError(f"lists more than {MOST_FILES} files, expected {len(KEYS)}")
    file.seek(0)


def _read_npy(archive: zipfile.ZipFile, key: str, shape: tuple[int, ...]) -> np.ndarray:
    """One array of the archive: its description is read first, and must be the one expected."""
    about = archive.getinfo(f"{key}.npy")
    if about.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{key} is packed in another way than NumPy packs")
    with archive.open(about) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):                        # whose description has 64 kB at most
            raise ValueError(f"{key} is in version {version[0]}.{version[1]} of the .npy format, expected 1.0")
        found, by_columns, dtype = np.lib.format.read_array_header_1_0(member)
        if found != shape or by_columns or dtype != np.uint8:
            raise ValueError(f"{key} has shape {found} and dtype {dtype}, expected {shape} and uint8")
        return _array(member.read(math.prod(shape) + 1), shape)


def _opened(path: str, content: int) -> BinaryIO:
    """A regular file that is not larger than its content can make it."""
    # without O_NONBLOCK the opening of a pipe would wait for somebody who writes to it
    file = open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))
    about = os.fstat(file.fileno())
    if stat.S_ISREG(about.st_mode) and about.st_size <= content + ROOM:
        return file
    file.close()
    raise ValueError(f"has {about.st_size} bytes, expected at most {content + ROOM}" if stat.S_ISREG(about.st_mode)
                     else "is no regular file")


def _array(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The elements of a file, which must be just as many."""
    size = math.prod(shape)
    if len(data) != size:
        raise ValueError(f"holds {'more than' if len(data) > size else f'{len(data)} of'} the {size} elements of shape "
                         f"{shape}")
    return np.frombuffer(bytearray(data), np.uint8).reshape(shape)           # a bytearray: it may be written to


def _check_classes(name: str, y_train: np.ndarray, y_test: np.ndarray) -> None:
    """ValueError unless the classes can be those of this data set."""
    for labels in (y_train, y_test):
        if labels.max() >= CLASSES:
            row = int(np.argmax(labels >= CLASSES))
            raise ValueError(f"holds the class {labels[row]} at row {row}, expected 0 to {CLASSES - 1}")
    for other, first in FIRST.items():
        if other != name and y_train[:len(first)].tobytes() == first:
            raise ValueError(f"holds the rows of {other}, whose files have the same names; put those of {name} into a "
                             f"folder of their own, such as {_places(name, None)[0]!r}")
