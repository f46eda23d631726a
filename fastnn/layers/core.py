"""Identity, ActivityRegularization, Masking, and Lambda: a Python function as a layer."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .. import _arrays
from ..program import Lowering, Value
from ..regularizers import L1L2
from .base import Layer
from .python import lower_python, row_shape, write


class Identity(Layer):
    """The input itself."""

    def lower(self, build: Lowering, x: Value, mask=None):
        return x, mask


class ActivityRegularization(Layer):
    """The input itself; l1 · sum|x| + l2 · sum(x²), divided by the rows of the batch, is added to the loss."""
    unsaved = (*Layer.unsaved, "activity_regularizer")

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = float(l1), float(l2)

    def lower(self, build: Lowering, x: Value, mask=None):
        return x, mask


class Masking(Layer):
    """Marks the steps whose features all equal ``mask_value``, and sets them to 0: layers that follow leave them out.

    Input (batch, ..., features); the mask has one entry a step, (batch, ...).
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        if isinstance(mask_value, bool) or not isinstance(mask_value, (int, float, np.integer, np.floating)):
            raise ValueError(f"Masking: `mask_value` must be a number, got {mask_value!r:.60}")
        self.mask_value = float(mask_value)

    def compute_mask(self, inputs, mask=None):
        """Which steps stay, bool (batch, ...)."""
        return (_arrays.as_rows(inputs, "inputs") != self.mask_value).any(-1)

    def compute_output_shape(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(f"layer {self.name!r}: expected an input of rank 2 or more, got shape {input_shape}")
        return input_shape

    def lower(self, build: Lowering, x: Value, mask=None):
        y = build.result(x, shape=x.shape, name="masked")
        kept = build.value(x.shape[:-1], "uint8", name="mask")
        sizes = [x.rows(), x.shape[-1]]
        build.emit("masking_forward", [x], [y, kept], sizes, [self.mask_value])
        return build.backward_by(x, y, "masking_backward", [kept], sizes), kept


class Lambda(Layer):
    """A Python function as a layer: y = function(x, **arguments), on NumPy arrays (batch, ...), one call a batch.

    ``output_shape``: of y, without the batch axis, or a function of the input's shape; where None, the function is
    tried on one row of zeros. Arguments of the function named ``training`` and ``mask`` receive those. ``mask``: a
    function (x, mask) -> mask, or None: the mask ends here.
    ``gradient``: a function (dy, x, y) -> dx, without which nothing before the layer can be trained: NumPy code cannot
    be differentiated. A function of ``fastnn.activations`` needs none. The layer cannot be saved.
    """

    def __init__(self, function, output_shape=None, mask=None, arguments=None, gradient: Callable | None = None,
                 **kwargs):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: `function` must be a function of an array, got {type(function).__name__}: "
                            f"{function!r:.60}")
        self.function, self.mask, self.gradient = function, mask, gradient
        self.output_shape_argument = output_shape
        self.arguments = dict(arguments or {})
        self._shapes: dict[tuple, tuple] = {}

    def compute_output_shape(self, input_shape):
        given = self.output_shape_argument
        if callable(given):
            return tuple(given(tuple(input_shape)))
        if given is not None and (None in input_shape[1:] or hasattr(given, "__index__") or None not in given):
            return (input_shape[0], *((given,) if hasattr(given, "__index__") else given))
        row = tuple(input_shape[1:])
        if row not in self._shapes:
            self._shapes[row] = row_shape(self, self._bound(), row)
        return (input_shape[0], *self._shapes[row])

    def _bound(self) -> Callable:
        return partial(self.function, **self.arguments) if self.arguments else self.function

    def lower(self, build: Lowering, x: Value, mask=None):
        if hasattr(self.function, "lower") and not self.arguments:
            return self.function.lower(build, x), mask
        y = lower_python(self, build, x, mask, self._bound(), self.gradient,
                         "give Lambda `gradient`, a function (dy, x, y) -> dx")
        return y, self._lower_mask(build, x, mask)

    def _lower_mask(self, build: Lowering, x: Value, mask: Value | None) -> Value | None:
        if not callable(self.mask):
            return None
        result = build.value(x.shape[:-1], "uint8", name="mask")
        build.python(lambda x, *rest: write(self, rest[-1], self.mask(x, rest[0] if len(rest) > 1 else None), "mask"),
                     [x, mask], [result])
        return result

    def get_config(self):
        """ValueError: code is no setting."""
        raise ValueError(f"layer {self.name!r}: a Lambda layer cannot be saved or copied, as a Python function is "
                         "code, not settings; write a Layer of your own with get_config, and load it with "
                         "`custom_objects`")
