"""Random calls of the kernels of vectors and matrices: for fuzz_kernels.py."""
import numpy as np
import test_activation
import test_matmul
import test_reduction
import test_softmax
from fuzz_draw import close, same
from fuzz_eager import logsumexp

from fastnn import _kernels

ACCUMULATE, SCALE_FIRST = 4, 8
GATHERED = ("float32", "float64", "float16", "uint8", "int32", "int64", "bool")


def matmul(d):
    m, n = (d.size(70 if d.threads == 1 else 200) for _ in range(2))       # enough for several blocks
    k = d.size(150)
    flags = d.rng.choice((0, 0, 1, 2, 3)) | d.rng.choice((0, 0, ACCUMULATE))
    start, scale, shift = (d.values(n) if d.rng.random() < 0.3 else None for _ in range(3))
    forward = d.rng.choice((0, 0, 0, 1, 2, 3))
    gradient = d.rng.choice((0, 0, 0, 1, 2, 3))
    if scale is not None or shift is not None:
        flags |= d.rng.choice((0, SCALE_FIRST))
    a, b = (d.place(d.values(*(shape[::-1] if flags & bit else shape)), d.rng.choice((0, 0, 1, 3)))
            for shape, bit in (((m, k), 1), ((k, n), 2)))
    c = d.place(d.values(m, n), d.rng.choice((0, 0, 1, 2)))
    before = c.astype(np.float64) if flags & ACCUMULATE else np.zeros((m, n))
    y = np.abs(d.values(m, n)) / 40 if gradient else None
    size = _kernels.load_level(d.level).scratch_bytes("matmul", (m, k, n), flags, c.itemsize)
    scratch = d.place(np.empty(size, np.uint8)) if size else None
    strides = [max(1, x.strides[0] // x.itemsize) for x in (a, b, c)]
    d.run("matmul", [a, b, start, scale, shift, y, scratch, c], (m, k, n, *strides),
          flags=flags | forward << 8 | gradient << 16)
    wide_a, wide_b = ((x.T if flags & bit else x).astype(np.float64) for x, bit in ((a, 1), (b, 2)))
    z = wide_a @ wide_b + before
    bound = np.abs(wide_a) @ np.abs(wide_b) + np.abs(before)
    if start is not None:
        z, bound = z + start, bound + np.abs(start)
    factor, term = (np.float64(1) if scale is None else scale.astype(np.float64),
                    np.float64(0) if shift is None else shift.astype(np.float64))
    function = test_matmul.ACTIVATIONS[forward][0]
    with np.errstate(over="ignore"):      # exp(-z) of the oracle's sigmoid
        expected = function(factor * z + term) if flags & SCALE_FIRST else factor * function(z) + term
    if gradient:
        expected = expected * test_matmul.ACTIVATIONS[gradient][1](y.astype(np.float64))
    close(c, expected, 8 + k ** 0.5, 1 + (1 + np.abs(factor)) * (1 + bound) + np.abs(term))


def activation(d):
    name, numbers = d.rng.choice(test_activation.CASES)
    shape = (d.size(300),)
    x, dy = d.values(*shape), d.values(*shape)
    function = test_activation.FUNCTIONS[name][0]
    y = d.run(f"{name}_forward", [x, d.place(np.empty_like(x))], [x.size], numbers)
    expected = function(x.astype(np.float64), *numbers).astype(np.float64)
    units = 64 if d.dtype == "float32" else 1 << 16
    close(y, expected, units, 1 + np.abs(expected))
    if d.rng.random() < 0.5:
        read = x if name in test_activation.READ_X else y
        dx = d.run(f"{name}_backward", [dy, read, d.place(np.empty_like(x))], [x.size], numbers)
        expected = (dy * test_activation.slope(name, x, numbers)).astype(np.float64)
        close(dx, expected, units, 16 + np.abs(expected))


def softmax(d):
    rows, classes, log = d.size(40), d.size(120), d.rng.random() < 0.5
    x, dy = d.values(rows, classes), d.values(rows, classes)
    name = "log_softmax" if log else "softmax"
    y = d.run(f"{name}_forward", [x, d.place(np.empty_like(x))], [rows, classes])
    dx = d.run(f"{name}_backward", [dy, y, d.place(np.empty_like(x))], [rows, classes])
    if not x.size:
        return
    wide, dy = x.astype(np.float64), dy.astype(np.float64)
    expected = test_softmax.softmax(wide)
    total = np.abs(dy).sum(1, keepdims=True)
    if log:
        close(y, test_softmax.log_softmax(wide), 16, 1 + np.abs(wide).max())
        close(dx, dy - expected * dy.sum(1, keepdims=True), 64, 1 + total)
    else:
        close(y, expected, 64, 1)
        close(dx, expected * (dy - (dy * expected).sum(1, keepdims=True)), 64, 1 + total)


def arithmetic(d):
    rows, columns = d.size(), d.size()
    x, y = d.values(rows, columns), d.values(rows, columns)
    scale, shift = d.values(columns), d.values(columns)
    out = d.place(np.empty_like(x))
    name = d.rng.choice(("add", "product", "fill", "scale_shift", "shift_scale", "axpy", "log"))
    if name == "add":
        same(d.run(name, [x, y, out], [x.size]), x + y)
    elif name == "product":
        same(d.run(name, [x, y, out], [x.size]), x * y)
    elif name == "fill":
        assert (d.run(name, [out], [x.size], [0.1]) == np.array(0.1, d.dtype)).all()
    elif name == "axpy":
        y = d.place(y)
        expected = y.astype(np.float64) + 0.3 * x
        close(d.run(name, [x, y], [x.size], [0.3]), expected, 4, 1e-30 + np.abs(x) + np.abs(y))
    elif name == "log":
        expected = np.log(np.abs(x.astype(np.float64)))
        close(d.run("log_forward", [np.abs(x), out], [x.size]), expected, 4, 1 + np.abs(expected))
    elif name == "scale_shift":
        expected = x.astype(np.float64) * scale + shift
        close(d.run(name, [x, scale, shift, out], [rows, columns]), expected, 4, 1 + np.abs(shift) + np.abs(expected))
    else:
        same(d.run(name, [x, scale, shift, out], [rows, columns]), (x - shift) * scale)


def sums(d):
    rows, columns = d.size(200), d.size()
    x = d.values(rows, columns)
    wide = x.astype(np.float64)
    size = 1 + np.abs(wide).sum(0)
    if d.rng.random() < 0.3:
        close(d.run("sum", [x, d.place(np.zeros(1))], [x.size]), wide.sum(), 64, 1 + size.sum())
        return
    start, flags = d.values(columns), d.rng.choice((0, ACCUMULATE))
    total = d.run("column_sum", [x, d.place(start)], [rows, columns], flags=flags)
    close(total, wide.sum(0) + (start if flags else 0), 8 + rows ** 0.5, size + np.abs(start))


def reduction(d):
    kind = d.rng.choice((*test_reduction.KINDS, "logsumexp"))
    outer, middle, inner = d.size(8), max(1, d.size(200)), d.rng.choice((1, d.size(35)))
    if kind == "logsumexp":
        x = d.values(outer, middle)
        y = d.run(kind, [x, d.place(np.empty(outer, d.dtype))], [outer, middle])
        return close(y, logsumexp(x.astype(np.float64), (1,)), 16, 1 + np.abs(x).max(1))
    x = d.values(outer, middle, inner)
    where = kind.startswith("arg")
    y = d.run(f"reduce_{kind}", [x, d.place(np.empty((outer, inner), np.int64 if where else d.dtype))], x.shape)
    expected = test_reduction.KINDS[kind](x.astype(np.float64), axis=1)
    if where:
        return same(y, expected)
    return close(y, expected, 16, 1e-30 + np.abs(x).sum(1) / (1 if kind in ("sum", "norm") else middle) + expected ** 2)


def axes(d):
    outer, middle, inner = d.size(12), d.size(20), d.size(40)
    x = d.values(outer, middle, inner)
    name = d.rng.choice(("swap_axes", "reduce_sum", "repeat"))
    sizes = (outer, middle, inner)
    if name == "swap_axes":
        out = d.run(name, [x, d.place(np.empty((outer * inner, middle), d.dtype))], sizes)
        same(out.reshape(outer, inner, middle), x.swapaxes(1, 2))
    elif name == "reduce_sum":
        out = d.run(name, [x, d.place(np.empty((outer, inner), d.dtype))], sizes)
        close(out, x.astype(np.float64).sum(1), 8 + middle, 1 + np.abs(x).sum(1))
    else:
        a = d.values(outer, inner)
        out = d.run(name, [a, d.place(np.empty((outer * middle, inner), d.dtype))], sizes)
        same(out.reshape(sizes), np.broadcast_to(a[:, None], sizes))


def gather(d):
    given, features, rows = d.rng.choice(GATHERED), d.size(), d.size(40)
    n = rows + d.rng.randrange(9)
    array = (d.values(max(n, 1), features, dtype="float32") * 10).astype(given)
    far = d.place(array, d.rng.choice((0, 1, 5)))[::d.rng.choice((1, -1))]
    order = None
    if d.rng.random() < 0.5:
        order = np.array(d.rng.sample(range(len(far)), len(far)))
    first = d.rng.randint(0, len(far) - min(rows, len(far)))
    rows = min(rows, len(far) - first)
    out = d.place(np.empty((rows, features), d.dtype))
    d.run("gather", [out], [rows, features, 0], arrays=[far], order=order, start=first)
    same(out, (far if order is None else far[order])[first:first + rows].astype(d.dtype))


CALLS = {matmul: 30, activation: 15, softmax: 6, arithmetic: 8, sums: 5, reduction: 6, axes: 4, gather: 6}
