"""LSTM and SimpleRNN through their lowering, against float64 NumPy; gradients against complex steps of it."""

from functools import cache, partial

import numpy as np
import pytest
from kernel_checks import LEVELS
from kernel_checks import run as run_guarded
from recurrent_checks import through_program

from fastnn import _kernels, testing
from fastnn.layers.dense import dense
from fastnn.layers.recurrent_lowering import fast, lower_lstm, lower_simple_rnn

CELLS = {"lstm": (lower_lstm, 4, 2), "simple_rnn": (lower_simple_rnn, 1, 1)}     # lowering, gates, states
NAMES = ("x", "kernel", "recurrent", "bias", "h0", "c0")


@pytest.fixture(params=LEVELS, autouse=True)
def level(request, monkeypatch):
    """Programs on each level's kernels."""
    monkeypatch.setattr(_kernels, "kernels", testing.kernels_of(request.param))
    monkeypatch.setattr(_kernels, "scratch_bytes", _kernels.load_level(request.param).scratch_bytes)
    return request.param


def case(cell, rows=3, steps=4, features=3, units=5, seed=0, dtype="float64", mask=None, states=True,
         dropout=False):
    """Arrays of a cell: x, kernel, recurrent, bias, h0, c0, mask, dropout."""
    rng = np.random.default_rng(seed)
    _, gates, n_states = CELLS[cell]
    shapes = [(rows, steps, features), (features, gates * units), (units, gates * units), (gates * units,)]
    a = [0.5 * rng.standard_normal(s) for s in shapes]
    a[2] *= min(1.0, 3 / max(units, 1)) ** 0.5
    a += [0.5 * rng.standard_normal((rows, units)) if states and i < n_states else None for i in range(2)]
    a = {name: None if v is None else v.astype(dtype) for name, v in zip(NAMES, a)}
    if mask == "random":
        a["mask"] = (rng.random((rows, steps)) < 0.6).astype(np.uint8)
        a["mask"][0] = 0                                     # a row of which nothing counts
        a["mask"][1:2] = np.arange(steps) >= steps // 2      # padded in front
    if dropout:
        a["dropout"] = (1.25 * (rng.random((rows, gates * units)) < 0.8)).astype(dtype)
    return a


def activate(name, z):
    return np.tanh(z) if name == "tanh" else np.where(z.real > 0, z, 0)


def recurrent_product(h, u, dropout):
    """h . u, where each gate may have dropout of its own."""
    if dropout is None or not dropout.size:
        return h @ u
    factors = np.split(dropout, dropout.shape[1] // max(1, h.shape[-1]), 1)
    return np.concatenate([(h * f) @ v for f, v in zip(factors, np.split(u, len(factors), -1))], -1)


def oracle(cell, a, activation="tanh"):
    """(y of all steps, y of the last, [states]); all arrays may have more axes in front."""
    x, w, u, b = a["x"], a["kernel"], a["recurrent"], a["bias"]
    zero = np.zeros((x.shape[-3], u.shape[-2]))
    h, c = (zero if a[s] is None else a[s] for s in ("h0", "c0"))
    y, ys = zero, []
    for t in range(x.shape[-2]):
        z = x[..., t, :] @ w + recurrent_product(h, u, a.get("dropout")) + (0 if b is None else b[..., None, :])
        if cell == "lstm":
            i, f, g, o = np.split(z, 4, -1)
            i, f, o = (1 / (1 + np.exp(-v)) for v in (i, f, o))
            new_c = f * c + i * activate(activation, g)
            new_h = o * activate(activation, new_c)
        else:
            new_c, new_h = c, activate(activation, z)
        on = np.True_ if a.get("mask") is None else a["mask"][:, t, None] != 0
        h, c, y = np.where(on, new_h, h), np.where(on, new_c, c), np.where(on, new_h, y)
        ys.append(y)
    return np.stack(ys, -2) if ys else np.zeros((*x.shape[:-1], zero.shape[1])), y, [h, c][:CELLS[cell][2]]


def run(cell, a, sequences=True, activation="tanh", seeds=None, together=False, training=True, threads=1, wanted=NAMES,
        passes=1):
    """(y, states, {name: gradient}) from a program; ``seeds``: gradients of y and the states (None: none of it)."""
    lower, _, n_states = CELLS[cell]

    def lowered(build, values, mask):
        states = [values.get(s) for s in ("h0", "c0")[:n_states]]
        x, weights, dropout = values["x"], [values.get(name) for name in NAMES[1:4]], values.get("dropout")
        if dropout is not None:
            x, weights = dense(build, x, weights[0], weights[2]), [None, weights[1], None]
        return lower(build, x, *weights, states, mask, sequences, activation=activation, dropout=dropout)

    rows, weights = ({name: a.get(name) for name in names} for names in (("x", "h0", "c0", "dropout"), NAMES[1:4]))
    (y, *states), gradients = through_program(
        lowered, rows, weights, a.get("mask"), seeds or (), training=training, together=together, wanted=wanted,
        passes=passes, threads=threads)
    return y, states, gradients


def complex_steps(cell, a, seeds, sequences, activation, name):
    """The gradient of sum(results * seeds) by the array of that name: a step in the imaginary direction has no
    cancellation, so it is exact to rounding."""
    x = a[name]
    steps = x + 1e-30j * np.eye(x.size).reshape(x.size, *x.shape)
    ys, y, states = oracle(cell, a | {name: steps}, activation)
    total = np.zeros(x.size)
    for result, seed in zip([ys if sequences else y, *states], seeds):
        if seed is not None and np.iscomplexobj(result):
            total += (result.imag * seed).reshape(x.size, -1).sum(1)
    return (total / 1e-30).reshape(x.shape)


def seeds_for(cell, a, sequences, seed=1):
    rng = np.random.default_rng(seed)
    rows, steps, _ = a["x"].shape
    units = a["recurrent"].shape[0]
    shapes = [(rows, steps, units) if sequences else (rows, units)] + [(rows, units)] * CELLS[cell][2]
    return [rng.standard_normal(s) for s in shapes]


@cache
def truth(cell, sequences, activation, keep, settings):
    """(arrays, seeds, [y, states], {name: gradient}) of the oracle, which is the same on every level."""
    settings = dict(settings)
    bias = settings.pop("bias", True)
    a = case(cell, **settings)
    if not bias:
        a["bias"] = None
    seeds = [s if keep is None or i == keep else None for i, s in enumerate(seeds_for(cell, a, sequences))]
    ys, last, states = oracle(cell, a, activation)
    gradients = {n: complex_steps(cell, a, seeds, sequences, activation, n) for n in NAMES if a[n] is not None}
    return a, seeds, [ys if sequences else last, *states], gradients


def check(cell, sequences=True, activation="tanh", keep=None, together=False, **settings):
    """Results and all gradients; ``keep``: which result's gradient comes in, None for all; the rest makes the case."""
    a, seeds, results, expected = truth(cell, sequences, activation, keep, tuple(settings.items()))
    y, states, gradients = run(cell, a, sequences, activation, seeds, together)
    for found, other in zip([y, *states], results):
        np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-14)
    for name, gradient in expected.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [1, 4, 17])
@pytest.mark.parametrize("features", [1, 17])
@pytest.mark.parametrize("sequences", [False, True])
def test_gradients_of_everything(cell, steps, features, sequences):
    for together in (False, True):
        check(cell, sequences, together=together, steps=steps, features=features, rows=2)
    check(cell, sequences, steps=steps, features=features, mask="random")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [0, 1, 4, 17])
@pytest.mark.parametrize("sequences", [False, True])
def test_dropout_of_the_state(cell, steps, sequences):
    for mask in (None, "random"):
        check(cell, sequences, steps=steps, units=10, rows=2, mask=mask, dropout=True)
    check(cell, sequences, "relu", steps=steps, mask="random", dropout=True, bias=False, states=False)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("features", [2, 20])
def test_relu(cell, features):
    check(cell, activation="relu", features=features, mask="random")
    check(cell, activation="relu", sequences=False, features=features)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_that_come_into_some_results_only(cell):
    for sequences in (False, True):
        for keep in range(1 + CELLS[cell][2]):
            check(cell, sequences, keep=keep, steps=5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("units", [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 65, 80])
@pytest.mark.parametrize("features", [2, 18])
def test_units_and_rows(cell, units, features):
    for rows in (0, 1, 2, 5, 7, 16, 17, 32, 37):
        a = case(cell, rows=rows, steps=3, features=features, units=units, mask="random" if rows == 7 else None,
                 dropout=rows in (2, 17))
        y, states, _ = run(cell, a, seeds=seeds_for(cell, a, True))
        ys, _, expected = oracle(cell, a)
        for found, other in zip([y, *states], [ys, *expected]):
            np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-13)
        predicted, again, _ = run(cell, a, training=False)
        assert predicted.tobytes() == y.tobytes() and again[0].tobytes() == states[0].tobytes()
        single = run(cell, {n: v if v is None or n in NAMES[1:4] else v[-1:] for n, v in a.items()}, training=False)[0]
        assert single.tobytes() == y[-1:].tobytes(), "a row depends on the rows beside it"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("features", "dropout"), [(3, False), (40, False), (3, True)])
def test_same_bits_with_threads(cell, dtype, features, dropout):
    a = case(cell, rows=33, steps=6, features=features, units=37, dtype=dtype, mask="random", dropout=dropout)
    seeds = seeds_for(cell, a, True)
    one = run(cell, a, seeds=seeds)
    for threads in (2, 3):
        other = run(cell, a, seeds=seeds, threads=threads)
        assert one[0].tobytes() == other[0].tobytes()
        for name in one[2]:
            assert one[2][name].tobytes() == other[2][name].tobytes(), name


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("features", "dropout"), [(1, False), (24, False), (24, True)])
def test_float32(cell, features, dropout):
    """float32 is float64 but for rounding: a few units for each step of the chain."""
    a = case(cell, rows=32, steps=30, features=features, units=64, dropout=dropout)
    seeds = seeds_for(cell, a, True)
    exact = run(cell, a, seeds=seeds)
    y, states, gradients = run(cell, {n: v if v is None else v.astype("float32") for n, v in a.items()}, seeds=seeds)
    for found, wanted in [(y, exact[0]), *zip(states, exact[1]), *[(gradients[n], exact[2][n]) for n in gradients]]:
        assert np.abs(found - wanted).max() <= 3e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("cell", CELLS)
def test_large_weights(cell):
    """Weights that no cache of a core keeps: other blocks."""
    for dropout in (False, True):
        a = case(cell, rows=70, steps=2, features=5, units=300, dropout=dropout)
        y, states, _ = run(cell, a, training=False)
        np.testing.assert_allclose(y, oracle(cell, a)[0], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(states[0], oracle(cell, a)[2][0], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_without_steps_without_bias_without_states(cell):
    a = case(cell, steps=0)
    y, states, gradients = run(cell, a, sequences=False, seeds=seeds_for(cell, a, False))
    assert not y.any() and (states[0] == a["h0"]).all()
    np.testing.assert_array_equal(gradients["h0"], seeds_for(cell, a, False)[1])
    for features in (2, 20):
        check(cell, states=False, features=features, bias=False)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", NAMES[:4])
def test_gradients_of_one_alone(cell, name):
    for features, dropout in ((3, False), (20, False), (3, True)):
        a = case(cell, features=features, dropout=dropout)
        seeds = seeds_for(cell, a, True)
        whole = run(cell, a, seeds=seeds, together=True)[2]
        alone = run(cell, a, seeds=seeds, together=True, wanted=(name,))[2]
        np.testing.assert_allclose(alone[name], whole[name], rtol=1e-12, atol=1e-14)
        assert list(alone) == [name]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 5, 17])
@pytest.mark.parametrize(("inside", "dropout"), [(0, False), (2, False), (0, True)])
def test_kernels_write_nothing_else(cell, dtype, units, inside, dropout, level):
    """The kernels themselves, on operands between guard bytes, at odd addresses, with threads: forward and backward."""
    rows, steps, gates, n = 7, 3, CELLS[cell][1], CELLS[cell][2]
    a = case(cell, rows=rows, steps=steps, features=2, units=units, dtype=dtype, mask="random", dropout=dropout)
    settings = {"threads": (1, 2, 3), "level": level, "dtype": dtype}
    empty = partial(np.zeros, dtype=dtype)
    wide = -(-units // 16) * 16
    weights = [a["kernel"], a["recurrent"], a["bias"]] if inside else [None, a["recurrent"], None]
    packed = run_guarded("recurrent_pack", [*weights, empty((1 + inside + units) * gates * wide)],
                         [inside, units, gates, 4, gates * units], **settings)[3]
    turned = run_guarded("recurrent_turn", [a["recurrent"], empty(gates * units * wide)], [units, gates, 4],
                         **settings)[1]
    ahead = None if inside else np.ascontiguousarray(a["x"] @ a["kernel"] + a["bias"])
    states, units_of_states = [a["h0"], a["c0"]][:n], [empty((rows, units)) for _ in range(n)]
    kept = [empty((rows, steps, gates * units)), *[empty((rows, steps, 2 * units))] * (n - 1)]
    forward = [a["x"] if inside else a.get("dropout"), ahead, packed, *states, a["mask"]]
    ys, _, last = oracle(cell, a)
    for training in (True, False):
        inputs = empty((rows, steps if training else 2, inside + (gates if dropout else 1) * units + 1))
        out = run_guarded(f"{cell}_forward", [*forward, inputs, empty(ys.shape), *units_of_states,
                                              *(kept if training else [None] * n)],
                          [rows, steps, inside, units], flags=1, **settings)[len(forward):]
        for found, other in zip(out[1:2 + n], [ys, *last]):
            np.testing.assert_allclose(found, other, rtol=1e-5, atol=1e-6)
        kept = out[2 + n:] if training else kept
    seeds = [s.astype(dtype) for s in seeds_for(cell, a, True)]
    back = run_guarded(f"{cell}_backward", [*kept, turned, *seeds, a["mask"], a.get("dropout"), kept[0].copy(),
                                              *units_of_states],
                       [rows, steps, units], flags=3, **settings)
    for found, name in zip(back[-n:], ("h0", "c0")):
        wanted = complex_steps(cell, {k: v if v is None else v.astype("float64") for k, v in a.items()} |
                               {"mask": a["mask"]}, seeds, True, "tanh", name)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_nan_stays():
    a = case("lstm", rows=4, units=20)
    a["x"][1, 2, 0] = np.nan
    y = run("lstm", a, training=False)[0]
    assert np.isnan(y[1, 2:]).all() and np.isfinite(np.delete(y, 1, 0)).all() and np.isfinite(y[1, :2]).all()


def test_shared_weights_add_their_gradients():
    a = case("lstm")
    once = run("lstm", a, seeds=seeds_for("lstm", a, True))[2]
    twice = run("lstm", a, seeds=seeds_for("lstm", a, True), passes=2)[2]
    np.testing.assert_array_equal(once["kernel"], twice["kernel"])     # the first pass has no gradient


def test_fast():
    assert fast("tanh") and fast("relu", "sigmoid") and not fast("tanh", "hard_sigmoid") and not fast("linear")
