"""Batches from generators, Sequences and other iterables: in fit, evaluate and predict."""
import warnings
from itertools import pairwise

import numpy as np
import pytest
from nets import bits, blobs, deep_net, small_net

import fastnn
from fastnn.models.streams import is_stream
from fastnn.utils import PyDataset, Sequence

X, Y = blobs(40)


def generator(n=5, rows=8, weights=False, forever=False):
    while True:
        for i in range(n):
            part = slice(i * rows, (i + 1) * rows)
            yield (X[part], Y[part], np.ones(rows)) if weights else (X[part], Y[part])
        if not forever:
            return


class Batches(Sequence):
    """40 rows in batches of 8, with a note of what was asked for."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.asked = []

    def __len__(self):
        return 5

    def __getitem__(self, i):
        self.asked.append(i)
        return X[i * 8:i * 8 + 8], Y[i * 8:i * 8 + 8]

    def on_epoch_begin(self):
        self.asked.append("begin")

    def on_epoch_end(self):
        self.asked.append("end")


class Loader:
    """An iterable of lists that knows its length, as data loaders are."""

    def __len__(self):
        return 5

    def __iter__(self):
        return iter([list(batch) for batch in generator()])


class Steps(fastnn.callbacks.Callback):
    """Notes the batches and epochs it is told of."""

    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append("end")


def trained(x, y=None, **options):
    model = deep_net()
    history = model.fit(x, y, verbose=0, **options)
    return bits(model.get_weights()), history.history


@pytest.mark.parametrize("source", [generator, Batches, Loader, lambda: generator(weights=True),
                                    lambda: map(tuple, Loader()),
                                    lambda: ((x.tolist(), y.tolist()) for x, y in generator())])
def test_a_stream_trains_as_the_same_rows_in_memory(source):
    """Bit for bit, logs too; here one epoch, which also an iterator has."""
    expected = trained(X, Y, batch_size=8, shuffle=False)
    assert trained(source(), shuffle=False) == expected


def test_sequences_and_loaders_are_read_again_each_epoch():
    expected = trained(X, Y, batch_size=8, shuffle=False, epochs=3)
    assert trained(Batches(), shuffle=False, epochs=3) == expected
    assert trained(Loader(), epochs=3) == expected
    assert trained(generator(forever=True), epochs=3, steps_per_epoch=5) == expected


def test_the_order_of_a_sequence_is_new_each_epoch_and_the_same_each_time():
    orders = []
    for _ in range(2):
        batches = Batches()
        trained(batches, epochs=2)
        asked = batches.asked
        assert asked[0] == asked[7] == "begin" and asked[6] == asked[13] == "end"
        assert sorted(asked[1:6]) == sorted(asked[8:13]) == list(range(5))
        orders.append(asked)
    assert orders[0] == orders[1] and orders[0][1:6] != orders[0][8:13]


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_steps_per_epoch_goes_on_where_the_epoch_before_ended(steps):
    batches = Batches()
    trained(batches, epochs=1, steps_per_epoch=steps, shuffle=False)
    assert [i for i in batches.asked if isinstance(i, int)] == list(range(steps))
    batches = Batches()
    trained(batches, epochs=2, steps_per_epoch=2, shuffle=False)
    assert [i for i in batches.asked if isinstance(i, int)] == [0, 1, 2, 3]


def test_steps_per_epoch_of_arrays_as_in_keras():
    """Recorded: batches seen of 100 rows."""
    x, y = blobs(100)
    for options, expected, warns in [
            ({"batch_size": 32, "steps_per_epoch": 2, "epochs": 2}, [0, 1, "end", 0, 1, "end"], False),
            ({"steps_per_epoch": 2, "epochs": 2}, [0, 1, "end", 0, 1, "end"], False),
            ({"batch_size": 32, "steps_per_epoch": 3, "epochs": 3}, [0, 1, 2, "end", 0, "end", 0, 1, 2, "end"], True),
            ({"batch_size": 50, "steps_per_epoch": 9}, [0, 1, "end"], True)]:
        steps, model = Steps(), small_net(20)
        if warns:
            with pytest.warns(UserWarning, match="ran out of data"):
                model.fit(x, y, verbose=0, callbacks=[steps], **options)
        else:
            model.fit(x, y, verbose=0, callbacks=[steps], **options)
        assert steps.seen == expected, options


def test_passes_of_arrays_go_on_over_epochs():
    """Four epochs of half a pass are two epochs, in the same orders."""
    x, y = blobs(64)
    one, other = deep_net(), deep_net()
    one.fit(x, y, batch_size=16, epochs=2, verbose=0)
    other.fit(x, y, batch_size=16, epochs=4, steps_per_epoch=2, verbose=0)
    assert bits(one.get_weights()) == bits(other.get_weights())


def test_a_generator_that_ends_early_warns_and_training_ends():
    steps, model = Steps(), deep_net()
    with pytest.warns(UserWarning, match="ran out of data: this epoch ends after 1 of 2 batches") as warned:
        history = model.fit(generator(), epochs=9, steps_per_epoch=2, verbose=0, callbacks=[steps])
    assert steps.seen == [0, 1, "end", 0, 1, "end", 0, "end"] and history.epoch == [0, 1, 2]
    assert model.optimizer.iterations == 5 and len(warned) == 1
    with pytest.warns(UserWarning, match="ran out of data"):
        assert deep_net().fit(generator(), epochs=2, verbose=0).epoch == [0]


def test_whole_passes_do_not_warn(recwarn):
    model = deep_net()
    model.fit(generator(), verbose=0)
    model.evaluate(generator(), verbose=0)
    model.predict(generator(), verbose=0)
    model.fit(X, Y, validation_data=generator(forever=True), validation_steps=3, epochs=2, verbose=0)
    assert not list(recwarn)


def test_batches_may_differ_in_size_and_the_means_are_weighted_by_rows():
    model, rows = deep_net(), [3, 20, 1, 16]
    starts = np.cumsum([0, *rows])
    found = model.evaluate(((X[a:b], Y[a:b]) for a, b in pairwise(starts)), verbose=0)
    assert found == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)


def test_evaluate_and_predict_of_streams():
    model = deep_net()
    expected = model.evaluate(X, Y, batch_size=8, verbose=0)
    for source in (generator(), Batches(), Loader(), generator(weights=True)):
        assert model.evaluate(source, verbose=0) == expected
    assert model.evaluate(generator(), steps=2, verbose=0) == model.evaluate(X[:16], Y[:16], batch_size=8, verbose=0)
    for source in (generator(), Batches(), (x for x, _ in generator()), ((x,) for x, _ in generator())):
        assert np.array_equal(model.predict(source, verbose=0), model.predict(X, verbose=0))
    assert len(model.predict(generator(forever=True), steps=3, verbose=0)) == 24


def test_validation_data_may_be_a_stream():
    x, y = blobs(30, seed=1)
    expected = trained(x, y, epochs=3, validation_data=(X, Y), validation_batch_size=8)
    assert trained(x, y, epochs=3, validation_data=Batches()) == expected
    assert trained(x, y, epochs=3, validation_data=generator(forever=True), validation_steps=5) == expected
    part = trained(x, y, epochs=3, validation_data=Batches(), validation_steps=2)[1]["val_loss"]
    assert part == trained(x, y, epochs=3, validation_data=(X[:16], Y[:16]), validation_batch_size=8)[1]["val_loss"]


def test_class_weights_of_streams():
    weights = {0: 3.0, 1: 0.5}
    expected = trained(X, Y, batch_size=8, shuffle=False, class_weight=weights)
    assert trained(generator(), class_weight=weights) == expected
    with pytest.raises(ValueError, match="not both"):
        trained(generator(weights=True), class_weight=weights)


def test_a_bad_batch_is_dropped_whole():
    bad = X[:8].copy()
    bad[3, 2] = np.nan
    for wrong, words in [
            ((bad, Y[:8]), "nan at row 3, column 2"), ((X[:8], Y[:8] + 7), "whole class numbers"),
            ((X[:8], Y[:7]), "same number of rows"), ((X[:8, :3], Y[:8]), "shape"), ((X[:8],), "got x alone"),
            ((X[:0], Y[:0]), "at least one row"), ({"x": X, "y": Y}, "got a dict with the keys x, y"),
            (None, "NoneType"), ((X, Y, Y, Y), "4 values")]:
        model, reference = deep_net(), deep_net()
        reference.fit(X[:16], Y[:16], batch_size=8, shuffle=False, verbose=0)
        with pytest.raises((ValueError, TypeError), match=words) as caught:
            model.fit(iter([(X[:8], Y[:8]), (X[8:16], Y[8:16]), wrong]), verbose=0)
        assert "`x`" in str(caught.value) and len(str(caught.value)) < 400
        assert bits(model.get_weights()) == bits(reference.get_weights()) and model.optimizer.iterations == 2
        model.fit(X, Y, verbose=0)


def test_a_bad_first_batch_stops_before_training_begins():
    began = []
    watcher = fastnn.callbacks.LambdaCallback(on_train_begin=lambda logs: began.append(1))
    model = fastnn.Sequential([fastnn.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="batch 0 of `x`"):
        model.fit(iter([(X[:8], Y[:8] + 9)]), verbose=0, callbacks=[watcher])
    assert not began and not model.built
    with pytest.raises(ValueError, match="at least one batch, got an empty generator"):
        model.fit(generator(0), verbose=0)


def test_what_a_generator_raises_comes_through_unchanged():
    class Lost(ValueError):
        pass

    def broken():
        yield X[:8], Y[:8]
        raise Lost("the disk is gone")

    model, reference = deep_net(), deep_net()
    with pytest.raises(Lost, match=r"^the disk is gone$"):
        model.fit(broken(), verbose=0)
    reference.train_on_batch(X[:8], Y[:8])
    assert bits(model.get_weights()) == bits(reference.get_weights())
    assert model.fit(generator(), verbose=0).epoch == [0], "the model is as usable as before"


def test_stop_training_within_an_epoch_of_a_stream():
    model, taken = deep_net(), []

    def counted():
        for batch in generator(forever=True):
            taken.append(1)
            yield batch

    stop = fastnn.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == 2))
    model.fit(counted(), steps_per_epoch=10, epochs=5, verbose=0, callbacks=[stop])
    assert len(taken) == model.optimizer.iterations == 3


def test_what_is_a_stream():
    for stream in (generator(), iter([]), map(str, []), Loader(), Batches()):
        assert is_stream(stream)
    for array in (X, X.tolist(), (1, 2), range(3), "text", None, 3.0, {"x": X}, {1, 2}, memoryview(X), bytearray(3)):
        assert not is_stream(array)


def test_an_endless_sequence_and_one_without_a_length():
    class Endless(PyDataset):
        num_batches = None

        def __getitem__(self, i):
            return X[:8], Y[:8]

    model = deep_net()
    model.fit(Endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert model.optimizer.iterations == 6

    class Lengthless(PyDataset):
        def __getitem__(self, i):
            return X[:8], Y[:8]

    with pytest.raises(NotImplementedError, match="__len__"):
        model.fit(Lengthless(), verbose=0)
    assert [len(x) for x, _ in Batches()] == [8] * 5


def test_streams_show_their_progress(capsys):
    deep_net().fit(generator(), verbose=2, epochs=1)
    assert capsys.readouterr().out.startswith("5/5 - ")
    deep_net().fit(Batches(), verbose=2)
    assert capsys.readouterr().out.startswith("5/5 - ")


class Keeper(fastnn.callbacks.Callback):
    """Keeps what a fit can go on from ``at``: (epoch, batches done in it)."""

    def __init__(self, at):
        super().__init__()
        self.at, self.epoch, self.kept = at, 0, None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def keep(self, done):
        if (self.epoch, done) == self.at:
            model = self.model
            self.kept = (model.get_weights(), [np.array(v) for v in model.optimizer.variables],
                         model._running.position())

    def on_train_batch_begin(self, batch, logs=None):
        self.keep(batch)

    def on_train_batch_end(self, batch, logs=None):
        if batch == 4:
            self.keep(5)


class Restorer(fastnn.callbacks.Callback):
    """Lets a fit begin where a Keeper says."""

    def __init__(self, keeper):
        super().__init__()
        self.keeper = keeper

    def on_train_begin(self, logs=None):
        weights, variables, position = self.keeper.kept
        self.model.set_weights(weights)
        for now, then in zip(self.model.optimizer.variables, variables, strict=True):
            now[...] = then
        self.model._resume_at = (self.keeper.at[0], position)


@pytest.mark.parametrize("source", ["arrays", "sequence", "loader", "generator", "arrays over passes"])
@pytest.mark.parametrize("at", [(0, 2), (1, 0), (1, 4), (2, 5)])
def test_a_fit_can_go_on_from_where_another_was(source, at):
    """What a callback needs to restart a fit: the same weights, bit for bit, and the same logs from there on."""
    x, y = blobs(40)

    def data():
        streams = {"sequence": Batches, "loader": Loader, "generator": lambda: generator(forever=True)}
        return (streams[source](), None) if source in streams else (x, y)

    options = {"epochs": 4, "verbose": 0, "batch_size": 8}
    if source in ("generator", "arrays over passes"):
        options["steps_per_epoch"] = 5 if source == "generator" else 6
    keeper = Keeper(at)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, rest = deep_net(), deep_net()
        expected = whole.fit(*data(), callbacks=[keeper], **options)
        history = rest.fit(*data(), callbacks=[Restorer(keeper)], **options)
    assert bits(rest.get_weights()) == bits(whole.get_weights())
    assert history.epoch == list(range(at[0], 4))
    assert history.history == {k: v[at[0]:] for k, v in expected.history.items()}
