"""winograd against the sums of strided slices that test_convolution makes: edges, tails, epilogues, accuracy, bits."""
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from kernel_checks import GUARD, SIZES, everywhere, guarded
from test_convolution import SCALE_FIRST, Case, pooled

import fastnn
from fastnn import _kernels, testing
from fastnn.program import Lowering

PRODUCTS = 36


def transformed(w, level, threads=1):
    """The filters as winograd of this level takes them."""
    channels, filters = w.shape[2:]
    step = (-(-channels * filters * w.itemsize // 64) | 1) * 64 // w.itemsize
    u, raw, first = guarded(np.full((PRODUCTS, step), np.nan, w.dtype))
    status, *_ = testing.run_kernel("winograd_filters", [w, u], (channels, filters), dtype=w.dtype.name, level=level,
                                    threads=threads, limits={"light": 0, "block": 8})
    assert status == 0
    assert (raw[:first] == GUARD).all() and (raw[first + u.nbytes:] == GUARD).all(), "wrote outside"
    return u


class Winograd(Case):
    """The operands of a convolution; ``run`` does it by winograd."""

    def __init__(self, dtype, **options):
        super().__init__(dtype, kernel=(3, 3), **options)

    def run(self, level, threads=1, images=slice(None)):
        x = self.x[images]
        sizes = self.sizes(len(x))
        scratch = _kernels.load_level(level).scratch_bytes("winograd", self.sizes(), self.flags, x.itemsize)
        out = self.spread(np.full(self.out_shape, 55, self.dtype), self.dtype)
        index = self.spread(np.full(self.out_shape, 55), np.uint8) if self.index else None
        operands = [x, transformed(self.w, level, threads), self.start, self.scale, self.shift, self.y,
                    np.full(scratch, 0xFF, np.uint8), index, out]
        copies = [None if operand is None else guarded(operand) for operand in operands]
        arrays = [None if copy is None else copy[0] for copy in copies]
        status, *_ = testing.run_kernel("winograd", arrays, sizes, flags=self.flags, dtype=self.dtype, level=level,
                                        threads=threads, limits={"matmul": 0})
        assert status == 0
        for array, raw, first in filter(None, copies):
            assert (raw[:first] == GUARD).all() and (raw[first + array.nbytes:] == GUARD).all(), "wrote outside"
        for whole in filter(lambda array: array is not None, arrays[7:]):
            between = whole.copy()
            self.view(between)[...] = 77
            assert (between == 77).all(), "wrote between the rows of the output"
        return self.view(arrays[8])[:len(x)], self.view(arrays[7])[:len(x)] if self.index else None

    def check(self, level, threads=(2, 3)):
        """The errors of a tile are those of its largest elements: the bound is one for all of y."""
        out, _ = self.run(level)
        expected, bound = self.expected()
        assert not out.size or abs(out - expected).max() <= bound.max(), (self.x.shape, self.w.shape, self.flags)
        for n in threads:
            assert out.tobytes() == self.run(level, n)[0].tobytes()
        return out, None


@everywhere
def test_tails(level, dtype):
    """Every number of channels and filters that leaves another rest."""
    for i, (channels, filters) in enumerate(itertools.product(SIZES[1:], SIZES[1:])):
        x = (3 + i % 3, 3 + i % 5, channels)
        Winograd(dtype, images=1 + i % 2, x=x, filters=filters, before=(i % 2, i % 2)).check(level, ())


@everywhere
def test_edges(level, dtype):
    """Every rest of height and width that a tile leaves, valid, padded, cropped, and beyond the image."""
    for height, width, before in itertools.product(range(3, 11), range(3, 11), (0, 1)):
        Winograd(dtype, images=2, x=(height, width, 3), filters=5, before=(before, before)).check(level, ())
    for i, (height, width) in enumerate(itertools.product((1, 2, 7), (1, 4, 9))):
        shape, before = (1 + i, 10 - i), (i % 4, i % 3 - 1)
        Winograd(dtype, x=(height, width, 4), filters=6, shape=shape, before=before).check(level, ())
    for before, shape in [((7, 0), (12, 3)), ((0, 9), (2, 15)), ((-2, -3), (3, 4)), ((8, 8), (20, 20))]:
        Winograd(dtype, x=(5, 6, 3), filters=5, shape=shape, before=before).check(level)


@everywhere
def test_epilogues(level, dtype):
    """Every combination of start, scale, shift, activation and gradient, to outputs with gaps and without."""
    options = itertools.product(*[(False, True)] * 3, (0, SCALE_FIRST), range(4), range(4))
    for i, (start, scale, shift, order, forward, gradient) in enumerate(options):
        gaps = [(0, 0, 0, 0), (3, 0, 0, 0), (0, 5, 0, 2), (1, 2, 3, 4)][i % 4]
        Winograd(dtype, x=(3 + i % 2, 6, 2), filters=(7, 37)[i // 4 % 2], flags=order | forward << 8 | gradient << 16,
                 start=start, scale=scale, shift=shift, gaps=gaps, before=(0, i % 2)).check(level, ())


@everywhere
def test_pooling(level, dtype):
    """Pooling in the operation gives the bits of pooling its result, and the first place of each maximum."""
    for i, (pool, before, filters) in enumerate(itertools.product(
            [(2, 2), (4, 4), (1, 2), (2, 1), (4, 1)], [(0, 0), (1, 1)], (1, 8, 33))):
        options = {"images": 2, "x": (19 - i % 3, 12 + i % 2, 3), "filters": filters, "before": before,
                   "flags": (i % 4) << 8, "scale": i % 3 == 0}
        maxima, places = pooled(Winograd(dtype, **options).run(level)[0], pool)
        case = Winograd(dtype, pool=pool, index=True, gaps=[(0, 0, 0, 0), (3, 1, 2, 1)][i % 2], **options)
        for threads in (1, 2):
            out, index = case.run(level, threads)
            assert (out == maxima).all() and (index == places).all()
        assert (Winograd(dtype, pool=pool, **options).run(level)[0] == maxima).all()


@everywhere
def test_blocks(level, dtype):
    """More tiles than a block, of several images; the same bits however they are cut."""
    for channels, filters in ((3, 5), (40, 24), (130, 70)):
        case = Winograd(dtype, images=3, x=(23, 30, channels), filters=filters, before=(1, 1), flags=2 << 8)
        out, _ = case.check(level, (2, 3, 5))
        for first, last in ((0, 1), (1, 3)):
            assert case.run(level, images=slice(first, last))[0].tobytes() == out[first:last].tobytes()


@everywhere
def test_accuracy(level, dtype):
    """What the documentation says of errors, on normal data."""
    for channels in (32, 128, 512):
        case = Winograd(dtype, images=1, x=(14, 14, channels), filters=32, before=(1, 1), start=False)
        out, expected = case.run(level)[0], case.expected()[0]
        assert abs(out - expected).max() <= (1e-5 if dtype == "float32" else 2e-14) * abs(expected).max()


@everywhere
def test_empty(level, dtype):
    """No images, filters, channels or output: nothing is written but act(start)."""
    for options in [{"images": 0}, {"filters": 0}, {"shape": (0, 3)}, {"shape": (3, 0)}, {"x": (5, 6, 0)}]:
        for start in (False, True):
            Winograd(dtype, start=start, flags=1 << 8, **options).check(level)


@everywhere
def test_special_values(level, dtype):
    """NaN reaches all windows that see it, and no others than those of the tiles that do; relu keeps it."""
    case = Winograd(dtype, images=1, x=(12, 12, 2), filters=5, flags=1 << 8)
    case.x[0, 5, 6, 1] = np.nan
    seen = np.zeros(case.out_shape, bool)
    seen[0, :8, 4:8] = True
    found = np.isnan(case.run(level)[0])
    assert found[0, 3:6, 4:7].all() and not (found & ~seen).any()
    case = Winograd(dtype, images=1, x=(9, 9, 2), filters=5, shape=(4, 5))       # pixels that no window sees
    case.x[0, 6:] = case.x[0, :, 7:] = np.nan
    assert np.isfinite(case.run(level)[0]).all()


@pytest.fixture
def switched():
    """Sets the switch; it is put back at the end."""
    before = fastnn.get_winograd()
    yield fastnn.set_winograd
    fastnn.set_winograd(before)


def operations(model):
    """The kernels of the programs that a model has for the switch as it stands."""
    programs = [program for key, (program, _) in model._predictions.items() if key[-1] is fastnn.get_winograd()]
    programs += [program for key, program in model._steps.items() if key[-1] is fastnn.get_winograd()]
    return {operation.kernel for program in programs for operation in program.operations}


def test_layers(switched):
    """Predictions and steps of training are those without Winograd's algorithm, in float64 to the last digits, pooling
    included; a program lowered with the switch the other way is not used."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3, 9, 10, 17)), rng.standard_normal((3, 4))
    model = fastnn.Sequential([
        fastnn.Input((9, 10, 17)), fastnn.layers.Conv2D(20, 3, padding="same", activation="tanh", dtype="float64"),
        fastnn.layers.MaxPooling2D(2, dtype="float64"), fastnn.layers.Conv2DTranspose(18, 3, dtype="float64"),
        fastnn.layers.Conv2D(5, 3, dtype="float64"), fastnn.layers.Flatten(dtype="float64"),
        fastnn.layers.Dense(4, dtype="float64")], dtype="float64")
    model.compile(fastnn.optimizers.SGD(0.1), "mse")
    start, found = model.get_weights(), {}
    for value in (True, False, True):
        switched(value)
        model.set_weights(start)
        outputs = model.predict(x, verbose=0)
        assert (model.predict(x[:1], verbose=0) == outputs[:1]).all()
        model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        used = operations(model)
        assert "max_pooling_forward" not in used
        assert value is bool({"winograd", "winograd_filters", "winograd_weights"} & used)
        found.setdefault(value, []).append([outputs, *model.get_weights()])
    for with_it, without in zip(found[True][0], found[False][0]):
        np.testing.assert_allclose(with_it, without, rtol=1e-10, atol=1e-12)
    assert any((a != b).any() for a, b in zip(found[True][0], found[False][0]))
    assert all((a == b).all() for a, b in zip(*found[True]))


def test_choice(switched):
    """Shapes alone decide, and both gradients of a large convolution are done as it is."""
    for options, shape, expected in [({}, (8, 8, 16), True), ({}, (8, 8, 15), False), ({}, (7, 8, 16), False),
                                     ({"strides": 2}, (20, 20, 16), False), ({"groups": 2}, (8, 8, 32), False),
                                     ({"dilation_rate": 2}, (12, 12, 16), False)]:
        layer = fastnn.layers.Conv2D(16, 3, padding="same" if not options else "valid", **options)
        layer(np.zeros((1, *shape), "float32"))
        program = next(iter(layer._programs.values())).program
        assert expected is any(o.kernel == "winograd" for o in program.operations), (options, shape)


def test_a_switch_turned_during_lowering(switched, monkeypatch):
    """A program is kept under the switch that it was lowered with, all of it."""
    before = Lowering.parameter

    def parameter(build, variable):
        fastnn.set_winograd(not fastnn.get_winograd())       # as another thread may, again and again
        return before(build, variable)

    monkeypatch.setattr(Lowering, "parameter", parameter)
    x, y = np.random.default_rng(0).standard_normal((2, 9, 9, 16)).astype("float32"), np.zeros((2, 9, 9, 16))
    for value in (True, False):
        layer = fastnn.layers.Conv2D(16, 3, padding="same", use_bias=False)     # so that it asks once
        model = fastnn.Sequential([fastnn.Input((9, 9, 16)), *(
            fastnn.layers.Conv2D(16, 3, padding="same", use_bias=False) for _ in range(3))])
        model.compile("sgd", "mse")
        for call, arguments in ((layer, (x,)), (model.predict_on_batch, (x,)), (model.train_on_batch, (x, y))):
            switched(value)
            call(*arguments)
        programs = {key: found.program for key, found in layer._programs.items()}
        programs |= {key: program for key, (program, _) in model._predictions.items()} | dict(model._steps)
        assert [key[-1] for key in programs] == [value] * 3
        for program in programs.values():
            kernels = {operation.kernel for operation in program.operations}
            assert {"winograd", "convolution"} & kernels == {"winograd" if value else "convolution"}


def test_switch(switched):
    """True and False and nothing else; the environment decides at import."""
    switched(False)
    assert fastnn.get_winograd() is False
    for wrong in (0, 1, "0", None):
        with pytest.raises(TypeError, match="set_winograd expects True or False, got"):
            switched(wrong)
    for value, expected in (("0", False), ("1", True)):
        command = [sys.executable, "-c", "import fastnn; print(fastnn.get_winograd())"]
        out = subprocess.run(command, env={**os.environ, "FASTNN_WINOGRAD": value}, capture_output=True, text=True)
        assert out.stdout.strip() == str(expected)
