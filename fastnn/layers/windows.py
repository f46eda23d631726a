"""Windows that go over steps or images: how many there are and where the first begins, as Keras has it."""
from __future__ import annotations

from typing import NamedTuple


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
    given = tuple(value) if isinstance(value, (list, tuple)) else (value,) * n
    if len(given) != n or not all(is_int(v) and v >= least for v in given):
        kind = "a positive int" if least else "an int of at least 0"
        several = f", or {n} of them" if n > 1 else ""
        raise ValueError(f"{where}: `{argument}` must be {kind}{several}, got {value!r:.60}")
    return tuple(v.__index__() for v in given)


def positive_int(where: str, argument: str, value) -> int:
    """A setting that is a positive int; ValueError otherwise."""
    if not is_int(value) or value <= 0:
        raise ValueError(f"{where}: `{argument}` must be a positive int, got {value!r:.60}")
    return value.__index__()


def is_int(value) -> bool:
    """Whether it is a whole number, True and False being none."""
    return hasattr(value, "__index__") and not isinstance(value, bool)


def check_padding(where: str, value, causal: bool = False) -> str:
    """ "valid", "same" or, where it can be, "causal", from any case; ValueError otherwise."""
    known = ("valid", "same", "causal") if causal else ("valid", "same")
    padding = value.lower() if isinstance(value, str) else value
    if padding not in known:
        rule = ", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}"
        advice = "; 'causal' is for Conv1D" if padding == "causal" else ""
        raise ValueError(f"{where}: `padding` must be {rule}, got {value!r:.60}{advice}")
    return padding
