"""The model file: bounds and checksum of the format, strict descriptions, and files written whole or not at all."""
import errno
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn.saving import atomic, description
from fastnn.saving import format as files

ARRAYS = {"dense/kernel": np.arange(6, dtype="float32").reshape(2, 3), "fastnn.optimizer/iterations": np.array([3]),
          "half": np.ones((1, 1, 2), "float64"), "one": np.array(2.5, "float32")}
DESCRIBED = {"format": 1, "a": [1, None, True, 0.1, "é"], "notes": {"x" * 2000: 1}}


def test_a_file_holds_what_was_put_in(tmp_path):
    path = tmp_path / "net.fastnn"
    files.write(path, ARRAYS, DESCRIBED)
    found, arrays = files.read(path)
    assert found == DESCRIBED and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array), name
        assert arrays[name].shape == array.shape


def test_the_same_content_gives_the_same_bytes():
    assert files.to_bytes(ARRAYS, DESCRIBED) == files.to_bytes(dict(reversed(ARRAYS.items())), DESCRIBED)


def test_any_reader_of_safetensors_opens_the_weights(tmp_path):
    from safetensors.numpy import load_file
    files.write(tmp_path / "net", ARRAYS, DESCRIBED)
    assert np.array_equal(load_file(tmp_path / "net")["dense/kernel"], ARRAYS["dense/kernel"])


def test_every_flipped_bit_and_every_cut_is_found():
    data = bytes(files.to_bytes({"w": np.ones(3, "float32")}, {"format": 1}))
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(fastnn.ModelFileError, match=r"^here: "):
                files.from_bytes(changed, "here")
        with pytest.raises(fastnn.ModelFileError, match=r"^here: "):
            files.from_bytes(data[:place], "here")


@pytest.mark.parametrize("text, words", [
    (b"", "no JSON"), (b"[]", "JSON object"), (b'{"a":NaN}', "NaN"), (b'{"a":-Infinity}', "Infinity"),
    (b'{"a":1e999}', "beyond float64"), (b'{"a":1,"a":2}', "twice"), (b'{"a":"\xff"}', "UTF-8"), (b"[" * 110_000,
                                                                                                  "values"),
    (b'{"a":' * 20_000, "nested|no JSON"), (b'{"a":' + b"9" * 30 + b"}", "too large"),
    (b'{"a":"' + b"x" * 2000 + b'"}', "string of"),
    (b'{"a":"\\ud800"}', "surrogate"), (b'{"dtype":"O"}', "dtype"), (b'{"a":{"dtype":["f4"]}}', "dtype"),
    (b'{"trainable":1}', "trainable"), (b" " * (description.LARGEST + 1), "bytes"), (b"{}x", "no JSON"),
    (b'{"a":' + b"[" * 70 + b"]" * 70 + b"}", "deeper")])
def test_a_description_is_strict(text, words):
    with pytest.raises(description.BadDescription, match=words):
        description.decode(text)


@pytest.mark.parametrize("described", [{1: 2}, {"a": (1, 2)}, {"a": float("nan")}, {"a": object()},
                                       {"a": np.float32(1)},
                                       {"a": "x" * 2000}, {"a": [0] * 300_000}])
def test_what_cannot_be_read_again_is_not_written(described):
    with pytest.raises(description.BadDescription):
        description.encode(described)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, 2**70])
def test_whole_numbers_are_ints_within_bounds(value):
    with pytest.raises(description.BadDescription, match="`n`"):
        description.whole(value, "`n`", 0)


@pytest.mark.parametrize("array", [np.ones(2, "float16"), np.ones(0), np.ones((1,) * 9), np.ones(2, "complex64")])
def test_arrays_that_the_format_has_not(array):
    with pytest.raises(ValueError, match="'w'"):
        files.to_bytes({"w": array}, {})


# reading

def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop", tmp_path / "missing", Path("/dev/zero"),
                 Path("/dev/null"),
                 "a\0b", ""):
        with pytest.raises(fastnn.ModelFileError, match=r"cannot be read|no regular file"):
            files.read(path)
    with pytest.raises(TypeError):
        files.read(0)


def test_a_large_file_is_refused_unread(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2**40)                       # a hole, not a byte on the disk
    with pytest.raises(fastnn.ModelFileError, match="max_bytes"):
        files.read(tmp_path / "large")
    (tmp_path / "small").write_bytes(bytes(11))
    with pytest.raises(fastnn.ModelFileError, match="has 11 bytes, more than max_bytes=10"):
        files.read(tmp_path / "small", max_bytes=10)


def test_a_link_to_a_file_is_followed_when_read_and_kept_when_written(tmp_path):
    files.write(tmp_path / "net", ARRAYS, DESCRIBED)
    (tmp_path / "link").symlink_to("net")
    files.write(tmp_path / "link", ARRAYS, {"b": 2})
    assert (tmp_path / "link").is_symlink() and files.read(tmp_path / "net").description == {"b": 2}


@pytest.mark.parametrize("magic, word", [(b"\x89HDF\r\n\x1a\n", "HDF5"), (b"PK\x03\x04", "zip"), (b"\x80\x04\x95",
                                                                                                  "pickle"),
                                         (b"\x93NUMPY", "NumPy"), (b"\x1f\x8b", "gzip"), (bytes(257) + b"ustar",
                                                                                          "tar")])
def test_files_of_other_kinds_are_called_what_they_are(magic, word):
    with pytest.raises(fastnn.ModelFileError, match=word):
        files.from_bytes(magic + bytes(600), "here")


@pytest.mark.parametrize("name", [files.CONFIG, files.DIGEST])
@pytest.mark.parametrize("array", [np.ones(8, "float32"), np.ones((4, 8), "uint8"), np.array(1.0)])
def test_the_formats_own_tensors_are_vectors_of_bytes(name, array):
    from safetensors.numpy import save
    tensors = {"fastnn.config": np.frombuffer(b"{}", "u1"), "fastnn.sha256": np.zeros(32, "u1"), "w": np.ones(2),
               name: array}
    with pytest.raises(fastnn.ModelFileError, match=f"{name}.* has the dtype|{name}.* has rank"):
        files.from_bytes(save(tensors), "here")


def test_safetensors_of_others():
    from safetensors.numpy import save
    with pytest.raises(fastnn.ModelFileError, match="not one of fastnn's"):
        files.from_bytes(save({"a": np.ones(3, "float32")}), "here")


# writing

def test_a_file_keeps_its_mode(tmp_path):
    path = tmp_path / "net"
    atomic.write(path, b"1")
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    path.chmod(0o640)
    atomic.write(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o640 and path.read_bytes() == b"2"


def test_what_dead_processes_left_is_swept_and_what_live_ones_write_stays(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [tmp_path / f".net.{dead.pid}-00ff00ff.tmp"]
    stay = [tmp_path / f".net.{os.getpid()}-00ff00ff.tmp", tmp_path / f".other.{dead.pid}-00ff00ff.tmp",
            tmp_path / f".net.{dead.pid}-xyz.tmp", tmp_path / ".net.tmp"]
    locked = tmp_path / f".net.{dead.pid}-11111111.tmp"          # another machine's process with that number
    for path in (*left, *stay, locked):
        path.write_bytes(b"")
    import fcntl
    with open(locked) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        atomic.write(tmp_path / "net", b"1")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "net", locked, *stay])


def test_the_disk_is_told_to_keep_the_file_before_and_the_folder_after_the_rename(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))[1])
    atomic.write(tmp_path / "net", b"1")
    assert calls == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("name", ["fsync", "replace", "fchmod"])
def test_a_failing_disk_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch, name):
    path = tmp_path / "net"
    atomic.write(path, b"old")

    def fail(*_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="input/output"):
        atomic.write(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_at_every_place_leaves_the_old_file(tmp_path):
    """The limit of a file's size stands for the full disk: writing fails after so many bytes, in the midst of a file.
    """
    path = tmp_path / "net"
    old, new = (bytes(files.to_bytes(ARRAYS, {word: 1})) for word in ("old", "new"))
    atomic.write(path, old)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for cut in range(len(new)):
            resource.setrlimit(resource.RLIMIT_FSIZE, (cut, before[1]))
            with pytest.raises(OSError) as caught:
                atomic.write(path, new)
            assert caught.value.errno == errno.EFBIG
            assert os.listdir(tmp_path) == ["net"] and path.read_bytes() == old
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    atomic.write(path, new)
    assert path.read_bytes() == new


def test_saving_to_a_folder_or_nowhere(tmp_path):
    with pytest.raises(IsADirectoryError):
        atomic.write(tmp_path, b"1")
    with pytest.raises(FileNotFoundError):
        atomic.write(tmp_path / "no" / "net", b"1")


def test_no_file_takes_the_place_of_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="no regular file"):
        atomic.write(tmp_path / "pipe", b"1")
    assert (tmp_path / "pipe").is_fifo() and os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127])
def test_the_longest_names(tmp_path, name):
    left = f".{name.encode()[:200].decode()}.99999999-0123abcd.tmp"
    (tmp_path / left).write_bytes(b"of a dead process")
    atomic.write(tmp_path / name, b"1")
    atomic.write(os.fsencode(tmp_path / name), b"2")
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"2"


# what must not be there

FORBIDDEN = re.compile(r"^\s*(?:import|from)\s+(pickle|cPickle|_pickle|marshal|shelve|dill|joblib|zipfile|tarfile|h5py|"
                       r"zlib|gzip|yaml)\b|\beval\(|\bexec\(|__import__", re.M)


def test_no_module_imports_what_can_run_code_from_data():
    package = Path(fastnn.__file__).parent
    for path in package.rglob("*.py"):
        text = path.read_text()
        if path.relative_to(package).as_posix() == "datasets/_idx.py":
            # the files of MNIST come packed; no more of them is read than they may hold
            text = re.sub(r"^import (gzip|zipfile|zlib)$", "", text, flags=re.M)
        assert not FORBIDDEN.search(text), path
    for path in [*(package / "saving").glob("*.py"), *(package / "models").glob("*.py"), package / "_describe.py"]:
        assert not re.search(r"importlib|\bmmap\b", path.read_text()), path


def test_importing_fastnn_does_not_load_the_parser(run_python):
    done = run_python("import sys, fastnn; print([m for m in sys.modules if m.startswith('safetensors')])")
    assert json.loads(done.stdout) == [], done.stderr
