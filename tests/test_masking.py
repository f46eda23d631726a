"""Masks of steps: what Masking marks, and the weights that leave steps out of losses and metrics."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

import fastnn
from fastnn.layers import BatchNormalization, Dense, Flatten, Lambda, Masking


@everywhere
def test_forward_and_backward(level, dtype):
    for rows in (0, 1, 5, 33):
        for columns in SIZES[1:]:
            rng = np.random.default_rng(rows)
            x = rng.integers(0, 2, (rows, columns)).astype(dtype) if columns < 4 else rng.normal(0, 1, (rows, columns))
            x = x.astype(dtype)
            x[::3] = 0.5
            settings = {"level": level, "dtype": dtype, "threads": threads_for(columns), "sizes": [rows, columns]}
            operands = [x, np.empty_like(x), np.empty(rows, np.uint8)]
            _, y, mask = run("masking_forward", operands, scalars=[0.5], **settings)
            assert np.array_equal(mask, (x != 0.5).any(1))
            assert np.array_equal(y, x * mask[:, None].astype(dtype))
            dx = run("masking_backward", [x, mask, np.empty_like(x)], **settings)[2]
            assert np.array_equal(dx, y)


@everywhere
def test_weights_of_steps(level, dtype):
    for n in SIZES:
        mask = (np.arange(n) % 4 > 0).astype(np.uint8)
        settings = {"level": level, "dtype": dtype}
        plain = run("mask_weights", [mask, None, np.empty(n, dtype)], [n, 1], **settings)[2]
        assert np.array_equal(plain, mask)
        mean = run("mask_weights", [mask, None, np.empty(n, dtype)], [n, 1], flags=1, **settings)[2]
        assert_close(mean, mask * (n / max(1, mask.sum())))
        rows = np.linspace(0.5, 2, max(1, -(-n // 3))).astype(dtype)
        each = run("mask_weights", [mask, rows, np.empty(n, dtype)], [n, 3], **settings)[2]
        assert np.array_equal(each, mask * np.repeat(rows, 3)[:n])


def test_masked_steps_change_nothing():
    """What stands in the targets of masked steps is of no effect on loss, metrics and weights."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (20, 6, 3)).astype("float32"), rng.normal(0, 1, (20, 6, 2)).astype("float32")
    x[:, 4:] = 0

    def trained(y):
        fastnn.utils.set_random_seed(0)
        model = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), Dense(4, activation="tanh"), Dense(2)])
        model.compile("sgd", "mse", metrics=["mae"])
        return model.fit(x, y, epochs=2, verbose=0).history, model.get_weights(), model.evaluate(x, y, verbose=0)

    other = y.copy()
    other[:, 4:] = 1e6
    (history, weights, values), (history2, weights2, values2) = trained(y), trained(other)
    assert history == history2 and values == values2
    assert all(np.array_equal(a, b) for a, b in zip(weights, weights2))


def test_where_a_mask_ends_and_what_reads_it():
    x = np.ones((4, 6, 3), "float32")
    x[:, 4:] = 0
    seen = []

    def look(x, mask):
        seen.append(None if mask is None else mask.copy())
        return x
    model = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), Dense(2), Lambda(look), Lambda(look)])
    model.predict(x, verbose=0)
    assert seen[-2].tolist() == [[1, 1, 1, 1, 0, 0]] * 4 and seen[-1] is None
    flat = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), Flatten(), Dense(1)])
    flat.compile("sgd", "mse")
    flat.fit(x, np.zeros((4, 1)), verbose=0)


def test_a_function_as_a_metric_must_give_a_value_for_each_masked_step():
    x, y = np.ones((4, 6, 3), "float32"), np.ones((4, 6, 2), "float32")
    model = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), Dense(2)])
    for axes, shape in ((None, r"\(\)"), ((1, 2), r"\(4,\)")):
        model.compile("sgd", "mse", metrics=[lambda t, p, axes=axes: abs(t - p).mean(axes)])
        with pytest.raises(ValueError, match=rf"one value for each weight, shape \(4, 6\).*mask.*got shape {shape}"):
            model.evaluate(x, y, verbose=0)


def test_a_metric_in_python_sees_no_mask():
    class Rows(fastnn.metrics.Metric):
        seen = ()

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.seen = sample_weight

        def result(self):
            return 0.0

    metric = Rows()
    model = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), Dense(2)])
    model.compile("sgd", "mse", metrics=[metric])
    model.evaluate(np.zeros((4, 6, 3)), np.ones((4, 6, 2)), verbose=0)
    assert metric.seen is None


def test_batch_normalization_refuses_to_learn_from_masked_steps():
    model = fastnn.Sequential([fastnn.Input((6, 3)), Masking(), BatchNormalization(), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="cannot be trained on masked steps"):
        model.fit(np.zeros((4, 6, 3)), np.zeros((4, 6, 1)), verbose=0)
