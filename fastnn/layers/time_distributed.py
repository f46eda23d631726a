"""TimeDistributed: a layer at every step, with the same weights."""
from __future__ import annotations

from ..program import Lowering, Value
from .base import Layer, each_shape
from .composite import within
from .dense import Dense
from .normalization import BatchNormalization
from .recurrent_calls import SequenceCall
from .steps import as_steps, each_step


class TimeDistributed(SequenceCall):
    """Applies ``layer``, a layer or a model, to each step of (batch, steps, ...), with the same weights.

    The steps count as rows of the batch for it, so that all are computed at once; but a layer that learns from the rows
    of a batch together, BatchNormalization, is applied step by step.
    Raises ValueError for what is no layer, and for inputs without steps.

    >>> import numpy as np
    >>> from fastnn.layers import Conv2D
    >>> TimeDistributed(Conv2D(4, 3))(np.zeros((2, 5, 8, 8, 1))).shape
    (2, 5, 6, 6, 4)
    """
    holds = ("layer",)

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"TimeDistributed: `layer` must be a layer, got {type(layer).__name__}: {layer!r:.60}")
        self.layer = layer
        if not self._trainable:
            layer.trainable = False

    @property
    def parts(self):
        return [self.layer]

    def _step_shape(self, input_shape: tuple) -> tuple:
        if len(input_shape) < 3:
            raise ValueError(f"layer {self.name!r}: expected an input of rank 3 or more, (batch, steps, ...), got "
                             f"shape {tuple(input_shape)}{self.missing_axis('')}")
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape):
        shape = self._step_shape(input_shape)
        self.take_in(self.layer)
        self.layer.ensure_built(shape)

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape(self._step_shape(input_shape))
        if each_shape(shape)[0] is not shape:
            raise ValueError(f"layer {self.name!r}: `layer` must have one output, {self.layer.name!r} has {len(shape)}")
        return (shape[0], input_shape[1], *shape[1:])

    def __call__(self, x, training: bool = False, mask=None):      # type: ignore[override]
        """The output for x (batch, steps, ...); ``mask``: an array (batch, steps)."""
        return super().__call__(x, None, mask, training)

    def reads_ids(self):
        return self.layer.reads_ids()

    def lower_all(self, build: Lowering, x: Value, mask: Value | None = None, states: list | None = None):
        self._step_shape((None, *x.shape))
        if mask is not None and mask.shape[:1] != x.shape[:1]:
            raise ValueError(f"layer {self.name!r}: expected a mask with a number for each step, shape "
                             f"{(None, x.shape[0])}, got {(None, *mask.shape)}")
        if isinstance(self.layer, Dense):                   # works on the last axis, whatever the rank
            return [self.layer.lower(build, x)[0]], mask
        if build.training and any(isinstance(layer, BatchNormalization) for layer in within(self)):
            y = as_steps(build, [self.layer.lower(build, step)[0] for step in each_step(build, x)])
        else:
            inner = None if mask is None or len(mask.shape) == 1 else build.folded(mask)
            rows = build.folded(x)
            with build.rows_times(x.shape[0]):
                y = self.layer.lower(build, rows, inner)[0]
            y = build.unfolded(y, x.shape[0])
        return [y], mask
