"""Curves: what training reported epoch by epoch, and activation functions with their derivatives."""
from collections.abc import Mapping

import numpy as np

from .. import activations as activations_by_name
from ._axes import BLUE, ORANGE, axes, colour

STEP = 1e-5          # of the central differences that draw a derivative: in float64 their error is below a pixel


def history(history, ax=None, metrics=None):
    """Draw the loss and the metrics of each epoch, each in its colour: training full, validation dashed.

    history: the History that ``fit`` returns, its ``.history`` dictionary, or a model that has been trained.
    metrics: the keys to draw, without "val_"; by default all but the learning rate.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError if the history has no such key, TypeError
    for what is no history.
    """
    values = _values_of(history)
    if metrics is None:
        metrics = [key for key in values if not key.startswith("val_") and key != "learning_rate"]
    elif isinstance(metrics, str):
        metrics = [metrics]
    for metric in metrics:
        _check_metric(values, metric, "metrics")
    ax = axes(ax)
    for i, metric in enumerate(metrics):
        _curve(ax, values, metric, metric, color=colour(i))
        _curve(ax, values, f"val_{metric}", f"val_{metric}", color=colour(i), linestyle="--")
    return _finish_epochs(ax)


def learning_curves(history, metric="loss", ax=None):
    """Draw a value of each epoch, on the training and, where there is one, the validation data.

    history: the History that ``fit`` returns, its ``.history`` dictionary, or a model that has been trained.
    metric: the key to draw, "loss" or a metric's name. Raises ValueError if the history has no such key, TypeError
    for what is no history.
    ax: the matplotlib Axes to draw on. Returns the Axes.
    """
    values = _values_of(history)
    _check_metric(values, metric, "metric")
    ax = axes(ax)
    _curve(ax, values, metric, "training", color=BLUE)
    _curve(ax, values, f"val_{metric}", "validation", color=ORANGE, linestyle="--")
    ax.set_ylabel(metric)
    return _finish_epochs(ax)


def _values_of(history):
    """The dictionary of a History, of the model that keeps one, or itself; TypeError where there is none."""
    values = history
    for _ in range(2):
        values = values if isinstance(values, Mapping) else getattr(values, "history", None)
    if not isinstance(values, Mapping):
        raise TypeError("`history` must be the History that model.fit returns, or its dictionary .history, got "
                        f"{type(history).__name__}: {history!r:.60}")
    return values


def _check_metric(values, metric, argument):
    if metric not in values:
        raise ValueError(f"`{argument}`: expected one of {', '.join(values)}, got {metric!r}")


def _curve(ax, values, key, label, **style):
    """The values of one key, if there are any; a metric of several numbers gives a curve for each."""
    if key not in values:
        return
    columns = np.asarray(values[key], float).reshape(len(values[key]), -1)
    epochs = np.arange(1, len(columns) + 1)
    for i, column in enumerate(columns.T):
        ax.plot(epochs, column, label=label if columns.shape[1] == 1 else f"{label}[{i}]",
                marker="o" if len(epochs) == 1 else None, **style)


def _finish_epochs(ax):
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("epoch")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def activations(names=("relu", "sigmoid", "tanh"), ax=None, limits=(-4.0, 4.0), derivatives=True):
    """Draw activation functions, each in its colour: the function full, its derivative dashed.

    names: a name or several, objects of ``fastnn.activations``, or functions of an array.
    limits: the least and the largest x. derivatives: draw them too (by central differences).
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError for an unknown name, or for a function such
    as softmax whose values depend on a whole row.
    """
    functions = [f if callable(f) else activations_by_name.get(f) for f in _as_list(names)]
    least, most = limits
    x = np.linspace(least, most, 401)
    curves = [(_label(f), _values(f, x), (_values(f, x + STEP) - _values(f, x - STEP)) / (2 * STEP)) for f in functions]
    ax = axes(ax)
    for i, (label, y, slope) in enumerate(curves):
        ax.plot(x, y, color=colour(i), label=label)
        if derivatives:
            ax.plot(x, slope, color=colour(i), linestyle="--", label=f"{label}′")
    ax.set(xlabel="x", ylabel="y")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def _as_list(names):
    return [names] if isinstance(names, str) or callable(names) else list(names)


def _label(function):
    return getattr(function, "__name__", type(function).__name__)


def _values(function, x):
    """f(x) for each element; ValueError if an element's value depends on the others."""
    row = x[None]
    y = np.asarray(function(row))
    if y.shape != row.shape or not np.allclose(y[:, :1], np.asarray(function(row[:, :1])), equal_nan=True):
        raise ValueError(f"`names`: {_label(function)} is no function of one number, so it has no curve")
    return y[0]
