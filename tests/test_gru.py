"""GRU against NumPy in float64: forward and backward, both places of the reset, masks, dropout, states, tails,
threads."""
import numpy as np
import pytest
from kernel_checks import assert_close, assert_slope, everywhere, run
from recurrent_checks import through_program

from fastnn import _kernels
from fastnn.layers.dense import dense
from fastnn.layers.recurrent_lowering import lower_gru
from fastnn.layers.steps import parts

SEQUENCES, RESET_AFTER, KEEP, DROPOUT = 1, 2, 4, 8
ACTIVATIONS = {"tanh": 0, "relu": 1}
resets = pytest.mark.parametrize("after", [True, False], ids=["after", "before"])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Case:
    """A GRU and all that comes to it, in float64; ``forward`` and ``backward`` are the formulas, step by step."""

    def __init__(self, batch, steps, features, units, after=True, bias=True, first=True, masked=False, sequences=True,
                 activation="tanh", dropout=False):
        rng = np.random.default_rng([batch, steps, features, units])
        self.after, self.sequences, self.activation = after, sequences, activation
        self.shape = batch, steps, units
        self.x = rng.standard_normal((batch, steps, features))
        self.w = rng.standard_normal((features, 3 * units)) / max(1, features) ** 0.5
        self.u = rng.standard_normal((units, 3 * units)) / max(1, units) ** 0.5
        self.bias = rng.standard_normal((2, 3 * units) if after else 3 * units) if bias else None
        self.h0 = rng.standard_normal((batch, units)) if first else None
        self.mask = None
        if masked:
            self.mask = (rng.random((batch, steps)) < 0.6).astype(np.uint8)
            self.mask[1::3, :1], self.mask[3::4] = 0, 0          # rows that begin late, rows of which no step counts
        self.factors = 1.25 * (rng.random((batch, 3, units)) < 0.8) if dropout else None
        self.dy = rng.standard_normal((batch, steps, units) if sequences else (batch, units))
        self.dh = rng.standard_normal((batch, units))

    def biases(self):
        zero = np.zeros(3 * self.shape[2])
        if self.bias is None:
            return zero, zero
        return self.bias if self.after else (self.bias, zero)

    def copies(self, h):
        """What z, r and c multiply of h."""
        return [h] * 3 if self.factors is None else list(np.moveaxis(h[:, None] * self.factors, 1, 0))

    def back(self, d, gates):
        """The gradient of h from those of the products with some gates' columns of u."""
        n, factors = self.shape[2], np.ones((1, 3, 1)) if self.factors is None else self.factors
        return sum(factors[:, g] * (part @ self.u[:, g * n:(g + 1) * n].T) for g, part in zip(gates, d))

    def counts(self, t):
        return np.full((self.shape[0], 1), True) if self.mask is None else self.mask[:, t, None] != 0

    def forward(self):
        """(y, last state); keeps of each step the state before it and (z, r, c, what the fourth gate keeps)."""
        batch, steps, n = self.shape
        (b, b2), u = self.biases(), self.u
        h, y = np.zeros((batch, n)) if self.h0 is None else self.h0, np.zeros((batch, n))
        self.kept, outputs = [], []
        for t in range(steps):
            copies, p = self.copies(h), self.x[:, t] @ self.w + b
            q = np.concatenate([a @ u[:, g * n:(g + 1) * n] for g, a in enumerate(copies)], 1) + b2
            z, r = sigmoid(p[:, :n] + q[:, :n]), sigmoid(p[:, n:2 * n] + q[:, n:2 * n])
            s = q[:, 2 * n:] if self.after else r * copies[2]
            v = p[:, 2 * n:] + (r * s if self.after else s @ u[:, 2 * n:])
            c = np.tanh(v) if self.activation == "tanh" else np.maximum(v, 0)
            self.kept.append((h, z, r, c, s))
            new, counts = z * h + (1 - z) * c, self.counts(t)
            h, y = np.where(counts, new, h), np.where(counts, new, y)
            outputs.append(y)
        if not self.sequences:
            return y, h
        return np.stack(outputs, 1) if outputs else np.zeros(self.shape), h

    def backward(self):
        """(gradients of the gates (batch, steps, 4 units) as the kernel leaves them, dh0, db)."""
        batch, steps, n = self.shape
        dh, later = self.dh.copy(), np.zeros((batch, n))         # later: of y at steps that repeat an earlier y
        d = np.zeros((batch, steps, 4, n))
        if not self.sequences:
            later += self.dy
        for t in range(steps - 1, -1, -1):
            h, z, r, c, s = self.kept[t]
            counts = self.counts(t)
            later = later + self.dy[:, t] if self.sequences else later
            total = np.where(counts, dh + later, 0)
            later = np.where(counts, 0, later)
            dz = total * (h - c) * z * (1 - z)
            dc = total * (1 - z) * (1 - c * c if self.activation == "tanh" else c > 0)
            if self.after:
                dr, ds = dc * s * r * (1 - r), dc * r
                back = total * z + self.back([dz, dr, ds], range(3))
            else:
                dr, ds = dc @ self.u[:, 2 * n:].T * s * (1 - r), s
                back = total * z + self.back([dc], [2]) * r + self.back([dz, dr], range(2))
            d[:, t] = np.stack([dz, dr, dc, ds], 1)
            dh = np.where(counts, back, dh)
        sums = d.sum((0, 1))
        db = np.stack([sums[:3], sums[[0, 1, 3]]]) if self.after else sums[:3]
        return d.reshape(batch, steps, 4 * n), dh, db.reshape((2, 3 * n) if self.after else 3 * n)

    def loss(self):
        y, h = self.forward()
        return float((y * self.dy).sum() + (h * self.dh).sum())


def kernel(name, case, operands, level, dtype, training=True):
    """Run a kernel of a GRU; ``operands``: arrays, None, or "scratch", which the gates, the first, follow again."""
    flags = (SEQUENCES * case.sequences | RESET_AFTER * case.after | KEEP * training
             | DROPOUT * (case.factors is not None) | ACTIVATIONS[case.activation] << 8)
    size = _kernels.load_level(level).scratch_bytes(name, case.shape, flags, np.dtype(dtype).itemsize)
    place = next(i for i, a in enumerate(operands) if isinstance(a, str))
    arrays = [np.full(size, 0xFF, np.uint8) if i == place else a if a is None or a.dtype == np.uint8 else
              a.astype(dtype) for i, a in enumerate(operands)]
    return run(name, arrays, case.shape, threads=(1, 2, 3), scratch=(place,), alias={place + 1: 0}, flags=flags,
               dtype=dtype, level=level)[place + 1:]


def packed(case, level, dtype):
    """The recurrent kernel with its bias as gru_forward reads it."""
    units = case.shape[2]
    padded, u = -(-units // 16) * 16, case.u.astype(dtype)
    bias = case.bias[1].astype(dtype) if case.after and case.bias is not None else None
    parts = []
    for gate, gates in [(0, 3)] if case.after else [(0, 2), (2, 1)]:
        out = np.full((units + 1) * gates * padded, 7, dtype)
        part = u.reshape(-1)[gate * units:] if units else u
        parts.append(run("recurrent_pack", [None, part, bias, out], [0, units, gates, gates, 3 * units],
                         threads=(1, 2, 3), dtype=dtype, level=level)[3])
    return np.concatenate(parts)


def turned(case, level, dtype):
    """The recurrent kernel as gru_backward reads it."""
    units = case.shape[2]
    out = np.full(3 * units * (-(-units // 16) * 16), 7, dtype)
    return run("recurrent_turn", [case.u.astype(dtype), out], [units, 3, 3], threads=(1, 2, 3), dtype=dtype,
               level=level)[1]


def forward(case, level, dtype, training=True):
    """(gates, y, states before each step, last state) of the kernel."""
    batch, steps, units = case.shape
    b, _ = case.biases()
    gates = np.full((batch, steps, 4 if training else 3, units), np.nan)
    gates[:, :, :3] = (case.x @ case.w + b).reshape(batch, steps, 3, units)
    y = np.full(case.dy.shape, np.nan)
    return kernel("gru_forward", case, [
        gates, packed(case, level, dtype), case.h0, case.mask, case.factors, "scratch", gates,
        y if case.sequences or case.mask is not None else None,
        np.full((batch, steps, (1 if case.factors is None else 4) * units), np.nan) if training else None,
        np.full((batch, units), np.nan)], level, dtype, training)


def check(case, level, dtype, without=()):
    """Both kernels against the formulas; ``without``: gradients that are not given (dy, dh) or not wanted (dh0, db)."""
    batch, steps, units = case.shape
    y, h = case.forward()
    gates, found, previous, state = forward(case, level, dtype)
    kept = [np.stack(a, 1) if steps else np.zeros(case.shape) for a in zip(*case.kept)] or [np.zeros(case.shape)] * 5
    unit = 16 * (1 + steps)
    assert_close(state, h, unit, 1)
    if case.factors is not None:
        kept[0] = np.concatenate([kept[0], *np.moveaxis(kept[0][:, :, None] * case.factors[:, None], 2, 0)], 2)
    assert_close(previous, kept[0], unit, 1)
    assert_close(gates, np.stack(kept[1:], 2), 4 * unit, 1)
    if found is not None:
        assert_close(found, y, unit, 1)
    gates, previous = np.stack(kept[1:], 2), kept[0]
    for name in {"dy", "dh"}.intersection(without):
        setattr(case, name, np.zeros_like(getattr(case, name)))
    d, dh0, db = case.backward()
    results = {"dy": case.dy, "dh": case.dh, "dh0": np.full((batch, units), np.nan), "db": np.full(db.shape, np.nan)}
    results |= dict.fromkeys(without)
    found, found_dh0, found_db = kernel("gru_backward", case, [
        gates, turned(case, level, dtype), results["dy"], results["dh"], case.mask, previous, case.factors, "scratch",
        gates, results["dh0"], results["db"]], level, dtype)
    assert_close(found.reshape(d.shape), d, 4 * unit, 1)
    if found_dh0 is not None:
        assert_close(found_dh0, dh0, 4 * unit, 1)
    if found_db is not None:
        assert_close(found_db, db, 4 * unit * max(1, batch), 1)


@everywhere
@resets
@pytest.mark.parametrize("units", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65])
def test_kernels(units, after, level, dtype):
    check(Case(5, 3, 2, units, after), level, dtype)
    check(Case(5, 3, 2, units, after, dropout=True), level, dtype)


@everywhere
@resets
@pytest.mark.parametrize("batch", [0, 1, 2, 7, 8, 9, 17, 33])
def test_batches(batch, after, level, dtype):
    check(Case(batch, 2, 1, 20, after, masked=batch % 2 == 1, sequences=batch % 3 > 0), level, dtype)


@everywhere
@resets
@pytest.mark.parametrize("settings", [
    {"masked": True}, {"masked": True, "sequences": False}, {"sequences": False}, {"bias": False}, {"first": False},
    {"activation": "relu"}, {"masked": True, "first": False, "bias": False}, {"masked": True, "dropout": True},
    {"sequences": False, "first": False, "bias": False, "dropout": True}], ids=str)
def test_settings(settings, after, level, dtype):
    check(Case(13, 7, 3, 18, after, **settings), level, dtype)


@everywhere
@resets
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_few_steps(steps, after, level, dtype):
    check(Case(3, steps, 1, 5, after), level, dtype)


@everywhere
@resets
def test_large_kernel(after, level, dtype):
    """One that does not stay in L2: blocks of more rows."""
    check(Case(35, 1, 1, 160, after), level, dtype)
    check(Case(35, 2, 1, 160, after, dropout=True), level, dtype)


@everywhere
def test_two_blocks_of_a_large_kernel(level, dtype):
    """Two threads have a block each: the bias gradients of 16 rows are summed, then those of the others."""
    case = Case(32, 1, 1, 210)
    gates = np.full((32, 1, 4, 210), 0.5)
    case.dh = np.zeros((32, 210))
    case.dy = np.ones((32, 1, 210))
    case.dy[0], case.dy[16] = 1e20, -1e20
    found = kernel("gru_backward", case, [
        gates, turned(case, level, dtype), case.dy, case.dh, None, np.zeros(case.shape), None, "scratch", gates, None,
        np.full((2, 630), np.nan)], level, dtype)[-1]
    assert not found.any(), "one sum of all rows"


@everywhere
@resets
def test_inference_gives_the_same_bits(after, level, dtype):
    """Without kept gates; and a row beside others as alone."""
    case = Case(11, 4, 2, 19, after, masked=True)
    _, y, _, h = forward(case, level, dtype)
    _, y2, _, h2 = forward(case, level, dtype, training=False)
    assert y.tobytes() == y2.tobytes() and h.tobytes() == h2.tobytes()
    case.shape = 1, *case.shape[1:]
    for name in ("x", "h0", "mask", "dy"):
        setattr(case, name, getattr(case, name)[6:7])
    _, y2, _, h2 = forward(case, level, dtype, training=False)
    assert y[6].tobytes() == y2[0].tobytes() and h[6].tobytes() == h2[0].tobytes()


@everywhere
def test_nan_stays_in_its_row(level, dtype):
    case = Case(9, 3, 2, 17)
    case.x[4, 1, 0] = np.nan
    _, y, _, h = forward(case, level, dtype)
    assert np.isnan(y[4, 1:]).all() and not np.isnan(y[4, 0]).any() and np.isnan(h[4]).all()
    assert not np.isnan(np.delete(y, 4, 0)).any()


def results_of(case, dtype="float64", training=True):
    """(y, last state, {name: gradient}) through the lowering."""
    def lowered(build, v, mask):
        x, w, bias = v["x"], v["w"], v.get("bias")
        if case.factors is not None:
            of_x, bias = parts(build, bias, [3 * case.shape[2]] * 2, flat=True) if case.after and bias else (bias, None)
            x, w = dense(build, x, w, of_x), None
        return lower_gru(build, x, w, v["u"], bias, [v.get("h0")], mask, case.sequences, case.activation,
                         dropout=v.get("factors"), reset_after=case.after)

    rows, weights = ({name: None if getattr(case, name) is None else getattr(case, name).astype(dtype)
                      for name in names} for names in (("x", "h0", "factors"), ("w", "u", "bias")))
    if case.factors is not None:
        rows["factors"] = rows["factors"].reshape(len(case.x), -1)
    (y, h), gradients = through_program(lowered, rows, weights, case.mask, (case.dy, case.dh), training=training)
    return y, h, gradients


@resets
@pytest.mark.parametrize(("steps", "settings"), [
    (1, {}), (4, {}), (17, {}), (4, {"masked": True}), (4, {"masked": True, "sequences": False}),
    (4, {"sequences": False}), (4, {"bias": False, "first": False}), (4, {"activation": "relu"}),
    (4, {"dropout": True}), (4, {"masked": True, "sequences": False, "bias": False, "dropout": True})], ids=str)
def test_gradients(steps, settings, after):
    """Of every weight, of the inputs at every step, of the initial state."""
    case = Case(3, steps, 2, 3, after, **settings)
    y, h = case.forward()
    found_y, found_h, gradients = results_of(case)
    assert_close(found_y, y, 100, 1)
    assert_close(found_h, h, 100, 1)
    assert set(gradients) == {name for name in ("x", "h0", "w", "u", "bias") if getattr(case, name) is not None}
    for name, gradient in gradients.items():
        value = getattr(case, name)

        def loss(changed, name=name):
            setattr(case, name, changed)
            return case.loss()

        assert_slope(gradient, loss, value)
        setattr(case, name, value)


@resets
def test_inference_keeps_no_gates(after):
    case = Case(4, 5, 3, 6, after)
    found_y, found_h, gradients = results_of(case, "float32", training=False)
    y, h = case.forward()
    assert_close(found_y, y, 100, 1)
    assert_close(found_h, h, 100, 1)
    assert not gradients
