"""Pictures of training and of the race: learning curves, confusion matrix, bars.

Each function draws on ``ax`` and returns it; without ``ax`` it makes a new figure with pyplot, so that a notebook shows
it. matplotlib (``pip install 'fastnn[plot]'``) is imported when a picture is drawn.
"""
import re

import numpy as np

# Colours that stay apart in greyscale and for colour-blind readers (Okabe and Ito).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#B0B0B0"


def _axes(ax):
    if ax is not None:
        return ax
    from matplotlib import pyplot
    return pyplot.subplots(layout="constrained")[1]


def learning_curves(history, metric="loss", ax=None):
    """Draw a value of each epoch, on the training and, where there is one, the validation data.

    history: the History that ``fit`` returns, or its ``.history`` dictionary.
    metric: the key to draw, "loss" or a metric's name. Raises ValueError if the history has no such key.
    ax: the matplotlib Axes to draw on. Returns the Axes.
    """
    values = getattr(history, "history", history)
    if metric not in values:
        raise ValueError(f"metric: expected one of {', '.join(values)}, got {metric!r}")
    ax = _axes(ax)
    for key, label, style in ((metric, "training", {"color": BLUE}),
                              (f"val_{metric}", "validation", {"color": ORANGE, "linestyle": "--"})):
        if key in values:
            epochs = np.arange(1, len(values[key]) + 1)
            ax.plot(epochs, values[key], label=label, marker="o" if len(epochs) == 1 else None, **style)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel=metric)
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def confusion_matrix(y_true, y_pred, class_names=None, ax=None):
    """Draw how many rows of each class (down) were predicted as each class (across).

    y_true, y_pred: the classes of n rows; integers or strings, integers from 0 if there are ``class_names``.
    class_names: the name of class 0, 1, ...; by default the classes that occur, sorted.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError for lengths that differ or unnamed classes.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError("y_true, y_pred: expected two vectors of one length, "
                         f"got shapes {y_true.shape} and {y_pred.shape}")
    classes = np.concatenate([y_true, y_pred])
    if class_names is None:
        class_names, classes = np.unique(classes, return_inverse=True)
    elif not np.isin(classes, np.arange(len(class_names))).all():
        raise ValueError(f"class_names: y_true and y_pred hold classes that the {len(class_names)} names do not cover")
    counts = np.zeros((len(class_names), len(class_names)), int)
    np.add.at(counts, tuple(classes.reshape(2, -1).astype(int)), 1)
    return _draw_counts(counts, [str(name) for name in class_names], _axes(ax))


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


def race(seconds, ax=None, log=True, highlight="fastnn"):
    """Draw durations as horizontal bars, the first on top.

    seconds: dictionary of label to seconds. Labels that begin with ``highlight`` are coloured.
    log: a logarithmic axis, for durations of very different size.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError if a duration is not positive.
    """
    from fastnn._race import duration
    labels, values = list(seconds), list(seconds.values())
    if not values or min(values) <= 0:
        raise ValueError("seconds: expected one or more positive durations")
    ax = _axes(ax)
    bars = ax.barh(labels, values, color=[ORANGE if label.startswith(highlight) else GREY for label in labels])
    ax.bar_label(bars, [duration(value) for value in values], padding=3)
    ax.invert_yaxis()
    least, most = min(values) / 3, max(values)        # a logarithmic axis has no zero where bars could begin
    if log:
        ax.set_xscale("log")
    ax.set_xlim((least, most * (most / least) ** 0.3) if log else (0, most * 1.2))       # room for the labels
    ax.xaxis.set_major_formatter(lambda value, _: re.sub(r"\.0+ ", " ", duration(value)))
    ax.set_xlabel("time (logarithmic)" if log else "time")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
