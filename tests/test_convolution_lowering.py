"""What is planned for convolution layers: epilogues, phases, products, flops."""
import numpy as np
import pytest

import fastnn
from fastnn.layers import (
    Activation,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
)


def net(*layers, shape=(8, 7, 3), loss="mse"):
    model = fastnn.Sequential([fastnn.Input(shape), *layers])
    model.compile("sgd", loss)
    return model


def names(model, training=False):
    """What each operation of the model is called, with what is fused into it."""
    from fastnn.program.show import describe
    return [describe(o) for o in model.program(training=training).operations]


def test_bias_and_activation_are_in_the_epilogue():
    found = names(net(Conv2D(4, 3, activation="relu"), Conv2D(4, 3, strides=2), Activation("tanh")))
    assert [n for n in found if n not in ("gather", "scatter")] == [
        "convolution 3×3 + bias + relu", "convolution 3×3 + bias + tanh"]


def test_batch_normalization_is_in_the_epilogue_at_inference():
    model = net(Conv2D(4, 3, use_bias=False), BatchNormalization(), Activation("relu"))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    assert "convolution 3×3 + scale + shift + relu" in names(model)
    assert not {"scale_shift", "relu_forward"} & set(names(model))
    x = rng.standard_normal((3, 8, 7, 3)).astype("float32")
    steps = x
    for layer in model.layers:
        steps = layer(steps)
    np.testing.assert_allclose(model.predict(x, verbose=0), steps, rtol=1e-5, atol=1e-5)


def test_the_derivative_of_an_activation_is_in_the_epilogue():
    found = names(net(Conv2D(4, 3, activation="relu"), Conv2D(4, 2, activation="tanh"), Conv2D(4, 3)), training=True)
    assert "convolution 2×2 * relu'" in found and "convolution 3×3 * tanh'" in found
    assert not {"relu_backward", "tanh_backward"} & set(found)


def test_what_several_operations_write_is_not_fused():
    """The gradient under a convolution with strides comes in phases, and so does a transposed convolution."""
    model = net(Conv2D(4, 3, activation="relu"), Conv2D(4, 3, strides=2), Flatten(), Dense(1))
    found = names(model, training=True)
    assert "relu_backward" in found and sum(n.startswith("convolution 2×2") for n in found) == 1
    found = names(net(Conv2DTranspose(4, 3, strides=2, activation="relu")))
    assert "relu_forward" in found and found.count("turn_filters") == 4


@pytest.mark.parametrize(("layer", "shape", "phases"), [
    (Conv1DTranspose(1, 1, strides=20000, padding="same"), (1, 1), 1), (Conv2DTranspose(1, 2, 500), (1, 1, 1), 4),
    (Conv2DTranspose(2, 3, 5), (4, 3, 2), 9), (Conv2DTranspose(2, 4, 4), (4, 3, 2), 16),
    (Conv2DTranspose(2, (3, 9), (5, 4)), (4, 3, 2), 12)])
def test_phases_share_their_memory_and_those_without_elements_are_one(layer, shape, phases):
    """So that neither operations nor buffers grow with the strides."""
    operations = [o for o in net(layer, shape=shape).program().operations if o.kernel == "convolution"]
    assert sum(o.sizes[7] * o.sizes[8] > 0 for o in operations) == phases
    assert len(operations) == phases + any(s > k for s, k in zip(layer.strides, layer.kernel_size))
    assert len({o.outputs[0] for o in operations}) == 1
    assert len({o.inputs[1].root for o in operations if o.sizes[7]}) == 1


def test_filters_are_turned_once_a_call_where_they_do_not_change():
    model = net(Conv2D(4, 3, activation="relu"), Conv2DTranspose(2, 3))
    for training, phase in ((False, "head"), (True, "body")):
        turned = [o for o in model.program(training=training).operations if o.kernel == "turn_filters"]
        assert [o.phase for o in turned] == [phase]
    model.layers[1].trainable = False
    turned = [o for o in model.program(training=True).operations if o.kernel == "turn_filters"]
    assert [o.phase for o in turned] == ["head"]


def test_what_is_a_product_becomes_one():
    model = net(Conv2D(4, 1, activation="relu"), Conv2D(5, (8, 7)))
    found = names(model)
    assert [n for n in found if n not in ("gather", "scatter")] == ["matmul + bias + relu", "matmul + bias"]
    assert not any(n.startswith("convolution") for n in names(model, training=True))
    assert "matmul + bias" in names(net(Conv1D(4, 3, strides=3), shape=(12, 2)))
    assert "matmul + bias" not in names(net(Conv1D(4, 3, strides=3), shape=(13, 2)))


def test_flops_are_counted():
    operations = net(Conv2D(4, 3, groups=1), Flatten(), Dense(1), shape=(8, 7, 2)).program().operations
    assert next(o for o in operations if o.kernel == "convolution").flops(10) == 2 * 10 * 6 * 5 * 9 * 2 * 4
    operations = net(Conv2D(4, 3, groups=2), shape=(8, 7, 2)).program().operations
    assert next(o for o in operations if o.kernel == "convolution").flops(10) == 2 * 10 * 6 * 5 * 9 * 4
    operations = net(DepthwiseConv2D(3, depth_multiplier=2), shape=(8, 7, 2)).program().operations
    assert next(o for o in operations if o.kernel == "depthwise_forward").flops(10) == 2 * 10 * 6 * 5 * 9 * 4


def test_what_nobody_reads_is_not_computed():
    from fastnn.program import Lowering, PerRow, Program
    build = Lowering(False, "float32")
    x = build.gather((3,), "x")
    unread, further, y = (build.value((3,), name=n) for n in ("unread", "further", "y"))
    for source, target in ((x, unread), (unread, further), (x, y)):
        build.emit("relu_forward", [source], [target], [PerRow(3)])
    build.scatter(y, "y")
    assert [o.kernel for o in Program(build, "test").operations] == ["gather", "relu_forward", "scatter"]
