"""Metrics: arrays, counters of a run, names, metrics of the user's, and what a run with them costs in Python."""
import copy
import inspect
import pickle
import sys
import tracemalloc

import numpy as np
import pytest

import fastnn
from fastnn import losses, metrics
from fastnn.metrics.lowering import written_in_python

REQUIRED = {
    "IoU": {"num_classes": 2, "target_class_ids": [0]}, "MeanIoU": {"num_classes": 2}, "MeanMetricWrapper": {"fn": abs},
    "OneHotIoU": {"num_classes": 2, "target_class_ids": [1]}, "OneHotMeanIoU": {"num_classes": 2},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5}}
CLASSES = {name: getattr(metrics, name) for name in metrics.__all__
           if inspect.isclass(getattr(metrics, name)) and name != "Metric"}


def data(rows=37, units=1):
    rng = np.random.default_rng(rows + units)
    x = rng.normal(size=(rows, 4)).astype("float32")
    return x, rng.integers(0, 2, (rows, units)).astype("float32")


def net(units=1, activation="sigmoid", loss="binary_crossentropy", **compiled):
    fastnn.utils.set_random_seed(3)
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(units, activation=activation)])
    model.compile(fastnn.optimizers.SGD(0.1), loss, **compiled)
    return model


@pytest.mark.parametrize("name", CLASSES)
def test_each_comes_back_from_its_config(name):
    metric = CLASSES[name](name="mine", **REQUIRED.get(name, {}))
    config = metric.get_config()
    again = type(metric).from_config(config)
    assert again.get_config() == config and again.name == "mine"
    if name != "MeanMetricWrapper":
        assert metrics.get(metric.describe()).get_config() == config


def test_settings_come_back_too():
    chosen = [metrics.AUC(thresholds=[0.3, 0.6], multi_label=True, num_labels=2, label_weights=[1.0, 2.0], curve="pr"),
              metrics.Precision(thresholds=[0.9, 0.1], top_k=3, class_id=1), metrics.FBetaScore("macro", 2.0, 0.4),
              metrics.BinaryIoU([1], 0.3), metrics.MeanIoU(3, ignore_class=255, sparse_y_pred=False),
              metrics.R2Score(None, 2), metrics.get("huber"),
              metrics.SparseTopKCategoricalAccuracy(3, from_sorted_ids=True)]
    for metric in chosen:
        config = metric.get_config()
        again = metrics.get(metric.describe())
        assert again.get_config() == config, config
        assert {k: v for k, v in vars(again).items() if isinstance(v, (int, float, str, list))} == \
            {k: v for k, v in vars(metric).items() if isinstance(v, (int, float, str, list))}


@pytest.mark.parametrize("name", ["mse", "MSE", "mae", "mape", "msle", "bce", "auc", "AUC", "precision", "Recall",
                                  "f1_score", "r2_score", "root_mean_squared_error", "huber"])
def test_a_metric_chosen_by_name_is_called_so(name):
    assert metrics.get(name).name == name


def test_arrays_and_runs_count_alike():
    x, y = data(300, 3)
    chosen = [metrics.AUC(), metrics.Precision(), metrics.F1Score(), metrics.R2Score(), metrics.BinaryIoU(),
              metrics.MeanSquaredError(), metrics.PearsonCorrelation(), metrics.CosineSimilarity()]
    weight = np.random.default_rng(0).random(300)
    model = net(3, weighted_metrics=chosen)
    logs = model.evaluate(x, y, sample_weight=weight, batch_size=7, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    for metric in chosen:
        own = metric(y, p, sample_weight=weight)
        np.testing.assert_allclose(own, logs[metric.name], rtol=1e-6)
        metric.reset_state()
        for rows in (slice(0, 2), slice(2, 300)):
            metric.update_state(y[rows], p[rows], weight[rows])
        np.testing.assert_allclose(metric.result(), own, rtol=1e-6)


@pytest.mark.parametrize("n", [2, 3])
def test_same_bits_for_any_number_of_threads(n):
    x, y = data(200, 3)
    chosen = [metrics.AUC(), metrics.F1Score(), metrics.R2Score(), metrics.MeanIoU(2), metrics.PearsonCorrelation(),
              metrics.TopKCategoricalAccuracy(2)]

    def histories():
        return net(3, metrics=chosen).fit(x, y, epochs=2, verbose=0).history

    alone = histories()
    with fastnn.testing.forced_threads(n):
        together = histories()
    for name, values in alone.items():
        assert np.array(values).tobytes() == np.array(together[name]).tobytes(), name


def test_each_epoch_begins_at_zero_in_one_call_and_in_many():
    x, y = data()
    chosen = [metrics.AUC(), metrics.TruePositives(), metrics.F1Score()]
    silent = net(metrics=chosen).fit(x, y, epochs=3, verbose=0).history
    watched = net(metrics=chosen).fit(x, y, epochs=3, verbose=0, callbacks=[fastnn.callbacks.LambdaCallback()]).history
    for name, values in silent.items():
        assert np.array_equal(values, watched[name]), name
    assert max(silent["true_positives"]) <= y.sum()


def test_weights_count_in_weighted_metrics_alone():
    x, y = data()
    weight = np.r_[np.ones(20), np.zeros(17)]
    logs = net(metrics=["mse"], weighted_metrics=["mse", metrics.FalseNegatives()]).evaluate(
        x, y, sample_weight=weight, verbose=0, return_dict=True)
    whole = net(metrics=["mse"]).evaluate(x, y, verbose=0, return_dict=True)
    part = net(metrics=["mse", metrics.FalseNegatives()]).evaluate(x[:20], y[:20], verbose=0, return_dict=True)
    assert logs["mse"] == pytest.approx(whole["mse"]) and logs["weighted_mse"] == pytest.approx(part["mse"])
    assert logs["false_negatives"] == part["false_negatives"]
    by_class = net(weighted_metrics=["mse"]).fit(x, y, verbose=0, class_weight={0: 0.0, 1: 2.0}, shuffle=False,
                                                 batch_size=37).history
    ones = net(metrics=["mse"]).evaluate(x[y[:, 0] == 1], y[y[:, 0] == 1], verbose=0, return_dict=True)
    assert by_class["mse"] == [pytest.approx(ones["mse"])]


def test_weights_of_the_steps_of_a_row():
    rng = np.random.default_rng(4)
    y, p, weight = rng.integers(0, 2, (9, 4, 3)), rng.random((9, 4, 3)).astype("float32"), rng.random((9, 4))
    flat = y.reshape(36, 3), p.reshape(36, 3), weight.ravel()
    for make in (metrics.AUC, metrics.Recall, metrics.BinaryIoU, metrics.MeanSquaredError, metrics.BinaryAccuracy,
                 metrics.CategoricalAccuracy):
        assert make()(y, p, sample_weight=weight) == pytest.approx(make()(*flat)), make
        by_row = make()(y, p, sample_weight=weight[:, 0])
        assert by_row == pytest.approx(make()(*flat[:2], np.repeat(weight[:, 0], 4))), make
    labels = y.argmax(-1)
    sparse = metrics.SparseCategoricalAccuracy()(labels, p, sample_weight=weight)
    assert sparse == pytest.approx(metrics.CategoricalAccuracy()(np.eye(3)[labels], p, sample_weight=weight))


def test_names_are_numbered_in_the_model_and_the_objects_keep_theirs():
    auc = metrics.AUC()
    model = net(metrics=[auc, metrics.AUC(), "accuracy"], weighted_metrics=[metrics.AUC(), "accuracy"])
    x, y = data()
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(model.metrics_names) == ["loss", "auc", "auc_1", "accuracy", "weighted_auc", "weighted_accuracy"]
    assert auc.name == "auc" and set(logs) == set(model.metrics_names)
    assert net(metrics=[auc]).evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "auc"}
    assert [m.name for m in model.metrics] == model.metrics_names[1:]


@pytest.mark.parametrize("given", [
    "accuracy", ["accuracy"], ("accuracy",), [["accuracy"]], {"dense": "accuracy"}, {"dense": ["accuracy"]}])
def test_forms_of_metrics_for_one_output(given):
    x, y = data()
    assert net(metrics=given).evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}


def test_results_that_are_arrays(capsys):
    x, y = data(units=3)
    model = net(3, metrics=[metrics.Recall(thresholds=[0.2, 0.5, 0.8]), metrics.F1Score()])
    history = model.fit(x, y, epochs=2, verbose=2).history
    assert [np.shape(v) for v in history["recall"]] == [(3,), (3,)] and np.shape(history["f1_score"]) == (2, 3)
    assert "recall: [" in capsys.readouterr().out
    history["recall"][0][:] = 7                                  # an array of its own, not the counters
    assert np.max(model.fit(x, y, verbose=0).history["recall"]) <= 1
    assert metrics.Precision(thresholds=[0.1, 0.9])([1, 0], [0.5, 0.5]).numpy().tolist() == [0.5, 0.0]


class Hits(metrics.Metric):
    """In Python, with variables, a metric inside, and an own beginning."""

    def __init__(self, name="hits", **kwargs):
        super().__init__(name=name, **kwargs)
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.rows = self.add_variable((), "zeros", name="rows")
        self.inner = metrics.Mean()
        self.calls = []

    def update_state(self, y_true, y_pred, sample_weight=None):
        weight = np.ones(len(y_true)) if sample_weight is None else sample_weight
        right = (np.asarray(y_pred) > 0.5) == np.asarray(y_true)
        self.hits.assign_add((right[:, 0] * weight).sum())
        self.rows.assign_add(weight.sum())
        self.inner.update_state(right)
        self.calls.append(len(y_true))

    def result(self):
        return self.hits / self.rows


class Beyond(metrics.MeanSquaredError):
    """A subclass of a metric of the library with another result."""

    def result(self):
        return super().result() + 1.0


class Halved(metrics.Mean):
    """A subclass of Mean with an update of its own, the way of Keras's guide."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(np.abs(y_true - y_pred) / 2, sample_weight)


@pytest.mark.parametrize("weight", [None, np.random.default_rng(1).random(37)])
def test_metrics_written_in_python(weight):
    x, y = data()
    hits = Hits()
    model = net(metrics=["accuracy", hits, Beyond(name="beyond"), "mse"], weighted_metrics=["accuracy", Halved("half")])
    history = model.fit(x, y, epochs=3, verbose=0, batch_size=8, sample_weight=weight).history
    np.testing.assert_allclose(history["hits"], history["accuracy"], rtol=1e-6)
    np.testing.assert_allclose(history["beyond"], np.array(history["mse"]) + 1, rtol=1e-6)
    assert hits.calls == 3 * [8, 8, 8, 8, 5]
    assert float(hits.inner.result()) == pytest.approx(history["accuracy"][-1])
    logs = model.evaluate(x, y, verbose=0, batch_size=8, return_dict=True)
    assert logs["hits"] == pytest.approx(logs["accuracy"]) and logs["hits"] == pytest.approx(float(hits.result()))
    expected = np.abs(y - model.predict(x, verbose=0)).mean() / 2
    assert logs["half"] == pytest.approx(expected, rel=1e-5)
    hits.reset_state()
    assert [float(v) for v in hits.variables] == [0.0, 0.0] and float(hits.inner.result()) == 0.0


def test_a_metric_that_raises_leaves_the_weights_alone():
    class Broken(metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            raise ArithmeticError("mine")

        def result(self):
            return 0.0

    x, y = data()
    model = net(metrics=[Broken()])
    before = model.get_weights()
    with pytest.raises(ArithmeticError, match="mine"):
        model.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    with pytest.raises(NotImplementedError, match="update_state"):
        net(metrics=[metrics.Metric(name="empty")]).fit(x, y, verbose=0)


def test_functions():
    x, y = data(units=3)

    def error(y_true, y_pred):
        assert not y_pred.flags.writeable
        return np.abs(y_true - y_pred).mean(-1)

    logs = net(3, metrics=[error, losses.mean_absolute_error, metrics.binary_accuracy, "binary_accuracy",
                           metrics.MeanMetricWrapper(lambda a, b, k: k * error(a, b), name="three", k=3.0)]
               ).evaluate(x, y, verbose=0, batch_size=8, return_dict=True)
    assert logs["error"] == pytest.approx(logs["mean_absolute_error"], rel=1e-6)
    assert logs["three"] == pytest.approx(3 * logs["error"]) and logs["binary_accuracy"] == logs["binary_accuracy_1"]
    assert metrics.get(losses.mean_squared_error).name == "mean_squared_error"
    y, p = [[0, 1], [1, 1]], [[0.2, 0.4], [0.9, 0.6]]
    assert metrics.binary_accuracy(y, p).tolist() == [[1, 0], [1, 1]]
    assert metrics.categorical_accuracy([[0, 1], [1, 0]], p).tolist() == [1, 1]
    assert metrics.sparse_categorical_accuracy([1, 1], p).tolist() == [1, 0]
    assert metrics.top_k_categorical_accuracy(y, p, k=1).tolist() == [1, 1]
    assert metrics.sparse_top_k_categorical_accuracy([0, 0], p, k=2).tolist() == [1, 1]
    np.testing.assert_allclose(metrics.pearson_correlation([[1, 2, 4.0]], [[2, 4, 8.0]]), [1])
    assert metrics.concordance_correlation([[1, 2, 4.0]], [[2, 4, 8.0]])[0] < 1


def test_variables_are_arrays_to_numpy():
    metric = Hits()
    metric.hits.assign(6)
    metric.rows.assign_add(4).assign_sub(1)
    assert float(metric.hits / metric.rows) == 2 and float(1 + metric.rows) == 4 and bool(metric.hits > metric.rows)
    assert np.sqrt(metric.add_weight((2,), "ones")).tolist() == [1, 1] and len({metric.hits, metric.rows}) == 2
    assert float(metric.add_variable((3,), "ones")[1]) == 1 and int(metric.rows) == 3


def test_copies_and_pickles_keep_the_state():
    metric = metrics.AUC()
    metric.update_state([0, 1, 1], [0.2, 0.3, 0.1])
    for other in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert other.result() == metric.result()
        other.update_state([0, 1], [0.9, 0.1])
        assert other.result() != metric.result()


def test_results_before_any_row_and_rows_of_another_width():
    for name, cls in CLASSES.items():
        if name != "R2Score":
            assert not np.any(cls(**REQUIRED.get(name, {})).result()), name
    f1 = metrics.F1Score()
    f1.update_state([[0, 1]], [[0.2, 0.8]])
    with pytest.raises(ValueError, match="reset_state"):
        f1.update_state([[0, 1, 0]], [[0.2, 0.8, 0.1]])
    f1.reset_state()
    f1.update_state([[0, 1, 0]], [[0.2, 0.8, 0.1]])
    assert f1.result().shape == (3,)


def test_a_bad_label_counts_nothing():
    metric = metrics.SparseCategoricalAccuracy()
    p = np.tile([0.1, 0.9], (3000, 1))
    labels = np.ones(3000, int)
    metric.update_state(labels, p)
    labels[2999] = 2
    with pytest.raises(ValueError, match=r"got 2 at row 2999"):
        metric.update_state(labels, p)
    assert metric._state.data.tolist() == [3000, 3000]


def test_perplexity():
    p = np.random.default_rng(0).dirichlet(np.ones(5), (7, 4)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 5, (7, 4))
    exact = np.exp(-np.log(np.take_along_axis(p, labels[..., None], -1)).mean())
    assert metrics.Perplexity()(labels, p) == pytest.approx(exact, rel=1e-5)
    assert metrics.Perplexity(from_logits=True)(labels, np.log(p)) == pytest.approx(exact, rel=1e-5)
    uniform = net(5, "softmax", "sparse_categorical_crossentropy", metrics=["perplexity"])
    uniform.set_weights([np.zeros_like(w) for w in uniform.get_weights()])
    assert uniform.evaluate(data()[0], np.arange(37) % 5, verbose=0)[1] == pytest.approx(5, rel=1e-5)


def test_cross_entropies_ignore_what_is_ignored():
    p = np.full((4, 3), 1 / 3, "float32")
    found = metrics.SparseCategoricalCrossentropy(ignore_class=-1)([0, -1, 2, -1], p)
    assert found == pytest.approx(np.log(3) / 2, rel=1e-5)


def test_a_metric_that_does_not_ignore_what_its_loss_ignores():
    x, y = data(36)[0], np.arange(36) % 3
    own = metrics.SparseCategoricalCrossentropy(ignore_class=-1, name="own")
    for named in ("sparse_categorical_crossentropy", "perplexity", "crossentropy"):
        model = net(3, "softmax", losses.SparseCategoricalCrossentropy(ignore_class=-1),
                    metrics=["accuracy", own, named, "sparse_top_k_categorical_accuracy"])
        assert np.isfinite(model.evaluate(x, y, verbose=0)).all()
        other = np.where(np.arange(36) == 7, -1, y)
        before = model.get_weights()
        text = rf"metric '{named}' needs .* in `y`, got -1 at row 7, .*ignore_class=-1"
        for call in (model.fit, model.evaluate):
            with pytest.raises(ValueError, match=text):
                call(x, other, verbose=0)
        with pytest.raises(ValueError, match=r"`validation_data\[1\]`, got -1 at row 7"):
            model.fit(x, y, validation_data=(x, other), verbose=0)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    for ignored, named in ((-1, ["accuracy", own]), (0, ["sparse_categorical_crossentropy"])):
        model = net(3, "softmax", losses.SparseCategoricalCrossentropy(ignore_class=ignored), metrics=named)
        assert np.isfinite(model.evaluate(x, np.where(np.arange(36) == 7, ignored, y), verbose=0)).all()


def test_classes_out_of_range_count_nowhere_in_iou():
    x = data(36)[0]
    y = np.arange(36) % 5 - 1                                  # -1 .. 3 for three classes
    model = net(3, "softmax", losses.SparseCategoricalCrossentropy(ignore_class=-1),
                metrics=[metrics.MeanIoU(3, sparse_y_pred=False)])
    y[y == 3] = -1
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    guess = model.predict(x, verbose=0).argmax(1)
    both = np.array([((guess == c) & (y == c)).sum() for c in range(3)])
    union = np.array([(((guess == c) | (y == c)) & (y >= 0)).sum() for c in range(3)])
    assert logs["mean_io_u"] == pytest.approx((both / union).mean(), rel=1e-5)


def profiled_calls(function):
    """Python functions entered while ``function`` runs."""
    calls = []

    def count(frame, event, argument):
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return len(calls)


def test_no_python_between_batches():
    x, y = data(2000, 3)
    model = net(3, metrics=[metrics.AUC(), metrics.Precision(top_k=2), metrics.F1Score(), metrics.R2Score()],
                weighted_metrics=["mse", metrics.Recall()])

    def fit(rows):
        model.fit(x[:rows], y[:rows], batch_size=2, verbose=0, sample_weight=np.ones(rows))

    fit(2000)
    fit(20)
    assert profiled_calls(lambda: fit(20)) == profiled_calls(lambda: fit(2000))


def test_which_class_says_how_a_metric_counts():
    assert all(written_in_python(m) for m in (Hits(), Beyond(), Halved(), metrics.Mean(), metrics.Sum()))
    assert not any(written_in_python(m) for m in (metrics.AUC(), metrics.MeanMetricWrapper(abs), metrics.Metric()))


@pytest.mark.parametrize("make", [
    lambda n: fastnn.metrics.AUC(n), lambda n: fastnn.metrics.PrecisionAtRecall(0.5, n),
    lambda n: fastnn.metrics.SensitivityAtSpecificity(0.5, n)])
def test_evenly_spaced_thresholds_cost_nothing_before_they_are_used(make):
    tracemalloc.start()
    make(10**8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
