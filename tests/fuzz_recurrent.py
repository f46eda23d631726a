"""Random calls of the kernels of recurrent layers: for fuzz_kernels.py.

Operands, oracles and comparisons are those of the kernels' own tests; here is drawn what they are made of.
"""
import test_gru
from fuzz_images import until


def gru(d):
    def draw():
        return d.size(40), d.rng.choice((0, 1, 1, 2, 3, 5, 8)), d.rng.randint(1, 9), d.size()

    sizes = until(lambda found: found[0] * max(1, found[1]) * found[3] ** 2 < 200_000, draw)
    case = test_gru.Case(*sizes, d.rng.random() < 0.5, **{
        name: d.rng.random() < share for name, share in (
            ("bias", 0.8), ("first", 0.5), ("masked", 0.3), ("sequences", 0.6))},
        activation=d.rng.choice(("tanh", "tanh", "relu")))
    test_gru.check(case, d.level, d.dtype)


CALLS = {gru: 6}
