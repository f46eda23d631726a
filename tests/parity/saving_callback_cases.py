"""Callbacks that write files or change the learning rate, and what a stopped training leaves."""

import os
import tempfile
import warnings
from functools import partial

import numpy as np
from callback_cases import regression
from seeded import inputs, named_weights, targets


def fit(K, callbacks, epochs=6, rate=0.1, worse=True, batch_size=4, validate=True, **options):
    """Train a linear model while the loss on held-out rows gets worse, or better; (model, history)."""
    model = regression(K, rate)
    x, y = inputs(12, 4), targets("real", 12)
    held_out = {"validation_data": (x, -5 * y if worse else y)} if validate else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")             # of Keras's file names, and of metrics that are not there
        history = model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0, shuffle=False,
                            callbacks=callbacks(model),
                            **held_out, **options)
    return model, history


def reduced(K, worse=True, **options):
    """The learning rate that each epoch was trained with, and the weights."""
    model, history = fit(K, lambda m: [K.callbacks.ReduceLROnPlateau(**options)], 9, 0.01, worse)
    return {"rate": history.history["learning_rate"], "last": float(model.optimizer.learning_rate)} | named_weights(
        model.get_weights())


PLATEAUS = {
    "default": {},
    "patience": {"patience": 2},
    "factor": {"patience": 1, "factor": 0.5},
    "cooldown": {"patience": 1, "factor": 0.5, "cooldown": 2},
    "min_lr": {"patience": 1, "min_lr": 0.002},
    "min_delta": {"worse": False, "patience": 1, "min_delta": 10.0},
    "better": {"worse": False, "patience": 1},
    "max": {"worse": False, "patience": 2, "mode": "max"},
    "loss": {"monitor": "loss", "patience": 1, "min_delta": 0.3},
    "missing": {"monitor": "nothing", "mode": "min"},
    "no_patience": {"patience": 0, "factor": 0.9},
}


def scheduled(K, two):
    """A rate from the epoch, or from the epoch and the present rate."""
    schedule = (lambda epoch, rate: rate * 0.7 + 0.001 * epoch) if two else (lambda epoch: 0.1 / (1 + epoch))
    model, history = fit(K, lambda m: [K.callbacks.LearningRateScheduler(schedule)], 5)
    return {"rate": history.history["learning_rate"]} | named_weights(model.get_weights())


def logged(K, validate=True, append=False, **options):
    """The lines of a log, its numbers rounded."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log.csv")
        for _ in range(2):
            fit(K, lambda m: [K.callbacks.CSVLogger(path, append=append, **options)], 3, validate=validate)
        with open(path) as file:
            lines = file.read().splitlines()
    separator = options.get("separator", ",")
    return {"lines": np.array([separator.join(map(rounded, line.split(separator))) for line in lines])}


def rounded(cell):
    try:
        return f"{float(cell):.4g}"
    except ValueError:
        return cell


def saved(K, name="{epoch:02d}.keras", weights_only=False, worse=True, **options):
    """The names of the files and what the last of them gives."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "made", name + (".weights.h5" if weights_only else ""))
        checkpoint = K.callbacks.ModelCheckpoint(path, save_weights_only=weights_only, **options)
        seen = []
        watch = K.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(str(found(folder))))
        model, _ = fit(K, lambda m: [checkpoint, watch], 4, 0.02, worse)
        files = found(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if weights_only:
                model.load_weights(os.path.join(folder, "made", files[-1]))
            elif files:
                model = K.models.load_model(os.path.join(folder, "made", files[-1]))
    best = -1.0 if checkpoint.best is None else checkpoint.best
    return {"seen": np.array(seen), "files": np.array(files), "best": best} | named_weights(model.get_weights())


def found(folder):
    made = os.path.join(folder, "made")
    return sorted(os.listdir(made)) if os.path.isdir(made) else []


CHECKPOINTS = {
    "epochs": {},
    "one_name": {"name": "net.keras"},
    "metric_in_name": {"name": "{epoch}-{val_loss:.1f}-{mse:.1f}.keras"},
    "weights": {"weights_only": True},
    "best": {"save_best_only": True},
    "best_getting_better": {"save_best_only": True, "worse": False},
    "best_max": {"save_best_only": True, "mode": "max"},
    "best_threshold": {"save_best_only": True, "worse": False, "initial_value_threshold": 40.0},
    "best_no_threshold_met": {"save_best_only": True, "initial_value_threshold": 0.0},
    "best_loss": {"save_best_only": True, "monitor": "loss"},
    "best_missing": {"save_best_only": True, "monitor": "nothing", "mode": "min"},
    "batches": {"name": "{epoch:02d}-{batch:02d}.keras", "save_freq": 2},
    "batches_over_epochs": {"name": "{epoch:02d}-{batch:02d}.keras", "save_freq": 5},
    "batches_best": {"name": "{epoch:02d}-{batch:02d}.keras", "save_freq": 4, "save_best_only": True, "monitor": "loss",
                     "mode": "min"},
}


def terminated(K, raise_error=False):
    """A rate so large that the loss overflows: where training stops."""
    events, stop = [], K.callbacks.TerminateOnNaN(raise_error=raise_error)
    watch = K.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: events.append(f"batch {batch} {np.isfinite(logs['loss'])}"),
        on_epoch_end=lambda epoch, logs: events.append(f"epoch {epoch} {np.isfinite(logs['loss'])}"),
        on_train_end=lambda logs: events.append("end"))
    try:
        fit(K, lambda m: [watch, stop], 20, 1e6, batch_size=3, validate=False)
    except RuntimeError:
        events.append("error")
    return {"events": np.array(events)}


CASES = {f"reduce_{name}": partial(reduced, **options) for name, options in PLATEAUS.items()}
CASES |= {f"checkpoint_{name}": partial(saved, **options) for name, options in CHECKPOINTS.items()}
CASES |= {
    "schedule_epoch": partial(scheduled, two=False),
    "schedule_rate": partial(scheduled, two=True),
    "csv": logged,
    "csv_append": partial(logged, append=True),
    "csv_separator": partial(logged, separator=";"),
    "csv_no_validation": partial(logged, validate=False),
    "terminate": terminated,
    "terminate_error": partial(terminated, raise_error=True),
}
