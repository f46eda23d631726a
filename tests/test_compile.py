"""What compile takes: lists of one, weights of the loss; and warnings of settings that cannot learn."""

import warnings

import numpy as np
import pytest

import fastnn
from fastnn import Input, Sequential, losses
from fastnn.layers import Activation, Dense, Masking
from fastnn.optimizers import SGD, Adam

X = np.linspace(-1, 1, 36, dtype="float32").reshape(12, 3)
Y = X.sum(1, keepdims=True) ** 2
LABELS = np.arange(12) % 3


@pytest.fixture(autouse=True)
def same_weights():
    """Nets that a test makes by ``net`` begin alike."""
    fastnn.utils.set_random_seed(3)


def net(*objects, shape=(3,)):
    model = Sequential([Input(shape), *objects])
    fastnn.utils.set_random_seed(3)                  # for the layers of the next
    return model


def trained(model, y=Y, x=X, **options):
    model.fit(x, y, batch_size=5, epochs=2, verbose=0, **options)
    return model.get_weights()


@pytest.mark.parametrize("options", [{}, {"sample_weight": np.linspace(0, 2, 12)}], ids=["plain", "weighted"])
@pytest.mark.parametrize("loss, y", [
    ("mse", Y), (losses.MeanSquaredError(reduction="sum"), Y), (losses.MeanSquaredError(reduction=None), Y),
    (losses.MeanSquaredError(reduction="mean_with_sample_weight"), Y),
    (lambda y_true, y_pred: (((y_pred - y_true) ** 2).sum(-1), 2 * (y_pred - y_true)), Y),
    (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS),
    (losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1), LABELS),
], ids=["mse", "sum", "none", "mean with weights", "python", "labels", "ignored class"])
def test_loss_weights_multiply_loss_and_gradient(loss, y, options):
    units = 1 if y is Y else 3
    weights, values = [], []
    for rate, factor in ((0.02, None), (0.01, [2.0])):
        model = net(Dense(4, "tanh"), Dense(units))
        model.compile(SGD(rate), loss, loss_weights=factor)
        values.append(model.evaluate(X, y, verbose=0, **options))
        weights.append(trained(model, y, **options))
    assert values[1] == pytest.approx(2 * values[0], rel=1e-6)
    for ours, theirs in zip(*weights):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_loss_weights_leave_penalties_and_metrics():
    model = net(Dense(1, kernel_regularizer="l2"))
    results = []
    for factor in (1.0, 3.0):
        model.compile("sgd", "mse", loss_weights=factor, metrics=["mse"], weighted_metrics=["mae"])
        results.append(model.evaluate(X, Y, verbose=0, return_dict=True, sample_weight=np.arange(12) / 6))
    penalty = float(model.layers[0].losses[0])
    assert results[1]["loss"] - penalty == pytest.approx(3 * (results[0]["loss"] - penalty), rel=1e-5)
    assert [results[0][m] for m in ("mse", "mae")] == [results[1][m] for m in ("mse", "mae")]


def test_loss_weights_of_masked_steps():
    x = np.repeat(X[:, None], 4, 1)
    x[::2, 2:] = 0
    values = []
    for factor in (None, 2.0):
        model = net(Masking(), Dense(1), shape=(4, 3))
        model.compile("sgd", "mse", loss_weights=factor)
        values.append(model.evaluate(x, np.ones((12, 4, 1)), verbose=0))
    assert values[1] == pytest.approx(2 * values[0], rel=1e-6)


def test_a_weight_of_one_changes_no_operation():
    programs = []
    for options in ({}, {"loss_weights": 1.0}):
        model = net(Dense(1, name="d"))
        model.compile("sgd", ["mse"], **options)
        programs.append([o.kernel for o in model.program(training=True).operations])
    assert programs[0] == programs[1] and "fill" not in programs[0]


def test_loss_weights_in_files(tmp_path):
    model = net(Dense(1))
    model.compile(Adam(), "mse", loss_weights=2.0)
    model.save(tmp_path / "m.fastnn")
    loaded = fastnn.models.load_model(tmp_path / "m.fastnn")
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert loaded.loss_weight == 2.0


@pytest.mark.parametrize("options, says", [
    ({"loss": ["mse", "mae"]}, "`loss` must be one, as the model has one output, got 2"),
    ({"loss": []}, "`loss` must be one"),
    ({"loss": "mse", "loss_weights": [1, 2]}, "`loss_weights` must be one"),
    ({"loss": "mse", "loss_weights": "a"}, "`loss_weights` must be a finite number of at least 0, got 'a'"),
    ({"loss": "mse", "loss_weights": {"dense": 2.0}}, "`loss_weights` must be a finite number"),
    ({"loss": "mse", "loss_weights": np.nan}, "`loss_weights` must be a finite number"),
])
def test_what_is_not_one_is_refused(options, says):
    model = net(Dense(1))
    model.compile("sgd", "mae", loss_weights=2.0)
    with pytest.raises(ValueError, match=says):
        model.compile("sgd", **options)
    assert (type(model.loss), model.loss_weight) == (losses.MeanAbsoluteError, 2.0)


# what cannot learn


@pytest.mark.parametrize("objects, loss", [
    ([Dense(1, "softmax")], "categorical_crossentropy"), ([Dense(1)], "categorical_crossentropy"),
    ([Dense(1, "softmax")], "categorical_focal_crossentropy"), ([Dense(1, "softmax")], "mse"),
    ([Dense(1), Activation("softmax")], "mse")])
def test_one_output_for_classes_is_warned_of(objects, loss):
    model = net(*objects)
    model.compile("sgd", loss)
    with pytest.warns(UserWarning) as record:
        model.fit(X, np.ones((12, 1)), verbose=0)
    said = " ".join(str(r.message) for r in record)
    assert ("softmax along an axis of size 1" in said) == ("softmax" in str([getattr(o, "activation", "")
                                                                             for o in objects]))
    assert ("needs two outputs or more" in said) == (loss != "mse")
    assert {r.filename for r in record} == {__file__}


def test_enough_outputs_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for units, activation, loss, y in ((2, "softmax", "categorical_crossentropy", np.eye(2)[LABELS % 2]),
                                           (1, "sigmoid", "binary_crossentropy", LABELS % 2)):
            model = net(Dense(units, activation))
            model.compile("sgd", loss)
            model.fit(X, y, verbose=0)


# arguments that are none


@pytest.mark.parametrize("cls", [fastnn.optimizers.SGD, Adam, fastnn.optimizers.AdamW, fastnn.optimizers.RMSprop,
                                 fastnn.optimizers.Adagrad, fastnn.optimizers.Adadelta, fastnn.optimizers.Adamax,
                                 fastnn.optimizers.Nadam, fastnn.optimizers.Lion])
def test_unknown_arguments_of_optimizers(cls):
    with pytest.raises(ValueError, match=f"{cls.__name__}: there is no argument `lr`; its name is `learning_rate`"):
        cls(lr=0.1)
    with pytest.raises(ValueError, match="no argument `clip_norm`; did you mean `clipnorm`\\? It takes learning_rate"):
        cls(clip_norm=0.1)
    with pytest.warns(UserWarning, match="`decay` is ignored") as record:
        optimizer = cls(decay=0.1)
    assert record[0].filename == __file__
    assert "decay" not in optimizer.get_config() and "unknown" not in optimizer.get_config()
    assert type(cls.from_config(optimizer.get_config())) is cls


def test_unknown_arguments_of_layers():
    with pytest.raises(ValueError, match="Dense: there is no argument `actvation`; did you mean `activation`"):
        Dense(1, actvation="relu")


# models in files, statistics


def test_save_model(tmp_path):
    model = net(Dense(1))
    for n, (save, load) in enumerate(((fastnn.models.save_model, fastnn.models.load_model),
                                      (fastnn.saving.save_model, fastnn.saving.load_model))):
        path = tmp_path / f"{n}.fastnn"
        save(model, path)
        np.testing.assert_array_equal(load(path).predict(X, verbose=0), model.predict(X, verbose=0))
        with pytest.raises(FileExistsError):
            save(model, path, overwrite=False)
    with pytest.raises(TypeError, match="`model` must be a model, got str"):
        fastnn.saving.save_model("m.fastnn", model)


def test_statistics_of_normalization_have_numpy():
    layer = fastnn.layers.Normalization()
    layer.adapt(X)
    np.testing.assert_allclose(layer.mean.numpy(), X.mean(0, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(layer.variance.numpy(), X.var(0, keepdims=True), rtol=1e-5)


# metrics of columns


@pytest.mark.parametrize("metric", [fastnn.metrics.R2Score, fastnn.metrics.F1Score, fastnn.metrics.FBetaScore])
def test_metrics_of_columns_refuse_vectors(metric):
    y_true, y_pred = np.array([0.0, 1, 1]), np.array([0.1, 0.2, 0.9])
    with pytest.raises(ValueError, match=rf"{metric.__name__}: .* must have shape \(rows, outputs\), got \(3,\) and "
                                         r"\(3,\); .*reshape\(-1, 1\)"):
        metric().update_state(y_true, y_pred)
    assert np.isfinite(metric()(y_true[:, None], y_pred[:, None])).all()
