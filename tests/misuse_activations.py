"""What users do wrong with activations: {what: (call, words that the text must have)}, for test_errors.py."""
import numpy as np

from fastnn import activations, layers

CASES = {
    "an activation that is a Python function": (lambda b: layers.Dense(3, activation=lambda x: x), "Python function",
                                                "no gradient", "layers.Lambda"),
    "an activation that is a number": (lambda b: layers.Activation(3), "activation function identifier: 3"),
    "an activation that is a class": (lambda b: layers.Dense(3, activation=layers.ReLU), "identifier", "ReLU"),
    "an activation with a setting it has not": (
        lambda b: layers.Dense(3, activation={"class_name": "elu", "config": {"slope": 1}}), "'elu'",
        "['alpha']", "slope"),
    "an activation of words": (lambda b: activations.relu(["a", "b"]), "`x`", "real numbers", "'a'"),
    "softmax of a number": (lambda b: activations.softmax(3.0), "`x`", "rank 1", "number"),
    "softmax along an axis that is not there": (lambda b: activations.softmax(np.ones((2, 3)), axis=2), "`axis`",
                                                "-2 to 1", "got 2"),
    "softmax along an axis in words": (lambda b: layers.Softmax(axis="last"), "`axis`", "whole number", "'last'"),
    "softmax along axes apart": (lambda b: activations.softmax(np.ones((2, 3, 4)), axis=(0, 2)), "`axis`",
                                 "side by side", "(0, 2)"),
    "elu with an alpha in words": (lambda b: activations.elu(1.0, alpha="1"), "`alpha`", "finite number", "'1'"),
    "relu with a bound of NaN": (lambda b: activations.relu(1.0, max_value=float("nan")), "`max_value`", "nan"),
    "ReLU with a bound below 0": (lambda b: layers.ReLU(max_value=-1), "ReLU", "`max_value`", "at least 0", "-1"),
    "ReLU with a slope below 0": (lambda b: layers.ReLU(negative_slope=-0.5), "`negative_slope`", "at least 0", "-0.5"),
    "ReLU without a threshold": (lambda b: layers.ReLU(threshold=None), "`threshold`", "None"),
    "LeakyReLU with a slope below 0": (lambda b: layers.LeakyReLU(-0.1), "LeakyReLU", "`negative_slope`", "-0.1"),
    "ELU with an alpha below 0": (lambda b: layers.ELU(-1.0), "ELU", "`alpha`", "at least 0", "-1"),
    "Softmax along the rows": (lambda b: layers.Softmax(axis=0)(b.x), "`axis`", "must not be 0", "batch"),
    "Softmax along an axis that is not there": (lambda b: layers.Softmax(axis=2)(b.x), "`axis`", "-2 to 1", "2"),
    "PReLU sharing the rows": (lambda b: layers.PReLU(shared_axes=[0])(b.x), "`shared_axes`", "from 1 to 1", "got 0"),
    "PReLU sharing an axis that is not there": (lambda b: layers.PReLU(shared_axes=[2])(b.x), "`shared_axes`",
                                                "from 1 to 1", "got 2"),
}
