"""Constraints called on arrays."""

from functools import partial

import numpy as np
from seeded import inputs


def called(K, constraint, shape=(5, 7), scale=1.0, **options):
    """The constraint on weights of this shape."""
    if isinstance(constraint, str):
        constraint = getattr(K.constraints, constraint)(**options)
    return {"weights": np.asarray(constraint(scale * inputs(*shape))), "names": sorted(constraint.get_config())}


def by_name(K, name):
    """The constraint of a name or a description."""
    constraint = K.constraints.get(name)
    return called(K, constraint) | {"class": [type(constraint).__name__]}


CASES = {
    "max_norm": partial(called, constraint="MaxNorm"),
    "max_norm_small": partial(called, constraint="MaxNorm", max_value=0.5, scale=0.2),
    "max_norm_rows": partial(called, constraint="MaxNorm", max_value=0.5, axis=1),
    "max_norm_last": partial(called, constraint="MaxNorm", max_value=0.5, axis=-1),
    "max_norm_vector": partial(called, constraint="MaxNorm", max_value=0.5, shape=(9,)),
    "max_norm_filters": partial(called, constraint="MaxNorm", max_value=0.5, shape=(3, 3, 2, 4), axis=[0, 1, 2]),
    "max_norm_apart": partial(called, constraint="MaxNorm", max_value=0.5, shape=(3, 4, 2), axis=[0, 2]),
    "max_norm_all": partial(called, constraint="MaxNorm", max_value=0.5, axis=None),
    "non_neg": partial(called, constraint="NonNeg"),
    "unit_norm": partial(called, constraint="UnitNorm"),
    "unit_norm_rows": partial(called, constraint="UnitNorm", axis=1),
    "unit_norm_filters": partial(called, constraint="UnitNorm", shape=(3, 3, 2, 4), axis=(0, 1, 2)),
    "min_max": partial(called, constraint="MinMaxNorm"),
    "min_max_both": partial(called, constraint="MinMaxNorm", min_value=2.0, max_value=2.5),
    "min_max_rate": partial(called, constraint="MinMaxNorm", min_value=2.0, max_value=2.5, rate=0.4, axis=1),
    **{f"name_{name}": partial(by_name, name=name) for name in ("max_norm", "non_neg", "unit_norm", "min_max_norm",
                                                               "MaxNorm", "MinMaxNorm")},
    "description": partial(by_name, name={"class_name": "MaxNorm", "config": {"max_value": 0.3, "axis": 1}}),
}
