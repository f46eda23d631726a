"""One check that every layer passes: gradients, row invariance, threads, partial batches, configuration."""
from __future__ import annotations

from functools import partial

import numpy as np

from fastnn import testing
from fastnn.program import Lowering, Program


def gradients(layer, x, dy, training=True):
    """(output, dx, [gradient of each trainable weight]) of sum(output * dy), through one program in float64."""
    layer.ensure_built((None, *x.shape[1:]))
    build = Lowering(training, "float64")
    source = build.gather(x.shape[1:], "x")
    source.needs_gradient = True
    y, _ = layer.lower(build, source)
    weights = [w for w in layer.weights if w.trainable]
    places = differentiate(build, y, source, weights)
    program = Program(build, "gradients", seed=3)
    output, dx = np.empty((len(x), *y.shape)), np.empty_like(x)
    plan = program.plan(len(x))
    frame = plan.acquire()
    frame.run([x, dy, output, dx], len(x), len(x), 0, 1)
    slots = [plan.place(p) for p in places]
    found = [frame.slot(slot, offset, w.shape, "float64").copy() for w, (slot, offset) in zip(weights, slots)]
    plan.release(frame)
    return output, dx, found


def differentiate(build, y, source, weights):
    """Let a program take the gradient of ``y`` from an array, and write ``y`` and that of ``source`` to two more.
    Returns where those of the weights will lie."""
    dy = build.gather(y.shape, "dy")
    build.scatter(y, "output")
    build.add_gradient(y, dy)
    build.training = True                      # the gradients of inference too
    build.differentiate()
    build.scatter(build._gradients[source], "dx")
    return [build.gradient_range(w.vector, w.offset, w.offset + w.size) for w in weights]


def check_gradients(layer, shape, training=True, seed=0):
    """Gradients of the input and of every weight against central differences, rtol 1e-6, atol 1e-8."""
    rng = np.random.default_rng(seed)
    x = away_from_kinks(rng.standard_normal(shape))
    layer.ensure_built((None, *shape[1:]))
    for w in layer.weights:
        w.assign(w.numpy() + 0.1 * rng.random(w.shape))
    output, _, _ = gradients(layer, x, np.zeros((shape[0], *layer.output_shape[1:])), training)
    dy = rng.standard_normal(output.shape)
    state = [w.numpy() for w in layer.weights]

    def restore():
        for w, value in zip(layer.weights, state):
            w.assign(value)

    def loss():
        result = float((gradients(layer, x, dy, training)[0] * dy).sum())
        restore()                              # moving statistics follow every run in training
        return result

    restore()
    _, dx, dws = gradients(layer, x, dy, training)
    restore()
    np.testing.assert_allclose(dx, differences(loss, x), rtol=1e-6, atol=1e-8, err_msg=f"{layer}: dx")
    for w, dw in zip([w for w in layer.weights if w.trainable], dws):
        numeric = differences_of_weight(loss, w, state[layer.weights.index(w)])
        np.testing.assert_allclose(dw, numeric, rtol=1e-6, atol=1e-8, err_msg=f"{layer}: {w.path}")


def away_from_kinks(x, distance=0.05):
    """x with no element near 0, where relu has no derivative."""
    return np.where(np.abs(x) < distance, np.copysign(distance, x), x)


def differences(loss, x, step=2e-5):
    """Derivatives of ``loss()`` by each element of x, which it reads: five-point central differences."""
    result = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        result[i] = five_points(partial(_with, x, i, kept, loss), step)
        x[i] = kept
    return result


def differences_of_weight(loss, variable, value, step=2e-5):
    """As ``differences``, by each element of a weight; ``loss`` restores the weights, so the step is set in
    ``value``."""
    result = np.empty(variable.shape)
    for i in np.ndindex(variable.shape):
        kept = value[i]

        def at(d, i=i, kept=kept):
            value[i] = kept + d
            variable.assign(value)
            return loss()

        result[i] = five_points(at, step)
        value[i] = kept
        variable.assign(value)
    return result


def five_points(f, step):
    """f'(0) with an error of order step^4."""
    return (f(-2 * step) - 8 * f(-step) + 8 * f(step) - f(2 * step)) / (12 * step)


def _with(x, i, kept, loss, d):
    x[i] = kept + d
    return loss()


def check_layer(make, shape, training_matters=False):
    """All that any layer must hold; ``make()`` gives a new layer, ``shape`` an input's with the batch axis."""
    rng = np.random.default_rng(1)
    layer = make()
    x = rng.standard_normal(shape).astype("float32")
    y = layer(x)
    assert y.shape[1:] == layer.output_shape[1:] == layer.compute_output_shape((None, *shape[1:]))[1:]
    for rows in (1, 2, shape[0]):              # a row's result does not depend on its batch, bit for bit
        assert np.array_equal(layer(x[:rows]), y[:rows]), f"{layer}: rows"
    with testing.forced_threads(3):
        assert np.array_equal(layer(x), y), f"{layer}: threads"
    assert layer(x[:0]).shape == (0, *y.shape[1:])
    again = type(layer).from_config(layer.get_config())
    again.ensure_built((None, *shape[1:]))
    again.set_weights(layer.get_weights())
    assert np.array_equal(again(x), y), f"{layer}: from_config(get_config())"
    assert layer.count_params() == sum(w.size for w in layer.get_weights())
    if not training_matters:
        assert np.array_equal(layer(x, training=True), y), f"{layer}: training"
