"""Optimizers in programs and on weights of one's own: options, schedules, state. For formulas: test_optimizer.py."""
import copy
import json
import threading

import numpy as np
import pytest
from nets import bits, blobs, small_net

import fastnn
from fastnn import constraints, optimizers, testing
from fastnn.layers import Dense
from fastnn.optimizers import schedules

NAMES = ("SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adagrad", "Adadelta", "Adamax", "Lion")
ALL = {"weight_decay": 0.1, "global_clipnorm": 0.5, "use_ema": True, "ema_overwrite_frequency": 3,
       "gradient_accumulation_steps": 2}
PLAIN = {"SGD": ["sgd"], "RMSprop": ["rmsprop"], "Adam": ["adam"], "Nadam": ["nadam", "nadam_product"],
         "Adagrad": ["adagrad"], "Adadelta": ["adadelta"], "Adamax": ["adamax"], "Lion": ["lion"],
         "AdamW": ["decay", "adam"]}


def commits(model):
    """The names of the operations of a step that belong to the optimizer."""
    x, y = blobs(32, 4)
    model.fit(x, y, verbose=0)
    return [o.kernel for o in model.program(True).operations if o.layer == model.optimizer.name]


@pytest.mark.parametrize("name", PLAIN)
def test_no_operation_but_those_needed(name):
    assert commits(small_net(optimizer=getattr(optimizers, name)())) == [*PLAIN[name], "advance"]


def test_operations_in_kerass_order():
    optimizer = optimizers.Adam(clipvalue=0.5, weight_decay=0.1, use_ema=True, gradient_accumulation_steps=2)
    model = small_net(optimizer=optimizer)
    model.layers[0].kernel.constraint = constraints.NonNeg()
    assert commits(model) == ["accumulate", "skip_unless_due", "clip", "decay", "adam", "advance", "weight_average",
                              "clip", "advance"]


@pytest.mark.parametrize("options", [{"clipnorm": 0.1}, {"global_clipnorm": 0.1}, ALL])
@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam"])
def test_same_bits_for_any_number_of_threads(name, options):
    x, y = blobs(64, 4)
    found = set()
    for threads in (1, 2, 3):
        model = small_net(optimizer=getattr(optimizers, name)(**options))
        with testing.forced_threads(threads):
            model.fit(x, y, epochs=2, batch_size=16, verbose=0)
        found.add(bits(model.get_weights()))
    assert len(found) == 1


@pytest.mark.parametrize("options", [{}, ALL])
@pytest.mark.parametrize("name", NAMES)
def test_round_trip_of_settings(name, options):
    optimizer = getattr(optimizers, name)(learning_rate=0.125, name="mine", **options)
    config = optimizer.get_config()
    assert json.loads(json.dumps(config)) == config
    again = type(optimizer).from_config(config)
    assert again.get_config() == config and again.name == "mine"
    assert optimizers.get(optimizers.serialize(optimizer)).get_config() == config
    assert optimizers.get(name.upper()).get_config() == getattr(optimizers, name)().get_config()


@pytest.mark.parametrize("options", [{}, ALL])
@pytest.mark.parametrize("name", NAMES)
def test_state_goes_on_as_if_nothing_had_happened(name, options):
    """Weights and state given to a new net: the next steps have the same bits."""
    x, y = blobs(64, 4)
    first, second = (small_net(optimizer=getattr(optimizers, name)(**options)) for _ in range(2))
    first.fit(x, y, batch_size=8, verbose=0)
    state = first.optimizer.state()
    assert state["iterations"].tolist() == [8] and all(isinstance(v, np.ndarray) for v in state.values())
    slots = len(first.optimizer.slot_names) + len(first.optimizer.option_slots)
    assert sum(key.endswith("/dense/kernel") for key in state) == slots
    second.set_weights(first.get_weights())
    second.optimizer.build(second.trainable_weights)
    second.optimizer.set_state(state)
    for model in (first, second):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert bits(first.get_weights()) == bits(second.get_weights())
    assert bits(first.optimizer.variables) == bits(second.optimizer.variables)
    assert state["iterations"].tolist() == [8], "a copy"


def test_a_state_that_is_wrong_changes_nothing():
    model = small_net()
    x, y = blobs(32, 4)
    model.fit(x, y, verbose=0)
    optimizer, state = model.optimizer, model.optimizer.state()
    before = bits(optimizer.variables)
    key = "velocity/dense/kernel"
    for wrong in (state | {key: state[key][:1]}, state | {"new": state[key]}, {"iterations": np.array([3])},
                  state | {key: state[key].astype(int)}, state | {"iterations": np.array([-1])},
                  state | {"iterations": np.array([0.5])}):
        with pytest.raises(ValueError, match="state"):
            optimizer.set_state(wrong)
        assert bits(optimizer.variables) == before
    with pytest.raises(ValueError, match="build"):
        optimizers.Adam().set_state(state)


def test_two_layers_of_one_name_have_their_own_state():
    layers = [Dense(2, name="same"), Dense(3, name="same")]
    for layer, n in zip(layers, (4, 2)):
        layer.build((None, n))
    optimizer = optimizers.Adam()
    optimizer.build([w for layer in layers for w in layer.trainable_weights])
    shapes = sorted(v.shape for k, v in optimizer.state().items() if k.startswith("momentum/same/kernel"))
    assert shapes == [(2, 3), (4, 2)]


# steps of one's own

@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"clipnorm": 0.5, "weight_decay": 0.1, "use_ema": True}, ALL])
@pytest.mark.parametrize("name", NAMES)
def test_arrays_and_variables_take_the_same_steps(name, options, dtype):
    rng = np.random.default_rng(0)
    layer = Dense(3, dtype=dtype)
    layer.build((None, 5))
    arrays = [w.copy() for w in layer.get_weights()]
    scalar = np.array(0.5, dtype)
    first, second = (getattr(optimizers, name)(learning_rate=0.1, **options) for _ in range(2))
    for step in range(6):
        gradients = [rng.standard_normal(a.shape) for a in arrays]
        assert first.apply_gradients(zip(gradients, layer.trainable_weights)) == step + 1
        second.apply([*gradients, 0.0], [*arrays, scalar])
    for array, weights in zip(arrays, layer.get_weights()):
        np.testing.assert_array_equal(array, weights) if "global_clipnorm" not in options else \
            np.testing.assert_allclose(array, weights, rtol=1e-5)
    assert second.iterations == 6


def test_apply_is_what_fit_does():
    """A step of fit, and the same gradients applied by hand."""
    x, y = blobs(32, 4)
    one, other = small_net(), small_net()
    before = one.get_weights()
    one.compile(optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    one.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    gradients = [a - b for a, b in zip(before, one.get_weights())]
    third = small_net()
    third.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    other.optimizer.apply_gradients(zip(gradients, other.trainable_weights))
    for a, b in zip(third.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, atol=2e-5)
    other.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    assert other.optimizer.iterations == 2, "fit goes on with the same state"
    other.optimizer.apply_gradients(zip(gradients, other.trainable_weights))
    assert other.optimizer.iterations == 3


def test_views_of_one_memory_have_one_state():
    """The state belongs to the memory: a new view in every step is no new array."""
    both, whole = np.ones((2, 3)), np.ones((2, 3))
    first, second = optimizers.Adam(0.1), optimizers.Adam(0.1)
    for step in range(20):
        gradient = np.full((2, 3), step - 10.0)
        first.apply(list(gradient), list(both))
        second.apply([gradient], [whole])
    np.testing.assert_array_equal(both, whole)
    assert len(first.state()) == 1 + 2 * 2 and len(first._applied._programs) <= 8


def test_a_weight_without_gradient_rests():
    a, b = np.ones(3, "float32"), np.ones(2, "float32")
    optimizer = optimizers.SGD(0.5)
    optimizer.build([a, b])
    with pytest.warns(UserWarning, match="array 1"):
        optimizer.apply([np.ones(3), None])
    assert a.tolist() == [0.5] * 3 and b.tolist() == [1, 1] and optimizer.iterations == 1
    optimizer.apply([], [])
    assert optimizer.iterations == 1


def test_loss_scale():
    w = np.ones(2)
    optimizer = optimizers.SGD(1.0, loss_scale_factor=4.0)
    optimizer.apply([np.full(2, 2.0)], [w])
    assert w.tolist() == [0.5, 0.5] and optimizer.scale_loss(3.0) == 12.0


def test_constraints_of_variables_hold_in_steps_of_ones_own():
    layer = Dense(2, kernel_constraint="non_neg")
    layer.build((None, 2))
    optimizers.SGD(10.0).apply_gradients([(np.ones((2, 2)), layer.kernel)])
    assert (layer.kernel.numpy() == 0).all()


def test_steps_of_several_threads_on_arrays_of_their_own():
    """Each optimizer has its own weights; programs are planned and run side by side."""
    results = []

    def work(seed):
        w, optimizer = np.full(5, float(seed)), optimizers.Adam(0.1)
        for _ in range(200):
            optimizer.apply([w.copy()], [w])
        results.append((seed, w.copy()))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    [w.start() for w in workers], [w.join() for w in workers]
    assert len(results) == 4 and all(np.isfinite(w).all() and abs(w).max() < seed for seed, w in results)


# options in fit

def test_accumulated_batches_are_one_batch():
    """Four batches of 8 accumulated and one of 32 give the same step."""
    x, y = blobs(32, 4)
    one, four = (small_net(optimizer=optimizers.SGD(0.5, gradient_accumulation_steps=n)) for n in (None, 4))
    start = bits(four.get_weights())
    four.fit(x[:24], y[:24], batch_size=8, shuffle=False, verbose=0)
    assert bits(four.get_weights()) == start
    four.fit(x[24:], y[24:], batch_size=8, shuffle=False, verbose=0)
    one.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    for a, b in zip(one.get_weights(), four.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert four.optimizer.iterations == 4 and four.optimizer.vectors["updates"].data[0] == 1


def test_accumulation_shuffles_anew_every_epoch():
    """The step number, of which order and dropout are functions, counts every batch."""
    x, y = blobs(32, 4)
    model = small_net(optimizer=optimizers.SGD(0.0, gradient_accumulation_steps=64))
    assert model.fit(x, y, batch_size=8, epochs=3, verbose=0) and model.optimizer.iterations == 12


def test_averages_become_the_weights_at_the_end_of_fit_only():
    x, y = blobs(32, 4)
    seen = []
    for callbacks in (None, [fastnn.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(1))]):
        model = small_net(optimizer=optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9))
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
        state = model.optimizer.state()
        for w in model.trainable_weights:
            assert (state[f"average/{w.path}"] == w.numpy()).all()
    untouched = small_net(optimizer=optimizers.SGD(0.5, use_ema=True))
    before = bits(untouched.get_weights())
    untouched.optimizer.finalize_variable_values(untouched.trainable_weights)
    assert bits(untouched.get_weights()) == before, "no average before the first step"


def test_excluded_weights_do_not_decay():
    layer = Dense(2)
    layer.build((None, 2))
    layer.set_weights([np.ones((2, 2)), np.ones(2)])
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[layer.kernel])
    optimizer.apply_gradients([(np.zeros((2, 2)), layer.kernel), (np.zeros(2), layer.bias)])
    assert (layer.kernel.numpy() == 1).all() and (layer.bias.numpy() == 0.5).all()
    with pytest.raises(ValueError, match="first step"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_frozen_layers_are_left_alone_by_all_options():
    x, y = blobs(32, 4)
    model = small_net(optimizer=optimizers.Adam(0.5, **ALL))
    model.layers[0].trainable = False
    before = bits(model.layers[0].get_weights()), bits(model.layers[1].get_weights())
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert bits(model.layers[0].get_weights()) == before[0] and bits(model.layers[1].get_weights()) != before[1]


# learning rates

def test_rate_as_a_number():
    optimizer = optimizers.SGD(0.25)
    assert optimizer.learning_rate == 0.25 and optimizer.learning_rate.numpy() == np.float32(0.25)
    optimizer.learning_rate.assign(0.5)
    assert optimizer.learning_rate == 0.5 and optimizer.get_config()["learning_rate"] == 0.5
    optimizer.learning_rate = np.float32(2.0)
    assert optimizer.rates(3).tolist() == [2.0] * 3
    assert copy.copy(optimizer).learning_rate == 2.0


def test_rate_as_a_function():
    calls = []
    optimizer = optimizers.SGD(lambda: calls.append(1) or 0.5)
    assert optimizer.rates(2).tolist() == [0.5, 0.5] and len(calls) == 2
    by_step = optimizers.SGD(lambda step: 1 / (1 + step))
    x, y = blobs(16, 4)
    model = small_net(optimizer=by_step)
    model.fit(x, y, batch_size=8, verbose=0)
    assert by_step.learning_rate == 1 / 3 and by_step.rates(2).tolist() == [1 / 3, 1 / 4]
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="learning_rate"):
            optimizers.SGD(lambda wrong=wrong: wrong).rates(1)


EXAMPLES = [
    schedules.ExponentialDecay(0.5, 20, 0.7), schedules.ExponentialDecay(0.5, 20, 0.7, staircase=True),
    schedules.InverseTimeDecay(0.5, 16, 0.5, True), schedules.PiecewiseConstantDecay([3, 7], [1.0, 0.5, 0.1]),
    schedules.PolynomialDecay(0.5, 16, 0.1, 2.0, cycle=True), schedules.CosineDecay(0.1, 32, 0.1, "mine", 0.5, 10),
    schedules.CosineDecayRestarts(0.5, 8, 1.5, 0.7, 0.1)]


@pytest.mark.parametrize("schedule", EXAMPLES, ids=lambda s: type(s).__name__)
def test_schedules_by_number_by_array_by_stretch(schedule):
    one_by_one = [schedule(step) for step in range(100)]
    assert one_by_one == schedule(np.arange(100)).tolist() == schedule.rates(0, 100).tolist()
    assert schedule.rates(10, 5).tolist() == one_by_one[10:15]
    assert float(schedule(3).numpy()) == pytest.approx(one_by_one[3])
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert type(again) is type(schedule) and again.rates(0, 100).tolist() == one_by_one
    optimizer = optimizers.Adam(schedule)
    assert optimizer.rates(100).tolist() == one_by_one and optimizer.learning_rate == one_by_one[0]
    assert optimizers.get(optimizers.serialize(optimizer)).rates(100).tolist() == one_by_one


def test_schedule_rules_every_step_of_fit():
    """SGD with a schedule, and with its rates assigned one by one, end with the same bits."""
    x, y = blobs(32, 4)
    schedule = schedules.CosineDecay(0.5, 6)
    first, second = small_net(optimizer=optimizers.SGD(schedule)), small_net(optimizer=optimizers.SGD(0.1))
    first.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    for step in range(6):
        second.optimizer.learning_rate = float(schedule(step))
        half = slice(16 * (step % 2), 16 * (step % 2) + 16)
        second.fit(x[half], y[half], batch_size=16, shuffle=False, verbose=0)
    assert bits(first.get_weights()) == bits(second.get_weights())


class Halving(schedules.LearningRateSchedule):
    """A schedule of a user's: for numbers only."""

    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start if step < 2 else self.start / 2


class Delayed(schedules.ExponentialDecay):
    """A schedule of fastnn's, changed by a user."""

    def __call__(self, step):
        return super().__call__(max(0, int(step) - 2))


def test_schedules_of_ones_own():
    assert optimizers.SGD(Halving(1.0)).rates(4).tolist() == [1, 1, 0.5, 0.5]
    with fastnn._describe.custom_object_scope({"Halving": Halving}):
        again = optimizers.get(optimizers.serialize(optimizers.SGD(Halving(1.0))))
    assert again.rates(4).tolist() == [1, 1, 0.5, 0.5]
    assert optimizers.SGD(Delayed(1.0, 1, 0.5)).rates(4).tolist() == [1, 1, 1, 0.5]
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)


def test_assigning_over_a_schedule_is_refused():
    optimizer = optimizers.SGD(EXAMPLES[0])
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = EXAMPLES[1]
    assert optimizer.rates(1).tolist() == [0.5]


def test_variables_lists_what_a_step_changes():
    model = small_net(optimizer=optimizers.Nadam())
    x, y = blobs(16, 4)
    model.fit(x, y, verbose=0)
    variables = model.optimizer.variables
    assert len(variables) == 2 + 1 + 2 * 6 and int(variables[0].numpy()[0]) == 1
    assert len(optimizers.Nadam(EXAMPLES[0]).variables) == 2


def test_profile_leaves_state_as_it_was():
    model = small_net(optimizer=optimizers.Nadam(**ALL))
    x, y = blobs(16, 4)
    model.fit(x, y, verbose=0)
    before = bits(model.get_weights()), bits(model.optimizer.state().values())
    model.profile(x, y, repeats=5)
    assert (bits(model.get_weights()), bits(model.optimizer.state().values())) == before
