"""What activation functions are: settings, a call on arrays, operations in a program."""
from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import numpy as np

from .. import _arrays
from .._describe import Described
from .._kernels.ops import Kernel
from .._warn import warn
from ..program import Lowering, PerRow, Value
from ..program.eager import Scalar, Tensor


class Activation(Described):
    """A function that layers apply to their output, element by element.

    Called with a number it returns a number, with an array or lists an array of the same shape: float64 for an array of
    float64, float32 for one of float32, ``backend.floatx()`` for all else. ``settings``: its further arguments and
    their defaults. The kernels are ``<kernel>_forward`` (x -> y) and ``<kernel>_backward`` (dy and ``reads`` -> dx),
    which take ``numbers`` and the settings; ``reads``: "y", or "x" where the derivative needs the input.
    """

    def __init__(self, name: str, formula: str, reads: str = "y", kernel: str | None = None,
                 numbers: tuple[float, ...] = (), settings: Mapping[str, Any] = {}):
        self.__name__ = self.name = name
        self.__doc__ = formula
        self.reads, self.kernel_name, self.numbers = reads, kernel or name, numbers
        self.settings = self.defaults = dict(settings)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        arguments = [inspect.Parameter(n, kind, default=v) for n, v in settings.items()]
        self.__signature__ = inspect.Signature([inspect.Parameter("x", kind), *arguments])

    def having(self, *values, **settings) -> Self:
        """This function with other settings; TypeError for one it does not take, ValueError for what is no number."""
        bound = self.__signature__.bind(None, *values, **settings).arguments
        other = copy.copy(self)
        other.settings = self.settings | {n: self.checked(n, v) for n, v in bound.items() if n != "x"}
        return other

    def checked(self, name: str, value: Any) -> Any:
        """A setting as it is kept; ValueError unless it is a finite number."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) \
                or not math.isfinite(value):
            raise ValueError(f"{self.name}: `{name}` must be a finite number, got {value!r:.60}")
        return float(value)

    def kernel(self) -> tuple[str, tuple[float, ...], str]:
        """(kernel, its numbers, what its derivative reads)."""
        return self.kernel_name, (*self.numbers, *self.settings.values()), self.reads

    def __call__(self, x, *values, **settings):
        function = self.having(*values, **settings) if values or settings else self
        if type(x) is Tensor:
            x = x.view(np.ndarray)
        if type(x) is not np.ndarray or x.dtype.char not in "fd":
            x = _arrays.as_float(x, "x")
        y = function.apply(x)
        return y.view(Tensor) if y.ndim else Scalar(y)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """The function of an array of float32 or float64."""
        kernel, numbers, _ = self.kernel()
        return compiled(kernel)(x, numbers)

    def lower(self, build: Lowering, x: Value) -> Value:
        """Name the forward and backward operations; returns y of the shape of ``x``."""
        return self.lower_as(build, x, [x.elements()])

    def lower_as(self, build: Lowering, x: Value, sizes: list[int]) -> Value:
        """The same for kernels of these sizes."""
        kernel, numbers, reads = self.kernel()
        if reads == "y" and any(n < 0 for n in numbers):
            raise ValueError(f"{self.name}: {_listed(self.settings)} must be at least 0 in a layer: the derivative is "
                             "read off the output")
        y = build.result(x, shape=x.shape, name=self.name)
        build.emit(f"{kernel}_forward", [x], [y], sizes, numbers)
        return build.backward_by(x, y, f"{kernel}_backward", [y if reads == "y" else x], sizes, numbers)

    def get_config(self) -> dict[str, Any]:
        return dict(self.settings)

    def describe(self) -> Any:
        """The name, or with other settings than the defaults {"class_name": name, "config": settings}."""
        if self.settings == self.defaults:
            return self.name
        return {"class_name": self.name, "config": self.get_config()}

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.settings.items() if v != self.defaults[n]}
        return f"<activation {self.name}{f' with {_listed(changed)}' if changed else ''}>"


class Linear(Activation):
    """x itself."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        return x.copy()

    def lower(self, build: Lowering, x: Value) -> Value:
        return x


class Relu(Activation):
    """The family of relu: which kernel depends on the settings."""

    def checked(self, name, value):
        return None if name == "max_value" and value is None else super().checked(name, value)

    def kernel(self):
        slope, top, edge = self.settings.values()
        if top is None and edge == 0:
            return ("leaky_relu", (slope,), "y") if slope else ("relu", (), "y")
        if slope == 0 and edge == 0 and top >= 0:
            return "clipped_relu", (top,), "y"
        return "general_relu", (slope, math.inf if top is None else top, edge, -math.inf if top is None else 0.0), "x"


class Gelu(Activation):
    """gelu in its two forms."""

    def checked(self, name, value):
        return bool(value)

    def kernel(self):
        return "gelu_tanh" if self.settings["approximate"] else "gelu", (), "x"


class Rowwise(Activation):
    """A function along an axis; or along several that lie side by side, taken as one."""

    def checked(self, name, value):
        axes = value if isinstance(value, (tuple, list)) else [value]
        if not axes or not all(hasattr(a, "__index__") and not isinstance(a, bool) for a in axes):
            raise ValueError(f"{self.name}: `axis` must be a whole number, or several in a tuple, got {value!r:.60}")
        return value

    def kernel(self):
        return self.kernel_name, (), "y"

    def parts(self, shape: tuple, first: int = 0) -> tuple[int, int, int]:
        """(outer, middle, inner) sizes of an array, the middle along ``axis``; ``first`` axes are not in ``shape``."""
        axis, rank = self.settings["axis"], len(shape) + first
        if rank == 0:
            raise ValueError(f"{self.name}: `x` must have rank 1 or more, got a single number")
        axes = sorted(_arrays.check_axis(a, rank) for a in (axis if isinstance(axis, (tuple, list)) else [axis]))
        if axes != list(range(axes[0], axes[0] + len(axes))):
            raise ValueError(f"{self.name}: `axis` must be one axis, or several side by side, got {axis!r:.60}")
        if axes[0] < first:
            raise ValueError(f"{self.name}: `axis` must not be 0 in a layer, where a row's result may not depend on "
                             f"the other rows of the batch, got {axis!r:.60}")
        start, stop = axes[0] - first, axes[-1] + 1 - first
        return math.prod(shape[:start]), math.prod(shape[start:stop]), math.prod(shape[stop:])

    def apply(self, x):
        if self.settings["axis"] == -1 and x.ndim:
            return compiled(self.kernel_name, True)(x)
        outer, middle, inner = self.parts(x.shape)
        if inner == 1:
            return compiled(self.kernel_name, True)(x.reshape(outer, middle)).reshape(x.shape)
        rows = np.ascontiguousarray(x.reshape(outer, middle, inner).swapaxes(1, 2))
        y = compiled(self.kernel_name, True)(rows).swapaxes(1, 2)
        return np.ascontiguousarray(y).reshape(x.shape)

    def lower(self, build, x):
        outer, middle, inner = self.parts(x.shape, int(x.batched))
        size = PerRow if x.batched else int
        if middle == 1:
            warn(f"{self.name} along an axis of size 1, of shape {(None, *x.shape)}: the result does not depend on the "
                 "input; for one output use sigmoid")
        if inner == 1:
            return self.lower_as(build, x, [size(outer), middle])
        y = self.lower_as(build, swapped(build, x, size(outer), middle, inner), [size(outer * inner), middle])
        return swapped(build, y, size(outer), inner, middle)


def swapped(build: Lowering, x: Value, outer: int, middle: int, inner: int) -> Value:
    """x, seen as (outer, middle, inner), with the last two axes exchanged in memory."""
    y = build.result(x, shape=x.shape, name="axes exchanged")
    build.emit("swap_axes", [x], [y], [outer, middle, inner])
    return build.backward_by(x, y, "swap_axes", [], [outer, inner, middle])


@cache
def compiled(kernel: str, rows: bool = False) -> Kernel:
    return Kernel(f"{kernel}_forward", rows)


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{n}={v!r:.60}" for n, v in settings.items())
