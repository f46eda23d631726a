"""What the tests of recurrent nets share: programs of a kernel's lowering and of a layer, with the gradients of
everything that goes in, and a layer's other path."""
from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from layer_checks import differentiate, five_points

from fastnn import testing
from fastnn.layers.recurrent_calls import as_mask
from fastnn.layers.recurrent_cells import RecurrentCell
from fastnn.layers.steps import joined, parts
from fastnn.program import Lowering, Program, Variable, move_together


def through_program(lower, rows, weights, mask=None, seeds=(), *, training=True, together=False, wanted=None, passes=1,
                    threads=1):
    """([y, *states], {name: gradient}) of ``lower(build, values, mask)``, which gives (y, states), in a program.

    ``rows``, ``weights``: arrays by name, None for none; weights are parameters, ``together`` those of one vector, as
    in a model. ``seeds``: gradients of y and the states, None for none. ``wanted``: the names of those of which there
    are gradients, None for all. ``passes``: how often it is lowered, with the same weights.
    """
    build, arrays, n = Lowering(training, rows["x"].dtype.name), [], len(rows["x"])

    def gathered(array, role):
        arrays.append(np.ascontiguousarray(array))
        return build.gather(array.shape[1:], role)

    values = {name: gathered(a, name) for name, a in rows.items() if a is not None}
    values |= _parameters(build, {name: a for name, a in weights.items() if a is not None}, together)
    for name, value in values.items():
        value.needs_gradient = training and (wanted is None or name in wanted)
    if mask is not None:
        counts, mask = mask, build.value(mask.shape[1:], "uint8", name="mask")
        build.python(lambda to: np.copyto(to, counts), [], [mask])
    for _ in range(passes):
        y, states = lower(build, values, mask)
    results = [y, *states]
    for value, seed in zip(results, seeds):
        if seed is not None:
            build.add_gradient(value, gathered(seed.astype(build.dtype), "seed"))
    build.differentiate()
    gradients = {name: build._gradients[v] for name, v in values.items() if v in build._gradients}
    outputs = [_copied(build, v, n) for v in (*results, *gradients.values())]
    frame = Program(build, "recurrent").plan(n).acquire()
    with testing.changed_limits(**(testing.FORCED if threads > 1 else {})):
        assert frame.run(arrays, n, max(1, n), 0, 1, threads=threads)[1] is None
    return outputs[:len(results)], dict(zip(gradients, outputs[len(results):]))


def _parameters(build, weights, together):
    variables = {name: Variable(array, name=name) for name, array in weights.items()}
    if together:
        move_together("weights", list(variables.values()), build.dtype)
    return {name: build.parameter(v) for name, v in variables.items()}


def _copied(build, value, rows):
    """The array that a program copies a value to."""
    copy = np.empty((rows, *value.shape) if value.batched else value.shape, value.dtype)
    build.python(lambda found: np.copyto(copy, found), [value], [])
    return copy


@contextmanager
def step_by_step():
    """Within it no kernel for whole sequences is used: every layer is lowered step by step."""
    fast = RecurrentCell.lower_fast
    RecurrentCell.lower_fast = lambda *arguments: None
    try:
        yield
    finally:
        RecurrentCell.lower_fast = fast


class Probe:
    """A layer with ``lower_all`` in one program, float64, that is run as often as wanted: all its outputs, and the
    gradients of sum(outputs * weights of outputs) by the input at every step, the initial states and every weight."""

    def __init__(self, layer, x, states=(), mask=None, training=True, seed=0):
        self.layer = layer
        layer.ensure_built((None, *x.shape[1:]))
        rng = np.random.default_rng(seed)
        for w in layer.weights:
            w.assign(w.numpy() + 0.3 * rng.standard_normal(w.shape))
        rows, given = len(x), [np.asarray(x), *map(np.asarray, states)]
        sizes = [a[0].size for a in given]
        self.given = np.concatenate([a.reshape(rows, -1) for a in given], 1).astype(np.float64)
        build = Lowering(training, "float64")
        source = build.gather((sum(sizes),), "given")
        source.needs_gradient = True
        values = [build.view(v, a.shape[1:]) for v, a in zip(parts(build, source, sizes), given)]
        masks = []
        if mask is not None:
            masks.append(np.array(mask, np.float64))
            mask = as_mask(build, build.gather(mask.shape[1:], "mask"))
        outputs, self.mask = layer.lower_all(build, values[0], mask, values[1:] or None)
        y = joined(build, [build.view(y, (y.size,)) for y in outputs])
        self.trained = [w for w in layer.weights if w.trainable]
        places = differentiate(build, y, source, self.trained)
        self.operations = build.operations
        plan = Program(build, "probe", seed=3).plan(rows)
        self.dy, self.output = rng.standard_normal((rows, y.size)), np.empty((rows, y.size))
        self.gradient = np.empty_like(self.given)
        self.arrays, self.frame = [self.given, *masks, self.dy, self.output, self.gradient], plan.acquire()
        self.slots = [plan.place(p) for p in places]

    def run(self):
        """The number whose gradients are taken."""
        self.frame.run(self.arrays, len(self.given), len(self.given), 0, 1)
        return float((self.output * self.dy).sum())

    def gradients(self):
        """Those of the weights, of the last run."""
        return [self.frame.slot(slot, offset, w.shape, "float64").copy()
                for w, (slot, offset) in zip(self.trained, self.slots)]

    def check(self, rtol=1e-6, atol=1e-8, step=2e-4):
        """All gradients against central differences."""
        self.run()
        found = [self.gradient.copy(), *self.gradients()]
        places = [self.given, *(w.value for w in self.trained)]
        names = ["d x, d states", *(w.path for w in self.trained)]
        for name, gradient, place in zip(names, found, places):
            numeric = np.empty_like(gradient)
            for i in np.ndindex(place.shape):
                kept = place[i]

                def at(d, i=i, place=place, kept=kept):
                    place[i] = kept + d
                    return self.run()

                numeric[i] = five_points(at, step)
                place[i] = kept
            np.testing.assert_allclose(gradient, numeric, rtol=rtol, atol=atol, err_msg=f"{self.layer}: {name}")
