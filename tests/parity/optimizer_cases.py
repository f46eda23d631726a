"""Ten steps of every optimizer and option: the loss of each step, and the weights after it."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

STEPS = 10


def net(K, **options):
    """4-5-3 with fixed weights; ``options`` of the hidden layer."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(5, activation="tanh", **options),
                          K.layers.Dense(3, activation="softmax")])
    return set_weights(model)


def steps_of(model, optimizer):
    """Ten steps on ten fixed batches."""
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    losses, snapshots = [], []
    for step in range(STEPS):
        x, y = inputs(8, 4, seed=100 + step), targets("labels", 8, seed=200 + step)
        if optimizer.use_ema:                 # at the end of fit the average would become the weights
            model.train_on_batch(x, y)
        else:
            losses += model.fit(x, y, batch_size=8, shuffle=False, verbose=0).history["loss"]
        snapshots.append(model.get_weights())
    return {"losses": losses} | named_weights(*snapshots)


def trace(K, name, schedule=None, exclude=None, layer=None, frozen=None, **options):
    """Ten steps; what is not in ``options`` is the default of the optimizer."""
    if schedule is not None:
        schedule, *arguments = schedule
        options["learning_rate"] = getattr(K.optimizers.schedules, schedule)(*arguments)
    optimizer = getattr(K.optimizers, name)(**options)
    if exclude is not None:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    model = net(K, **(layer or {}))
    if frozen is not None:
        model.layers[frozen].trainable = False
    return steps_of(model, optimizer)


def constrained(K, constraint, weight="kernel", **options):
    """Ten steps with a constraint on one weight of the hidden layer."""
    if constraint[0].isupper():
        constraint = getattr(K.constraints, constraint)(**options)
    return steps_of(net(K, **{f"{weight}_constraint": constraint}), K.optimizers.SGD(0.5))


def averaged_fit(K, epochs, **options):
    """At the end of ``fit`` the weights become their moving average."""
    model = net(K)
    model.compile(K.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.8, **options), "sparse_categorical_crossentropy")
    x, y = inputs(24, 4), targets("labels", 24)
    losses = model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history["loss"]
    return {"losses": losses} | named_weights(model.get_weights())


def applied(K, name, **options):
    """Steps of one's own on the weights of a layer, with gradients of one's own; the second weight rests once."""
    layer = K.layers.Dense(3)
    layer.build((None, 4))
    layer.set_weights([inputs(4, 3, seed=1), inputs(3, seed=2)])
    optimizer = getattr(K.optimizers, name)(**options)
    snapshots = []
    for step in range(STEPS):
        gradients = [K.ops.convert_to_tensor(g) if hasattr(K, "ops") and hasattr(K.ops, "convert_to_tensor") else g
                     for g in (inputs(4, 3, seed=10 + step), inputs(3, seed=50 + step))]
        optimizer.apply_gradients(zip(gradients, layer.trainable_weights, strict=True))
        snapshots.append([np.array(w) for w in layer.get_weights()])
    return {"iterations": int(optimizer.iterations)} | named_weights(*snapshots)


def by_string(K, name):
    """The optimizer named by its lower-case string has the defaults of the class."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3)])
    set_weights(model).compile(optimizer=name, loss="mse")
    x, y = inputs(8, 4), targets("reals", 8)
    loss = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
    return {"loss": loss} | named_weights(model.get_weights())


def attributes(K):
    """The learning rate can be read and assigned, and the number of steps is counted."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3)])
    optimizer = K.optimizers.SGD(learning_rate=0.1)
    set_weights(model).compile(optimizer=optimizer, loss="mse")
    x, y = inputs(10, 4), targets("reals", 10)
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    result = {"rate_before": float(optimizer.learning_rate), "iterations": int(optimizer.iterations)}
    optimizer.learning_rate = 0.01
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    return result | {"rate_after": float(optimizer.learning_rate)} | named_weights(model.get_weights())


def rate_of_schedule(K):
    """The learning rate of an optimizer with a schedule is that of its next step."""
    optimizer = K.optimizers.SGD(K.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5))
    model = net(K)
    rates = [float(optimizer.learning_rate)]
    model.compile(optimizer, "sparse_categorical_crossentropy")
    for _ in range(3):
        model.fit(inputs(16, 4), targets("labels", 16), batch_size=8, shuffle=False, verbose=0)
        rates.append(float(optimizer.learning_rate))
    return {"rates": rates}


def config(K, name):
    """The settings by name, and their values where they are numbers."""
    settings = getattr(K.optimizers, name)().get_config()
    numbers = {k: float(v) for k, v in settings.items() if isinstance(v, (int, float))}
    return {"names": sorted(settings)} | {f"value_{k}": v for k, v in numbers.items()}


NAMES = ("SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adagrad", "Adadelta", "Adamax", "Lion")
TRACES = {
    "sgd": ("SGD", {}),
    "sgd_rate": ("SGD", {"learning_rate": 0.5}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adam_rate": ("Adam", {"learning_rate": 0.05}),
    "adam_betas": ("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9}),
    "adam_epsilon": ("Adam", {"learning_rate": 0.05, "epsilon": 0.1}),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.05, "beta_2": 0.9, "epsilon": 1e-3, "amsgrad": True}),
    "adamw": ("AdamW", {}),
    "adamw_decay": ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2, "epsilon": 1e-3}),
    "adamw_amsgrad": ("AdamW", {"learning_rate": 0.05, "amsgrad": True, "epsilon": 1e-3}),
    "nadam": ("Nadam", {}),
    "nadam_settings": ("Nadam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "adagrad": ("Adagrad", {}),
    "adagrad_settings": ("Adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.5, "epsilon": 1e-3}),
    "adadelta": ("Adadelta", {}),
    "adadelta_settings": ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    "adamax": ("Adamax", {}),
    "adamax_settings": ("Adamax", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.7, "epsilon": 1e-3}),
    "lion": ("Lion", {}),
    "lion_settings": ("Lion", {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.8}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9, "rho": 0.8}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.01, "centered": True, "epsilon": 1e-3}),
    "rmsprop_centered_momentum": ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.5,
                                              "epsilon": 1e-3}),
    "clipnorm": ("SGD", {"learning_rate": 0.5, "clipnorm": 0.1}),
    "clipnorm_of_some": ("SGD", {"learning_rate": 0.5, "clipnorm": 0.35}),
    "clipvalue": ("SGD", {"learning_rate": 0.5, "clipvalue": 0.02}),
    "global_clipnorm": ("SGD", {"learning_rate": 0.5, "global_clipnorm": 0.2}),
    "global_clipnorm_frozen": ("SGD", {"learning_rate": 0.5, "global_clipnorm": 0.2, "frozen": 0}),
    "clipnorm_adam": ("Adam", {"learning_rate": 0.01, "clipnorm": 0.1, "epsilon": 1e-3}),
    "decay": ("SGD", {"learning_rate": 0.5, "weight_decay": 0.1}),
    "decay_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.5}),
    "decay_excluded": ("SGD", {"learning_rate": 0.5, "weight_decay": 0.1, "exclude": ["bias"]}),
    "ema": ("SGD", {"learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.5}),
    "ema_overwrite": ("SGD", {"learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.5,
                              "ema_overwrite_frequency": 3}),
    "loss_scale": ("SGD", {"learning_rate": 0.5, "loss_scale_factor": 128.0}),
    "accumulation": ("SGD", {"learning_rate": 0.5, "gradient_accumulation_steps": 3}),
    "accumulation_clip": ("SGD", {"learning_rate": 0.5, "gradient_accumulation_steps": 2, "global_clipnorm": 0.1,
                                  "weight_decay": 0.1}),
    "accumulation_adam": ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "epsilon": 1e-3}),
    "accumulation_ema": ("SGD", {"learning_rate": 0.5, "gradient_accumulation_steps": 2, "use_ema": True,
                                 "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
    "schedule": ("SGD", {"schedule": ("ExponentialDecay", 0.5, 5, 0.5)}),
    "schedule_pieces": ("Adam", {"schedule": ("PiecewiseConstantDecay", [2, 5], [0.05, 0.02, 0.01]), "epsilon": 1e-3}),
    "schedule_accumulation": ("SGD", {"schedule": ("ExponentialDecay", 0.5, 5, 0.5),
                                      "gradient_accumulation_steps": 3}),
    "schedule_decay": ("SGD", {"schedule": ("CosineDecay", 0.5, 8), "weight_decay": 0.1}),
}

CASES = {f"trace_{key}": partial(trace, name=name, **options) for key, (name, options) in TRACES.items()}
CASES |= {f"string_{name}": partial(by_string, name=name)
          for name in ("SGD", "Adam", *(name.lower() for name in NAMES))}
CASES |= {f"config_{name}": partial(config, name=name) for name in NAMES}
CASES |= {f"applied_{name}": partial(applied, name=name) for name in NAMES}
CASES |= {
    "applied_options": partial(applied, name="SGD", learning_rate=0.5, global_clipnorm=1.0, weight_decay=0.1,
                               loss_scale_factor=4.0),
    "averaged_fit": partial(averaged_fit, epochs=2),
    "averaged_fit_overwritten": partial(averaged_fit, epochs=2, ema_overwrite_frequency=4),
    "attributes": attributes,
    "rate_of_schedule": rate_of_schedule,
    "constraint_max_norm": partial(constrained, constraint="MaxNorm", max_value=0.8),
    "constraint_max_norm_rows": partial(constrained, constraint="MaxNorm", max_value=0.8, axis=1),
    "constraint_max_norm_all": partial(constrained, constraint="MaxNorm", max_value=1.5, axis=[0, 1]),
    "constraint_max_norm_bias": partial(constrained, constraint="MaxNorm", weight="bias", max_value=0.5),
    "constraint_unit_norm": partial(constrained, constraint="UnitNorm"),
    "constraint_unit_norm_rows": partial(constrained, constraint="unit_norm", weight="bias"),
    "constraint_non_neg": partial(constrained, constraint="NonNeg"),
    "constraint_min_max": partial(constrained, constraint="MinMaxNorm", min_value=0.6, max_value=0.9),
    "constraint_min_max_rate": partial(constrained, constraint="MinMaxNorm", min_value=0.6, max_value=0.9, rate=0.3),
    "constraint_string": partial(constrained, constraint="max_norm"),
}
