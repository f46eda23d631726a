"""The inputs of a graph."""
from __future__ import annotations

from .. import _arrays, _spelling, backend
from .base import KerasTensor, Layer

ARGUMENTS = ("shape", "batch_size", "dtype", "name", "batch_shape")


class InputLayer(Layer):
    """Where an array enters a graph; it computes nothing. Arguments as in Input, or Keras 2's ``input_shape``."""

    def __init__(self, shape=None, batch_size=None, dtype=None, name=None, batch_shape=None, **older):
        shape, batch_shape = older.pop("input_shape", shape), older.pop("batch_input_shape", batch_shape)
        if older:
            raise ValueError(_spelling.unknown_among("InputLayer", older, ARGUMENTS))
        if batch_shape is not None:
            if shape is not None or batch_size is not None or not (
                    isinstance(batch_shape, (tuple, list)) and batch_shape):
                raise ValueError("Input: `batch_shape` must be (rows, ...) and stands for `shape` and `batch_size`, "
                                 f"got {batch_shape!r:.60} with shape={shape!r:.60}, batch_size={batch_size!r:.60}")
            batch_size, *shape = batch_shape
        if shape is None:
            raise ValueError("Input: `shape` is missing; give the shape of one sample, e.g. Input((784,))")
        shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if not all(n is None or (hasattr(n, "__index__") and not isinstance(n, bool) and n > 0) for n in shape):
            raise ValueError("Input: `shape` must hold positive ints, or None for any size, without the batch axis, "
                             f"got {shape!s:.80}")
        super().__init__(name=name, dtype=None)
        if batch_size is not None:
            batch_size = _arrays.whole_number("batch_size", batch_size, 1)
        self.tensor = KerasTensor((batch_size, *shape), dtype or backend.floatx(), name=self.name)
        self.output_shape = self.tensor.shape
        self.built = True


def Input(shape=None, batch_size=None, dtype=None, name=None, batch_shape=None) -> KerasTensor:
    """A symbolic array to start a graph with, or the first object of a Sequential.

    ``shape``: without the batch axis, e.g. (784,), None for an axis of any size: (None, 3) are sequences of any length,
    all of a batch of one. ``batch_size``, or the first of ``batch_shape``, which stands for
    both: the rows of a batch, which stateful layers must know; for others any number of rows goes.
    Raises ValueError when ``shape`` is missing or holds anything but positive ints and Nones.
    """
    return InputLayer(shape, batch_size, dtype, name, batch_shape).tensor
