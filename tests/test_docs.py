"""The pages of docs/ are true: the code of your-own.md, pictures.md and recurrent.md prints what its comments say."""
import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

import fastnn

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the blocks of docs/your-own.md leave behind, with their output."""
    monkeypatch.chdir(tmp_path)
    return run("your-own.md")


def run(page):
    """What the blocks of a page leave behind, run one after another, with their output."""
    fastnn.backend.clear_session()
    fastnn.utils.set_random_seed(0)
    names = {}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for code in re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(), re.S | re.M):
            exec(code, names)
    return {**names, "printed": out.getvalue().splitlines()}


def said(page):
    """What the comments behind the prints of a page say."""
    return re.findall(r"^print\(.*\)  +# (.*)$", (DOCS / page).read_text(), re.M)


def test_the_page_of_pictures(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    names = run("pictures.md")
    assert names["printed"] == said("pictures.md") and len(said("pictures.md")) == 7
    assert names["ax"].images and (tmp_path / "confusion.png").stat().st_size > 1000
    assert names["history"].history["loss"][-1] < names["history"].history["loss"][0] / 2
    assert names["model"].predict(np.zeros((2, 64, 64, 3), np.uint8), verbose=0).shape == (2, 1)
    pyplot.close("all")


def test_the_page_of_recurrent_nets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("recurrent.md")["printed"] == said("recurrent.md") and len(said("recurrent.md")) == 6


def numeric(f, a):
    """The gradient of f, a sum, by every element of a, by central differences."""
    slope = np.zeros_like(a)
    for i in np.ndindex(a.shape):
        step = np.zeros_like(a)
        step[i] = 1e-6
        slope[i] = (f(a + step) - f(a - step)) / 2e-6
    return slope


def test_the_page_prints_what_its_comments_say(names):
    assert len(said("your-own.md")) == 2 and names["printed"] == said("your-own.md")


def test_the_gradients_of_the_page_are_right(names):
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.normal(size=(2, 4, 3))
    for loss in (names["fourth_power"], names["Power"](3.0).call):
        expected = numeric(lambda p, loss=loss: loss(y_true, p)[0].sum(), y_pred)
        np.testing.assert_allclose(loss(y_true, y_pred)[1], expected, rtol=1e-6, atol=1e-8)
    penalty = names["Quartic"](0.1)
    np.testing.assert_allclose(penalty.gradient(y_pred), numeric(penalty, y_pred), rtol=1e-6, atol=1e-8)
    layer = names["Scale"](dtype="float64")
    layer(y_pred)
    layer.factor.assign([2.0, -1.0, 0.5])
    dx, dfactor = layer.call_gradient(y_true, y_pred, None)
    np.testing.assert_allclose(dx, numeric(lambda x: (y_true * layer.call(x)).sum(), y_pred), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(dfactor, (y_true * y_pred).sum(0), rtol=1e-12)


def test_the_gradients_of_the_cell_are_right(names):
    rng = np.random.default_rng(1)
    inputs, h, dy, dh = rng.normal(size=(4, 3)), *rng.normal(size=(3, 4, 5))
    cell = names["MinimalRNNCell"](5, dtype="float64")
    cell.build((None, 3))

    def total(inputs, h, *weights):
        cell.set_weights(weights)
        output, (state,) = cell.call(inputs, [h])
        return (dy * output + dh * state).sum()

    arguments = [inputs, h, *cell.get_weights()]
    dx, (dbefore,), *dweights = cell.call_gradient(dy, [dh], inputs, [h])
    for i, found in enumerate([dx, dbefore, *dweights]):
        expected = numeric(lambda a, i=i: total(*arguments[:i], a, *arguments[i + 1:]), arguments[i])
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_the_parts_of_the_page_are_used(names):
    x = names["x"]
    scaled = names["again"]
    assert type(scaled.layers[0]) is names["Scale"]
    factor, kernel, bias = scaled.get_weights()
    assert (factor != 1).all()                                               # it was trained, and saved so
    np.testing.assert_allclose(scaled.predict(x, verbose=0), x * factor @ kernel + bias, rtol=1e-4, atol=1e-5)
    assert np.abs(names["dense"].kernel.numpy()).max() <= 1


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if not link.startswith("http")]
        assert [link for link in links if not (DOCS / link).exists()] == [], page
