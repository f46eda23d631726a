"""Random calls of the kernels of recurrent layers, and of those before them: for fuzz_kernels.py.

Operands, oracles and comparisons are those of the kernels' own tests; here is drawn what they are made of.
"""
import numpy as np
import test_gru
import test_recurrent
from fuzz_draw import close, same
from fuzz_images import until
from kernel_checks import assert_close, run


def some_sizes(d):
    """Rows, steps, features, units."""
    return until(lambda found: found[0] * max(1, found[1]) * found[3] ** 2 < 200_000, lambda: (
        d.size(40), d.rng.choice((0, 1, 1, 2, 3, 5, 8)), d.rng.choice((1, 2, 5, 15, 16, 20)), d.size()))


def gru(d):
    case = test_gru.Case(*some_sizes(d), d.rng.random() < 0.5, **{
        name: d.rng.random() < share for name, share in (
            ("bias", 0.8), ("first", 0.5), ("masked", 0.3), ("sequences", 0.6))},
        activation=d.rng.choice(("tanh", "tanh", "relu")))
    test_gru.check(case, d.level, d.dtype)


def near(found, expected, roundings):
    """Equal but for so many roundings of the greatest."""
    assert_close(found, expected, roundings, max(1, np.abs(expected).max(initial=0)))


class Cell:
    """An LSTM or a SimpleRNN, its settings and its operands, which a run of its kernels makes."""

    def __init__(self, d, name):
        self.name, (_, self.gates, self.n) = name, test_recurrent.CELLS[name]
        self.rows, self.steps, self.features, self.units = some_sizes(d)
        self.sequences, self.activation = d.rng.random() < 0.6, d.rng.choice(("tanh", "tanh", "relu"))
        self.inside = self.features if self.features < 16 and d.rng.random() < 0.5 else 0
        self.a = test_recurrent.case(name, self.rows, self.steps, self.features, self.units, d.rng.randrange(1 << 30),
                                     d.dtype, "random" if self.rows and d.rng.random() < 0.3 else None,
                                     d.rng.random() < 0.5)
        if d.rng.random() < 0.2:
            self.a["bias"] = None
        self.settings = {"threads": (1, 2, 3), "level": d.level, "dtype": d.dtype}
        self.flags = self.sequences | (self.activation == "relu") << 8

    def empty(self, *shape):
        return np.full(shape, 7, self.settings["dtype"])

    def weights(self):
        """(packed, turned)."""
        a, gates, units, wide = self.a, self.gates, self.units, -(-self.units // 16) * 16
        given = [a["kernel"], a["recurrent"], a["bias"]] if self.inside else [None, a["recurrent"], None]
        packed = run("recurrent_pack", [*given, self.empty((1 + self.inside + units) * gates * wide)],
                     [self.inside, units, gates, 4, gates * units], **self.settings)[3]
        turned = run("recurrent_turn", [a["recurrent"], self.empty(gates * units * wide)], [units, gates, 4],
                     **self.settings)[1]
        return packed, turned

    def forward(self, packed, training):
        """[y, states, kept, cells] of the kernel."""
        a, rows, steps, units, n = self.a, self.rows, self.steps, self.units, self.n
        ahead = None
        if not self.inside:
            ahead = a["x"].astype("float64") @ a["kernel"] + (0 if a["bias"] is None else a["bias"])
            ahead = ahead.astype(a["x"].dtype)
        given = [a["x"] if self.inside else None, ahead, packed, *[a["h0"], a["c0"]][:n], a.get("mask")]
        y = self.empty(rows, steps, units) if self.sequences else self.empty(rows, units)
        kept = [self.empty(rows, steps, self.gates, units), *[self.empty(rows, steps, 2, units)] * (n - 1)]
        outputs = [self.empty(rows, steps if training else 2, self.inside + units + 1), y,
                   *[self.empty(rows, units)] * n, *(kept if training else [None] * n)]
        return run(f"{self.name}_forward", given + outputs, [rows, steps, self.inside, units], flags=self.flags,
                   **self.settings)[len(given) + 1:]

    def backward(self, kept, dy, states):
        """[dz, the gradients of the first states] by the formulas, given what the kernel kept."""
        z, *cells = (k.astype("float64") for k in kept)
        dh, dc = states if self.n == 2 else (*states, 0)
        slope = (lambda y: 1 - y * y) if self.activation == "tanh" else (lambda y: (y > 0) * 1.0)
        later, dz, u = np.zeros((self.rows, self.units)), np.zeros(z.shape), self.a["recurrent"].astype("float64")
        if not self.sequences:
            later = later + dy
        for t in range(self.steps - 1, -1, -1):
            counts = np.True_ if self.a.get("mask") is None else self.a["mask"][:, t, None] != 0
            later = later + dy[:, t] if self.sequences else later
            total, later = np.where(counts, dh + later, 0), np.where(counts, 0, later)
            if self.n == 2:
                (i, f, g, o), (before, act) = z[:, t].swapaxes(0, 1), cells[0][:, t].swapaxes(0, 1)
                all_c = dc + total * o * slope(act)
                made = [all_c * g * i * (1 - i), all_c * before * f * (1 - f), all_c * i * slope(g),
                        total * act * o * (1 - o)]
                dc = np.where(counts, all_c * f, dc)
            else:
                made = [total * slope(z[:, t, 0])]
            dz[:, t] = np.where(np.expand_dims(counts, 1) if np.ndim(counts) else counts, np.stack(made, 1), 0)
            dh = np.where(counts, dz[:, t].reshape(self.rows, u.shape[1]) @ u.T, dh)
        return [dz, dh, dc][:1 + self.n]

    def check(self, rng):
        a, n, roundings = self.a, self.n, 64 * (1 + self.steps)
        packed, turned = self.weights()
        ys, y, states = test_recurrent.oracle(
            self.name, {k: v if v is None or k == "mask" else v.astype("float64") for k, v in a.items()},
            self.activation)
        *results, = self.forward(packed, True)
        for found, expected in zip(results, [ys if self.sequences else y, *states]):
            near(found, expected, roundings)
        for found, other in zip(self.forward(packed, False)[:1 + n], results):
            assert found.tobytes() == other.tobytes(), "other bits in inference"
        kept = results[1 + n:]
        seeds = [rng.standard_normal(v.shape).astype(packed.dtype) for v in results[:1 + n]]
        found = run(f"{self.name}_backward", [*kept, turned, *seeds, a.get("mask"), kept[0],
                                              *[self.empty(self.rows, self.units)] * n],
                    [self.rows, self.steps, self.units], flags=self.flags | 2, alias={2 * n + 3: 0}, **self.settings)
        expected = self.backward(kept, seeds[0].astype("float64"), [s.astype("float64") for s in seeds[1:]])
        for gradient, other in zip(found[2 * n + 3:], expected):
            near(gradient, other, 4 * roundings)


def lstm(d):
    Cell(d, "lstm").check(np.random.default_rng(d.rng.randrange(1 << 30)))


def simple_rnn(d):
    Cell(d, "simple_rnn").check(np.random.default_rng(d.rng.randrange(1 << 30)))


def embedding(d):
    n, columns, count = d.size(), max(1, d.size()), 1 + d.size(300)
    ids = np.array([d.rng.randrange(count) for _ in range(n)], np.int32)
    ids[:d.rng.choice((0, n))] = ids[:1]                                     # one that comes often
    table, dy = d.values(count, columns), np.random.default_rng(n).standard_normal((n, columns)).astype(d.dtype)
    mask = d.place(np.empty(n, np.uint8)) if d.rng.random() < 0.5 else None
    y = d.place(np.empty_like(dy))
    d.run("embedding_forward", [ids, table, y, mask], [n, columns])
    same(y, table[ids])
    assert mask is None or np.array_equal(mask, ids != 0), "another mask"
    start = np.random.default_rng(count).standard_normal((count, columns)).astype(d.dtype)
    expected = start.astype("float64")
    np.add.at(expected, ids, dy.astype("float64"))
    found = d.run("embedding_backward", [ids, dy, d.place(start)], [n, columns])
    close(found, expected, 4 + n, 8)
    cleared = d.run("embedding_clear", [ids, d.place(start)], [n, columns])
    start[ids] = 0
    same(cleared, start)


def steps(d):
    """Parts of rows, steps in reverse, the choice by a mask."""
    dtype = d.rng.choice(("float32", "float64", "uint8"))
    rng, item = np.random.default_rng(d.rng.randrange(1 << 30)), np.dtype(dtype).itemsize
    rows, many, width, before, after = d.size(40), d.size(9), d.size(), d.size(5), d.size(5)

    def numbers(*shape):
        return rng.integers(0, 200, shape).astype(dtype)

    def place(array):
        return d.place(array.reshape(len(array), -1) if array.size else array).reshape(array.shape)

    x, y = numbers(rows, before + width + after), numbers(rows, width)
    sizes = [rows, width * item, x.shape[1] * item, before * item]
    same(d.run("take_part", [x, place(y)], sizes), x[:, before:before + width])
    expected, absent = x.copy(), d.rng.random() < 0.3
    expected[:, before:before + width] = 0 if absent else y
    same(d.run("put_part", [None if absent else y, place(x)], sizes), expected)
    x = numbers(rows, many, width)
    same(d.run("reverse_steps", [x, place(x)], [rows, many, width * item]), x[:, ::-1])
    mask, step = rng.integers(0, 2, (rows, many + 1)).astype(np.uint8), d.rng.randint(0, many)
    a, b = (v if d.rng.random() < 0.8 else None for v in (numbers(rows, width), numbers(rows, width)))
    found = d.run("select_rows", [mask, a, b, place(y)], [rows, width * item, many + 1, step])
    zero = np.zeros_like(y)
    same(found, np.where(mask[:, step, None] != 0, zero if a is None else a, zero if b is None else b))


CALLS = {gru: 6, lstm: 6, simple_rnn: 4, embedding: 4, steps: 4}
