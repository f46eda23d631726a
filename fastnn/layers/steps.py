"""What carries values from step to step: parts of rows, steps in reverse, the choice between two rows by a mask, and
the arithmetic of gates."""
from __future__ import annotations

import math
from functools import partial

from ..program import Lowering, PerRow, Value


def parts(build: Lowering, x: Value, sizes: list[int], flat: bool = False) -> list[Value]:
    """``x`` cut along its last axis into parts of these sizes; ``flat``: as if it had one axis only."""
    item, outer = x.dtype.itemsize, () if flat else x.shape[:-1]
    rows, row = (type(x.elements())(1) if flat else x.rows()), sum(sizes) * item
    offsets = [sum(sizes[:i]) * item for i in range(len(sizes))]
    cut = []
    for size, offset in zip(sizes, offsets):
        part = build.value((*outer, size), x.dtype, x.batched, "part", x.needs_gradient)
        build.emit("take_part", [x], [part], [rows, size * item, row, offset])
        cut.append(part)

    def backward(*gradients: Value | None) -> None:
        dx = build.gradient_place(x)
        for gradient, size, offset in zip(gradients, sizes, offsets):
            build.emit("put_part", [gradient], [dx], [rows, size * item, row, offset])
        build.add_gradient(x, dx)

    if x.needs_gradient:
        build.backward(cut, backward)
    return cut


def joined(build: Lowering, values: list[Value]) -> Value:
    """``values`` side by side along their last axis."""
    first, item = values[0], values[0].dtype.itemsize
    sizes = [v.shape[-1] for v in values]
    rows, row, offsets = first.rows(), sum(sizes) * item, [sum(sizes[:i]) * item for i in range(len(sizes))]
    y = build.value((*first.shape[:-1], sum(sizes)), first.dtype, first.batched, "joined",
                    any(v.needs_gradient for v in values))
    for value, size, offset in zip(values, sizes, offsets):
        build.emit("put_part", [value], [y], [rows, size * item, row, offset])

    def backward(dy: Value) -> None:
        for value, size, offset in zip(values, sizes, offsets):
            if value.needs_gradient:
                part = build.gradient_place(value)
                build.emit("take_part", [dy], [part], [rows, size * item, row, offset])
                build.add_gradient(value, part)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


def each_step(build: Lowering, x: Value) -> list[Value]:
    """The steps of ``x`` (steps, ...), each of shape (...)."""
    steps, *shape = x.shape
    size = math.prod(shape)
    cut = parts(build, x, [size] * steps, flat=True)
    return cut if len(shape) == 1 else [build.view(part, tuple(shape)) for part in cut]


def as_steps(build: Lowering, values: list[Value]) -> Value:
    """Values of one shape as the steps of one: (steps, ...)."""
    shape, size = values[0].shape, values[0].size
    return build.view(joined(build, [build.view(v, (size,)) for v in values]), (len(values), *shape))


def reversed_steps(build: Lowering, x: Value) -> Value:
    """``x`` (steps, ...), a mask for example, with its last step first."""
    steps = x.shape[0]
    sizes = [PerRow(1), steps, x.size // max(1, steps) * x.dtype.itemsize]
    y = build.value(x.shape, x.dtype, name="reversed", needs_gradient=x.needs_gradient)
    build.emit("reverse_steps", [x], [y], sizes)
    return build.backward_by(x, y, "reverse_steps", [], sizes)


def selected(build: Lowering, mask: Value, step: int | None, a: Value, b: Value | None) -> Value:
    """Rows of ``a`` where the mask (steps,) is 1 at ``step``, else those of ``b``, or zeros; with ``step`` None each
    step of ``a`` (steps, ...) by its own."""
    if step is None:
        sizes = [mask.elements(), a.size // mask.size * a.dtype.itemsize, 1, 0]
    else:
        sizes = [PerRow(1), a.size * a.dtype.itemsize, mask.size, step]
    y = build.result(a, b, shape=a.shape, name="selected")
    build.emit("select_rows", [mask, a, b], [y], sizes)

    def backward(dy: Value) -> None:
        for source, operands in ((a, [dy, None]), (b, [None, dy])):
            if source is not None and source.needs_gradient:
                dx = build.gradient_place(source)
                build.emit("select_rows", [mask, *operands], [dx], sizes)
                build.add_gradient(source, dx)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


def added(build: Lowering, a: Value, b: Value) -> Value:
    """a + b."""
    y = build.result(a, b, shape=a.shape, name="sum")
    build.emit("add", [a, b], [y], [y.elements()])
    for source in (b, a):                                  # backward it is a's turn first
        if source.needs_gradient:
            build.backward([y], partial(build.add_gradient, source))
    return y


def multiplied(build: Lowering, a: Value, b: Value) -> Value:
    """a · b, element by element."""
    y = build.result(a, b, shape=a.shape, name="product")
    build.emit("product", [a, b], [y], [y.elements()])
    for source, other in ((b, a), (a, b)):
        build.backward_by(source, y, "product", [other], [y.elements()])
    return y


def scaled(build: Lowering, x: Value, scale: float, shift: float = 0.0) -> Value:
    """x · scale + shift."""
    one = [build.value((1,), batched=False, name=name) for name in ("scale", "shift", "zero")]
    for value, number in zip(one, (scale, shift, 0.0)):
        build.emit("fill", [], [value], [1], [number], phase="head")
    y = build.result(x, shape=x.shape, name="scaled")
    build.emit("scale_shift", [x, one[0], one[1]], [y], [x.elements(), 1])
    return build.backward_by(x, y, "scale_shift", [one[0], one[2]], [x.elements(), 1])


def zeros(build: Lowering, shape: tuple) -> Value:
    """Zeros, (*shape) a row."""
    y = build.value(shape, name="zeros")
    build.emit("fill", [], [y], [y.elements()], [0.0])
    return y
