"""Inputs with axes of any size: models of them are those of fixed sizes with the same weights, size by size."""
import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, layers
from fastnn.program.recent import KEPT

RNG = np.random.default_rng(7)

RECURRENT = [
    lambda: [layers.Embedding(9, 4, mask_zero=True), layers.LSTM(5, return_sequences=True), layers.GRU(3),
             layers.Dense(2, activation="softmax")],
    lambda: [layers.Embedding(9, 4), layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True)),
             layers.TimeDistributed(layers.Dense(4, activation="relu")), layers.LayerNormalization(),
             layers.Dropout(0.3), layers.GlobalMaxPooling1D(), layers.Dense(2, activation="softmax")],
]
STEPS = [
    lambda: [layers.Conv1D(4, 3, padding="causal", strides=2), layers.BatchNormalization(), layers.MaxPooling1D(2),
             layers.UpSampling1D(2), layers.GlobalAveragePooling1D()],
    lambda: [layers.ZeroPadding1D(2), layers.SeparableConv1D(3, 2), layers.Cropping1D(1), layers.AveragePooling1D(2),
             layers.SpatialDropout1D(0.2), layers.GRU(2, go_backwards=True)],
    lambda: [layers.Reshape((-1, 1)), layers.LSTM(4), layers.RepeatVector(3), layers.Flatten(), layers.Dense(1)],
    lambda: [layers.Masking(), layers.Lambda(lambda x: x[:, ::2] * 2.0, gradient=lambda dy, x, y: x * 0),
             layers.TimeDistributed(Sequential([layers.Dense(3), layers.Activation("relu")])), layers.LSTM(2)],
    lambda: [layers.Permute((2, 1)), layers.GlobalMaxPooling1D(data_format="channels_first")],
]
IMAGES = [
    lambda: [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2DTranspose(3, 2, strides=2),
             layers.GroupNormalization(3), layers.ZeroPadding2D(), layers.Cropping2D(1), layers.UpSampling2D(),
             layers.DepthwiseConv2D(3, padding="same"), layers.PReLU(shared_axes=[1, 2]),
             layers.GlobalAveragePooling2D(), layers.Dense(2)],
]
CASES = ([(make, (None,), [(7,), (12,)], True) for make in RECURRENT]
         + [(make, (None, 3), [(8, 3), (14, 3)], False) for make in STEPS]
         + [(make, (None, None, 3), [(9, 12, 3), (16, 8, 3)], False) for make in IMAGES])


def data(row, ids, rows=6):
    return RNG.integers(0, 9, (rows, *row)) if ids else RNG.normal(size=(rows, *row)).astype("float32")


def compiled(model, ids=False):
    model.compile(fastnn.optimizers.SGD(0.1), "sparse_categorical_crossentropy" if ids else "mse",
                  metrics=["accuracy" if ids else "mae"])
    return model


@pytest.mark.parametrize(("make", "shape", "rows", "ids"), CASES)
def test_a_model_of_any_size_is_that_of_each_size(make, shape, rows, ids):
    dtype = "int64" if ids else None
    fastnn.utils.set_random_seed(1)
    model = compiled(Sequential([Input(shape, dtype=dtype), *make()]), ids)
    assert model.input_shape == (None, *shape)
    for row in rows:
        fastnn.utils.set_random_seed(1)
        other = compiled(Sequential([Input(row, dtype=dtype), *make()]), ids)
        other.set_weights(model.get_weights())
        x = data(row, ids)
        expected = other.predict(x)
        np.testing.assert_array_equal(model.predict(x), expected)
        np.testing.assert_array_equal(model(x), expected)
        if any(isinstance(layer, layers.Dropout | layers.SpatialDropout1D) for layer in model.layers):
            continue
        y = RNG.integers(0, 2, len(x)) if ids else RNG.normal(size=expected.shape)
        for call in ("train_on_batch", "test_on_batch"):
            assert getattr(model, call)(x, y) == getattr(other, call)(x, y)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("shape", "chain", "expected"), [
    ((None, 3), [layers.Flatten()], (None, None)),
    ((None, 3), [layers.Reshape((-1, 1))], (None, None, 1)),
    ((None, 3), [layers.Reshape((2, 3))], (None, 2, 3)),
    ((None,), [layers.Reshape((-1, 3))], (None, None, 3)),
    ((None, None, 3), [layers.Conv2D(4, 3), layers.MaxPooling2D(), layers.UpSampling2D()], (None, None, None, 4)),
    ((None, 3), [layers.Permute((2, 1))], (None, 3, None)),
    ((None, 3), [layers.Lambda(lambda x: x[:, ::2])], (None, None, 3)),
    ((None, 3), [layers.Lambda(lambda x: x.mean(1))], (None, 3)),
    ((None,), [layers.Embedding(5, 2), layers.Bidirectional(layers.LSTM(3, return_sequences=True))], (None, None, 6)),
])
def test_shapes_are_those_of_keras(shape, chain, expected):
    assert Sequential([Input(shape), *chain]).output_shape == expected


def test_input_shape_and_build_and_a_batch_of_fixed_rows():
    with pytest.warns(UserWarning, match="preferred"):
        first = Sequential([layers.LSTM(2, input_shape=(None, 3))])
    second = Sequential([layers.Conv2D(2, 3), layers.GlobalMaxPooling2D()])
    second.build((None, None, None, 3))
    third = Sequential([Input(batch_shape=(2, None, 3)), layers.GRU(4, stateful=True, return_sequences=True)])
    assert first.predict(data((5, 3), False)).shape == (6, 2)
    assert second.predict(data((5, 7, 3), False)).shape == (6, 2)
    x = data((9, 3), False, 2)
    whole = third.predict(x)
    third.layers[0].reset_state()
    parts = [third.predict(x[:, :4]), third.predict(x[:, 4:])]        # the states go on from one length to another
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-5, atol=1e-6)


def test_targets_for_each_step_have_the_length_of_the_data():
    model = compiled(Sequential([Input((None,)), layers.Embedding(9, 4), layers.LSTM(5, return_sequences=True),
                                 layers.Dense(9, activation="softmax")]), True)
    for steps in (4, 11):
        x = data((steps,), True)
        model.fit(x, x, epochs=2, verbose=0, sample_weight=np.ones((6, steps)), validation_data=(x, x))
        assert model.predict(x).shape == (6, steps, 9)
        with pytest.raises(ValueError, match=r"`y` must have shape \(6, " + str(steps)):
            model.fit(x, x[:, 1:], verbose=0)
    assert model.output_shape == (None, None, 9)


class Lengths(fastnn.utils.Sequence):
    def __init__(self, n):
        super().__init__()
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        x = np.random.default_rng(i).normal(size=(3 + i % 2, 4 + i, 3))
        return x, x.mean((1, 2))


def test_batches_of_different_lengths():
    model = compiled(Sequential([Input((None, 3)), layers.SimpleRNN(8), layers.Dense(1)]))
    n = KEPT + 3
    history = model.fit(Lengths(n), epochs=3, verbose=0, validation_data=Lengths(3)).history
    assert np.isfinite(history["loss"]).all() and history["loss"][-1] < history["loss"][0]
    model.fit((Lengths(n)[i] for i in range(n)), epochs=1, steps_per_epoch=n, verbose=0)
    losses = [model.evaluate(*Lengths(n)[i], verbose=0)[0] for i in range(4)]
    rows = [3, 4, 3, 4]
    assert model.evaluate(Lengths(4), verbose=0)[0] == pytest.approx(np.average(losses, weights=rows), rel=1e-5)
    for i in range(n):
        model.predict(Lengths(n)[i][0], verbose=0)
    assert len(model._predictions) <= KEPT and len(model._steps) <= KEPT


def test_models_in_models():
    inner = Sequential([Input((None, 3)), layers.Dense(4), layers.LSTM(5, return_sequences=True)])
    model = compiled(Sequential([Input((None, 3)), inner, layers.GlobalAveragePooling1D()]))
    x = data((6, 3), False)
    assert model.predict(x).shape == (6, 5) and model.predict(x[:, :2]).shape == (6, 5)
    assert inner(x).shape == (6, 6, 5) and inner.output_shape == (None, None, 5)
    model.layers[0].layers[0](x)
    assert model.layers[0].layers[0].output_shape == (None, None, 4)          # a call on data does not decide it
    fixed = Sequential([Input((7, 3)), inner, layers.Flatten(), layers.Dense(1)])
    assert fixed.predict(data((7, 3), False)).shape == (6, 1)


def test_summary_file_program_and_drawing(tmp_path):
    model = compiled(Sequential([Input((None, None, 1), name="image"), layers.Conv2D(2, 3), layers.Flatten()]))
    lines = []
    model.summary(print_fn=lines.append)
    assert "(None, None, None, 2)" in lines[0]
    with pytest.raises(ValueError, match="any size"):
        model.program(training=False)
    x = data((5, 6, 1), False)
    expected = model.predict(x)
    assert "prediction" in str(model.program(training=False))
    model.save(tmp_path / "m.fastnn")
    loaded = fastnn.saving.load_model(tmp_path / "m.fastnn")
    assert loaded.input_shape == (None, None, None, 1) and loaded.output_shape == (None, None)
    np.testing.assert_array_equal(loaded.predict(x), expected)
    pytest.importorskip("matplotlib")
    from fastnn import plotting
    plotting.network(model)
    plotting.nets.size(model)
    plotting.feature_maps(model, x[0], 0)


def test_a_layer_of_the_users():
    class Halves(layers.Layer):
        def call(self, x):
            return x[:, ::2]

    model = Sequential([Input((None, 3)), Halves()])
    assert model.output_shape == (None, None, 3)
    assert model.predict(data((9, 3), False)).shape == (6, 5, 3)
