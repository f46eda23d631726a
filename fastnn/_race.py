"""The race: one small computation written in three ways, beside the compiled function of fastnn.

Each operation (dot product, matrix product, relu, convolution) is written as ``forloop``, as ``listcomprehension`` and
as ``vectorized`` (one call for the whole array). The first two run unchanged on Python lists, NumPy arrays and torch
tensors. ``fastnn bench`` and ``bench/bench_vectorization.py`` both run what stands here, on one thread.

All numbers are small integers other than zero: every product and partial sum is exact in float32, in whatever order it
is computed. So a result equals that of the float64 oracle or it is wrong; there is no tolerance to hide behind.
"""
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

ROUNDS = 10          # the protocol of the published comparison: 10 rounds of 10 calls each
ITERATIONS = 10
WAYS = ("forloop", "listcomprehension", "vectorized")
# Published mean and standard deviation, in seconds, of the dot product of two torch tensors of 1000 elements.
PUBLISHED = {
    "forloop": (9.08e-3, 46.8e-6),
    "listcomprehension": (7.23e-3, 65.5e-6),
    "vectorized": (6.93e-6, 10.1e-6),
}


class WrongResult(AssertionError):
    """A contestant computed something else than the oracle."""


class Dot:
    """The sum of a[i] * b[i] of two vectors."""

    sizes = (10, 100, 1000, 10_000, 100_000)
    unit = "elements"
    power = 1            # the work grows with size ** power
    shapes = staticmethod(lambda size: ((size,), (size,)))
    oracle = vectorized = staticmethod(np.dot)      # no function around it: that would cost a tenth of the call

    @staticmethod
    def forloop(a, b):
        total = 0.0
        for i in range(len(a)):
            total += a[i] * b[i]
        return total

    @staticmethod
    def listcomprehension(a, b):
        return sum([x * y for x, y in zip(a, b)])


class Matmul:
    """The product of two square matrices."""

    sizes = (8, 16, 32)
    unit = "rows and columns"
    power = 3
    shapes = staticmethod(lambda size: ((size, size), (size, size)))
    oracle = vectorized = staticmethod(np.matmul)

    @staticmethod
    def forloop(a, b):
        c = []
        for i in range(len(a)):
            row = []
            for j in range(len(b[0])):
                total = 0.0
                for k in range(len(b)):
                    total += a[i][k] * b[k][j]
                row.append(total)
            c.append(row)
        return c

    @staticmethod
    def listcomprehension(a, b):
        columns = list(zip(*b))
        return [[sum([x * y for x, y in zip(row, column)]) for column in columns] for row in a]


class Relu:
    """max(x, 0) of every element of a vector."""

    sizes = (100, 1000, 10_000)
    unit = "elements"
    power = 1            # the work grows with size ** power
    shapes = staticmethod(lambda size: ((size,),))

    @staticmethod
    def oracle(x):
        return np.maximum(x, 0)

    @staticmethod
    def forloop(x):
        y = []
        for value in x:
            if value > 0:
                y.append(value)
            else:
                y.append(0.0)
        return y

    @staticmethod
    def listcomprehension(x):
        return [value if value > 0 else 0.0 for value in x]

    vectorized = oracle


class Conv:
    """Eight filters of 3 x 3 over a picture of one channel, two rows and columns larger than the result."""

    sizes = (6, 14, 26)
    unit = "rows and columns"
    power = 2
    shapes = staticmethod(lambda size: ((1, size + 2, size + 2, 1), (3, 3, 1, 8)))

    @staticmethod
    def forloop(x, w):
        y = []
        for picture in x:
            rows = []
            for i in range(len(picture) - len(w) + 1):
                row = []
                for j in range(len(picture[0]) - len(w[0]) + 1):
                    pixel = []
                    for f in range(len(w[0][0][0])):
                        total = 0.0
                        for k in range(len(w)):
                            for m in range(len(w[0])):
                                for c in range(len(w[0][0])):
                                    total += picture[i + k][j + m][c] * w[k][m][c][f]
                        pixel.append(total)
                    row.append(pixel)
                rows.append(row)
            y.append(rows)
        return y

    @staticmethod
    def listcomprehension(x, w):
        height, width, n = len(w), len(w[0]), len(w[0][0][0])
        filters = [[kernel[f] for line in w for place in line for kernel in place] for f in range(n)]
        return [[[[sum([a * b for a, b in zip(window, kernel)]) for kernel in filters]
                  for j in range(len(picture[0]) - width + 1)
                  for window in [[a for line in picture[i:i + height] for place in line[j:j + width] for a in place]]]
                 for i in range(len(picture) - height + 1)] for picture in x]

    @staticmethod
    def oracle(x, w):
        windows = np.lib.stride_tricks.sliding_window_view(x, (len(w), len(w[0])), (1, 2))
        return np.tensordot(windows, w, ((4, 5, 3), (0, 1, 2)))         # of (..., channels, height, width)

    vectorized = oracle

    @staticmethod
    def torch(x, w):
        from torch.nn.functional import conv2d
        return conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1)).permute(0, 2, 3, 1)      # views both


OPERATIONS: dict[str, Any] = {"dot": Dot, "matmul": Matmul, "relu": Relu, "conv": Conv}


@dataclass(frozen=True)
class Contestant:
    """One way of writing ("fastnn" among them) an operation, over one kind of container."""

    operation: str
    way: str
    container: str       # "list", "numpy" or "torch"
    function: Callable[..., Any]

    @property
    def label(self):
        name = f"fastnn.ops.{self.operation}" if self.way == "fastnn" else self.way
        return f"{name}, {self.container}"

    def published(self, size):
        """The published (mean, standard deviation) in seconds, or None."""
        known = (self.operation, self.container, size) == ("dot", "torch", 1000)
        return PUBLISHED.get(self.way) if known else None


@dataclass(frozen=True)
class Timing:
    """Seconds a call, one number a round."""

    seconds: tuple[float, ...]

    @cached_property
    def median(self):
        return statistics.median(self.seconds)

    @cached_property
    def mean(self):
        return statistics.fmean(self.seconds)

    @cached_property
    def deviation(self):
        return statistics.stdev(self.seconds) if len(self.seconds) > 1 else 0.0


def containers():
    """The kinds of container that can race here: torch only where it is installed."""
    return ("list", "numpy", "torch") if importlib.util.find_spec("torch") else ("list", "numpy")


def contestant(operation, way, container):
    """The contestant of these three names."""
    if way == "fastnn":
        from fastnn import ops
        function = getattr(ops, operation)
    elif way == "vectorized" and container == "torch":
        import torch
        function = getattr(OPERATIONS[operation], "torch", None) or getattr(torch, operation)      # such as torch.dot
    else:
        function = getattr(OPERATIONS[operation], way)
    return Contestant(operation, way, container, function)


def contestants(operation):
    """Everybody who runs ``operation`` here, slow ways first; fastnn takes lists and arrays."""
    field = [contestant(operation, way, container) for way in WAYS for container in containers()]
    return field + [contestant(operation, "fastnn", container) for container in ("list", "numpy")]


def arrays(operation, size):
    """The arguments as float64 arrays of integers from -8 to 8 without zero, the same in every process."""
    rng = np.random.default_rng(size)
    return tuple(rng.integers(1, 9, shape) * rng.choice([-1.0, 1.0], shape)
                 for shape in OPERATIONS[operation].shapes(size))


def arguments(operation, size, container):
    """The arguments in a container: lists of floats, float32 arrays or float32 tensors."""
    given = arrays(operation, size)
    if container == "list":
        return tuple(x.tolist() for x in given)
    given = tuple(x.astype(np.float32) for x in given)
    if container == "torch":
        import torch
        return tuple(torch.from_numpy(x) for x in given)
    return given


def check(operation, size, result):
    """Raise WrongResult unless ``result`` equals, element for element, what float64 NumPy computes."""
    expected = np.asarray(OPERATIONS[operation].oracle(*arrays(operation, size)))
    result = np.asarray(result, np.float64)
    if result.shape != expected.shape:
        raise WrongResult(f"{operation} of size {size}: shape {result.shape}, expected {expected.shape}")
    if not np.array_equal(result, expected):
        wrong = int(np.count_nonzero(result != expected))
        raise WrongResult(f"{operation} of size {size}: {wrong} of {expected.size} numbers differ from the oracle's")


def one_thread():
    """Let every contestant of this process run on one thread: the race is between ways of writing."""
    import fastnn
    fastnn.set_num_threads(1)
    if "torch" in containers():
        import torch
        torch.set_num_threads(1)


def measure(runner, size, rounds=ROUNDS, iterations=ITERATIONS, limit=float("inf")):
    """Check a contestant's result, then time it.

    Returns a Timing, or None if all calls would take more than ``limit`` seconds; the first call is not even made if,
    judged by a smaller size, it alone would.
    """
    operation = OPERATIONS[runner.operation]
    small = operation.sizes[-2]
    if size > small:
        given = arguments(runner.operation, small, runner.container)
        if _seconds(runner.function, given) * (size / small) ** operation.power > limit:
            return None
    given = arguments(runner.operation, size, runner.container)
    start = time.perf_counter()
    result = runner.function(*given)
    if (time.perf_counter() - start) * rounds * iterations > limit:
        return None
    check(runner.operation, size, result)
    return Timing(tuple(_seconds(runner.function, given, iterations) for _ in range(rounds)))


def _seconds(function, given, iterations=1):
    """Seconds a call, averaged over the iterations."""
    start = time.perf_counter()
    for _ in range(iterations):
        function(*given)
    return (time.perf_counter() - start) / iterations


def duration(seconds):
    """A duration in the unit that suits it, with three significant digits.

    >>> duration(6.93e-6), duration(9.08e-3), duration(6.3e-8), duration(12.345)
    ('6.93 µs', '9.08 ms', '63.0 ns', '12.3 s')
    """
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3), ("s", 1.0)):
        value = seconds * factor
        if float(f"{value:.3g}") < 1000 or unit == "s":
            break
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f} {unit}"


def times(value, base):
    """A ratio as a reader says it.

    >>> times(4.93, 1.0), times(1870.0, 1.0), times(1.0, 1.25)
    ('4.93x', '1,870x', '0.80x')
    """
    ratio = value / base
    return f"{ratio:,.0f}x" if ratio >= 9.995 else f"{ratio:.2f}x"
