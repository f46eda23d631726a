"""What the benchmark of recurrent layers measures: 64 units over (32, 30, 1), what a small net for series has.

"forward" is y of all steps; "forward + backward" also the gradients of x and of all weights for a dy of all steps.
Weights are as Keras has them: gates i, f, c, o of an LSTM; z, r, h of a GRU, whose reset gate comes after the product.
"""
import numpy as np

ROWS, STEPS, FEATURES, UNITS = 32, 30, 1, 64
GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
WORKS = ("forward", "forward + backward")
CONTESTANTS = {      # name: (module to look for, environment of its process)
    "fastnn": ("fastnn", {}), "torch": ("torch", {}), "jax": ("jax", {"JAX_PLATFORMS": "cpu"}),
    "keras": ("tensorflow", {"TF_CPP_MIN_LOG_LEVEL": "3"})}
TOLERANCE = 1e-4     # of the largest number


def flops(layer, work):
    """Multiplications and additions of the products alone."""
    once = 2 * ROWS * STEPS * (FEATURES + UNITS) * GATES[layer] * UNITS
    return once if work == "forward" else 3 * once


def arrays(layer):
    """x, dy and the weights, float32."""
    rng = np.random.default_rng(0)
    width = GATES[layer] * UNITS
    sizes = {"x": (ROWS, STEPS, FEATURES), "dy": (ROWS, STEPS, UNITS), "w": (FEATURES, width), "u": (UNITS, width),
             "b": (2, width) if layer == "GRU" else (width,)}
    scales = {"x": 1, "dy": 1, "w": 0.3, "u": UNITS ** -0.5, "b": 0.1}
    return {name: (scales[name] * rng.standard_normal(size)).astype(np.float32) for name, size in sizes.items()}


def check(layer, work, results):
    """Raise AssertionError unless these are the results of float64 NumPy."""
    expected = oracle(layer, **{name: array.astype(np.float64) for name, array in arrays(layer).items()})
    assert set(results) == ({"y"} if work == "forward" else set(expected)), f"{layer}, {work}: {sorted(results)}"
    for name, result in results.items():
        error = np.abs(np.asarray(result, np.float64) - expected[name]).max() / np.abs(expected[name]).max()
        assert error < TOLERANCE, f"{layer}, {work}: {name} is wrong by {error:.1e} of its largest number"


def oracle(layer, x, dy, w, u, b):
    """y and all gradients, step by step."""
    bias, inner_bias = b if layer == "GRU" else (b, 0.0)
    h, c, kept, y = np.zeros((len(x), UNITS)), np.zeros((len(x), UNITS)), [], []
    for x_t in x.swapaxes(0, 1):
        step = forward(layer, x_t @ w + bias, h @ u + inner_bias, h, c)
        kept.append((x_t, h, c, *step))
        h, c = step[:2]
        y.append(h)
    dx, dw, du, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(u.shape), np.zeros(b.shape)
    dh, dc = np.zeros(h.shape), np.zeros(c.shape)
    for t in range(STEPS)[::-1]:
        x_t, before, c_before, *step = kept[t]
        dz, inner, dh, dc = backward(layer, dh + dy[:, t], dc, before, c_before, *step)
        dx[:, t], dh = dz @ w.T, dh + inner @ u.T
        dw, du = dw + x_t.T @ dz, du + before.T @ inner
        db = db + (np.stack([dz.sum(0), inner.sum(0)]) if layer == "GRU" else dz.sum(0))
    return {"y": np.stack(y, axis=1), "dx": dx, "dw": dw, "du": du, "db": db}


def forward(layer, z, inner, h, c):
    """(new h, new c, gates) of a step whose products, with x and with h, are ``z`` and ``inner``."""
    if layer == "SimpleRNN":
        h = np.tanh(z + inner)
        return h, c, ()
    if layer == "LSTM":
        i, f, _, o = np.split(sigmoid(z + inner), 4, axis=1)
        g = np.tanh(np.split(z + inner, 4, axis=1)[2])
        c = f * c + i * g
        return o * np.tanh(c), c, (i, f, g, o)
    update, reset, _ = np.split(sigmoid(z + inner), 3, axis=1)
    candidate_inner = inner[:, 2 * UNITS:]
    candidate = np.tanh(z[:, 2 * UNITS:] + reset * candidate_inner)
    return update * h + (1 - update) * candidate, c, (update, reset, candidate, candidate_inner)


def backward(layer, dh, dc, before, c_before, h, c, gates):
    """(gradient of the product with x, of that with h, what goes on to h before and to c before)."""
    if layer == "SimpleRNN":
        dz = dh * (1 - h * h)
        return dz, dz, 0.0, dc
    if layer == "LSTM":
        i, f, g, o = gates
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dz = np.concatenate([dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g * g),
                             dh * np.tanh(c) * o * (1 - o)], axis=1)
        return dz, dz, 0.0, dc * f
    update, reset, candidate, candidate_inner = gates
    d_candidate = dh * (1 - update) * (1 - candidate ** 2)
    d_update = dh * (before - candidate) * update * (1 - update)
    d_reset = d_candidate * candidate_inner * reset * (1 - reset)
    return (np.concatenate([d_update, d_reset, d_candidate], axis=1),
            np.concatenate([d_update, d_reset, d_candidate * reset], axis=1), dh * update, dc)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))
