"""The weights of a layer: how they are made, listed, read and written."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _arrays, constraints, initializers, random, regularizers
from .._describe import Described
from ..program import Variable, check_elements
from ..saving.given import given


class Weighted(Described):
    """What a layer is as an owner of weights."""
    name: str
    dtype: str
    built: bool
    scope = ""                              # before the name in the paths of weights: of the layers that hold this one
    _random_path: str
    _trainable: bool
    _weights: list[Variable]

    def add_weight(self, *arguments, name: str | None = None, shape=(), initializer: Any = None, dtype=None,
                   trainable: bool = True, regularizer=None, constraint=None) -> Variable:
        """A new weight, filled by ``initializer`` (default: "glorot_uniform"): a function of the seed and of its path.

        By position: (shape, initializer, dtype), or as in Keras 2 (name, shape, initializer). ``dtype`` is the layer's.
        ``regularizer`` adds a penalty on the weight to the loss, ``constraint`` changes it after every step.
        The path counts layers of one name since the seed was set, so a net made twice after the same
        ``set_random_seed`` has the same weights, whatever the automatic names are by then.
        """
        if arguments and isinstance(arguments[0], str):
            name, *arguments = arguments        # type: ignore[assignment]
        shape, initializer, dtype = [*arguments, *(shape, initializer, dtype)[len(arguments):]]
        if dtype not in (None, self.dtype):
            raise ValueError(f"layer {self.name!r}: `dtype` of a weight must be the layer's, {self.dtype!r}, got "
                             f"{dtype!r:.60}")
        shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        name = name or ("variable" if not self._weights else f"variable_{len(self._weights)}")
        path, source = f"{self.scope}{self.name}/{name}", given()
        if source is not None:             # a model file is being read: nothing is drawn, nothing larger than it made
            value = source.take(path, shape, self.dtype)
        else:
            check_elements(f"layer {self.name!r}: a weight", shape)
            value = self._drawn(name, shape, initializers.get(initializer or "glorot_uniform"))
        variable = Variable.at(path, shape, self.dtype, trainable, value)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._weights.append(variable)
        self._apply_trainable()
        return variable

    def _drawn(self, name: str, shape: tuple, initializer) -> np.ndarray:
        """The first value of a weight; MemoryError for one that does not fit."""
        rng = random.generator(random.get_seed(), f"{self._random_path}/{name}")
        try:
            return initializer(shape, self.dtype, rng=rng)
        except MemoryError:
            size = math.prod(shape) * np.dtype(self.dtype).itemsize / 1e9
            raise MemoryError(f"layer {self.name!r}: cannot make the weight {name!r} of shape {shape}, {size:.4g} GB, "
                              "which is more than this machine can give; make the layer or its input smaller") from None

    def own_weights(self) -> list[Variable]:
        """The weights that this layer, or a part of it, has made."""
        return self._weights

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
        """Whether ``fit`` changes the weights; set it before the next ``fit``. It is set for the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._apply_trainable()
        for layer in self._layers_inside():
            layer.trainable = value

    def _layers_inside(self) -> list:
        """The layers that a model or a composite layer holds itself, without those inside them."""
        return []

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

    @property
    def losses(self) -> list:
        """The penalties of the trainable weights, as they are now. (Those of outputs exist in a step only.)"""
        return [w.regularizer(w.value) for w in self.weights if w.trainable and w.regularizer is not None]

    def add_loss(self, loss) -> None:
        """Not offered: a number computed in Python has no gradient."""
        raise NotImplementedError(f"layer {self.name!r}: add_loss is not offered, as a number has no gradient here; "
                                  "give the layer an `activity_regularizer`, or a weight a `regularizer`")
