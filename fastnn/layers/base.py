"""What all layers share: settings, weights, symbolic calls, and eager calls through a program of the one layer."""
from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np

from .. import _arrays, backend, initializers, random
from .._describe import Described
from ..program import Lowering, Value, Variable, as_dtype
from ..program.eager import EagerProgram

# Held while layers are built and programs lowered, which happens once: two threads may call a new model at once.
BUILDING = threading.RLock()


class KerasTensor:
    """A symbolic array: the output of ``node`` in a graph of layer calls; ``shape`` has None for the batch axis."""

    def __init__(self, shape, dtype="float32", node: Node | None = None, name: str = ""):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.node = node
        self.name = name

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Node:
    """One call of a layer on symbolic arrays."""

    def __init__(self, layer: Layer, inputs: list[KerasTensor], output: KerasTensor):
        self.layer, self.inputs, self.output = layer, inputs, output
        output.node = self


class Layer(Described):
    """Base of all layers.

    A layer keeps its settings, says the shape of its output (``compute_output_shape``), creates its weights (``build``)
    and lowers itself (``lower``). ``name``: made from the class's where None. ``trainable``: whether ``fit`` changes
    its weights, honoured from the next ``fit`` on. ``dtype``: "float32" or "float64", default ``backend.floatx()``.
    ``input_shape``/``input_dim``: on the first layer of a Sequential, in place of ``Input``.
    """
    unsaved: tuple[str, ...] = ("input_shape", "input_dim")

    def __init__(self, *, name: str | None = None, trainable: bool = True, dtype=None, input_shape=None, input_dim=None,
                 **unknown):
        if unknown:
            raise ValueError(f"{type(self).__name__} got unrecognized keyword arguments: {', '.join(sorted(unknown))}")
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            warnings.warn("`input_shape`/`input_dim` on a layer works; in a Sequential an `Input(shape)` as the first "
                          "object is preferred.", UserWarning, stacklevel=3)
            input_shape = (input_shape,) if hasattr(input_shape, "__index__") else tuple(input_shape)
        self._random_path = random.path_of(name or backend.snake_case(type(self).__name__))
        self.name = name or backend.unique_name(backend.snake_case(type(self).__name__))
        self.dtype = as_dtype(dtype or backend.floatx())
        self.built = False
        self.output_shape: Any = None                   # a tuple once built
        self.input: KerasTensor | None = None           # of the last symbolic call
        self.output: KerasTensor | None = None
        self.input_shape_argument = input_shape
        self._trainable = bool(trainable)
        self._weights: list[Variable] = []
        self._programs: dict[Any, EagerProgram] = {}

    # what a layer implements

    def build(self, input_shape: tuple) -> None:
        """Create the weights for inputs of ``input_shape`` (None for the batch axis)."""

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the output, None for the batch axis."""
        return input_shape

    def lower(self, build: Lowering, x: Value, mask: Value | None = None) -> tuple[Value, Value | None]:
        """Name the operations of the forward and backward pass; returns (output, its mask)."""
        raise NotImplementedError(f"{type(self).__name__} has no lower()")

    # weights

    def add_weight(self, name: str, shape, initializer="glorot_uniform", trainable: bool = True) -> Variable:
        """A new weight, filled by ``initializer``: a function of the seed and of its path.

        The path counts layers of one name since the seed was set, so a net made twice after the same
        ``set_random_seed`` has the same weights, whatever the automatic names are by then.
        """
        path = f"{self.name}/{name}"
        rng = random.generator(random.get_seed(), f"{self._random_path}/{name}")
        value = initializers.get(initializer)(tuple(shape), self.dtype, rng=rng)
        variable = Variable(shape, self.dtype, path, trainable, value)
        self._weights.append(variable)
        self._apply_trainable()
        return variable

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the order of ``get_weights``."""
        return list(self._weights)

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return [w for w in self.weights if w.trainable]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [w for w in self.weights if not w.trainable]

    @property
    def trainable(self) -> bool:
        """Whether ``fit`` changes the weights; set it before the next ``fit``."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._apply_trainable()

    def _apply_trainable(self) -> None:
        for weight in self._weights:
            weight.trainable = self._trainable and not weight.state

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights) -> None:
        """Write all weights; ValueError, with nothing written, when the number or a shape differs."""
        own = self.weights
        arrays = [_arrays.plain(w, f"weights[{i}]") for i, w in enumerate(weights)]
        if len(arrays) != len(own):
            raise ValueError(f"set_weights of layer {self.name!r}: expected {len(own)} arrays, got {len(arrays)}")
        for variable, array in zip(own, arrays):
            if array.shape != variable.shape:
                raise ValueError(f"set_weights of layer {self.name!r}: weight {variable.path!r} has shape "
                                 f"{variable.shape}, got an array of shape {array.shape}")
        for variable, array in zip(own, arrays):
            variable.assign(array)

    def count_params(self) -> int:
        """The number of weights; ValueError before the layer is built."""
        if not self.built:
            raise ValueError(f"layer {self.name!r} has no weights yet: call it, or build it with an input shape first")
        return sum(w.size for w in self.weights)

    # calls

    def ensure_built(self, input_shape: tuple) -> None:
        """Build once, and remember the output shape."""
        if not self.built:
            self.build(tuple(input_shape))
            self.built = True
        self.output_shape = self.compute_output_shape(tuple(input_shape))

    def __call__(self, x, training: bool = False):
        """The layer's output: symbolic for a symbolic x, else computed at once from an array of shape (batch, ...)."""
        if type(x) is np.ndarray:
            program = self._programs.get((x.shape[1:], training and self._training_signature()))
            if program is not None and program.takes(x):
                return program(x)
        elif isinstance(x, KerasTensor):
            return self._symbolic(x)
        return self._call_array(x, training)

    def _symbolic(self, x: KerasTensor) -> KerasTensor:
        self.ensure_built(x.shape)
        self.input, self.output = x, KerasTensor(self.compute_output_shape(x.shape), self.dtype, name=self.name)
        Node(self, [x], self.output)
        return self.output

    def _call_array(self, x, training: bool):
        """The slow path: check the array, build, lower."""
        x = _arrays.as_rows(x, "x")
        with BUILDING:
            self.ensure_built((None, *x.shape[1:]))
            key = (x.shape[1:], bool(training) and self._training_signature())
            program = self._programs.get(key)
            if program is None:
                seed = random.get_seed()
                program = EagerProgram(self.name, self.lower, x.shape[1:], self.dtype, bool(training), seed)
                self._programs[key] = program
        return program(x)

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
