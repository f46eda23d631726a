"""Ten steps of every optimizer: the loss of each step, and the weights after it."""

from functools import partial

from seeded import inputs, named_weights, set_weights, targets

STEPS = 10


def trace(K, name, learning_rate=None, **options):
    """Ten steps on ten fixed batches; ``learning_rate`` None leaves the default of the optimizer."""
    if learning_rate is not None:
        options["learning_rate"] = learning_rate
    model = K.Sequential([K.Input((4,)), K.layers.Dense(5, activation="tanh"), K.layers.Dense(3, activation="softmax")])
    loss = "sparse_categorical_crossentropy"
    set_weights(model).compile(optimizer=getattr(K.optimizers, name)(**options), loss=loss)
    losses, snapshots = [], []
    for step in range(STEPS):
        x, y = inputs(8, 4, seed=100 + step), targets("labels", 8, seed=200 + step)
        losses += model.fit(x, y, batch_size=8, shuffle=False, verbose=0).history["loss"]
        snapshots.append(model.get_weights())
    return {"losses": losses} | named_weights(*snapshots)


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


TRACES = {
    "sgd": ("SGD", {}),
    "sgd_rate": ("SGD", {"learning_rate": 0.5}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adam_rate": ("Adam", {"learning_rate": 0.05}),
    "adam_betas": ("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9, "rho": 0.8}),
    "rmsprop_centered": ("RMSprop", {"learning_rate": 0.01, "centered": True, "epsilon": 1e-3}),
    "adam_epsilon": ("Adam", {"learning_rate": 0.05, "epsilon": 0.1}),
}

CASES = {f"trace_{key}": partial(trace, name=name, **options) for key, (name, options) in TRACES.items()}
CASES |= {f"string_{name}": partial(by_string, name=name) for name in ("sgd", "adam", "rmsprop", "SGD", "Adam")}
CASES |= {"attributes": attributes}
