"""A model as a graph of layer calls, from its input to its output; ``Sequential`` is the straight one."""
from __future__ import annotations

from ..layers.base import KerasTensor, Layer, Node, each_shape
from ..program import Ids, Lowering, Value


class Graph:
    """The calls that lead from ``inputs`` to ``outputs``, in an order in which each follows those it needs.

    Raises ValueError when an output depends on a symbolic array that is no input and that no layer computes.
    """

    def __init__(self, inputs: list[KerasTensor], outputs: list[KerasTensor]):
        self.inputs, self.outputs = inputs, outputs
        self.nodes: list[Node] = []
        known = {id(t) for t in inputs}
        stack = list(reversed(outputs))
        while stack:                      # depth first, without recursion: nets may be thousands of calls deep
            tensor = stack[-1]
            if id(tensor) in known:
                stack.pop()
                continue
            if tensor.node is None:
                raise ValueError(f"graph disconnected: {tensor} is neither an input of the model nor computed from one")
            missing = [t for t in tensor.node.inputs if id(t) not in known]
            if missing:
                stack.extend(missing)
                continue
            self.nodes.append(tensor.node)
            known.update(id(t) for t in tensor.node.outputs)
            stack.pop()

    @property
    def layers(self) -> list[Layer]:
        """Each layer once, in order of its first call."""
        return list(dict.fromkeys(node.layer for node in self.nodes))

    def reads_ids(self) -> Ids | None:
        """What the layers that the input goes to read, if each reads ids: the least of them."""
        readers = [n.layer.reads_ids() for n in self.nodes if any(t is self.inputs[0] for t in n.inputs)]
        wanted = [ids for ids in readers if ids is not None]
        return min(wanted) if wanted and len(wanted) == len(readers) else None

    def output_shapes(self, shapes: list[tuple]) -> list[tuple]:
        """The shapes of the outputs for inputs of these shapes; ValueError of the first layer that they do not fit."""
        known = {id(t): shape for t, shape in zip(self.inputs, shapes)}
        for node in self.nodes:
            found = each_shape(node.layer.compute_output_shape(*(known[id(t)] for t in node.inputs)))
            known |= {id(t): tuple(shape) for t, shape in zip(node.outputs, found)}
        return [known[id(t)] for t in self.outputs]

    def lower(self, build: Lowering, inputs: list[tuple[Value, Value | None]]) -> list[tuple[Value, Value | None]]:
        """Name the operations of all calls; takes and returns (value, mask) pairs."""
        results = {id(t): pair for t, pair in zip(self.inputs, inputs)}
        for node in self.nodes:
            outer, build.layer = build.layer, node.layer.name
            values, masks = zip(*(results[id(t)] for t in node.inputs))
            if len(node.outputs) == 1:
                outputs = [node.layer.lower(build, *values, *masks)]
            else:
                several, mask = node.layer.lower_all(build, *values, *masks)     # type: ignore[attr-defined]
                outputs = [(several[0], mask), *((value, None) for value in several[1:])]
            build.regularize(outputs[0][0], node.layer.activity_regularizer)
            results |= {id(t): output for t, output in zip(node.outputs, outputs)}
            build.layer = outer
        return [results[id(t)] for t in self.outputs]
