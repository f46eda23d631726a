"""Convolutions as operations: forward, and the gradients of weights and input.

One description of the windows serves all: a transposed convolution is the gradient of a convolution by its input, taken
forward. That gradient is itself a convolution, with the filters turned round, or with strides one for each phase: the
places of the input that meet the windows at the same element of the kernel (Dumoulin and Visin, A guide to convolution
arithmetic for deep learning, 2016, section 4). Steps are images of one row.
"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from ..program import Lowering, PerRow, Value
from . import winograd
from .dense import dense
from .windows import Axis

ONE = Axis(1, 1, 1, 1, 1, 0)             # the rows of what has steps only


class Geometry(NamedTuple):
    """y[oh, ow, f] = sum of x[oh · stride - before + kh · dilation, ow · ..., c] · w[kh, kw, c, f] over kh, kw, c."""
    channels: int
    filters: int
    groups: int
    rows: Axis
    columns: Axis

    @classmethod
    def of(cls, channels: int, filters: int, groups: int, axes: tuple[Axis, ...]) -> Geometry:
        """That of one axis, or of two."""
        return cls(channels, filters, groups, *((ONE,) * (2 - len(axes)) + axes))

    def sizes(self) -> list[int]:
        """The first sizes of all operations of convolutions."""
        h, w = self.rows, self.columns
        return [PerRow(1), self.channels, self.filters, h.size, w.size, h.out, w.out, h.kernel, w.kernel,
                h.stride, w.stride, h.dilation, w.dilation, h.before, w.before, self.groups]

    def tiles(self) -> bool:
        """Whether the windows cover the image once, each lying in one piece in memory: then this is a plain product."""
        h, w = self.rows, self.columns
        apart = all(a.before == 0 and a.size == a.out * a.kernel and (a.out == 1 or a.stride == a.kernel) and
                    (a.kernel == 1 or a.dilation == 1) for a in (h, w))
        return apart and self.groups == 1 and (h.kernel == 1 or w.out == 1)


class Phase(NamedTuple):
    """Along one axis, the places ``first``, ``first`` + stride, ... of x that meet elements ``rest`` + stride · j of
    the kernel: their gradient is the convolution of dy by ``windows``."""
    rest: int
    first: int
    windows: Axis


def phases(axis: Axis) -> Iterator[Phase]:
    """The phases of an axis that have a place in x; of an axis without stride it is one."""
    for rest in range(axis.stride):
        elements = -(-(axis.kernel - rest) // axis.stride) if rest < axis.kernel else 0
        start = -((rest - axis.before) // axis.stride)             # place first of x is start · stride + rest - before
        n = (axis.size - 1 + axis.before - rest) // axis.stride - start + 1
        if n > 0:
            before = (elements - 1) * axis.dilation - start
            yield Phase(rest, start * axis.stride + rest - axis.before,
                        Axis(axis.out, n, elements, 1, axis.dilation, before))


def convolution(build: Lowering, x: Value, kernel: Value, bias: Value | None, g: Geometry, shape: tuple) -> Value:
    """y = x * kernel + bias, an array of ``shape``."""
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
         phase: str) -> None:
    """Name the operation of y = start + x * kernel, whose elements lie at ``places`` (steps from pixel to pixel, row to
    row, image to image; the first); ``phase``: when the filters are known."""
    operation = "convolution"
    if winograd.pays(build, g):
        operation, kernel = "winograd", winograd.transformed(build, kernel, g, phase)
    build.emit(operation, [x, kernel, start, None, None, None], [build.scratch(), None, y],
               [*g.sizes(), *places, 1, 1])


def phase_of(kernel: Value) -> str:
    """Weights that training changes are made ready in every step, others once a call."""
    return "body" if kernel.needs_gradient else "head"


def spread_back(build: Lowering, dy: Value, kernel: Value, start: Value | None, dx: Value, g: Geometry) -> None:
    """Name dx = start + the gradient by x of the convolution ``g``, given that of y."""
    for h, w in product(phases(g.rows), phases(g.columns)):
        size = h.windows.kernel, w.windows.kernel
        turned = turn(build, kernel, g, size, (h.rest, w.rest)) if all(size) else kernel   # which has no element then
        part = Geometry(g.filters, g.channels, g.groups, h.windows, w.windows)
        row = g.columns.size * g.channels
        emit(build, dy, turned, start, dx, part, [g.columns.stride * g.channels, g.rows.stride * row,
                                                  g.rows.size * row, h.first * row + w.first * g.channels],
             phase_of(kernel))


def turn(build: Lowering, kernel: Value, g: Geometry, size: tuple, rests: tuple) -> Value:
    """The elements of the kernel that belong to a phase, turned round, with channels and filters exchanged."""
    turned = build.value((*size, g.filters // g.groups, g.channels), batched=False, name="turned filters")
    build.emit("turn_filters", [kernel], [turned],
               [g.rows.kernel, g.columns.kernel, g.channels, g.filters, g.groups, g.rows.stride, g.columns.stride,
                *rests], phase=phase_of(kernel))
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
