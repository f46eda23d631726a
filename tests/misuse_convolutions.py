"""What users do wrong with convolution layers: {what: (call on a workbench, words of the text)}."""
import numpy as np
from misuse_layers import case, twice

import fastnn
from fastnn import layers
from fastnn.layers import Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv1D

IMAGES = np.ones((2, 5, 4, 6), "float32")
STEPS = np.ones((2, 5, 6), "float32")


def any_size(*chain):
    """A net for images of any size."""
    return fastnn.Sequential([fastnn.Input((None, None, 3)), *chain])


def deep():
    """A net whose images become smaller than the kernel."""
    model = fastnn.Sequential([fastnn.Input((8, 8, 1)), *[Conv2D(2, 3, name=f"conv_{i}") for i in range(4)]])
    return model.summary()


CASES = {
    "Conv2D: no filters": case(lambda: Conv2D(0, 3), "Conv2D", "`filters`", "positive int", "got 0"),
    "Conv2D: filters that are a fraction": case(lambda: Conv2D(2.5, 3), "`filters`", "positive int", "2.5"),
    "Conv2D: filters as a word": case(lambda: Conv2D("32", 3), "`filters`", "positive int", "'32'"),
    "Conv2D: a kernel of size 0": case(lambda: Conv2D(2, (3, 0)), "`kernel_size`", "positive int", "(3, 0)"),
    "Conv2D: a kernel of three sizes": case(lambda: Conv2D(2, (3, 3, 3)), "`kernel_size`", "2 of them", "(3, 3, 3)"),
    "Conv1D: a kernel of two sizes": case(lambda: Conv1D(2, (3, 3)), "Conv1D", "`kernel_size`", "(3, 3)"),
    "Conv2D: strides of 0": case(lambda: Conv2D(2, 3, strides=0), "`strides`", "positive int", "got 0"),
    "Conv2D: negative strides": case(lambda: Conv2D(2, 3, (1, -1)), "`strides`", "(1, -1)"),
    "Conv2D: a dilation of 0": case(lambda: Conv2D(2, 3, dilation_rate=0), "`dilation_rate`", "got 0"),
    "Conv2D: strides and dilation": case(lambda: Conv2D(2, 3, 2, dilation_rate=(1, 2)), "`strides`", "`dilation_rate`",
                                         "(2, 2)", "(1, 2)", "leave one"),
    "Conv2D: strides beyond those of kernels": case(lambda: Conv2D(4, 3, strides=2**70), "Conv2D", "`strides`",
                                                    "1180591620717411303424", "at most 2**31 - 1"),
    "Conv1D: a dilation beyond those of kernels": case(lambda: Conv1D(1, 3, dilation_rate=2**61), "Conv1D",
                                                       "`dilation_rate`", "at most 2**31 - 1"),
    "Conv2D: more weights than memory has": case(lambda: Conv2D(4, 2**31 - 1, padding="same", name="conv")(IMAGES),
                                                 "'conv'", "(2147483647, 2147483647, 6, 4)", "2**40"),
    "Conv2DTranspose: an output larger than memory": case(
        lambda: Conv2DTranspose(1, 2, strides=2**31 - 1, name="conv")(IMAGES), "'conv'", "an output of shape", "2**40"),
    "Conv2DTranspose: too many phases": case(
        lambda: Conv2DTranspose(1, 200, strides=200, name="conv")(IMAGES), "'conv'", "`strides`", "`kernel_size`",
        "16384", "40000", "smaller strides"),
    "Conv2D: an unknown padding": case(lambda: Conv2D(2, 3, padding="full"), "`padding`", "'valid' or 'same'",
                                       "'full'"),
    "Conv2D: causal padding": case(lambda: Conv2D(2, 3, padding="causal"), "`padding`", "'causal'", "Conv1D"),
    "Conv1D: padding as a number": case(lambda: Conv1D(2, 3, padding=1), "`padding`", "'causal'", "got 1"),
    "Conv2D: an unknown data format": case(lambda: Conv2D(2, 3, data_format="NHWC"), "`data_format`",
                                           "'channels_last'", "'NHWC'"),
    "Conv2D: groups that do not divide the filters": case(lambda: Conv2D(8, 3, groups=3), "`groups`", "`filters`",
                                                          "groups=3", "filters=8"),
    "Conv2D: groups that do not divide the channels": case(
        lambda: Conv2D(8, 3, groups=4, name="conv")(IMAGES), "'conv'", "`groups`", "groups=4", "6 channels"),
    "Conv2D: a kernel larger than the image": case(
        lambda: Conv2D(2, 5, name="conv")(IMAGES), "'conv'", "(None, 5, 4, 6)", "kernel_size=(5, 5)", "'same'"),
    "Conv1D: a dilated kernel longer than the sequence": case(
        lambda: Conv1D(2, 3, dilation_rate=3, name="conv")(STEPS), "'conv'", "(None, 5, 6)", "dilation_rate=(3,)"),
    "Conv2D: images that become too small": case(deep, "'conv_3'", "(None, 2, 2, 2)", "kernel_size=(3, 3)"),
    "Conv2D: images without a row": case(lambda: Conv2D(2, 3, name="conv")(IMAGES[:, :0]), "'conv'", "(None, 0, 4, 6)",
                                         "an element"),
    "Conv2D: images without a channel axis": case(
        lambda: Conv2D(2, 3, name="conv")(IMAGES[..., 0]), "'conv'", "rank 4", "(2, 5, 4)", "x[..., None]"),
    "Conv2D: one image": case(lambda: Conv2D(2, 3, name="conv")(IMAGES[0]), "'conv'", "rank 4", "(5, 4, 6)", "x[None]"),
    "Conv2D: an Input without channels": case(
        lambda: fastnn.Sequential([fastnn.Input((28, 28)), Conv2D(2, 3, name="conv")]), "'conv'", "(None, 28, 28)",
        "Input((28, 28, 1))"),
    "Conv2D: an Input without channels, which are first": case(
        lambda: fastnn.Sequential([fastnn.Input((28, 28)), Conv2D(2, 3, data_format="channels_first", name="conv")]),
        "x[:, None]", "Input((1, 28, 28))"),
    "Conv2D: too small among images of any size": case(
        lambda: any_size(Conv2D(2, 3, name="conv")).predict(IMAGES[:, :2, :, :3]), "'conv'", "(None, 2, 4, 3)",
        "kernel_size=(3, 3)"),
    "Conv2D: Dense behind images of any size": case(
        lambda: any_size(Conv2D(2, 3), layers.Flatten(), layers.Dense(1, name="dense")), "'dense'",
        "(None, None)", "Flatten", "Input", "pooling"),
    "Conv2D: channels of any number": case(
        lambda: fastnn.Sequential([fastnn.Input((8, 8, None)), Conv2D(2, 3, name="conv")]), "'conv'", "channels",
        "(None, 8, 8, None)"),
    "Conv2D: an image of another size": case(
        lambda: fastnn.Sequential([fastnn.Input((8, 8, 6)), Conv2D(2, 3)]).predict(IMAGES), "(rows, 8, 8, 6)",
        "(2, 5, 4, 6)", "Input((None, None, 6))"),
    "the program of a model for images of any size": case(
        lambda: any_size(Conv2D(2, 3)).program(training=False), "(None, None, None, 3)", "predict"),
    "Conv2D: a dtype of half the size": case(lambda: Conv2D(2, 3, dtype="float16"), "Conv2D", "`dtype`", "'float16'"),
    "Conv2D: a policy for a dtype": case(lambda: Conv2D(2, 3, dtype="mixed_bfloat16"), "Conv2D", "`dtype`", "'float32'",
                                         "'mixed_bfloat16'"),
    "Conv2D: build without a shape": case(lambda: Conv2D(2, 3, name="conv").build(None), "'conv'", "`input_shape`",
                                          "None"),
    "Conv2D: a shape with a word": case(
        lambda: Conv2D(2, 3, name="conv").compute_output_shape((1, "9", 9, 3)), "'conv'", "`input_shape`", "'9'"),
    "Conv1D: images": case(lambda: Conv1D(2, 3, name="conv")(IMAGES), "'conv'", "rank 3", "(batch, steps, channels)"),
    "Conv2D: channels first, but too few axes": case(
        lambda: Conv2D(2, 3, data_format="channels_first", name="conv")(STEPS), "(batch, channels, height, width)"),
    "Conv2D: other channels than before": case(lambda: (lambda c: (c(IMAGES), c(IMAGES[..., :2])))(Conv2D(
        2, 3, name="conv")), "'conv'", "6 channels", "(None, 5, 4, 2)"),
    "Conv1D: other channels than before": case(lambda: twice(Conv1D(2, 3, name="conv")), "'conv'", "3 channels"),
    "DepthwiseConv2D: a depth_multiplier of 0": case(lambda: DepthwiseConv2D(3, depth_multiplier=0), "DepthwiseConv2D",
                                                     "`depth_multiplier`", "got 0"),
    "SeparableConv1D: causal padding": case(lambda: SeparableConv1D(2, 3, padding="causal"), "SeparableConv1D",
                                            "`padding`", "'causal' is for Conv1D"),
    "Conv2DTranspose: output_padding as large as the strides": case(
        lambda: Conv2DTranspose(2, 3, strides=2, output_padding=2), "`output_padding`", "less than `strides`",
        "(2, 2)"),
    "Conv2DTranspose: a negative output_padding": case(
        lambda: Conv2DTranspose(2, 3, strides=2, output_padding=-1), "`output_padding`", "at least 0", "-1"),
    "Conv1DTranspose: nothing is left": case(
        lambda: Conv1DTranspose(2, 2, 2, "same", 0, name="conv")(STEPS[:, :1]), "'conv'", "`output_padding`"),
    "Conv2D: arguments of others": case(lambda: layers.Conv2D(2, 3, kernel_sizes=3), "Conv2D", "`kernel_sizes`",
                                        "`kernel_size`"),
    "backend: an unknown data format": case(lambda: fastnn.backend.set_image_data_format("NCHW"), "`data_format`",
                                            "'NCHW'"),
}
