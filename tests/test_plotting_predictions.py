"""Decision boundaries and confusion matrices, read back from matplotlib's objects."""
import numpy as np
import pytest

import fastnn
from fastnn import plotting

pytest.importorskip("matplotlib")

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)


def drawn_regions(ax):
    """(x, y, class) of every place of the plane."""
    mesh = ax.collections[0]
    corners = mesh.get_coordinates()
    middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    return middles[..., 0], middles[..., 1], np.asarray(mesh.get_array()).reshape(middles.shape[:2])


class Line:
    """The class of a point is whether x[0] + 2 x[1] > 1."""

    def predict(self, x):
        return (x @ [1, 2] > 1).astype(int)


class Neuron:
    """The same with ``forward`` and a column of floats, as the classics have it."""

    def forward(self, x):
        return (x @ [[1], [2]] > 1).astype("float32")


def one_dense(activation, weights, bias):
    model = fastnn.Sequential([fastnn.Input((2,)), fastnn.layers.Dense(len(bias), activation=activation)])
    model.set_weights([np.array(weights), np.array(bias)])
    return model


MODELS = {
    "predict": Line(),
    "forward": Neuron(),
    "function": lambda x: x @ [1, 2] > 1,
    "probability": one_dense("sigmoid", [[1], [2]], [-1]),
    "logit": one_dense(None, [[3], [6]], [-3]),
    "softmax": one_dense("softmax", [[0, 1], [0, 2]], [0, -1]),
    "words": lambda x: np.where(x @ [1, 2] > 1, "b", "a"),
}


@pytest.mark.parametrize("kind", MODELS)
def test_decision_boundary_lies_where_the_class_changes(ax, kind, capsys):
    y = np.array([0, 1, 0, 1])
    y = np.array(["a", "b"])[y] if kind == "words" else y
    assert plotting.decision_boundary(MODELS[kind], POINTS, y, ax=ax, resolution=41) is ax
    a, b, region = drawn_regions(ax)
    clear = np.abs(a + 2 * b - 1) > 1e-5
    assert (region == (a + 2 * b > 1))[clear].all() and len(np.unique(region)) == 2
    assert a.min() < 0 and a.max() > 1 and b.min() < 0 and b.max() > 1
    assert [sorted(points.get_offsets().tolist()) for points in ax.collections[1:]] == [[[0, 0], [1, 0]],
                                                                                       [[0, 1], [1, 1]]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [str(c) for c in np.unique(y)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("y", [[[0], [1], [0], [1]], np.eye(2)[[0, 1, 0, 1]], [0.0, 1.0, 0.0, 1.0]])
def test_decision_boundary_takes_labels_of_any_form(ax, y):
    plotting.decision_boundary(Line(), POINTS, y, ax=ax, resolution=5)
    assert ax.collections[2].get_offsets().tolist() == [[0, 1], [1, 1]]


def test_decision_boundary_without_labels_draws_the_regions(ax):
    plotting.decision_boundary(Line(), POINTS, ax=ax, resolution=5)
    assert len(ax.collections) == 1 and ax.get_legend() is None


@pytest.mark.parametrize(("x", "y", "words"), [
    (np.zeros((4, 3)), None, r"`x`: expected points with two features, of shape \(n, 2\), got shape \(4, 3\)"),
    (np.zeros((0, 2)), None, r"`x`: expected points with two features"),
    (POINTS, [0, 1], "`y`: expected a class for each of the 4 points, got 2"),
])
def test_decision_boundary_refuses(ax, x, y, words):
    with pytest.raises(ValueError, match=words):
        plotting.decision_boundary(Line(), x, y, ax=ax)


@pytest.mark.parametrize(("arguments", "error", "words"), [
    ((POINTS, Line()), TypeError, r"`model` must be a model.* got ndarray; the order is decision_boundary\("),
    ((Line(), Line()), TypeError, "`x` must be an array of numbers, got Line"),
    ((fastnn.ThresholdNeuron([1, 1], 2), POINTS), ValueError, "a ThresholdNeuron takes 0 and 1 alone"),
])
def test_decision_boundary_of_what_does_not_predict(ax, arguments, error, words):
    with pytest.raises(error, match=words):
        plotting.decision_boundary(*arguments, ax=ax)


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


@pytest.mark.parametrize("y_true", [[0, 1, 1], [[0], [1], [1]], [[False], [True], [True]]])
@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_confusion_matrix_takes_what_predict_gives(ax, y_true, names):
    predicted = np.array([[0.1], [0.9], [0.2]])
    plotting.confusion_matrix(y_true, predicted > 0.5, names, ax=ax)
    assert drawn_counts(ax, 2) == [[1, 0], [1, 1]]
    assert [label.get_text() for label in ax.get_xticklabels()] == (names or ["0", "1"])


@pytest.mark.parametrize(("y_true", "y_pred", "names", "words"), [
    ([0, 1], [0], None, r"`y_true`, `y_pred`: expected two vectors of one length, got shapes \(2,\) and \(1,\)"),
    ([0, 1], np.eye(2), None, r"expected two vectors of one length, got shapes \(2,\) and \(2, 2\); .* argmax"),
    ([], [], None, "`y_true`, `y_pred`: expected at least one row, got none"),
    ([0, 2], [0, 1], ["a", "b"], "`labels`: `y_true` and `y_pred` hold classes that the 2 labels do not cover"),
    ([0, -1], [0, 1], ["a", "b"], "`labels`: `y_true` and `y_pred` hold classes that the 2 labels do not cover"),
])
def test_confusion_matrix_refuses(ax, y_true, y_pred, names, words):
    with pytest.raises(ValueError, match=words):
        plotting.confusion_matrix(y_true, y_pred, names, ax=ax)
