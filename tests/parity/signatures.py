"""The constructors and methods whose parameters are compared with those of Keras."""

import inspect

CLASSES = [
    *(f"layers.{name}" for name in ("Layer", "Dense", "Activation", "Flatten", "Dropout", "BatchNormalization")),
    *(f"optimizers.{name}" for name in ("SGD", "Adam")),
    *(f"losses.{name}" for name in ("MeanSquaredError", "BinaryCrossentropy", "CategoricalCrossentropy")),
    "losses.SparseCategoricalCrossentropy",
    *(f"metrics.{name}" for name in ("BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy")),
    *(f"callbacks.{name}" for name in ("EarlyStopping", "LambdaCallback")),
    *(f"initializers.{name}" for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal")),
    "Sequential",
]
FUNCTIONS = [
    "Input",
    *(f"Sequential.{name}" for name in ("compile", "fit", "evaluate", "predict", "train_on_batch")),
    *(f"Sequential.{name}" for name in ("add", "pop", "build", "summary", "count_params")),
    *(f"Sequential.{name}" for name in ("get_weights", "set_weights")),
    *(f"callbacks.Callback.on_{run}_{edge}" for run in ("train", "test", "predict") for edge in ("begin", "end")),
    *(f"callbacks.Callback.on_{run}_batch_{e}" for run in ("train", "test", "predict") for e in ("begin", "end")),
    *(f"callbacks.Callback.on_epoch_{edge}" for edge in ("begin", "end")),
    *(f"callbacks.Callback.set_{name}" for name in ("params", "model")),
    "utils.set_random_seed",
    "backend.clear_session",
]


def find(library, path):
    """The object that a dotted path names."""
    for name in path.split("."):
        library = getattr(library, name)
    return library


def parameters(function):
    """[name, kind] or [name, kind, default] of every parameter but self."""
    result = []
    for p in inspect.signature(function).parameters.values():
        default = [] if p.default is inspect.Parameter.empty else [p.default]
        result.append([p.name, p.kind.name, *default])
    return result[1:] if result and result[0][0] == "self" else result


def signatures(library):
    """The parameters of all the classes and functions, by path."""
    # the constructor itself: a class may hide it behind a __new__ that takes anything
    result = {path: parameters(find(library, path).__init__) for path in CLASSES}
    return result | {path: parameters(find(library, path)) for path in FUNCTIONS}
