"""The windows of a convolution along both axes, and the phases of its gradient by the input."""
from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from ..program import Lowering, PerRow
from .windows import Axis

ONE = Axis(1, 1, 1, 1, 1, 0)             # the rows of what has steps only
MOST_PHASES = 1 << 14                    # that are planned: more than a second's work


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
    """The phases of an axis that have a place in x and an element; of an axis without stride it is one."""
    for rest in range(min(axis.stride, axis.kernel)):
        elements = -(-(axis.kernel - rest) // axis.stride)
        start = -((rest - axis.before) // axis.stride)             # place first of x is start · stride + rest - before
        n = (axis.size - 1 + axis.before - rest) // axis.stride - start + 1
        if n > 0:
            before = (elements - 1) * axis.dilation - start
            yield Phase(rest, start * axis.stride + rest - axis.before,
                        Axis(axis.out, n, elements, 1, axis.dilation, before))


def check_phases(build: Lowering, g: Geometry) -> None:
    """Raise ValueError for strides that make more phases than anyone waits for."""
    n = math.prod(min(a.stride, a.kernel, a.size) for a in (g.rows, g.columns))
    if n > MOST_PHASES:
        raise ValueError(f"layer {build.layer!r}: `strides` and `kernel_size` must make at most {MOST_PHASES} phases "
                         f"(their product over the axes, the smaller of the two along each), got {n}; use smaller "
                         "strides or a smaller kernel")
