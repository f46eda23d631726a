"""Lowering, fusion, the memory plan, frames, printing and profiles."""
import numpy as np
import pytest
from nets import blobs, deep_net, small_net

import fastnn
from fastnn import testing
from fastnn.layers import Activation, BatchNormalization, Dense, Dropout, Flatten
from fastnn.program import Lowering, PerRow, Program, debug, memory
from fastnn.program import program as program_module
from fastnn.program.ir import Operation, Value
from fastnn.program.show import describe
from fastnn.testing import run_kernel


def labels(program):
    return [describe(o) for o in program.operations]


def chain(*layers, features=6):
    fastnn.backend.clear_session()
    return fastnn.Sequential([fastnn.Input((features,)), *layers])


def test_bias_and_activation_go_into_the_matmul():
    model = chain(Dense(8, activation="relu"), Dense(5), Activation("sigmoid"), Flatten(), Activation("tanh"))
    assert labels(model.program()) == [
        "gather", "matmul + bias + relu", "matmul + bias + sigmoid", "tanh_forward", "scatter"]


def test_batch_normalisation_at_inference_goes_into_the_matmul():
    before = chain(Dense(8, activation="relu"), BatchNormalization(),
                   Dense(4), BatchNormalization(), Activation("relu"))
    assert labels(before.program(training=False)) == [
        "batch_normalization_constants", "batch_normalization_constants", "gather",
        "matmul + bias + relu + scale + shift", "matmul + bias + scale + shift + relu", "scatter"]


def test_dropout_is_nothing_at_inference():
    assert labels(chain(Dense(8), Dropout(0.5)).program()) == ["gather", "matmul + bias", "scatter"]


def test_derivatives_and_crossentropy_are_fused_in_training():
    steps = labels(small_net().program())
    assert steps.count("matmul ABᵀ * relu'") == 2
    assert "softmax_forward" not in steps and "relu_backward" not in steps
    assert "softmax_crossentropy_sparse" in steps
    first = [o for o in small_net().program().operations if o.kernel == "matmul" and o.layer == "dense"]
    assert not any(o.flags & 2 for o in first), "the first layer needs no gradient of its input"


def test_a_value_that_two_read_is_not_fused_away():
    build = Lowering(False, "float32")
    x = build.gather((4,), "x")
    kernel = build.value((4, 4), batched=False)
    build.emit("fill", [], [kernel], [16], [1.0], phase="head")
    z = build.value((4,))
    build.matmul(x, kernel, z, PerRow(1), 4, 4)
    y = fastnn.activations.relu.lower(build, z)
    total = build.value((4,))
    build.emit("add", [y, z], [total], [total.elements()])
    build.scatter(total, "output")
    program = Program(build, "two readers")
    assert "relu_forward" in labels(program)
    rows = np.array([[1, -2, 3, 1], [-1, -1, 0, 1]], "float32")
    output = np.empty_like(rows)
    program.run([rows, output], 2, 2)
    z = rows.sum(1, keepdims=True).repeat(4, 1)
    assert np.array_equal(output, np.maximum(z, 0) + z)


def test_commits_come_last():
    phases = [o.phase for o in deep_net().program().operations]
    assert phases == sorted(phases, key=["head", "body", "commit"].index)
    assert {"moving_average", "adam", "advance", "add_counter"} == \
        {o.kernel for o in deep_net().program().operations if o.phase == "commit"}


def test_a_frozen_batch_normalisation_between_layers_passes_the_right_gradient():
    """What is fused into an earlier matmul must be known by then: against the same net not fused."""
    x, y = blobs(32)

    def kernel(fused, monkeypatch):
        with monkeypatch.context() as patch:
            if not fused:
                patch.setattr(program_module, "fuse", lambda operations: operations)
            fastnn.random.set_seed(3)
            fastnn.backend.clear_session()
            model = fastnn.Sequential([fastnn.Input((20,)), Dense(8, activation="relu"), BatchNormalization(), Dense(6),
                                       Activation("tanh"), Dropout(0.2), Dense(3, activation="softmax")])
            model.layers[1].set_weights([np.full(8, n) for n in (2.0, 0.5, 0.1, 1.5)])
            model.layers[1].trainable = False
            model.compile(fastnn.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
            model.fit(x, y, epochs=3, verbose=0)
            return model.get_weights()

    monkeypatch = pytest.MonkeyPatch()
    for a, b in zip(kernel(True, monkeypatch), kernel(False, monkeypatch)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_random_nets_train_alike_fused_and_not(seed, monkeypatch):
    """Fusion changes no result: random chains of every layer, some frozen, one step in float64."""
    def weights(fused):
        rng = np.random.default_rng(seed)
        fastnn.random.set_seed(seed)
        fastnn.backend.clear_session()
        chosen = rng.integers(0, 5, 6)
        made = {0: lambda: Dense(5), 1: lambda: Dense(4, activation=["relu", "tanh", "sigmoid"][rng.integers(3)]),
                2: lambda: BatchNormalization(), 3: lambda: Activation("tanh"), 4: lambda: Dropout(0.3)}
        model = fastnn.Sequential([fastnn.Input((6,)), *[made[k]() for k in chosen], Dense(3)], dtype="float64")
        for layer in model.layers[:-1]:
            layer.trainable = bool(rng.integers(0, 2))
        with monkeypatch.context() as patch:
            if not fused:
                patch.setattr(program_module, "fuse", lambda operations: operations)
            model.compile(fastnn.optimizers.SGD(0.1), "mse")
            model.fit(rng.standard_normal((9, 6)), rng.standard_normal((9, 3)), epochs=2, batch_size=4, verbose=0)
        return model.get_weights()
    for a, b in zip(weights(True), weights(False)):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_buffers_alive_together_never_overlap(seed):
    rng = np.random.default_rng(seed)
    values = [Value((int(n),), "float32", False) for n in rng.integers(0, 5000, 60)]
    operations = [Operation("fill", "float32", [], [v], [v.size], [0.0]) for v in values]
    for _ in range(100):
        chosen = rng.choice(len(values), 3)
        operations.append(Operation("add", "float32", [values[i] for i in chosen[:2]], [values[chosen[2]]]))
    alive = memory.lifetimes(operations)
    n_bytes = {v: v.n_bytes(1) for v in alive}
    offsets, size = memory.plan(alive, n_bytes)
    used = list(alive)
    for i, a in enumerate(used):
        assert offsets[a] % memory.ALIGNMENT == 0 and offsets[a] + n_bytes[a] <= size
        for b in used[:i]:
            together = alive[a][0] <= alive[b][1] and alive[b][0] <= alive[a][1]
            apart = offsets[a] + n_bytes[a] <= offsets[b] or offsets[b] + n_bytes[b] <= offsets[a]
            assert apart or not together or not (n_bytes[a] and n_bytes[b])
    peak = max(sum(n_bytes[v] for v, (first, last) in alive.items() if first <= i <= last)
               for i in range(len(operations)))
    assert size <= 2 * peak + 64 * 60


def test_the_arena_of_a_deep_net_is_smaller_than_the_sum_of_its_buffers():
    layers = [Dense(256, activation="relu") for _ in range(20)]
    program = chain(*layers).program()
    plan = program.plan(32)
    total = sum(plan.n_bytes.values())
    if not debug.ENABLED:
        assert plan.arena_bytes < total / 5


def test_a_program_serves_any_number_of_rows():
    model = deep_net()
    x, _ = blobs(1000)
    program = model.program(training=False)
    small = model.predict(x[:3], verbose=0)
    plan = program.plan(3)
    large = model.predict(x, batch_size=1000, verbose=0)
    assert program.plan(3).capacity == 1000 and program.plan(3) is not plan
    assert model.program(training=False) is program
    assert np.array_equal(large[:3], small)


def test_a_run_without_all_arrays_is_refused():
    frame = small_net().program(training=False).plan(3).acquire()
    x = np.zeros((3, 4), "float32")
    for arrays in ([], [x]):
        with pytest.raises(ValueError, match=f"needs 2 arrays, got {len(arrays)}"):
            frame.run(arrays, 3, 3, 0, 1)
    with pytest.raises(ValueError, match="needs 2 arrays, got 1"):
        testing.run_kernel("gather", [x], [3, 4, 1], arrays=[x])


def test_printing_shows_every_operation():
    model = deep_net()
    text = str(model.program())
    lines = text.splitlines()
    n = len(model.program().operations)
    assert lines[0] == f"sequential: training step: {n} operations, float32, any number of rows"
    assert len(lines) == len(model.program().operations) + 4
    assert "rows×20 20×64 64 -> rows×64" in text and "dense/kernel" in text and "adam" in text


def test_profile_measures_and_leaves_the_model_alone():
    x, y = blobs()
    model = deep_net()
    model.fit(x, y, verbose=0)
    before = [w.tobytes() for w in model.get_weights()], model.optimizer.iterations
    profile = model.profile(x, y, repeats=5)
    assert ([w.tobytes() for w in model.get_weights()], model.optimizer.iterations) == before
    assert profile.seconds.min() >= 0 and profile.seconds.sum() > 0
    assert str(profile).count("\n") >= len(profile.seconds)


def test_gradients_that_meet_are_added():
    """A value read twice: d(x·x)/dx by two matmuls whose gradients meet at the shared layer's weights."""
    fastnn.backend.clear_session()
    shared = Dense(5, activation="tanh", use_bias=False)
    x = np.random.default_rng(0).standard_normal((6, 5))
    fastnn.backend.set_floatx("float64")
    try:
        shared = Dense(5, activation="tanh", use_bias=False)
        twice = Twice(shared)
        from layer_checks import check_gradients
        shared.ensure_built((None, 5))
        check_gradients(twice, x.shape)
    finally:
        fastnn.backend.set_floatx("float32")


class Twice(fastnn.Layer):
    """One layer applied twice: its weights receive two gradients."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    @property
    def weights(self):
        return self.inner.weights

    def lower(self, build, x, mask=None):
        y, mask = self.inner.lower(build, x, mask)
        return self.inner.lower(build, y, mask)


def overrun(run_python, body):
    code = f"""
import numpy as np
from fastnn.program import Lowering, Program, PerRow
build = Lowering(False, "float32")
x = build.gather((32,), "x")
{body}
x = np.ones((32, 32), "float32")
output = np.empty((32, 32), "float32")
Program(build, "planted").run([x, output], 32, 32)
print(np.isnan(output).any())
"""
    return run_python(code, FASTNN_DEBUG="1")


def test_debug_stops_an_overrun_by_one_element(run_python):
    good = 'y = build.value((32,)); build.emit("relu_forward", [x], [y], [PerRow(32)]); build.scatter(y, "output")'
    assert overrun(run_python, good).stdout == "False\n"
    planted = good.replace("[PerRow(32)]", "[32 * 32 + 1]")
    assert overrun(run_python, planted).returncode == -11


def test_debug_shows_a_value_read_before_it_is_written(run_python):
    planted = 'y = build.value((32,)); build.emit("relu_forward", [x], [y], [PerRow(31)]); build.scatter(y, "output")'
    assert overrun(run_python, planted).stdout == "True\n"


def test_a_program_that_reads_what_nothing_writes_is_refused(run_python):
    planted = 'y = build.value((32,)); build.scatter(y, "output"); build.emit("relu_forward", [x], [y], [PerRow(32)])'
    assert "which no operation before it writes" in overrun(run_python, planted).stderr


@pytest.mark.parametrize("index", [-1, 8, 4000])
def test_an_operation_on_an_array_that_no_run_takes_is_refused(index):
    with pytest.raises(ValueError, match=f"gather: a program takes at most 8 arrays.*got number {index}"):
        run_kernel("gather", [np.empty(4, "float32")], [1, 4, index], arrays=[np.ones((1, 4), "float32")])


def test_a_program_of_too_many_arrays_is_refused():
    build = Lowering(False, "float32")
    values = [build.gather((4,), f"array {i}") for i in range(9)]
    total = build.value((4,))
    for value in values:
        build.emit("add", [value, values[0]], [total], [total.elements()])
        build.scatter(total, "output")
    with pytest.raises(ValueError, match="at most 8 arrays"):
        Program(build, "wide").plan(1)
    with pytest.raises(ValueError, match="at most 8 arrays, got 9"):
        run_kernel("gather", [np.empty(4, "float32")], [1, 4, 0], arrays=[np.ones((1, 4), "float32")] * 9)
