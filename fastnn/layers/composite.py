"""Layers that are made of other layers, and layers with several inputs and outputs."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._describe import Registry
from ..program import Variable
from .base import Layer

registry: Registry[Layer] = Registry("layer", Layer, ())          # the rooms above enter their classes


class Composite(Layer):
    """Base of layers made of others, its ``parts``, whose weights it has: their paths begin with its own name."""
    holds: tuple[str, ...] = ()              # arguments that are layers, or lists of them

    @property
    def parts(self) -> list[Layer]:
        """The layers inside."""
        raise NotImplementedError(f"{type(self).__name__} has no parts")

    def take_in(self, part: Layer) -> None:
        """Make ``part`` a part of this layer before it is built: its dtype, and the paths of its weights."""
        if not part.built:
            part.dtype, part.scope = self.dtype, f"{self.scope}{self.name}/"
        if not self._trainable:
            part.trainable = False

    def own_weights(self) -> list[Variable]:
        return list(dict.fromkeys([*self._weights, *(w for part in self.parts for w in part.own_weights())]))

    @property
    def weights(self) -> list[Variable]:
        weights = dict.fromkeys([*self._weights, *(w for part in self.parts for w in part.weights)])
        return [w for w in weights if not w.state] + [w for w in weights if w.state]

    def _layers_inside(self) -> list[Layer]:
        return self.parts

    def _training_signature(self) -> tuple:
        return (self._trainable, *(part._training_signature() for part in self.parts))

    def forget_weights(self) -> None:
        super().forget_weights()
        for part in self.parts:
            part.forget_weights()

    @classmethod
    def from_config(cls, config):
        """A new layer with these arguments, of which some are descriptions of layers."""
        return cls(**{name: _made(value) if name in cls.holds else value for name, value in config.items()})


def _made(value: Any) -> Any:
    """The layers that are described; what is no description as it is."""
    if isinstance(value, list):
        return [_made(one) for one in value]
    return registry.get(value) if isinstance(value, dict) else value


def within(layer: Layer) -> Iterator[Layer]:
    """The layers inside a model or a layer, at any depth, each as often as it is used."""
    for part in layer._layers_inside():
        yield part
        yield from within(part)
