"""Lowering: layers, losses, metrics and optimizers name the operations of a program here.

The forward pass is written in order. Whoever has a gradient also records a function for the tape; ``differentiate``
calls these in reverse and adds gradients that meet. What outlives a batch is written by operations of the phase
"commit", what is derived from weights once a call by those of the phase "head".
"""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from .. import _winograd
from .ir import Counter, FrameVector, Ids, Operation, PerRow, Value, means
from .variable import Variable, Vector, trainable_ranges

TRANSPOSE_A, TRANSPOSE_B, SCALE_FIRST, BY_ROWS = 1, 2, 8, 16
FORWARD_SHIFT, GRADIENT_SHIFT = 8, 16        # where a matmul's flags hold its epilogue's activations
MOST_ELEMENTS = 1 << 40                      # of an array, or a row of it
INTEGERS_IGNORED, INTEGERS_IDS = 1, 2        # flags of gather_integer and check_labels
ACTIVATION_IDS = {"relu": 1, "sigmoid": 2, "tanh": 3}


class Lowering:
    """Collects the operations of one program.

    ``training``: whether layers behave as in training and gradients are wanted. ``dtype``: the model's, "float32" or
    "float64". ``winograd``: whether Winograd's algorithm may be used, None for what its switch says now; who keeps the
    program under a key reads the switch once, for both.
    """

    def __init__(self, training: bool, dtype: str, winograd: bool | None = None):
        self.training = training
        self.dtype = dtype
        self.winograd = _winograd.enabled if winograd is None else winograd
        self.layer = ""                                   # whose operations are being named, for texts
        self.operations: list[Operation] = []
        self.arrays: list[str] = []                       # the caller's arrays of a run, by role
        self.counters: list[Counter] = []
        self.python_state = False                         # whether a metric of the user's keeps state of its own
        self.stateful: tuple[str, int] | None = None      # (layer, the rows of a batch that it has states for)
        self.counter_vector = FrameVector("counters", 0, "float64")
        self.gradient_vectors: dict[Vector, FrameVector] = {}
        self.parameters: dict[int, Value] = {}
        self.twins: dict[Value, Value] = {}               # values with channels first: the same with channels last
        self._tape: list[tuple[str, Sequence[Value], Callable]] = []
        self._gradients: dict[Value, Value] = {}
        self._used_rows: dict[Value, list[Callable] | None] = {}
        self._regularized: list[tuple[str, Value, Any]] = []
        self._n_random = 0
        self._fold = 1                                    # rows of operations for one of the batch

    # values

    def value(self, shape, dtype=None, batched=True, name="", needs_gradient=False) -> Value:
        """A buffer of the arena."""
        check_elements(f"layer {self.layer!r}: an array", shape)
        return Value(shape, dtype or self.dtype, batched, name, needs_gradient=needs_gradient,
                     fold=self._fold if batched else 1)

    def result(self, *sources: Value | None, shape, name="") -> Value:
        """A buffer for what is computed from ``sources``: it needs a gradient if one of them does."""
        return self.value(shape, name=name, needs_gradient=any(s is not None and s.needs_gradient for s in sources))

    def view(self, x: Value, shape) -> Value:
        """The memory of ``x`` with another shape of the same size."""
        if math.prod(shape) != x.size:
            raise ValueError(f"cannot view shape {x.shape} as {tuple(shape)}")
        y = Value(shape, x.dtype, x.batched, x.name, x.home, x.offset, x.root, x.needs_gradient, fold=x.fold)
        if y.needs_gradient:
            self.backward([y], lambda dy: self.add_gradient(x, self.view(dy, x.shape)))
        return y

    @contextmanager
    def rows_times(self, steps: int) -> Iterator[None]:
        """Within it ``steps`` rows of values and operations stand for each of those around it: steps of a sequence that
        are treated alike. ``folded`` leads there, ``unfolded`` back; both are called outside."""
        self._fold *= steps
        try:
            yield
        finally:
            self._fold //= steps

    def folded(self, x: Value) -> Value:
        """``x`` (steps, ...) with each step as a row (...)."""
        return self._refolded(x, x.shape[1:], x.fold * x.shape[0])

    def unfolded(self, y: Value, steps: int) -> Value:
        """Rows (...) as steps again: (steps, ...)."""
        return self._refolded(y, (steps, *y.shape), y.fold // steps)

    def _refolded(self, x: Value, shape: tuple, fold: int) -> Value:
        y = Value(shape, x.dtype, x.batched, x.name, x.home, x.offset, x.root, x.needs_gradient, fold=fold)

        def backward(dy: Value) -> None:
            with self.rows_times(max(1, x.fold // self._fold)):
                self.add_gradient(x, Value(x.shape, dy.dtype, dy.batched, dy.name, dy.home, dy.offset, dy.root,
                                           fold=x.fold))

        if y.needs_gradient:
            self.backward([y], backward)
        return y

    def detached(self, x: Value) -> Value:
        """``x`` for a reader that gives it no gradient."""
        return Value(x.shape, x.dtype, x.batched, x.name, x.home, x.offset, x.root, fold=x.fold)

    def parameter(self, variable: Variable) -> Value:
        """The weights of ``variable`` as they lie; a gradient is wanted in training if it is trainable."""
        if variable.dtype != self.dtype:
            raise TypeError(f"variable {variable.path!r} is {variable.dtype}, in a program of {self.dtype}: all layers "
                            "of a model have its dtype")
        key = id(variable)
        if key not in self.parameters:
            self.parameters[key] = Value(
                variable.shape, variable.vector.dtype, False, variable.path, variable.vector, variable.offset,
                needs_gradient=self.training and variable.trainable, variable=variable)
            if variable.trainable:
                self.regularize(self.parameters[key], variable.regularizer)
        return self.parameters[key]

    def stored(self, vector: Vector, start: int = 0, stop: int | None = None) -> Value:
        """Part of a vector, for operations that read or write what outlives a run."""
        stop = len(vector) if stop is None else stop
        return Value((stop - start,), vector.dtype, False, vector.name, vector, start)

    def gradients_of(self, vector: Vector) -> FrameVector:
        """The gradients of a vector of weights: laid out alike, so that an optimizer is one pass over both."""
        if vector not in self.gradient_vectors:
            self.gradient_vectors[vector] = FrameVector(f"d {vector.name}", len(vector), vector.dtype)
        return self.gradient_vectors[vector]

    # operations

    def emit(self, kernel, inputs, outputs, sizes=(), scalars=(), flags=0, phase="body") -> Operation:
        """Name one operation: operands are ``inputs`` then ``outputs``, in the order of the kernel."""
        if self._fold > 1:
            sizes = [PerRow(n * self._fold) if isinstance(n, PerRow) else n for n in sizes]
        operation = Operation(kernel, self.dtype, inputs, outputs, sizes, scalars, flags, self.layer, phase)
        self.operations.append(operation)
        return operation

    def python(self, function: Callable, inputs, outputs, phase="body") -> Operation:
        """An operation that calls ``function(*arrays)`` with the GIL; the arrays are views, valid during the call."""
        return self.emit(function, inputs, outputs, phase=phase)

    def array(self, role: str) -> int:
        """The index of one more of the caller's arrays."""
        self.arrays.append(role)
        return len(self.arrays) - 1

    def gather(self, shape, role: str, classes: int | None = None, ignored: int | None = None) -> Value:
        """The batch's rows of a caller's array, converted: to int32 and checked against ``classes`` where given, which
        one ``ignored`` label need not be."""
        index = self.array(role)
        if classes is None:
            x = self.value(shape, name=role)
            self.emit("gather", [], [x], [PerRow(1), math.prod(shape), index])
        else:
            x = self.value(shape, "int32", name=role)
            self.emit("gather_integer", [], [x], [PerRow(1), math.prod(shape), index, classes], [ignored or 0],
                      INTEGERS_IGNORED if ignored is not None else 0)
        return x

    def gather_x(self, shape, ids: Ids | None) -> Value:
        """The batch's rows of a model's or layer's input; as int32, checked, where it reads ``ids``."""
        if ids is None:
            return self.gather(shape, "x")
        x, outer = self.value(shape, "int32", name="x"), self.layer
        self.layer = ids.layer
        self.emit("gather_integer", [], [x], [PerRow(1), math.prod(shape), self.array("x"), ids.rows],
                  flags=INTEGERS_IDS)
        self.layer = outer
        return x

    def scatter(self, x: Value, role: str) -> None:
        """Write the batch's rows of ``x`` to a caller's array."""
        self.emit("scatter", [x], [], [PerRow(1), x.size, self.array(role)])

    @staticmethod
    def scratch() -> Value:
        """Memory that an operation uses while it runs, its first output: sized by the plan, which knows the rows."""
        return Value((0,), "uint8", False, "scratch")

    def matmul(self, a: Value, b: Value, c: Value, m, k, n, start: Value | None = None, flags=0) -> Operation:
        """c = start + a @ b, where ``m``, ``k``, ``n`` may be per row; flags say which operand is stored transposed."""
        lda = m if flags & TRANSPOSE_A else k
        ldb = k if flags & TRANSPOSE_B else n
        return self.emit("matmul", [a, b, start, None, None, None], [self.scratch(), c], [m, k, n, lda, ldb, n],
                         flags=flags)

    def random_id(self) -> int:
        """A number for one more random operation: part of the key of its random numbers."""
        self._n_random += 1
        return self._n_random

    def counter(self, name: str, size: int = 2, results: Callable = means) -> Value:
        """``size`` float64 places of the frame, zero at the start of an epoch; ``results`` makes numbers (or arrays)
        of the counters of epochs in Python."""
        start = self.counter_vector.size
        self.counters.append(Counter(name, start, start + size, results))
        self.counter_vector.size += size
        return Value((size,), "float64", False, name, self.counter_vector, start)

    def count(self, counter: Value, per_row: Value, weights: Value | None = None) -> None:
        """Add to a counter, at the end of the batch, the sum of the rows' means of ``per_row`` and the number of rows;
        with the ``weights`` that are in ``per_row`` already, of rows or of its elements, the sum of the weights' means.
        So a row counts as much as another, whatever its length."""
        total, n = self._sum(per_row, counter.name), per_row.elements()
        weight = None if weights is None else self._sum(weights, f"weights of {counter.name}")
        repeat = per_row.size // (1 if weights is None else weights.size)
        self.emit("add_counter", [total, weight], [counter], [n, repeat, max(1, per_row.size)], phase="commit")

    def _sum(self, x: Value, name: str) -> Value:
        total = self.value((1,), "float64", batched=False, name=f"sum of {name}")
        self.emit("sum", [x], [total], [x.elements()])
        return total

    def regularize(self, x: Value, regularizer) -> None:
        """Remember a penalty on ``x`` (None: there is none), for a program that has a loss."""
        if regularizer is not None:
            if self._fold > 1 and x.variable is None:        # a penalty is divided by the rows of the batch
                x = self._refolded(x, (self._fold, *x.shape), 1)
            self._regularized.append((self.layer, x, regularizer))

    def penalty(self) -> Value | None:
        """Name the operations of all penalties; returns their sum, float64 (1,), or None where there is none.

        The gradients of penalties come to those that are there: to an output's before it is passed on, to a weight's at
        the end.
        """
        total = None
        for layer, x, regularizer in self._regularized:
            self.layer = layer
            before, total = total, self.value((1,), "float64", batched=False, name="penalty")
            regularizer.lower(self, x, before, total)
            if self.training and x.needs_gradient:
                entry = layer, (), partial(regularizer.lower_gradient, self, x)
                self._tape.insert(len(self._tape) if x.variable is None else 0, entry)
        return total

    def maker(self, x: Value) -> Operation | None:
        """The operation that computes ``x``, if nothing else reads it yet: the planner may then fuse over it."""
        if any(x.root is v.root for o in self.operations for v in o.inputs if v is not None):
            return None
        for operation in reversed(self.operations):
            if any(v is x for v in operation.outputs):
                return operation
        return None

    # gradients

    def backward(self, outputs: Sequence[Value], function: Callable) -> None:
        """Record ``function(*gradients of outputs)`` for the backward pass; it gives gradients by ``add_gradient``."""
        if self.training:
            self._tape.append((self.layer, outputs, self._as_folded(function)))

    def backward_by(self, x: Value, y: Value, kernel: str, others: Sequence[Value | None], sizes, scalars=()) -> Value:
        """``y``, of which the gradient dy goes to ``x`` by one operation, whose inputs are dy and ``others``."""
        def backward(dy: Value) -> None:
            dx = self.gradient_place(x)
            self.emit(kernel, [dy, *others], [dx], sizes, scalars)
            self.add_gradient(x, dx)

        if x.needs_gradient:
            self.backward([y], backward)
        return y

    def _as_folded(self, function: Callable) -> Callable:
        """A function for the backward pass that names its operations on as many rows as are treated now."""
        fold = self._fold
        if fold == 1:
            return function

        def folded(*gradients: Value | None) -> None:
            with self.rows_times(fold):
                function(*gradients)
        return folded

    def gradient_place(self, x: Value) -> Value:
        """Where to write a gradient of ``x``: for weights their place among the gradients, else a new buffer."""
        if x.variable is not None and x not in self._gradients:
            vector = x.variable.vector
            return Value(x.shape, x.dtype, False, f"d {x.name}", self.gradients_of(vector), x.variable.offset)
        return self.value(x.shape, x.dtype, x.batched, f"d {x.name}")

    def add_gradient(self, x: Value, dx: Value) -> None:
        """``dx``, now written, is one of the gradients of ``x``; those that meet are added."""
        earlier = self._gradients.get(x)
        if earlier is None:
            self._gradients[x] = dx
            return
        total = earlier if x.variable is not None else self.value(x.shape, x.dtype, x.batched, f"d {x.name}")
        self.emit("add", [earlier, dx], [total], [x.elements()])
        self._gradients[x] = total
        self._written_whole(x)

    def revised_gradient(self, x: Value) -> tuple[Value | None, Value]:
        """(the gradient of ``x`` so far, where to write its successor): for an operation that adds its own to it."""
        earlier = self._gradients.get(x)
        self._gradients[x] = earlier if earlier is not None and x.variable is not None else self.gradient_place(x)
        self._written_whole(x)
        return earlier, self._gradients[x]

    def gradient_of_rows(self, x: Value, clear: Callable) -> Value:
        """Where to add to some rows of the gradient of weights ``x``, for a table of which a batch uses few rows: what
        it does not use is zero. ``clear(place)`` names the operation that makes the same rows zero again."""
        if x not in self._gradients:
            self._gradients[x], self._used_rows[x] = self.gradient_place(x), []
        clears = self._used_rows.get(x)
        if clears is not None:
            clears.append(self._as_folded(clear))
        return self._gradients[x]

    def _written_whole(self, x: Value) -> None:
        """More than the used rows of this gradient is written."""
        if x in self._used_rows:
            self._used_rows[x] = None

    def gradients_written_whole(self) -> None:
        """As above, of all gradients: by an operation of the step."""
        self._used_rows = dict.fromkeys(self._used_rows)

    def clear_gradients(self) -> None:
        """After the step: name the operations that make zero again what has to be in the next."""
        for x, clears in self._used_rows.items():
            place = self._gradients[x]
            if clears is None:
                self.emit("fill", [], [place], [x.size], [0.0], phase="commit")
            for clear in clears or ():
                clear(place)

    def differentiate(self) -> None:
        """Name the operations of the backward pass."""
        for layer, outputs, function in reversed(self._tape):
            gradients = [self._gradients.get(y) for y in outputs]
            if not outputs or any(g is not None for g in gradients):
                self.layer = layer
                function(*gradients)
        self._tape.clear()

    def gradient_ranges(self) -> list[tuple[Vector, int, int]]:
        """(vector, start, stop) of all weights that have a gradient now."""
        return trainable_ranges([v.variable for v in self._gradients if v.variable is not None])

    def gradient_range(self, vector: Vector, start: int, stop: int) -> Value:
        """The gradients of weights start..stop of a vector."""
        home = self.gradients_of(vector)
        return Value((stop - start,), vector.dtype, False, home.name, home, start)


class TooLarge(ValueError, MemoryError):
    """A shape that no memory has room for."""


def check_elements(what: str, shape) -> None:
    """Raise TooLarge for a shape, without its batch axis, of more elements than any memory has."""
    if math.prod(n for n in shape if n is not None) > MOST_ELEMENTS:
        raise TooLarge(f"{what} of shape {tuple(shape)} would have more than 2**40 elements; use smaller inputs or "
                       "settings")


def as_dtype(value, where: str) -> str:
    """The name of a dtype, "float32" or "float64"; ValueError for others, that names the class ``where``."""
    try:
        name = np.dtype(value).name
    except TypeError:                      # a word that NumPy does not know, such as Keras's "mixed_float16"
        name = value
    if name not in ("float32", "float64"):
        raise ValueError(f"{where}: `dtype` must be 'float32' or 'float64', got {name!r:.60}")
    return name
