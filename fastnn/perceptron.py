"""The classics: the perceptron, the threshold neuron, counting mistakes, gradient descent."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import _arrays, _settings
from ._kernels import perceptron as kernels
from ._kernels import runner


class Perceptron:
    """A single neuron that learns by the perceptron rule (Rosenblatt, 1958): 1 where w·x + b > 0, else 0.

    num_features: inputs of the neuron. ``weights``: float64 (num_features, 1), ``bias``: float64 (1,), both zero at
    first; all is computed in float64. For every sample in its order, w += (y - ŷ)·x and b += (y - ŷ). Where a line
    separates the classes it is found; where none does (XOR) the weights wander for ever, training ends after its epochs
    all the same, and ``evaluate`` says how far it came. ``train(..., pocket=True)`` then keeps the best.

    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])
    >>> neuron = Perceptron(2)
    >>> neuron.train(x, y, epochs=10)[-1]
    0
    >>> neuron.evaluate(x, y)
    1.0
    """

    def __init__(self, num_features: int):
        self.num_features = _arrays.whole_number("num_features", num_features, 1)
        self.weights = np.zeros((self.num_features, 1))
        self.bias = np.zeros(1)

    def forward(self, x) -> np.ndarray:
        """Predictions, 0 or 1, int64 (rows, 1), of the rows of x, (rows, num_features); (1,) of a single sample."""
        x = _as_samples(x, self.num_features, single=True)
        weights, bias = self._parameters()
        return (x @ weights + bias > 0).astype(np.int64)

    predict = forward

    def backward(self, x, y) -> np.ndarray:
        """The errors y - ŷ, -1, 0 or 1, in the shape of ``forward(x)``; y: a label, or one for each row."""
        predictions = self.forward(x)
        labels = np.asarray(y)
        if labels.size != predictions.size:
            raise ValueError(f"`y` must have one label a row of `x`, {predictions.size}, got shape {labels.shape}")
        return labels.reshape(predictions.shape) - predictions

    def train(self, x, y, epochs: int, pocket: bool = False) -> list[int]:
        """Learn from the rows of x and their labels y in their order, ``epochs`` times; returns the mistakes of each
        epoch, every one of which changed the weights.

        x: (rows, num_features) numbers, y: (rows,) or (rows, 1) of 0 and 1. ``pocket``: keep the weights with the
        fewest mistakes on all rows (``zero_one_loss``) of all that were visited (Gallant, 1990). Then the rows come in
        an order of its own each epoch, f(epoch), a sum of 0 is a mistake while learning, and at the end the line is
        moved off the samples on it. Raises ValueError or TypeError for other data, and nothing has changed.
        """
        x = _as_samples(x, self.num_features)
        y = _as_labels(y, len(x), "of 0 and 1")
        epochs = _arrays.whole_number("epochs", epochs, 0)
        pocket = _settings.flag("pocket", pocket)
        weights, bias = self._as_float64()
        mistakes: list[int] = []
        best, fewest = np.append(weights, bias), kernels.count(x, y, weights, bias[0])
        try:
            for epoch in range(epochs):       # between epochs Python looks whether it was interrupted
                if pocket:
                    order = runner.permutation(len(x), 0, epoch)
                    made, fewest = kernels.train_pocket(x[order], y[order], weights, bias, best, fewest)
                    mistakes.append(made)
                else:
                    mistakes.append(kernels.train(x, y, weights, bias))
        finally:
            if pocket:
                weights, bias = best[:-1, None], best[-1:] + _room(x @ best[:-1] + best[-1])
            self.weights[...], self.bias[...] = weights, bias
        return mistakes

    def evaluate(self, x, y) -> float:
        """The share of the rows of x, (rows, num_features), whose prediction is y. ValueError where there is no row."""
        x = _as_samples(x, self.num_features)
        _arrays.check_not_empty("x", x)
        return float(np.mean(self.forward(x)[:, 0] == _as_labels(y, len(x), "of 0 and 1")))

    def _as_float64(self) -> tuple[np.ndarray, np.ndarray]:
        """Copies of weights and bias for the compiled loop; both become arrays of float64 that can be written."""
        self.weights, self.bias = (np.require(a, np.float64, "W") for a in self._parameters())
        return self.weights.copy("C"), self.bias.copy()

    def _parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias as arrays of numbers; ValueError where they were replaced by what does not fit."""
        weights, bias = np.asarray(self.weights), np.asarray(self.bias)
        if weights.dtype.kind not in "biuf" or bias.dtype.kind not in "biuf":
            raise ValueError("Perceptron: `weights` and `bias` must hold real numbers, got arrays of "
                             f"{weights.dtype} and {bias.dtype}")
        if weights.shape != (self.num_features, 1) or bias.shape != (1,):
            raise ValueError(f"Perceptron: `weights` and `bias` must have shapes ({self.num_features}, 1) and (1,), "
                             f"got {weights.shape} and {bias.shape}")
        return weights, bias

    def __repr__(self) -> str:
        return f"<Perceptron num_features={self.num_features}>"


def _room(sums: np.ndarray) -> float:
    """How far up the sums can move so that no sum below 0 gets there: 0.0 where none is 0."""
    if (sums != 0).all():
        return 0.0
    below = sums[sums < 0]
    return -below.max() / 2 if below.size else 1.0


class ThresholdNeuron:
    """The neuron of McCulloch and Pitts (1943): fires, 1, when the weighted sum of its inputs reaches the threshold.

    weights: (inputs,) numbers. ``inhibitory``: numbers of the inputs of which a single active one keeps the neuron
    silent; their weights do not count. It does not learn.

    >>> both = ThresholdNeuron([1, 1], threshold=2)
    >>> both([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 0, 0, 1])
    >>> a_without_b = ThresholdNeuron([1, 1], threshold=1, inhibitory=[1])
    >>> a_without_b([1, 0]), a_without_b([1, 1])
    (1, 0)
    """

    def __init__(self, weights, threshold, inhibitory=()):
        self.weights = np.array(_arrays.as_rows(weights, "weights"), np.float64)
        if self.weights.ndim != 1 or not self.weights.size:
            raise ValueError(f"ThresholdNeuron: `weights` must have shape (inputs,), got {self.weights.shape}")
        self.threshold = _real("ThresholdNeuron", "threshold", threshold)
        chosen = [inhibitory] if np.ndim(inhibitory) == 0 else list(inhibitory)
        self.inhibitory = tuple(_arrays.whole_number("inhibitory", i, 0) for i in chosen)
        if self.inhibitory and max(self.inhibitory) >= self.weights.size:
            raise ValueError("ThresholdNeuron: `inhibitory` must hold numbers of inputs, 0 to "
                             f"{self.weights.size - 1}, got {max(self.inhibitory)}")

    def __call__(self, x):
        """0 or 1 for one sample (inputs,), as an int, or int64 (rows,) for (rows, inputs); x holds 0 and 1."""
        x = _as_samples(x, self.weights.size, single=True)
        if not np.isin(x, (0, 1)).all():
            raise ValueError(f"`x` must hold 0 and 1 for a ThresholdNeuron, got {x[~np.isin(x, (0, 1))][0]:g}")
        inhibitory = list(self.inhibitory)
        weights = self.weights.copy()
        weights[inhibitory] = 0
        fires = (x @ weights >= self.threshold) & ~(x[..., inhibitory] == 1).any(-1)
        return fires.astype(np.int64) if x.ndim > 1 else int(fires)

    forward = predict = __call__

    def __repr__(self) -> str:
        return (f"<ThresholdNeuron weights={self.weights.tolist()} threshold={self.threshold:g} "
                f"inhibitory={self.inhibitory}>")


def zero_one_loss(w, X, y, bias=0.0) -> int:
    """The number of mistakes of 1[w·x + b >= 0] on the rows of X.

    w: (features,) or (features, 1), X: (rows, features), y: (rows,) or (rows, 1) labels, 0 and 1 or -1 and 1 (-1 is
    read as 0), ``bias``: a number. Raises ValueError or TypeError for other shapes and labels.

    >>> zero_one_loss([1.0, -1.0], [[2, 1], [1, 2], [1, 1]], [1, 0, 0])
    1
    """
    weights = np.array(_arrays.as_rows(w, "w"), np.float64)
    if weights.size != len(weights):
        raise ValueError(f"`w` must have shape (features,), got {weights.shape}")
    x = _as_samples(X, len(weights), argument="X")
    labels = _as_labels(y, len(x), "0 and 1, or -1 and 1", lowest=-1)
    if np.size(bias) != 1:
        raise ValueError(f"`bias` must be a number, got shape {np.shape(bias)}")
    return kernels.count(x, np.maximum(labels, 0), np.ascontiguousarray(weights),
                         _real("zero_one_loss", "bias", np.asarray(bias).item()))


class Descent(NamedTuple):
    """What ``gradient_descent`` returns: the last ``point``, the number of ``steps``, whether it ``converged``, and the
    ``path``, all points from the first to the last, (steps + 1, *point's shape)."""
    point: Any
    steps: int
    converged: bool
    path: np.ndarray


def gradient_descent(gradient: Callable, x0, learning_rate, tol=1e-6, max_iter: int = 1000) -> Descent:
    """Walk down from x0: x -= learning_rate·gradient(x), until no coordinate would move by more than ``tol``.

    gradient: a function of the point, which returns an array of its shape; x0: a number or an array; computed in
    float64. Ends without ``converged`` after ``max_iter`` steps, or before a step to inf or NaN: then the learning rate
    is too large, or the function has no minimum. Raises ValueError for a gradient of another shape.

    >>> found = gradient_descent(lambda x: 2 * (x - 3), 0.0, learning_rate=0.1)
    >>> round(found.point, 4), found.converged
    (3.0, True)
    """
    if not callable(gradient):
        raise TypeError(f"`gradient` must be a function of the point, got {type(gradient).__name__}: {gradient!r:.60}")
    rate = _real("gradient_descent", "learning_rate", learning_rate)
    limit = _arrays.number("gradient_descent", "tol", tol)
    if rate <= 0:
        raise ValueError(f"gradient_descent: `learning_rate` must be above 0, got {rate:g}")
    max_iter = _arrays.whole_number("max_iter", max_iter, 0)
    point = np.array(_arrays.plain(x0, "x0"), np.float64)[()]          # a number stays one
    if not np.isfinite(point).all():
        raise ValueError(f"`x0` must hold finite numbers, got {point!s:.60}")
    path, converged = [point], False
    with np.errstate(all="ignore"):          # that it diverges is a result here, not a warning
        while len(path) <= max_iter:
            step = _step(gradient, point, rate)
            converged = bool((np.abs(step) <= limit).all())
            following = point - step
            if converged or not np.isfinite(following).all():
                break
            point = following
            path.append(point)
    return Descent(float(point) if np.ndim(point) == 0 else point, len(path) - 1, converged, np.array(path))


def _step(gradient: Callable, point, rate: float):
    """The step from a point; NaN where the gradient overflows."""
    try:
        slope = np.asarray(gradient(point if np.ndim(point) == 0 else point.copy()), np.float64)
    except OverflowError:
        return np.full_like(point, np.nan)
    if slope.shape != np.shape(point) and slope.size != np.size(point):
        raise ValueError(f"`gradient` must return an array of the point's shape, {np.shape(point)}, got {slope.shape}")
    return rate * slope.reshape(np.shape(point))[()]


def _real(where: str, argument: str, value) -> float:
    """A finite number of any sign; ValueError otherwise."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not np.isfinite(value):
        raise ValueError(f"{where}: `{argument}` must be a finite number, got {value!r:.60}")
    return float(value)


def _as_samples(x, features: int, single: bool = False, argument: str = "x") -> np.ndarray:
    """x as finite float64 (rows, features), C-contiguous; with ``single`` also one sample (features,)."""
    x = np.ascontiguousarray(_arrays.as_rows(x, argument), np.float64)
    if x.shape[-1] != features or (x.ndim != 2 and not (single and x.ndim == 1)):
        raise ValueError(f"`{argument}` must have shape (rows, {features}), got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(_arrays.not_finite(argument, x, int(np.argwhere(~np.isfinite(x))[0][0])))
    return x


def _as_labels(y, rows: int, expected: str, lowest: int = 0) -> np.ndarray:
    """y as float64 (rows,) of 0 and 1, or of -1, where that is ``lowest``, and 1."""
    y = np.ascontiguousarray(_arrays.as_rows(y, "y"), np.float64)
    if y.shape not in ((rows,), (rows, 1)):
        raise ValueError(f"`y` must have one label a row, shape ({rows},), got shape {y.shape}")
    y = y.reshape(rows)
    wrong = ~np.isin(y, (lowest, 0, 1))
    if not wrong.any() and lowest < 0 and (y < 0).any():
        wrong = y == 0
    if wrong.any():
        raise ValueError(f"`y` must hold labels {expected}, got {y[wrong][0]:g} at row {int(wrong.argmax())}")
    return y
