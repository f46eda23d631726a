"""Rows of a table by their ids: the kernels, and in training the rows that batches use, whatever the optimizer."""
import numpy as np
import pytest
from kernel_checks import SIZES, assert_close, everywhere, run, threads_for

import fastnn
from fastnn import Input, Sequential, testing
from fastnn.layers import Dense, Embedding, Flatten, Rescaling

OK, BAD_ID = 0, 6
IDS = np.random.default_rng(0).integers(0, 9, (20, 5))
Y = np.random.default_rng(1).normal(0, 1, (20, 2)).astype("float32")


def random_ids(n, count, seed=0):
    """Ids of which the first comes often."""
    ids = np.random.default_rng(seed).integers(0, count, n).astype(np.int32)
    ids[::3] = ids[:1]
    return ids


def net(optimizer="sgd", rows=9, dtype="float32", **settings):
    model = Sequential([Input((5,), dtype="int32"), Embedding(rows, 4, **settings), Flatten(), Dense(2)], dtype=dtype)
    model.compile(optimizer, "mse")
    return model


@everywhere
def test_kernels_on_all_sizes(level, dtype):
    for columns in SIZES[1:]:
        for n, count in ((0, 3), (1, 1), (2, 7), (33, 5), (40, 300)):
            ids, rng = random_ids(n, count), np.random.default_rng(n)
            table, dy = rng.normal(0, 1, (count, columns)).astype(dtype), rng.normal(0, 1, (n, columns)).astype(dtype)
            settings = {"level": level, "dtype": dtype, "threads": threads_for(columns)}
            _, _, y, mask = run("embedding_forward", [ids, table, np.empty_like(dy), np.empty(n, np.uint8)],
                                [n, columns], **settings)
            assert np.array_equal(y, table[ids]) and np.array_equal(mask, ids != 0)
            plain = run("embedding_forward", [ids, table, np.empty_like(dy), None], [n, columns], **settings)[2]
            assert np.array_equal(plain, y)
            added = run("embedding_backward", [ids, dy, table], [n, columns], **settings)[2]
            exact = table.astype("float64")
            np.add.at(exact, ids, dy.astype("float64"))
            assert_close(added, exact, 16, scale=8)
            unused = np.setdiff1d(np.arange(count), ids)
            assert np.array_equal(added[unused], table[unused])
            cleared = run("embedding_clear", [ids, added], [n, columns], **settings)[1]
            assert not cleared[ids].any() and np.array_equal(cleared[unused], table[unused])


@everywhere
def test_the_kernel_for_what_another_layer_computed(level, dtype):
    x = np.random.default_rng(0).integers(0, 70, (33, 5)).astype(dtype)

    def status(x, count):
        ids = np.empty(x.shape, np.int32)
        return testing.run_kernel("embedding_ids", [x, ids], [x.size, count], level=level, dtype=dtype, rows=len(x),
                                  start=3), ids
    (found, _, _), ids = status(x, 70)
    assert found == OK and np.array_equal(ids, x)
    for wrong in (70, -1, 0.5, np.nan, np.inf, -np.inf, 3e9, -1e-7):
        x[31, 4] = wrong
        (found, row, value), _ = status(x, 70)
        assert (found, row) == (BAD_ID, 34) and np.array_equal(value, np.dtype(dtype).type(wrong), equal_nan=True)
    assert status(x[:0], 70)[0][0] == OK


class Double(Embedding):
    """The sum of two lookups of the same ids."""

    def lower(self, build, x, mask=None):
        first, second = (super(Double, self).lower(build, x)[0] for _ in range(2))
        y = build.result(first, shape=first.shape, name="sum")
        build.emit("add", [first, second], [y], [y.elements()])

        def backward(dy):
            build.add_gradient(first, dy)
            build.add_gradient(second, dy)
        build.backward([y], backward)
        return y, mask


def one_hot_net(model, settings):
    """The same net with a Dense layer in place of the Embedding, on one-hot rows: nothing of it is sparse."""
    count, size = model.layers[0].get_weights()[0].shape
    dense = Sequential([Input((5, count)), Dense(size, use_bias=False, **{
        name.replace("embeddings", "kernel"): value for name, value in settings.items()}), Flatten(), Dense(2)],
        dtype=model.dtype)
    dense.set_weights(model.get_weights())
    return dense


OPTIMIZERS = {
    "sgd": lambda: fastnn.optimizers.SGD(0.1), "momentum": lambda: fastnn.optimizers.SGD(0.1, 0.9),
    "adam": lambda: fastnn.optimizers.Adam(0.01), "lion": lambda: fastnn.optimizers.Lion(0.01),
    "decay": lambda: fastnn.optimizers.AdamW(0.01, weight_decay=0.1),
    "accumulation": lambda: fastnn.optimizers.SGD(0.1, gradient_accumulation_steps=3),
    "clipnorm": lambda: fastnn.optimizers.SGD(0.1, clipnorm=0.1),
    "global_clipnorm": lambda: fastnn.optimizers.Adam(0.1, global_clipnorm=0.1),
    "clipvalue": lambda: fastnn.optimizers.SGD(0.1, clipvalue=0.02),
    "ema": lambda: fastnn.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=4),
}


@pytest.mark.parametrize("settings", [{}, {"embeddings_regularizer": "l2"}, {"embeddings_constraint": "max_norm"}],
                         ids=["plain", "regularizer", "constraint"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_as_dense_rows_whatever_the_optimizer(optimizer, settings):
    """Rows that a batch does not use have the gradient zero, or that of their penalty, whatever was used before."""
    x = np.concatenate([IDS[:10] % 4, 5 + IDS[10:] % 3])
    model = net(OPTIMIZERS[optimizer](), dtype="float64", **settings)
    dense = one_hot_net(model, settings)
    dense.compile(OPTIMIZERS[optimizer](), "mse")
    for threads in (1, 3):
        with testing.forced_threads(threads):
            for m, array in ((model, x), (dense, np.eye(9)[x])):
                m.fit(array, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        for a, b in zip(model.get_weights(), dense.get_weights()):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_called_twice():
    """Two lookups in one table: their gradients meet, and both clear what they used."""
    once = Sequential([Input((5,)), Embedding(9, 4), Rescaling(2.0), Flatten(), Dense(2)], dtype="float64")
    twice = Sequential([Input((5,)), Double(9, 4), Flatten(), Dense(2)], dtype="float64")
    twice.set_weights(once.get_weights())
    for model in (once, twice):
        model.compile("adam", "mse")
        model.fit(IDS, Y, batch_size=3, epochs=3, shuffle=False, verbose=0)
    for a, b in zip(once.get_weights(), twice.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_gradients_of_a_batch_that_was_dropped_do_not_come_back():
    """A penalty in Python raises after the Embedding has added its gradient: what it added must not stay."""
    class Fails(fastnn.Regularizer):
        calls, at = 0, None

        def __call__(self, x):
            return 0.0

        def gradient(self, x):
            Fails.calls += 1
            if Fails.calls == Fails.at:
                raise RuntimeError("now")
            return np.zeros_like(x)

    def trained(at):
        fastnn.utils.set_random_seed(0)
        Fails.calls, Fails.at = 0, at
        words = Embedding(9, 4)
        model = Sequential([Input((5,)), Dense(5, kernel_initializer="identity", kernel_regularizer=Fails(),
                                               trainable=True), words, Flatten(), Dense(2)])
        model.compile(fastnn.optimizers.SGD(0.5), "mse")
        start = model.get_weights()
        if at:
            with pytest.raises(RuntimeError, match="now"):
                model.fit(IDS % 3, Y, batch_size=20, verbose=0)
            assert all(np.array_equal(a, b) for a, b in zip(start, model.get_weights()))
        model.fit(6 + IDS % 3, Y, batch_size=20, shuffle=False, verbose=0)
        return model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(trained(None), trained(1)))


@pytest.mark.parametrize("options", [{}, {"clipvalue": 0.1}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}], ids=str)
def test_a_gradient_of_nan_does_not_come_back(options):
    model = net(fastnn.optimizers.SGD(0.1, **options))
    start = model.get_weights()

    def trained():
        model.set_weights(start)
        model.fit(IDS % 3, Y, batch_size=20, shuffle=False, verbose=0)
        return model.get_weights()
    expected = trained()
    model.set_weights([np.full_like(w, np.nan) for w in start])
    model.fit(6 + IDS % 3, Y, batch_size=20, verbose=0)
    assert np.isnan(model.get_weights()[0]).all()
    assert all(np.array_equal(a, b) for a, b in zip(expected, trained()))


def test_a_step_clears_and_adds_only_the_rows_it_uses():
    model = net("adam", rows=100_000)
    model.fit(IDS, Y, verbose=0)
    operations = {o.label: o for o in model.program(True).operations if o.label.startswith("embedding_")}
    assert set(operations) == {"embedding_forward", "embedding_backward", "embedding_clear"}
    assert operations["embedding_clear"].phase == "commit"
    assert all(o.n_bytes(32) < 32 * 5 * 4 * 4 * 3 for o in operations.values())
