"""Callbacks that write, change the rate or end training."""
import numpy as np
import pytest
from nets import bits, blobs, deep_net, fit, small_net

import fastnn
from fastnn.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)


@pytest.mark.parametrize("make", [lambda path: ModelCheckpoint(path / "a"), lambda path: ModelCheckpoint(
    path / "a", save_best_only=True)])
def test_what_cannot_be_saved_is_found_before_training(tmp_path, make):
    model = deep_net()
    model.notes = {"too many": [0] * 300_000}
    with pytest.raises(ValueError, match="cannot be saved"):
        fit(model, [make(tmp_path)])
    assert model.optimizer.iterations == 0
    fit(model, [ModelCheckpoint(tmp_path / "a", save_weights_only=True), BackupAndRestore(tmp_path / "b")], 1)


# batches between hooks

def calls_of(callbacks, rows, monkeypatch):
    """How often the runner is called for an epoch."""
    from fastnn.models.run import Run
    called, real = [0], Run.batches

    def batches(self, *arguments, **options):
        called[0] += 1
        return real(self, *arguments, **options)

    monkeypatch.setattr(Run, "batches", batches)
    x, y = blobs(rows=rows)
    small_net(20).fit(x, y, batch_size=8, verbose=0, callbacks=callbacks)
    monkeypatch.undo()
    return called[0]


def test_python_runs_only_every_so_many_batches(tmp_path, monkeypatch):
    assert calls_of([TerminateOnNaN()], 800, monkeypatch) == 1
    assert calls_of([ModelCheckpoint(tmp_path / "a")], 800, monkeypatch) == 1
    assert calls_of([BackupAndRestore(tmp_path / "b", 25)], 800, monkeypatch) == 4
    assert calls_of([ModelCheckpoint(tmp_path / "a", save_freq=30)], 800, monkeypatch) == 4
    both = [BackupAndRestore(tmp_path / "b", 40), ModelCheckpoint(tmp_path / "a", save_freq=30), TerminateOnNaN()]
    assert calls_of(both, 800, monkeypatch) == 6           # after 30, 40, 60, 80, 90 and 100
    assert calls_of([*both, LambdaCallback(on_train_batch_end=lambda batch, logs: None)], 800, monkeypatch) == 100


# the others, beyond what the comparison with Keras shows

@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_training_ends_at_the_batch_whose_loss_is_no_number(bad, capsys):
    x, y = blobs(rows=80, features=4)
    models = []
    for callbacks, rows in (([TerminateOnNaN()], 80), ([], 32)):
        model = small_net()
        model.compile("sgd", Poisoned(bad), metrics=["accuracy"])
        target = np.eye(3)[y]
        target[29] = 77                                # in the fourth batch
        history = model.fit(x[:rows], target[:rows], batch_size=8, epochs=2 if callbacks else 1, verbose=0,
                            shuffle=False,
                            callbacks=callbacks)
        models.append((bits(model.get_weights()), model.optimizer.iterations, len(history.epoch)))
    assert models[0] == models[1]
    assert capsys.readouterr().out == "Batch 3: Invalid loss, terminating training\n"


class Poisoned(fastnn.Loss):
    """The mean of the outputs, with a gradient of 0; a row with the target 77 has another loss."""

    def __init__(self, value=np.nan):
        super().__init__()
        self.value = value

    def lower(self, build, y, target, weights=None):
        losses = build.value((), name="losses")

        def call(y, target, losses):
            losses[...] = np.where(target[:, 0] == 77, self.value, y.mean(1)) if target.max() == 77 else y.mean(1)

        build.python(call, [y, target], [losses])
        if build.training:
            dy = build.gradient_place(y)
            build.python(lambda dy: dy.fill(0), [], [dy])
            build.add_gradient(y, dy)
        return losses


def test_a_schedule_with_one_argument_may_raise_a_type_error_of_its_own():
    def broken(epoch):
        return epoch + "1"

    with pytest.raises(TypeError, match="unsupported operand"):
        fit(deep_net(), [LearningRateScheduler(broken)])


def test_a_schedule_object_decides_the_rate_alone():
    model = deep_net()
    model.compile(fastnn.optimizers.SGD(fastnn.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
                  "sparse_categorical_crossentropy")
    with pytest.raises(TypeError, match="schedule"):
        fit(model, [LearningRateScheduler(lambda epoch: 0.1)])


def test_what_callbacks_say(tmp_path, capsys):
    callbacks = [ModelCheckpoint(tmp_path / "net", "loss", verbose=1, save_best_only=True),
                 ReduceLROnPlateau("loss", patience=0, min_delta=100.0, verbose=1),
                 LearningRateScheduler(lambda epoch: 0.5, verbose=1)]
    history = fit(deep_net(), callbacks, 2).history
    said = capsys.readouterr().out
    assert f"Epoch 1: loss improved from None to {history['loss'][0]:.5f}, saving model to {tmp_path / 'net'}" in said
    assert f"Epoch 1: finished saving model to {tmp_path / 'net'}" in said
    assert "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05." in said
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.5." in said


def test_a_log_is_on_the_disk_after_every_epoch(tmp_path):
    path, lengths = tmp_path / "log.csv", []
    watch = LambdaCallback(on_epoch_end=lambda epoch, logs: lengths.append(len(path.read_text().splitlines())))
    fit(deep_net(), [CSVLogger(path), watch])
    assert lengths == [2, 3, 4, 5]


def test_a_list_in_a_log(tmp_path):
    class Listed(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["list"] = np.array([1.5, 2.0])

    import csv
    fit(deep_net(), [Listed(), CSVLogger(tmp_path / "log.csv")], 1)
    with open(tmp_path / "log.csv", newline="") as file:
        assert next(iter(csv.DictReader(file)))["list"] == '"[1.5, 2.0]"'


def test_a_checkpoint_that_cannot_be_written_ends_training(tmp_path):
    with pytest.raises(IsADirectoryError):
        fit(deep_net(), [ModelCheckpoint(tmp_path)])
    with pytest.raises(KeyError, match="val_loss"):
        fit(deep_net(), [ModelCheckpoint(tmp_path / "{val_loss}")])


def test_an_array_is_no_value_to_watch():
    class Listed(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["list"] = np.array([1.5, 2.0])

    with pytest.raises(ValueError, match=r"EarlyStopping: `monitor` 'list'.*\(2,\)"):
        fit(deep_net(), [Listed(), EarlyStopping("list", mode="min")])
