"""The machine's limits: kernels that move and compute what they say, and the arithmetic of the roofline."""
import doctest

import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run

from fastnn import _roofline
from fastnn.testing import kernels_of, levels

AROUND_A_BLOCK = (*SIZES, 127, 128, 129, 200)


@everywhere
@pytest.mark.parametrize(("kernel", "arrays"), [("copy", 2), ("copy_past", 2), ("triad", 3)])
def test_a_stream_writes_every_element_and_no_other(level, dtype, kernel, arrays):
    rng = np.random.default_rng(0)
    for n in AROUND_A_BLOCK:
        x, y, z = rng.standard_normal((3, n + 9)).astype(dtype)         # more to read than may be written
        threads = (1, 2, 3) if n in (33, 65, 200) else (1,)
        given = [x, y[:n], z][:arrays]
        _, out, *_ = run(f"stream_{kernel}", given, [n, 2], [0.5, 0.0], threads, level=level, dtype=dtype)
        if kernel == "triad":
            assert_close(out, x[:n].astype(float) + 0.5 * z[:n].astype(float), scale=1.0)
        else:
            assert out.tobytes() == x[:n].tobytes()


@everywhere
def test_reading_meets_every_element(level, dtype):
    """A NaN anywhere, and only then, shows in the first element."""
    for n in AROUND_A_BLOCK[1:]:
        for i in {*range(0, n, 7), n - 1}:
            x = np.ones(n, dtype)
            x[i] = np.nan
            (read,) = run("stream_read", [x], [n, 1], level=level, dtype=dtype)
            assert np.isnan(read[0])
        (read,) = run("stream_read", [np.ones(n, dtype)], [n, 1], level=level, dtype=dtype)
        assert (read == 1).all()


@everywhere
def test_the_peak_is_of_chains_that_all_run(level, dtype):
    """Each chain's numbers are used, and multiplied as often as the work says."""
    lanes = 192
    for i in range(12 * vector_lanes(level, dtype)):
        x = np.ones(lanes, dtype)
        x[i] = np.nan
        (kept,) = run("fma_peak", [x], [lanes, 1], [0.999, 1e-3], (1, 2), level=level, dtype=dtype)
        assert np.isnan(kept[0])
    # inf - inf at the 100th step and not before: 2^k grows to inf, and then minus inf
    steps = {"float32": 128, "float64": 1024}[dtype]
    for more, overflows in ((-1, False), (1, True)):
        x = np.ones(lanes, dtype)
        x[1] = -1
        work = (steps + more) * 12 * vector_lanes(level, dtype)
        (kept,) = run("fma_peak", [x], [work, 1], [2.0, 0.0], level=level, dtype=dtype)
        assert np.isnan(kept[0]) == overflows


def vector_lanes(level, dtype):
    return {"v4": 64, "v3": 32}.get(level, 16) // np.dtype(dtype).itemsize


@pytest.mark.parametrize("level", levels())
def test_every_level_has_its_peak(level, monkeypatch):
    monkeypatch.setattr(_roofline._kernels, "kernels", kernels_of(level))
    rates = {dtype: max(_roofline.Peak(dtype)() for _ in range(3)) for dtype in ("float32", "float64")}
    assert 1e8 < rates["float64"] and 1e8 < rates["float32"] < 1e13


def test_probes_count_what_they_do():
    peak = _roofline.Peak("float64", threads=2)
    assert peak.flops == 2 * 2 * _roofline.PEAK_WORK and _roofline.PEAK_WORK % (12 * 16) == 0
    for kind, arrays in {"read": 1, "copy": 2, "copy_past": 2, "triad": 3, "update": 2}.items():
        for size in (1, 16_384, 10_000_000):
            stream = _roofline.Stream(kind, size)
            assert len(stream.arrays) == arrays
            passes = stream.moved // sum(array.nbytes for array in stream.arrays)
            assert kind == "update" or passes == max(1, _roofline.STREAM_BYTES // size)
            assert stream.moved >= min(size, _roofline.STREAM_BYTES) * 0.9
            assert all(array.ctypes.data % 64 == 0 and len(array) % 128 == 0 for array in stream.arrays)
            assert stream() > 1e6
    assert set(_roofline.bandwidth(4096, ("read", "copy"), 2)) == {"read", "copy"}


def test_rates_are_work_by_time(monkeypatch):
    times = iter([2e-3, 4e-3, 1e-3, 1e-3])
    monkeypatch.setattr(_roofline.Probe, "seconds", lambda probe, threads=None: next(times))
    assert _roofline.Peak("float32", threads=2)() == 2 * 2 * 1_920_000 / 2e-3
    # passes of 16 kB until 4 MB are moved: 4 kB arrays twice, 244 times
    assert _roofline.Stream("copy", 16_384)() == 16_384 * 244 / 4e-3
    assert _roofline.bandwidth(16_384, ("copy",), 2) == {"copy": 16_384 * 244 / 1e-3}


def test_the_best_bandwidth_counts(monkeypatch):
    times = iter([2e-3, 1e-3, 1e-3, 4e-3])
    monkeypatch.setattr(_roofline.Probe, "seconds", lambda probe, threads=None: next(times))
    best = _roofline.bandwidth(16_384, ("read", "copy"), 2)
    assert best == {"read": 16_384 * 244 / 1e-3, "copy": 16_384 * 244 / 1e-3}


def test_the_roofline_is_the_lower_of_roof_and_slope():
    assert doctest.testmod(_roofline).failed == 0
    peak, rate = 100e9, 20e9
    ridge = peak / rate
    for intensity in (0.1, 1.0, ridge, 10.0, 100.0):
        moved = 1e6
        flops = intensity * moved
        assert flops / _roofline.shortest(flops, moved, peak, rate) == pytest.approx(min(peak, intensity * rate))


def test_caches_are_read_where_the_system_tells(tmp_path):
    told = [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2M"), ("3", "Unified", "1G")]
    for number, (level, kind, size) in enumerate(told):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n")
    assert _roofline.caches(str(tmp_path)) == {"L1": 48 << 10, "L2": 2 << 20, "L3": 1 << 30}
    assert _roofline.caches(str(tmp_path / "nothing")) == {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}
    sizes = _roofline.sizes()
    assert sizes["L1"] < sizes["L2"] < sizes["L3"] < sizes["memory"]
