"""fit, evaluate, predict, train_on_batch: what they take, give back, and leave behind."""
import numpy as np
import pytest
from nets import bits, blobs, deep_net, linear_net, small_net

import fastnn
from fastnn.layers import Dense
from fastnn.models.data import class_weights


def numpy_sgd(w, b, x, y, order, batch_size, rate):
    """Gradient descent on the mean square error of a linear net: the textbook's loop."""
    losses = []
    for start in range(0, len(order), batch_size):
        rows = order[start:start + batch_size]
        error = x[rows] @ w + b - y[rows]
        losses.append((error ** 2).mean() * len(rows))
        w = w - rate * 2 * x[rows].T @ error / error.size
        b = b - rate * 2 * error.sum(0) / error.size
    return w, b, sum(losses) / len(order)


@pytest.mark.parametrize("batch_size", [1, 7, 32, 100, 1000])
def test_fit_is_the_textbook_loop(batch_size):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((100, 3)), rng.standard_normal((100, 1))
    model = linear_net()
    w, b = (v.astype("float64") for v in model.get_weights())
    history = model.fit(x, y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    for epoch in range(2):
        w, b, loss = numpy_sgd(w, b, x, y, np.arange(100), batch_size, 0.1)
        assert history.history["loss"][epoch] == pytest.approx(loss, rel=1e-4)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-3, atol=1e-5)


def test_shuffle_visits_every_row_once_in_a_new_order_each_epoch():
    from fastnn._kernels import runner
    first, second = runner.permutation(1000, 5, 0), runner.permutation(1000, 5, 32)
    assert sorted(first) == sorted(second) == list(range(1000))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, runner.permutation(1000, 5, 0))
    assert not np.array_equal(first, runner.permutation(1000, 6, 0))
    places = np.array([runner.permutation(10, 1, step).argmin() for step in range(20000)])
    assert np.bincount(places, minlength=10).min() > 1800, "every place is as likely"


def test_history():
    x, y = blobs()
    history = deep_net().fit(x, y, epochs=3, validation_split=0.25, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == [0, 1, 2]
    assert all(len(v) == 3 and all(type(n) is float for n in v) for v in history.history.values())


def test_initial_epoch():
    x, y = blobs()
    seen = []
    callback = fastnn.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    history = small_net(20).fit(x, y, epochs=5, initial_epoch=3, verbose=0, callbacks=[callback])
    assert seen == history.epoch == [3, 4]


def test_validation_is_the_last_rows_and_changes_nothing():
    x, y = blobs(100)
    one, other = deep_net(), deep_net()
    split = one.fit(x, y, epochs=2, validation_split=0.25, verbose=0).history
    given = other.fit(x[:75], y[:75], epochs=2, validation_data=(x[75:], y[75:]), verbose=0).history
    assert split == given
    loss, accuracy = one.evaluate(x[75:], y[75:], verbose=0)
    assert (split["val_loss"][-1], split["val_accuracy"][-1]) == (loss, accuracy)


def test_evaluate_against_numpy():
    x, y = blobs(77)
    model = deep_net()
    p = model.predict(x, verbose=0).astype("float64")
    for batch_size in (1, 10, 32, 100):
        loss, accuracy = model.evaluate(x, y, batch_size=batch_size, verbose=0)
        assert loss == pytest.approx(-np.log(p[np.arange(77), y]).mean(), rel=1e-5)
        assert accuracy == pytest.approx((p.argmax(1) == y).mean())
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"accuracy": accuracy, "loss": pytest.approx(loss)}
    plain = small_net(20)
    assert isinstance(plain.evaluate(x, y, verbose=0), float)


def test_targets_of_every_shape():
    x, y = blobs(40)
    sparse = small_net(20).evaluate(x, y, verbose=0)
    assert small_net(20).evaluate(x, y[:, None], verbose=0) == sparse
    assert small_net(20).evaluate(x, y.astype("float32"), verbose=0) == sparse
    assert small_net(20).evaluate(x, y.tolist(), verbose=0) == sparse
    one_hot = small_net(20)
    one_hot.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    assert one_hot.evaluate(x, fastnn.utils.to_categorical(y, 3), verbose=0)[0] == pytest.approx(sparse, rel=1e-6)
    binary = linear_net(features=20, loss="binary_crossentropy", metrics=["acc"])
    assert binary.evaluate(x, y > 0, verbose=0) == binary.evaluate(x, (y > 0)[:, None].astype(float), verbose=0)


def test_metrics_are_named_as_typed_and_numbered_in_the_model():
    x, y = blobs(40)
    model = small_net(20, metrics=["acc", fastnn.metrics.SparseCategoricalAccuracy(name="acc")])
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(logs) == ["acc", "acc_1", "loss"] and logs["acc"] == logs["acc_1"]
    assert model.metrics_names == ["loss", "acc", "acc_1"]


def test_a_loss_as_metric():
    x, y = blobs(40)
    model = small_net(20, metrics=["sparse_categorical_crossentropy"])
    logs = model.fit(x, y, batch_size=40, verbose=0).history
    assert logs["sparse_categorical_crossentropy"] == pytest.approx(logs["loss"], rel=1e-5)
    plain = small_net(20)
    plain.fit(x, y, batch_size=40, verbose=0)
    assert bits(plain.get_weights()) == bits(model.get_weights()), "a metric adds no gradient"


def test_loss_and_metric_may_read_y_in_two_forms():
    x, y = blobs(40)
    model = small_net(20, metrics=["mse"])
    with pytest.raises(ValueError, match="metric 'mse' reads `y` as one number for each output"):
        model.fit(x, y, verbose=0)
    model.compile("adam", "mse", metrics=["sparse_categorical_accuracy"])
    with pytest.raises(ValueError, match="metric 'sparse_categorical_accuracy' reads `y` as class numbers"):
        model.fit(x, fastnn.utils.to_categorical(y, 3), verbose=0)
    assert model.optimizer.iterations == 0
    single = linear_net(features=20, metrics=["mse", "binary_accuracy"])
    assert single.evaluate(x, y > 0, verbose=0, return_dict=True)["mse"] == pytest.approx(
        single.evaluate(x, y > 0, verbose=0)[0])


def test_refused_data_does_not_decide_the_shape():
    x, y = blobs(40)
    model = fastnn.Sequential([Dense(8), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError):
        model.fit(x.reshape(40, 4, 5), y, verbose=0)
    assert not model.built
    model.fit(x, y, verbose=0)
    assert model.input_shape == (None, 20)


def test_all_layers_have_the_dtype_of_their_model():
    x, _ = blobs(40)
    model = fastnn.Sequential([fastnn.Input((20,)), Dense(8, dtype="float32"), Dense(3)], dtype="float64")
    assert {w.dtype for w in model.weights} == {"float64"}
    np.testing.assert_allclose(model.layers[0](x), x @ model.get_weights()[0] + model.get_weights()[1], rtol=1e-6)
    with pytest.raises(ValueError, match="part of another model"):
        fastnn.Sequential([fastnn.Input((20,)), model.layers[0]], dtype="float32")


def test_a_metric_cannot_write_to_what_it_is_shown():
    x, y = blobs(40)

    def vandal(y_true, y_pred):
        y_pred[...] = 0
        return 0.0

    with pytest.raises(ValueError, match="read-only"):
        small_net(20, metrics=[vandal]).fit(x, y, verbose=0)


def test_a_model_again_from_its_config():
    model = deep_net()
    again = fastnn.Sequential.from_config(model.get_config())
    again.build((None, 20))
    again.set_weights(model.get_weights())
    x, _ = blobs()
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_new_models_may_be_called_by_many_threads_first():
    import threading
    x, _ = blobs(8)
    for _ in range(30):
        model = fastnn.Sequential([Dense(16, activation="relu"), Dense(3)])
        barrier, results = threading.Barrier(6), []

        def first(model=model, barrier=barrier, results=results):
            barrier.wait()
            results.append(model.predict(x, verbose=0))

        workers = [threading.Thread(target=first) for _ in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(model.weights) == 4 and len(results) == 6
        assert all(np.array_equal(r, results[0]) for r in results)


def test_a_function_as_metric():
    x, y = blobs(40)

    def error_rate(y_true, y_pred):
        assert y_true.shape == (len(y_pred),)
        return np.mean(y_pred.argmax(1) != y_true)

    model = small_net(20, metrics=["accuracy", error_rate])
    logs = model.evaluate(x, y, batch_size=10, verbose=0, return_dict=True)
    assert logs["error_rate"] == pytest.approx(1 - logs["accuracy"], abs=1e-6)


def test_losses_and_metrics_on_arrays():
    p, y = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]), np.array([0, 1])
    loss = fastnn.losses.SparseCategoricalCrossentropy()
    assert loss(y, p) == pytest.approx(-np.log([0.5, 0.1]).mean())
    assert fastnn.losses.MeanSquaredError(reduction=None)(p, p + 1).tolist() == pytest.approx([1, 1])
    metric = fastnn.metrics.SparseCategoricalAccuracy()
    assert metric(y, p) == 0.5
    metric.update_state([2], p[1:])
    assert metric.result() == pytest.approx(2 / 3)
    metric.reset_state()
    assert metric.result() == 0
    with pytest.raises(ValueError, match="whole class numbers from 0 to 2"):
        loss([0, 3], p)


def test_sample_and_class_weights():
    x, y = blobs(60)
    model = small_net(20)
    each = fastnn.losses.SparseCategoricalCrossentropy(reduction=None)(y, model.predict(x, verbose=0)).astype("float64")
    weights = np.random.default_rng(0).random(60)
    assert model.evaluate(x, y, sample_weight=weights, verbose=0) == pytest.approx((each * weights).mean(), rel=1e-5)
    by_class = {0: 2.0, 2: 0.5}
    table = np.array([by_class.get(c, 1.0) for c in y])
    fitted = model.fit(x, y, class_weight=by_class, batch_size=60, verbose=0).history["loss"][0]
    assert fitted == pytest.approx((each * table).mean(), rel=1e-5)
    one, other = small_net(20), small_net(20)
    one.fit(x, y, class_weight=by_class, epochs=2, verbose=0)
    other.fit(x, y, sample_weight=table, epochs=2, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())
    ignored = small_net(20)
    ignored.fit(x, y, sample_weight=np.zeros(60), verbose=0)
    assert bits(ignored.get_weights()) == bits(small_net(20).get_weights())
    with pytest.raises(ValueError, match="not both"):
        model.fit(x, y, sample_weight=weights, class_weight=by_class, verbose=0)
    for wrong in ({0: np.nan}, {0: -1}, {"one": 1.0}, {0.5: 1.0}, {True: 1.0}, {0: "a"}):
        with pytest.raises(ValueError, match="class_weight"):
            model.fit(x, y, class_weight=wrong, verbose=0)
    with pytest.raises(TypeError, match="must be a dict"):
        model.fit(x, y, class_weight="balanced", verbose=0)
    for beyond in (10 ** 9, 10 ** 400):                             # looked up by search, and in a table
        found = class_weights(np.array([0.4, 0.6, -1.2, np.nan, 2.5, 7, -np.inf]),
                              {0: 2.0, -1: 3.0, 2: 4.0, beyond: 5.0}, 3)
        assert found.tolist() == [2, 1, 3, 1, 4, 1, 1] and found.dtype == np.float32
    assert class_weights(np.arange(3, dtype=np.uint8), {}, 3).tolist() == [1, 1, 1]
    for dtype in (np.float16, np.uint8, bool):
        assert class_weights(np.arange(2).astype(dtype), {0: 2.0, -1: 3.0, 65000: 4.0}, 2).tolist() == [2, 1]
    with pytest.raises(ValueError, match="numbers >= 0"):
        model.fit(x, y, sample_weight=-weights, verbose=0)


def test_train_on_batch_is_one_step():
    x, y = blobs(32)
    one, other = deep_net(), deep_net()
    before = one.evaluate(x, y, verbose=0)
    result = one.train_on_batch(x, y)
    other.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())
    assert one.optimizer.iterations == 1 and len(result) == len(before) == 2
    assert set(one.train_on_batch(x, y, return_dict=True)) == {"accuracy", "loss"}


def test_predict_of_nothing_and_steps():
    x, _ = blobs(100)
    model = deep_net()
    assert model.predict(x[:0], verbose=0).shape == (0, 3)
    first = model.predict(x, batch_size=32, steps=2, verbose=0)
    assert np.array_equal(first, model.predict(x[:64], verbose=0))
    assert len(model.predict(x, steps=2, verbose=0)) == 100, "without batch_size, steps divide the rows"


def test_steps_per_epoch():
    x, y = blobs(100)
    model = small_net(20)
    model.fit(x, y, steps_per_epoch=2, epochs=3, verbose=0)
    assert model.optimizer.iterations == 6


def test_views_are_read_where_they_lie():
    x, y = blobs(100)
    wide = np.zeros((100, 40), "float32")
    wide[:, :20] = x
    one, other = small_net(20), small_net(20)
    one.fit(x, y, verbose=0)
    other.fit(wide[:, :20], y, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())


def test_summary_and_optimizer_variables():
    model = deep_net()
    lines = []
    model.summary(print_fn=lines.append)
    assert len(lines) == 1 and "Total params" in lines[0]
    x, y = blobs()
    model.fit(x, y, verbose=0)
    trainable = sum(w.size for w in model.trainable_weights)
    assert sum(v.size for v in model.optimizer.variables) == 2 * trainable + 2


def test_test_on_batch_and_predict_on_batch():
    x, y = blobs(20)
    model = deep_net()
    before = bits(model.get_weights())
    loss, accuracy = model.evaluate(x, y, batch_size=20, verbose=0)
    assert model.test_on_batch(x, y) == [loss, accuracy]
    assert model.test_on_batch(x, y, return_dict=True) == {"accuracy": accuracy, "loss": loss}
    weights = np.arange(20.0)
    assert model.test_on_batch(x, y, weights) == model.evaluate(x, y, sample_weight=weights, batch_size=20, verbose=0)
    assert isinstance(small_net(20).test_on_batch(x, y), float)
    assert np.array_equal(model.predict_on_batch(x), model.predict(x, verbose=0))
    assert bits(model.get_weights()) == before and model.optimizer.iterations == 0


def test_validation_freq_may_be_a_list():
    x, y = blobs(20)
    seen = []
    watch = fastnn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append("val_loss" in logs))
    small_net(20).fit(x, y, epochs=5, validation_data=(x, y), validation_freq=[1, 4], verbose=0, callbacks=[watch])
    assert seen == [True, False, False, True, False]


def test_shuffle_may_be_any_truth_value():
    x, y = blobs(40)
    one, other, third = small_net(20), small_net(20), small_net(20)
    one.fit(x, y, shuffle=False, verbose=0)
    other.fit(x, y, shuffle=np.bool_(False), verbose=0)
    third.fit(x, y, shuffle=True, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights()) != bits(third.get_weights())
