"""Random calls of the eager functions, on arrays as callers have them: for fuzz_kernels.py."""
import math

import numpy as np
import ops_checks
import test_activation
import test_ops_convolution
from fuzz_draw import close, same

from fastnn import ops, testing

ODD = (np.nan, np.inf, -np.inf)


def eager(function):
    """``function(d)`` on as many threads as the call draws."""
    def call(d):
        threads = testing.forced_threads(d.threads) if d.threads > 1 else testing.changed_limits()
        with np.errstate(all="ignore"), threads:
            function(d)
    call.__name__ = f"eager_{function.__name__}"
    return call


def shape_of(d, ranks=(0, 3), least=0):
    """A shape of a few hundred elements at the most, or a few thousand."""
    rank = d.rng.randint(*ranks)
    return tuple(max(least, d.size((0, 300, 60, 20)[rank])) for _ in range(rank))


def any_array(d, *shape, finite=True):
    """An array of this shape: any dtype, byte order, strides and alignment; read-only; odd numbers among others."""
    kind = d.rng.randrange(16)
    x = d.values(*shape)
    if kind == 0:
        return (x * 8).astype(d.rng.choice(("int32", "int64", "uint8", "float16", "bool")))
    if not finite and x.ndim and x.size and d.rng.random() < 0.1:
        x = x.copy()
        x.flat[[d.rng.randrange(x.size) for _ in range(3)]] = [d.rng.choice(ODD) for _ in range(3)]
    return view(d, kind, x)


def view(d, kind, x):
    """The numbers of x as they may lie in memory."""
    if kind == 1 and x.ndim:
        return np.asfortranarray(x)
    if kind == 2 and x.ndim:
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if kind == 3 and x.ndim:
        return np.flip(x, d.rng.randrange(x.ndim))
    if kind == 4:
        return x.astype(x.dtype.newbyteorder())
    if kind == 5:
        x = np.array(x)
        x.flags.writeable = False
    elif kind == 6:
        raw = np.zeros(x.nbytes + 1, np.uint8)
        raw[1:] = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
        return raw[1:].view(x.dtype).reshape(x.shape)
    elif kind in (7, 8) and x.ndim > 1:
        return np.swapaxes(x, -1, -2).copy().swapaxes(-1, -2)
    elif kind in (9, 10) and x.ndim:
        wide = np.full([n + 3 for n in x.shape], np.nan, x.dtype)
        part = wide[tuple(slice(d.rng.randrange(3), None) for _ in x.shape)][tuple(map(slice, x.shape))]
        part[...] = x
        return part
    elif kind == 11 and x.ndim and x.size:
        return np.broadcast_to(x[:1], x.shape)
    return x


def dtype_of(*arrays):
    return np.result_type(*arrays, np.float32)


def wide(x):
    """x in float64, a copy: x may be overwritten."""
    return np.array(x, np.float64)


def call(d, function, arrays, shape):
    """The result of ``function(*arrays)``, at times written to ``out``: new, one of the arrays, or overlapping one."""
    arrays, way, dtype = list(arrays), d.rng.randrange(6), dtype_of(*arrays)
    fitting = [i for i, x in enumerate(arrays) if x.shape == shape and x.dtype == dtype]
    if way == 0:
        out = d.place(np.empty(shape, dtype))
    elif way < 3 and fitting:
        i, size = d.rng.choice(fitting), math.prod(shape)
        at = 8 + d.rng.choice((0, 0, d.rng.randint(-8, 8)))
        whole = np.empty(size + 16, dtype)
        whole[8:8 + size] = arrays[i].reshape(-1)
        arrays[i], out = whole[8:8 + size].reshape(shape), whole[at:at + size].reshape(shape)
    else:
        y = function(*arrays)
        assert np.shape(y) == shape and np.asarray(y).dtype == dtype, "another shape or dtype"
        return np.asarray(y)
    assert function(*arrays, out=out) is out
    d.untouched()
    return out


# name: (the function in float64, whether it is 0 at -inf, where its formula is none)
ELEMENTWISE = {name: (function, name in ("silu", "gelu")) for name, function in ops_checks.ELEMENTWISE.items()}


@eager
def elementwise(d):
    x = any_array(d, *shape_of(d), finite=False)
    name = d.rng.choice(list(ELEMENTWISE))
    function, ends_at_0 = ELEMENTWISE[name]
    given = wide(x)
    expected = np.asarray(function(given) if x.size else given)
    if ends_at_0:
        expected = np.where(given == -np.inf, 0, expected)
    y = call(d, getattr(ops, name), [x], x.shape)
    close(y, expected, 64, 1 + np.abs(np.nan_to_num(expected)))


@eager
def gelu(d):
    x = any_array(d, *shape_of(d))
    expected = wide(x) * test_activation.normal_below(x) if x.size else wide(x)
    y = call(d, lambda x, out=None: ops.gelu(x, False, out), [x], x.shape)
    close(y, expected, 64, 1 + np.abs(expected))


@eager
def two_arrays(d):
    shape = shape_of(d)
    other = tuple(n if d.rng.random() < 0.8 else 1 for n in shape[d.rng.choice((0, 0, 0, 1)):])
    pair = [any_array(d, *s, finite=False) for s in (shape, d.rng.choice((shape, other)))]
    d.rng.shuffle(pair)
    name, function = d.rng.choice((("add", np.add), ("multiply", np.multiply)))
    expected = np.asarray(function(*pair, dtype=dtype_of(*pair)))
    same(call(d, getattr(ops, name), pair, expected.shape), expected)


@eager
def axpy(d):
    shape, alpha = shape_of(d), d.rng.uniform(-2, 2)
    x, before = any_array(d, *shape, finite=False), d.values(*shape)
    y = d.place(before)
    if d.rng.random() < 0.3:                     # x overlaps y, or is y
        whole, at = np.array(d.values(before.size + 8)), d.rng.randrange(9)
        x, y = (whole[i:i + before.size].reshape(shape) for i in (at, d.rng.choice((at, 4))))
        before = y.copy()
    given = wide(x)
    assert ops.axpy(alpha, x, y) is y
    d.untouched()
    close(y, wide(before) + alpha * given, 4, np.abs(before) + np.abs(np.nan_to_num(3 * given)) + 1e-30)


def some_axes(d, rank):
    """None, an axis, or some; and as a tuple."""
    if rank == 0 or d.rng.random() < 0.2:
        return None, tuple(range(rank))
    if d.rng.random() < 0.7:
        axis = d.rng.randrange(-rank, rank)
        return axis, (axis % rank,)
    axes = tuple(d.rng.sample(range(rank), d.rng.randint(1, rank)))
    return tuple(n - d.rng.choice((0, rank)) for n in axes), axes


@eager
def rowwise(d):
    x = any_array(d, *shape_of(d, (1, 3)), finite=False)
    first, last = sorted(d.rng.randrange(x.ndim) for _ in range(2))
    axis = axes = tuple(range(first, last + 1))              # side by side
    if first == last:
        axis = d.rng.choice((first, first - x.ndim))
    log, z = d.rng.random() < 0.5, wide(x)
    z = z - np.max(z, axes, keepdims=True, initial=-np.inf)
    total = np.exp(z).sum(axes, keepdims=True)
    expected = z - np.log(total) if log else np.exp(z) / total
    function = ops.log_softmax if log else ops.softmax
    size = 1 + np.abs(np.nan_to_num(wide(x), posinf=0, neginf=0)).max(initial=0)
    y = call(d, lambda x, out=None: function(x, axis, out=out), [x], x.shape)
    close(y, expected, 64, size if log else 1)


def logsumexp(x, axis):
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    return np.squeeze(top, axis) + np.log(np.exp(x - top).sum(axis))


def mean(x, axis):
    return x.sum(axis) / np.prod([x.shape[n] for n in axis])


def variance(x, axis):
    return mean((x - np.expand_dims(mean(x, axis), axis)) ** 2, axis)


# name: (the function in float64, the size of the terms that are rounded, of finite numbers)
REDUCTIONS = {
    "sum": (np.sum, np.sum), "mean": (mean, mean),
    "var": (variance, lambda x, axis: 1 + variance(x, axis) + mean(x, axis)),
    "std": (lambda x, axis: np.sqrt(variance(x, axis)), lambda x, axis: 1 + x.max(axis, initial=0)),
    "norm": (lambda x, axis: np.sqrt((x * x).sum(axis)), lambda x, axis: np.sqrt((x * x).sum(axis))),
    "max": (np.max, None), "min": (np.min, None), "argmax": (np.argmax, None), "argmin": (np.argmin, None),
    "logsumexp": (logsumexp, lambda x, axis: 1 + x.max(axis, initial=0))}


@eager
def reduction(d):
    name = d.rng.choice(list(REDUCTIONS))
    oracle, size = REDUCTIONS[name]
    x = any_array(d, *shape_of(d, (0, 3), least=int(size is None)), finite=False)
    axis, axes = some_axes(d, x.ndim)
    if name.startswith("arg"):
        axis = None if axis is None or isinstance(axis, tuple) else axis
    keepdims, given = d.rng.random() < 0.3, wide(x)
    y = getattr(ops, name)(x, axis=axis, keepdims=keepdims)
    if name.startswith("arg"):
        assert np.asarray(y).dtype == np.int64
        return same(y, oracle(given, axis, keepdims=keepdims))
    expected = np.asarray(oracle(given, axes))
    if keepdims:
        expected = expected.reshape([1 if n in axes else length for n, length in enumerate(x.shape)])
    assert np.shape(y) == expected.shape and np.asarray(y).dtype == dtype_of(x), "another shape or dtype"
    if size is None:
        return same(y, expected.astype(dtype_of(x)))
    finite = np.nan_to_num(np.abs(given), posinf=0)
    return close(np.asarray(y), expected, 64, 1e-30 + np.reshape(size(finite, axes), expected.shape))


@eager
def matmul(d):
    m, k, n = d.size(), d.size(100), d.size()
    lead = tuple(d.rng.randint(0 if d.rng.random() < 0.1 else 1, 3) for _ in range(d.rng.choice((0, 0, 0, 1, 1, 2))))
    a, b = (any_array(d, *some_of(d, lead), *last, finite=False) for last in ((m, k), (k, n)))
    if not lead:
        a, b = a[0] if m and d.rng.random() < 0.1 else a, b[:, 0] if n and d.rng.random() < 0.1 else b
    wide_a, wide_b = wide(a), wide(b)
    expected = np.asarray(wide_a @ wide_b)
    c = call(d, ops.matmul, [a, b], expected.shape)
    size = np.abs(np.nan_to_num(wide_a, posinf=0, neginf=0)) @ np.abs(np.nan_to_num(wide_b, posinf=0, neginf=0))
    close(c, expected, 8 + k ** 0.5, 1e-30 + size)


def some_of(d, lead):
    """Leading axes that broadcast to ``lead`` or less."""
    return tuple(n if d.rng.random() < 0.8 else 1 for n in lead[d.rng.choice((0, 0, len(lead))):])


@eager
def dot(d):
    n = d.size(1000)
    x, y = any_array(d, n, finite=False), any_array(d, n, finite=False)
    wide_x, wide_y = wide(x), wide(y)
    size = np.abs(np.nan_to_num(wide_x, posinf=0, neginf=0)) @ np.abs(np.nan_to_num(wide_y, posinf=0, neginf=0))
    close(np.array([ops.dot(x, y)], dtype_of(x, y)), [wide_x @ wide_y], 8 + n ** 0.5, 1e-30 + size)


@eager
def conv(d):
    """Images, or steps; padding; strides or dilation; groups."""
    rank, groups, padding = d.rng.choice((1, 2, 2)), d.rng.choice((1, 1, 2, 3)), d.rng.choice(("valid", "same"))
    kernel = [d.rng.randint(1, 4) for _ in range(rank)]
    apart = [d.rng.choice((1, 1, 2, 3)) for _ in range(rank)]
    step = [1] * rank if max(apart) > 1 else [d.rng.choice((1, 1, 2, 3)) for _ in range(rank)]
    least = [(k - 1) * a + 1 for k, a in zip(kernel, apart)] if padding == "valid" else [1] * rank
    shape = [d.rng.choice((0, 1, 1, 2, 3)), *(max(n, d.size(200 if rank == 1 else 20)) for n in least)]
    channels, filters = d.rng.randint(1, 12), groups * d.rng.randint(0, 17)
    x = any_array(d, *shape, groups * channels)
    w = any_array(d, *kernel, channels, filters)
    images, kernels = (wide(x), wide(w)) if rank == 2 else (wide(x)[:, None], wide(w)[None])
    geometry = [(1, *two)[-2:] for two in (step, apart)]
    expected, size = (test_ops_convolution.oracle(*map(f, (images, kernels)), *geometry, padding == "same")
                      for f in (np.asarray, np.abs))
    if rank == 1:
        expected, size = expected[:, 0], size[:, 0]
    y = call(d, lambda x, w, out=None: ops.conv(x, w, step, padding, dilation_rate=apart, out=out), [x, w],
             expected.shape)
    close(y, expected, 16 + math.prod(w.shape[:-1]) ** 0.5, 1e-30 + size)


CALLS = {matmul: 10, elementwise: 5, gelu: 1, two_arrays: 4, axpy: 2, rowwise: 5, reduction: 10, dot: 3, conv: 8}
