"""Embedding: each whole number becomes a row of a table that is trained."""
from __future__ import annotations

from .. import _arrays, constraints, initializers, regularizers
from .._warn import warn
from ..program import Ids, Lowering, Value
from .base import Layer

MOST_IDS = 2 ** 31 - 1           # ids are int32


class Embedding(Layer):
    """A row of a table for each id: y = embeddings[x], x (batch, ...) of whole numbers, y (batch, ..., output_dim).

    ``input_dim``: the number of rows; ids are 0 to ``input_dim`` - 1. ``output_dim``: numbers in a row.
    ``mask_zero``: whether 0 is no id but padding: the layers that follow leave it out. ``weights``: the table to begin
    with, (input_dim, output_dim). Ids may be of any dtype that holds them; any other number is a ValueError that says
    where it is. ``input_length`` is accepted and ignored, as in Keras 3.
    Weights: embeddings (input_dim, output_dim). A step clears and adds only the rows of the gradient that it uses.
    Optimizers see the sum of the gradients of an id that a batch repeats, unlike Keras's on TensorFlow.
    Raises ValueError when ``input_dim`` or ``output_dim`` is no positive int.

    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2, 2], [9, 0, 0]])).shape
    (2, 3, 4)
    """
    unsaved = ("input_shape", "weights", "input_length")

    def __init__(self, input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
                 embeddings_constraint=None, mask_zero=False, weights=None, input_length=None, **kwargs):
        super().__init__(**kwargs)
        self.input_dim, self.output_dim = _count("input_dim", input_dim), _count("output_dim", output_dim)
        if self.input_dim > MOST_IDS:
            raise ValueError(f"Embedding: `input_dim` must be at most {MOST_IDS}, got {input_dim}")
        if input_length is not None:
            warn("Embedding: `input_length` is ignored, as in Keras 3; the shape of the input says it")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape=None):
        if not self.built:
            self.embeddings = self.add_weight("embeddings", (self.input_dim, self.output_dim),
                                              self.embeddings_initializer, regularizer=self.embeddings_regularizer,
                                              constraint=self.embeddings_constraint)
            self.built = True

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs, mask=None):
        """With ``mask_zero`` where ids are not 0, bool of their shape; else None."""
        return _arrays.as_rows(inputs, "inputs") != 0 if self.mask_zero else None

    def reads_ids(self):
        return Ids(self.input_dim, self.name)

    def lower(self, build: Lowering, x: Value, mask=None):
        ids = x if x.dtype == "int32" else self._as_ids(build, x)
        kept = build.value(x.shape, "uint8", name="mask") if self.mask_zero else None
        return rows_of(build, build.parameter(self.embeddings), ids, kept), kept

    def _as_ids(self, build: Lowering, x: Value) -> Value:
        """What another layer has computed, as ids, each checked in the run."""
        ids = build.value(x.shape, "int32", name="ids")
        build.emit("embedding_ids", [x], [ids], [ids.elements(), self.input_dim])
        return ids


def rows_of(build: Lowering, table: Value, ids: Value, mask: Value | None) -> Value:
    """y = table[ids]; ``mask`` is where to write which ids are not 0."""
    y = build.result(table, shape=(*ids.shape, table.shape[1]), name="rows of a table")
    sizes = [ids.elements(), table.shape[1]]
    build.emit("embedding_forward", [ids, table], [y, mask], sizes)

    def clear(place: Value) -> None:
        build.emit("embedding_clear", [ids], [place], sizes, phase="commit")

    def backward(dy: Value) -> None:
        build.emit("embedding_backward", [ids, dy], [build.gradient_of_rows(table, clear)], sizes)

    if table.needs_gradient:
        build.backward([y], backward)
    return y


def _count(argument: str, value) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() <= 0:
        raise ValueError(f"Embedding: `{argument}` must be a positive int, got {value!r:.60}")
    return value.__index__()
