"""Initialisers: not the same random numbers as Keras, but numbers of the same distribution."""

from functools import partial

import numpy as np

NAMES = ("zeros", "ones", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal")
CLASSES = ("Zeros", "Ones", "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal")
SHAPE = (160, 640)  # 102400 samples; the two sizes differ so that the fans cannot be confused


def moments(values):
    """What is compared of a sample: mean, standard deviation, the largest magnitude and two quantiles of it."""
    size = np.abs(np.asarray(values, dtype="float64")).ravel()
    quartiles = np.quantile(size, [0.25, 0.75])
    return {"mean": np.mean(values), "std": np.std(values), "largest": size.max(), "quartiles": quartiles}


def by_string(K, name):
    """The initialiser named by a string, as the kernel of a Dense layer."""
    K.utils.set_random_seed(11)
    layer = K.layers.Dense(SHAPE[1], kernel_initializer=name)
    K.Sequential([K.Input((SHAPE[0],)), layer])
    return moments(layer.get_weights()[0])


def by_object(K, name):
    """The initialiser object called with a shape, with a seed where it takes one."""
    initializer = getattr(K.initializers, name)(**({} if name in ("Zeros", "Ones") else {"seed": 12}))
    return moments(np.asarray(initializer(SHAPE)))


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
CASES |= {"defaults": defaults}
