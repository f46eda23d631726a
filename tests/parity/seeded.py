"""Inputs, targets and weights that depend on a seed alone, shared by the cases."""

import numpy as np


def inputs(*shape, seed=0):
    """Standard normal float32 numbers of the given shape."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def targets(kind, rows, classes=3, seed=1):
    """Targets of one kind: real, binary, multilabel, labels (int64) or one_hot; ``_column`` adds an axis of size 1."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size=rows)
    values = {
        "real": lambda: rng.normal(size=rows).astype("float32"),
        "reals": lambda: rng.normal(size=(rows, classes)).astype("float32"),
        "binary": lambda: labels % 2,
        "multilabel": lambda: rng.integers(0, 2, size=(rows, classes)).astype("float32"),
        "labels": lambda: labels,
        "one_hot": lambda: np.eye(classes, dtype="float32")[labels],
    }
    base = kind.removesuffix("_column")
    return values[base]() if base == kind else values[base]()[:, None]


def layer_weights(layer, rng):
    """New weights for one layer: positive ones for BatchNormalization, whose variance must be positive."""
    shapes = [w.shape for w in layer.get_weights()]
    if hasattr(layer, "moving_variance"):
        return [rng.uniform(0.5, 1.5, size=s).astype("float32") for s in shapes]
    return [(rng.normal(size=s) / np.sqrt(s[0])).astype("float32") for s in shapes]


def set_weights(model, seed=2):
    """Give every layer of a built model weights that depend on the seed and the shapes only."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights(layer_weights(layer, rng))
    return model


def named_weights(*snapshots, prefix="weight"):
    """Weights as a dict of arrays numbered in the order of get_weights; snapshots of several steps are stacked."""
    if len(snapshots) == 1:
        return {f"{prefix}_{i:02d}": w for i, w in enumerate(snapshots[0])}
    return {f"{prefix}_{i:02d}": np.stack(steps) for i, steps in enumerate(zip(*snapshots, strict=True))}
