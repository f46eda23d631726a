"""Fusion: what an operation can do in the epilogue of the one before it is not an operation of its own.

Three patterns, each only where nobody else reads the value between the two: an activation after a matmul; a scale and
shift by columns (batch normalisation at inference) after a matmul; the derivative of an activation after the matmul
that computes the gradient of its output. (Cross-entropy with its softmax or sigmoid is fused when the loss is lowered,
for it changes what the gradient is taken of.)
"""
from __future__ import annotations

from collections import Counter

from .ir import Operation, Value
from .lowering import ACTIVATION_IDS, FORWARD_SHIFT, GRADIENT_SHIFT, SCALE_FIRST

SCALE, SHIFT, OUTPUT_OF_ACTIVATION = 3, 4, 5      # operands of matmul
FORWARD = {f"{name}_forward": i for name, i in ACTIVATION_IDS.items()}
BACKWARD = {f"{name}_backward": i for name, i in ACTIVATION_IDS.items()}


def fuse(operations: list[Operation]) -> list[Operation]:
    """The operations with all patterns fused."""
    uses = Counter(v.root for o in operations for v in o.operands if v is not None)
    makers: dict[Value, int] = {}          # matmul whose result may still change: its place in the new list
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
        if operation.kernel == "matmul" and _result(operation).home is None:
            makers[_result(operation).root] = len(result)
        result.append(operation)
    return result


def _known(operation: Operation, place: int, written: dict[Value, int]) -> bool:
    """Whether what the operation reads beside its first operand is written before the operation at ``place``."""
    return all(v is None or v.root.home is not None or written.get(v.root, place) < place for v in operation.inputs[1:])


def _result(operation: Operation) -> Value:
    """What a matmul or an element-wise operation computes: its last operand."""
    value = operation.outputs[-1]
    assert value is not None
    return value


def absorb(matmul: Operation, operation: Operation) -> bool:
    """Make ``operation``, which alone reads the result of ``matmul``, part of its epilogue if that can be."""
    forward = matmul.flags >> FORWARD_SHIFT & 0xFF
    gradient = matmul.flags >> GRADIENT_SHIFT & 0xFF
    scaled = matmul.inputs[SCALE] is not None
    if operation.phase != "body" or gradient:
        return False
    if operation.kernel in FORWARD and not forward and (not scaled or matmul.flags & SCALE_FIRST):
        matmul.flags |= FORWARD[operation.kernel] << FORWARD_SHIFT
    elif operation.kernel == "scale_shift" and not scaled and operation.size(1, 1) == matmul.size(2, 1):
        matmul.inputs[SCALE], matmul.inputs[SHIFT] = operation.inputs[1:]
        matmul.flags |= 0 if forward else SCALE_FIRST
    elif operation.kernel in BACKWARD and not forward and not scaled:
        matmul.inputs[OUTPUT_OF_ACTIVATION] = operation.inputs[1]
        matmul.flags |= BACKWARD[operation.kernel] << GRADIENT_SHIFT
    else:
        return False
    matmul.outputs[-1] = operation.outputs[0]
    return True
