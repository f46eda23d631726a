"""What users do wrong with layers that change shapes, and with groups of channels: {what: (call, words)}."""
import numpy as np
from misuse_layers import case, twice

import fastnn
from fastnn import layers

IMAGES = np.ones((2, 4, 5, 6), "float32")
STEPS = np.ones((2, 4, 6), "float32")
MANY = np.ones((64, 4, 5, 6), "float32")          # enlarged they are more than there are addresses for


def upsampled():
    return fastnn.Sequential([fastnn.Input((4, 5, 6)), layers.UpSampling2D(95_000, name="up"),
                              layers.GlobalMaxPooling2D()])


CASES = {
    "ZeroPadding1D: below zero": case(lambda: layers.ZeroPadding1D(-1), "1D", "`padding`", "at least 0", "-1"),
    "ZeroPadding2D: below zero": case(lambda: layers.ZeroPadding2D(((1, -1), (0, 0))), "`padding`", "at least 0", "-1"),
    "ZeroPadding1D: more than any memory": case(lambda: layers.ZeroPadding1D(2**62), "ZeroPadding1D", "`padding`",
                                                "at most 2**31 - 1"),
    "ZeroPadding2D: more than any memory": case(lambda: layers.ZeroPadding2D((0, 2**31)), "ZeroPadding2D", "`padding`",
                                                "at most 2**31 - 1"),
    "UpSampling2D: more than any memory": case(lambda: layers.UpSampling2D(2**31), "UpSampling2D", "`size`",
                                               "at most 2**31 - 1"),
    "RepeatVector: more than any memory": case(lambda: layers.RepeatVector(2**62), "RepeatVector", "`n`",
                                               "at most 2**31 - 1"),
    "UpSampling1D: an output larger than memory": case(
        lambda: layers.UpSampling1D(2**31 - 1, name="up")(np.ones((1, 5000, 1), "float32")), "'up'", "2**40"),
    "ZeroPadding2D: four numbers": case(lambda: layers.ZeroPadding2D((1, 2, 3, 4)), "`padding`", "((top, bottom)",
                                        "(1, 2, 3, 4)"),
    "ZeroPadding2D: a sequence of steps": case(
        lambda: layers.ZeroPadding2D(name="pad")(STEPS), "'pad'", "rank 4", "(2, 4, 6)"),
    "ZeroPadding2D: an unknown format": case(lambda: layers.ZeroPadding2D(data_format="NCHW"), "`data_format`",
                                             "'channels_first'", "'NCHW'"),
    "Cropping1D: below zero": case(lambda: layers.Cropping1D((0, -2)), "`cropping`", "at least 0", "-2"),
    "Cropping1D: all steps": case(lambda: layers.Cropping1D(2, name="crop")(STEPS), "'crop'", "`cropping`", "(2, 2)",
                                  "(None, 4, 6)"),
    "Cropping2D: a word": case(lambda: layers.Cropping2D("all"), "`cropping`", "'all'"),
    "Cropping2D: all columns": case(lambda: layers.Cropping2D((1, 3), name="crop")(IMAGES), "'crop'", "`cropping`",
                                    "(3, 3)", "(None, 4, 5, 6)"),
    "UpSampling1D: a fraction": case(lambda: layers.UpSampling1D(1.5), "UpSampling1D", "`size`", "positive int", "1.5"),
    "UpSampling2D: zero": case(lambda: layers.UpSampling2D((2, 0)), "UpSampling2D", "`size`", "positive int", "(2, 0)"),
    "UpSampling2D: an unknown interpolation": case(
        lambda: layers.UpSampling2D(interpolation="bicubic"), "`interpolation`", "'nearest' or", "'bicubic'"),
    "UpSampling2D: more than the machine has": case(
        lambda: layers.UpSampling2D(95_000, name="up")(MANY), "'up'", "memory", "(64, 380000, 475000, 6)"),
    "predict: more than the machine has": case(
        lambda: upsampled().predict(MANY, verbose=0), "'up'", "GB", "(380000, 475000, 6)", "`batch_size`"),
    "Permute: counted from 0": case(lambda: layers.Permute((0, 1)), "`dims`", "counted from 1", "(0, 1)"),
    "Permute: an axis twice": case(lambda: layers.Permute((1, 1)), "`dims`", "once", "(1, 1)"),
    "Permute: another rank": case(lambda: layers.Permute((2, 1), name="turn")(IMAGES), "'turn'", "(2, 1)", "rank 3",
                                  "(None, 4, 5, 6)"),
    "RepeatVector: zero": case(lambda: layers.RepeatVector(0), "`n`", "positive int", "got 0"),
    "RepeatVector: an input of rank 3": case(lambda: layers.RepeatVector(2, name="again")(STEPS), "'again'", "rank 2",
                                             "(None, 4, 6)", "Flatten"),
    "SpatialDropout1D: images": case(lambda: layers.SpatialDropout1D(0.5, name="drop")(IMAGES), "'drop'", "rank 3",
                                     "(2, 4, 5, 6)"),
    "SpatialDropout2D: a rate above 1": case(lambda: layers.SpatialDropout2D(2), "Dropout2D", "`rate`", "0 to 1"),
    "GroupNormalization: no groups": case(lambda: layers.GroupNormalization(0), "`groups`", "positive", "-1", "got 0"),
    "GroupNormalization: groups that do not divide": case(
        lambda: layers.GroupNormalization(4, name="norm")(IMAGES), "'norm'", "`groups`", "6 channels", "4", "divisor"),
    "GroupNormalization: the default of 32": case(lambda: layers.GroupNormalization(name="norm")(IMAGES), "`groups`",
                                                  "32"),
    "GroupNormalization: the axis of the rows": case(
        lambda: layers.GroupNormalization(2, 0, name="norm")(IMAGES), "`axis`", "rows"),
    "GroupNormalization: no such axis": case(
        lambda: layers.GroupNormalization(2, 9, name="norm")(IMAGES), "'norm'", "`axis`", "-4 to 3", "got 9"),
    "GroupNormalization: an axis that is a word": case(
        lambda: layers.GroupNormalization(2, "last"), "GroupNormalization", "`axis`", "'last'"),
    "GroupNormalization: several axes": case(
        lambda: layers.GroupNormalization(2, (1, 2)), "GroupNormalization", "`axis`", "(1, 2)"),
    "GroupNormalization: no channel": case(
        lambda: layers.GroupNormalization(2, name="norm")(IMAGES[..., :0]), "'norm'", "above 0", "(None, 4, 5, 0)"),
    "GroupNormalization: other channels than before": case(
        lambda: twice(layers.GroupNormalization(-1, name="norm")), "'norm'", "3 channels", "(None, 5, 2)"),
}
