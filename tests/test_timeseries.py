"""Windows of a time series: which, in which order, with which targets; and what fit makes of them."""
import numpy as np
import pytest

import fastnn
from fastnn import preprocessing, utils
from fastnn.utils import timeseries, timeseries_dataset_from_array

SERIES = np.arange(40.0)


def windows_of(data, targets, length, stride=1, rate=1, start=0, end=None):
    """The same by explicit loops."""
    data, targets = data[start:end], None if targets is None else targets[start:end]
    found, aims = [], []
    for i in range(0, len(data), stride):
        steps = [i + k * rate for k in range(length)]
        if steps[-1] < len(data) and (targets is None or i < len(targets)):
            found.append(data[steps])
            aims += [] if targets is None else [targets[i]]
    return np.array(found), None if targets is None else np.array(aims)


@pytest.mark.parametrize("shape", [(40,), (40, 3), (40, 2, 2)])
@pytest.mark.parametrize("options", [
    {}, {"sequence_stride": 3}, {"sampling_rate": 4}, {"sequence_stride": 2, "sampling_rate": 3, "start_index": 5},
    {"end_index": 31}, {"start_index": 7, "end_index": 20, "sampling_rate": 2}, {"sequence_stride": 39}])
def test_windows_and_targets(shape, options):
    data = np.random.default_rng(0).normal(0, 1, shape)
    names = {"sequence_stride": "stride", "sampling_rate": "rate", "start_index": "start", "end_index": "end"}
    arguments = {names[name]: value for name, value in options.items()}
    for targets in (None, np.arange(40) * 10, np.random.default_rng(1).normal(0, 1, (30, 2))):
        for length in (1, 2, 5):
            x, y = windows_of(data, targets, length, **arguments)
            for size in (1, 4, 128):
                dataset = timeseries_dataset_from_array(data, targets, length, batch_size=size, **options)
                batches = list(dataset)
                assert len(dataset) == len(batches) == -(-len(x) // size)
                inputs, aims = (batches, None) if targets is None else zip(*batches)
                assert all(len(batch) == size for batch in inputs[:-1])
                assert np.array_equal(np.concatenate(inputs), x)
                assert targets is None or np.array_equal(np.concatenate(aims), y)
            single = list(timeseries_dataset_from_array(data, targets, length, batch_size=None, **options))
            assert len(single) == len(x)
            assert np.array_equal([w if targets is None else w[0] for w in single], x)
            assert targets is None or np.array_equal([w[1] for w in single], y)


def test_the_example_of_the_weather():
    """Of Keras's documentation: the first, and the last, of 99 steps."""
    batches = timeseries_dataset_from_array(np.arange(99), None, 10, 3, 2)
    (windows,) = batches
    assert windows[0].tolist() == [*range(0, 20, 2)] and windows[-1].tolist() == [*range(78, 98, 2)]


def test_any_numbers_are_taken_as_they_are():
    (x, y), = timeseries_dataset_from_array(list(range(6)), tuple(range(3, 9)), 3)
    assert x.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]] and y.tolist() == [3, 4, 5, 6]
    for dtype in ("float32", "float64", "uint8", "int64"):
        (x,) = timeseries_dataset_from_array(SERIES.astype(dtype), None, 3)
        assert x.dtype == dtype


def test_an_order_of_its_own_in_each_pass():
    def passes(**options):
        dataset = timeseries_dataset_from_array(SERIES, SERIES * 2, 4, batch_size=5, shuffle=True, **options)
        return [np.concatenate([x[:, 0] for x, y in dataset if np.array_equal(y, x[:, 0] * 2)]) for _ in range(3)]
    first, again, other = passes(seed=1), passes(seed=1), passes(seed=2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    for order in (*first, *other):
        assert sorted(order) == [*range(37)] and sorted(order) != list(order)
    assert len({tuple(order) for order in (*first, *other)}) == 6
    fastnn.utils.set_random_seed(3)
    drawn = passes()
    fastnn.utils.set_random_seed(3)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, passes()))


def test_two_passes_at_once_and_a_part():
    dataset = timeseries_dataset_from_array(SERIES, None, 4, batch_size=10)
    assert [len(a) for a in dataset] == [10, 10, 10, 7]
    for a, b in zip(dataset, dataset):
        assert np.array_equal(a, b) and a is not b
    taken = dataset.take(2)
    assert len(taken) == 2 and [len(a) for a in taken] == [10, 10] and len(list(taken)) == 2
    assert len(dataset.take(9)) == 4 and list(dataset.take(0)) == []


@pytest.mark.parametrize(("of", "place", "options"), [
    ("data", (33, 1), {}), ("data", (33, 1), {"shuffle": True, "batch_size": 4}),
    ("data", (33, 1), {"start_index": 31}),
    ("data", (38, 0), {"sampling_rate": 3, "sequence_stride": 4}), ("targets", (34,), {"batch_size": 3})])
def test_nan_is_found_before_fit_changes_anything(of, place, options, monkeypatch):
    monkeypatch.setattr(timeseries, "CHECKED", 7)
    arrays = {"data": np.ones((40, 2)), "targets": np.ones(40)}
    arrays[of][place] = np.nan
    dataset = timeseries_dataset_from_array(*arrays.values(), 3, **options)
    model = net_of_windows()
    before = model.get_weights()
    inner = f", column {place[1]}" if len(place) > 1 else ""
    with pytest.raises(ValueError, match=rf"`{of}` must hold finite numbers, got nan at row {place[0]}{inner}"):
        model.fit(dataset, epochs=2, verbose=0)
    assert all(map(np.array_equal, before, model.get_weights()))
    arrays[of][place] = 1e300
    with pytest.raises(ValueError, match=rf"`{of}` must .* range of float32, got 1e\+300 at row {place[0]}"):
        model.evaluate(dataset, verbose=0)


@pytest.mark.parametrize(("of", "row", "options"), [
    ("data", 39, {"end_index": 39}), ("data", 4, {"start_index": 5}), ("data", 37, {"sampling_rate": 3,
                                                                                    "sequence_stride": 4}),
    ("data", 39, {"sequence_stride": 6}), ("targets", 38, {}), ("targets", 35, {"sequence_stride": 6})])
def test_nan_that_no_window_reads_is_no_fault(of, row, options):
    arrays = {"data": np.ones((40, 2)), "targets": np.ones(40)}
    arrays[of][row] = np.nan
    dataset = timeseries_dataset_from_array(*arrays.values(), 3, **options)
    assert all(np.isfinite(x).all() and np.isfinite(y).all() for x, y in dataset)
    assert np.isfinite(net_of_windows().fit(dataset, verbose=0).history["loss"]).all()


def test_nan_behind_the_batches_that_are_taken():
    data = np.ones((40, 2))
    data[30] = np.nan
    dataset = timeseries_dataset_from_array(data, np.ones(40), 3, batch_size=4)
    assert np.isfinite(net_of_windows().fit(dataset.take(7), verbose=0).history["loss"]).all()
    with pytest.raises(ValueError, match=r"`data` .* row 30"):
        net_of_windows().fit(dataset.take(8), verbose=0)


def net_of_windows():
    net = fastnn.Sequential([fastnn.Input((3, 2)), fastnn.layers.Flatten(), fastnn.layers.Dense(1)])
    net.compile("sgd", "mse")
    return net


def test_in_fit_evaluate_and_predict():
    series = np.sin(0.3 * np.arange(200)).astype("float32")
    data = timeseries_dataset_from_array(series[:-8], series[8:], 8, batch_size=16)
    arrays = [np.concatenate(parts) for parts in zip(*data)]

    def model():
        fastnn.utils.set_random_seed(0)
        net = fastnn.Sequential([fastnn.Input((8,)), fastnn.layers.Dense(1)])
        net.compile(fastnn.optimizers.Adam(0.05), "mse")
        return net
    by_stream, by_arrays = model(), model()
    history = by_stream.fit(data, epochs=4, validation_data=data, verbose=0).history
    expected = by_arrays.fit(*arrays, batch_size=16, epochs=4, shuffle=False, validation_data=tuple(arrays),
                             verbose=0).history
    assert history == expected and history["loss"][-1] < history["loss"][0] / 4
    assert by_stream.evaluate(data, verbose=0) == by_arrays.evaluate(*arrays, batch_size=16, verbose=0)
    alone = timeseries_dataset_from_array(series[:-8], None, 8)
    expected = by_arrays.predict(arrays[0], verbose=0)
    assert np.array_equal(by_stream.predict(data, verbose=0), expected)
    assert np.array_equal(by_stream.predict(alone, verbose=0), expected)
    with pytest.raises(ValueError, match=r"batch 0 of `x` must be \(x, y\)"):
        by_stream.fit(alone, verbose=0)


def test_what_data_sets_of_tensorflow_have():
    dataset = timeseries_dataset_from_array(SERIES, SERIES * 2, 4, batch_size=10)
    assert dataset.prefetch(1) is dataset.prefetch(buffer_size=-1) is dataset.cache() is dataset
    mapped = dataset.map(lambda x, y: (x[:, :-1], x[:, -1] + y), num_parallel_calls=4).prefetch(2)
    assert len(mapped) == 4 and len(mapped.take(3)) == len(list(mapped.take(3))) == 3
    for _ in range(2):                                                # any number of times
        for (x, y), (before, aim) in zip(mapped, dataset, strict=True):
            assert np.array_equal(x, before[:, :3]) and np.array_equal(y, before[:, 3] + aim)
    split = timeseries_dataset_from_array(SERIES, None, 4, batch_size=10).map(lambda x: (x[:, :3], x[:, 3:]))
    x, y = next(iter(split.map(lambda x, y: (x + 1, y))))
    assert np.array_equal(x[:, 2], y[:, 0])
    model = fastnn.Sequential([fastnn.Input((3,)), fastnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(split.map(lambda x, y: (x / 40, y / 40)), epochs=2, validation_data=split, verbose=0)
    for stream in (dataset, split):
        for name, advice in (("shuffle", "shuffle=True"), ("batch", "batch_size"), ("repeat", "every epoch"),
                             ("unbatch", "batch_size=None"), ("no_such", "no attribute")):
            with pytest.raises(AttributeError, match=advice):
                getattr(stream, name)
    with pytest.raises(TypeError, match="`map_func` must be a function of a batch, got 3"):
        dataset.map(3)


def test_it_is_where_keras_has_it():
    assert utils.timeseries_dataset_from_array is timeseries_dataset_from_array
    assert preprocessing.timeseries_dataset_from_array is timeseries_dataset_from_array


@pytest.mark.parametrize(("arguments", "options", "text"), [
    ((3.0, None, 2), {}, "`data` must have a first axis of steps, got the single number"),
    ((["a", "b"], None, 1), {}, "`data` must hold real numbers"),
    (([], [], 5), {}, "`data` must have at least one step, got none"),
    ((SERIES, 5, 2), {}, "`targets` must have a first axis of steps"),
    ((SERIES, [], 2), {}, "`targets` must hold one for a window at least"),
    ((SERIES, SERIES[:5], 2), {"start_index": 5}, "`targets` .* got none from step 5 on"),
    ((SERIES, None, 0), {}, "`sequence_length` must be a whole number of at least 1, got 0"),
    ((SERIES, None, 2.5), {}, "`sequence_length` must be a whole number"),
    ((SERIES, None, 41), {}, "`sequence_length` must leave room for a window, got 41 steps, 1 apart, which are 41 of"),
    ((SERIES, None, 5), {"sampling_rate": 10}, "got 5 steps, 10 apart, which are 41 of 40 steps"),
    ((SERIES, None, 5), {"start_index": 36}, "which are 5 of 4 steps"),
    ((SERIES, None, 2), {"sequence_stride": 0}, "`sequence_stride` must be a whole number of at least 1"),
    ((SERIES, None, 2), {"sequence_stride": 40}, "`sequence_stride` must be less than the 40 steps of `data`, got 40"),
    ((SERIES, None, 2), {"sampling_rate": -1}, "`sampling_rate` must be a whole number of at least 1"),
    ((SERIES, None, 1), {"sampling_rate": 40}, "`sampling_rate` must be less than the 40 steps"),
    ((SERIES, None, 2), {"start_index": -1}, "`start_index` must be a whole number of at least 0"),
    ((SERIES, None, 2), {"start_index": 40}, "`start_index` must be less than the 40 steps"),
    ((SERIES, None, 2), {"end_index": 40}, "`end_index` must be less than the 40 steps"),
    ((SERIES, None, 2), {"end_index": 0}, "`end_index` must be a whole number of at least 1"),
    ((SERIES, None, 2), {"start_index": 5, "end_index": 5}, "`end_index` must be above `start_index`, got 5 and 5"),
    ((SERIES, None, 2), {"batch_size": 0}, "`batch_size` must be a whole number of at least 1"),
    ((SERIES, None, 2), {"shuffle": "yes"}, "`shuffle` must be True or False"),
    ((SERIES, None, 2), {"shuffle": True, "seed": -1}, "`seed` must be a whole number"),
    ((SERIES, None, 2), {"format": "torch"}, "`format` must be 'tf' or 'grain'"),
])
def test_wrong_settings(arguments, options, text):
    with pytest.raises((ValueError, TypeError), match=text):
        timeseries_dataset_from_array(*arguments, **options)
