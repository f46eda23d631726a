"""Training that goes on from a backup after a crash, as if nothing had been."""
import os

import numpy as np
import pytest
from nets import bits, blobs, deep_net, fit, small_net, state

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
)
from fastnn.models import load_model


class Stop(Exception):
    """Where a test breaks training off."""


def stop_at(epoch, batch=None):
    """A callback that raises at the end of an epoch, or of a batch in it."""
    place = [0]

    def at_batch(number, logs):
        if place[0] == epoch and number == batch:
            raise Stop

    def at_epoch(number, logs):
        place[0] = number + 1
        if batch is None and number == epoch:
            raise Stop

    return LambdaCallback(on_epoch_end=at_epoch, **({} if batch is None else {"on_train_batch_end": at_batch}))


@pytest.mark.parametrize("save_freq, places", [("epoch", [(1, None), (1, 3), (3, 9)]), (1, [(0, 4), (2, 9), (3, None)]),
                                               (5, [(1, 2), (3, 9)]), (13, [(2, 9)]), (1000, [(2, None)])])
def test_training_goes_on_as_if_nothing_had_been(tmp_path, save_freq, places):
    expected = deep_net()
    whole = fit(expected, []).history["loss"]
    for epoch, batch in places:
        with pytest.raises(Stop):
            fit(deep_net(), [BackupAndRestore(tmp_path / "b", save_freq), stop_at(epoch, batch)])
        again = deep_net()
        history = fit(again, [BackupAndRestore(tmp_path / "b", save_freq)])
        assert state(again) == state(expected)
        ran = len(history.epoch)
        assert history.history["loss"] == whole[-ran:] and history.epoch == [*range(4)][-ran:]
        assert not (tmp_path / "b").exists()


def test_the_seed_comes_back_too(tmp_path):
    expected = deep_net(seed=11)
    fit(expected, [])
    with pytest.raises(Stop):
        fit(deep_net(seed=11), [BackupAndRestore(tmp_path, 2), stop_at(2, 5)])
    again = deep_net(seed=99)
    x, y = blobs(rows=100)
    again.evaluate(x, y, verbose=0)                       # programs with the other seed are there already
    fit(again, [BackupAndRestore(tmp_path, 2)])
    assert state(again) == state(expected) and again.seed == 11


@pytest.mark.parametrize("where", [(1, None), (2, 7), (3, 3)])
@pytest.mark.parametrize("first", [True, False])
def test_other_callbacks_go_on(tmp_path, where, first):
    def callbacks(*more):
        own = [ReduceLROnPlateau("val_loss", patience=1, min_delta=0.5, factor=0.5, cooldown=1),
               EarlyStopping("val_loss", patience=3, restore_best_weights=True, min_delta=0.2),
               LearningRateScheduler(lambda epoch, rate: rate * 0.9),
               ModelCheckpoint(tmp_path / "best", save_best_only=True), ModelCheckpoint(tmp_path / "last", save_freq=7)]
        return [*more, *own] if first else [*own, *more]

    ends = []
    for broken in (False, True):
        for name in ("best", "last"):
            (tmp_path / name).unlink(missing_ok=True)
        if broken:
            with pytest.raises(Stop):
                fit(deep_net(), callbacks(BackupAndRestore(tmp_path / "b", 3), stop_at(*where)), 8,
                    validation_split=0.2)
        model = deep_net()
        used = callbacks(BackupAndRestore(tmp_path / "b", 3)) if broken else callbacks()
        history = fit(model, used, 8, validation_split=0.2)
        checkpoints = [bits(load_model(tmp_path / name).get_weights()) for name in ("best", "last")]
        ends.append((state(model), float(model.optimizer.learning_rate), history.epoch[-1], checkpoints))
    assert ends[0] == ends[1]


@pytest.mark.filterwarnings("ignore:the input ran out of data")
@pytest.mark.parametrize("where", [(1, None), (1, 2), (2, 5)])
def test_an_epoch_that_is_part_of_a_pass_goes_on(tmp_path, where):
    expected = deep_net()
    fit(expected, [], 5, steps_per_epoch=7)
    with pytest.raises(Stop):
        fit(deep_net(), [BackupAndRestore(tmp_path, 2), stop_at(*where)], 5, steps_per_epoch=7)
    again = deep_net()
    fit(again, [BackupAndRestore(tmp_path, 2)], 5, steps_per_epoch=7)
    assert state(again) == state(expected)


@pytest.mark.parametrize("save_freq", ["epoch", 3])
def test_streams_go_on(tmp_path, save_freq):
    x, y = blobs(rows=64)

    class Batches(fastnn.utils.Sequence):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            return x[8 * i:8 * i + 8], y[8 * i:8 * i + 8]

    def run(model, callbacks):
        model.fit(Batches(), epochs=4, verbose=0, callbacks=callbacks)
        return state(model)

    expected = run(deep_net(), [])
    for where in ((1, None), (2, 5)):
        with pytest.raises(Stop):
            run(deep_net(), [BackupAndRestore(tmp_path, save_freq), stop_at(*where)])
        assert run(deep_net(), [BackupAndRestore(tmp_path, save_freq)]) == expected


@pytest.mark.parametrize("save_freq", ["epoch", 3])
@pytest.mark.parametrize("options", [{}, {"steps_per_epoch": 4}])
def test_a_sequence_that_changes_from_epoch_to_epoch_goes_on(tmp_path, save_freq, options):
    class Changing(fastnn.utils.Sequence):
        def __init__(self):
            super().__init__()
            self.begun = self.ended = 0

        def __len__(self):
            return 8

        def __getitem__(self, i):
            x, y = blobs(rows=8, seed=100 * self.begun + 10 * self.ended + i)
            return x, y

        def on_epoch_begin(self):
            self.begun += 1

        def on_epoch_end(self):
            self.ended += 1

    def run(model, callbacks):
        data = Changing()
        model.fit(data, epochs=5, verbose=0, callbacks=callbacks, **options)
        assert data.begun == data.ended == 5
        return state(model)

    expected = run(deep_net(), [])
    for where in ((1, None), (2, 3), (4, 1)):
        with pytest.raises(Stop):
            run(deep_net(), [BackupAndRestore(tmp_path, save_freq), stop_at(*where)])
        assert run(deep_net(), [BackupAndRestore(tmp_path, save_freq)]) == expected


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_value_that_is_not_finite_is_backed_up(tmp_path, value):
    class Logged(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["odd"] = value

    def callbacks():
        return [Logged(), EarlyStopping("odd", mode="max", patience=9), ReduceLROnPlateau("odd", mode="max"),
                ModelCheckpoint(tmp_path / "best", "odd", save_best_only=True, mode="max"),
                BackupAndRestore(tmp_path / "b")]

    with pytest.raises(Stop):
        fit(deep_net(), [*callbacks(), stop_at(2)])
    again = callbacks()
    fit(deep_net(), again)
    assert [str(c.best) for c in again[1:4]] == [str(value)] * 3


@pytest.mark.parametrize("value", [object(), {1: 2}, (1, 2), np.zeros(3), [np.zeros(0)], {"float": "inf"}, "x" * 2000,
                                   10**30, {"a": [np.zeros(2)]}])
def test_a_state_that_no_backup_can_hold_is_named(tmp_path, value):
    class Own(Callback):
        def get_state(self):
            return {"fine": [1, {"a": np.inf}], "odd": value}

    with pytest.raises(ValueError, match=r"callback Own: the value of 'odd'"):
        fit(deep_net(), [Own(), BackupAndRestore(tmp_path)], 1)


def test_own_states_come_back(tmp_path):
    kept = {"n": 3, "list": [1, [np.inf, {"a": -np.inf}]], "arrays": [np.arange(3.0)], "none": None, "text": "é"}

    class Own(Callback):
        found = None

        def get_state(self):
            return kept

        def set_state(self, state):
            self.found = state

    with pytest.raises(Stop):
        fit(deep_net(), [Own(), BackupAndRestore(tmp_path), stop_at(1)])
    own = Own()
    fit(deep_net(), [own, BackupAndRestore(tmp_path)])
    assert str(own.found) == str(kept)


@pytest.mark.parametrize("where", [(0, 4), (1, None), (2, 5), (3, 1)])
@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("save_freq", ["epoch", 5])
def test_a_log_goes_on_after_a_crash(tmp_path, where, append, save_freq):
    fit(deep_net(), [CSVLogger(tmp_path / "whole.csv")])
    path = tmp_path / "log.csv"
    if not append:
        path.write_text("of a run before\n")
    log = CSVLogger(path, append=append)
    with pytest.raises(Stop):
        fit(deep_net(), [BackupAndRestore(tmp_path / "b", save_freq), log, stop_at(*where)])
    log._close()
    fit(deep_net(), [BackupAndRestore(tmp_path / "b", save_freq), CSVLogger(path, append=append)])
    assert path.read_text() == (tmp_path / "whole.csv").read_text()


def test_a_log_that_is_gone_begins_anew(tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    with pytest.raises(Stop):
        fit(deep_net(), [BackupAndRestore(tmp_path / "b"), log, stop_at(2)])
    log._close()
    (tmp_path / "log.csv").unlink()
    fit(deep_net(), [BackupAndRestore(tmp_path / "b"), CSVLogger(tmp_path / "log.csv")])
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,") and [line[0] for line in lines[1:]] == ["2", "3"]


def test_a_run_that_had_stopped_early_does_not_go_on(tmp_path):
    def callbacks(*more):
        return [EarlyStopping("loss", patience=0, min_delta=100.0, restore_best_weights=True), *more]

    expected = deep_net()
    fit(expected, callbacks())
    with pytest.raises(Stop):             # killed after the last backup, before the end
        fit(deep_net(), callbacks(BackupAndRestore(tmp_path), LambdaCallback(on_train_end=lambda logs: raise_stop())))
    again = deep_net()
    history = fit(again, callbacks(BackupAndRestore(tmp_path)))
    assert history.epoch == [] and state(again) == state(expected)


def raise_stop():
    raise Stop


def test_backups_stay_or_go(tmp_path):
    fit(deep_net(), [BackupAndRestore(tmp_path / "a", delete_checkpoint=False, double_checkpoint=True)])
    assert sorted(os.listdir(tmp_path / "a")) == ["latest.fastnn", "previous.fastnn"]
    model = deep_net()
    assert fit(model, [BackupAndRestore(tmp_path / "a", delete_checkpoint=False)], 6).epoch == [4, 5]
    (tmp_path / "a" / "mine").write_text("x")
    fit(model, [BackupAndRestore(tmp_path / "a", double_checkpoint=True)], 6)
    assert os.listdir(tmp_path / "a") == ["mine"]


def test_a_damaged_backup(tmp_path):
    folder, expected = tmp_path / "backup", deep_net()
    fit(expected, [])
    with pytest.raises(Stop):
        fit(deep_net(), [BackupAndRestore(folder, double_checkpoint=True), stop_at(2)])
    latest = folder / "latest.fastnn"
    latest.write_bytes(latest.read_bytes()[:-1])
    again = deep_net()
    with pytest.warns(UserWarning, match="the backup before it"):
        fit(again, [BackupAndRestore(folder, double_checkpoint=True)])
    assert state(again) == state(expected)
    folder.mkdir()
    latest.write_bytes(b"nonsense")
    before = state(again)
    with pytest.raises(fastnn.ModelFileError, match=r"latest.fastnn"):
        fit(again, [BackupAndRestore(folder)])
    assert state(again) == before


def test_a_backup_of_another_model_changes_nothing(tmp_path):
    with pytest.raises(Stop):
        fit(deep_net(), [BackupAndRestore(tmp_path, 3), stop_at(1, 5)])
    for other in (small_net(20), small_net(20, optimizer="sgd")):
        before = state(other)
        with pytest.raises(fastnn.ModelFileError):
            fit(other, [BackupAndRestore(tmp_path)])
        assert state(other) == before
    with pytest.raises(ValueError, match="built"):
        unbuilt = fastnn.Sequential([fastnn.layers.Dense(3, activation="softmax")])
        unbuilt.compile("adam", "sparse_categorical_crossentropy")
        fit(unbuilt, [BackupAndRestore(tmp_path)])
    other = deep_net()
    other.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="other metrics"):
        fit(other, [BackupAndRestore(tmp_path, 3)])
