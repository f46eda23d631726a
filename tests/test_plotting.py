"""Curves, bars and rooflines, read back from matplotlib's objects."""
import numpy as np
import pytest

import fastnn
from fastnn import plotting

pytest.importorskip("matplotlib")

HISTORY = {"accuracy": [0.5, 0.75, 1.0], "loss": [1.0, 0.5, 0.25], "val_loss": [1.5, 1.0, 0.75]}


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
    with pytest.raises(ValueError, match=r"`metric`: expected one of accuracy, loss, val_loss, got 'f1'"):
        plotting.learning_curves(HISTORY, "f1", ax=ax)


def drawn_lines(ax):
    """{label: (values, colour, style)}."""
    return {line.get_label(): (line.get_ydata().tolist(), line.get_color(), line.get_linestyle()) for line in ax.lines}


def test_history_draws_every_metric_with_its_validation(ax):
    assert plotting.history({**HISTORY, "learning_rate": [0.1, 0.1, 0.1]}, ax=ax) is ax
    lines = drawn_lines(ax)
    assert {label: values for label, (values, _, _) in lines.items()} == HISTORY
    assert lines["loss"][1] == lines["val_loss"][1] != lines["accuracy"][1]
    assert [lines[label][2] for label in ("loss", "accuracy", "val_loss")] == ["-", "-", "--"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["accuracy", "loss", "val_loss"]


@pytest.mark.parametrize(("metrics", "drawn"), [("loss", ["loss", "val_loss"]), (["accuracy"], ["accuracy"])])
def test_history_draws_the_metrics_asked_for(ax, metrics, drawn):
    plotting.history(HISTORY, ax, metrics)
    assert list(drawn_lines(ax)) == drawn


def test_history_draws_a_curve_for_each_number_of_a_metric(ax):
    plotting.history({"f1_score": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}, ax=ax)
    assert {label: values for label, (values, _, _) in drawn_lines(ax).items()} == {
        "f1_score[0]": [0.1, 0.3, 0.5], "f1_score[1]": [0.2, 0.4, 0.6]}


def test_history_refuses_an_unknown_metric(ax):
    with pytest.raises(ValueError, match=r"`metrics`: expected one of accuracy, loss, val_loss, got 'f1'"):
        plotting.history(HISTORY, ax=ax, metrics=["loss", "f1"])


def test_history_of_a_model_that_has_been_trained(ax):
    model = fastnn.Sequential([fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit([[0, 0], [0, 1]], [0, 1], epochs=2, verbose=0)
    plotting.history(model, ax=ax)
    plotting.learning_curves(model, ax=ax)
    assert [line.get_ydata().tolist() for line in ax.lines] == [model.history.history["loss"]] * 2


@pytest.mark.parametrize("draw", [plotting.history, plotting.learning_curves])
@pytest.mark.parametrize("what", [None, [1.0, 0.5], fastnn.Sequential([fastnn.layers.Dense(1)])])
def test_what_is_no_history(ax, draw, what):
    with pytest.raises(TypeError, match=r"`history` must be the History that model.fit returns, .* got "):
        draw(what, ax=ax)


def test_activations_draw_functions_and_derivatives(ax):
    assert plotting.activations(["relu", fastnn.activations.tanh, np.square], ax=ax, limits=(-2, 3)) is ax
    x = ax.lines[0].get_xdata()
    assert (x[0], x[-1]) == (-2, 3)
    lines = drawn_lines(ax)
    expected = {"relu": np.maximum(x, 0), "relu′": x > 0, "tanh": np.tanh(x), "tanh′": 1 - np.tanh(x) ** 2,
                "square": x ** 2, "square′": 2 * x}
    assert list(lines) == list(expected)
    smooth = np.abs(x) > 0.01                                   # relu has no derivative at 0
    for label, values in expected.items():
        np.testing.assert_allclose(np.array(lines[label][0])[smooth], values[smooth], rtol=1e-6, atol=1e-8)
    assert lines["tanh"][1] == lines["tanh′"][1] != lines["relu"][1]
    assert (lines["tanh"][2], lines["tanh′"][2]) == ("-", "--")


def test_activations_alone(ax):
    plotting.activations("sigmoid", ax=ax, derivatives=False)
    assert list(drawn_lines(ax)) == ["sigmoid"]


@pytest.mark.parametrize(("name", "words"), [
    ("rleu", "Did you mean 'relu'"), ("softmax", "`names`: softmax is no function of one number")])
def test_activations_refuse(ax, name, words):
    with pytest.raises(ValueError, match=words):
        plotting.activations(name, ax=ax)
    assert len(ax.lines) == 0


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


def test_roofline_draws_roofs_slopes_and_kernels(ax):
    points = {"matmul": [(10.0, 90e9), (40.0, 95e9)], "relu": [(0.125, 3e9)]}
    assert plotting.roofline(points, {"float32": 100e9, "float64": 50e9}, {"L1": 200e9, "memory": 20e9}, ax=ax) is ax
    slopes, roofs, kernels = ax.lines[:2], ax.lines[2:4], ax.lines[4:]
    for line, rate in zip(slopes, (200, 20)):
        x, y = line.get_data()
        assert list(y / x) == pytest.approx([rate, rate]) and y[-1] == 100      # it ends at the highest roof
    assert [line.get_ydata()[0] for line in roofs] == [100, 50]
    assert [line.get_label() for line in kernels] == ["matmul", "relu"]
    assert np.array_equal(kernels[0].get_xydata(), [[10, 90], [40, 95]])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


@pytest.mark.parametrize(("argument", "value", "got"), [
    ("points", {}, "an empty dictionary"), ("points", {"a": []}, "nothing for 'a'"),
    ("points", {"b": [(1.0, 1.0)], "a": [(0.0, 1.0)]}, "0.0 for 'a'"),
    ("points", {"a": [(1.0, float("nan"))]}, "nan for 'a'"), ("peaks", {}, "an empty dictionary"),
    ("peaks", {"a": -1.0}, "-1.0 for 'a'"), ("peaks", {"a": float("inf")}, "inf for 'a'"),
    ("bandwidths", {"a": float("nan")}, "nan for 'a'")])
def test_roofline_refuses_what_has_no_logarithm(ax, argument, value, got):
    given = {"points": {"a": [(1.0, 1.0)]}, "peaks": {"a": 1.0}, "bandwidths": {"a": 1.0}, argument: value}
    with pytest.raises(ValueError, match=f"^roofline: `{argument}` must .* got {got}$"):
        plotting.roofline(**given, ax=ax)


def test_roofline_needs_no_slopes(ax):
    assert plotting.roofline({"a": [(1.0, 1.0)]}, {"a": 1.0}, {}, ax=ax) is ax


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
