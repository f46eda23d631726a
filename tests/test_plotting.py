"""What stands on the pictures, read back from matplotlib's objects."""
import numpy as np
import pytest

import fastnn
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
    model = one_dense("sigmoid", [[1], [2]], [0])
    model.compile("sgd", "bce")
    model.fit(POINTS, [0, 1, 0, 1], epochs=2, verbose=0)
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


def small_net():
    layers = fastnn.layers
    return fastnn.Sequential([fastnn.Input((3,)), layers.Dense(20, activation="relu", name="hidden"),
                              layers.Dropout(0.5, name="dropped"), layers.Dense(2, name="out")], name="net")


def test_network_draws_units_edges_and_counts(ax):
    assert plotting.network(small_net(), ax=ax, max_units=4) is ax
    edges, nodes = ax.collections[:3], ax.collections[3:]
    assert [len(column.get_offsets()) for column in nodes] == [3, 4, 4, 2]
    assert [len(lines.get_segments()) for lines in edges] == [3 * 4, 4, 4 * 2]        # dropout: each to its like
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("⋮") == 2
    for text in ("input", "3 units", "hidden", "Dense\n20 units\n80 parameters", "dropped",
                 "Dropout\n20 units\n0 parameters", "out", "Dense\n2 units\n42 parameters"):
        assert text in texts
    assert ax.get_title() == "net: 122 parameters"


def test_network_edges_join_the_units(ax):
    plotting.network(small_net(), ax=ax, max_units=4)
    starts = {tuple(segment[0]) for segment in ax.collections[0].get_segments()}
    ends = {tuple(segment[1]) for segment in ax.collections[0].get_segments()}
    assert starts == {tuple(place) for place in ax.collections[3].get_offsets().tolist()}
    assert ends == {tuple(place) for place in ax.collections[4].get_offsets().tolist()}


def test_network_draws_the_layers_of_models_inside(ax):
    outer = fastnn.Sequential([fastnn.Input((3,)), small_net(), fastnn.layers.Dense(1, name="last")])
    plotting.network(outer, ax=ax, details=("shape", "activation", "trainable"))
    texts = [text.get_text() for text in ax.texts]
    assert "Dense\n20 units\n80 parameters\n(None, 20)\nrelu\ntrainable: True" in texts and "last" in texts


def test_network_refuses_what_is_not_built(ax):
    with pytest.raises(ValueError, match="is not built"):
        plotting.network(fastnn.Sequential([fastnn.layers.Dense(3)]), ax=ax)


def test_network_of_what_is_no_model(ax):
    with pytest.raises(TypeError, match=r"`model` must be a model of layers.* got Perceptron"):
        plotting.network(fastnn.Perceptron(2), ax=ax)


def test_network_counts_one_in_the_singular(ax):
    layers = [fastnn.Input((1,)), fastnn.layers.Dense(1, use_bias=False)]
    plotting.network(fastnn.Sequential(layers, name="net"), ax=ax)
    texts = [text.get_text() for text in ax.texts]
    assert "1 unit" in texts and "Dense\n1 unit\n1 parameter" in texts and ax.get_title() == "net: 1 parameter"


@pytest.mark.parametrize("depth", [1, 3])
def test_network_keeps_texts_apart(ax, depth):
    """At the default size of a figure, neighbours overlap nowhere; a short net has its texts in full size."""
    layers = [layer for i in range(depth) for layer in (
        fastnn.layers.Dense(20, activation="relu"), fastnn.layers.BatchNormalization(name=f"batch_normalization_{i}"))]
    plotting.network(fastnn.Sequential([fastnn.Input((3,)), *layers]), ax=ax)
    renderer = ax.figure.canvas.get_renderer() if hasattr(ax.figure.canvas, "get_renderer") else None
    boxes = [text.get_window_extent(renderer) for text in ax.texts if text.get_text() != "⋮"]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert "".join(text.get_text() for text in ax.texts).replace("\n", "").count("batch_normalization_0") == 1
    if depth == 1:
        assert {text.get_fontsize() for text in ax.texts} == {10, 8}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_model_writes_a_file(tmp_path, suffix):
    path = tmp_path / f"net.{suffix}"
    fastnn.utils.plot_model(small_net(), path, show_shapes=True, dpi=50)
    written = path.read_bytes()
    assert written.startswith(b"\x89PNG" if suffix == "png" else b"<?xml") and len(written) > 1000


def test_plot_model_of_what_is_not_built_writes_nothing(tmp_path):
    with pytest.raises(ValueError, match="is not built"):
        fastnn.utils.plot_model(fastnn.Sequential([fastnn.layers.Dense(3)]), tmp_path / "net.png")
    assert list(tmp_path.iterdir()) == []


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


def convolutional_net():
    layers = fastnn.layers
    return fastnn.Sequential([
        fastnn.Input((7, 6, 2)), layers.Conv2D(5, (3, 2), activation="relu", name="first"),
        layers.MaxPooling2D(name="pooled"), layers.Conv2D(3, 1, name="second"), layers.Flatten(name="flat"),
        layers.Dense(2, name="out")], name="net")


def drawn_pictures(ax, n, height, width):
    """The pictures of a grid, (n, height, width), and how many are in a row; the gaps between them are empty."""
    grid = np.ma.filled(ax.images[0].get_array(), np.nan)
    columns = (grid.shape[1] + 1) // (width + 1)
    found, gaps = [], np.ones(grid.shape, bool)
    for i in range(n):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        found.append(grid[top:top + height, left:left + width])
        gaps[top:top + height, left:left + width] = False
    assert np.isnan(grid[gaps]).all()
    return np.array(found), columns


@pytest.mark.parametrize("layer", ["first", 0, "pooled", -4, "second", 2])
def test_feature_maps_are_the_outputs_of_the_layer(ax, layer):
    net, x = convolutional_net(), np.random.default_rng(0).normal(size=(7, 6, 2)).astype("float32")
    assert plotting.feature_maps(net, x, layer, ax) is ax
    place = {"first": 0, "pooled": 1, "second": 2, -4: 1}.get(layer, layer)
    expected = x[None]
    for one in net.layers[:place + 1]:
        expected = np.asarray(one(expected))
    pictures, columns = drawn_pictures(ax, *expected[0].transpose(2, 0, 1).shape)
    np.testing.assert_array_equal(pictures, expected[0].transpose(2, 0, 1))
    assert columns in (2, 3) and ax.images[0].get_clim() == (expected.min(), expected.max())
    assert ax.get_title().startswith(f"{net.layers[place].name}: ")


def test_feature_maps_with_channels_first(ax):
    """Layers that do not say where channels stand have them where the layer before has."""
    L = fastnn.layers
    net = fastnn.Sequential([
        fastnn.Input((2, 7, 6)), L.Conv2D(5, 2, data_format="channels_first"), L.BatchNormalization(1),
        L.Activation("relu"), L.Permute((2, 3, 1)), L.Dropout(0.5)])
    x = np.random.default_rng(0).normal(size=(2, 7, 6)).astype("float32")
    expected = x[None]
    for place, layer in enumerate(net.layers):
        expected = np.asarray(layer(expected))
        plotting.feature_maps(net, x, place, ax)
        pictures = expected[0] if place < 3 else np.moveaxis(expected[0], -1, 0)
        np.testing.assert_array_equal(drawn_pictures(ax, 5, 6, 5)[0], pictures)
        ax.images[0].remove()


def test_feature_maps_take_the_layer_itself_and_an_image_of_any_form(ax):
    layers = fastnn.layers
    inner = fastnn.Sequential([fastnn.Input((5, 5, 1)), layers.Conv2D(2, 2, name="within")])
    net = fastnn.Sequential([fastnn.Input((5, 5, 1)), inner, layers.Flatten(), layers.Dense(1)])
    x = np.arange(25.0).reshape(5, 5)
    plotting.feature_maps(net, x, inner.layers[0], ax)
    plotting.feature_maps(net, x[None, ..., None].tolist(), "within", ax)
    np.testing.assert_array_equal(*(np.ma.filled(image.get_array(), np.nan) for image in ax.images))


@pytest.mark.parametrize(("x", "layer", "words"), [
    (np.ones((7, 6, 2)), "frist", r"`layer` must be one of 'net', by its name \(first, pooled, second, flat, out\), "),
    (np.ones((7, 6, 2)), 5, r"its place \(0 to 4\) or itself, got 5"),
    (np.ones((7, 6, 2)), True, "or itself, got True"),
    (np.ones((7, 6, 2)), fastnn.layers.Flatten(), "or itself, got <Flatten"),
    (np.ones((7, 6, 2)), "flat", r"shape \(rows, height, width, channels\), got 'flat', a Flatten with \(None, 12\)"),
    (np.ones((6, 7, 2)), 0, r"`x` must be one image of shape \(7, 6, 2\), got shape \(6, 7, 2\)$"),
    (np.ones((4, 7, 6, 2)), 0, r"got shape \(4, 7, 6, 2\); take one of its rows, x\[0\]"),
])
def test_feature_maps_refuse(ax, x, layer, words):
    with pytest.raises(ValueError, match=f"^feature_maps: .*{words}"):
        plotting.feature_maps(convolutional_net(), x, layer, ax)
    assert not ax.images


def test_feature_maps_of_what_is_no_model_or_not_built(ax):
    with pytest.raises(TypeError, match=r"feature_maps: `model` must be a model of layers, .* got Dense"):
        plotting.feature_maps(fastnn.layers.Dense(1), np.ones((5, 5)), 0, ax)
    with pytest.raises(ValueError, match="is not built"):
        plotting.feature_maps(fastnn.Sequential([fastnn.layers.Conv2D(1, 2)]), np.ones((5, 5)), 0, ax)


@pytest.mark.parametrize(("channel", "drawn"), [(0, 0), (1, 1), (-1, 1), (np.int64(1), 1)])
def test_filters_are_those_over_a_channel(ax, channel, drawn):
    layer = convolutional_net().layers[0]
    assert plotting.filters(layer, channel, ax) is ax
    kernel = layer.kernel.numpy()[:, :, drawn].transpose(2, 0, 1)
    pictures, _ = drawn_pictures(ax, 5, 3, 2)
    np.testing.assert_array_equal(pictures, kernel)
    most = float(np.abs(kernel).max())
    assert ax.images[0].get_clim() == (-most, most) and ax.get_title().startswith("first: -")


def test_filters_of_transposed_convolutions(ax):
    """Their kernels keep the filters before the channels."""
    layers = fastnn.layers
    images, steps = layers.Conv2DTranspose(3, 2), layers.Conv1DTranspose(3, 2)
    images(np.zeros((1, 5, 5, 4), "float32"))
    steps(np.zeros((1, 5, 4), "float32"))
    plotting.filters(images, 3, ax)
    np.testing.assert_array_equal(drawn_pictures(ax, 3, 2, 2)[0], images.kernel.numpy()[..., 3].transpose(2, 0, 1))
    ax.images[0].remove()
    plotting.filters(steps, ax=ax)
    np.testing.assert_array_equal(drawn_pictures(ax, 3, 2, 4)[0], steps.kernel.numpy().transpose(1, 0, 2))


def test_filters_of_other_convolutions(ax):
    layers = fastnn.layers
    for layer, shape in ((layers.DepthwiseConv2D(2, depth_multiplier=3), (5, 5, 4)),
                         (layers.SeparableConv2D(2, 2, depth_multiplier=3), (5, 5, 4)),
                         (layers.Conv1D(3, 2), (5, 4))):
        layer(np.zeros((1, *shape), "float32"))
        plotting.filters(layer, ax=ax)
        weights = layer.get_weights()[0]
        expected = np.moveaxis(weights if weights.ndim == 3 else weights[:, :, 0], -1, 0)
        np.testing.assert_array_equal(drawn_pictures(ax, *expected.shape)[0], expected)
        ax.images[0].remove()


@pytest.mark.parametrize(("layer", "channel", "words"), [
    (lambda: convolutional_net().layers[0], 2, "`channel` must be one of the 2 channels .* of 'first' .* got 2"),
    (lambda: convolutional_net().layers[0], -3, "`channel` must be .* got -3"),
    (lambda: convolutional_net().layers[0], True, "`channel` must be .* got True"),
    (lambda: convolutional_net().layers[0], 0.0, r"`channel` must be .* got 0\.0"),
    (lambda: convolutional_net().layers[4], 0, "`layer` must be a convolution, .* got Dense 'out'$"),
    (lambda: convolutional_net().layers[1], 0, "`layer` must be a convolution, .* got MaxPooling2D 'pooled'$"),
    (lambda: fastnn.layers.Conv2D(2, 3, name="new"), 0, ".* got Conv2D 'new' that is not built: give it an input"),
    (lambda: convolutional_net(), 0, "`layer` must be a convolution, .* got Sequential 'net'$"),
    (lambda: fastnn.layers.Dense(3, name="new"), 0, "`layer` must be a convolution, .* got Dense 'new'$"),
])
def test_filters_refuse(ax, layer, channel, words):
    with pytest.raises(ValueError, match=f"^filters: {words}"):
        plotting.filters(layer(), channel, ax)
    assert not ax.images


def test_axes_that_are_none():
    with pytest.raises(TypeError, match="`ax` must be a matplotlib Axes, or None for a new figure, got int: 3"):
        plotting.filters(convolutional_net().layers[0], ax=3)


def test_feature_maps_of_steps(ax):
    net = fastnn.Sequential([fastnn.Input((6, 2)), fastnn.layers.Conv1D(3, 2, name="steps")])
    with pytest.raises(ValueError, match=r"got 'steps', a Conv1D with \(None, 5, 3\); name one over images"):
        plotting.feature_maps(net, np.ones((6, 2)), 0, ax)


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
