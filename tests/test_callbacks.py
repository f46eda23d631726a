"""Callbacks, called by a fit loop without an engine: EarlyStopping, History, LambdaCallback and their list."""
import io
import warnings

import pytest

from fastnn.callbacks import Callback, CallbackList, EarlyStopping, History, LambdaCallback, Progress
from fastnn.callbacks.base import HOOKS, overrides
from fastnn.callbacks.early_stopping import direction


class Model:
    """What callbacks see of a model: its only weight is the number of the epoch."""

    def __init__(self, metrics=()):
        self.stop_training = False
        self.weight = None
        self.metrics = metrics

    def get_weights(self):
        return [self.weight]

    def set_weights(self, weights):
        self.weight, = weights


def train(callbacks, values, monitor="val_loss", model=None, progress=None, epochs=None):
    """A fit whose monitored value is given for each epoch; returns (model, list of callbacks)."""
    model = model or Model()
    hooks = CallbackList(callbacks, model, {"verbose": 0, "epochs": len(values), "steps": 2}, progress)
    model.stop_training = False
    hooks.on_train_begin()
    logs = {}
    for epoch, value in enumerate(values):
        hooks.on_epoch_begin(epoch)
        for batch in range(2):
            hooks.on_train_batch_begin(batch)
            hooks.on_train_batch_end(batch, {"loss": 1.0})
        model.weight = epoch
        hooks.on_test_begin()
        hooks.on_test_end({"loss": 2.0})
        logs = {"loss": 0.5} | ({monitor: value} if value is not None else {})
        hooks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    hooks.on_train_end(logs)
    return model, hooks


# the list


class Recorder(Callback):
    """Writes down every hook."""

    def __init__(self, events, name=""):
        self.events, self.name = events, name

    def on_train_begin(self, logs=None):
        self.events.append((self.name, "train_begin", logs))

    def on_epoch_end(self, epoch, logs=None):
        self.events.append((self.name, "epoch_end", epoch, dict(logs)))
        logs[self.name] = 1.0


def test_order_and_what_each_sees():
    events, stream = [], io.StringIO()
    _, hooks = train([Recorder(events, "a"), Recorder(events, "b")], [0.1], progress=Progress(2, 1, 2, stream))
    logs = {"loss": 0.5, "val_loss": 0.1}
    assert events == [("a", "train_begin", {}), ("b", "train_begin", {}), ("a", "epoch_end", 0, logs),
                      ("b", "epoch_end", 0, logs | {"a": 1.0})]
    assert hooks.history.history == {"loss": [0.5], "val_loss": [0.1], "a": [1.0], "b": [1.0]}
    assert stream.getvalue().endswith("loss: 0.5000 - val_loss: 0.1000 - a: 1.0000 - b: 1.0000\n")


def test_every_callback_learns_model_and_params():
    callback = Callback()
    model, hooks = train(callback, [1.0])
    assert callback.model is model and callback.params == {"verbose": 0, "epochs": 1, "steps": 2}
    assert hooks.history.params == callback.params


@pytest.mark.parametrize("given", [None, [], (), Callback(), [Callback()], (Callback(),)])
def test_forms_of_the_argument(given):
    assert len(CallbackList(given, Model()).callbacks) == 1 + bool(given)


def test_a_history_of_the_users_is_the_one_that_is_kept():
    mine = History()
    hooks = CallbackList([mine, Callback()], Model())
    assert hooks.history is mine and hooks.callbacks.count(mine) == 1


def test_no_history_where_nothing_is_trained():
    assert CallbackList(None, Model(), keep_history=False).callbacks == []


BATCH_HOOKS = [hook for hook in HOOKS if "batch" in hook]


@pytest.mark.parametrize("hook", BATCH_HOOKS)
@pytest.mark.parametrize("how", ["class", "lambda", "instance"])
def test_batch_hooks_are_known_before_the_run(hook, how):
    def function(*arguments):
        called.append(arguments)

    called = []
    callback = {"class": lambda: type("Own", (Callback,), {hook: lambda self, *a: function(*a)})(),
                "lambda": lambda: LambdaCallback(**{hook: function}), "instance": Callback}[how]()
    if how == "instance":
        setattr(callback, hook, function)
    hooks = CallbackList([Callback(), callback], Model())
    flags = [hooks.has_train_batch_hooks, hooks.has_test_batch_hooks, hooks.has_predict_batch_hooks]
    assert flags == ["test" not in hook and "predict" not in hook, "test" in hook, "predict" in hook]
    new_name = hook.replace("on_batch", "on_train_batch")
    getattr(hooks, new_name)(3, {"loss": 1.0})
    getattr(hooks, new_name)(4)
    assert called == [(3, {"loss": 1.0}), (4, {})]


def test_what_comes_with_fastnn_has_no_batch_hooks():
    hooks = CallbackList([EarlyStopping(), History(), LambdaCallback(on_epoch_end=print)], Model())
    assert not (hooks.has_train_batch_hooks or hooks.has_test_batch_hooks or hooks.has_predict_batch_hooks)


def test_report_seconds_is_that_of_the_progress_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert CallbackList(None, Model()).report_seconds == 0.0
    assert CallbackList(None, Model(), progress=Progress(1, 1, 1, Terminal())).report_seconds == 0.05
    assert CallbackList(None, Model(), progress=Progress(2, 1, 1, Terminal())).report_seconds == 0.0


@pytest.mark.parametrize("wrong", [EarlyStopping, 3, "early", {"on_epoch_end": print}, lambda: None, [None]])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match="`callbacks` must hold callbacks"):
        CallbackList([wrong], Model())


def test_an_unknown_hook_is_an_error():
    with pytest.raises(AttributeError, match="on_epoch_middle"):
        CallbackList(None, Model()).on_epoch_middle(1)


def test_an_error_in_a_hook_comes_through():
    with pytest.raises(ZeroDivisionError):
        train(LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / epoch), [1.0])


def test_hooks_of_the_base_do_nothing():
    callback = Callback()
    for hook in HOOKS:
        arguments = (0,) if "batch" in hook or "epoch" in hook else ()
        assert not overrides(callback, hook) and getattr(callback, hook)(*arguments, {}) is None
        assert getattr(callback, hook)(*arguments) is None, "logs may be left out"


def test_validation_stops_the_clock_of_the_steps():
    stream = io.StringIO()
    bar = Progress(2, 1, 2, stream)
    train(None, [1.0], progress=bar)
    assert bar._seconds > 0


# LambdaCallback and History


def test_lambda_callback_takes_every_hook():
    seen = []
    functions = {hook: lambda *a, hook=hook: seen.append((hook, a)) for hook in HOOKS}
    callback = LambdaCallback(**functions)
    for hook in HOOKS:
        getattr(callback, hook)("x")
    assert seen == [(hook, ("x",)) for hook in HOOKS]


def test_lambda_callback_refuses_a_name_that_is_no_hook():
    with pytest.raises(TypeError, match="`on_epoch_finish` is no hook; the nearest is `on_epoch_"):
        LambdaCallback(on_epoch_finish=print)


def test_history_lists_epochs_and_values():
    mine = History()
    train(mine, [3.0, 2.0, None])
    assert mine.epoch == [0, 1, 2]
    assert mine.history == {"loss": [0.5, 0.5, 0.5], "val_loss": [3.0, 2.0]}
    train(mine, [1.0])
    assert mine.epoch == [0] and mine.history["val_loss"] == [3.0, 2.0, 1.0], "as in Keras: a reused one goes on"


# EarlyStopping; the results are those of Keras 3.15 for the same values

STOPS = [
    # options, values of val_loss, (epochs run, stopped_epoch, best_epoch)
    ({}, [1, 2, 3], (2, 1, 0)),
    ({"patience": 1}, [1, 2, 3], (2, 1, 0)),
    ({"patience": 2}, [1, 2, 3, 4], (3, 2, 0)),
    ({"patience": 2}, [3, 4, 2, 4, 1, 5, 6, 7], (7, 6, 4)),
    ({}, [3, 2, 1], (3, 0, 2)),
    ({}, [1, 1], (2, 1, 0)),
    ({"mode": "max"}, [1, 2, 3, 2], (4, 3, 2)),
    ({"min_delta": 0.5}, [3, 2.4, 2.0], (3, 2, 1)),
    ({"min_delta": -0.5}, [3, 2.4, 2.0], (3, 2, 1)),
    ({"min_delta": 0.5, "mode": "max"}, [1, 1.6, 1.9], (3, 2, 1)),
    ({"start_from_epoch": 2}, [1, 2, 3, 4], (4, 3, 2)),
    ({"start_from_epoch": 9}, [1, 2, 3, 4], (4, 0, 0)),
    ({"baseline": 0.5, "patience": 2}, [3, 2, 1, 0.9, 0.95], (5, 4, 3)),
    ({"baseline": 0.5, "patience": 2}, [3, 0.4, 0.6, 0.7], (4, 3, 1)),
    ({"patience": 1}, [float("nan"), 1, 2], (2, 1, 0)),
    ({"patience": 0}, [5, float("nan")], (2, 1, 0)),
]


@pytest.mark.parametrize(("options", "values", "expected"), STOPS)
@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping(options, values, expected, restore):
    stopper = EarlyStopping(restore_best_weights=restore, **options)
    for _ in range(2):                   # an object may be used again
        model, hooks = train(stopper, values)
        epochs, stopped, best = expected
        assert (len(hooks.history.epoch), stopper.stopped_epoch, stopper.best_epoch) == (epochs, stopped, best)
        monitored = options.get("start_from_epoch", 0) < epochs
        assert model.weight == (best if restore and monitored else epochs - 1)


def test_early_stopping_never_stops_after_the_first_epoch():
    model, _ = train(EarlyStopping(baseline=0.0, patience=0), [1.0])
    assert not model.stop_training


def test_early_stopping_says_what_it_does(capsys):
    train(EarlyStopping(verbose=1, patience=1, restore_best_weights=True), [2, 1, 3, 4])
    assert capsys.readouterr().out == ("Epoch 3: early stopping\n"
                                       "Restoring model weights from the end of the best epoch: 2.\n")
    train(EarlyStopping(patience=1, restore_best_weights=True), [2, 1, 3, 4])
    assert capsys.readouterr().out == ""


def test_early_stopping_warns_when_the_metric_is_missing():
    with pytest.warns(UserWarning, match="metric `val_loss` which is not available. Available metrics are: loss"):
        _, hooks = train(EarlyStopping(), [None, None])
    assert len(hooks.history.epoch) == 2


class Metric:
    def __init__(self, name, direction):
        self.name, self.direction = name, direction


@pytest.mark.parametrize(("monitor", "expected"), [
    ("loss", "min"), ("val_loss", "min"), ("dense_loss", "min"), ("accuracy", "max"), ("val_acc", "max"),
    ("auc", "max"), ("val_sparse_categorical_accuracy", "max"), ("precision_1", "max"), ("f1_score", "max"),
    ("mse", "min"), ("val_mean_absolute_error", "min"), ("categorical_crossentropy", "min"), ("rmse", "min"),
    ("root_mean_squared_error", "min"), ("binary_accuracy_2", "max"), ("binary_io_u", "max"), ("one_hot_iou", "max")])
def test_direction_by_name(monitor, expected):
    assert direction(monitor, Model()) == expected


def test_direction_by_metric_object():
    model = Model([Metric("hits", "max"), Metric("misses", "min"), Metric("odd", "unknown")])
    assert direction("val_hits", model) == "max" and direction("misses", model) == "min"
    for name in ("odd", "val_something", "lossy"):
        with pytest.raises(ValueError, match=f"`monitor` '{name}' is no metric known .* give `mode`"):
            direction(name, model)


def test_unknown_direction_is_an_error_unless_the_mode_is_given():
    with pytest.raises(ValueError, match="give `mode`"):
        train(EarlyStopping("gain"), [1.0], monitor="gain")
    _, hooks = train(EarlyStopping("gain", mode="max"), [1.0, 2.0, 1.0], monitor="gain")
    assert len(hooks.history.epoch) == 3


def test_early_stopping_refuses_an_unknown_mode():
    with pytest.raises(ValueError, match="`mode` must be 'auto', 'min' or 'max', got 'up'"):
        EarlyStopping(mode="up")


def test_auto_mode_is_decided_anew_for_each_run():
    stopper = EarlyStopping("hits", patience=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, up = train(stopper, [1, 2, 1], "hits", Model([Metric("hits", "max")]))
        _, down = train(stopper, [1, 2, 1], "hits", Model([Metric("hits", "min")]))
    assert (len(up.history.epoch), len(down.history.epoch)) == (3, 2)
