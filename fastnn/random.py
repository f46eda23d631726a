"""The one seed of the process, and generators derived from it.

There is no hidden random state: whatever is random is a function of the seed and a path. Initial weights are
f(seed, path of the variable), a shuffle is f(seed, epoch); neither depends on what was drawn before.
"""
from __future__ import annotations

import os
import threading

import numpy as np

from . import _arrays

_seed: int | None = None
_local = threading.local()


def set_seed(seed: int) -> None:
    """Set the seed for models made from now on: a whole number from 0 to 2**64 - 1, else TypeError or ValueError.

    >>> set_seed(42)
    >>> get_seed()
    42
    """
    global _seed
    seed = _arrays.whole_number("seed", seed, 0)
    if seed >= 2**64:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**64 - 1, got {seed}")
    _seed = seed


def get_seed() -> int:
    """The seed; the first call draws one from the operating system if none was set."""
    global _seed
    if _seed is None:
        _seed = int.from_bytes(os.urandom(8), "little")
    return _seed


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A generator of random numbers that is a function of the seed and the path alone.

    Seed and path are hashed (BLAKE2b) into the 128-bit key of a Philox generator, so that neighbouring seeds or paths
    have nothing in common.

    >>> a, b = generator(1, "dense/kernel"), generator(1, "dense/kernel")
    >>> bool(a.random() == b.random())
    True
    """
    return np.random.Generator(np.random.Philox(key=_key(seed, path)))


def permutation(n: int, seed: int, *path: str | int) -> np.ndarray:
    """A random order of 0..n-1, int64 (n,): what ``generator(seed, *path).permutation(n)`` gives.

    For the shuffle of every epoch, at half the time: making a Philox costs 20 µs for entropy that nobody wants, so each
    thread keeps one and gives it a new key.
    """
    if not hasattr(_local, "generator"):
        _local.generator = np.random.Generator(np.random.Philox(0))
    word = np.uint64
    key = np.frombuffer(_key(seed, path).to_bytes(16, "little"), "<u8").astype(word)
    _local.generator.bit_generator.state = {
        "bit_generator": "Philox", "state": {"counter": np.zeros(4, word), "key": key}, "buffer": np.zeros(4, word),
        "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
    return _local.generator.permutation(n)


def _key(seed: int, path: tuple[str | int, ...]) -> int:
    """128 bits that depend on every part of the path."""
    import hashlib        # with numpy.random, which loads it too, 40 ms: not at import

    parts = [part if isinstance(part, str) else int(part) for part in (seed, *path)]
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=16).digest(), "little")
