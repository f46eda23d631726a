"""Sequential: layers one after the other."""
from __future__ import annotations

from .._describe import custom, custom_object_scope, plain
from ..layers import registry
from ..layers.base import KerasTensor, Layer
from ..layers.input import Input, InputLayer
from ..saving.description import fields, kind
from ..saving.given import inside
from .describing import layer_of
from .graph import Graph
from .model import Model

CONFIG = ("name", "trainable", "dtype", "layers")


class Sequential(Model):
    """A straight chain of layers.

    ``layers``: a list of layers, first of all optionally ``Input(shape)``. Without an input shape the model is built
    when it first sees data. Raises TypeError for what is no layer.

    >>> from fastnn import Input, Sequential
    >>> from fastnn.layers import Dense
    >>> Sequential([Input((4,)), Dense(3)]).count_params()
    15
    """
    not_called = Model.not_called | {"call", "__call__", "compute_mask"}

    def __init__(self, layers=None, trainable=True, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self._chain: list[Layer] = []
        self._input: KerasTensor | None = None
        self._built_last: list[Layer] = []             # by the last call of build
        if isinstance(layers, (Layer, KerasTensor, InputLayer)):
            raise TypeError(f"Sequential: `layers` must be a list of layers, got {type(layers).__name__}; put it into "
                            "brackets: Sequential([...])")
        taken: set[str] = set()
        for layer in layers or ():
            self._append(layer, taken)
        self.rebuild()
        if not trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._chain)

    def add(self, layer) -> None:
        """Append a layer. Raises TypeError for what is no layer, ValueError for a name that is taken."""
        before = list(self._chain), self._input
        self._append(layer, {other.name for other in self._chain})
        try:
            self.rebuild()
        except Exception:
            self._chain, self._input = before           # a layer that does not fit leaves the model as it was
            self.rebuild()
            raise

    def pop(self) -> Layer:
        """Remove the last layer and return it. ValueError when there is none."""
        if not self._chain:
            raise ValueError(f"model {self.name!r} has no layers: nothing to pop")
        layer = self._chain.pop()
        self.rebuild()
        return layer

    def build(self, input_shape=None) -> None:
        """Create the weights for inputs of ``input_shape``, None for the batch axis: ``build((None, 784))``."""
        if input_shape is None:
            raise ValueError("build: `input_shape` is missing; give it with None for the batch axis, e.g. (None, 784)")
        if not self._chain:
            raise ValueError(f"model {self.name!r} has no layers: add() some first")
        self._built_last = [layer for layer in self._chain if not layer.built]
        try:
            self._connect(Input(tuple(input_shape)[1:], input_shape[0]))
        except Exception:
            self.unbuild()
            raise

    def unbuild(self):
        for layer in self._built_last:
            layer.forget_weights()
        self._input, self.graph, self.built, self._built_last = None, None, False, []
        self.forget_programs()

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model with the layers of ``get_config()`` and new weights, built if its input is among them.

        ``custom_objects``: {name: class} that the layers may be of too. Raises ValueError for what describes no model.
        """
        name, trainable, dtype, entries = fields(config, "the settings of a Sequential", *CONFIG)
        kind(name, "the name of a model", str), kind(entries, "the layers of a model", list)
        with custom_object_scope(custom_objects or {}), inside(name):
            model = cls([_layer_of(entry) for entry in entries], name=name, dtype=dtype)
        model._trainable = bool(trainable)             # the layers' own flags are in their settings
        return model

    def _append(self, layer, taken: set[str]) -> None:
        """Append a layer, and its name to those that are ``taken``."""
        if isinstance(layer, InputLayer):
            layer = layer.tensor
        if isinstance(layer, KerasTensor):
            if self._chain or self._input is not None:
                raise ValueError(f"model {self.name!r}: Input must be the first object, once")
            self._input = layer
            return
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise TypeError(f"model {self.name!r}: expected a layer, got the class {layer.__name__}; make an object of "
                            f"it: {layer.__name__}(...)")
        if not isinstance(layer, Layer):
            raise TypeError(f"model {self.name!r}: expected a layer, got {type(layer).__name__}: {layer!r:.80}")
        if layer.name in taken:
            raise ValueError(f"model {self.name!r} has a layer named {layer.name!r} already: give each its own name")
        if not self._chain and self._input is None:
            shape = layer.input_shape_argument
            if isinstance(layer, Model) and layer.built:
                shape = layer.input_shape[1:]
            self._input = Input(shape, layer.batch_size_argument) if shape is not None else None
        self._chain.append(layer)
        taken.add(layer.name)

    def rebuild(self) -> None:
        """Connect what is there, if the input's shape is known; weights that exist stay."""
        self.forget_programs()
        if self._input is not None and self._chain:
            self._connect(self._input)
        elif not self._chain:
            self.graph, self.built = None, False
        for owner in self._owners:                       # models that hold this one see its new shape
            owner.rebuild()

    def _connect(self, symbol: KerasTensor) -> None:
        self._input = symbol
        x = symbol
        for layer in self._chain:
            x = layer(x)
            if not isinstance(x, KerasTensor):
                raise ValueError(f"model {self.name!r}: each layer of a Sequential must have one output, "
                                 f"{layer.name!r} has {len(x)}; make it with return_state=False and a merge_mode")
        self._set_graph(Graph([symbol], [x]))

    def get_config(self):
        """The layers, an Input first where its shape is known, as plain data."""
        layers = [] if self._input is None else [{"class_name": "InputLayer", "config": {
            "shape": list(self._input.shape[1:]), "dtype": str(self._input.dtype), "name": self._input.name,
            **({} if self._input.shape[0] is None else {"batch_size": self._input.shape[0]})}}]
        return {"name": self.name, "trainable": self._trainable, "dtype": self.dtype,
                "layers": layers + [plain(layer) for layer in self._chain]}


registry.above[Sequential.__name__] = Sequential        # layers that hold a model describe it as a layer


def _layer_of(entry) -> Layer:
    ours = custom(Sequential.__name__) is None
    if ours and isinstance(entry, dict) and entry.get("class_name") == Sequential.__name__:
        return Sequential.from_config(entry.get("config"))
    return layer_of(entry)
