"""Masks that callers give to layers and models, checked."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arrays


def given_mask(name: str, mask: Any, shape: tuple) -> np.ndarray:
    """A mask for an input of this shape as a contiguous array (rows, steps), or with further axes where x has them.

    ValueError, which names the layer, for another shape, and for values that are neither 0 nor 1.
    """
    array, expected = np.ascontiguousarray(_arrays.as_rows(mask, "mask")), shape[:2]
    if not 2 < array.ndim < len(shape) or array.shape != shape[:array.ndim]:
        if array.shape != expected and array.shape != (*expected, 1):
            raise ValueError(f"layer {name!r}: `mask` must have a number for each step of each row, shape {expected}, "
                             f"got shape {array.shape}")
        array = array.reshape(expected)
    if array.dtype != bool:
        wrong = array[(array != 0) & (array != 1)]
        if wrong.size:
            raise ValueError(f"layer {name!r}: `mask` must hold 1 (or True) at the steps that count and 0 at the "
                             f"others, got {wrong[0]}; compare first, e.g. mask > 0.5")
    return array
