"""Convolutions as operations: forward, and the gradients of weights and input.

One description of the windows serves all: a transposed convolution is the gradient of a convolution by its input, taken
forward. That gradient is itself a convolution, with the filters turned round, or with strides one for each phase: the
places of the input that meet the windows at the same element of the kernel (Dumoulin and Visin, A guide to convolution
arithmetic for deep learning, 2016, section 4). Steps are images of one row.
"""
from __future__ import annotations

from itertools import product

from ..program import Lowering, Value
from . import winograd
from .convolution_geometry import Geometry, Phase, check_phases, phases
from .convolution_trimming import trimmed
from .dense import dense
from .windows import Axis

LINE = 16                                # elements after which filters of a phase begin


def convolution(build: Lowering, x: Value, kernel: Value, bias: Value | None, g: Geometry, shape: tuple) -> Value:
    """y = x * kernel + bias, an array of ``shape``."""
    kernel, g = trimmed(build, kernel, g)
    if g.tiles():
        windows = build.view(x, (g.rows.out, g.columns.out, x.size // (g.rows.out * g.columns.out)))
        return build.view(dense(build, windows, kernel, bias), shape)
    y = build.result(x, kernel, bias, shape=shape, name="convolution")
    correlate(build, x, kernel, bias, y, g)

    def backward(dy: Value) -> None:
        weight_gradients(build, "convolution_weights", x, dy, kernel, bias, g)
        if x.needs_gradient:
            dx = build.gradient_place(x)
            spread_back(build, dy, kernel, None, dx, g)
            build.add_gradient(x, dx)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


def transposed_convolution(build: Lowering, x: Value, kernel: Value, bias: Value | None, g: Geometry,
                           shape: tuple) -> Value:
    """y, of ``shape``, such that x is to it as the gradient of the convolution ``g`` of y is to that of y; + bias."""
    kernel, g = trimmed(build, kernel, g)
    y = build.result(x, kernel, bias, shape=shape, name="transposed convolution")
    spread_back(build, x, kernel, bias, y, g)

    def backward(dy: Value) -> None:
        weight_gradients(build, "convolution_weights", dy, x, kernel, None, g)
        bias_gradient(build, dy, bias)
        if x.needs_gradient:
            dx = build.gradient_place(x)
            correlate(build, dy, kernel, None, dx, g)
            build.add_gradient(x, dx)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


def depthwise_convolution(build: Lowering, x: Value, kernel: Value, bias: Value | None, g: Geometry,
                          shape: tuple) -> Value:
    """Each channel of x by filters of its own, + bias: y of ``shape``."""
    kernel, g = trimmed(build, kernel, g)
    y = build.result(x, kernel, bias, shape=shape, name="depthwise convolution")
    build.emit("depthwise_forward", [x, kernel, bias], [build.scratch(), y], g.sizes())

    def backward(dy: Value) -> None:
        weight_gradients(build, "depthwise_weights", x, dy, kernel, bias, g)
        if x.needs_gradient:
            dx = build.gradient_place(x)
            build.emit("depthwise_backward", [dy, kernel], [build.scratch(), dx], g.sizes())
            build.add_gradient(x, dx)

    if y.needs_gradient:
        build.backward([y], backward)
    return y


def correlate(build: Lowering, x: Value, kernel: Value, start: Value | None, y: Value, g: Geometry) -> None:
    """Name y = start + x * kernel."""
    row = g.columns.out * g.filters
    emit(build, x, kernel, start, y, g, [g.filters, row, g.rows.out * row, 0], phase_of(kernel))


def emit(build: Lowering, x: Value, kernel: Value, start: Value | None, y: Value, g: Geometry, places: list,
         phase: str, scratch: Value | None = None) -> None:
    """Name the operation of y = start + x * kernel, whose elements lie at ``places`` (steps from pixel to pixel, row to
    row, image to image; the first); ``phase``: when the filters are known; ``scratch``: that of others too."""
    operation = "convolution"
    if winograd.pays(build, g):
        operation, kernel = "winograd", winograd.transformed(build, kernel, g, phase)
    build.emit(operation, [x, kernel, start, None, None, None], [scratch or build.scratch(), None, y],
               [*g.sizes(), *places, 1, 1])


def phase_of(kernel: Value) -> str:
    """Weights that training changes are made ready in every step, others once a call."""
    return "body" if kernel.needs_gradient else "head"


def spread_back(build: Lowering, dy: Value, kernel: Value, start: Value | None, dx: Value, g: Geometry) -> None:
    """Name dx = start + the gradient by x of the convolution ``g``, given that of y: an operation for each phase, which
    share filters' memory and scratch, so that a plan is no work for many of them."""
    check_phases(build, g)
    parts = list(product(phases(g.rows), phases(g.columns)))
    row, scratch, offset = g.columns.size * g.channels, build.scratch(), 0
    whole = Geometry(g.filters, g.channels, g.groups, *(Axis(a.out, a.size, 0, 1, 1, 0) for a in (g.rows, g.columns)))
    if sum(h.windows.out * w.windows.out for h, w in parts) < g.rows.size * g.columns.size:   # the others meet nothing
        emit(build, dy, kernel, start, dx, whole, [g.channels, row, g.rows.size * row, 0], "body", scratch)
    filters = build.value((kernel.size + LINE * len(parts),), batched=False, name="turned filters")
    down, right = min(g.rows.stride, g.rows.size) * row, min(g.columns.stride, g.columns.size) * g.channels
    for h, w in parts:
        turned = turn(build, kernel, g, (h, w), filters, offset)
        offset += -(-turned.size // LINE) * LINE
        part = Geometry(g.filters, g.channels, g.groups, h.windows, w.windows)
        emit(build, dy, turned, start, dx, part, [right, down, g.rows.size * row, h.first * row + w.first * g.channels],
             phase_of(kernel), scratch)


def turn(build: Lowering, kernel: Value, g: Geometry, parts: tuple[Phase, Phase], filters: Value,
         offset: int) -> Value:
    """The elements of the kernel that belong to a phase, turned round, with channels and filters exchanged: part of
    ``filters``."""
    shape = (*(p.windows.kernel for p in parts), g.filters // g.groups, g.channels)
    turned = Value(shape, filters.dtype, False, filters.name, offset=offset, root=filters)
    build.emit("turn_filters", [kernel], [turned],
               [g.rows.kernel, g.columns.kernel, g.channels, g.filters, g.groups, g.rows.stride, g.columns.stride,
                *(p.rest for p in parts)], phase=phase_of(kernel))
    return turned


def weight_gradients(build: Lowering, operation: str, x: Value, dy: Value, kernel: Value, bias: Value | None,
                     g: Geometry) -> None:
    """Name the gradients of kernel and bias, in one pass over dy."""
    if not kernel.needs_gradient:
        bias_gradient(build, dy, bias)
        return
    dw = build.gradient_place(kernel)
    db = build.gradient_place(bias) if bias is not None and bias.needs_gradient else None
    if operation == "convolution_weights" and winograd.pays(build, g):
        operation = "winograd_weights"
    build.emit(operation, [x, dy], [build.scratch(), dw, db], g.sizes())
    build.add_gradient(kernel, dw)
    if bias is not None and db is not None:
        build.add_gradient(bias, db)


def bias_gradient(build: Lowering, dy: Value, bias: Value | None) -> None:
    """Name the gradient of the bias alone: the sums of dy over rows and places."""
    if bias is not None and bias.needs_gradient:
        db = build.gradient_place(bias)
        build.emit("column_sum", [dy], [db], [dy.rows(), dy.shape[-1]])
        build.add_gradient(bias, db)
