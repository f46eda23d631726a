"""The page of Keras's names says what is so, and an unknown name is told apart from one that only Keras has."""
import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import fastnn
from fastnn import _names
from fastnn._keras_names import NAMES

ROOT = Path(__file__).resolve().parent.parent
RECORDED = json.loads((ROOT / "tests" / "parity" / "data" / "keras_names.json").read_text())
ONLY_KERAS = "Keras has it ({}), fastnn does not (yet)."
NOT_TRAINED = ("; no trained nets come with it: build one of `layers` and train it, or see "
               "docs/weights-from-keras.md.")
OLD = "tf.keras has it for old programs; "


@pytest.fixture(scope="module")
def generator():
    """docs/make_coverage.py as a module."""
    spec = spec_from_file_location("make_coverage", ROOT / "docs" / "make_coverage.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_generator_writes(generator):
    written = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert written == generator.page(), "run: python docs/make_coverage.py"


def test_a_name_is_there_when_fastnn_has_it(generator):
    assert generator.status("layers", "Flatten") == "yes"
    assert generator.status("", "Sequential") == "yes"
    assert generator.status("layers", "Conv9D") == "no"
    assert generator.status("applications", "ResNet50") == "no"
    assert generator.status("", "layers") == "no"                      # a namespace is no name
    assert generator.status("utils", "plot_model").startswith("differs: ")


def test_what_differs_is_there_and_is_a_name_of_keras(generator):
    for path in generator.DIFFERS:
        namespace, _, name = path.rpartition(".")
        assert name in RECORDED[namespace], path
        assert generator.find(path) is not None, path


def test_the_page_counts_every_name(generator):
    page = generator.page()
    total = sum(map(len, RECORDED.values()))
    assert f"Of {total} public names fastnn has " in page
    rows = page.count("\n| `") - len([names for names in RECORDED.values() if names])
    listed = sum(line.count("`") // 2 for line in page.splitlines() if line.startswith("No: "))
    assert rows + listed == total


def test_the_names_of_keras_are_the_recorded_ones():
    kept = {namespace: list(names) for namespace, names in RECORDED.items()
            if names and not namespace.startswith(("applications.", "ops."))}
    assert kept == NAMES
    left_out = [name for namespace in RECORDED if namespace.startswith("ops.") for name in RECORDED[namespace]]
    assert len(left_out) > 200


@pytest.mark.parametrize(("module", "name", "words"), [
    (fastnn.layers, "Conv9D", "Did you mean 'Conv2D'?"),
    (fastnn.layers, "Dens", "Did you mean 'Dense'?"),
    (fastnn.layers, "dEnse", "Did you mean 'Dense'?"),
    (fastnn.layers, "Adam", "It is fastnn.optimizers.Adam."),
    (fastnn, "Dense", "It is fastnn.layers.Dense."),
    (fastnn, "ones", "It is fastnn.initializers.ones."),
    (fastnn, "constant", "It is fastnn.initializers.constant."),
    (fastnn.layers, "l1_l2", "It is fastnn.regularizers.l1_l2."),
    (fastnn.ops, "ones", ONLY_KERAS.format("keras.ops.ones")),
    (fastnn, "Seqential", "Did you mean 'Sequential'?"),
    (fastnn, "applications", ONLY_KERAS.format("keras.applications")[:-1] + NOT_TRAINED),
    (fastnn, "ResNet50", ONLY_KERAS.format("keras.applications.ResNet50")[:-1] + NOT_TRAINED),
    (fastnn.layers, "Conv3D", ONLY_KERAS.format("keras.layers.Conv3D")),
    (fastnn.layers, "conv_3d", ONLY_KERAS.format("keras.layers.Conv3D")),
    (fastnn.datasets, "cifar10", ONLY_KERAS.format("keras.datasets.cifar10")),
    (fastnn.preprocessing, "image", ONLY_KERAS.format("keras.preprocessing.image")[:-1]
     + "; read images with a library of yours into an array (rows, height, width, channels)."),
    (fastnn.ops, "einsum", ONLY_KERAS.format("keras.ops.einsum")),
    (fastnn.optimizers, "Ftrl", ONLY_KERAS.format("keras.optimizers.Ftrl")),
    (fastnn.preprocessing.text, "one_hot",
     OLD + "`preprocessing.text.Tokenizer` numbers words, so that no two share a number."),
    (fastnn.preprocessing.sequence, "TimeseriesGenerator",
     OLD + "`utils.timeseries_dataset_from_array(data, targets[n:], n)` gives the same windows."),
    (fastnn.losses, "CTC", ONLY_KERAS.format("keras.losses.CTC")),
    (fastnn.callbacks, "TensorBoard", ONLY_KERAS.format("keras.callbacks.TensorBoard")),
])
def test_an_unknown_name_is_explained(module, name, words):
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert str(caught.value) == f"module {module.__name__!r} has no attribute {name!r}.{' ' * bool(words)}{words}"


@pytest.mark.parametrize("names", ["Conv3D", "Dense, Conv3D", "Conv3D as Volume"])
@pytest.mark.parametrize("module", ["fastnn.layers", "fastnn.keras.layers"])
def test_importing_an_unknown_name_says_the_same(module, names):
    with pytest.raises(ImportError) as caught:
        exec(f"from {module} import {names}")
    assert str(caught.value).endswith(f"'Conv3D'. {ONLY_KERAS.format('keras.layers.Conv3D')}")


@pytest.mark.parametrize("line, path, words", [
    ("from fastnn.keras.applications import VGG16", "fastnn.keras.applications", "trained nets"),
    ("from fastnn.applications.vgg16 import VGG16", "fastnn.applications", "trained nets"),
    ("from fastnn import applications", "fastnn", "trained nets"),
    ("import fastnn.keras.mixed_precision", "fastnn.keras.mixed_precision", "keras.mixed_precision"),
    ("from fastnn.keras.preprocessing.image import load_img", "fastnn.keras.preprocessing.image", "read images")])
def test_importing_a_module_that_only_keras_has_says_so(line, path, words):
    with pytest.raises(ImportError, match=r"Keras has it \(keras\..*\), fastnn does not \(yet\)") as caught:
        exec(line)
    assert caught.value.name == path and words in str(caught.value)


def test_importing_a_module_that_nobody_has():
    with pytest.raises(ModuleNotFoundError) as caught:
        exec("import fastnn.keras.layrs")
    assert str(caught.value) == "No module named 'fastnn.keras.layrs'"


@pytest.mark.parametrize("namespace", ["initializers", "constraints", "regularizers"])
def test_the_other_names_of_keras_are_the_same_classes(namespace):
    module = getattr(fastnn, namespace)
    for name, kind in RECORDED[namespace].items():
        if kind == "class" and _names.letters(name) not in ("stft", "stftinitializer"):
            cls = getattr(module, name)
            assert _names.letters(cls.__name__) == _names.letters(name.removesuffix("Initializer")) or (
                name == "Initializer" and cls is fastnn.Initializer), name


def test_an_unknown_name_is_absent_for_hasattr_and_getattr():
    assert not hasattr(fastnn.layers, "Conv3D")
    assert getattr(fastnn, "applications", 5) == 5


@pytest.mark.parametrize("name", ["__path__", "_private"])
def test_names_with_underscores_are_not_searched_for(run_python, name):
    code = f"import sys, fastnn; print(hasattr(fastnn.backend, {name!r}), 'fastnn._keras_names' in sys.modules)"
    assert run_python(code).stdout == "False False\n"


def test_every_namespace_explains():
    for name in fastnn.__all__:
        module = vars(fastnn).get(name)
        if isinstance(module, type(fastnn)) and name not in ("keras", "testing", "plotting"):
            with pytest.raises(AttributeError, match=rf"module 'fastnn.{name}' has no attribute 'qwertyuiop'\."):
                module.qwertyuiop       # noqa: B018


def test_a_name_that_fastnn_has_is_never_called_missing():
    for namespace in ("layers", "losses", "optimizers", "metrics"):
        module = getattr(fastnn, namespace)
        assert [name for name in _names.public(module) if _names.keras_has(namespace, name)] == []


def test_the_generator_runs_from_anywhere(tmp_path):
    code = f"import runpy; print(runpy.run_path({str(ROOT / 'docs' / 'make_coverage.py')!r})['page']()[:24])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
                          env={"PYTHONPATH": str(Path(fastnn.__file__).parents[1])})
    assert done.stdout == "# What of Keras is here\n\n", done.stderr
