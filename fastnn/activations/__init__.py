"""Activation functions: callable on numbers and arrays, and lowered into programs."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _spelling
from .._describe import custom, custom_object_scope
from .._describe import serialize as serialize
from .base import Activation, Gelu, Linear, Relu, Rowwise

_RELU = {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}

linear = Linear("linear", "x itself.")
relu = Relu("relu", "max(x, 0); in general x above ``threshold``, but at most ``max_value``, and below it "
            "``negative_slope`` * (x - ``threshold``).", settings=_RELU)
relu6 = Activation("relu6", "min(max(x, 0), 6).", kernel="clipped_relu", numbers=(6.0,))
leaky_relu = Activation("leaky_relu", "x where x > 0, else ``negative_slope`` * x.", settings={"negative_slope": 0.2})
elu = Activation("elu", "x where x > 0, else ``alpha`` * (exp(x) - 1) (Clevert et al., Fast and accurate deep network "
                 "learning by exponential linear units, 2016).", settings={"alpha": 1.0})
selu = Activation("selu", "1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1 from layer to layer (Klambauer et al., "
                  "Self-normalizing neural networks, 2017).")
celu = Activation("celu", "x where x > 0, else ``alpha`` * (exp(x / alpha) - 1) (Barron, Continuously differentiable "
                  "exponential linear units, 2017).", settings={"alpha": 1.0})
sigmoid = Activation("sigmoid", "1 / (1 + exp(-x)).")
log_sigmoid = Activation("log_sigmoid", "log(1 / (1 + exp(-x))).")
hard_sigmoid = Activation("hard_sigmoid", "x / 6 + 1/2, between 0 and 1.")
sparse_sigmoid = Activation("sparse_sigmoid", "(x + 1) / 2, between 0 and 1.")
tanh = Activation("tanh", "Hyperbolic tangent.")
hard_tanh = Activation("hard_tanh", "x, between -1 and 1.")
tanh_shrink = Activation("tanh_shrink", "x - tanh(x).", "x")
hard_shrink = Activation("hard_shrink", "x where abs(x) > ``threshold``, else 0.", settings={"threshold": 0.5})
soft_shrink = Activation("soft_shrink", "x moved by ``threshold`` towards 0, at most to 0.",
                         settings={"threshold": 0.5})
softplus = Activation("softplus", "log(1 + exp(x)).")
squareplus = Activation("squareplus", "(x + sqrt(x^2 + ``b``)) / 2 (Barron, Squareplus: a softplus-like algebraic "
                        "rectifier, 2021).", "x", settings={"b": 4.0})
sparse_plus = Activation("sparse_plus", "0 below -1, (x + 1)^2 / 4 up to 1, x above.", "x")
softsign = Activation("softsign", "x / (1 + abs(x)).", "x")
silu = Activation("silu", "x * sigmoid(x), also known as swish (Ramachandran et al., Searching for activation "
                  "functions, 2017).", "x")
hard_silu = Activation("hard_silu", "x * hard_sigmoid(x), also known as hard_swish (Howard et al., Searching for "
                       "MobileNetV3, 2019).", "x")
gelu = Gelu("gelu", "x times the probability that a standard normal variable is below x; ``approximate``: x * (1 + "
            "tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, Gaussian error linear units, 2016).",
            settings={"approximate": False})
mish = Activation("mish", "x * tanh(softplus(x)) (Misra, Mish: a self regularized non-monotonic activation function, "
                  "2019).", "x")
exponential = Activation("exponential", "exp(x).", kernel="exp")
softmax = Rowwise("softmax", "exp(x) / sum(exp(x)) along ``axis``.", settings={"axis": -1})
log_softmax = Rowwise("log_softmax", "log(softmax(x)) along ``axis``.", settings={"axis": -1})
swish, hard_swish = silu, hard_silu

_BY_NAME = {name: a for name, a in globals().items() if isinstance(a, Activation)}
__all__ = ["Activation", "deserialize", "get", "serialize"]
__all__ += list(_BY_NAME)


def get(identifier) -> Activation:
    """The activation of a name or a description, an activation itself, that of a layer such as LeakyReLU, or linear for
    None; ValueError names the nearest."""
    if identifier is None:
        return linear
    if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
        function, settings = get(identifier["class_name"]), identifier.get("config") or {}
        try:
            return function.having(**settings)
        except TypeError:
            raise ValueError(f"activation {function.name!r}: its settings must be among {list(function.settings)}, got "
                             f"{settings!r:.100}") from None
    if isinstance(identifier, str):
        identifier = custom(identifier) or _BY_NAME.get(identifier, identifier)
    found = getattr(identifier, "function", identifier)       # a layer of an activation has it as ``function``
    if isinstance(found, Activation):
        return found
    if callable(identifier) and not isinstance(identifier, type):
        raise ValueError(f"{getattr(identifier, '__name__', identifier)!r:.60} is a Python function, which has no "
                         "gradient here; use an activation by its name, such as 'relu', or a layers.Lambda after this "
                         "layer, which may be given the gradient")
    raise ValueError(_spelling.unknown_name("activation function", identifier, _BY_NAME))


def deserialize(config, custom_objects: Mapping[str, Any] | None = None) -> Activation:
    """The activation of a name or a description; ``custom_objects``: {name: activation} that it may name too."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
