"""The classics against the textbook's loops in NumPy."""
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from fastnn import Perceptron, ThresholdNeuron, gradient_descent, zero_one_loss
from fastnn._kernels import perceptron as kernels

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0], "first": [0, 0, 1, 1]}
XOR = [0, 1, 1, 0]


class Textbook:
    """The perceptron as lectures write it."""

    def __init__(self, num_features):
        self.weights, self.bias = np.zeros((num_features, 1)), np.zeros(1)

    def forward(self, x):
        return np.where(np.dot(x, self.weights) + self.bias > 0.0, 1, 0)

    def train(self, x, y, epochs):
        for _ in range(epochs):
            for i in range(len(y)):
                errors = (y[i] - self.forward(x[i].reshape(1, -1))).reshape(-1)
                self.weights += (errors * x[i]).reshape(-1, 1)
                self.bias += errors


def cloud(rows=200, features=3, noise=0.5, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, features))
    y = (x @ np.arange(1, features + 1) + 0.3 + noise * rng.standard_normal(rows) > 0).astype(int)
    return x.astype(dtype), y


@pytest.mark.parametrize("features", [1, 2, 3, 7, 8, 9, 33])
@pytest.mark.parametrize("epochs", [0, 1, 5])
def test_weight_for_weight_the_textbook_rule(features, epochs):
    x, y = cloud(100, features)
    ours, theirs = Perceptron(features), Textbook(features)
    mistakes = ours.train(x, y, epochs)
    theirs.train(x, y, epochs)
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=1e-13, atol=1e-15)
    assert np.array_equal(ours.bias, theirs.bias) and len(mistakes) == epochs
    assert np.array_equal(ours.forward(x), theirs.forward(x))
    assert ours.evaluate(x, y) == np.mean(theirs.forward(x)[:, 0] == y)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("form", [np.array, list, lambda y: np.array(y)[:, None], lambda y: np.array(y, bool),
                                  lambda y: np.array(y, "float32")])
def test_learns_what_a_line_separates(gate, form):
    neuron, theirs = Perceptron(2), Textbook(2)
    mistakes = neuron.train(INPUTS, form(GATES[gate]), epochs=20)
    theirs.train(INPUTS.astype(float), np.array(GATES[gate]), 20)
    assert mistakes[-1] == 0 and neuron.evaluate(INPUTS, form(GATES[gate])) == 1.0
    assert neuron.weights.tolist() == theirs.weights.tolist() and neuron.bias.tolist() == theirs.bias.tolist()


def test_not():
    neuron = Perceptron(1)
    neuron.train([[0], [1]], [1, 0], 10)
    assert neuron.forward([[0], [1]]).tolist() == [[1], [0]] and neuron.forward([1]).tolist() == [0]


def test_xor_ends_honestly():
    neuron = Perceptron(2)
    mistakes = neuron.train(INPUTS, XOR, epochs=100)
    assert len(mistakes) == 100 and min(mistakes) > 0 and neuron.evaluate(INPUTS, XOR) < 1
    pocket = Perceptron(2)
    pocket.train(INPUTS, XOR, epochs=100, pocket=True)
    assert pocket.evaluate(INPUTS, XOR) == 0.75 and zero_one_loss(pocket.weights, INPUTS, XOR, pocket.bias) == 1


def test_what_a_perceptron_is():
    neuron = Perceptron(3)
    assert neuron.weights.shape == (3, 1) and neuron.bias.shape == (1,) and not neuron.weights.any()
    assert neuron.forward(np.zeros((4, 3))).tolist() == [[0]] * 4, "w·x + b > 0, not >="
    assert neuron.backward(np.zeros((2, 3)), [1, 0]).tolist() == [[1], [0]]
    assert neuron.backward(np.zeros(3), 1).tolist() == [1] and neuron.backward([[0, 0, 0]], 0).tolist() == [[0]]
    weights = neuron.weights
    neuron.train(*cloud(), epochs=1)
    assert weights is neuron.weights and weights.any(), "trained in place"
    neuron.weights = neuron.weights * 0
    assert neuron.evaluate(*cloud()) == np.mean(cloud()[1] == (neuron.bias[0] > 0))
    assert "num_features=3" in repr(neuron)


@pytest.mark.parametrize("seed", range(5))
def test_the_pocket_holds_the_fewest_mistakes_and_both_rules_agree(seed):
    x, y = cloud(60, 2, noise=1.5, seed=seed)
    x = np.round(x)                                   # many samples lie on the line
    plain, pocket = Perceptron(2), Perceptron(2)
    plain.train(x, y, 30)
    pocket.train(x, y, 30, pocket=True)
    mistakes = zero_one_loss(pocket.weights, x, y, pocket.bias)
    assert mistakes <= zero_one_loss(plain.weights, x, y, plain.bias)
    assert pocket.evaluate(x, y) == pytest.approx(1 - mistakes / 60)
    more = Perceptron(2)
    more.train(x, y, 60, pocket=True)
    assert zero_one_loss(more.weights, x, y, more.bias) <= mistakes


def test_the_pocket_of_separable_data_is_empty():
    x, y = cloud(200, 5, noise=0.0)
    neuron = Perceptron(5)
    assert neuron.train(x, y, 200, pocket=True)[-1] == 0 and zero_one_loss(neuron.weights, x, y, neuron.bias) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_zero_one_loss_counts(dtype):
    rng = np.random.default_rng(1)
    x = rng.integers(-2, 3, (100, 4)).astype(dtype)
    w, y = rng.integers(-2, 3, 4), rng.integers(0, 2, 100)
    for bias in (0.0, 1, -0.5, np.array([1.0])):
        expected = int(((x @ w + np.asarray(bias) >= 0) != y).sum())
        assert zero_one_loss(w, x, y, bias) == zero_one_loss(w[:, None], x, y[:, None], bias=bias) == expected
        assert zero_one_loss(w, x, 2 * y - 1, bias) == zero_one_loss(w, x, y.astype(bool), bias) == expected
    assert zero_one_loss([0.0], [[1.0]], [0]) == 1, "a sum of 0 is a 1"
    assert isinstance(zero_one_loss(w, x, y), int) and zero_one_loss(w, x[:0], y[:0]) == 0


def test_the_kernels_handle_nothing():
    nothing, w, b = np.zeros((0, 2)), np.ones((2, 1)), np.ones(1)
    assert kernels.train(nothing, np.zeros(0), w, b) == 0 == kernels.count(nothing, np.zeros(0), w, 0.0)
    assert kernels.train_pocket(nothing, np.zeros(0), w, b, np.zeros(3), 0) == (0, 0)
    assert w.tolist() == [[1], [1]] and b.tolist() == [1]
    with pytest.raises(TypeError):
        kernels.train(None, np.zeros(0), w, b)


def test_threshold_neuron():
    both, any_ = ThresholdNeuron([1, 1], 2), ThresholdNeuron([1, 1], 1)
    neither = ThresholdNeuron([1, 1], 0, inhibitory=[0, 1])
    assert both(INPUTS).tolist() == [0, 0, 0, 1] and any_(INPUTS).tolist() == [0, 1, 1, 1]
    assert neither(INPUTS).tolist() == [1, 0, 0, 0]
    not_ = ThresholdNeuron([-1], 0)
    assert (not_([0]), not_([1])) == (1, 0) and type(not_([0])) is int
    xor = [any_(x) and not both(x) for x in INPUTS]
    assert xor == [0, True, True, 0], "two layers can"
    weighted = ThresholdNeuron([0.5, 2, -1], threshold=1.0, inhibitory=0)
    assert weighted([[0, 1, 1], [1, 1, 0], [0, 0, 0]]).tolist() == [1, 0, 0]


@pytest.mark.parametrize(("start", "rate"), [(5.0, 0.1), (5, 0.1), (np.float32(5), 0.1), ([4.0, -3.0], 0.3),
                                             (np.ones((2, 3)), 0.2)])
def test_gradient_descent_is_the_textbook_loop(start, rate):
    found = gradient_descent(lambda x: 2 * x, start, rate)
    point, path = np.array(start, float), [np.array(start, float)]
    for _ in range(1000):
        step = rate * 2 * point
        if np.all(np.abs(step) <= 1e-6):
            break
        point = point - step
        path.append(point)
    assert found.converged and found.steps == len(path) - 1
    assert np.array_equal(found.path, path) and np.array_equal(found.point, path[-1])
    assert type(found.point) is (float if np.ndim(start) == 0 else np.ndarray)
    assert found == tuple(found) and found._fields == ("point", "steps", "converged", "path")


def test_gradient_descent_that_does_not_arrive():
    slow = gradient_descent(lambda x: 2 * x, 1.0, 1e-4, max_iter=10)
    assert not slow.converged and slow.steps == 10 and len(slow.path) == 11
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        away = gradient_descent(lambda x: 4 * x**3, 10.0, 1.0)
    assert not away.converged and away.steps < 20 and math.isfinite(away.point)
    overflow = gradient_descent(lambda x: math.exp(x), -1000.0, 1e300, max_iter=5)
    assert overflow.converged, "flat as far as numbers tell"
    assert not gradient_descent(lambda x: -math.exp(x), 700.0, 1.0).converged
    assert not gradient_descent(lambda x: float("nan"), 1.0, 0.1).converged
    at_once = gradient_descent(lambda x: 0 * x, [1.0, 2.0], 0.1)
    assert at_once.converged and at_once.steps == 0 and at_once.path.tolist() == [[1, 2]]


def test_gradient_descent_leaves_the_start_alone():
    start = np.ones(2)

    def vandal(x):
        x[...] = 7
        return np.zeros(2)

    assert gradient_descent(vandal, start, 0.1).point.tolist() == [1, 1] and start.tolist() == [1, 1]
    with pytest.raises(ZeroDivisionError):
        gradient_descent(lambda x: 1 / 0, 1.0, 0.1)


def test_ctrl_c_between_epochs_keeps_what_was_learned(monkeypatch):
    neuron, calls = Perceptron(3), []

    def interrupted(*arrays):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(1)
        return kernels.train(*arrays)

    stand_in = SimpleNamespace(train=interrupted, count=kernels.count)
    monkeypatch.setattr("fastnn.perceptron.kernels", stand_in)
    with pytest.raises(KeyboardInterrupt):
        neuron.train(*cloud(), epochs=9)
    reference = Textbook(3)
    reference.train(*cloud(), 3)
    np.testing.assert_allclose(neuron.weights, reference.weights, rtol=1e-13)


@pytest.mark.parametrize("use", [lambda n, x, y: n.forward(x), lambda n, x, y: n.evaluate(x, y),
                                 lambda n, x, y: n.backward(x, y), lambda n, x, y: n.train(x, y, 1)])
@pytest.mark.parametrize(("weights", "bias", "words"), [
    ([1, 1], [0.0], r"must have shapes \(2, 1\) and \(1,\), got \(2,\) and \(1,\)"),
    ([[1.0], [2.0], [3.0]], [0.0], r"got \(3, 1\) and \(1,\)"),
    ([[1.0], [2.0]], 0.0, r"got \(2, 1\) and \(\)"),
    ([["a"], ["b"]], [0.0], "must hold real numbers"),
])
def test_weights_that_do_not_fit_are_refused_at_every_use(use, weights, bias, words):
    neuron = Perceptron(2)
    neuron.weights, neuron.bias = weights, bias
    with pytest.raises(ValueError, match=words):
        use(neuron, np.ones((3, 2)), np.ones(3))


def test_weights_given_as_lists_predict():
    neuron = Perceptron(2)
    neuron.weights, neuron.bias = [[1], [1]], [-1.5]
    assert neuron.forward([[1, 1], [0, 1]]).tolist() == [[1], [0]]


def test_nothing_to_evaluate_on_is_refused():
    with pytest.raises(ValueError, match="`x`"):
        Perceptron(2).evaluate(np.zeros((0, 2)), [])
