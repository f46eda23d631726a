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
    # what this version has not yet: the call is refused, the argument named
    ("layers.*", {"kernel_regularizer", "bias_regularizer", "activity_regularizer", "beta_regularizer",
                  "gamma_regularizer"}, "no regularizers yet"),
    ("layers.*", {"kernel_constraint", "bias_constraint", "beta_constraint", "gamma_constraint"}, "no constraints yet"),
    ("layers.Dropout", {"noise_shape"}, "each element is dropped by itself"),
    ("layers.Flatten", {"data_format"}, "channels come last"),
    ("optimizers.*", {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm"}, "no clipping, no decay yet"),
    ("optimizers.Adam", {"amsgrad"}, "plain Adam"),
    ("losses.SparseCategoricalCrossentropy", {"ignore_class"}, "every label counts"),
    ("losses.*", {"dtype"}, "a loss is computed in the dtype of its model"),
    ("Input", {"batch_shape"}, "programs take any number of rows"),
    ("layers.BatchNormalization", {"renorm", "renorm_clipping", "renorm_momentum"}, "only plain batch normalisation"),
    ("layers.BatchNormalization", {"synchronized"}, "one machine"),
    ("layers.Layer", {"autocast"}, "a model has one dtype"),
    ("layers.Layer", {"activity_regularizer"}, "the layers that regularise their output take it themselves"),
    ("optimizers.*", {"use_ema", "ema_momentum", "ema_overwrite_frequency"}, "no averaged weights"),
    ("optimizers.*", {"loss_scale_factor"}, "no half precision"),
    ("optimizers.*", {"gradient_accumulation_steps"}, "no accumulation over batches"),
    ("initializers.*", {"input_axes", "output_axes"}, "kernels have the layout of Keras's own layers"),
    ("Input", {"sparse", "ragged", "tensor", "optional"}, "inputs are dense arrays"),
    ("Sequential.add", {"rebuild"}, "internal to Keras"),
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
        ours = list(ours)
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
    required = {"layers.Dense": [3], "layers.Activation": ["relu"], "layers.Dropout": [0.5]}.get(path, [])
    layer = find(K, path)(*required, name="mine", dtype="float32", trainable=False)
    assert (layer.name, layer.trainable) == ("mine", False)


def test_unknown_keyword_is_refused(K):
    with pytest.raises((TypeError, ValueError), match="colour"):
        K.layers.Dense(3, colour="red")
