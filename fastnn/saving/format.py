"""The model file: arrays by name and a description, as one uncompressed safetensors file with a checksum.

Any reader of safetensors opens the arrays. Two tensors of bytes are the format's own: ``fastnn.config``, the
description as JSON, and ``fastnn.sha256``, the last 32 bytes of the file: the SHA-256 of all bytes before them, header
included. There is one parser, safetensors' ``deserialize``, and one way in, ``read``, whatever the suffix. The bounds
below hold before anything is made of what a file says: what a refused file costs is bounded by its size.
"""
from __future__ import annotations

import codecs
import os
import re
import stat
from typing import Any, NamedTuple

import numpy as np

from . import atomic, description
from .errors import ModelFileError, fault

CONFIG, DIGEST = "fastnn.config", "fastnn.sha256"
DIGEST_BYTES = 32
MAX_BYTES = 4 * 2**30
MAX_HEADER = 2 * 2**20       # bytes of the list of tensors
MAX_TENSORS, MAX_RANK = 10_000, 8
DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4"}
PLACEHOLDER = bytes(range(DIGEST_BYTES))

BRING_WEIGHTS = ("to bring weights from Keras, load the model there, then here "
                 "model.set_weights(keras_model.get_weights())")
KINDS = (      # of files that are often taken for a model file: the bytes at some place, what they mean
    (0, b"\x89HDF\r\n\x1a\n", f"this is an HDF5 file (Keras's .h5), which fastnn does not read; {BRING_WEIGHTS}"),
    (0, b"PK\x03\x04", (f"this is a zip archive (.keras, .npz and .pt files are), which fastnn does not read; "
                       f"{BRING_WEIGHTS}")),
    (0, b"\x80", ("this looks like a pickle, which fastnn never reads, as it can run code; save the arrays as a model "
                 "file, or with numpy.savez")),
    (0, b"\x1f\x8b", "this is a gzip archive, which fastnn does not read"),
    (0, b"\x93NUMPY", "this is a NumPy array file; read it with numpy.load(..., allow_pickle=False) and set_weights"),
    (257, b"ustar", "this is a tar archive, which fastnn does not read"),
)


class Content(NamedTuple):
    """What a model file holds."""
    description: dict[str, Any]
    arrays: dict[str, np.ndarray]


def check_path(function: str, path: Any, argument: str = "filepath") -> None:
    """TypeError for what is no path, ValueError for an empty one."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"{function}: `{argument}` must be the path of a file, got {type(path).__name__}: {path!r:.60}")
    if not os.fspath(path):
        raise ValueError(f"{function}: `{argument}` must be the path of a file, got {path!r}")


def write(path: str | os.PathLike, arrays: dict[str, np.ndarray], described: dict[str, Any]) -> None:
    """Write a model file, whole or not at all. ValueError for what the format cannot hold, OSError from the disk."""
    atomic.write(path, to_bytes(arrays, described))


def to_bytes(arrays: dict[str, np.ndarray], described: dict[str, Any]) -> bytearray:
    """A model file's bytes: a function of the arguments alone. ValueError for what the format cannot hold."""
    from safetensors.numpy import save

    if len(arrays) + 2 > MAX_TENSORS:
        raise ValueError(f"a model file holds at most {MAX_TENSORS} arrays, got {len(arrays) + 2}")
    check_arrays(arrays)
    tensors = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    tensors[CONFIG] = np.frombuffer(description.encode(described), np.uint8)
    tensors[DIGEST] = np.frombuffer(PLACEHOLDER, np.uint8)
    data = bytearray(save(tensors))
    if not data.endswith(PLACEHOLDER):
        raise RuntimeError("safetensors orders tensors in another way than this version of fastnn knows")
    data[-DIGEST_BYTES:] = _digest(data)
    return data


def check_arrays(arrays: dict[str, np.ndarray]) -> None:
    """ValueError for an array that the format cannot hold."""
    for name, array in arrays.items():
        if array.dtype.str not in DTYPES.values() or array.ndim > MAX_RANK or not array.size:
            raise ValueError(f"a model file cannot hold the array {name!r}: {array.dtype}, shape {array.shape}")


def read(path: str | os.PathLike, max_bytes: int = MAX_BYTES) -> Content:
    """The content of a model file; ModelFileError names the file and the first fault."""
    where = f"model file {os.fspath(path)!r:.200}"
    try:
        text, arrays = _opened(_bytes_of(os.fspath(path), where, max_bytes), where)      # whose bytes are gone now
        return Content(_described(text, where), arrays)
    except MemoryError as error:
        raise fault(where, "needs more memory than there is") from error
    except OSError as error:
        raise fault(where, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        if isinstance(error, ModelFileError):
            raise
        raise fault(where, f"cannot be read: {error}") from error      # a path with a null byte


def from_bytes(data: bytes | bytearray, where: str) -> Content:
    """The content of a model file's bytes; ModelFileError names ``where`` and the first fault."""
    text, arrays = _opened(data, where)
    return Content(_described(text, where), arrays)


def _opened(data: bytes | bytearray, where: str) -> tuple[bytes, dict[str, np.ndarray]]:
    """(text of the description, arrays) of a model file's bytes, its checksum checked."""
    from safetensors import SafetensorError, deserialize

    _check_header(data, where)
    try:
        tensors = deserialize(bytes(data))
    except (SafetensorError, ValueError, OverflowError) as error:
        raise fault(where, _looks_like(data) or _of_other_size(data) or f"is no safetensors file: {error}") from None
    arrays = _checked(tensors, where)
    if DIGEST not in arrays or CONFIG not in arrays:
        raise fault(where, "is a safetensors file, but not one of fastnn's; read its arrays with "
                           "safetensors.numpy.load_file and give them to set_weights")
    digest, text = (arrays.pop(name).tobytes() for name in (DIGEST, CONFIG))
    if digest != data[-DIGEST_BYTES:] or digest != _digest(data):
        raise fault(where, "its checksum is wrong: the file is damaged or was changed")
    return text, arrays


def _described(text: bytes, where: str) -> dict[str, Any]:
    try:
        return description.decode(text)
    except description.BadDescription as error:
        raise fault(where, str(error)) from None


def _bytes_of(path: str | bytes, where: str, max_bytes: int) -> bytes:
    """The bytes of a regular file, as many as it has when it is opened."""
    # without O_NONBLOCK the opening of a pipe would wait for somebody who writes to it
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise fault(where, "is no regular file")
        if found.st_size > max_bytes:
            raise fault(where, f"has {found.st_size} bytes, more than max_bytes={max_bytes}")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(found.st_size)
    finally:
        os.close(descriptor)
    if len(data) < found.st_size:
        raise fault(where, f"ends after {len(data)} of {found.st_size} bytes: it is being changed")
    return data


def _check_header(data: bytes | bytearray, where: str) -> None:
    """The length of the list of tensors, before it is parsed."""
    if len(data) < 8:
        raise fault(where, f"has {len(data)} bytes: it is empty or cut off")
    length = int.from_bytes(data[:8], "little")
    if length > min(MAX_HEADER, len(data) - 8):
        kind = _looks_like(data)
        raise fault(where, kind or f"is no fastnn model file, or cut off: its first bytes promise a header of {length} "
                                   f"bytes, and it has {len(data)} in all")
    if data.count(b"{", 8, 8 + length) > MAX_TENSORS + 1:      # each costs its parser about a kilobyte
        raise fault(where, f"lists more than {MAX_TENSORS} tensors")


def _of_other_size(data: bytes | bytearray) -> str:
    """What to say of a file that is shorter or longer than its list of tensors, "" of others; for a text only."""
    start = 8 + int.from_bytes(data[:8], "little")
    ends = [int(end) for end in re.findall(rb'"data_offsets":\[\d{1,15},(\d{1,15})\]', data[:start])]
    if not ends or start + max(ends) == len(data):
        return ""
    fault = "it is cut off" if len(data) < start + max(ends) else "something was added to it"
    return (f"is no whole safetensors file: it has {len(data)} bytes, and by its list of tensors should have "
            f"{start + max(ends)}; {fault}: copy or download it again, or save the model anew")


def _looks_like(data: bytes | bytearray) -> str:
    """What another kind of file is, by its first bytes; "" if they say nothing."""
    return next((text for place, magic, text in KINDS if data[place:place + len(magic)] == magic), _as_text(data))


def _as_text(data: bytes | bytearray) -> str:
    """What to say of a text, "" if it is none: the 8 bytes of a header's length would be a huge number as letters."""
    try:
        first = codecs.getincrementaldecoder("utf-8")().decode(data[:40])          # the cut may fall within a letter
    except UnicodeDecodeError:
        return ""
    if all(c.isprintable() or c in "\t\r\n" for c in first):
        return f"is no fastnn model file, but a text that begins with {first.strip()[:20]!r}"
    return ""


def _checked(tensors: list, where: str) -> dict[str, np.ndarray]:
    """The tensors as read-only arrays, each within the bounds of the format."""
    if len(tensors) > MAX_TENSORS:
        raise fault(where, f"holds {len(tensors)} tensors, more than {MAX_TENSORS}")
    arrays: dict[str, np.ndarray] = {}
    while tensors:
        name, tensor = tensors.pop()
        dtype, shape = tensor["dtype"], tensor["shape"]
        bytes_alone = name in (CONFIG, DIGEST)
        if name in arrays:
            raise fault(where, f"holds the tensor {name!r:.80} twice")
        known = ("U8",) if bytes_alone else tuple(DTYPES)
        if dtype not in known:
            raise fault(where, f"tensor {name!r:.80} has the dtype {dtype}; known are {', '.join(known)}")
        if len(shape) > MAX_RANK or (bytes_alone and len(shape) != 1):
            raise fault(where, f"tensor {name!r:.80} has rank {len(shape)}")
        if 0 in shape:
            raise fault(where, f"tensor {name!r:.80} is empty: shape {shape}")
        arrays[name] = np.frombuffer(tensor["data"], "u1" if bytes_alone else DTYPES[dtype]).reshape(shape)
    return arrays


def _digest(data: bytes | bytearray) -> bytes:
    import hashlib
    return hashlib.sha256(memoryview(data)[:-DIGEST_BYTES]).digest()
