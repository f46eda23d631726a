"""Winograd's algorithm for convolutions by 3x3 windows: where it pays, and its filters."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Lowering, Value

if TYPE_CHECKING:
    from .convolution_geometry import Geometry

PRODUCTS = 36                 # elements of a transformed window
LINE = 64                     # bytes of a cache line

# From so many channels and places of the output on. Measured against the operation `convolution`, at 98 % of the FMA
# peak there, by `pytest bench/bench_winograd.py`, and alike on all levels: 16 channels are 1.9 times as fast, 64 are
# 2.5 times, 8 hardly faster; so are the gradients. The filters are transformed once a run: beside one image of 8x8
# places that leaves 1.2 to 1.7 times, beside one of 4x4 less than 1, but beside four of those 1.9 times, and training
# has more.
CHANNELS = 16
PLACES = 64
PLACES_IN_TRAINING = 16


def pays(build: Lowering, g: Geometry) -> bool:
    """Whether the convolution ``g`` is done by Winograd's algorithm; its shapes decide, never the batch."""
    if not build.winograd or g.groups != 1 or g.channels < CHANNELS:
        return False
    if any(a.kernel != 3 or a.stride != 1 or a.dilation != 1 for a in (g.rows, g.columns)):
        return False
    return g.rows.out * g.columns.out >= (PLACES_IN_TRAINING if build.training else PLACES)


def transformed(build: Lowering, kernel: Value, g: Geometry, phase: str) -> Value:
    """The filters as the operation `winograd` takes them: each of the matrices fills an odd number of cache lines."""
    size = g.channels * g.filters * kernel.dtype.itemsize
    step = (-(-size // LINE) | 1) * LINE // kernel.dtype.itemsize
    u = build.value((PRODUCTS, step), batched=False, name="transformed filters")
    build.emit("winograd_filters", [kernel], [u], [g.channels, g.filters], phase=phase)
    return u
