"""Random calls of the kernels of images: for fuzz_kernels.py.

Operands, oracles and comparisons are those of the kernels' own tests; here is drawn what they are made of.
"""
import kernel_checks
import numpy as np
import test_convolution
import test_convolution_weights
import test_depthwise
import test_group_normalization
import test_pooling
import test_shape
import test_winograd
import test_winograd_weights
from fuzz_draw import close, same
from test_convolution_weights import geometry

ODD = (np.nan, np.inf, -np.inf)
MOST = 1_000_000               # products of one convolution: the oracle takes milliseconds for them


def until(fits, draw):
    """What ``draw()`` gives, anew until it fits."""
    while not fits(found := draw()):
        pass
    return found


def channels(d, most=70):
    """A number of channels: now and then 0."""
    return d.size(most) if d.rng.random() < 0.1 else max(1, d.size(most))


def image(d):
    """Height and width: a line, a part of a picture, a column."""
    return d.rng.choice(((1, max(1, d.size(300))), (max(1, d.size(20)), max(1, d.size(20))),
                         (d.rng.randint(1, 6), d.rng.randint(1, 6)), (max(1, d.size(60)), d.rng.randint(1, 4))))


def window(d):
    """(kernel, stride, dilation, padding before, which crops below 0) along one axis."""
    kernel = d.rng.choice((1, 1, 2, 2, 3, 3, 3, 4, 5, 7))
    return (kernel, d.rng.choice((1, 1, 1, 2, 2, 3, 5)), d.rng.choice((1, 1, 1, 2, 3)),
            d.rng.choice((0, 0, 0, 1, 1, 2, kernel - 1, -1, -2, 3, 6)))


def side(d):
    """A geometry as the gradients of weights take it, along one axis, with an output."""
    def draw():
        kernel, stride, dilation, before = window(d)
        after = d.rng.choice((before, before, before + 1, 0, 2))
        return geometry(max(1, d.size(d.rng.choice((4, 12, 12, 40, 140)))), kernel, stride, dilation, before, after)

    return until(lambda found: found[2] >= 1, draw)


def sides(d):
    """Geometries of rows and columns: an image, or a sequence."""
    return (geometry(1, 1) if d.rng.random() < 0.3 else side(d)), side(d)


def other_threads(d):
    """The numbers of threads whose bits are compared with those of one, as the classes of the tests take them."""
    return () if d.threads == 1 else (d.threads, d.rng.choice((5, 33)))


# convolution


def epilogue(d, pool):
    """Options of what happens to sums."""
    flags = d.rng.choice((0, test_convolution.SCALE_FIRST)) | d.rng.randint(0, 3) << 8
    if pool == (1, 1):
        flags |= d.rng.choice((0, 0, 1, 2, 3)) << 16
    gaps = d.rng.choice(((0, 0, 0, 0), (0, 0, 0, 0), (1, 0, 0, 0), (3, 2, 1, 5), (0, 4, 0, 0), (0, 0, 3, 1)))
    return {"flags": flags, "pool": pool, "index": pool != (1, 1) and d.rng.random() < 0.7, "gaps": gaps,
            **{name: d.rng.random() < share for name, share in (("start", 0.6), ("scale", 0.3), ("shift", 0.3))}}


def some_convolution(d):
    """Options of test_convolution's Case: at times deep, with an output that is not the image's."""
    x, ((kh, sh, dh, top), (kw, sw, dw, left)) = image(d), (window(d), window(d))
    groups, deep = d.rng.choice((1, 1, 1, 1, 2, 3, 4)), d.rng.random() < 0.15
    depth = groups * channels(d, 160 if deep else 24)
    filters = groups * channels(d, 600 // groups if deep and d.rng.random() < 0.4 else 48)
    shape = [max(0, (n + 2 * b - (k - 1) * a - 1) // s + 1)
             for n, b, k, a, s in ((x[0], top, kh, dh, sh), (x[1], left, kw, dw, sw))]
    if d.rng.random() < 0.3:
        shape = [max(1, n + d.rng.randint(-2, 4)) for n in shape]
    pool = d.rng.choice(((1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (3, 3), (d.rng.randint(1, 5), d.rng.randint(1, 5))))
    return {"images": d.rng.choice((0, 1, 1, 2, 2, 3, 5, 9)), "x": (*x, depth), "kernel": (kh, kw),
            "filters": filters, "shape": shape, "stride": (sh, sw), "dilation": (dh, dw), "before": (top, left),
            "groups": groups, **epilogue(d, pool)}


def some_winograd(d):
    """The same for 3 x 3 windows side by side, as winograd takes them."""
    height, width = (max(1, d.size(26)) for _ in range(2))
    before = [d.rng.choice((0, 1, 2, -1)) for _ in range(2)]
    shape = [max(1, n + 2 * b - 2 + d.rng.choice((0, 0, 0, 1, -1))) for n, b in zip((height, width), before)]
    return {"images": d.rng.choice((1, 1, 2, 3)), "x": (height, width, channels(d)), "filters": channels(d),
            "shape": shape, "before": before, **epilogue(d, d.rng.choice(((1, 1), (2, 2), (4, 4), (1, 2), (2, 1))))}


def fits(options):
    """Not too large, and no less than one window of the pooling."""
    (kh, kw), groups, shape = options.get("kernel", (3, 3)), options.get("groups", 1), options["shape"]
    weights = kh * kw * options["x"][2] * options["filters"] // groups
    cells = [n // p for n, p in zip(shape, options["pool"])]
    return options["images"] * shape[0] * shape[1] * weights <= MOST and weights < 400_000 and min(cells) > 0


def whole_of(case, options, level):
    """The bits of the same convolution without pooling."""
    whole = type(case)(case.dtype, **{**options, "pool": (1, 1), "index": False, "gaps": (0, 0, 0, 0)})
    return whole.check(level, ())[0]


def convolve(d, kind, options):
    """A convolution is right, pools its own bits, and neither threads nor other images change them."""
    case = kind(d.dtype, **options)
    if case.pool == (1, 1):
        out, index = case.check(d.level, other_threads(d))
    else:
        out, index = case.run(d.level)
        maxima, places = test_convolution.pooled(whole_of(case, options, d.level), case.pool)
        same(out, maxima)
        assert index is None or (index == places).all(), "other places of the maxima"
        for n in other_threads(d):
            other, where = case.run(d.level, n)
            assert other.tobytes() == out.tobytes() and (index is None or (where == index).all()), "other bits"
    n = len(case.x)
    if n > 1 and case.y is None:
        first = d.rng.randrange(n)
        some = slice(first, d.rng.randint(first + 1, n))
        part, places = case.run(d.level, d.threads, some)
        assert part.tobytes() == out[some].tobytes(), "other bits without the other images"
        assert index is None or (places == index[some]).all(), "other places without the other images"


def convolution(d):
    convolve(d, test_convolution.Case, until(fits, lambda: some_convolution(d)))


def winograd(d):
    convolve(d, test_winograd.Winograd, until(fits, lambda: some_winograd(d)))


def sizes_fit(images, depth, rows, columns):
    return images * rows[1] * rows[2] * columns[1] * columns[2] * depth <= MOST and (
        images * rows[0] * columns[0] * depth < 10 * MOST)


def convolution_weights(d):
    def draw():
        groups = d.rng.choice((1, 1, 1, 2, 3))
        return (d.rng.choice((0, 1, 1, 2, 3, 7, 17)), groups * channels(d, 40), groups * channels(d), *sides(d), groups)

    options = until(lambda o: sizes_fit(o[0], o[1] * o[2] // o[5], *o[3:5]), draw)
    test_convolution_weights.Case(*options, dtype=d.dtype).check(
        d.level, bias=d.rng.random() < 0.7, threads=(1, *other_threads(d)))


def winograd_weights(d):
    def draw():
        x, before = [d.rng.randint(1, 26) for _ in range(2)], [d.rng.choice((0, 1, 2, -1)) for _ in range(2)]
        shape = [max(0, n + 2 * b - 2 + d.rng.choice((0, 0, 1, -1))) for n, b in zip(x, before)]
        return d.rng.choice((0, 1, 1, 2, 3, 7)), (*x, channels(d)), channels(d), shape, before

    options = until(lambda o: 9 * o[0] * o[1][2] * o[2] * o[3][0] * o[3][1] <= MOST, draw)
    test_winograd_weights.Case(d.dtype, *options).check(d.level, other_threads(d))


def depthwise(d):
    def draw():
        return d.rng.choice((0, 1, 1, 2, 3)), channels(d), d.rng.choice((1, 1, 1, 2, 3, 4)), *sides(d)

    options = until(lambda o: sizes_fit(o[0], 10 * o[1] * o[2], *o[3:]), draw)
    test_depthwise.Case(*options, dtype=d.dtype).check(d.level, start=d.rng.random() < 0.6)


# the others


def run(d, name, operands, sizes, scalars=(), scratch=()):
    threads = (1,) if d.threads == 1 else (1, d.threads)
    return kernel_checks.run(name, operands, sizes, scalars, threads=threads, scratch=scratch, dtype=d.dtype,
                             level=d.level)


def some_pooling(d):
    """Sizes of a pooling, as test_pooling has them."""
    def draw():
        x, padded = image(d), d.rng.random() < 0.5
        windows = [d.rng.choice((1, 2, 2, 3, 4, 5, d.rng.randint(1, 40))) for _ in range(2)]
        if x[0] == 1:
            windows = [1, d.rng.choice((1, 2, 3, 5, d.rng.randint(1, 700)))]
        strides = d.rng.choice((windows, *([d.rng.randint(1, n) for _ in range(2)] for n in (4, 9))))
        return x, windows, strides, padded

    def small(o):
        return (o[3] or (o[1][0] <= o[0][0] and o[1][1] <= o[0][1])) and o[0][0] * o[0][1] < 60 * o[2][0] * o[2][1]

    return test_pooling.sizes_of(d.rng.choice((0, 1, 1, 2, 3)), channels(d), until(small, draw))


def max_pooling(d):
    sizes = some_pooling(d)
    x, dy = (make(sizes, d.dtype) for make in (test_pooling.images, test_pooling.gradients))
    rng = np.random.default_rng(d.rng.randrange(1 << 30))
    for value in d.rng.sample(ODD, d.rng.choice((0, 0, 1, 3))):
        x[rng.random(x.shape) < d.rng.choice((0.01, 0.2, 0.99))] = value
    expected, places = test_pooling.numpy_max(x, sizes)
    index = np.empty(dy.shape, test_pooling.index_type(sizes, d.dtype))
    _, y, index = run(d, "max_pooling_forward", [x, np.empty_like(dy), index], sizes)
    same(y, expected.astype(d.dtype))
    assert np.array_equal(index, places), "other places"
    same(run(d, "max_pooling_forward", [x, np.empty_like(dy), None], sizes)[1], y)
    dx = run(d, "max_pooling_backward", [dy, index, np.full_like(x, 7)], sizes)[2]
    close(dx, test_pooling.numpy_max_backward(dy, places, sizes), 8 + sizes[6] * sizes[7] ** 0.5, 16)


def average_pooling(d):
    sizes = some_pooling(d)
    if d.rng.random() < 0.2:                                                    # of all places
        sizes = [*sizes[:4], 1, 1, *sizes[2:4], 1, 1, 0, 0]
    x, dy = (make(sizes, d.dtype) for make in (test_pooling.images, test_pooling.gradients))
    y = run(d, "average_pooling_forward", [x, np.full_like(dy, np.nan)], sizes)[1]
    close(y, test_pooling.numpy_average(x, sizes), 8, 8)                        # sums of these numbers are exact
    dx = run(d, "average_pooling_backward", [dy, np.full_like(x, np.nan)], sizes)[1]
    close(dx, test_pooling.numpy_average_backward(dy, sizes), 16, 16)


def global_pooling(d):
    """The gradient of the largest of all places, and the mean over the steps of a mask."""
    sizes = outer, middle, inner = d.size(8), max(1, d.size(100)), d.size()
    x, dy = np.round(d.values(*sizes)), d.values(outer, inner)
    y = x.max(1)
    equal = x == y[:, None]
    dx = run(d, "reduce_max_backward", [dy, x, y, np.full_like(x, np.nan)], sizes)[3]
    close(dx, equal * dy[:, None].astype(float) / equal.sum(1, keepdims=True), 4, 1e-30 + abs(dy[:, None]))
    x, mask = d.values(*sizes), (d.values(outer, middle) > d.rng.choice((-99, 0, 99))).astype("uint8")
    share = (mask / np.maximum(1, mask.sum(1, keepdims=True)))[..., None]
    y = run(d, "masked_mean_forward", [x, mask, np.full_like(dy, np.nan)], sizes)[2]
    close(y, (x.astype(float) * share).sum(1), 8 + middle ** 0.5, 1e-30 + (abs(x) * share).sum(1))
    dx = run(d, "masked_mean_backward", [dy, mask, np.full_like(x, np.nan)], sizes)[2]
    close(dx, dy[:, None].astype(float) * share, 4, 1e-30 + abs(dy[:, None]))


def permute(d):
    def draw():
        return [d.rng.choice((1, 1, 2, 3, d.size(9), d.size(70))) for _ in range(6)]

    shape = (d.rng.choice((0, 1, 1, 2, 3)), *until(lambda found: np.prod(found) < 20_000, draw))
    order = d.rng.sample(range(6), 6)
    x = d.values(*shape)
    expected = x.transpose(0, *(1 + i for i in order))
    same(run(d, "permute", [x, np.empty(expected.shape, d.dtype)], [*shape, *order])[1], expected)


def pad(d):
    images, height, width = d.rng.choice((0, 1, 2, 3)), d.size(12), d.size(60)
    rows, columns, top, left = d.size(14), d.size(), d.rng.randint(-5, 5), d.rng.randint(-30, 30)
    x, expected = d.values(images, height, width), np.zeros((images, rows, columns), d.dtype)
    i, j = (np.arange(n) for n in (rows, columns))
    i, j = i[(i >= top) & (i < top + height)], j[(j >= left) & (j < left + width)]
    expected[:, i[:, None], j] = x[:, i[:, None] - top, j - left]
    same(run(d, "pad", [x, np.full_like(expected, np.nan)], [*x.shape, rows, columns, top, left])[1], expected)


def upsample(d):
    def draw():
        return d.rng.choice((0, 1, 2)), d.rng.randint(1, 8), d.rng.randint(1, 8), channels(d), *(
            d.rng.randint(1, 5) for _ in range(2))

    *shape, high, wide = until(lambda found: np.prod(found) < 20_000, draw)
    n, height, width, depth = shape
    x, dy = d.values(*shape), d.values(n, height * high, width * wide, depth)

    def pair(kind):
        sizes = (*shape, high, wide)
        return (run(d, f"upsample_{kind}", [x, np.empty_like(dy)], sizes)[1],
                run(d, f"upsample_{kind}_backward", [dy, np.empty_like(x)], sizes)[1])

    size = 1 + max(abs(x).max(initial=0), abs(dy).max(initial=0))
    y, dx = pair("nearest")
    same(y, x.repeat(high, 1).repeat(wide, 2))
    close(dx, dy.astype(float).reshape(n, height, high, width, wide, depth).sum((2, 4)), 32, high * wide * size)
    down, along = test_shape.shares(height, high), test_shape.shares(width, wide)
    y, dx = pair("bilinear")
    close(y, np.einsum("ah,bw,nhwc->nabc", down, along, x.astype(float)), 16, size)
    close(dx, np.einsum("ah,bw,nabc->nhwc", down, along, dy.astype(float)), 32, high * wide * size)


def group_normalization(d):
    groups = d.rng.choice((1, 1, 2, 3, 5))
    images, pixels, depth = until(lambda found: np.prod(found) < 20_000, lambda: (
        d.rng.choice((0, 1, 2, 3)), max(1, d.size(200)), groups * d.rng.randint(1, 40)))
    x, dy = d.values(images, pixels, depth), d.values(images, pixels, depth)
    gamma, beta = (d.values(depth) if d.rng.random() < 0.7 else None for _ in range(2))
    settings = {"level": d.level, "threads": (1,) if d.threads == 1 else (1, d.threads)}
    y, mean, inverse = test_group_normalization.forward(x, gamma, beta, groups, **settings)
    h, exact = test_group_normalization.normalized(x, groups)
    scale, shift = 1 if gamma is None else gamma.astype(float), 0 if beta is None else beta.astype(float)
    # what rounding does to x - mean, in units of h
    size = 1 + (np.abs(x).max(initial=0) * exact.max(initial=0))
    close(y, scale * h + shift, 64, 1 + abs(shift) + abs(scale) * (1 + abs(h)) * size)
    dx, moments, sums = test_group_normalization.backward(dy, x, gamma, mean, inverse, groups, **settings)
    total = abs(dy).astype(float).sum(1)
    close(sums, dy.astype(float).sum(1), 16 + pixels ** 0.5, 1 + total)
    worst = size * (1 + abs(h).max(initial=0))
    close(moments, (dy * h).sum(1), 64, (1 + total) * worst)
    g = (dy * scale).reshape(images, pixels, groups, depth // groups)
    parts = h.reshape(g.shape)
    expected = (g - g.mean((1, 3), keepdims=True) - parts * (g * parts).mean((1, 3), keepdims=True)).reshape(x.shape)
    close(dx, expected * exact[:, None], 256, 1 + abs(g).max(initial=0) * worst * worst * exact[:, None])


CALLS = {convolution: 20, winograd: 6, convolution_weights: 10, winograd_weights: 4, depthwise: 6, max_pooling: 4,
         average_pooling: 4, global_pooling: 2, permute: 3, pad: 3, upsample: 3, group_normalization: 3}
