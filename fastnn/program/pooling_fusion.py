"""Max pooling beside its neighbours: derivatives are taken after it, and a convolution pools what it computes.

The gradient of a pooling goes to the places that were the largest, and there y, the output of an activation before it,
is the pooled p. So "max_pooling_backward, then the derivative at y" is "the derivative at p, then that of pooling",
to the bit for finite numbers: fewer elements to multiply, often in the epilogue of the product that computes dp, and y
need not be kept. Then nobody but the pooling reads y, and where windows lie side by side the convolution before does
without it.
"""
from __future__ import annotations

from collections import Counter

from .ir import Operation, Value
from .lowering import GRADIENT_SHIFT

# activations whose derivative is dy times a function of y, element by element
POINTWISE = frozenset(f"{name}_backward" for name in (
    "relu", "clipped_relu", "leaky_relu", "elu", "selu", "celu", "sigmoid", "log_sigmoid", "hard_sigmoid",
    "sparse_sigmoid", "tanh", "hard_tanh", "hard_shrink", "soft_shrink", "softplus", "exp"))
INDEX, PLACES, POOL = 1, slice(16, 20), slice(20, 22)      # of a convolution: an output, and sizes
MOST_PLACES = 256                                          # in a window that a convolution pools
WINOGRAD_EDGE = 4                                          # of the tiles that it computes: windows must divide them


def uses_of(operations: list[Operation]) -> Counter[Value]:
    """How often each buffer is an operand."""
    return Counter(v.root for o in operations for v in o.operands if v is not None)


def pool_gradients_last(operations: list[Operation]) -> list[Operation]:
    """The operations, with each derivative after a max_pooling_backward taken before it where that is the same."""
    uses, result = uses_of(operations), list(operations)
    poolings = {o.outputs[1].root: o for o in operations if o.kernel == "max_pooling_forward" and o.outputs[1]}
    readers = {o.inputs[0].root: i for i, o in enumerate(operations) if o.kernel in POINTWISE and o.inputs[0]}
    for i, pool in enumerate(operations):
        if pool.kernel != "max_pooling_backward" or not side_by_side(pool):
            continue
        (dp, index), dy = pool.inputs, pool.outputs[0]
        assert dp is not None and index is not None and dy is not None
        forward, j = poolings[index.root], readers.get(dy.root)
        y, p = forward.inputs[0], forward.outputs[0]
        if j is None or uses[dy.root] != 2 or not same(operations[j].inputs[1], y):
            continue
        assert p is not None
        act, dq = operations[j], Value(p.shape, p.dtype, p.batched, dp.name)
        result[i] = Operation(act.kernel, act.dtype, [dp, p], [dq], [p.elements()], act.scalars, act.flags, act.layer)
        result[j] = Operation(pool.kernel, pool.dtype, [dq, index], act.outputs, pool.sizes, layer=pool.layer)
    return result


def same(a: Value | None, b: Value | None) -> bool:
    """Whether both show the same memory."""
    return a is not None and b is not None and a.root is b.root


def side_by_side(pool: Operation) -> bool:
    """Whether no place is in two windows."""
    rows, columns, down, right = pool.sizes[6:10]
    return rows <= down and columns <= right


def pool_in_convolutions(operations: list[Operation]) -> list[Operation]:
    """The operations, with each max pooling part of the convolution before it where that can be."""
    uses, result = uses_of(operations), []
    makers = {o.outputs[-1].root: o for o in operations if o.kernel in ("convolution", "winograd") and o.outputs[-1]}
    for operation in operations:
        source = operation.inputs[0] if operation.kernel == "max_pooling_forward" else None
        convolution = makers.get(source.root) if source is not None else None
        if source is None or convolution is None or uses[source.root] != 2 or not absorb(convolution, operation):
            result.append(operation)
    return result


def absorb(convolution: Operation, pool: Operation) -> bool:
    """Make ``pool``, which alone reads the result of ``convolution``, part of it if that can be."""
    filters, (height, width), places = convolution.sizes[2], convolution.sizes[5:7], convolution.sizes[PLACES]
    rows, columns = pool.sizes[6:8]
    plain = [filters, height, width, height // rows, width // columns, rows, columns, rows, columns, 0, 0]
    if list(pool.sizes[1:]) != plain or not 1 < rows * columns <= MOST_PLACES:
        return False
    if convolution.kernel == "winograd" and (WINOGRAD_EDGE % rows or WINOGRAD_EDGE % columns):
        return False
    if places != (filters, width * filters, height * width * filters, 0) or convolution.sizes[POOL] != (1, 1):
        return False
    if convolution.flags >> GRADIENT_SHIFT or convolution.sizes[0] != pool.sizes[0]:
        return False
    row = width // columns * filters
    convolution.sizes = (*convolution.sizes[:PLACES.start], filters, row, height // rows * row, 0, rows, columns)
    convolution.outputs[INDEX], convolution.outputs[-1] = pool.outputs[1], pool.outputs[0]
    return True
