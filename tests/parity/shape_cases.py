"""Layers that pad, crop, enlarge, permute, repeat and normalize images: outputs, and steps of training through them."""

from functools import partial

import numpy as np
from layer_cases import layer_call
from seeded import inputs, named_weights, set_weights

IMAGES, STEPS = (2, 4, 5, 6), (3, 6, 4)
FIRST = {"data_format": "channels_first"}
LAYERS = {
    "zero_padding1d": (lambda K: K.layers.ZeroPadding1D(2), STEPS),
    "zero_padding1d_pair": (lambda K: K.layers.ZeroPadding1D((1, 3)), STEPS),
    "zero_padding1d_first": (lambda K: K.layers.ZeroPadding1D((1, 3), **FIRST), STEPS),
    "zero_padding2d": (lambda K: K.layers.ZeroPadding2D(), IMAGES),
    "zero_padding2d_axes": (lambda K: K.layers.ZeroPadding2D((0, 2)), IMAGES),
    "zero_padding2d_borders": (lambda K: K.layers.ZeroPadding2D(((1, 0), (2, 3))), IMAGES),
    "zero_padding2d_first": (lambda K: K.layers.ZeroPadding2D(((1, 0), (2, 3)), **FIRST), IMAGES),
    "cropping1d": (lambda K: K.layers.Cropping1D(), STEPS),
    "cropping1d_pair": (lambda K: K.layers.Cropping1D((0, 3)), STEPS),
    "cropping2d": (lambda K: K.layers.Cropping2D(), IMAGES),
    "cropping2d_int": (lambda K: K.layers.Cropping2D(1), IMAGES),
    "cropping2d_axes": (lambda K: K.layers.Cropping2D((0, 2)), IMAGES),
    "cropping2d_borders": (lambda K: K.layers.Cropping2D(((1, 0), (2, 1))), IMAGES),
    "cropping2d_first": (lambda K: K.layers.Cropping2D(((1, 0), (2, 1)), **FIRST), IMAGES),
    "up_sampling1d": (lambda K: K.layers.UpSampling1D(), STEPS),
    "up_sampling1d_3": (lambda K: K.layers.UpSampling1D(3), STEPS),
    "up_sampling2d": (lambda K: K.layers.UpSampling2D(), IMAGES),
    "up_sampling2d_pair": (lambda K: K.layers.UpSampling2D((1, 3)), IMAGES),
    "up_sampling2d_first": (lambda K: K.layers.UpSampling2D((2, 3), "channels_first"), IMAGES),
    "bilinear": (lambda K: K.layers.UpSampling2D(interpolation="bilinear"), IMAGES),
    "bilinear_odd": (lambda K: K.layers.UpSampling2D((3, 5), interpolation="bilinear"), IMAGES),
    "bilinear_rows": (lambda K: K.layers.UpSampling2D((4, 1), interpolation="bilinear"), IMAGES),
    "bilinear_first": (lambda K: K.layers.UpSampling2D((2, 3), "channels_first", "bilinear"), IMAGES),
    "permute": (lambda K: K.layers.Permute((2, 1)), STEPS),
    "permute_images": (lambda K: K.layers.Permute((3, 1, 2)), IMAGES),
    "permute_rows": (lambda K: K.layers.Permute((2, 1, 3)), IMAGES),
    "permute_four": (lambda K: K.layers.Permute((4, 2, 1, 3)), (3, 2, 4, 3, 5)),
    "repeat_vector": (lambda K: K.layers.RepeatVector(3), (4, 5)),
    "flatten_first": (lambda K: K.layers.Flatten(**FIRST), IMAGES),
    "group_norm": (lambda K: K.layers.GroupNormalization(3), IMAGES),
    "group_norm_rank_2": (lambda K: K.layers.GroupNormalization(2), (4, 6)),
    "group_norm_rank_3": (lambda K: K.layers.GroupNormalization(2, epsilon=0.1), STEPS),
    "group_norm_instance": (lambda K: K.layers.GroupNormalization(-1), IMAGES),
    "group_norm_axis_1": (lambda K: K.layers.GroupNormalization(2, axis=1), IMAGES),
    "group_norm_axis_2": (lambda K: K.layers.GroupNormalization(5, axis=2, scale=False), IMAGES),
    "group_norm_behind": (lambda K: K.layers.GroupNormalization(5, axis=-2, center=False), IMAGES),
    "group_norm_plain": (lambda K: K.layers.GroupNormalization(2, center=False, scale=False), IMAGES),
    "batch_norm_images": (lambda K: K.layers.BatchNormalization(momentum=0.9), IMAGES),
    "batch_norm_images_axis_1": (lambda K: K.layers.BatchNormalization(axis=1, momentum=0.9), IMAGES),
    "spatial_dropout1d": (lambda K: K.layers.SpatialDropout1D(0.0), STEPS),
    "spatial_dropout2d": (lambda K: K.layers.SpatialDropout2D(0.0), IMAGES),
}


def trained(K, make, shape):
    """Three steps with the layer between two Dense layers; losses, weights but those of the last, predictions."""
    model = K.Sequential([K.Input(shape[1:]), K.layers.Dense(shape[-1], activation="tanh"), make(K), K.layers.Flatten(),
                          K.layers.Dense(2)])
    set_weights(model).compile(optimizer=K.optimizers.SGD(0.005), loss="mse")
    x, y = inputs(11, *shape[1:]), inputs(11, 2, seed=5)
    losses = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history["loss"]
    return {"loss": losses, "predict": model.predict(x, verbose=0)} | named_weights(model.get_weights()[:-2])


def shared_by(K, make, shape):
    """The axes along which one mask serves all, and the share of what stays."""
    K.utils.set_random_seed(0)
    kept = np.asarray(make(K)(np.ones(shape, "float32"), training=True)) != 0
    return {"shared": [bool((kept == kept.take([0], axis)).all()) for axis in range(len(shape))],
            "kept_share": kept.mean()}


CASES = {f"{name}_call": partial(layer_call, make=make, shape=shape) for name, (make, shape) in LAYERS.items()}
CASES |= {f"{name}_trained": partial(trained, make=make, shape=shape) for name, (make, shape) in LAYERS.items()}
CASES |= {
    "dropout_steps": partial(shared_by, make=lambda K: K.layers.SpatialDropout1D(0.3), shape=(400, 3, 200)),
    "dropout_images": partial(shared_by, make=lambda K: K.layers.SpatialDropout2D(0.3), shape=(400, 3, 2, 200)),
    "dropout_first": partial(shared_by, make=lambda K: K.layers.SpatialDropout2D(0.3, **FIRST), shape=(400, 200, 3, 2)),
}
