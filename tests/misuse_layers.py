"""What users do wrong with layers and regularizers: {what: (call on a workbench, words of the text)}."""
import numpy as np

import fastnn
from fastnn import layers, regularizers

X = np.ones((4, 5, 3), "float32")


def case(call, *words):
    """A case that needs no workbench."""
    return (lambda b: call(), *words)


def net(*middle):
    """Train a small net through these layers."""
    def call(b):
        model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(4, name="first"), *[m() for m in middle],
                                   layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(b.x, b.x[:, :1], verbose=0)
    return call


def twice(layer):
    """Call it on three features, then on two."""
    layer(X)
    layer(X[:, :, :2])


def full(shape, dtype=None):
    """An initializer for which there is no memory."""
    raise MemoryError


class NoGradient(fastnn.Regularizer):
    """Without gradient()."""

    def __call__(self, x):
        return float(np.abs(x).max())


class WrongGradient(NoGradient):
    def gradient(self, x):
        return x[:1]


class Halved(layers.Layer):
    """A layer in NumPy that cannot be trained."""

    def call(self, x):
        return x / 2


CASES = {
    "Dropout: a rate above 1": case(lambda: layers.Dropout(1.5), "`rate`", "0 to 1", "1.5"),
    "Dropout: a seed that is a word": case(lambda: layers.Dropout(0.5, seed="one"), "`seed`", "int", "'one'"),
    "Dropout: a noise_shape that is a word": case(lambda: layers.Dropout(0.5, "all"), "`noise_shape`", "'all'"),
    "Dropout: a noise_shape of zero": case(lambda: layers.Dropout(0.5, (None, 0)), "`noise_shape`", "positive", "0"),
    "Dropout: a noise_shape that does not fit": case(
        lambda: layers.Dropout(0.5, (None, 2, 3))(X, training=True), "`noise_shape`", "(None, 2, 3)", "(None, 5, 3)"),
    "GaussianNoise: a stddev of 2": case(lambda: layers.GaussianNoise(2), "`stddev`", "0 to 1", "got 2"),
    "GaussianDropout: a rate of 1": case(lambda: layers.GaussianDropout(1), "`rate`", "below 1", "got 1"),
    "AlphaDropout: a rate that is a word": case(lambda: layers.AlphaDropout("0.1"), "`rate`", "'0.1'"),
    "ActivityRegularization: a negative l1": case(lambda: layers.ActivityRegularization(-1), "`l1`", "at least 0"),
    "Reshape: sizes of another product": case(lambda: layers.Reshape((4, 4))(X), "`target_shape`", "15", "(4, 4)"),
    "Reshape: two unknown sizes": case(lambda: layers.Reshape((-1, -1)), "`target_shape`", "at most one -1"),
    "Reshape: a size of 0": case(lambda: layers.Reshape((0, 3)), "`target_shape`", "positive ints", "(0, 3)"),
    "Reshape: no sizes": case(lambda: layers.Reshape(None), "Reshape", "`target_shape`", "positive ints", "None"),
    "Dense: more units than there is memory": case(
        lambda: layers.Dense(500, kernel_initializer=full, name="wide")(X), "'wide'", "'kernel'", "(3, 500)",
        "6e-06 GB"),
    "Flatten: channels in the middle": case(lambda: layers.Flatten("middle"), "`data_format`", "'middle'"),
    "Masking: a mask_value that is a word": case(lambda: layers.Masking("pad"), "`mask_value`", "'pad'"),
    "LayerNormalization: the axis of the rows": case(lambda: layers.LayerNormalization(0)(X), "`axis`", "rows", "0"),
    "LayerNormalization: no such axis": case(lambda: layers.LayerNormalization(3, name="norm")(X), "'norm'",
                                             "`axis`", "-3 to 2", "got 3"),
    "LayerNormalization: no feature": case(
        lambda: layers.LayerNormalization(name="norm")(X[..., :0]), "'norm'", "above 0", "axis=-1", "(None, 5, 0)"),
    "LayerNormalization: an axis that is a word": case(lambda: layers.LayerNormalization("last"), "`axis`", "'last'"),
    "LayerNormalization: other features than before": case(
        lambda: twice(layers.LayerNormalization(name="norm")), "'norm'", "(3,)", "(None, 5, 2)"),
    "UnitNormalization: no axis": case(lambda: layers.UnitNormalization([])(X), "`axis`", "[]"),
    "RMSNormalization: a negative epsilon": case(lambda: layers.RMSNormalization(epsilon=-1), "`epsilon`", "-1"),
    "BatchNormalization: the axis of the rows": case(lambda: layers.BatchNormalization(0)(X), "`axis`", "rows"),
    "BatchNormalization: no such axis": case(
        lambda: layers.BatchNormalization(7, name="norm")(X), "'norm'", "`axis`", "-3 to 2", "got 7"),
    "BatchNormalization: an axis that is a word": case(
        lambda: layers.BatchNormalization("last"), "BatchNormalization", "`axis`", "'last'"),
    "BatchNormalization: masked steps": (net(layers.Masking, lambda: layers.BatchNormalization(name="norm")),
                                         "'norm'", "masked steps", "LayerNormalization"),
    "Rescaling: a scale that is a word": case(lambda: layers.Rescaling("255"), "`scale`", "'255'"),
    "Rescaling: a scale that does not fit": case(lambda: layers.Rescaling([1.0, 2.0])(X), "`scale`", "(2,)", "(5, 3)"),
    "Normalization: a mean alone": case(lambda: layers.Normalization(mean=1.0), "`mean`", "`variance`", "None"),
    "Normalization: shapes that differ": case(lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]),
                                              "`mean`", "(1,)", "(2,)"),
    "Normalization: means that do not fit": case(
        lambda: layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0])(X), "`mean`", "(2,)", "(3,)"),
    "Normalization: the axis of the rows": case(lambda: layers.Normalization(axis=0)(X), "`axis`", "rows"),
    "Normalization: adapt to nothing": case(lambda: layers.Normalization().adapt(X[:0]), "`data`", "one row"),
    "Normalization: adapt to NaN": case(lambda: layers.Normalization().adapt(X * np.nan), "`data`", "finite"),
    "Normalization: adapt to words": case(lambda: layers.Normalization().adapt(np.array(["a"])), "`data`", "'a'"),
    "Normalization: adapt with means given": case(
        lambda: layers.Normalization(mean=1.0, variance=1.0, axis=None).adapt(X), "adapt", "`mean`"),
    "Lambda: no function": case(lambda: layers.Lambda(3), "`function`", "int: 3"),
    "Lambda: training through it": (net(lambda: layers.Lambda(np.tanh, name="mine")), "'mine'", "`gradient`"),
    "Lambda: a shape that cannot be found": case(
        lambda: layers.Lambda(lambda x: x[:, 9], name="mine")(X), "'mine'", "`output_shape`", "IndexError"),
    "Lambda: a function that loses rows": case(lambda: layers.Lambda(np.sum, name="mine")(X), "'mine'", "()"),
    "Lambda: another shape than stated": case(
        lambda: layers.Lambda(lambda x: x, output_shape=(7,), name="mine")(X), "'mine'", "(4, 7)", "(4, 5, 3)"),
    "Lambda: saving it": case(lambda: layers.Lambda(np.tanh, name="mine").get_config(), "'mine'", "code", "saved"),
    "a layer in NumPy: training through it": (net(lambda: Halved(name="mine")), "'mine'", "call_gradient"),
    "a weight of another dtype": case(lambda: layers.Layer(name="mine").add_weight(shape=(2,), dtype="int32"),
                                      "`dtype`", "'float32'", "'int32'"),
    "an unknown layer": case(lambda: layers.get({"class_name": "Densee"}), "'Densee'", "Did you mean 'dense'?"),
    "an unknown regularizer": case(lambda: layers.Dense(3, kernel_regularizer="l3"), "'l3'", "Did you mean"),
    "L2: a negative factor": case(lambda: regularizers.L2(-0.1), "`l2`", "at least 0", "-0.1"),
    "L1L2: a factor of NaN": case(lambda: regularizers.L1L2(l1=float("nan")), "`l1`", "nan"),
    "OrthogonalRegularizer: an unknown mode": case(lambda: regularizers.OrthogonalRegularizer(mode="all"), "`mode`",
                                                   "'rows' or 'columns'", "'all'"),
    "OrthogonalRegularizer: of a vector": (
        net(lambda: layers.Dense(2, bias_regularizer=regularizers.OrthogonalRegularizer())), "matrix", "(2,)"),
    "a regularizer without gradient": (net(lambda: layers.Dense(2, kernel_regularizer=NoGradient(), name="mine")),
                                       "'mine'", "gradient(self, x)", "L1"),
    "a regularizer with a gradient of another shape": (
        net(lambda: layers.Dense(2, kernel_regularizer=WrongGradient())), "gradient", "(4, 2)", "(1, 2)"),
}
