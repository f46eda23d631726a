"""Callbacks: the order of the hooks, and when EarlyStopping stops and what it restores."""

from functools import partial

import numpy as np
from seeded import inputs, named_weights, set_weights, targets

HOOKS = [f"on_{run}_{edge}" for run in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += [f"on_{run}_batch_{edge}" for run in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += ["on_epoch_begin", "on_epoch_end"]


def regression(K, rate=0.1):
    """A compiled linear model with seeded weights."""
    model = set_weights(K.Sequential([K.Input((4,)), K.layers.Dense(1)]))
    model.compile(optimizer=K.optimizers.SGD(learning_rate=rate), loss="mse", metrics=["mse"])
    return model


def train(model, callback, epochs=2, **options):
    """Fit ten rows in batches of 4, 4 and 2 with one callback; the history."""
    x, y = inputs(10, 4), targets("real", 10)
    return model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, shuffle=False, callbacks=[callback], **options)


def event_recorder(K, events):
    """A callback that appends (hook, number, names in the logs) to a list at every hook."""

    def record(hook):
        # on_train_begin and its like get only the logs, the others a number as well
        def method(self, *args, logs=None):
            *number, last = (*args, logs) if logs is not None else args or (None,)
            number, logs = ([last], None) if isinstance(last, int) else (number, last)
            events.append(f"{hook} {number} {sorted(logs or {})}")

        return method

    return type("Recorder", (K.callbacks.Callback,), {hook: record(hook) for hook in HOOKS})()


def hook_order(K):
    """Every hook of fit with validation, evaluate and predict, with the keys of its logs."""
    model, events = regression(K), []
    recorder = event_recorder(K, events)
    train(model, recorder, validation_split=0.2)
    x, y = inputs(10, 4), targets("real", 10)
    model.evaluate(x, y, batch_size=4, verbose=0, callbacks=[recorder])
    model.predict(x, batch_size=4, verbose=0, callbacks=[recorder])
    return {"events": np.array(events)}


def lambda_callback(K):
    """LambdaCallback at every place it offers."""
    model, events = regression(K), []
    numbered = {
        f"on_{place}": lambda number, logs, place=place: events.append(f"{place} {number} {sorted(logs or {})}")
        for place in ("epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end")
    }
    plain = {
        f"on_{place}": lambda logs, place=place: events.append(f"{place} {sorted(logs or {})}")
        for place in ("train_begin", "train_end")
    }
    callback = K.callbacks.LambdaCallback(**numbered, **plain)
    train(model, callback)
    return {"events": np.array(events)}


def batch_logs(K):
    """The loss in the logs of a batch is the mean over the epoch so far."""
    model, losses = regression(K), []
    callback = K.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(float(logs["loss"])))
    train(model, callback)
    return {"losses": losses}


def stop_training(K):
    """stop_training set at the end of a batch ends the epoch there, set at the end of an epoch ends the fit."""
    result = {}
    for place, kind in (("on_train_batch_end", "batch"), ("on_epoch_end", "epoch")):
        model = regression(K)
        stop = K.callbacks.LambdaCallback(
            **{place: lambda number, logs, model=model: setattr(model, "stop_training", number == 1)}
        )
        result[f"{kind}_loss"] = train(model, stop, epochs=4).history["loss"]
        result |= named_weights(model.get_weights(), prefix=f"{kind}_weight")
    return result


def early_stopping(K, worse=True, **options):
    """Validation targets of the opposite sign get worse while training goes on, those of the same sign better."""
    model = regression(K, rate=0.05)
    # from zero the loss on targets of the opposite sign can only rise
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    x = inputs(12, 4)
    y = x @ np.array([1.0, -1.0, 0.5, 2.0], dtype="float32")
    stopper = K.callbacks.EarlyStopping(**options)
    held_out = (x, -y if worse else y)
    history = model.fit(
        x, y, batch_size=12, epochs=12, validation_data=held_out, verbose=0, shuffle=False, callbacks=[stopper]
    )
    result = {"epochs": history.epoch, "stopped_epoch": stopper.stopped_epoch, "val_loss": history.history["val_loss"]}
    return result | named_weights(model.get_weights())


STOPS = {
    "default": {},
    "patience": {"patience": 3},
    "restore": {"patience": 3, "restore_best_weights": True},
    "restore_without_stop": {"patience": 50, "restore_best_weights": True},
    "start": {"patience": 1, "start_from_epoch": 4},
    "start_restore": {"patience": 2, "start_from_epoch": 4, "restore_best_weights": True},
    "baseline": {"worse": False, "patience": 2, "baseline": 0.01},
    "min_delta": {"worse": False, "patience": 2, "min_delta": 1.0},
    "mode_max": {"worse": False, "patience": 2, "mode": "max"},
    "improving": {"worse": False, "patience": 1},
    "monitor": {"monitor": "loss", "patience": 1, "min_delta": 2.0},
}

CASES = {f"early_stopping_{name}": partial(early_stopping, **options) for name, options in STOPS.items()}
CASES |= {
    "hook_order": hook_order,
    "lambda_callback": lambda_callback,
    "batch_logs": batch_logs,
    "stop_training": stop_training,
}
