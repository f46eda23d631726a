"""Random calls of the kernels of recurrent layers, and of those before them: for fuzz_kernels.py.

Operands, oracles and comparisons are those of the kernels' own tests; here is drawn what they are made of.
"""
import numpy as np
import test_gru
import test_recurrent
from fuzz_draw import close, same
from fuzz_images import until
from kernel_checks import assert_close, run
from test_roofline import vector_lanes

from fastnn import testing

BAD_ID = testing.run_kernel("embedding_ids", [np.full(1, -1, "float32"), np.empty(1, np.int32)], [1, 1])[0]


def some_sizes(d):
    """Rows, steps, features, units: now and then so many units that blocks are larger, for their weights leave L2."""
    most, work = d.rng.choice(((70, 200_000), (70, 200_000), (70, 200_000), (135, 1_000_000)))
    return until(lambda found: found[0] * max(1, found[1]) * found[3] ** 2 < work, lambda: (
        d.size(40), d.rng.choice((0, 1, 1, 2, 3, 5, 8)), d.rng.choice((1, 2, 5, 15, 16, 20)), d.size(most)))


def gru(d):
    case = test_gru.Case(*some_sizes(d), d.rng.random() < 0.5, **{
        name: d.rng.random() < share for name, share in (
            ("bias", 0.8), ("first", 0.5), ("masked", 0.3), ("sequences", 0.6), ("dropout", 0.3))},
        activation=d.rng.choice(("tanh", "tanh", "relu")))
    test_gru.check(case, d.level, d.dtype, [name for name in ("dy", "dh", "dh0", "db") if d.rng.random() < 0.2])


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
                                     d.rng.random() < 0.7, not self.inside and d.rng.random() < 0.3)
        for absent in ("bias", "h0", "c0"):
            if d.rng.random() < 0.2:
                self.a[absent] = None
        # kept may lie where `ahead` does; any gradient may be absent; that of the first h is made where it is wanted
        self.together, self.first = d.rng.random() < 0.5, d.rng.random() < 0.7
        self.given = [d.rng.random() < 0.8 for _ in range(1 + self.n)]
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
            ahead = ahead.astype(a["x"].dtype).reshape(rows, steps, self.gates, units)
        given = [a["x"] if self.inside else a.get("dropout"), ahead, packed, *[a["h0"], a["c0"]][:n], a.get("mask")]
        y = self.empty(rows, steps, units) if self.sequences else self.empty(rows, units)
        kept = [self.empty(rows, steps, self.gates, units), *[self.empty(rows, steps, 2, units)] * (n - 1)]
        columns = self.inside + (1 if a.get("dropout") is None else self.gates) * units + 1
        outputs = [self.empty(rows, steps if training else 2, columns), y,
                   *[self.empty(rows, units)] * n, *(kept if training else [None] * n)]
        alias = {len(given) + 2 + n: 1} if training and self.together and not self.inside else None
        return run(f"{self.name}_forward", given + outputs, [rows, steps, self.inside, units], flags=self.flags,
                   alias=alias, **self.settings)[len(given) + 1:]

    def backward(self, kept, dy, states):
        """[dz, the gradients of the first states] by the formulas, given what the kernel kept."""
        z, *cells = (k.astype("float64") for k in kept)
        dh, dc = states if self.n == 2 else (*states, 0)
        slope = (lambda y: 1 - y * y) if self.activation == "tanh" else (lambda y: (y > 0) * 1.0)
        later, dz, u = np.zeros((self.rows, self.units)), np.zeros(z.shape), self.a["recurrent"].astype("float64")
        dropout = self.a.get("dropout")
        factors = [1] * self.gates if dropout is None else np.split(dropout.astype("float64"), self.gates, 1)
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
            through = [part @ v.T for part, v in zip(dz[:, t].swapaxes(0, 1), np.split(u, self.gates, 1))]
            dh = np.where(counts, sum(part * f for part, f in zip(through, factors)), dh)
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
        seeds = [(rng.standard_normal(v.shape) * there).astype(packed.dtype)
                 for v, there in zip(results, self.given)]
        given = [seed if there else None for seed, there in zip(seeds, self.given)]
        found = run(f"{self.name}_backward", [*kept, turned, *given, a.get("mask"), a.get("dropout"), kept[0],
                                              *[self.empty(self.rows, self.units)] * n],
                    [self.rows, self.steps, self.units], flags=self.flags | 2 * self.first, alias={2 * n + 4: 0},
                    **self.settings)[2 * n + 4:]
        expected = self.backward(kept, seeds[0].astype("float64"), [s.astype("float64") for s in seeds[1:]])
        for i, (gradient, other) in enumerate(zip(found, expected)):
            if i != 1 or self.first:
                near(gradient, other, 4 * roundings)


def lstm(d):
    Cell(d, "lstm").check(np.random.default_rng(d.rng.randrange(1 << 30)))


def simple_rnn(d):
    Cell(d, "simple_rnn").check(np.random.default_rng(d.rng.randrange(1 << 30)))


def panels(vectors, most, lanes):
    """Slices of the columns of panels: the fewest of at most so many vectors, the wider ones first."""
    count = -(-vectors // most)
    ends = np.cumsum([vectors // count + (i < vectors % count) for i in range(count)]) * lanes if count else []
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends)]


def packing(d):
    """Weights in panels, of sizes that cells would take long for."""
    features, units, gates, most = d.rng.choice((0, 1, 5, 15)), d.size(300), d.rng.randint(1, 4), d.rng.randint(1, 4)
    lanes, wide, row = vector_lanes(d.level, d.dtype), -(-units // 16) * 16, gates * units + d.rng.choice((0, 0, 7))
    blocks, depth, used = -(-units // lanes), 1 + features + units, gates * units
    numbers = np.random.default_rng(d.rng.randrange(1 << 30)).standard_normal((features + units, row)).astype(d.dtype)
    weights, recurrent = numbers[:features], numbers[features:]
    bias = d.values(used) if d.rng.random() < 0.8 else None
    rows = np.concatenate([np.zeros((1, used)) if bias is None else bias[None], weights[:, :used], recurrent[:, :used]])
    lined = np.zeros((depth, gates, blocks * lanes), d.dtype)
    lined[:, :, :units] = rows.reshape(depth, gates, units)
    lined = lined.reshape(depth, gates, blocks, lanes).swapaxes(1, 2).reshape(depth, -1)
    expected = np.full(depth * gates * wide, 7, d.dtype)
    parts = [lined[:, part].ravel() for part in panels(blocks * gates, most, lanes)]
    expected[:lined.size] = np.concatenate([np.empty(0), *parts])
    same(d.run("recurrent_pack", [weights if features else None, recurrent, bias, d.place(np.full_like(expected, 7))],
               [features, units, gates, most, row]), expected)
    recurrent = np.ascontiguousarray(recurrent[:, :used])
    turned = np.full((used, blocks * lanes), 7, d.dtype)       # lanes past the last unit say nothing
    turned[:, :units] = recurrent.T
    found = d.run("recurrent_turn", [recurrent, d.place(np.full(used * wide, 7, d.dtype))], [units, gates, most])
    for part in panels(blocks, most, lanes):
        strip = found[part.start * used:part.stop * used].reshape(used, -1)
        same(strip[:, :max(0, units - part.start)], turned[:, part.start:min(units, part.stop)])


def ids(d):
    """Numbers that another layer has computed, as ids; one of them may be none."""
    rows, features, count = 1 + d.size(40), 1 + d.size(9), 1 + d.size(300)
    x = np.random.default_rng(d.rng.randrange(1 << 30)).integers(0, count, (rows, features)).astype(d.dtype)
    found, place = d.place(np.full(rows * features, 7, np.int32)), d.rng.randrange(x.size)
    wrong = d.rng.random() < 0.3
    if wrong:
        x.flat[place] = d.rng.choice((count, -1, 0.5, np.nan, np.inf, -np.inf, 1e30))
    status, row, value = testing.run_kernel("embedding_ids", [x, found], [x.size, count], dtype=d.dtype, level=d.level,
                                            rows=rows, threads=d.threads)
    d.untouched()
    if wrong:
        assert (status, row) == (BAD_ID, place // features), (status, row)
        assert np.array_equal(value, x.flat[place], equal_nan=True), value
    else:
        assert status == 0, f"status {status}"
        same(found, x.ravel())


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


CALLS = {gru: 6, lstm: 6, simple_rnn: 4, packing: 2, embedding: 4, ids: 1, steps: 4}
