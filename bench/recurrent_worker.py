"""A process of the recurrent benchmark: one library on one layer, commands on stdin, answers in JSON on stdout.

    python bench/recurrent_worker.py LIBRARY LAYER THREADS

It keeps to as many CPUs as it may have threads. Results are checked first. {"seconds": S} is answered with the seconds
of a call, one number a burst, of each kind of work. The Python that runs this need not have fastnn.
"""
import sys

import numpy as np
import recurrents
import turns
from recurrents import FEATURES, UNITS, WORKS
from turns import repeated


def main(library, layer, threads):
    answers = turns.own_stdout()
    turns.keep_to_cpus(int(threads))
    made = {"fastnn": with_fastnn, "torch": with_torch, "jax": with_jax, "keras": with_keras}[library](
        layer, int(threads), **recurrents.arrays(layer))
    turns.serve(answers, dict(zip(WORKS, made)), lambda work, results: recurrents.check(layer, work, results))


def with_fastnn(layer, threads, **arrays):
    """Programs of the operations that a step of inference and one of training have, on aligned buffers; what nothing
    reads is not computed, so y of inference and dx go to the caller."""
    def actions(training):
        # In a net no copy of y is made in training: what is timed is another program than what is looked at.
        run, _ = fastnn_action(layer, threads, training, not training, **arrays)
        show, results = fastnn_action(layer, threads, training, True, **arrays)
        return run, lambda: show(1) or results()

    return actions(False), actions(True)


def fastnn_action(layer, threads, training, shown, x, dy, w, u, b):
    """A function that runs the layer so often, and one that gives the results, y among them where it is ``shown``."""
    from fastnn.program import Lowering, Program, Value, Variable
    from fastnn.program.variable import move_together
    build, results = Lowering(training, "float32"), {}
    variables = [Variable(array) for array in (w, u, b)]
    move_together("weights", variables, "float32")         # as a model does
    weights = [build.parameter(v) for v in variables]

    def rowwise(array):
        v = build.parameter(Variable(array))
        return Value(array.shape[1:], v.dtype, True, v.name, v.home, v.offset, needs_gradient=training)

    given = rowwise(x)
    y = lowered(layer, build, given, weights)
    if shown:
        build.scatter(y, "y")
        results["y"] = np.empty(dy.shape, np.float32)
    if training:
        build.add_gradient(y, rowwise(dy))
        build.differentiate()
        build.scatter(build._gradients[given], "dx")
        results["dx"] = np.empty(x.shape, np.float32)
    plan = Program(build, layer).plan(len(x))
    frame = plan.acquire()
    wanted = zip(("dw", "du", "db"), weights) if training else ()
    gradients = {name: frame.slot(*plan.place(build._gradients[v]), v.shape, "float32") for name, v in wanted}

    def run(calls):
        # Epochs of one batch: its results go to the same arrays each time.
        frame.run(list(results.values()), len(x), len(x), 0, 1, threads=threads, totals=np.empty((calls, 0)),
                  counters=np.empty(0))
    return run, lambda: results | gradients


def lowered(layer, build, x, weights):
    """The outputs at all steps of fastnn's layer of this name."""
    from fastnn.layers.recurrent_lowering import lower_gru, lower_lstm, lower_simple_rnn
    if layer == "LSTM":
        return lower_lstm(build, x, *weights, [None, None], None, True)[0]
    if layer == "GRU":
        return lower_gru(build, x, *weights, [None], None, True, reset_after=True)[0]
    return lower_simple_rnn(build, x, *weights, [None], None, True)[0]


def with_torch(layer, threads, x, dy, w, u, b):
    """nn.LSTM, nn.GRU and nn.RNN, rows first."""
    import torch
    torch.set_num_threads(threads)
    kind = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU, "SimpleRNN": torch.nn.RNN}[layer]
    module = kind(FEATURES, UNITS, batch_first=True)
    biases = b if layer == "GRU" else (b, np.zeros_like(b))
    order = [1, 0, 2] if layer == "GRU" else list(range(recurrents.GATES[layer]))      # torch: r, z, n

    def turned(array):
        """A weight of Keras as torch has it, or back: gates first."""
        gates = np.split(array, len(order), axis=-1)
        return np.concatenate([gates[i] for i in order], axis=-1).T

    with torch.no_grad():
        for parameter, array in zip(module.parameters(), (w, u, *biases)):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(turned(array))))
    rows, gradient = torch.from_numpy(x), torch.from_numpy(dy)

    @torch.inference_mode()
    def forward():
        return {"y": module(rows)[0]}

    def training():
        module.zero_grad(set_to_none=True)
        given = rows.detach().requires_grad_(True)
        y = module(given)[0]
        y.backward(gradient)
        return {"y": y, "dx": given.grad, "parameters": [p.grad for p in module.parameters()]}

    def shown(results):
        if "parameters" not in results:
            return results
        dw, du, db, du_bias = (turned(p.numpy().T).T for p in results["parameters"])
        return {"y": results["y"].detach(), "dx": results["dx"], "dw": dw, "du": du,
                "db": np.stack([db, du_bias]) if layer == "GRU" else db}

    actions = (repeated(action) for action in (forward, training))
    return [(run, lambda last=last: shown(last())) for run, last in actions]


def with_jax(layer, threads, x, dy, w, u, b):
    """A jitted lax.scan over the steps; the product with x is made ahead for all."""
    import jax
    from jax import lax
    from jax import numpy as jnp
    x, dy, w, u, b = (jax.device_put(a) for a in (x, dy, w, u, b))

    def lstm(u, state, z):
        i, f, g, o = jnp.split(z + state[0] @ u, 4, axis=1)
        c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(weights, state, z):
        u, bias = weights
        (update, reset, new), (u_update, u_reset, u_new) = jnp.split(z, 3, axis=1), jnp.split(state[0] @ u + bias, 3, 1)
        update, reset = jax.nn.sigmoid(update + u_update), jax.nn.sigmoid(reset + u_reset)
        h = update * state[0] + (1 - update) * jnp.tanh(new + reset * u_new)
        return (h,), h

    def simple_rnn(u, state, z):
        h = jnp.tanh(z + state[0] @ u)
        return (h,), h

    def whole(x, w, u, b):
        step, given, bias, states = {"LSTM": (lstm, u, b, 2), "SimpleRNN": (simple_rnn, u, b, 1),
                                     "GRU": (gru, (u, b[1]), b[0], 1)}[layer]
        start = (jnp.zeros((len(x), UNITS)),) * states
        _, y = lax.scan(lambda state, z: step(given, state, z), start, (x @ w + bias).swapaxes(0, 1))
        return y.swapaxes(0, 1)

    @jax.jit
    def training(x, w, u, b, dy):
        y, back = jax.vjp(whole, x, w, u, b)
        return dict(zip(("y", "dx", "dw", "du", "db"), (y, *back(dy))))

    forward = jax.jit(lambda *given: {"y": whole(*given)})
    return (repeated(lambda: jax.block_until_ready(forward(x, w, u, b))),
            repeated(lambda: jax.block_until_ready(training(x, w, u, b, dy))))


def with_keras(layer, threads, x, dy, w, u, b):
    """Keras's layer on TensorFlow in a tf.function."""
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    made = getattr(tf.keras.layers, layer)(UNITS, return_sequences=True)
    made.build(x.shape)
    made.set_weights([w, u, b])
    rows, gradient = tf.constant(x), tf.constant(dy)

    @tf.function
    def forward():
        return {"y": made(rows)}

    @tf.function
    def training():
        with tf.GradientTape() as tape:
            tape.watch(rows)
            y = made(rows)
        found = tape.gradient(y, [rows, *made.trainable_variables], gradient)
        return dict(zip(("y", "dx", "dw", "du", "db"), (y, *found)))

    def finished(function):
        return lambda: {name: value.numpy() for name, value in function().items()}

    return repeated(finished(forward)), repeated(finished(training))


if __name__ == "__main__":
    main(*sys.argv[1:])
