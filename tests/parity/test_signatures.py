"""Constructors and methods take the parameters of Keras, in its order and with its defaults."""

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest
from signatures import CLASSES, FUNCTIONS, find, parameters

RECORD = json.loads((Path(__file__).parent / "data" / "signatures.json").read_text())

# Parameters of Keras that fastnn leaves out: (pattern of the path, names, reason).
NOT_OFFERED = [
    ("layers.Dense", {"lora_rank", "lora_alpha", "quantization_config"}, "no low-rank adapters, no quantisation"),
    ("layers.BatchNormalization", {"renorm", "renorm_clipping", "renorm_momentum"}, "only plain batch normalisation"),
    ("layers.BatchNormalization", {"synchronized"}, "one machine"),
    ("layers.Layer", {"autocast"}, "a model has one dtype"),
    ("initializers.*", {"input_axes", "output_axes"}, "kernels have the layout of Keras's own layers"),
    ("Input", {"sparse", "ragged", "tensor", "optional"}, "inputs are dense arrays"),
    ("Sequential.add", {"rebuild"}, "internal to Keras"),
    ("Sequential.save_weights", {"max_shard_size"}, "a model is one file"),
    ("models.clone_model", {"input_tensors", "call_function", "recursive"}, "a Sequential is cloned layer by layer"),
    ("Sequential.pop", {"rebuild"}, "internal to Keras"),
    ("backend.clear_session", {"free_memory"}, "there is no global graph whose memory could be freed"),
]
POSITIONAL = "POSITIONAL_OR_KEYWORD"
NAMED = (POSITIONAL, "KEYWORD_ONLY")


def not_offered(path):
    """The names of the parameters that fastnn leaves out at this path."""
    return set().union(*(names for pattern, names, _ in NOT_OFFERED if fnmatch(path, pattern)))


def same_default(ours, theirs):
    """Equal numbers of the same kind: True is not 1, 0.0 is 0; a tuple is recorded as a list."""
    if isinstance(ours, tuple):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(same_default, ours, theirs))
    return ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)


def positional(recorded, left_out):
    """The names in their order up to the first that is left out: those a call may give by position."""
    names = [name for name, kind, *_ in recorded if kind == POSITIONAL]
    end = next((i for i, name in enumerate(names) if name in left_out), len(names))
    return names[:end]


@pytest.mark.parametrize("path", CLASSES + FUNCTIONS)
def test_same_parameters_as_keras(K, path):
    target = find(K, path)
    ours = parameters(target.__init__ if path in CLASSES else target)
    left_out = not_offered(path)
    order = positional(RECORD[path], left_out)
    assert [name for name, kind, *_ in ours if kind == POSITIONAL][: len(order)] == order, path
    defaults = {name: default for name, kind, *default in ours if kind in NAMED}
    for name, kind, *theirs in RECORD[path]:
        if kind not in NAMED or name in left_out:
            continue
        assert name in defaults, f"{path}: no parameter {name}"
        assert len(defaults[name]) == len(theirs), f"{path}: {name} must {'not ' * (not theirs)}have a default"
        assert all(map(same_default, defaults[name], theirs)), f"{path}: {name}={defaults[name]}, Keras has {theirs}"


def test_record_has_every_path():
    assert sorted(RECORD) == sorted(CLASSES + FUNCTIONS)


@pytest.mark.parametrize("path", [path for path in CLASSES if path.startswith("layers.")][1:])
def test_layers_take_the_common_keywords(K, path):
    required = {"Dense": [3], "Activation": ["relu"], "Dropout": [0.5], "GaussianNoise": [0.5],
                "GaussianDropout": [0.5], "AlphaDropout": [0.5], "Reshape": [(-1,)], "Rescaling": [2], "Lambda": [abs],
                "AveragePooling1D": [2], "AveragePooling2D": [2],
                "Permute": [(1,)], "RepeatVector": [2], "SpatialDropout1D": [0.5], "SpatialDropout2D": [0.5]}
    arguments = required.get(path.removeprefix("layers."), [3, 3] if "Conv" in path else [])
    layer = find(K, path)(*arguments, name="mine", dtype="float32", trainable=False)
    assert (layer.name, layer.trainable) == ("mine", False)


def test_unknown_keyword_is_refused(K):
    with pytest.raises((TypeError, ValueError), match="colour"):
        K.layers.Dense(3, colour="red")
