"""Hostile and broken model files: families of them, each made anew from a good file and a generator of random numbers.

Most are signed again after they were changed, as an attacker would, so that they get past the checksum.
"""
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np
from hostile_descriptions import DESCRIPTIONS
from model_bytes import built, join, sign, split, tensors


def headers(good, rng):
    """Headers that lie about tensors."""
    header, body = split(good)
    name = rng.choice([n for n in header if n != "fastnn.sha256"])
    t = header[name]
    n = len(body)
    change = rng.choice([
        {"dtype": rng.choice(["F16", "BF16", "X", "", 7, None, "F8_E4M3", "BOOL", "U8", "I16", "C64", "u8" * 1000])},
        {"shape": rng.choice([[-1], [True], [1.0], ["3"], [10**4000], [2**63], [2**64], None, "x", [[1]], [0], [],
                              [4194305, 4194305, 211106198978564], [1] * 65, [1] * 9, [2**32, 2**32],
                              [1] * 200_000, [0] * 200_000])},
        {"data_offsets": rng.choice([t["data_offsets"][::-1], [0, n + 1], [0, n], [0, 0], [n, n], [-1, 4], [0], [0, 1,
                                                                                                                 2],
                                     [0, 2**64], [1.5, 2], None, [2**63, 2**63 + 4], "x",
                                     [t["data_offsets"][0] + 4, t["data_offsets"][1] + 4]])},
        {"extra": 1}, {}])
    if change == {}:
        del header[name][rng.choice(["dtype", "shape", "data_offsets"])]
    header[name] = {**t, **change} if change else header[name]
    return sign(join(header, body))


def header_text(good, rng):
    """Headers that are no good JSON, or hold names twice."""
    header, body = split(good)
    text = json.dumps(header).encode()
    first = next(iter(header))
    entry = json.dumps(first)[:-1].encode() + b'"'
    return sign(rng.choice([
        join(b"", body), join(b"x" + text, body), join(b"\xff" + text, body), join(text[:-5], body),
        join(b"[" * 100_000, body),
        join(b"[" + text + b"]", body), join(text.replace(entry, entry + b':{"dtype":"F32","shape":[1],'
                                             b'"data_offsets":[0,4]},' + entry, 1), body),
        join(b'{"__metadata__":{"a":"b"},"__metadata__":{"a":"c"},' + text[1:], body),
        join(b'{"__metadata__":{"a":{"b":1}},' + text[1:], body), join(b'{"__metadata__":3,' + text[1:], body),
        struct.pack("<Q", 2**64 - 1) + text + body, struct.pack("<Q", len(good)) + text + body,
        struct.pack("<Q", 0) + text + body, struct.pack("<Q", 3 * 2**20) + text + body,
        struct.pack("<Q", len(text) + 1) + text + body, join(b" " * 1_500_000 + text, body),
        join(text + b" " * 3_000_000, body), join(json.dumps({**header, "a" * 1_000_000: header[first]}).encode(),
                                                  body),
        join(json.dumps({f"n{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                         for i in range(rng.choice([11_000, 25_000]))} | header).encode(), body)]))


def arrays(good, rng):
    """Tensors left out, added, renamed, transposed, of another dtype, empty, or shared."""
    parts = tensors(good)
    name = rng.choice(list(parts))
    dtype, shape, raw = parts[name]
    choice = rng.choice(["drop", "add", "rename", "shape", "double", "empty", "swap", "rank"])
    if choice == "drop":
        del parts[name]
    elif choice == "add":
        parts[rng.choice(["x", "fastnn.x", "fastnn.optimizer/x", "dense/kernel2", "", "../x", "a" * 2000, "\0",
                          "é"])] = (
            "F32", [2], b"\0" * 8)
    elif choice == "rename":
        parts[rng.choice([name + " ", name.upper(), "", "x/" + name])] = parts.pop(name)
    elif choice == "shape":
        parts[name] = (dtype, [1, *shape] if rng.random() < 0.5 else [int(np.prod(shape))], raw)
    elif choice == "double":
        parts[name] = ("F64", shape, raw + raw)
    elif choice == "empty":
        parts[name] = (dtype, [0], b"")
    elif choice == "rank":
        parts[name] = (dtype, [1] * 9 + shape, raw)
    else:
        other = rng.choice(list(parts))
        parts[name], parts[other] = parts[other], parts[name]
    return built(parts)


def state(good, rng):
    """The optimizer's arrays with other shapes, numbers or names."""
    parts = tensors(good)
    mine = [n for n in parts if n.startswith("fastnn.optimizer/")]
    name = rng.choice(mine)
    dtype, shape, raw = parts.pop(name)
    parts[rng.choice([name, name, "fastnn.optimizer/../" + name[17:], name + ":2", "fastnn.optimizer/"])] = rng.choice([
        (dtype, [*shape, 1], raw), ("I64", [1], struct.pack("<q", -5)), ("I64", [1], struct.pack("<q", 2**62)),
        ("F32", [1], b"\0\0\xc0\x7f"), (dtype, shape, b"\xff" * len(raw)), (dtype, shape, raw)])
    return built(parts)


def other_kinds(good, rng):
    """Files of other kinds with the name of a model file."""
    zipped, archive, array = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("config.json", json.dumps({"class_name": "Lambda", "config": {}}))
        z.writestr("bomb", bytes(10_000_000))
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../etc/x"), None)
    np.savez(array, x=np.ones(3))
    single = io.BytesIO()
    np.save(single, np.ones(3))
    return rng.choice([
        pickle.dumps({"a": 1}, p) for p in range(6)] + [
        b"cos\nsystem\n(S'true'\ntR.", zipped.getvalue(), archive.getvalue(), array.getvalue(), single.getvalue(),
        b"\x89HDF\r\n\x1a\n" + bytes(2000), b"\x1f\x8b\x08" + bytes(100), b"%PDF-1.7" + bytes(100), b"<html></html>",
        b"{}",
        good + zipped.getvalue(), zipped.getvalue() + good, sign(good + zipped.getvalue()), b"\x80\x04\x95" + good])


def sizes(good, rng):
    """Empty, tiny, cut off, too long."""
    return rng.choice([b"", bytes(7), bytes(8), bytes(9), good[:rng.randrange(len(good))], good + b"\0", good * 2,
                       sign(good[:-64] + bytes(32)), good[1:], b"\0" + good, bytes(rng.randrange(5000))])


def bits(good, rng):
    """Some bits are another, the checksum is not."""
    data = bytearray(good)
    for _ in range(rng.choice([1, 1, 2, 10, 1000])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data) if bytes(data) != good else b""


def signed_bits(good, rng):
    """Some bits, or stretches of bytes, are another, and the checksum agrees."""
    data = bytearray(good)
    header = 8 + struct.unpack("<Q", good[:8])[0]
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(rng.choice([header, len(data)]))
        choice = rng.random()
        if choice < 0.6:
            data[place] ^= 1 << rng.randrange(8)
        elif choice < 0.8:
            data[place:place + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        else:
            other = rng.randrange(len(data))
            data[place:place + 20] = data[other:other + 20]
    return sign(bytes(data))


FAMILIES = DESCRIPTIONS | {
    "headers": headers, "header text": header_text, "arrays": arrays, "optimizer state": state,
    "other kinds": other_kinds, "sizes": sizes, "bits": bits, "signed bits": signed_bits,
}
# changes that may leave a good file, which then is to load: another number for a weight, another name for a layer
MAY_LOAD = {"class settings", "names", "signed bits", "anywhere", "keys", "units", "rates", "dtypes", "activations",
            "initializers", "class names", "regularizers", "constraints", "trainable", "learning rates", "losses",
            "metrics", "optimizers", "settings", "optimizer state", "arrays", "headers", "header text", "layers",
            "seeds", "input shapes"}


def hostile(good, family, rng):
    """One file of a family; sometimes with a few bits flipped and signed again."""
    data = FAMILIES[family](good, rng)
    if family in MAY_LOAD and len(data) > 200 and rng.random() < 0.1:
        data = signed_bits(data, rng) if len(data) > 8 and struct.unpack("<Q", data[:8])[0] < len(data) - 8 else data
    return data
