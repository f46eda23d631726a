"""Layers that are made of other layers, and layers with several inputs and outputs."""
from __future__ import annotations

from ..program import Variable
from .base import Layer


class Composite(Layer):
    """Base of layers made of others, its ``parts``, whose weights it has: their paths begin with its own name."""

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
        return [*self._weights, *(w for part in self.parts for w in part.own_weights())]

    @property
    def weights(self) -> list[Variable]:
        weights = [*self._weights, *(w for part in self.parts for w in part.weights)]
        return [w for w in weights if not w.state] + [w for w in weights if w.state]

    @property
    def trainable(self) -> bool:
        """Whether ``fit`` changes the weights; setting it sets it for every part."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._apply_trainable()
        for part in self.parts:
            part.trainable = value

    def _training_signature(self) -> tuple:
        return (self._trainable, *(part._training_signature() for part in self.parts))

    def forget_weights(self) -> None:
        super().forget_weights()
        for part in self.parts:
            part.forget_weights()

    def forget_programs(self) -> None:
        super().forget_programs()
        for part in self.parts:
            part.forget_programs()
