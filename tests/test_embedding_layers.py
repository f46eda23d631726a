"""The Embedding layer: ids on their way into a program, wrong ones, in models, settings, and the mask of 0."""
import numpy as np
import pytest
from layer_checks import gradients
from test_embedding import IDS, Y, net

import fastnn
from fastnn import Input, Sequential, testing
from fastnn.layers import (
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Lambda,
    Layer,
    Rescaling,
    Reshape,
    TimeDistributed,
)
from fastnn.program import Ids


@pytest.mark.parametrize("shape", [(7,), (6, 5), (3, 2, 4)])
@pytest.mark.parametrize("trainable", [True, False])
def test_layer_of_any_rank_and_its_gradient(shape, trainable):
    layer = Embedding(11, 3, dtype="float64", trainable=trainable)
    ids = np.random.default_rng(0).integers(0, 8, shape)
    y = layer(ids)
    table = layer.get_weights()[0]
    assert np.array_equal(y, table[ids]) and y.shape == (*shape, 3)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *shape[1:], 3)
    for rows in (0, 1, 2):
        assert np.array_equal(layer(ids[:rows]), y[:rows])
    with testing.forced_threads(3):
        assert np.array_equal(layer(ids), y)
    if trainable:
        assert 0.02 < np.abs(table).max() <= 0.05          # "uniform" ends at 0.05

        class Behind(Layer):
            """The layer behind another, to which it gives no gradient."""

            def build(self, input_shape):
                layer.ensure_built(input_shape)

            @property
            def weights(self):
                return layer.weights

            def compute_output_shape(self, input_shape):
                return layer.compute_output_shape(input_shape)

            def lower(self, build, x, mask=None):
                build.add_gradient(x, x)
                return layer.lower(build, x)
        dy = np.random.default_rng(1).normal(0, 1, y.shape)
        _, _, (dtable,) = gradients(Behind(dtype="float64"), ids.astype("float64"), dy)
        exact = np.zeros_like(table)
        np.add.at(exact, ids, dy)
        np.testing.assert_allclose(dtable, exact, rtol=1e-12)


@pytest.mark.parametrize("given", ["uint8", "int8", "int16", "uint32", "int64", "uint64", "float16", "float32",
                                   "float64", "list", "bool", "order F"])
def test_ids_of_any_dtype(given):
    x = IDS % 2 if given == "bool" else IDS
    same = x.tolist() if given == "list" else np.asfortranarray(x) if given == "order F" else x.astype(given)
    model = net()
    expected = model.predict(x.astype("int32"), verbose=0)
    assert np.array_equal(model.predict(same, verbose=0), expected)
    assert np.array_equal(model(same), expected)
    assert np.array_equal(model.layers[0](same), model.layers[0].get_weights()[0][x])
    other = net()
    other.set_weights(model.get_weights())
    for m, array in ((model, x.astype("int32")), (other, same)):
        m.fit(array, Y, epochs=2, batch_size=6, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))


def test_ids_beyond_what_float32_holds_stay_whole():
    layer = Embedding(2 ** 24 + 4, 1, embeddings_initializer="zeros")
    layer.build()
    layer.embeddings.value[-3:, 0] = 1, 2, 3
    model = Sequential([Input((3,)), layer, Flatten()])
    last = 2 ** 24 + np.array([[1, 2, 3]])
    assert model.predict(last, verbose=0).tolist() == [[1, 2, 3]]
    assert model.predict(last.astype("float64"), verbose=0).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(("wrong", "text"), [
    (9, "from 0 to 8, got 9 at row 7, step 3 of `{}`; make `input_dim` of the layer larger than every id: 10 or more"),
    (-1, "layer 'words' looks up ids from 0 to 8, got -1 at row 7, step 3 of `{}`; what stands for no id"),
    (1.5, "got 1.5 at row 7, step 3 of `{}`; ids are whole numbers"),
    (np.nan, "got nan at row 7, step 3 of `{}`; ids are whole numbers"),
    (2 ** 40, "got 1099511627776 at row 7, step 3 of `{}`"),
])
def test_a_wrong_id_is_named_before_anything_changes(wrong, text):
    x = IDS.astype(type(wrong))
    x[7, 3] = wrong
    x[9, 0] = wrong                                        # the first is named
    model = net("adam", name="words")
    model.fit(IDS, Y, verbose=0)
    before = model.get_weights()

    def batches():
        yield IDS, Y
        yield x, Y
    calls = {
        "x": [lambda: model.fit(x, Y, verbose=0), lambda: model.evaluate(x, Y, verbose=0),
              lambda: model.predict(x, verbose=0), lambda: model.predict(x, verbose=0, batch_size=3),
              lambda: model.predict(x, batch_size=3, callbacks=[], verbose=0), lambda: model(x),
              lambda: model(x, training=True), lambda: model.train_on_batch(x, Y), lambda: model.test_on_batch(x, Y),
              lambda: model.predict_on_batch(x), lambda: model.layers[0](x),
              lambda: model.evaluate(batches(), verbose=0), lambda: model.predict((b for b in batches()), verbose=0)],
        "validation_data[0]": [lambda: model.fit(IDS, Y, validation_data=(x, Y), verbose=0)]}
    for name, several in calls.items():
        for call in several:
            with pytest.raises(ValueError) as caught:
                call()
            assert text.format(name) in str(caught.value)
    with pytest.raises(ValueError, match="batch 1 of `x`: "):
        model.predict(batches(), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    with pytest.raises(ValueError, match="batch 1 of `x`: "):
        model.fit(batches(), verbose=0)
    assert np.array_equal(model.predict(IDS, verbose=0), model(IDS))          # and all goes on


def test_an_id_that_becomes_wrong_during_a_run():
    x = IDS.astype("int64")
    model = net(name="words")
    spoil = fastnn.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: x.__setitem__((13, 2), 77))
    with pytest.raises(ValueError, match=r"layer 'words' .* got 77 at row 13, step 2 of `x`"):
        model.fit(x, Y, shuffle=False, batch_size=4, callbacks=[spoil], verbose=0)


@pytest.mark.parametrize("before", [Reshape((5, 1)), Rescaling(1.0), Lambda(lambda x: x),
                                    Dense(5, use_bias=False, name="first")])
def test_behind_another_layer(before):
    """Numbers that another layer has computed are looked up where they are whole, and named where they are not."""
    model = Sequential([Input((5,)), before, Embedding(9, 2, name="words"), Flatten(), Dense(2)])
    if isinstance(before, Dense):
        before.set_weights([np.eye(5)])
    model.compile("sgd", "mse")
    table = model.layers[1].get_weights()[0].copy()
    assert np.array_equal(model.layers[1](IDS).reshape(20, -1), table[IDS].reshape(20, -1))
    history = model.fit(IDS, Y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0] and not np.array_equal(model.layers[1].get_weights()[0], table)
    x = IDS.astype("float32")
    x[17, 4] = 9
    kept = model.get_weights()
    for call in (lambda: model.predict(x, verbose=0), lambda: model.predict(x, verbose=0, batch_size=4),
                 lambda: model.fit(x, Y, batch_size=20, verbose=0), lambda: model(x)):
        where = r"step 4" if len(before.output_shape) == 2 else r"position \(4, 0\)"
        with pytest.raises(ValueError, match=rf"layer 'words' .* got 9 at row 17, {where} of its input"):
            call()
    assert all(np.array_equal(a, b) for a, b in zip(kept, model.get_weights()))


def test_in_nested_models_and_at_every_step():
    words = Sequential([Input((4,), dtype="int32"), Embedding(2 ** 24 + 3, 1, name="words"), Flatten()])
    words.layers[0].embeddings.value[-2:] = [[3], [4]]
    outer = Sequential([Input((4,), dtype="int32"), Sequential([words]), Dense(1)])
    assert outer.reads_ids() == Ids(2 ** 24 + 3, "words")
    ids = np.full((2, 4), 2 ** 24 + 1)
    assert outer.layers[0].predict(ids, verbose=0).tolist() == [[3.0] * 4] * 2
    steps = Sequential([Input((3, 4), dtype="int32"), TimeDistributed(words)])
    many = np.array([ids, ids + 1, ids]).swapaxes(0, 1)
    assert steps.predict(many, verbose=0)[1].tolist() == [[3.0] * 4, [4.0] * 4, [3.0] * 4]
    many[1, 2, 3] += 9
    with pytest.raises(ValueError, match=r"layer 'words' .* at row 1, position \(2, 3\) of `x`"):
        steps.predict(many, verbose=0)


def test_trained_at_every_step():
    """The rows that are cleared after a step are those of all steps."""
    x = np.random.default_rng(0).integers(0, 9, (12, 3, 5))
    weights = trained = None
    for make in (lambda: [TimeDistributed(Embedding(9, 4))], lambda: [Embedding(9, 4)],
                 lambda: [TimeDistributed(Sequential([Rescaling(1.0), Embedding(9, 4, name="inner")]))]):
        model = Sequential([Input((3, 5)), *make(), Flatten(), Dense(2)])
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile("adam", "mse")
        model.fit(x, Y[:12], batch_size=5, epochs=3, shuffle=False, verbose=0)
        trained = trained or model.get_weights()
        assert all(np.allclose(a, b, rtol=1e-6) for a, b in zip(trained, model.get_weights()))
    x[7, 2, 1] = 9
    with pytest.raises(ValueError, match=r"layer 'inner' .* got 9 at row 7, position \(2, 1\) of its input"):
        model.predict(x, verbose=0)


def test_settings():
    table = np.arange(6.0).reshape(3, 2)
    for weights in (table, [table], table.tolist()):
        layer = Embedding(3, 2, weights=weights)
        assert layer.get_weights()[0].tolist() == table.tolist() and layer.built
        assert layer(np.array([[2, 0]])).tolist() == [[[4, 5], [0, 1]]]
    with pytest.warns(UserWarning, match="`input_length` is ignored"):
        layer = Embedding(9, 4, input_length=5, mask_zero=True, embeddings_initializer="zeros", name="words")
    again = Embedding.from_config(layer.get_config())
    assert again.get_config() == layer.get_config() and again.mask_zero
    assert set(layer.get_config()) >= {"input_dim", "output_dim", "embeddings_initializer", "mask_zero"}
    assert not layer(IDS).any() and layer.count_params() == 36 and layer.weights[0].path == "words/embeddings"
    with pytest.warns(UserWarning, match="`input_shape`"):
        model = Sequential([Embedding(9, 4, input_shape=(5,)), Flatten()])
    assert model.output_shape == (None, 20)
    late = Sequential([Embedding(9, 4), GlobalAveragePooling1D(), Dense(2)])
    late.compile("sgd", "mse")
    late.fit(IDS, Y, verbose=0)
    assert late.input_shape == (None, 5)


def test_saved_and_loaded(tmp_path):
    model = net("adam", mask_zero=True)
    model.fit(IDS, Y, verbose=0)
    model.save(tmp_path / "words.fastnn")
    loaded = fastnn.models.load_model(tmp_path / "words.fastnn")
    assert np.array_equal(loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0))
    assert loaded.layers[0].mask_zero and loaded.inputs[0].dtype == "int32"


def test_the_mask_reaches_the_loss():
    x, y = IDS.copy(), np.random.default_rng(2).normal(0, 1, (20, 5, 2)).astype("float32")
    x[:, 3:] = 0

    def trained(y):
        fastnn.utils.set_random_seed(0)
        model = Sequential([Input((5,), dtype="int32"), Embedding(9, 4, mask_zero=True), Dense(2)])
        model.compile("sgd", "mse", metrics=["mae"])
        return model.fit(x, y, epochs=2, verbose=0).history, model.get_weights(), model.evaluate(x, y, verbose=0)
    other = y.copy()
    other[x == 0] = 1e6
    (history, weights, values), (history2, weights2, values2) = trained(y), trained(other)
    assert history == history2 and values == values2
    assert all(np.array_equal(a, b) for a, b in zip(weights, weights2))
