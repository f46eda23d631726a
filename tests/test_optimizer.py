"""Optimizer steps against Keras's formulas in float64."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

NESTEROV = 1
RATE = 0.01


def vectors(n, dtype, count=2):
    return list(np.random.default_rng(n).normal(0, 1, (count, n)).astype(dtype))


@pytest.mark.parametrize(("momentum", "flags"), [(0.0, 0), (0.9, 0), (0.9, NESTEROV)])
@everywhere
def test_sgd(momentum, flags, level, dtype):
    for n in SIZES:
        w, g, v = vectors(n, dtype, 3)
        velocity = v if momentum else None
        out = run("sgd", [w, g, velocity], [n], [momentum], flags=flags, learning_rate=RATE, dtype=dtype, level=level,
                  threads=threads_for(n))
        w, g, v = (a.astype(np.float64) for a in (w, g, v))
        if momentum == 0:
            assert_close(out[0], w - RATE * g, scale=1)
            continue
        v = momentum * v - RATE * g
        assert_close(out[2], v, scale=1)
        assert_close(out[0], w + (momentum * v - RATE * g if flags else v), scale=1)


@pytest.mark.parametrize(("momentum", "centered"), [(0.0, False), (0.9, False), (0.0, True), (0.9, True)])
@everywhere
def test_rmsprop(momentum, centered, level, dtype):
    rho, epsilon = 0.9, 1e-7
    for n in SIZES:
        w, g, v, mean, p = vectors(n, dtype, 5)
        mean = np.array(0.1 * mean, dtype)
        v = np.abs(v) + np.array(1, dtype)
        out = run("rmsprop", [w, g, v, mean if centered else None, p if momentum else None], [n],
                  [rho, momentum, epsilon], learning_rate=RATE, dtype=dtype, level=level, threads=threads_for(n))
        w, g, v, mean, p = (a.astype(np.float64) for a in (w, g, v, mean, p))
        v = rho * v + (1 - rho) * g * g
        mean = rho * mean + (1 - rho) * g
        step = RATE * g / np.sqrt((v - mean**2 if centered else v) + epsilon)
        assert_close(out[2], v, scale=1)
        if centered:
            assert_close(out[3], mean, scale=1)
        if momentum:
            step = momentum * p + step
            assert_close(out[4], step, scale=1)
        assert_close(out[0], w - step, scale=2)


@pytest.mark.parametrize("steps", [0, 1, 1000, 10**9])
@everywhere
def test_adam(steps, level, dtype):
    beta1, beta2, epsilon = 0.9, 0.999, 1e-7
    for n in SIZES:
        w, g, m, v = vectors(n, dtype, 4)
        v = np.abs(v)
        g[:1], m[:1], v[:1] = 0, 0, 0       # a parameter that nothing has moved yet
        out = run("adam", [w, g, m, v, np.array([steps])], [n], [beta1, beta2, epsilon], learning_rate=RATE,
                  dtype=dtype, level=level, threads=threads_for(n))
        w, g, m, v = (a.astype(np.float64) for a in (w, g, m, v))
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        alpha = RATE * np.sqrt(1 - beta2 ** (steps + 1)) / (1 - beta1 ** (steps + 1))
        assert_close(out[2], m, scale=1)
        assert_close(out[3], v)
        assert_close(out[0], w - alpha * m / (np.sqrt(v) + epsilon), scale=2)
        assert out[4][0] == steps


@everywhere
def test_adam_with_values_at_the_ends(level, dtype):
    """An overflowing square leaves its parameter as it is, as m / inf does; a NaN shows; others are not touched."""
    info = np.finfo(dtype)
    g = np.array([info.max, np.nan, info.tiny, 1.0], dtype)
    zero = np.zeros(4, dtype)
    out = run("adam", [np.ones(4, dtype), g, zero, zero, np.array([0])], [4], [0.9, 0.999, 1e-7], learning_rate=RATE,
              dtype=dtype, level=level)
    assert out[0][0] == 1 and np.isnan(out[0][1])
    assert_close(out[0][2:], [1, 1 - RATE / (1 + 1e-7 / np.sqrt(1e-3))], units=8)


@everywhere
def test_ten_steps_of_adam(level, dtype):
    w, target = vectors(33, dtype)
    m, v, steps = np.zeros_like(w), np.zeros_like(w), np.array([0])
    exact, em, ev = w.astype(np.float64), np.zeros(33), np.zeros(33)
    for t in range(1, 11):
        g = (w - target) * (1 + t % 3)
        eg = (exact - target) * (1 + t % 3)
        settings = {"learning_rate": RATE / t, "dtype": dtype, "level": level}
        w, _, m, v, _ = run("adam", [w, g, m, v, steps], [33], [0.9, 0.999, 1e-7], **settings)
        steps = run("advance", [steps], dtype=dtype, level=level)[0]
        em, ev = 0.9 * em + 0.1 * eg, 0.999 * ev + 0.001 * eg * eg
        exact = exact - RATE / t * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * em / (np.sqrt(ev) + 1e-7)
    assert steps[0] == 10
    assert_close(w, exact, units=64, scale=1)


SLOTS = {       # kernel: (number of slots, those that are never negative, scalars)
    "amsgrad": (3, (1, 2), [0.9, 0.99, 1e-3]),
    "nadam": (2, (1,), [0.9, 0.99, 1e-3]),
    "adamax": (2, (1,), [0.9, 0.99, 1e-3]),
    "adagrad": (1, (0,), [1e-3]),
    "adadelta": (2, (0, 1), [0.9, 1e-3]),
    "lion": (1, (), [0.9, 0.8]),
}


def expected(name, w, g, slots, scalars, t, product):
    """(weights, slots) after step t by Keras's formulas."""
    if name == "adagrad":
        total = slots[0] + g * g
        return w - RATE * g / np.sqrt(total + scalars[0]), [total]
    if name == "adadelta":
        rho, epsilon = scalars
        squares = rho * slots[0] + (1 - rho) * g * g
        step = g * np.sqrt(slots[1] + epsilon) / np.sqrt(squares + epsilon)
        return w - RATE * step, [squares, rho * slots[1] + (1 - rho) * step * step]
    if name == "lion":
        beta1, beta2 = scalars
        sign = np.sign(beta1 * slots[0] + (1 - beta1) * g)
        return w - RATE * sign, [beta2 * slots[0] + (1 - beta2) * g]
    beta1, beta2, epsilon = scalars
    m = slots[0] + (g - slots[0]) * (1 - beta1)
    if name == "adamax":
        norm = np.maximum(beta2 * slots[1], np.abs(g))
        return w - RATE * m / ((1 - beta1**t) * (norm + epsilon)), [m, norm]
    v = slots[1] + (g * g - slots[1]) * (1 - beta2)
    if name == "amsgrad":
        most = np.maximum(slots[2], v)
        alpha = RATE * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        return w - alpha * m / (np.sqrt(most) + epsilon), [m, v, most]
    u, u_next = (beta1 * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
    product *= u
    ahead = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    return w - RATE * ahead / (np.sqrt(v / (1 - beta2**t)) + epsilon), [m, v]


@pytest.mark.parametrize("name", SLOTS)
@everywhere
def test_others(name, level, dtype):
    n_slots, positive, scalars = SLOTS[name]
    product = np.array([0.7])
    for steps in (0, 6):
        for n in SIZES:
            w, g, *slots = vectors(n, dtype, 2 + n_slots)
            for i in positive:
                slots[i] = np.abs(slots[i])
            g[:1] = 0
            counted = [np.array([steps])] if name in ("amsgrad", "nadam", "adamax") else []
            counted += [product] if name == "nadam" else []
            out = run(name, [w, g, *slots, *counted], [n], scalars, learning_rate=RATE, dtype=dtype, level=level,
                      threads=threads_for(n))
            w, g, *slots = (a.astype(np.float64) for a in (w, g, *slots))
            weights, after = expected(name, w, g, slots, scalars, steps + 1, product[0])
            assert_close(out[0], weights, scale=2)
            for got, right in zip(out[2:], after):
                assert_close(got, right, scale=1)


@everywhere
def test_sign_of_nothing_and_of_nan(level, dtype):
    """Lion leaves a weight that nothing moves where it is, and hides no NaN."""
    zero = np.zeros(3, dtype)
    out = run("lion", [np.ones(3, dtype), np.array([0, np.nan, -1e-30], dtype), zero], [3], [0.9, 0.99],
              learning_rate=RATE, dtype=dtype, level=level)
    assert out[0][0] == 1 and np.isnan(out[0][1])
    assert_close(out[0][2], 1 + RATE)


@everywhere
def test_product_of_nadam(level, dtype):
    out = run("nadam_product", [np.array([0.5]), np.array([3])], [], [0.9], dtype=dtype, level=level)
    assert_close(out[0], 0.5 * 0.9 * (1 - 0.5 * 0.96**4))
