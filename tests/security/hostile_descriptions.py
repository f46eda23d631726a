"""Model files with a hostile or broken description, signed: families of them, as hostile.py has them."""
import copy
import json

from model_bytes import built, tensors

CLASS_NAMES = ["os.system", "builtins.eval", "eval", "Lambda", "__class__", "../x", "fastnn.layers.Dense", "Model", "",
               "Layer", "x" * 900, "x" * 5000, "dense\n", "DENSE", "Sequential", "Described", "type", "exec", "\ud800",
               "subprocess.Popen", "TFSMLayer", "TorchModuleWrapper", "StringLookup", "function", "InputLayer"]
NUMBERS = [True, 1.0, "3", "9" * 5000, [], {}, None, -1, 0, 1e308, 10**9, 10**12, 2**31, 2**63, 2**64, 10**30, -2**63,
           [10**9], {"class_name": "function", "config": "os.system"}, "__import__('os').system('true')"]
DTYPES = ["O", "V100", "2f8,f4", "(1000000,)f4", "float16", ["f4"], {"names": ["a"]}, "M8[s]", "complex64", 7,
          "U99999999"]
GADGETS = [{"class_name": "function", "config": "os.system"}, {"class_name": "__lambda__", "config": {"value": "4wAA"}},
           {"module": "builtins", "class_name": "eval", "config": {}, "registered_name": None},
           {"module": "keras.utils", "class_name": "function", "config": "get_file"},
           {"class_name": "Constant", "config": {"value": [[1.0]] * 500}},
           {"class_name": "L2", "config": {"l2": "x"}}, {"class_name": "Orthogonal", "config": {"gain": 10**9}}]


def with_text(good, text):
    """The good file with another text for a description, signed."""
    parts = tensors(good)
    parts["fastnn.config"] = ("U8", [len(text)], text)
    return built(parts)


def description(good):
    """The description of a good file."""
    return json.loads(tensors(good)["fastnn.config"][2])


def places(value, path=()):
    """The paths of all values in plain data."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from places(item, (*path, i))


def put(value, path, new):
    """Change what lies at a path."""
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


def dumps(described):
    return json.dumps(described).encode("utf-8", "surrogatepass")


def named(good, rng, key, choices):
    """One of the values of this key in the description is another."""
    described = description(good)
    found = [p for p in places(described) if p and p[-1] == key]
    put(described, rng.choice(found), copy.deepcopy(rng.choice(choices)))
    return with_text(good, dumps(described))


def anywhere(good, rng):
    """Any value of the description, but the notes, is another."""
    described = description(good)
    found = [p for p in places(described) if p and p[0] != "notes"]
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        path = rng.choice(found)
        new = rng.choice([*NUMBERS, *CLASS_NAMES, *DTYPES, *GADGETS, *described.values()])
        try:
            put(described, path, copy.deepcopy(new))
        except (KeyError, IndexError, TypeError):
            pass
    return with_text(good, dumps(described))


def keys(good, rng):
    """A key too many, too few, or of another name."""
    described = description(good)
    where = described
    for step in rng.choice([p for p in places(described) if p and p[0] != "notes"]):
        where = where[step]
    if isinstance(where, dict) and where:
        key = rng.choice(list(where))
        value = where.pop(key)
        if rng.random() < 0.5:
            where[rng.choice(["__class__", "module", "Units", key + " ", "", "safe_mode", "custom_objects"])] = value
    else:
        described["extra"] = 1
    return with_text(good, dumps(described))


def layers(good, rng):
    """Very many layers, none, or models within models."""
    described = description(good)
    config = described["model"]["config"]
    choice = rng.choice(["many", "none", "nested", "again", "wide"])
    if choice == "many":
        flat = {"class_name": "Flatten", "config": {}}
        config["layers"] = config["layers"][:1] + [flat] * rng.choice([3000, 100_000])
    elif choice == "none":
        config["layers"] = []
    elif choice == "nested":
        for i in range(rng.choice([5, 100, 3000])):
            inner = {"class_name": "Sequential", "config": {**config, "name": f"inner_{i}"}}
            config = {**config, "layers": [inner]}
            if i > 50:
                return with_text(good, nested_text(described, i))
        described["model"]["config"] = config
    elif choice == "again":
        config["layers"] += config["layers"]
    else:
        for entry in config["layers"]:
            if "units" in entry["config"]:
                entry["config"]["units"] = rng.choice([10**9, 10**6, 10**15])
    return with_text(good, dumps(described))


def nested_text(described, depth):
    """A description that is nested deeper than its parser can go."""
    return dumps(described)[:-1] + b',"x":' + b'{"a":' * (depth * 100) + b"1" + b"}" * (depth * 100) + b"}"


LARGE = [10**7, 10**9, 2**62, 10**5 + 1, -10**9]
REQUIRED = {"num_classes": 2, "target_class_ids": [0], "loss": "mse", "units": 3, "rate": 0.1, "stddev": 0.1,
            "activation": "relu", "scale": 1.0, "target_shape": [6], "dims": [1], "specificity": 0.5,
            "sensitivity": 0.5, "precision": 0.5, "recall": 0.5, "initial_learning_rate": 0.1, "decay_steps": 10,
            "decay_rate": 0.9, "boundaries": [5], "values": [0.1, 0.2], "end_learning_rate": 0.01,
            "first_decay_steps": 5, "function": "relu", "fn": "mse", "shape": [4], "value": 1.0, "seed": 1}


def class_settings(good, rng):
    """A class of any kind, one of its settings a very large number, or a list of many."""
    import fastnn
    from fastnn._describe import parameters
    from fastnn.optimizers import schedules
    described = description(good)
    layers, compiled = described["model"]["config"]["layers"], described["compile"]
    dense = rng.choice([entry for entry in layers if "units" in entry["config"]])["config"]
    optimizer = compiled["optimizer"]["config"]
    place, registry = rng.choice([
        (lambda entry: layers.insert(1, entry), fastnn.layers.registry),
        (lambda entry: compiled.__setitem__("metrics", [entry]), fastnn.metrics._registry),
        (lambda entry: compiled.__setitem__("metrics", [entry]), fastnn.metrics._registry),
        (lambda entry: compiled.__setitem__("loss", entry), fastnn.losses._registry),
        (lambda entry: compiled.__setitem__("optimizer", entry), fastnn.optimizers._registry),
        (lambda entry: optimizer.__setitem__("learning_rate", entry), schedules._registry),
        (lambda entry: dense.__setitem__("kernel_initializer", entry), fastnn.initializers._registry),
        (lambda entry: dense.__setitem__("kernel_regularizer", entry), fastnn.regularizers._registry),
        (lambda entry: dense.__setitem__("kernel_constraint", entry), fastnn.constraints._registry)])
    cls = registry.by_name[rng.choice(sorted(registry.by_name))]
    names = parameters(cls)
    if not names:
        return good
    name = rng.choice(names)
    config = {n: REQUIRED[n] for n in names if n in REQUIRED and n != "seed"}
    number = rng.choice(LARGE)
    config[name] = rng.choice([number, number, number, float(number), [number], [0.5] * 30_000, [number] * 3])
    place({"class_name": cls.__name__, "config": config})
    if rng.random() < 0.05:
        compiled["metrics"] = ["mse"] * rng.choice([101, 10_000])
    return with_text(good, dumps(described))


def json_text(good, rng):
    """JSON that a strict parser refuses."""
    text = tensors(good)["fastnn.config"][2]
    return with_text(good, rng.choice([
        b"", b"{", b"[]", b"null", b"\xff\xfe" + text, "﻿".encode() + text, text.decode().encode("utf-16"), text + b"\0",
        text + b"}", text[:-1], text.replace(b":1,", b":NaN,", 1), text.replace(b":1,", b":1e999,", 1),
        text.replace(b":1,", b":-Infinity,", 1), text.replace(b":1,", b":" + b"9" * 6000 + b",", 1),
        b"[" * 100_000, b'{"a":' * 100_000, b"[" * 50_000 + b"]" * 50_000, text.replace(b'"format"',
                                                                                        b'"format":1,"format"', 1),
        b'{"format":1,' + b"[]," * 300_000 + b"}", b'{"format":[' + b"[]," * 60_000 + b"0]}",
        b'{"format":[' + b"{}," * 60_000 + b"0]}", b'{"format":[' + b'"ab",' * 100_000 + b"0]}",
        b'{"format":[' + b"1.5," * 220_000 + b"0]}", b'{"format":[' + b"1000," * 220_000 + b"0]}",
        b"{" + b"".join(b'"%d":300,' % i for i in range(30_000)) + b'"b":0}',
        b'{"format":[' + b'{"a":1},' * 25_000 + b"0]}", b'{"format":[' + b"[1.5]," * 65_000 + b"0]}",
        b'"' + b"a" * 3_000_000 + b'"',
        b"{" + b'"a":0,' * 60_000 + b'"b":0}',
        b" " * 5_000_000, text.replace(b'"kind"', b'"\\ud800"', 1), text.replace(b'"model"', b'"\xc3\x28"', 1)]))


def versions(good, rng):
    """Another version, another kind."""
    described = description(good)
    if rng.random() < 0.5:
        described["format"] = rng.choice([0, 2, 10**9, True, "1", None, 1.0, -1, [1]])
    else:
        described["kind"] = rng.choice(["weights", "training", "", None, 3, ["model"], "Model"])
    return with_text(good, dumps(described))


def repeated(key, choices):
    return lambda good, rng: named(good, rng, key, choices)


DESCRIPTIONS = {
    "class names": repeated("class_name", CLASS_NAMES),
    "units": repeated("units", NUMBERS),
    "input shapes": repeated("shape", [*NUMBERS, [2**40], [10**30], [4] * 65, [[4]], ["4"], [None], [4.0], [True]]),
    "rates": repeated("rate", [*NUMBERS, -0.1, 2]),
    "dtypes": repeated("dtype", DTYPES),
    "names": repeated("name", [*CLASS_NAMES, *NUMBERS]),
    "activations": repeated("activation", [*CLASS_NAMES, *GADGETS, 3, ["relu"]]),
    "initializers": repeated("kernel_initializer", [*CLASS_NAMES, *GADGETS, *NUMBERS]),
    "regularizers": repeated("kernel_regularizer", [*CLASS_NAMES, *GADGETS, *NUMBERS[:4]]),
    "constraints": repeated("kernel_constraint", [*CLASS_NAMES, *GADGETS, *NUMBERS[:4]]),
    "trainable": repeated("trainable", [*GADGETS, *NUMBERS]),
    "optimizers": repeated("optimizer", [*CLASS_NAMES, *GADGETS, *NUMBERS]),
    "learning rates": repeated("learning_rate", [*NUMBERS, *GADGETS]),
    "losses": repeated("loss", [*CLASS_NAMES, *GADGETS, *NUMBERS]),
    "metrics": repeated("metrics", [*CLASS_NAMES, *GADGETS, [GADGETS], [CLASS_NAMES], [["a"]], 3]),
    "lists of weights": repeated("weights", [[], None, ["x"] * 3, ["a"] * 30_000, [1], ["dense/kernel"], {}]),
    "seeds": repeated("seeds", [[], [1, 2], [-1], [2**64], [True], ["1"], None, 3, [1.0]]),
    "notes": repeated("notes", [[], None, 3, "x", True]),
    "settings": repeated("config", [*NUMBERS, *GADGETS, [{}]]),
    "versions": versions, "keys": keys, "layers": layers, "class settings": class_settings,
    "anywhere": anywhere, "JSON": json_text,
}
