"""The weights gamma and beta of normalizations: what a normalized number is multiplied by, and what is added."""
from __future__ import annotations

from .. import constraints, initializers, regularizers


def keep_settings(layer, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                  beta_constraint, gamma_constraint) -> None:
    """Make Keras's settings of the two weights attributes of the layer."""
    layer.center, layer.scale = bool(center), bool(scale)
    layer.beta_initializer = initializers.get(beta_initializer)
    layer.gamma_initializer = initializers.get(gamma_initializer)
    layer.beta_regularizer = regularizers.get(beta_regularizer)
    layer.gamma_regularizer = regularizers.get(gamma_regularizer)
    layer.beta_constraint = constraints.get(beta_constraint)
    layer.gamma_constraint = constraints.get(gamma_constraint)


def add_weights(layer, shape: tuple) -> None:
    """Create gamma where ``scale`` and beta where ``center``; None stands for one that is not there."""
    layer.gamma = layer.add_weight("gamma", shape, layer.gamma_initializer, regularizer=layer.gamma_regularizer,
                                   constraint=layer.gamma_constraint) if layer.scale else None
    layer.beta = layer.add_weight("beta", shape, layer.beta_initializer, regularizer=layer.beta_regularizer,
                                  constraint=layer.beta_constraint) if layer.center else None
