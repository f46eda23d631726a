"""The one seed of the process, and generators derived from it.

There is no hidden random state: whatever is random is a function of the seed and a path. Initial weights are
f(seed, path of the variable), a shuffle is f(seed, step); neither depends on what was drawn before.
"""
from __future__ import annotations

import os

import numpy as np

from . import _arrays

_seed: int | None = None
_named: dict[str, int] = {}        # how many things of each name were made since the seed was set


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
    _named.clear()


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
    import hashlib  # loaded by numpy.random too, which takes 40 ms: not when fastnn is imported

    parts = [part if isinstance(part, str) else int(part) for part in (seed, *path)]
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def path_of(name: str) -> str:
    """A path for one more thing of this name: "dense", then "dense:1", counted since the seed was set.

    So that after ``set_seed`` the same program makes the same weights again, while two nets made after one ``set_seed``
    differ.
    """
    n = _named[name] = _named.get(name, -1) + 1
    return f"{name}:{n}" if n else name
