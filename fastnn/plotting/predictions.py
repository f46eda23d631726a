"""What a classifier predicts: the confusion matrix, and the regions of its classes in the plane."""
import numpy as np

from .. import _arrays
from ..perceptron import ThresholdNeuron
from ._axes import axes, colour

MARGIN = 0.1         # of the plane around the points, as a share of their range


def confusion_matrix(y_true, y_pred, labels=None, ax=None):
    """Draw how many rows of each class (down) were predicted as each class (across).

    y_true, y_pred: the classes of n rows, (n,) or (n, 1); integers, bools or strings, integers from 0 if there are
    ``labels``.
    labels: the name of class 0, 1, ...; by default the classes that occur, sorted.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError for lengths that differ, no rows or unnamed
    classes.
    """
    y_true, y_pred = _as_vector(y_true), _as_vector(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError("`y_true`, `y_pred`: expected two vectors of one length, "
                         f"got shapes {y_true.shape} and {y_pred.shape}; of a column a class use argmax(-1)")
    if not len(y_true):
        raise ValueError("`y_true`, `y_pred`: expected at least one row, got none")
    classes = np.concatenate([y_true, y_pred])
    if labels is None:
        labels, classes = np.unique(classes, return_inverse=True)
    elif not np.isin(classes, np.arange(len(labels))).all():
        raise ValueError(f"`labels`: `y_true` and `y_pred` hold classes that the {len(labels)} labels do not cover")
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, tuple(classes.reshape(2, -1).astype(int)), 1)
    return _draw_counts(counts, [str(name) for name in labels], axes(ax))


def _as_vector(classes):
    """Classes as an array, a column as a vector, bools as 0 and 1."""
    classes = np.asarray(classes)
    if classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    return classes.astype(int) if classes.dtype.kind == "b" else classes


def _draw_counts(counts, names, ax):
    largest = max(counts.max(initial=0), 1)
    ax.imshow(counts, cmap="Blues", vmin=0, vmax=largest)
    for (row, column), count in np.ndenumerate(counts):
        ax.text(column, row, str(count), ha="center", va="center", color="white" if count > largest / 2 else "black")
    ticks = range(len(names))
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if sum(map(len, names)) > 40 else {}
    ax.set_xticks(ticks, names, **slanted)
    ax.set_yticks(ticks, names)
    ax.set(xlabel="predicted class", ylabel="true class")
    return ax


def decision_boundary(model, x, y=None, ax=None, resolution=200):
    """Draw which class a classifier gives to each place of the plane, and the points it learned from.

    model: a fastnn model, a Perceptron, whatever has ``predict`` or ``forward``, or a function of an array (n, 2).
    Its outputs are classes, scores with a column for each class, or one score for each row: a probability above 0.5,
    or, where some are not between 0 and 1, a score above 0, is class 1.
    x: the points, (n, 2). y: their classes, (n,), (n, 1) or one-hot (n, classes); None draws the regions alone.
    resolution: places along each axis. ax: the matplotlib Axes to draw on. Returns the Axes.
    Raises ValueError for x of another shape, y of another length or a ThresholdNeuron, whose inputs are 0 and 1 alone;
    TypeError for what does not predict.
    """
    predict = _predictor(model)
    x = np.asarray(_arrays.as_rows(x, "x"), float)
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        raise ValueError(f"`x`: expected points with two features, of shape (n, 2), got shape {x.shape}")
    edges = [_spread_out(column, resolution) for column in x.T]
    plane = np.stack(np.meshgrid(*edges), axis=-1).reshape(-1, 2)
    regions = _classes(np.asarray(predict(plane)))
    truth = None if y is None else _classes(np.asarray(y))
    if truth is not None and len(truth) != len(x):
        raise ValueError(f"`y`: expected a class for each of the {len(x)} points, got {len(truth)}")
    names = np.unique(regions if truth is None else np.concatenate([regions, truth]))
    return _draw_regions(edges, regions.reshape(resolution, resolution), x, truth, names, axes(ax))


def _draw_regions(edges, regions, x, truth, names, ax):
    from matplotlib.colors import ListedColormap
    colours = ListedColormap([colour(i) for i in range(len(names))])
    ax.pcolormesh(*edges, np.searchsorted(names, regions), cmap=colours, vmin=-0.5, vmax=len(names) - 0.5, alpha=0.25,
                  shading="nearest")
    for i, name in enumerate(names if truth is not None else ()):
        points = x[truth == name]
        if len(points):
            ax.scatter(*points.T, color=colour(i), edgecolors="white", linewidths=0.5, label=str(name))
    if truth is not None:
        ax.legend(title="class")
    ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]")
    return ax


def _spread_out(values, resolution):
    least, most = values.min(), values.max()
    margin = MARGIN * (most - least) or 1.0
    return np.linspace(least - margin, most + margin, resolution)


def _predictor(model):
    from ..models import Model
    if isinstance(model, Model):
        return lambda x: model.predict(x, batch_size=4096, verbose=0)
    if isinstance(model, ThresholdNeuron):
        raise ValueError("`model`: a ThresholdNeuron takes 0 and 1 alone, not the places between; give a function that "
                         "rounds them: lambda x: neuron((x > 0.5).astype(int))")
    predict = getattr(model, "predict", None) or getattr(model, "forward", None) or model
    if not callable(predict):
        raise TypeError("`model` must be a model, what has predict() or forward(), or a function, got "
                        f"{type(model).__name__}; the order is decision_boundary(model, x, y)")
    return predict


def _classes(outputs):
    """The class of each row of outputs or labels."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    outputs = outputs.reshape(len(outputs))
    if outputs.dtype.kind == "b":
        return outputs.astype(int)
    if outputs.dtype.kind != "f":
        return outputs
    if (outputs == np.round(outputs)).all():             # classes already, only stored as floats
        return outputs.astype(int)
    return (outputs > (0.5 if 0 <= outputs.min() and outputs.max() <= 1 else 0)).astype(int)
