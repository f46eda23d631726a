"""What all layers share: settings, weights, symbolic calls, and eager calls through a program of the one layer."""
from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .. import _arrays, _overrides, _spelling, _winograd, backend, random, regularizers
from .._describe import parameters
from .._warn import warn
from ..program import Ids, Lowering, Recent, Value, Variable, as_dtype, check_elements
from ..program.eager import EagerProgram
from .masks import given_mask
from .python import lower_python, row_shape
from .symbolic import KerasTensor as KerasTensor
from .symbolic import Node
from .weights import Weighted

# Held while layers are built and programs lowered, which happens once: two threads may call a new model at once.
BUILDING = threading.RLock()


class Layer(Weighted):
    """Base of all layers.

    A layer keeps its settings, says the shape of its output (``compute_output_shape``), creates its weights (``build``)
    and lowers itself (``lower``). In place of ``lower`` a layer of your own may have ``call(self, x)`` in NumPy and, to
    be trained, ``call_gradient(self, dy, x, y)``, which returns (dx, *gradients of the trainable weights).
    ``name``: made from the class's where None. ``trainable``: whether ``fit`` changes its weights, honoured from the
    next ``fit`` on. ``dtype``: "float32" or "float64", default ``backend.floatx()``.
    ``activity_regularizer``: a penalty on the output, divided by the rows of the batch, that is added to the loss.
    ``input_shape``/``input_dim``: on the first layer of a Sequential, in place of ``Input``.
    """
    unsaved: tuple[str, ...] = ("input_shape", "input_dim")
    _fed_by: Layer | None = None             # the layer whose output the last symbolic call took, for advice

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        _overrides.refuse(cls, {"__call__"}, "write call(self, x), and call_gradient(self, dy, x, y) to train it")
        _overrides.refuse(cls, {"compute_mask"}, "masks go on as they came; layers.Masking makes one")
        _overrides.written_first(cls, Layer, {"call"}, {"lower"})

    def __init__(self, *, activity_regularizer=None, trainable: bool = True, dtype=None, name: str | None = None,
                 input_shape=None, input_dim=None, **unknown):
        batch_input_shape = unknown.pop("batch_input_shape", None)          # of Keras 2
        if unknown:
            names = parameters(type(self))      # type: ignore[arg-type]
            old = {"batch_shape": f"begin the model with Input(batch_shape={unknown.get('batch_shape')!s:.60})",
                   "time_major": "it is of Keras 2, Keras 3 has it no more: let x be (batch, steps, features)"}
            raise ValueError(_spelling.unknown_among(type(self).__name__, unknown, names, old))
        self.batch_size_argument = None
        if batch_input_shape is not None:
            if not isinstance(batch_input_shape, (tuple, list)) or not batch_input_shape:
                raise ValueError(f"{type(self).__name__}: `batch_input_shape` must be (rows, ...), got "
                                 f"{batch_input_shape!r:.60}")
            self.batch_size_argument, *input_shape = batch_input_shape
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            warn("`input_shape`/`input_dim` on a layer works; in a Sequential an `Input(shape)` as the first "
                 "object is preferred.")
            input_shape = (input_shape,) if hasattr(input_shape, "__index__") else tuple(input_shape)
        name = _arrays.optional_name(type(self).__name__, name)
        self._random_path = random.path_of(name or backend.snake_case(type(self).__name__))
        self.name = name or backend.unique_name(backend.snake_case(type(self).__name__))
        self.dtype = as_dtype(dtype or backend.floatx(), type(self).__name__)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.output_shape: Any = None                   # a tuple once built
        self.input: KerasTensor | None = None           # of the last symbolic call
        self.output: Any = None                         # a list where there are several
        self.input_shape_argument = input_shape
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []
        self._programs: Recent[Any, EagerProgram] = Recent()

    # what a layer implements

    def build(self, input_shape: tuple) -> None:
        """Create the weights for inputs of ``input_shape`` (None for the batch axis)."""

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the output, None for the batch axis and axes of any size; that of ``call`` is found by trying
        it."""
        if hasattr(self, "call"):
            return (input_shape[0], *row_shape(self, self.call, tuple(input_shape[1:])))
        return input_shape

    def lower(self, build: Lowering, x: Value, mask: Value | None = None) -> tuple[Value, Value | None]:
        """Name the operations of the forward and backward pass; returns (output, its mask)."""
        if not hasattr(self, "call"):
            raise NotImplementedError(f"{type(self).__name__} has neither lower(build, x, mask) nor call(x)")
        gradient = getattr(self, "call_gradient", None)
        advice = "write call_gradient(self, dy, x, y), which returns (dx, *gradients of the weights)"
        return lower_python(self, build, x, mask, self.call, gradient, advice), mask

    def reads_ids(self) -> Ids | None:
        """The whole numbers that the input must hold, which then comes as int32; None: any numbers, as the dtype."""
        return None

    # calls

    def ensure_built(self, input_shape: tuple) -> None:
        """Build once, and remember the output shape."""
        if not self.built:
            self.build(tuple(input_shape))
            self.built = True
        output_shape = self.compute_output_shape(tuple(input_shape))
        if self.output is None:                 # else it is that of the graph, which may have axes of any size
            self.output_shape = output_shape
        for shape in each_shape(output_shape):
            check_elements(f"layer {self.name!r}: an output", shape)

    def __call__(self, x, training: bool = False, mask=None):
        """The layer's output: symbolic for a symbolic x, else computed at once from an array of shape (batch, ...).

        ``mask``: an array (batch, steps), 0 at the steps that layers which heed masks leave out; by default that of x.
        """
        if mask is not None:
            if isinstance(x, KerasTensor):
                raise ValueError(f"layer {self.name!r}: `mask` must be None in a call on a symbolic array; give it in "
                                 "a call on arrays, or put Masking before the layer")
            x = _arrays.as_rows(x, "x")
            return self._call_array(x, training, given_mask(self.name, mask, x.shape))
        if type(x) is np.ndarray:
            program = self._programs.get((x.shape[1:], training and self._training_signature(), _winograd.enabled))
            if program is not None and program.takes(x):
                return program(x)
        elif isinstance(x, KerasTensor):
            return self._symbolic(x)
        return self._call_array(x, training, getattr(x, "_keras_mask", None))

    def _symbolic(self, x: KerasTensor) -> Any:
        self._fed_by = None if x.node is None else x.node.layer
        self.ensure_built(x.shape)
        self.output_shape = self.compute_output_shape(x.shape)
        outputs = [KerasTensor(shape, self.dtype, name=self.name) for shape in each_shape(self.output_shape)]
        self.input, self.output = x, outputs[0] if each_shape(self.output_shape)[0] is self.output_shape else outputs
        Node(self, [x], outputs)
        return self.output

    def missing_axis(self, behind_input: str) -> str:
        """What to do about an input with an axis too few; ``behind_input``: where no layer stands before."""
        if self._fed_by is None:
            return behind_input
        if getattr(self._fed_by, "return_sequences", True):
            return ""
        return (f"; the layer before, {self._fed_by.name!r}, gives its last step only: make it with "
                "return_sequences=True")

    def _call_array(self, x, training: bool, mask=None):
        """The slow path: check the array, build, lower."""
        x, masks = _arrays.as_rows(x, "x"), [] if mask is None else [_arrays.as_rows(mask, "mask")]
        with BUILDING:
            self.ensure_built((None, *x.shape[1:]))
            winograd = _winograd.enabled
            mask_shapes = [m.shape[1:] for m in masks]
            key = (x.shape[1:], bool(training) and self._training_signature(), winograd, *mask_shapes)
            program = self._programs.get(key)
            if program is None:
                seed = random.get_seed()
                program = EagerProgram(self.name, self.lower, x.shape[1:], self.reads_ids(), self.dtype,
                                       bool(training), seed, winograd, *mask_shapes)
                self._programs.keep(key, program)
        return program(x, *masks)

    def _training_signature(self) -> tuple:
        """What a program of training depends on beside shapes."""
        return (self._trainable,)

    def forget_weights(self) -> None:
        """Back to before ``build``."""
        self.built, self._weights = False, []
        self.forget_programs()

    def forget_programs(self) -> None:
        """Drop what was lowered from this layer: its weights moved, or its settings changed."""
        self._programs.clear()
        for layer in self._layers_inside():
            layer.forget_programs()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def each_shape(shape) -> list[tuple]:
    """The shapes of all outputs of a layer: a shape, or several in a tuple or list."""
    return list(shape) if shape and isinstance(shape[0], (tuple, list)) else [shape]
