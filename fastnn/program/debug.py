"""FASTNN_DEBUG=1: every buffer in a mapping of its own, between two pages that may not be touched.

A buffer ends exactly where the second guard page begins, so an overrun by one element stops the process at the faulty
operation; programs also fill each buffer with NaN at its birth and its death, so that a value read too early or too
late shows in the results.
"""
from __future__ import annotations

import ctypes
import mmap
import os

import numpy as np

ENABLED = os.environ.get("FASTNN_DEBUG", "") not in ("", "0")
PROT_NONE = 0


def guarded(n_bytes: int, fill: int = 0xFF) -> np.ndarray:
    """A uint8 array of ``n_bytes`` between guard pages, every byte ``fill`` (0xFF: NaN for floats)."""
    page = mmap.PAGESIZE
    inner = -(-max(n_bytes, 1) // page) * page
    mapping = mmap.mmap(-1, inner + 2 * page)
    whole = np.frombuffer(mapping, np.uint8)
    start = whole.ctypes.data
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for address in (start, start + page + inner):
        if libc.mprotect(address, page, PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect of a guard page failed")
    end = page + inner
    buffer = whole[end - n_bytes:end]
    buffer[:] = fill
    return buffer
