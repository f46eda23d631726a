"""What stands on the pictures, read back from matplotlib's objects."""
import numpy as np
import pytest

from fastnn import plotting

pytest.importorskip("matplotlib")

HISTORY = {"accuracy": [0.5, 0.75, 1.0], "loss": [1.0, 0.5, 0.25], "val_loss": [1.5, 1.0, 0.75]}


@pytest.fixture
def ax():
    from matplotlib.figure import Figure
    return Figure().subplots()


def test_learning_curves_draw_both_parts(ax):
    assert plotting.learning_curves(HISTORY, ax=ax) is ax
    assert {line.get_label(): line.get_ydata().tolist() for line in ax.lines} == {
        "training": HISTORY["loss"], "validation": HISTORY["val_loss"]}
    assert all(line.get_xdata().tolist() == [1, 2, 3] for line in ax.lines)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_learning_curves_take_a_history_object_and_a_metric(ax):
    class History:
        history = HISTORY

    plotting.learning_curves(History(), "accuracy", ax=ax)
    assert [line.get_ydata().tolist() for line in ax.lines] == [HISTORY["accuracy"]]


def test_learning_curves_of_one_epoch_are_visible(ax):
    plotting.learning_curves({"loss": [0.5]}, ax=ax)
    assert ax.lines[0].get_marker() == "o"


def test_learning_curves_refuse_an_unknown_metric(ax):
    with pytest.raises(ValueError, match=r"metric: expected one of accuracy, loss, val_loss, got 'f1'"):
        plotting.learning_curves(HISTORY, "f1", ax=ax)


def drawn_counts(ax, n):
    """The numbers written into the cells."""
    counts = np.full((n, n), -1)
    for text in ax.texts:
        column, row = text.get_position()
        counts[row, column] = int(text.get_text())
    return counts.tolist()


def test_confusion_matrix_counts_true_down_and_predicted_across(ax):
    assert plotting.confusion_matrix([0, 0, 0, 1, 2], [0, 1, 1, 1, 0], ax=ax) is ax
    assert drawn_counts(ax, 3) == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("true class", "predicted class")


def test_confusion_matrix_names_classes_that_do_not_occur(ax):
    plotting.confusion_matrix([0, 2], [0, 2], ["a", "b", "c"], ax=ax)
    assert drawn_counts(ax, 3) == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_confusion_matrix_takes_strings(ax):
    plotting.confusion_matrix(["cat", "dog", "dog"], ["dog", "dog", "dog"], ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]
    assert drawn_counts(ax, 2) == [[0, 1], [0, 2]]


@pytest.mark.parametrize(("y_true", "y_pred", "names", "words"), [
    ([0, 1], [0], None, r"y_true, y_pred: expected two vectors of one length, got shapes \(2,\) and \(1,\)"),
    ([[0], [1]], [[0], [1]], None, r"expected two vectors of one length, got shapes \(2, 1\) and \(2, 1\)"),
    ([0, 2], [0, 1], ["a", "b"], "class_names: y_true and y_pred hold classes that the 2 names do not cover"),
    ([0, -1], [0, 1], ["a", "b"], "class_names: y_true and y_pred hold classes that the 2 names do not cover"),
])
def test_confusion_matrix_refuses(ax, y_true, y_pred, names, words):
    with pytest.raises(ValueError, match=words):
        plotting.confusion_matrix(y_true, y_pred, names, ax=ax)


@pytest.mark.parametrize("log", [True, False])
def test_race_draws_a_bar_for_each(ax, log):
    assert plotting.race({"forloop": 1e-3, "fastnn": 1e-6}, ax=ax, log=log) is ax
    slow, fast = ax.patches
    assert (slow.get_width(), fast.get_width()) == (1e-3, 1e-6)
    assert slow.get_facecolor() != fast.get_facecolor()
    assert {text.get_text() for text in ax.texts} == {"1.00 ms", "1.00 µs"}
    assert ax.get_xscale() == ("log" if log else "linear")
    assert ax.get_xlim()[0] < 1e-6 and ax.get_xlim()[1] > 1e-3
    assert ax.yaxis_inverted()                                   # the first on top


@pytest.mark.parametrize("seconds", [{}, {"a": 0.0}, {"a": 1.0, "b": -1.0}])
def test_race_refuses_what_has_no_logarithm(ax, seconds):
    with pytest.raises(ValueError, match="seconds: expected one or more positive durations"):
        plotting.race(seconds, ax=ax)


def test_without_axes_a_figure_is_made(run_python):
    code = """
import matplotlib
from fastnn import plotting
assert plotting.learning_curves({"loss": [1.0, 0.5]}).figure is not plotting.race({"a": 1.0}).figure
plotting.confusion_matrix([0, 1], [0, 1])
from matplotlib import pyplot
print(len(pyplot.get_fignums()), matplotlib.get_backend().lower())
"""
    assert run_python(code, DISPLAY=None, WAYLAND_DISPLAY=None, MPLBACKEND=None).stdout == "3 agg\n"


def test_matplotlib_is_loaded_by_the_first_picture(run_python):
    assert run_python("import sys, fastnn.plotting; print('matplotlib' in sys.modules)").stdout == "False\n"
