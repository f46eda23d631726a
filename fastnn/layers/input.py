"""The inputs of a graph."""
from __future__ import annotations

from .. import _arrays, backend
from .base import KerasTensor, Layer


class InputLayer(Layer):
    """Where an array enters a graph; it computes nothing."""

    def __init__(self, shape, dtype=None, name=None, batch_size=None):
        shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if not all(hasattr(n, "__index__") and not isinstance(n, bool) and n > 0 for n in shape):
            advice = "; a model is made for one size: resize or pad to it and give it, or leave Input out"
            raise ValueError(f"Input: `shape` must hold positive ints, without the batch axis, got {shape!s:.80}"
                             + (advice if None in shape else ""))
        super().__init__(name=name, dtype=None)
        if batch_size is not None:
            batch_size = _arrays.whole_number("batch_size", batch_size, 1)
        self.tensor = KerasTensor((batch_size, *shape), dtype or backend.floatx(), name=self.name)
        self.output_shape = self.tensor.shape
        self.built = True


def Input(shape=None, batch_size=None, dtype=None, name=None, batch_shape=None) -> KerasTensor:
    """A symbolic array to start a graph with, or the first object of a Sequential.

    ``shape``: without the batch axis, e.g. (784,). ``batch_size``, or the first of ``batch_shape``, which stands for
    both: the rows of a batch, which stateful layers must know; for others any number of rows goes.
    Raises ValueError when ``shape`` is missing or holds anything but positive ints.
    """
    if batch_shape is not None:
        if shape is not None or batch_size is not None or not isinstance(batch_shape, (tuple, list)) or not batch_shape:
            raise ValueError("Input: `batch_shape` must be (rows, ...) and stands for `shape` and `batch_size`, got "
                             f"{batch_shape!r:.60} with shape={shape!r:.60}, batch_size={batch_size!r:.60}")
        batch_size, *shape = batch_shape
    if shape is None:
        raise ValueError("Input: `shape` is missing; give the shape of one sample, e.g. Input((784,))")
    return InputLayer(shape, dtype, name, batch_size).tensor
