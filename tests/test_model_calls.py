"""Models called on arrays: what comes without its axis of one feature, and with a mask."""
import numpy as np
import pytest

from fastnn import Input, Sequential, layers

RNG = np.random.default_rng(3)
MASK = np.arange(6) < np.array([[2], [6], [4]])


@pytest.mark.parametrize(("shape", "chain"), [
    ((6, 1), [layers.LSTM(2)]), ((None, 1), [layers.GRU(2)]), ((4, 5, 1), [layers.Conv2D(2, 2), layers.Flatten()])])
def test_one_feature_may_come_without_its_axis(shape, chain):
    model = Sequential([Input(shape), *chain])
    x = RNG.normal(size=(3, *(n or 6 for n in shape[:-1])))
    expected = model.predict(x[..., None], verbose=0)
    for _ in range(2):                            # the second call finds its program
        assert np.array_equal(model(x), expected)
        assert np.array_equal(model(x[..., None]), expected)
    assert np.array_equal(model(x, training=True), expected)


def test_a_mask_goes_through_to_the_layers_that_heed_it():
    model = Sequential([Input((6, 2)), layers.Dense(3), layers.LSTM(4)])
    x = RNG.normal(size=(3, 6, 2)).astype("float32")
    dense, lstm = model.layers
    masked = model(x, mask=MASK)
    assert np.array_equal(masked, lstm(dense(x), mask=MASK))
    assert np.array_equal(masked, model(x, mask=MASK.astype("float32")[..., None]))
    assert not np.allclose(masked, model(x))
    assert np.array_equal(masked[1], model(x)[1])                 # its steps count all
    for row, steps in enumerate((2, 6, 4)):
        np.testing.assert_allclose(masked[row], lstm(dense(x[row:row + 1, :steps]))[0], rtol=1e-5, atol=1e-6)


def test_layers_take_a_mask_too():
    x = RNG.normal(size=(3, 6, 2)).astype("float32")
    y = layers.GlobalAveragePooling1D()(x, mask=MASK)
    np.testing.assert_allclose(y, [x[i, m].mean(0) for i, m in enumerate(MASK)], rtol=1e-5, atol=1e-6)
    kept = layers.Dense(3)(x, mask=MASK)
    assert np.array_equal(kept._keras_mask, MASK)
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(kept), [kept[i, m].mean(0) for i, m in enumerate(MASK)],
                               rtol=1e-5, atol=1e-6)
