"""What the tests of recurrent layers share: the gradients of everything that goes into one, and its other path."""
from __future__ import annotations

from contextlib import contextmanager

import numpy as np
from layer_checks import five_points

from fastnn.layers.recurrent_calls import as_mask
from fastnn.layers.recurrent_cells import RecurrentCell
from fastnn.layers.steps import joined, parts
from fastnn.program import Lowering, Program


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
        dy = build.gather(y.shape, "dy")
        build.scatter(y, "output")
        build.add_gradient(y, dy)
        build.training = True
        build.differentiate()
        build.scatter(build._gradients[source], "gradient")
        self.trained = [w for w in layer.weights if w.trainable]
        places = [build.gradient_range(w.vector, w.offset, w.offset + w.size) for w in self.trained]
        plan = Program(build, "probe", seed=3).plan(rows)
        self.dy, self.output = rng.standard_normal((rows, y.size)), np.empty((rows, y.size))
        self.gradient = np.empty_like(self.given)
        self.arrays, self.frame = [self.given, *masks, self.dy, self.output, self.gradient], plan.acquire()
        self.slots = [plan.place(p) for p in places]

    def run(self):
        """The number whose gradients are taken."""
        self.frame.run(self.arrays, len(self.given), len(self.given), 0, 1)
        return float((self.output * self.dy).sum())

    def check(self, rtol=1e-6, atol=1e-8, step=2e-4):
        """All gradients against central differences."""
        self.run()
        found = [self.gradient.copy()] + [self.frame.slot(slot, offset, w.shape, "float64").copy()
                                          for w, (slot, offset) in zip(self.trained, self.slots)]
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
