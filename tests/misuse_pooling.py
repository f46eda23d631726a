"""What users do wrong with pooling: {what: (call, words of the text)}."""
import numpy as np
from misuse_layers import case

from fastnn import layers

IMAGES = np.ones((2, 4, 5, 3), "float32")
STEPS = np.ones((2, 4, 3), "float32")

CASES = {
    "MaxPooling2D: a window of 0": case(lambda: layers.MaxPooling2D(0), "MaxPooling2D", "`pool_size`", "positive", "0"),
    "MaxPooling2D: a window of more places than are told apart": case(
        lambda: layers.MaxPooling2D(2 ** 13, padding="same"), "MaxPooling2D", "`pool_size`", "16,777,216", "8192"),
    "MaxPooling2D: three sizes": case(lambda: layers.MaxPooling2D((2, 2, 2)), "`pool_size`", "2 of them", "(2, 2, 2)"),
    "MaxPooling2D: strides of 0": case(lambda: layers.MaxPooling2D(2, (0, 1)), "`strides`", "positive int", "(0, 1)"),
    "MaxPooling1D: a window that is a word": case(lambda: layers.MaxPooling1D("two"), "`pool_size`", "'two'"),
    "AveragePooling2D: a fraction": case(lambda: layers.AveragePooling2D(1.5), "`pool_size`", "positive int", "1.5"),
    "MaxPooling2D: an unknown padding": case(
        lambda: layers.MaxPooling2D(2, padding="full"), "`padding`", "'valid' or 'same'", "'full'"),
    "MaxPooling1D: causal padding": case(
        lambda: layers.MaxPooling1D(2, padding="causal"), "`padding`", "'causal'", "Conv1D"),
    "MaxPooling2D: an unknown format": case(
        lambda: layers.MaxPooling2D(data_format="NCHW"), "`data_format`", "'channels_first'", "'NCHW'"),
    "MaxPooling2D: a window larger than the image": case(
        lambda: layers.MaxPooling2D((2, 6), name="pool")(IMAGES), "'pool'", "`pool_size`", "(4, 5)", "(2, 6)", "same"),
    "AveragePooling1D: a window larger than the input": case(
        lambda: layers.AveragePooling1D(5, name="pool")(STEPS), "'pool'", "`pool_size`", "(4,)", "(5,)"),
    "MaxPooling2D: no channels": case(
        lambda: layers.MaxPooling2D(name="pool")(STEPS), "'pool'", "rank 4", "(2, 4, 3)", "x[..., None]", "x[None]"),
    "MaxPooling2D: no row": case(lambda: layers.MaxPooling2D(padding="same", name="pool")(IMAGES[:, :0]), "'pool'",
                                 "an element", "(0, 5)"),
    "AveragePooling2D: no window": case(lambda: layers.AveragePooling2D(), "AveragePooling2D", "'pool_size'"),
    "AveragePooling1D: no window": case(lambda: layers.AveragePooling1D(), "AveragePooling1D", "'pool_size'"),
    "MaxPooling1D: images": case(
        lambda: layers.MaxPooling1D(name="pool")(IMAGES), "'pool'", "rank 3", "(2, 4, 5, 3)"),
    "GlobalMaxPooling2D: steps": case(
        lambda: layers.GlobalMaxPooling2D(name="pool")(STEPS), "'pool'", "rank 4", "(2, 4, 3)"),
    "GlobalAveragePooling1D: no step": case(
        lambda: layers.GlobalAveragePooling1D(name="pool")(STEPS[:, :0]), "'pool'", "at least one", "(None, 0, 3)"),
}
