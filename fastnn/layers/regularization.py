"""Layers that act in training only, against overfitting."""
from __future__ import annotations

from ..program import Lowering, Value
from .base import Layer


class Dropout(Layer):
    """Sets a fraction ``rate`` of the inputs to 0 in training and scales the others by 1 / (1 - rate).

    Inference: the input itself. Which units drop is a function of (seed, layer, step, element) alone, by the
    counter-based generator Philox (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011): the same for any
    number of threads and on every instruction set. Raises ValueError when ``rate`` is not in [0, 1].
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"Dropout: `rate` must be a number from 0 to 1, got {rate!r}")
        if seed is not None and (isinstance(seed, bool) or not hasattr(seed, "__index__")):
            raise ValueError(f"Dropout: `seed` must be an int or None, got {seed!r}")
        self.rate = float(rate)
        self.seed = None if seed is None else seed.__index__()

    def lower(self, build: Lowering, x: Value, mask=None):
        if not build.training or self.rate == 0:
            return x, mask
        y = build.result(x, shape=x.shape, name="dropout")
        kept = build.value(x.shape, "uint8", name="kept units")
        # the user's seeds in a range of their own, so that none is the number of a layer without one
        key = build.random_id() if self.seed is None else 0x80000000 | self.seed & 0x7FFFFFFF
        build.emit("dropout_forward", [x], [y, kept], [x.elements(), key], [self.rate])

        def backward(dy: Value) -> None:
            dx = build.gradient_place(x)
            build.emit("dropout_backward", [dy, kept], [dx], [x.elements()], [self.rate])
            build.add_gradient(x, dx)

        if x.needs_gradient:
            build.backward([y], backward)
        return y, mask
