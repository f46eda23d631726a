"""convolution and turn_filters against sums of strided slices in float64: every size, epilogue, pooling and layout."""
import itertools

import numpy as np
import pytest
from kernel_checks import GUARD, LEVELS, SIZES, everywhere, guarded

from fastnn import _kernels, testing

ACTIVATIONS = [
    (lambda z: z, np.ones_like),
    (lambda z: np.maximum(z, 0), lambda y: (y > 0) * 1.0),
    (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)),
    (np.tanh, lambda y: 1 - y * y),
]
SCALE_FIRST = 8


def convolve(x, w, shape, stride, dilation, before, groups):
    """The sums, in the dtype of x: shape is (OH, OW)."""
    places = [np.arange(shape[i])[:, None] * stride[i] - before[i] + np.arange(w.shape[i]) * dilation[i]
              for i in range(2)]
    inside = [(p >= 0) & (p < x.shape[1 + i]) for i, p in enumerate(places)]
    y = np.zeros((len(x), *shape, w.shape[3]), x.dtype)
    channels, filters = w.shape[2], w.shape[3] // groups
    for kh, kw, g in np.ndindex(w.shape[0], w.shape[1], groups):
        rows, columns = (p[:, k].clip(0, x.shape[1 + i] - 1) for i, (p, k) in enumerate(zip(places, (kh, kw))))
        part = x[:, rows][:, :, columns, g * channels:(g + 1) * channels]
        part = part * inside[0][None, :, kh, None, None] * inside[1][None, None, :, kw, None]
        some = slice(g * filters, (g + 1) * filters)
        y[..., some] += part @ w[kh, kw, :, some]
    return y


def pooled(z, pool):
    """(maxima, places of the first maximum) of windows of z."""
    n, h, w, f = z.shape
    h, w = h // pool[0], w // pool[1]
    z = z[:, :h * pool[0], :w * pool[1]].reshape(n, h, pool[0], w, pool[1], f)
    z = z.transpose(0, 1, 3, 5, 2, 4).reshape(n, h, w, f, pool[0] * pool[1])
    return z.max(-1), z.argmax(-1).astype(np.uint8)


class Case:
    """Operands of one convolution; ``run`` computes it at a level, ``expected`` in float64."""

    def __init__(self, dtype, images=2, x=(5, 6, 3), kernel=(3, 3), filters=4, shape=None, stride=(1, 1),
                 dilation=(1, 1), before=(0, 0), groups=1, pool=(1, 1), index=False, flags=0, start=True, scale=False,
                 shift=False, gaps=(0, 0, 0, 0)):
        rng = np.random.default_rng([*x, *kernel, filters, images])
        self.dtype, self.stride, self.dilation, self.before, self.groups = dtype, stride, dilation, before, groups
        self.pool, self.flags = pool, flags
        self.x = rng.standard_normal((images, *x)).astype(dtype)
        self.w = rng.standard_normal((*kernel, x[2] // groups, filters)).astype(dtype)
        if shape is None:       # as many windows as fit the image, as if it were padded behind as before
            shape = [max(0, (x[i] + 2 * before[i] - (kernel[i] - 1) * dilation[i] - 1) // stride[i] + 1)
                     for i in range(2)]
        self.shape = tuple(shape)
        self.start, self.scale, self.shift = (rng.standard_normal(filters).astype(dtype) if wanted else None
                                              for wanted in (start, scale, shift))
        pixel, row, image, self.offset = gaps
        cells = [shape[i] // pool[i] for i in range(2)]
        self.out_shape = (images, *cells, filters)
        pixel += filters
        row += cells[1] * pixel
        self.steps = (cells[0] * row + image, row, pixel)
        self.index = index
        self.y = self.spread(rng.uniform(-0.5, 1, self.out_shape), dtype) if flags >> 16 else None

    def spread(self, values, dtype):
        """The values at the places of the output, in an array that ends with the last of them."""
        last = self.offset + sum((n - 1) * s for n, s in zip(self.out_shape, (*self.steps, 1))) + 1
        whole = np.full(last if values.size else 0, 77, dtype)
        self.view(whole)[...] = values
        return whole

    def view(self, whole):
        if not whole.size:
            return whole.reshape(self.out_shape)
        return np.lib.stride_tricks.as_strided(
            whole[self.offset:], self.out_shape, [whole.itemsize * s for s in (*self.steps, 1)])

    def sizes(self, images=None):
        n, h, w, c = self.x.shape
        return (n if images is None else images, c, self.w.shape[3], h, w, *self.shape, *self.w.shape[:2],
                *self.stride, *self.dilation, *self.before, self.groups, *self.steps[::-1], self.offset, *self.pool)

    def run(self, level, threads=1, images=slice(None)):
        """(out, index or None), for some of the images."""
        x = self.x[images]
        sizes = self.sizes(len(x))
        scratch = _kernels.load_level(level).scratch_bytes("convolution", self.sizes(), self.flags, x.itemsize)
        out = self.spread(np.full(self.out_shape, 55, self.dtype), self.dtype)
        index = self.spread(np.full(self.out_shape, 55), np.uint8) if self.index else None
        y = None if self.y is None else self.y[(images.start or 0) * self.steps[0]:]
        operands = [x, self.w, self.start, self.scale, self.shift, y, np.full(scratch, 0xFF, np.uint8), index, out]
        copies = [None if operand is None else guarded(operand) for operand in operands]
        if scratch == 0:
            copies[6] = None
        arrays = [None if copy is None else copy[0] for copy in copies]
        status, *_ = testing.run_kernel("convolution", arrays, sizes, flags=self.flags, dtype=self.dtype, level=level,
                                        threads=threads, limits={"matmul": 0})
        assert status == 0
        for array, raw, first in filter(None, copies):
            assert (raw[:first] == GUARD).all() and (raw[first + array.nbytes:] == GUARD).all(), "wrote outside"
        results = []
        for whole in (arrays[8], arrays[7]):
            if whole is not None:
                between = whole.copy()
                self.view(between)[...] = 77
                assert (between == 77).all(), "wrote between the rows of the output"
                results.append(self.view(whole)[:len(x)])
        return results[0], results[1] if self.index else None

    def expected(self):
        """(y before pooling, bound of what rounding may do to it)."""
        def wide(values, absent):
            return np.float64(absent) if values is None else values.astype(np.float64)

        x, w = wide(self.x, 0), wide(self.w, 0)
        geometry = self.shape, self.stride, self.dilation, self.before, self.groups
        z = convolve(x, w, *geometry) + wide(self.start, 0)
        size = convolve(abs(x), abs(w), *geometry) + abs(wide(self.start, 0))
        scale, shift = wide(self.scale, 1), wide(self.shift, 0)
        forward = ACTIVATIONS[self.flags >> 8 & 255][0]
        y = forward(scale * z + shift) if self.flags & SCALE_FIRST else scale * forward(z) + shift
        if self.y is not None:
            y = y * ACTIVATIONS[self.flags >> 16][1](self.view(wide(self.y, 0)))
        size = 1 + (1 + abs(scale)) * (1 + size) + abs(shift)
        return y, np.finfo(self.dtype).eps * (8 + np.prod(w.shape[:3]) ** 0.5) * size

    def check(self, level, threads=(2, 3)):
        out, index = self.run(level)
        expected, bound = self.expected()
        if self.pool != (1, 1):
            expected, bound = pooled(expected, self.pool)[0], pooled(bound, self.pool)[0]
        error = abs(out.astype(np.float64) - expected)
        assert (error <= bound).all(), (self.x.shape, self.w.shape, float((error / bound).max()))
        for n in threads:
            other, places = self.run(level, n)
            assert out.tobytes() == other.tobytes() and (index is None or (index == places).all())
        return out, index


def same(x, kernel, stride=(1, 1), dilation=(1, 1)):
    """(shape, before) of Keras's padding "same"."""
    shape = [-(-x[i] // stride[i]) for i in range(2)]
    lacking = [(shape[i] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - x[i] for i in range(2)]
    return shape, [max(0, n) // 2 for n in lacking]


@everywhere
def test_tails(level, dtype):
    """Every number of channels, filters and columns that leaves another rest, valid and padded."""
    for i, (filters, columns) in enumerate(itertools.product(SIZES, SIZES)):
        channels = (1, 2, 3, 5, 4)[i % 5]
        before = (0, 0) if i % 2 else (1, 1)
        x = (4 - i % 3, columns, channels)
        Case(dtype, 1 + i % 2, x, (2, 3), filters, before=before, start=i % 3 > 0).check(level, ())
    for i, channels in enumerate(SIZES):
        Case(dtype, 2, (4, 7, channels), (3, 2), 20, before=(i % 2, i % 2)).check(level)


@everywhere
def test_geometry(level, dtype):
    """Strides, dilations, paddings (negative ones too), kernels and groups, along both axes independently."""
    axis = [(3, 1, 1, 0), (3, 1, 1, 1), (2, 2, 1, 0), (3, 2, 1, 1), (1, 2, 1, 0), (1, 3, 1, 0), (3, 1, 2, 2),
            (2, 1, 3, 1), (3, 3, 1, 2), (4, 1, 1, -1), (5, 2, 2, 4), (1, 1, 1, 1), (2, 5, 1, 0)]
    for i, (h, w) in enumerate(itertools.product(axis, axis)):
        kernel, stride, dilation, before = zip(h, w)
        for groups in (1, 2, 3):
            Case(dtype, 2, (9 + i % 3, 11 - i % 2, 6), kernel, 12, None, stride, dilation, before, groups).check(
                level, (2,) if i % 7 == 0 else ())


@everywhere
def test_same(level, dtype):
    """Keras's padding "same", which puts the odd element behind."""
    for size, k, s in itertools.product((5, 6, 7), (1, 2, 3, 5, 7), (1, 2, 3)):
        x, kernel, stride = (size, 12 - size, 3), (k, 4), (s, 2)
        shape, before = same(x, kernel, stride)
        Case(dtype, 2, x, kernel, 9, shape, stride, before=before).check(level, ())


@everywhere
def test_outside(level, dtype):
    """Outputs that lie beyond the image on any side, and windows that see nothing but zeros."""
    for before, shape in [((7, 0), (12, 3)), ((0, 9), (2, 15)), ((-2, -3), (3, 4)), ((-2, 4), (9, 14)),
                          ((8, 8), (20, 20))]:
        Case(dtype, 2, (5, 6, 3), (3, 3), 5, shape, before=before).check(level)


@everywhere
def test_dilated(level, dtype):
    """Windows far wider than what they look at, in images that are smaller: strides, groups, paddings, pooling."""
    axis = [(3, 1, 4, 4), (3, 1, 9, 9), (3, 2, 5, 3), (2, 1, 7, 7), (4, 3, 2, 6), (5, 1, 3, 0), (3, 1, 30, 30),
            (3, 1, 1, 1)]
    for i, (h, w) in enumerate(itertools.product(axis, axis)):
        kernel, stride, dilation, before = zip(h, w)
        options = {"dilation": dilation, "before": before, "stride": stride, "groups": (1, 2, 4)[i % 3],
                   "start": i % 4 > 0, "flags": (1, 0, 2)[i % 3] << 8, "scale": i % 5 == 0}
        if i % 3 == 0:              # no padding behind, or too much
            options["shape"] = (7 - i % 2, 23 + i % 3)
        Case(dtype, 2, (13 - i % 4, 17 + i % 5, (4, 20)[i % 2]), kernel, 12, **options).check(
            level, (2, 3) if i % 7 == 0 else ())
    for pool, w in itertools.product([(2, 2), (1, 3)], [(3, 1, 4, 4), (3, 1, 1, 1)]):
        kernel, stride, dilation, before = zip((3, 1, 6, 6), w)
        options = {"dilation": dilation, "before": before, "flags": 1 << 8, "images": 2, "x": (12, 21, 8),
                   "kernel": kernel, "filters": 40}
        maxima, places = pooled(Case(dtype, **options).run(level)[0], pool)
        out, index = Case(dtype, pool=pool, index=True, **options).check(level)
        assert (out == maxima).all() and (index == places).all()


@pytest.mark.parametrize("level", LEVELS)
def test_scratch(level):
    """What padded and dilated layers ask for, of which blocks would otherwise copy all that their windows span."""
    x, kernel = (64, 64, 256), (3, 3)
    for n in (1, 2, 12, 18):
        shape, before = same(x, kernel, dilation=(n, n))
        sizes = Case("float32", 1, x, kernel, 256, shape, dilation=(n, n), before=before).sizes(8)
        assert _kernels.load_level(level).scratch_bytes("convolution", sizes, 0, 4) < 12 << 20
        assert _kernels.load_level(level).scratch_bytes("convolution_weights", sizes[:16], 0, 4) < 12 << 20
    sizes = Case("float32", 1, (64, 64, 2048), kernel, 16, (64, 64), before=(1, 1)).sizes(8)
    assert _kernels.load_level(level).scratch_bytes("convolution", sizes, 0, 4) < 16 << 20
    assert _kernels.load_level(level).scratch_bytes("convolution_weights", sizes[:16], 0, 4) < 24 << 20


@everywhere
def test_epilogues(level, dtype):
    """Every combination of start, scale, shift, activation and gradient, to outputs with gaps and without."""
    options = itertools.product(*[(False, True)] * 3, (0, SCALE_FIRST), range(4), range(4))
    for i, (start, scale, shift, order, forward, gradient) in enumerate(options):
        gaps = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 5, 0, 2), (1, 2, 3, 4)][i % 4]
        flags = order | forward << 8 | gradient << 16
        Case(dtype, 2, (3 + i % 2, 18, 2), (2, 2), (7, 37)[i // 4 % 2], flags=flags, start=start, scale=scale,
             shift=shift, gaps=gaps, groups=1, before=(0, i % 2)).check(level, (2,) if i % 9 == 0 else ())


@everywhere
def test_pooling(level, dtype):
    """Pooling in the operation gives the bits of pooling its result, and the first place of each maximum."""
    for i, (pool, before, filters) in enumerate(itertools.product(
            [(2, 2), (3, 2), (1, 2), (2, 1), (4, 5), (16, 16)], [(0, 0), (1, 1)], (1, 8, 33, 70))):
        options = {"images": 2, "x": (19 - i % 3, 18 + i % 2, 3), "filters": filters, "before": before,
                   "flags": (i % 4) << 8, "scale": i % 3 == 0, "stride": (1, 1 + i % 5 // 4)}
        whole, _ = Case(dtype, **options).run(level)
        gaps = [(0, 0, 0, 0), (3, 1, 2, 1)][i % 2]
        out, index = Case(dtype, pool=pool, index=True, gaps=gaps, **options).check(level)
        maxima, places = pooled(whole, pool)
        assert (out == maxima).all() and (index == places).all()
        alone, _ = Case(dtype, pool=pool, gaps=gaps, **options).run(level)
        assert (alone == out).all()


@everywhere
def test_blocks(level, dtype):
    """Images larger than a block: bands, columns of long rows, sequences; the same bits however they are cut."""
    for options in [{"x": (40, 50, 40), "before": (1, 1), "filters": 20}, {"x": (40, 50, 40), "filters": 20},
                    {"x": (1, 3000, 24), "kernel": (1, 5), "filters": 10, "before": (0, 4), "shape": (1, 3000)},
                    {"x": (1, 3000, 24), "kernel": (1, 5), "filters": 10, "pool": (1, 3), "index": True},
                    {"x": (70, 80, 24), "before": (1, 1), "filters": 8, "pool": (2, 2), "flags": 1 << 8},
                    {"x": (9, 400, 64), "before": (1, 1), "filters": 8, "stride": (2, 2)},
                    {"x": (30, 400, 64), "before": (9, 9), "filters": 8, "dilation": (9, 9), "flags": 1 << 8},
                    {"x": (1, 3000, 24), "kernel": (1, 3), "filters": 10, "before": (0, 400), "shape": (1, 3000),
                     "dilation": (1, 200)}]:
        case = Case(dtype, **options)
        out, _ = case.check(level, (2, 3, 5))
        for first, last in [(0, 1), (1, 2)]:
            assert case.run(level, images=slice(first, last))[0].tobytes() == out[first:last].tobytes()


@everywhere
def test_deep(level, dtype):
    """Layers whose windows are gathered, for their filters are large or their rows short: chunks, groups, gaps."""
    for options in [{"x": (6, 7, 64), "filters": 520, "before": (1, 1), "flags": 1 << 8 | 3 << 16},
                    {"x": (6, 7, 64), "filters": 520, "pool": (2, 2), "index": True, "flags": 2 << 8},
                    {"x": (13, 14, 64), "filters": 528, "before": (1, 1), "groups": 2, "stride": (2, 2)},
                    {"x": (4, 4, 40), "filters": 33, "before": (0, 1), "images": 9},
                    {"x": (70, 3, 160), "filters": 7, "before": (1, 1), "images": 9, "gaps": (1, 2, 3, 4)},
                    {"x": (70, 3, 160), "filters": 40, "before": (3, 1), "images": 9, "dilation": (2, 2), "groups": 4},
                    {"x": (9, 3, 32), "filters": 24, "kernel": (2, 2), "flags": 1 << 16, "gaps": (1, 0, 0, 0)}]:
        case = Case(dtype, scale=True, shift=True, **options)
        out, index = case.check(level)
        part, places = case.run(level, images=slice(1, 2))
        assert part.tobytes() == out[1:2].tobytes() and (index is None or (places == index[1:2]).all())


@everywhere
def test_empty(level, dtype):
    """No images, filters, channels, output or kernel: nothing is written but act(start)."""
    for options in [{"images": 0}, {"filters": 0}, {"shape": (0, 3)}, {"x": (5, 6, 0)}, {"pool": (4, 1)},
                    {"kernel": (0, 3), "shape": (3, 4)}, {"kernel": (3, 0), "shape": (6, 2), "before": (2, 1)},
                    {"kernel": (0, 0), "shape": (4, 4), "pool": (2, 2), "index": True},
                    {"kernel": (0, 3), "shape": (3, 4), "dilation": (3, 4), "before": (1, 4)},
                    {"kernel": (3, 0), "shape": (3, 4), "dilation": (3, 4), "before": (1, 4)}]:
        for start in (False, True):
            Case(dtype, start=start, flags=1 << 8, **options).check(level)


@everywhere
def test_special_values(level, dtype):
    """NaN and infinity reach the windows that see them, and no others; relu and pooling keep NaN."""
    case = Case(dtype, 1, (6, 7, 2), (2, 3), 5, flags=1 << 8)
    case.x[0, 2, 3, 1] = np.nan
    seen = np.zeros(case.out_shape, bool)
    seen[0, 1:3, 1:4] = True
    assert (np.isnan(case.run(level)[0]) == seen).all()
    case = Case(dtype, 1, (6, 7, 2), (2, 3), 5, flags=1 << 8, pool=(2, 2))
    case.x[0, 2, 3, 1] = np.nan
    seen = np.zeros(case.out_shape, bool)
    seen[0, 0:2, 0:2] = True
    assert (np.isnan(case.run(level)[0]) == seen).all()


@everywhere
def test_turn_filters(level, dtype):
    """Each phase of the turned weights."""
    rng = np.random.default_rng(0)
    for kh, kw, sh, sw, groups in itertools.product((1, 2, 3, 5), (1, 4), (1, 2), (1, 3), (1, 2, 3)):
        channels, filters = 6 * (1 + kh * 4), 6 * (1 + kw * 3)
        w = rng.standard_normal((kh, kw, channels // groups, filters)).astype(dtype)
        for rh, rw in itertools.product(range(sh), range(sw)):
            part = w[rh::sh, rw::sw][::-1, ::-1]
            parts = part.reshape(*part.shape[:3], groups, filters // groups)                # (JH, JW, C/g, g, F/g)
            expected = parts.transpose(0, 1, 4, 3, 2).reshape(*part.shape[:2], filters // groups, channels)
            for threads in (1, 2):
                out, raw, first = guarded(np.zeros_like(expected, order="C"))
                testing.run_kernel("turn_filters", [w, out], (kh, kw, channels, filters, groups, sh, sw, rh, rw),
                                   dtype=dtype, level=level, threads=threads, limits={"light": 0, "block": 8})
                assert (out == expected).all()
                assert (raw[:first] == GUARD).all() and (raw[first + out.nbytes:] == GUARD).all(), "wrote outside"


@pytest.mark.parametrize("level", LEVELS)
def test_gradient(level):
    """The gradient of x, put together from a convolution for each phase, as the layer does it."""
    dtype = "float64"
    for size, k, s, d, before, groups in [(7, 3, 1, 1, 0, 1), (7, 3, 1, 1, 1, 2), (8, 3, 2, 1, 1, 1),
                                          (9, 2, 3, 1, 0, 1), (9, 3, 1, 2, 2, 3), (8, 5, 2, 1, 2, 1),
                                          (6, 1, 2, 1, 0, 2)]:
        case = Case(dtype, 2, (size, size + 1, 6), (k, k), 6, None, (s, s), (d, d), (before, before), groups)
        rng = np.random.default_rng(1)
        dy = rng.standard_normal((2, *case.shape, 6))
        dx, n = np.full(case.x.shape, np.nan), case.x.shape[1:3]
        for rh, rw in np.ndindex(s, s):
            j = [max(0, -(-(k - r) // s)) for r in (rh, rw)]
            w2 = np.zeros((*j, 6 // groups, 6))
            testing.run_kernel("turn_filters", [case.w, w2], (k, k, 6, 6, groups, s, s, rh, rw), dtype=dtype,
                               level=level)
            q = [-(-(before - r) // s) for r in (rh, rw)]
            first = [s * q[i] + r - before for i, r in enumerate((rh, rw))]
            shape = [len(range(first[i], n[i], s)) for i in range(2)]
            sizes = (2, 6, 6, *case.shape, *shape, *j, 1, 1, d, d, (j[0] - 1) * d - q[0], (j[1] - 1) * d - q[1], groups,
                     s * 6, s * n[1] * 6, n[0] * n[1] * 6, (first[0] * n[1] + first[1]) * 6, 1, 1)
            scratch = _kernels.load_level(level).scratch_bytes("convolution", sizes, 0, 8)
            testing.run_kernel("convolution", [dy, w2, None, None, None, None, np.empty(scratch, np.uint8), None, dx],
                               sizes, dtype=dtype, level=level)
        expected = np.zeros_like(dx)
        eye = np.zeros_like(case.x)
        for place in np.ndindex(1, *case.x.shape[1:]):
            eye[0][place[1:]] = 1
            y = convolve(eye[:1], case.w, case.shape, case.stride, case.dilation, case.before, groups)
            expected[(slice(None), *place[1:])] = (y * dy).sum((1, 2, 3))
            eye[0][place[1:]] = 0
        np.testing.assert_allclose(dx, expected, rtol=1e-11, atol=1e-11)
