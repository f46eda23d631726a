"""Initialisers: not the same random numbers as Keras, but numbers of the same distribution."""

from functools import partial

import numpy as np

NAMES = (
    *("zeros", "ones", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"),
    *("random_uniform", "random_normal", "truncated_normal", "uniform", "normal", "zero", "one", "orthogonal"),
)
CLASSES = (
    *("Zeros", "Ones", "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"),
    *("RandomUniform", "RandomNormal", "TruncatedNormal", "Orthogonal"),
)
OPTIONS = {
    "normal": ("RandomNormal", {"mean": 0.5, "stddev": 0.2}),
    "truncated": ("TruncatedNormal", {"mean": 0.5, "stddev": 0.2}),
    "uniform": ("RandomUniform", {"minval": 0.5, "maxval": 0.75}),
    "scaling": ("VarianceScaling", {}),
    "scaling_out": ("VarianceScaling", {"scale": 3.0, "mode": "fan_out", "distribution": "uniform"}),
    "scaling_avg": ("VarianceScaling", {"scale": 3.0, "mode": "fan_avg", "distribution": "untruncated_normal"}),
    "orthogonal": ("Orthogonal", {"gain": 2.0}),
}
SHAPE = (160, 640)  # 102400 samples; the two sizes differ so that the fans cannot be confused


UNBOUNDED = ("normal", "random_normal", "RandomNormal", "scaling_avg", "orthogonal", "Orthogonal")


def moments(values, case=""):
    """What is compared of a sample: mean, standard deviation, two quantiles of the magnitude, and where it ends."""
    size = np.abs(np.asarray(values, dtype="float64")).ravel()
    quartiles = np.quantile(size, [0.25, 0.75])
    result = {"mean": np.mean(values), "std": np.std(values), "quartiles": quartiles}
    return result if case in UNBOUNDED else result | {"largest": size.max()}


def by_string(K, name):
    """The initialiser named by a string, as the kernel of a Dense layer."""
    K.utils.set_random_seed(11)
    layer = K.layers.Dense(SHAPE[1], kernel_initializer=name)
    K.Sequential([K.Input((SHAPE[0],)), layer])
    return moments(layer.get_weights()[0], name)


def by_object(K, name):
    """The initialiser object called with a shape, with a seed where it takes one."""
    initializer = getattr(K.initializers, name)(**({} if name in ("Zeros", "Ones") else {"seed": 12}))
    return moments(np.asarray(initializer(SHAPE)), name)


def with_options(K, case, name, options):
    """The initialiser with arguments of its own."""
    return moments(np.asarray(getattr(K.initializers, name)(**options, seed=14)(SHAPE)), case)


def orthogonality(K, shape):
    """The products of the rows, or the columns where there are fewer."""
    values = np.asarray(K.initializers.Orthogonal(seed=15)(shape)).reshape(-1, shape[-1])
    return {"products": values @ values.T if values.shape[0] < values.shape[1] else values.T @ values}


def fixed(K):
    """Those without chance, also of another type."""
    constant, identity = K.initializers.Constant, K.initializers.Identity
    result = {"constant": constant(1.5)((2, 3)), "double": constant(0.1)((2,), dtype="float64"),
              "identity": identity()((3, 3)), "gain": identity(2.0)((2, 4)),
              "string": K.initializers.get("identity")((2, 2))}
    return {k: np.asarray(v) for k, v in result.items()}


def defaults(K):
    """The weights of Dense and BatchNormalization without any argument."""
    K.utils.set_random_seed(13)
    dense, norm = K.layers.Dense(SHAPE[1]), K.layers.BatchNormalization()
    K.Sequential([K.Input((SHAPE[0],)), dense, norm])
    kernel, bias = dense.get_weights()
    result = moments(kernel) | {"bias": bias}
    return result | {f"norm_{i}": w for i, w in enumerate(norm.get_weights())}


CASES = {f"string_{name}": partial(by_string, name=name) for name in NAMES}
CASES |= {f"object_{name}": partial(by_object, name=name) for name in CLASSES}
CASES |= {f"options_{case}": partial(with_options, case=case, name=name, options=options)
          for case, (name, options) in OPTIONS.items()}
CASES |= {f"orthogonal_{'_'.join(map(str, shape))}": partial(orthogonality, shape=shape)
          for shape in ((6, 4), (4, 6), (5, 5), (2, 3, 4))}
CASES |= {"defaults": defaults, "fixed": fixed}
