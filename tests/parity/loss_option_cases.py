"""Every loss with its options: in a training step with its gradient, on arrays as an object and as a function."""

from functools import partial

import numpy as np
from loss_cases import dense
from seeded import inputs, set_weights, targets

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None)
ROWS = 8


def weights(rows=ROWS):
    """Weights of rows, one of them 0."""
    return (np.arange(rows) / 4).astype("float32")


def step(K, layers, loss, y, sample_weight=None, shape=(ROWS, 4), batch_size=None):
    """The loss in evaluate and in one training step, and the gradients: with a learning rate of 1, the change."""
    model = set_weights(K.Sequential([K.Input(shape[1:]), *layers(K)]))
    rate = 1.0 if batch_size is None else 0.0
    model.compile(optimizer=K.optimizers.SGD(learning_rate=rate), loss=loss(K) if callable(loss) else loss)
    x, y = inputs(*shape), targets(y, shape[0]) if isinstance(y, str) else y
    settings = {"batch_size": batch_size or len(x), "verbose": 0, "sample_weight": sample_weight}
    before = model.get_weights()
    losses = [model.evaluate(x, y, **settings)]
    losses += model.fit(x, y, shuffle=False, **settings).history["loss"]
    changes = [a.astype("float64") - b for a, b in zip(before, model.get_weights(), strict=True)]
    return {"losses": np.array(losses), "gradient": np.concatenate([change.ravel() for change in changes])}


def on_arrays(K, name, options, y, p):
    """A loss object with each reduction, with and without weights, and the loss as a function."""
    result = {}
    for key, sample_weight in {"plain": None, "weighted": weights(len(y))}.items():
        if sample_weight is not None and p.ndim == 3:
            continue
        values = [getattr(K.losses, name)(reduction=r, **options)(y, p, sample_weight) for r in REDUCTIONS]
        result[key] = np.array([np.asarray(v) for v in values[:-1]])
        result[f"{key}_rows"] = np.asarray(values[-1])
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name.replace("KL", "Kl"))[1:]
    result["function"] = np.asarray(getattr(K.losses, snake)(y, p, **options))
    return result


def counts(rows, classes=3):
    """Small counts."""
    return np.random.default_rng(8).poisson(2.0, size=(rows, classes)).astype("float32")


def signs(*shape):
    """-1 and 1."""
    return np.where(inputs(*shape, seed=9) > 0, 1, -1).astype("float32")


def positive(*shape):
    """Numbers in (0, 1)."""
    return np.random.default_rng(10).uniform(0.02, 0.98, size=shape).astype("float32")


def distributions(rows, classes=3):
    """Rows of positive numbers that sum to 1."""
    p = positive(rows, classes)
    return p / p.sum(-1, keepdims=True)


def some_ignored(label):
    """Labels of which some are to be ignored."""
    labels = targets("labels", ROWS)
    labels[1::3] = label
    return labels


FOCAL, C_FOCAL = "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy"
SPARSE = "SparseCategoricalCrossentropy"
# name: (class, options, activation of the head, targets)
LOSSES = {
    "mse": ("MeanSquaredError", {}, None, "reals"),
    "mae": ("MeanAbsoluteError", {}, None, "reals"),
    "mape": ("MeanAbsolutePercentageError", {}, None, "reals"),
    "msle": ("MeanSquaredLogarithmicError", {}, "sigmoid", counts(ROWS)),
    "msle_clipped": ("MeanSquaredLogarithmicError", {}, None, inputs(ROWS, 3, seed=3)),
    "huber": ("Huber", {}, None, "reals"),
    "huber_delta": ("Huber", {"delta": 0.3}, None, "reals"),
    "log_cosh": ("LogCosh", {}, None, "reals"),
    "cosine": ("CosineSimilarity", {}, None, "reals"),
    "hinge": ("Hinge", {}, "tanh", signs(ROWS, 3)),
    "hinge_binary": ("Hinge", {}, "tanh", "multilabel"),
    "squared_hinge": ("SquaredHinge", {}, "tanh", signs(ROWS, 3)),
    "squared_hinge_binary": ("SquaredHinge", {}, None, "multilabel"),
    "categorical_hinge": ("CategoricalHinge", {}, "softmax", "one_hot"),
    "categorical_hinge_ties": ("CategoricalHinge", {}, "relu", "one_hot"),
    "kl_divergence": ("KLDivergence", {}, "softmax", distributions(ROWS)),
    "kl_divergence_one_hot": ("KLDivergence", {}, "sigmoid", "one_hot"),
    "poisson": ("Poisson", {}, "sigmoid", counts(ROWS)),
    "binary": ("BinaryCrossentropy", {}, "sigmoid", "multilabel"),
    "categorical": ("CategoricalCrossentropy", {}, "softmax", "one_hot"),
    "sparse": (SPARSE, {}, "softmax", "labels"),
    "ignore": (SPARSE, {"ignore_class": -1}, "softmax", some_ignored(-1)),
    "ignore_a_class": (SPARSE, {"ignore_class": 1}, "softmax", some_ignored(1)),
    "ignore_large": (SPARSE, {"ignore_class": 255}, "softmax", some_ignored(255)),
    "ignore_logits": (SPARSE, {"ignore_class": -1, "from_logits": True}, None, some_ignored(-1)),
    "ignore_column": (SPARSE, {"ignore_class": -1}, "softmax", some_ignored(-1)[:, None]),
    "focal": (FOCAL, {}, "sigmoid", "multilabel"),
    "focal_balanced": (FOCAL, {"apply_class_balancing": True}, "sigmoid", "multilabel"),
    "focal_alpha": (FOCAL, {"apply_class_balancing": True, "alpha": 0.6, "gamma": 1.5}, "sigmoid", "multilabel"),
    "focal_gamma_0": (FOCAL, {"gamma": 0.0}, "sigmoid", "multilabel"),
    "focal_logits": (FOCAL, {"from_logits": True, "gamma": 3.0}, None, "multilabel"),
    "focal_smoothing": (FOCAL, {"label_smoothing": 0.2}, "sigmoid", "multilabel"),
    "focal_logits_smoothing": (FOCAL, {"label_smoothing": 0.2, "from_logits": True}, None, "multilabel"),
    "focal_probabilities": (FOCAL, {"apply_class_balancing": True}, None, "multilabel"),
    "categorical_focal": (C_FOCAL, {}, "softmax", "one_hot"),
    "categorical_focal_alpha": (C_FOCAL, {"alpha": 0.7, "gamma": 1.5}, "softmax", "one_hot"),
    "categorical_focal_logits": (C_FOCAL, {"from_logits": True}, None, "one_hot"),
    "categorical_focal_smoothing": (C_FOCAL, {"label_smoothing": 0.1}, "softmax", "one_hot"),
    "categorical_focal_relu": (C_FOCAL, {}, "relu", "one_hot"),
}
BY_NAME = [
    "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE", "bce", "BCE", "kld", "KLD", "huber", "Huber",
    "log_cosh", "LogCosh", "hinge", "squared_hinge", "categorical_hinge", "poisson", "cosine_similarity",
    "kl_divergence", "binary_focal_crossentropy", "categorical_focal_crossentropy",
    "mean_squared_logarithmic_error",
]


def made(name, options):
    """A loss object as a function of the library."""
    return lambda K: getattr(K.losses, name)(**options)


def step_cases():
    """Every loss in a step, with and without weights."""
    cases = {}
    for name, (cls, options, activation, y) in LOSSES.items():
        settings = {"layers": dense(3, activation), "loss": made(cls, options), "y": y}
        cases[f"step_{name}"] = partial(step, **settings)
        cases[f"step_{name}_weighted"] = partial(step, **settings, sample_weight=weights())
    for name in BY_NAME:
        settings = {"layers": dense(3, "sigmoid"), "loss": name, "y": "one_hot"}
        cases[f"string_{name}"] = partial(step, **settings)
    return cases


def reduction_cases():
    """Reductions in training, in whole batches and where the last is smaller; ignored labels among them."""
    cases = {}
    for reduction in REDUCTIONS[1:]:
        for name, (cls, y) in {"mse": ("MeanSquaredError", "reals"), "ignore": (SPARSE, some_ignored(-1))}.items():
            options = {"reduction": reduction} | ({"ignore_class": -1} if name == "ignore" else {})
            for sample_weight in (None, weights()):
                for size in (None, 5):
                    key = f"{name}_{reduction}{'_weighted' * (sample_weight is not None)}{'_batches' * bool(size)}"
                    cases[f"reduction_{key}"] = partial(
                        step, layers=dense(3, "softmax"), loss=made(cls, options), y=y, sample_weight=sample_weight,
                        batch_size=size)
    return cases


def rank_3_cases():
    """Outputs of rank 3, where an axis may be another than the last."""
    shape, cases = (4, 6, 5), {}
    reals, hot = inputs(4, 6, 3, seed=6), np.eye(3, dtype="float32")[np.arange(24).reshape(4, 6) % 3]
    shares = hot / hot.sum(1, keepdims=True)       # where targets do not sum to 1, Keras's gradient is not its loss's
    labels = np.arange(24).reshape(4, 6) % 4 - 1
    rank_3 = {
        "mae": ("MeanAbsoluteError", {}, None, reals), "kl_divergence": ("KLDivergence", {}, "softmax", hot),
        "categorical_hinge": ("CategoricalHinge", {}, None, hot), "huber": ("Huber", {"delta": 0.5}, None, reals),
        "cosine": ("CosineSimilarity", {}, None, reals), "cosine_1": ("CosineSimilarity", {"axis": 1}, None, reals),
        "cosine_minus_2": ("CosineSimilarity", {"axis": -2}, None, reals),
        "focal": (FOCAL, {}, "sigmoid", hot), "focal_1": (FOCAL, {"axis": 1}, "tanh", hot),
        "categorical_focal": (C_FOCAL, {}, "softmax", hot),
        "categorical_focal_1": (C_FOCAL, {"axis": 1, "from_logits": True}, None, hot),
        "binary_1": ("BinaryCrossentropy", {"axis": 1, "from_logits": True}, None, hot),
        "categorical_1": ("CategoricalCrossentropy", {"axis": 1, "from_logits": True}, None, shares),
        "ignore": (SPARSE, {"ignore_class": -1}, "softmax", labels),
        "ignore_sum": (SPARSE, {"ignore_class": -1, "reduction": "sum"}, "softmax", labels),
        "mse_sum": ("MeanSquaredError", {"reduction": "sum"}, None, reals),
    }
    for name, (cls, options, activation, y) in rank_3.items():
        cases[f"rank_3_{name}"] = partial(step, layers=dense(3, activation), loss=made(cls, options), y=y, shape=shape)
    return cases


def array_cases():
    """Every loss on arrays of the same kinds, of rank 2 and 3, and with a column or a vector."""
    cases = {}
    for name, (cls, options, activation, y) in LOSSES.items():
        y = targets(y, ROWS) if isinstance(y, str) else y
        p = positive(ROWS, 3) if activation in ("sigmoid", "softmax") else inputs(ROWS, 3, seed=11)
        cases[f"arrays_{name}"] = partial(on_arrays, name=cls, options=options, y=y, p=p)
    reals, p = inputs(4, 6, 3, seed=6), inputs(4, 6, 3, seed=12)
    for name, options in {"MeanAbsoluteError": {}, "CosineSimilarity": {"axis": 1}, "LogCosh": {}}.items():
        cases[f"arrays_rank_3_{name.lower()}"] = partial(on_arrays, name=name, options=options, y=reals, p=p)
    column = inputs(ROWS, 1, seed=13)
    for name, y, p in (("flat_y", column[:, 0], column + 1), ("flat_p", column, column[:, 0] + 1)):
        cases[f"arrays_{name}"] = partial(on_arrays, name="MeanSquaredError", options={}, y=y, p=p)
    return cases


CASES = step_cases() | reduction_cases() | rank_3_cases() | array_cases()
