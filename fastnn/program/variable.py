"""Where weights live: flat aligned vectors, and variables that are places in them."""
from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from .. import backend
from . import debug
from .arithmetic import Operand

ALIGNMENT = 64      # bytes: a cache line, and the widest vector register


def aligned_zeros(size: int, dtype) -> np.ndarray:
    """Zeros of shape (size,) that start on a cache line; between guard pages with FASTNN_DEBUG=1."""
    dtype = np.dtype(dtype)
    if debug.ENABLED:
        return debug.guarded(size * dtype.itemsize, fill=0).view(dtype)
    raw = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start:start + size * dtype.itemsize].view(dtype)


class Vector:
    """A flat aligned array that outlives a run: weights, layer state, optimizer slots, the step number.

    ``variables`` are the places in it, in order; programs address the array through a slot and never keep a pointer.
    """

    def __init__(self, name: str, size: int, dtype):
        self.name = name
        self.data = aligned_zeros(size, dtype)
        self.shared = False             # a model's: holds the weights of many layers, and they stay
        self.variables: list[Variable] = []

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    def __len__(self) -> int:
        return len(self.data)


class Variable(Operand):
    """A named array that a step may change: a weight of a layer, or one of your own for a loop of your own.

    ``initializer``: the array, or the name, object or function (shape, dtype) that makes it; then ``shape`` is needed.
    ``dtype``: that of the array, ``backend.floatx()`` for floats in lists. ``autocast``, ``aggregation``,
    ``synchronization`` and ``layout`` are accepted for Keras's sake. NumPy computes with it: ``x @ w + 1`` is a new
    array. ``.numpy()`` copies it, ``np.asarray(variable)`` shows it, ``.assign(value)`` writes it.
    Raises ValueError or TypeError for what makes no array of real numbers.
    """

    def __init__(self, initializer, shape=None, dtype=None, trainable=True, autocast=True, aggregation="none",
                 synchronization="auto", name: str | None = None, layout=None):
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"Variable: `name` must be a string without '/', got {name!r:.60}")
        value = _initial(initializer, shape, dtype)
        self._place(value.shape, value.dtype, name or backend.unique_name("variable"), bool(trainable), value)

    @classmethod
    def at(cls, path: str, shape, dtype="float32", trainable=True, value=None):
        """One of zeros, or ``value``, by its whole path, without a look at the argument: for layers and metrics."""
        variable = cls.__new__(cls)
        variable._place(shape, dtype, path, trainable, value)
        return variable

    def _place(self, shape, dtype, path: str, trainable: bool, value) -> None:
        """Settle in a vector of its own: (vector, offset, shape, path, trainable); the array is a view of it."""
        self.shape: tuple[int, ...] = tuple(int(n) for n in shape)
        self.path = path
        self.trainable = trainable
        self.regularizer: Any = None    # adds a penalty to the loss
        self.constraint: Any = None     # changes the weights after every step
        self.state = not trainable      # a moving statistic: never an optimizer's, whatever the layer's `trainable`
        self.vector = Vector(path, self.size, dtype)
        self.vector.variables.append(self)
        self.offset = 0
        if value is not None:
            self.assign(value)

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def dtype(self) -> str:
        return self.vector.dtype.name

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def value(self) -> np.ndarray:
        """The array itself, shape ``shape``: a view, so writing to it changes the weights."""
        return self.vector.data[self.offset:self.offset + self.size].reshape(self.shape)

    def numpy(self) -> np.ndarray:
        """A copy of the array."""
        return self.value.copy()

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value, dtype=dtype, copy=copy)

    def assign(self, value) -> Self:
        """Write ``value`` (an array of exactly this shape); ValueError otherwise, and nothing is written."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"variable {self.path!r} has shape {self.shape}; assign got shape {value.shape}")
        self.value[...] = value
        return self

    def assign_add(self, value) -> Self:
        """Add ``value``, which must broadcast to the variable's shape."""
        self.value[...] += np.asarray(value)
        return self

    def assign_sub(self, value) -> Self:
        """Subtract ``value``, which must broadcast to the variable's shape."""
        self.value[...] -= np.asarray(value)
        return self

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, trainable={self.trainable}>"


def _initial(initializer, shape, dtype) -> np.ndarray:
    """The first value of a variable."""
    if isinstance(initializer, str) or callable(initializer):
        from .. import initializers  # which stand above
        if shape is None:
            raise ValueError("Variable: `shape` must be given where `initializer` is a name or makes an array, got "
                             f"{initializer!r:.60}; for a value of your own give the array itself")
        shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        dtype = dtype or backend.floatx()
        return np.asarray(initializers.get(initializer)(shape, dtype), dtype)
    value = np.asarray(initializer, dtype)
    if value.dtype.kind not in "biuf":
        raise TypeError(f"Variable: `initializer` must be an array of real numbers, or what makes one, got "
                        f"{type(initializer).__name__}: {initializer!r:.60}")
    if dtype is None and value.dtype.kind == "f" and not hasattr(initializer, "dtype"):
        return value.astype(backend.floatx())
    return value


def move_together(name: str, variables: list[Variable], dtype) -> Vector:
    """Move ``variables`` into one new vector, each at the start of a cache line, and return it."""
    itemsize = np.dtype(dtype).itemsize
    step = ALIGNMENT // itemsize
    offsets, size = [], 0
    for variable in variables:
        offsets.append(size)
        size += -(-variable.size // step) * step
    vector = Vector(name, size, dtype)
    for variable, offset in zip(variables, offsets):
        value = variable.numpy()
        variable.vector, variable.offset = vector, offset
        variable.assign(value)
    vector.variables = list(variables)
    vector.shared = True
    return vector


def trainable_ranges(variables: list[Variable]) -> list[tuple[Vector, int, int]]:
    """(vector, start, stop) of the longest runs that hold trainable variables only, for an optimizer that is one
    pass."""
    wanted = {id(v) for v in variables if v.trainable}
    ranges: list[tuple[Vector, int, int]] = []
    for vector in dict.fromkeys(v.vector for v in variables):
        start = None
        for variable in vector.variables:
            if id(variable) in wanted:
                start = variable.offset if start is None else start
                stop = variable.offset + variable.size
            elif start is not None:
                ranges.append((vector, start, stop))
                start = None
        if start is not None:
            ranges.append((vector, start, stop))
    return ranges
