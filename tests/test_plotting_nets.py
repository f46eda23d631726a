"""Networks of units and edges, read back from matplotlib's objects."""
import pytest

import fastnn
from fastnn import plotting

pytest.importorskip("matplotlib")


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
