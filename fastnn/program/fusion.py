"""Fusion: what an operation can do in the epilogue of the one before it is not an operation of its own.

Three patterns, each only where nobody else reads the value between the two: an activation after a matmul or
convolution; a scale and shift by columns (batch normalisation at inference) after one; the derivative of an activation
after the one that computes the gradient of its output. A value that several operations write is left alone.
(Cross-entropy with its softmax or sigmoid is fused when the loss is lowered, for it changes what the gradient is taken
of.)
"""
from __future__ import annotations

from collections import Counter

from .ir import Operation, Value
from .lowering import ACTIVATION_IDS, FORWARD_SHIFT, GRADIENT_SHIFT, SCALE_FIRST

PRODUCTS = ("matmul", "convolution", "winograd")  # what has such an epilogue
SCALE, SHIFT, OUTPUT_OF_ACTIVATION = 3, 4, 5      # its operands
FORWARD = {f"{name}_forward": i for name, i in ACTIVATION_IDS.items()}
BACKWARD = {f"{name}_backward": i for name, i in ACTIVATION_IDS.items()}


def without_unread(operations: list[Operation]) -> list[Operation]:
    """The operations but those that compute only what nobody reads, such as the form of a value with channels first
    where all its readers take the one with channels last."""
    read: set[Value] = set()
    kept = []
    for operation in reversed(operations):
        results = [v.root for v in operation.outputs if v is not None and v.name != "scratch"]
        unread = results and all(v.home is None and v not in read for v in results)
        if unread and operation.inputs and isinstance(operation.kernel, str):
            continue
        kept.append(operation)
        read.update(v.root for v in operation.inputs if v is not None)
    return kept[::-1]


def fuse(operations: list[Operation]) -> list[Operation]:
    """The operations with all patterns fused."""
    uses = Counter(v.root for o in operations for v in o.operands if v is not None)
    makers: dict[Value, int] = {}          # product whose result may still change: its place in the new list
    written: dict[Value, int] = {}         # place of the operation that writes a buffer
    result: list[Operation] = []
    for operation in operations:
        read = operation.inputs[0] if operation.inputs else None
        place = makers.get(read.root) if read is not None else None
        if place is not None and read is not None and uses[read.root] == 2 and _known(operation, place, written) \
                and absorb(result[place], operation):
            makers[_result(operation).root] = written[_result(operation).root] = place
            continue
        written.update((v.root, len(result)) for v in operation.outputs if v is not None)
        if operation.kernel in PRODUCTS and _result(operation).home is None:
            makers[_result(operation).root] = len(result)
        result.append(operation)
    return result


def _known(operation: Operation, place: int, written: dict[Value, int]) -> bool:
    """Whether what the operation reads beside its first operand is written before the operation at ``place``."""
    return all(v is None or v.root.home is not None or written.get(v.root, place) < place for v in operation.inputs[1:])


def _result(operation: Operation) -> Value:
    """What a product or an element-wise operation computes: its last operand."""
    value = operation.outputs[-1]
    assert value is not None
    return value


def absorb(product: Operation, operation: Operation) -> bool:
    """Make ``operation``, which alone reads the result of ``product``, part of its epilogue if that can be."""
    forward = product.flags >> FORWARD_SHIFT & 0xFF
    gradient = product.flags >> GRADIENT_SHIFT & 0xFF
    scaled = product.inputs[SCALE] is not None
    if operation.phase != "body" or gradient:
        return False
    if operation.kernel in FORWARD and not forward and (not scaled or product.flags & SCALE_FIRST):
        product.flags |= FORWARD[operation.kernel] << FORWARD_SHIFT
    elif operation.kernel == "scale_shift" and not scaled and operation.size(1, 1) == product.size(2, 1):
        product.inputs[SCALE], product.inputs[SHIFT] = operation.inputs[1:]
        product.flags |= 0 if forward else SCALE_FIRST
    elif operation.kernel in BACKWARD and not forward and not scaled:
        product.inputs[OUTPUT_OF_ACTIVATION] = operation.inputs[1]
        product.flags |= BACKWARD[operation.kernel] << GRADIENT_SHIFT
    else:
        return False
    product.outputs[-1] = operation.outputs[0]
    return True
