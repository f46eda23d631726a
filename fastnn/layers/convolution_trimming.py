"""Kernels without the elements that meet padding only, so that sizes of operations follow from the image, however large
kernel and dilation are."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import Lowering, Value
from .windows import Axis

if TYPE_CHECKING:
    from .convolution_geometry import Geometry


def trimmed(build: Lowering, kernel: Value, g: Geometry) -> tuple[Value, Geometry]:
    """The rows and columns of the kernel that meet a place of the image, and the same convolution by them."""
    rows, columns = g.rows.trimmed(), g.columns.trimmed()
    same = (rows.kernel, columns.kernel) == (g.rows.kernel, g.columns.kernel)
    if not same:
        kernel = cut(build, kernel, (g.rows, rows), (g.columns, columns))
    return kernel, g._replace(rows=rows, columns=columns)


def cut(build: Lowering, kernel: Value, *axes: tuple[Axis, Axis]) -> Value:
    """The part of a kernel that is left along its (axis, trimmed axis)."""
    one = kernel.size // (axes[0][0].kernel * axes[1][0].kernel)        # elements of a place
    shape = (*(t.kernel for _, t in axes[-(len(kernel.shape) - 2):]), *kernel.shape[-2:])
    top, left = (min(a.elements()[0], a.kernel - t.kernel) for a, t in axes)
    (height, width), (rows, columns) = zip(*((a.kernel, t.kernel) for a, t in axes))
    part = build.value(shape, batched=False, name="trimmed kernel", needs_gradient=kernel.needs_gradient)
    whole, small = [height, width * one], [rows, columns * one]
    build.emit("pad", [kernel], [part], [1, *whole, *small, -top, -left * one],
               phase="body" if kernel.needs_gradient else "head")
    return build.backward_by(kernel, part, "pad", [], [1, *small, *whole, top, left * one])
