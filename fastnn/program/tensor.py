"""What eager calls return: arrays and numbers that also have ``.numpy()``."""
from __future__ import annotations

import numpy as np


class Tensor(np.ndarray):
    """What eager calls return: an ndarray that also has ``.numpy()``, for code written for TensorFlow.

    ``_keras_mask``, as Keras names it: which steps count, bool (rows, steps), where the layer makes or passes on a
    mask; the next layer reads it. What NumPy makes of the array has none.
    """
    _keras_mask: np.ndarray | None = None

    def numpy(self) -> np.ndarray:
        """The same numbers as a plain ndarray."""
        return np.asarray(self)


class Scalar(float):
    """A number that also has ``.numpy()``, for code written for TensorFlow."""

    def numpy(self) -> np.float32:
        """The same number as NumPy's float32."""
        return np.float32(self)
