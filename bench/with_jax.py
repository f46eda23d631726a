"""JAX: all epochs of a call in one jitted scan over shuffled batches, buffers donated; Adam written out.

Nets of convolutions call one jitted step a batch: inside of a loop XLA's convolutions do not use its fast ones.
"""
import math
from functools import partial
from types import SimpleNamespace

import jax
import numpy as np
from contestants import Contestant
from jax import lax
from jax import numpy as jnp
from workloads import BATCH, EPSILON, LEARNING_RATE, MOMENTUM

LAYOUT = ("NHWC", "HWIO", "NHWC")


def make(workload, x, y):
    x, y = jnp.asarray(x), jnp.asarray(y)
    key, start = jax.random.split(jax.random.key(0))
    weights, statistics = initial(workload, start)
    state = (weights, statistics, zeros_like(weights), zeros_like(weights), jnp.zeros((), jnp.int32), key)
    # The seed of dropout is a part of the state, so that one compiled function serves every call.
    if workload.pictures:
        train_epochs = partial(call_steps, jax.jit(partial(one_step, workload, x, y), donate_argnums=0), len(x))
    else:
        train_epochs = jax.jit(partial(run_epochs, workload, x, y), static_argnums=1, donate_argnums=0)
    forward = jax.jit(lambda weights, statistics, rows: apply(workload, weights, statistics, rows)[0])
    now = SimpleNamespace(state=state)

    def train(epochs):
        now.state, loss = train_epochs(now.state, epochs)
        return float(loss)

    return Contestant(train, x, lambda rows: forward(*now.state[:2], rows).block_until_ready())


def zeros_like(tree):
    return jax.tree.map(jnp.zeros_like, tree)


def initial(workload, key):
    """Weights of every layer (Glorot's uniform for kernels), and the moving statistics of batch normalization."""
    weights, statistics, (*image, size) = [], [], workload.shape
    for kind, *settings in workload.layers:
        if kind in ("dense", "convolution"):
            window = (3, 3) if kind == "convolution" else ()
            key, this = jax.random.split(key)
            limit = (6 / (size + settings[0]) / math.prod(window)) ** 0.5
            weights.append((jax.random.uniform(this, (*window, size, settings[0]), minval=-limit, maxval=limit),
                            jnp.zeros(settings[0])))
            image, size = [n - 2 for n in image], settings[0]
        elif kind == "embedding":
            key, this = jax.random.split(key)
            weights.append(jax.random.uniform(this, settings, minval=-0.05, maxval=0.05))
            size = settings[1]
        elif kind == "lstm":
            key, this = jax.random.split(key)
            weights.append(initial_lstm(this, size, settings[0]))
            size = settings[0]
        elif kind == "max_pooling":
            image = [n // 2 for n in image]
        elif kind == "flatten":
            image, size = [], size * math.prod(image)
        elif kind == "batch_normalization":
            weights.append((jnp.ones(size), jnp.zeros(size)))
            statistics.append((jnp.zeros(size), jnp.ones(size)))
    return weights, statistics


def initial_lstm(key, size, units):
    """Kernel, recurrent kernel and bias, whose part for the forget gate is 1."""
    one, other = jax.random.split(key)
    return (jax.nn.initializers.glorot_uniform()(one, (size, 4 * units)),
            jax.nn.initializers.orthogonal()(other, (units, 4 * units)),
            jnp.zeros(4 * units).at[units:2 * units].set(1))


def lstm(x, kernel, recurrent, bias, all_steps):
    """A scan over the steps; the product with x is made ahead for all."""
    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ recurrent, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h if all_steps else None

    zeros = jnp.zeros((len(x), len(recurrent)))
    (h, _), y = lax.scan(step, (zeros, zeros), (x @ kernel + bias).swapaxes(0, 1))
    return y.swapaxes(0, 1) if all_steps else h


def apply(workload, weights, statistics, x, key=None):
    """Logits and the new moving statistics; with a key in training mode."""
    weights, statistics, moved = iter(weights), iter(statistics), []
    for number, (kind, *settings) in enumerate(workload.layers, start=1):
        if kind == "dense":
            kernel, bias = next(weights)
            x = x @ kernel + bias
            x = jax.nn.relu(x) if number < len(workload.layers) else x
        elif kind == "convolution":
            kernel, bias = next(weights)
            x = jax.nn.relu(lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=LAYOUT) + bias)
        elif kind == "embedding":
            x = next(weights)[x]
        elif kind == "lstm":
            x = lstm(x, *next(weights), settings[1])
        elif kind == "max_pooling":
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif kind == "flatten":
            x = x.reshape(len(x), -1)
        elif kind == "dropout":
            if key is not None:
                key, this = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(this, 1 - settings[0], x.shape), x / (1 - settings[0]), 0)
        else:
            old, (gamma, beta) = next(statistics), next(weights)
            mean, variance = old if key is None else (x.mean(axis=0), x.var(axis=0))
            moved.append(tuple(MOMENTUM * a + (1 - MOMENTUM) * b
                               for a, b in zip(old, (mean, variance), strict=True)))
            x = (x - mean) * lax.rsqrt(variance + EPSILON) * gamma + beta
    return x, moved


def call_steps(step, rows, state, epochs):
    """Train for some epochs, a call for each batch. Returns the new state and the mean loss of the last epoch."""
    for _ in range(epochs):
        *rest, key = state
        key, this = jax.random.split(key)
        state, losses = (*rest, key), []
        for batch in np.asarray(jax.random.permutation(this, rows)).reshape(-1, BATCH):
            state, loss = step(state, batch)
            losses.append(loss)
    return state, jnp.stack(losses).mean()


def one_step(workload, x, y, state, rows):
    """Train on these rows. Returns the new state and the loss."""
    def loss_of(weights, statistics, rows, key):
        logits, moved = apply(workload, weights, statistics, x[rows], key)
        if workload.number:
            return ((logits[:, 0] - y[rows]) ** 2).mean(), moved
        if workload.outputs == 1:
            signed = jnp.where(y[rows, None] == 1, logits, -logits)
            return -jax.nn.log_sigmoid(signed).mean(), moved
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits), y[rows, None], axis=1)
        return -picked.mean(), moved

    weights, statistics, m, v, count, key = state
    key, this = jax.random.split(key)
    (loss, moved), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, statistics, rows, this)
    weights, m, v = adam(weights, gradients, m, v, count + 1)
    return (weights, moved, m, v, count + 1, key), loss


def run_epochs(workload, x, y, state, epochs):
    """Train for some epochs. Returns the new state and the mean loss of the last epoch."""
    def epoch(state, _):
        *rest, key = state
        key, this = jax.random.split(key)
        order = jax.random.permutation(this, len(x)).reshape(-1, BATCH)
        state, losses = lax.scan(partial(one_step, workload, x, y), (*rest, key), order)
        return state, losses.mean()

    state, losses = lax.scan(epoch, state, length=epochs)
    return state, losses[-1]


def adam(weights, gradients, m, v, count):
    """One step of Adam; the bias corrections are folded into the rate."""
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v), m, v
