"""Symbolic arrays, and the calls of layers on them that make a graph."""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import Layer


class KerasTensor:
    """A symbolic array: the output of ``node`` in a graph of layer calls; ``shape`` has None for the batch axis and
    axes of any size."""

    def __init__(self, shape, dtype="float32", node: Node | None = None, name: str = ""):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.node = node
        self.name = name

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Node:
    """One call of a layer on symbolic arrays, with one output or several."""

    def __init__(self, layer: Layer, inputs: list[KerasTensor], outputs: list[KerasTensor]):
        self.layer, self.inputs, self.outputs = layer, inputs, outputs
        for output in outputs:
            output.node = self
