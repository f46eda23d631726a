"""Sequential: names, the order and shapes of weights, counts, the numbers of summary, building late."""

import re
import warnings

import numpy as np
from experiments import deep_model
from seeded import inputs, named_weights, set_weights, targets


def shapes(model):
    """The shapes of get_weights as strings."""
    return np.array([str(w.shape) for w in model.get_weights()])


def names(K):
    """Names count up per class of layer within a session, and clear_session starts again."""
    K.backend.clear_session()
    first = K.Sequential([K.Input((4,)), K.layers.Dense(3), K.layers.Dense(3), K.layers.BatchNormalization()])
    second = K.Sequential([K.Input((4,)), K.layers.Dense(3, name="mine"), K.layers.Dense(2), K.layers.Flatten()])
    second.add(K.layers.Activation("relu"))
    second.add(K.layers.Dropout(0.5))
    result = {"models": np.array([first.name, second.name])}
    result |= {"layers": np.array([layer.name for layer in first.layers + second.layers])}
    result |= {"paths": np.array([w.path for w in first.weights + second.weights])}
    K.backend.clear_session()
    return result | {"cleared": np.array([K.layers.Dense(1).name, K.Sequential(name="net").name, K.Sequential().name])}


def weight_order(K):
    """Per layer: trainable ones first, then the moving statistics; freezing a layer changes nothing in the order."""
    model = deep_model(K)
    result = {"shapes": shapes(model)}
    for state in ("fresh", "frozen"):
        for kind in ("weights", "trainable_weights", "non_trainable_weights"):
            result[f"{state}_{kind}"] = np.array([w.name for w in getattr(model, kind)])
        model.layers[0].trainable = model.layers[1].trainable = False
    return result


def count_params(K):
    """Parameters of the model and of each layer."""
    model = deep_model(K)
    return {"model": model.count_params(), "layers": [layer.count_params() for layer in model.layers]}


def summary_numbers(model):
    """The shape and count of every row, and the totals, as they stand in the text."""
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(str(line) for line in lines)
    rows = re.findall(r"(\((?:None|\d+)(?:, (?:None|\d+))*\))\W*?([\d,]+)\b", text)
    totals = re.findall(r"(\S+) params: ([\d,]+) (\(.*?\))", text)
    return {"rows": np.array(rows), "totals": np.array(totals)}


def summary(K):
    """Before compiling, with a frozen layer, and after a training step, which adds the optimizer's variables."""
    model = deep_model(K)
    result = {f"fresh_{key}": value for key, value in summary_numbers(model).items()}
    model.layers[0].trainable = False
    result |= {f"frozen_{key}": value for key, value in summary_numbers(model).items()}
    model.layers[0].trainable = True
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.train_on_batch(inputs(8, 20), targets("labels", 8))
    return result | {f"trained_{key}": value for key, value in summary_numbers(model).items()}


def frozen_layer(K):
    """A layer with trainable=False keeps its weights in training."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, activation="tanh"), K.layers.Dense(1)])
    set_weights(model).layers[0].trainable = False
    model.compile(optimizer="sgd", loss="mse")
    model.fit(inputs(8, 4), targets("real", 8), epochs=2, verbose=0, shuffle=False)
    return named_weights(model.get_weights())


def deferred_build(K):
    """Without an input shape there are no weights until the first call."""
    model = K.Sequential([K.layers.Dense(3, activation="relu"), K.layers.Dense(2)])
    result = {"built": model.built, "before": len(model.weights)}
    model.predict(inputs(5, 4), verbose=0)
    return result | {"after": shapes(model), "output": set_weights(model).predict(inputs(5, 4), verbose=0)}


def build(K):
    """build with a shape that has the batch axis makes the weights."""
    model = K.Sequential([K.layers.Dense(3), K.layers.Dense(2)])
    model.build((None, 4))
    return {"shapes": shapes(model), "output": set_weights(model).predict(inputs(5, 4), verbose=0)}


def input_shape_argument(K):
    """The old arguments input_shape and input_dim of the first layer."""
    result = {}
    for key, argument in {"input_shape": {"input_shape": (4,)}, "input_dim": {"input_dim": 4}}.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = K.Sequential([K.layers.Dense(3, **argument), K.layers.Dense(2)])
        result |= {f"{key}_shapes": shapes(model), f"{key}_output": set_weights(model).predict(inputs(5, 4), verbose=0)}
    return result


def pop_and_add(K):
    """The last layer taken away and another one put in its place."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3), K.layers.Dense(2)])
    model.pop()
    middle = shapes(model)
    model.add(K.layers.Dense(5, activation="softmax"))
    model.add(K.layers.Flatten())
    return {"popped": middle, "shapes": shapes(model), "output": set_weights(model).predict(inputs(5, 4), verbose=0)}


def set_weights_of_model(K):
    """set_weights of the whole model takes the list that get_weights gives."""
    model, other = deep_model(K), deep_model(K)
    other.set_weights(set_weights(model).get_weights())
    x = inputs(6, 20)
    return {"same": np.array_equal(model.predict(x, verbose=0), other.predict(x, verbose=0))} | {
        "output": other.predict(x, verbose=0)
    }


def model_shapes(K):
    """input_shape, output_shape and the number of layers, in which Input does not count."""
    model = K.Sequential([K.Input((3, 4)), K.layers.Dense(5), K.layers.Flatten(), K.layers.Dense(2)])
    texts = [str(model.input_shape), str(model.output_shape), str(len(model.layers)), str(model.built)]
    return {"model": np.array(texts), "layers": np.array([str(layer.output.shape) for layer in model.layers])}


CASES = {
    function.__name__: function
    for function in (names, weight_order, count_params, summary, frozen_layer, deferred_build, build)
}
CASES |= {
    function.__name__: function for function in (input_shape_argument, pop_and_add, set_weights_of_model, model_shapes)
}
