"""What ``fastnn bench --kernels`` and bench/bench_kernels.py measure: kernels on shapes, as each library writes them.

Each contestant is one Python expression over the arrays x and y and its library. All write to arrays given to them,
``out`` for the result and ``room`` for what comes before it, where their library can: nobody is timed allocating. The
oracle is NumPy's expression on float64 arrays. Operations are those that the kernel executes for an element in float32,
on the level that needs fewest: one for each addition, multiplication, division, minimum, maximum and comparison, two
for a multiply-add; moving bits about counts nothing. (The tests count them in the sources.) Bytes are those that must
be read and written once.
"""
import math
import timeit
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from . import _race
from ._race import WrongResult
from ._roofline import KINDS


class Function(NamedTuple):
    """An element-wise function, a reduction, or a function of rows."""

    flops: float             # an element
    stream: str              # the stream that moves memory in the same way
    fastnn: str
    numpy: str | None        # None: NumPy has no such function
    torch: str
    oracle: str | None = None        # in float64, where NumPy's expression is missing


FUNCTIONS = {
    "relu": Function(1, "copy", "ops.relu(x, out=out)", "np.maximum(x, 0, out=out)", "torch.clamp_min(x, 0, out=out)"),
    "add": Function(1, "triad", "ops.add(x, y, out=out)", "np.add(x, y, out=out)", "torch.add(x, y, out=out)"),
    "axpy": Function(2, "update", "ops.axpy(0.5, x, out)", "np.add(out, np.multiply(x, 0.5, out=room), out=out)",
                     "out.add_(x, alpha=0.5)", "np.zeros_like(x) + 0.5 * x"),
    "exp": Function(19, "copy", "ops.exp(x, out=out)", "np.exp(x, out=out)", "torch.exp(x, out=out)"),
    "log": Function(25, "copy", "ops.log(y, out=out)", "np.log(y, out=out)", "torch.log(y, out=out)"),
    "sigmoid": Function(21, "copy", "ops.sigmoid(x, out=out)",
                        "np.divide(1, np.add(np.exp(np.negative(x, out=out), out=out), 1, out=out), out=out)",
                        "torch.sigmoid(x, out=out)"),
    "tanh": Function(23, "copy", "ops.tanh(x, out=out)", "np.tanh(x, out=out)", "torch.tanh(x, out=out)"),
    "softplus": Function(41, "copy", "ops.softplus(x, out=out)", "np.logaddexp(x, 0, out=out)",
                         "torch._C._nn.softplus(x, out=out)"),
    "erf": Function(39, "copy", "ops.erf(x, out=out)", None, "torch.erf(x, out=out)", "erf(x)"),
    "gelu": Function(53, "copy", "ops.gelu(x, approximate=False, out=out)", None,
                     "torch._C._nn.gelu(x, out=out)", "x * 0.5 * (1 + erf(x / 2**0.5))"),
    "silu": Function(23, "copy", "ops.silu(x, out=out)",
                     "np.divide(x, np.add(np.exp(np.negative(x, out=out), out=out), 1, out=out), out=out)",
                     "torch._C._nn.silu(x, out=out)"),
    "sum": Function(1, "read", "ops.sum(x)", "np.sum(x)", "torch.sum(x)"),
    "mean": Function(1, "read", "ops.mean(x)", "np.mean(x)", "torch.mean(x)"),
    "var": Function(6, "read", "ops.var(x)", "np.var(x)", "torch.var(x, correction=0)"),
    "norm": Function(2, "read", "ops.norm(x)", "np.linalg.norm(x)", "torch.linalg.vector_norm(x)"),
    "max": Function(2, "read", "ops.max(x)", "np.max(x)", "torch.max(x)"),
    "argmax": Function(2, "read", "ops.argmax(x)", "np.argmax(x)", "torch.argmax(x)"),
    "dot": Function(2, "read", "ops.dot(x, y)", "np.dot(x, y)", "torch.dot(x, y)"),
    "softmax": Function(22.75, "copy", "ops.softmax(x, out=out)",
                        "np.divide(e := np.exp(np.subtract(x, x.max(-1, keepdims=True), out=out), out=out), "
                        "e.sum(-1, keepdims=True), out=out)",
                        "torch.softmax(x, -1, out=out)"),
    "log_softmax": Function(24, "copy", "ops.log_softmax(x, out=out)",
                            "np.subtract(s := np.subtract(x, x.max(-1, keepdims=True), out=out), "
                            "np.log(np.exp(s, out=room).sum(-1, keepdims=True)), out=out)",
                            "torch.log_softmax(x, -1, out=out)"),
    "logsumexp": Function(22, "read", "ops.logsumexp(x, axis=-1)",
                          "(m := x.max(-1)) + np.log(np.exp(np.subtract(x, m[:, None], out=room), out=room).sum(-1))",
                          "torch.logsumexp(x, -1)"),
}
ROWS = ("softmax", "log_softmax", "logsumexp")
ELEMENTWISE = tuple(name for name, about in FUNCTIONS.items() if about.stream != "read" and name not in ROWS)
READERS = ("sum", "mean", "var", "norm", "max", "argmax")
PRODUCTS = {"A·B": 0, "Aᵀ·B": 1, "A·Bᵀ": 2}
SHAPES = [(64,) * 3, (96,) * 3, (128,) * 3, (256,) * 3, (512,) * 3, (1024,) * 3,
          (32, 784, 128), (256, 784, 128), (784, 32, 128), (32, 128, 64), (32, 64, 10), (1, 784, 128)]
# Of convolutions without padding: images, height, width, channels, filters. They are those of nets for 28 x 28 and
# 64 x 64 pixels.
CONVOLUTIONS = [(32, 28, 28, 1, 32), (32, 64, 64, 3, 32), (32, 31, 31, 32, 64)]
WINDOW = 3                   # their filters' height and width
LARGE = 1_000_000            # from so many elements on, only both ends of a result are compared
END = 50_000


@dataclass(frozen=True)
class Case:
    """One kernel on one shape: of a product M, K, N, of "conv" one of CONVOLUTIONS, else of x."""

    kernel: str
    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def flops(self) -> float:
        if self.kernel in PRODUCTS:
            return 2.0 * math.prod(self.shape)
        if self.kernel == "conv":
            return 2.0 * WINDOW**2 * self.shape[3] * math.prod(_results(self.shape))
        return FUNCTIONS[self.kernel].flops * math.prod(self.shape)

    @property
    def moved(self) -> int:
        """Bytes read and written at least."""
        if self.kernel in PRODUCTS:
            m, k, n = self.shape
            elements = m * k + k * n + m * n
        elif self.kernel == "conv":
            elements = (math.prod(self.shape[:4]) + WINDOW**2 * math.prod(self.shape[3:])
                        + math.prod(_results(self.shape)))
        elif self.kernel == "dot":
            elements = 2 * math.prod(self.shape)
        else:
            elements = len(KINDS[self.stream][1]) * math.prod(self.shape)
        return elements * np.dtype(self.dtype).itemsize

    @property
    def stream(self) -> str:
        if self.kernel == "conv":
            return "copy"
        return "read" if self.kernel in PRODUCTS else FUNCTIONS[self.kernel].stream

    def statement(self, library: str) -> str | None:
        """The expression of a library."""
        if library == "for loop":
            return "forloop(x, y)"
        if self.kernel in PRODUCTS:
            return {"fastnn": "ops.matmul(x, y, out=out)", "numpy": "np.matmul(x, y, out=out)",
                    "torch": "torch.matmul(x, y, out=out)"}[library]
        if self.kernel == "conv":
            return {"fastnn": "ops.conv(x, y, out=out)",
                    "numpy": "convolved(x, y, out, room)",
                    "torch": "conv2d(x, y).permute(0, 2, 3, 1)"}[library]
        return getattr(FUNCTIONS[self.kernel], library)

    def names(self, library: str) -> dict[str, Any]:
        """What the expression of a library needs."""
        given = arrays(self, self.dtype)
        if library == "torch":
            import torch
            tensors = {name: torch.from_numpy(array) for name, array in given.items()}
            if self.kernel == "conv":                # views whose channels lie last
                tensors |= {"x": tensors["x"].permute(0, 3, 1, 2), "y": tensors["y"].permute(3, 2, 0, 1),
                            "conv2d": torch.nn.functional.conv2d}
            return {"torch": torch, **tensors}
        from . import ops
        return {"ops": ops, "np": np, "forloop": _race.Dot.forloop, "convolved": convolved, **given}


def _results(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what a convolution gives."""
    images, height, width, _, filters = shape
    return images, height - WINDOW + 1, width - WINDOW + 1, filters


def convolved(x: np.ndarray, w: np.ndarray, out: np.ndarray | None = None, room: np.ndarray | None = None) -> Any:
    """NumPy's convolution: the windows as rows of a matrix (im2col, written to ``room``), and a product."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], (1, 2)).transpose(0, 1, 2, 4, 5, 3)
    if room is None:
        room = np.empty(windows.shape, x.dtype)
    np.copyto(room, windows)
    filters = w.reshape(-1, w.shape[3])
    y = np.matmul(room.reshape(-1, len(filters)), filters, out=None if out is None else out.reshape(-1, w.shape[3]))
    return y.reshape(*windows.shape[:3], -1)


def arrays(case: Case, dtype: str) -> dict[str, np.ndarray]:
    """The operands x and y, the same numbers for every contestant, and where to write."""
    if case.kernel == "conv":
        return _images(case.shape, dtype)
    return _matrices(case.kernel, case.shape, dtype) if case.kernel in PRODUCTS else _vectors(case.shape, dtype)


@lru_cache(maxsize=1)
def _images(shape: tuple[int, ...], dtype: str) -> dict[str, np.ndarray]:
    """Small whole numbers, as below."""
    rng, results = np.random.default_rng(0), _results(shape)
    return {"x": rng.integers(-8, 9, shape[:4]).astype(dtype),
            "y": rng.integers(-8, 9, (WINDOW, WINDOW, *shape[3:])).astype(dtype), "out": np.zeros(results, dtype),
            "room": np.zeros((*results[:3], WINDOW, WINDOW, shape[3]), dtype)}


@lru_cache(maxsize=1)
def _matrices(kernel: str, shape: tuple[int, ...], dtype: str) -> dict[str, np.ndarray]:
    """Small whole numbers: products and sums are exact in float32, so a result equals the oracle's or is wrong."""
    rng, (m, k, n), flags = np.random.default_rng(0), shape, PRODUCTS[kernel]
    a = rng.integers(-8, 9, (k, m) if flags & 1 else (m, k)).astype(dtype)
    b = rng.integers(-8, 9, (n, k) if flags & 2 else (k, n)).astype(dtype)
    return {"x": a.T if flags & 1 else a, "y": b.T if flags & 2 else b, "out": np.zeros((m, n), dtype)}


@lru_cache(maxsize=1)
def _vectors(shape: tuple[int, ...], dtype: str) -> dict[str, np.ndarray]:
    x = np.random.default_rng(0).standard_normal(shape, np.float32).astype(dtype)
    return {"x": x, "y": np.abs(x[::-1]) + np.dtype(dtype).type(0.25), "out": np.zeros(shape, dtype),
            "room": np.zeros(shape, dtype)}


def value(statement: str | None, names: dict[str, Any]) -> Any:
    """What an expression gives, run as it is timed."""
    results: list[Any] = []
    timeit.timeit(f"results.append({statement})", globals={**names, "results": results}, number=1)
    return results[0]


def check(case: Case, library: str) -> None:
    """Raise WrongResult unless a library's result is that of float64 NumPy."""
    arrays(case, case.dtype)["out"].fill(0)
    check_value(case, library, value(case.statement(library), case.names(library)))


def check_value(case: Case, library: str, computed: Any) -> None:
    """Raise WrongResult unless this is what float64 NumPy computes."""
    given, oracle = arrays(case, case.dtype), case.statement("numpy")
    if case.kernel in FUNCTIONS:
        oracle = FUNCTIONS[case.kernel].oracle or oracle
    result = np.asarray(computed, np.float64)
    ends = case.kernel in ELEMENTWISE and result.size > LARGE
    for part in [slice(0, END), slice(-END, None)] if ends else [...]:
        exact = {name: given[name][part].astype(np.float64) for name in ("x", "y")}
        expected = np.asarray(value(oracle, {"np": np, "erf": np.vectorize(math.erf), "convolved": convolved,
                                             "out": None, "room": None, **exact}))
        got = result[part] if ends else result
        # Sums of small whole numbers have no tolerance; closer bounds of functions are the tests' matter.
        rtol = 0.0 if case.kernel in (*PRODUCTS, "conv") else 1e-5 if library == "fastnn" else 1e-3
        if got.shape != expected.shape or not np.allclose(got, expected, rtol=rtol, atol=rtol):
            raise WrongResult(f"{library}, {case.kernel} {'x'.join(map(str, case.shape))} {case.dtype}: "
                              "the result is not that of float64 NumPy")
