"""Sequences of different lengths as one array."""
from __future__ import annotations

import numpy as np

from .. import _arrays


def pad_sequences(sequences, maxlen: int | None = None, dtype="int32", padding="pre", truncating="pre",
                  value=0.0) -> np.ndarray:
    """Sequences of different lengths as rows of one array, (n, maxlen, ...), of ``dtype``.

    sequences: a list of lists or arrays. ``maxlen``: steps of a row; None: those of the longest. A shorter one gets
    ``value`` before ("pre") or after ("post") it, as ``padding`` says; a longer one loses its first or last steps, as
    ``truncating`` says. Raises ValueError for what is no list of sequences, steps that differ in shape, or values that
    ``dtype`` cannot hold.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
    [[0, 1], [2, 3], [5, 6]]
    """
    for argument, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"`{argument}` must be 'pre' or 'post', got {side!r:.60}")
    lengths = _lengths(sequences)
    steps = max(lengths, default=0) if maxlen is None else _arrays.whole_number("maxlen", maxlen, 0)
    first = next((s for s in sequences if len(s)), ())
    inner = np.asarray(first).shape[1:]
    kind = np.dtype(dtype).kind
    if isinstance(value, str) and kind not in "OSU":
        raise ValueError(f"`value` must be a number for the dtype {np.dtype(dtype).name}, got {value!r:.60}; for words "
                         "use dtype=object")
    rows = np.full((len(lengths), steps, *inner), value, dtype)
    for i, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, steps)
        if not kept:
            continue
        part = _held(sequence[length - kept:] if truncating == "pre" else sequence[:kept], rows.dtype, i)
        if part.shape[1:] != inner:
            raise ValueError(f"`sequences` must have steps of one shape, got {inner} and {part.shape[1:]} in sequence "
                             f"{i}")
        rows[i, slice(kept) if padding == "post" else slice(steps - kept, None)] = part
    return rows


def _held(part, dtype: np.dtype, i: int) -> np.ndarray:
    """A part of sequence i as an array; ValueError that names the first value that the dtype cannot hold."""
    try:
        array = np.asarray(part, dtype)
        wrapped = dtype.kind in "iu" and getattr(part, "dtype", dtype).kind in "iu"      # arrays wrap around silently
        if not wrapped or np.array_equal(array, part):
            return array
        value = np.asarray(part)[array != part][0]
    except (OverflowError, TypeError, ValueError):
        bad = [step for step in part if not _holds(dtype, step)]
        if not bad:
            raise ValueError(f"`sequences` must have steps of one shape, got {part!r:.60} in sequence {i}") from None
        value = bad[0]
    raise ValueError(f"`sequences` must hold what the dtype {dtype.name} can, got {value!r:.60} in sequence {i}; use "
                     "another `dtype`, or for words a Tokenizer")


def _holds(dtype: np.dtype, step) -> bool:
    try:
        np.asarray(step, dtype)
    except (OverflowError, TypeError, ValueError):
        return False
    return True


def _lengths(sequences) -> list[int]:
    """The length of each; ValueError for what has none."""
    if not hasattr(sequences, "__len__") or isinstance(sequences, (str, bytes)):
        raise ValueError(f"`sequences` must be a list of sequences, got {type(sequences).__name__}")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__") or getattr(sequence, "ndim", 1) == 0:
            raise ValueError(f"`sequences` must be a list of sequences, got {sequence!r:.60} at place {i}")
    return [len(sequence) for sequence in sequences]
