"""Model files taken apart and put together again, signed as a good file is."""
import hashlib
import json
import struct


def split(data):
    """(header as an object, body) of a safetensors file."""
    n = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + n]), data[8 + n:]


def join(header, body):
    """A file of a header (an object, or bytes as they are) and a body."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def sign(data):
    """The file with the checksum that belongs to its bytes."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def tensors(data):
    """{name: (dtype, shape, bytes)} of a file."""
    header, body = split(data)
    return {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}


def built(parts):
    """The signed file of such tensors."""
    header, body = {}, b""
    order = [*sorted(n for n in parts if n not in ("fastnn.config", "fastnn.sha256")), "fastnn.config", "fastnn.sha256"]
    for name in order:
        if name in parts:
            dtype, shape, raw = parts[name]
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(raw)]}
            body += raw
    text = json.dumps(header).encode()
    return sign(join(text + b" " * (-len(text) % 8), body))
