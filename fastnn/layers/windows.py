"""Windows that go over steps or images: how many there are and where the first begins, as Keras has it."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST = 2**31 - 1                     # of a setting, and of the size of an axis


class Axis(NamedTuple):
    """Windows along one axis: output o covers the places o · stride - before + k · dilation, k < kernel."""
    size: int
    out: int
    kernel: int
    stride: int
    dilation: int
    before: int          # places of padding before the first; those behind the last follow from ``out``

    @property
    def reach(self) -> int:
        """Places from the first to the last of a window."""
        return (self.kernel - 1) * self.dilation + 1

    def elements(self) -> tuple[int, int]:
        """(first, stop) of the kernel's elements from the first to the last that meet a place of the axis."""
        first = max(0, -(((self.out - 1) * self.stride - self.before) // self.dilation))
        return first, min(self.kernel, (self.before + self.size - 1) // self.dilation + 1)

    def trimmed(self) -> Axis:
        """The same windows by these elements alone, so that none reaches further out than the axis is long; where all
        meet padding only, by one that does."""
        first, stop = self.elements()
        if self.out == 0 or (first, stop) == (0, self.kernel):
            return self
        if first >= stop:
            return self._replace(kernel=1, dilation=1, before=(self.out - 1) * self.stride + 1)
        dilation = 1 if stop - first == 1 else self.dilation
        return self._replace(kernel=stop - first, dilation=dilation, before=self.before - first * self.dilation)


def axis_of(size: int, kernel: int, stride: int = 1, dilation: int = 1, padding: str = "valid") -> Axis:
    """The windows along an axis of ``size`` places; none (``out`` 0) where a kernel does not fit without padding.

    "same": one output for each stride, padding on both sides, the surplus place behind. "causal": all of it before.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        return Axis(size, max(0, (size - reach) // stride + 1), kernel, stride, dilation, 0)
    out = -(-size // stride)
    before = reach - 1 if padding == "causal" else max(0, (out - 1) * stride + reach - size) // 2
    return Axis(size, out, kernel, stride, dilation, before)


def positive_ints(where: str, argument: str, value, n: int, least: int = 1) -> tuple[int, ...]:
    """``value``, or each of its ``n`` elements, as ``n`` ints of at least ``least`` (0 or 1); ValueError otherwise."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    given = tuple(value) if isinstance(value, (list, tuple)) else (value,) * n
    if len(given) != n or not all(is_int(v) and least <= v <= MOST for v in given):
        kind = "a positive int" if least else "an int of at least 0"
        several = f", or {n} of them" if n > 1 else ""
        raise ValueError(f"{where}: `{argument}` must be {kind}{several}, got {value!r:.60}{too_large(given)}")
    return tuple(v.__index__() for v in given)


def positive_int(where: str, argument: str, value) -> int:
    """A setting that is a positive int; ValueError otherwise."""
    if not is_int(value) or not 0 < value <= MOST:
        raise ValueError(f"{where}: `{argument}` must be a positive int, got {value!r:.60}{too_large((value,))}")
    return value.__index__()


def too_large(given) -> str:
    """What to add to an error about settings that are larger than any may be."""
    return "; at most 2**31 - 1" if any(is_int(v) and v > MOST for v in given) else ""


def is_int(value) -> bool:
    """Whether it is a whole number, True and False being none."""
    return hasattr(value, "__index__") and not isinstance(value, (bool, np.ndarray))


def check_padding(where: str, value, causal: bool = False) -> str:
    """ "valid", "same" or, where it can be, "causal", from any case; ValueError otherwise."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    padding = value.lower() if isinstance(value, str) else value
    if padding not in known:
        rule = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
        advice = "; 'causal' is for Conv1D" if padding == "causal" else ""
        raise ValueError(f"{where}: `padding` must be {rule}, got {value!r:.60}{advice}")
    return padding
