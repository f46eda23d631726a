"""Write docs/coverage.md: which public names of Keras fastnn has.

    python docs/make_coverage.py

Keras's names are those that tests/parity/record.py recorded; that fastnn has one is found out by asking it; where it
does something else under the name is in DIFFERS.
"""
import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parent
DATA = DOCS.parent / "tests" / "parity" / "data"

# What a user of Keras should know of a name that is here: "namespace.name": how it differs.
OWN_FORMAT = "fastnn's own file format, whatever the suffix; files of Keras are refused"
FLOATS = "returns floats, of integers too"
OWN_GRADIENT = "one written in Python returns its gradient too, as NumPy code cannot be differentiated"
NO_DOWNLOAD = "reads files; downloads nothing"
NAN_SPREADS = "a NaN makes the maximum of its window NaN; TensorFlow passes over it"
DENSE = "dense arrays; None for a size that each batch decides: no `sparse`, `ragged`, `tensor`, `optional`"
REPEATED = ("of an id that a batch repeats, optimizers see the sum of the gradients, as of any dense gradient; with "
            "Keras on TensorFlow Adam, RMSprop and others that square it square each before they add them up, and so "
            "differ")
DIFFERS = {
    "Input": DENSE,
    "KerasTensor": "describes a value of a graph; no arithmetic with it",
    "Layer": "one of your own names its operations in `lower()`; there is no automatic derivative of `call()`",
    "Loss": OWN_GRADIENT,
    "Metric": "metrics of one name are numbered within a model, not within the process",
    "Model": "the base of Sequential; there are no branching models",
    "Regularizer": OWN_GRADIENT,
    "Variable": "an array with a name; no automatic derivatives",
    "activations.get": "a Python function, having no derivative, is refused; `layers.Lambda` takes one",
    "backend.clear_session": "resets the automatic names; there is no global graph whose memory could be freed",
    "backend.set_floatx": "float32 or float64",
    "callbacks.BackupAndRestore": "goes on within an epoch too, bit for bit as if never stopped",
    "callbacks.ModelCheckpoint": OWN_FORMAT,
    "datasets.fashion_mnist.load_data": NO_DOWNLOAD,
    "datasets.mnist.load_data": NO_DOWNLOAD,
    "initializers.VarianceScaling": "kernels have the layout of Keras's own layers: no `input_axes`, `output_axes`",
    "layers.BatchNormalization": "no `renorm`, no `synchronized`; cannot be trained behind a mask",
    "layers.Dense": "no low-rank adapters, no quantisation",
    "layers.Embedding": REPEATED,
    "layers.GlobalAveragePooling1D": "of a row whose mask leaves no step the mean is 0, not NaN",
    "layers.GlobalAvgPool1D": "as `GlobalAveragePooling1D`",
    "layers.Input": "as `keras.Input`",
    "layers.Lambda": "trains what is before it only with `gradient=`; a model with it is not saved",
    "layers.Layer": "as `keras.Layer`",
    "layers.MaxPool1D": NAN_SPREADS,
    "layers.MaxPool2D": NAN_SPREADS,
    "layers.MaxPooling1D": NAN_SPREADS,
    "layers.MaxPooling2D": NAN_SPREADS,
    "layers.Normalization": "`count` is the number of values behind a mean; Keras leaves it at 0",
    "layers.UpSampling2D": "`interpolation` \"nearest\" or \"bilinear\": no \"bicubic\", \"lanczos3\", \"lanczos5\"",
    "losses.Loss": OWN_GRADIENT,
    "metrics.Metric": "as `keras.Metric`",
    "models.Model": "as `keras.Model`",
    "models.load_model": OWN_FORMAT,
    "ops.add": FLOATS,
    "ops.argmax": "returns int64",
    "ops.argmin": "returns int64",
    "ops.conv": "channels last alone",
    "ops.dot": "of two vectors; returns a float",
    "ops.matmul": FLOATS,
    "ops.max": f"no `initial`; {FLOATS}",
    "ops.min": f"no `initial`; {FLOATS}",
    "ops.multiply": FLOATS,
    "ops.norm": "`ord` None, or 2 for vectors",
    "ops.relu": FLOATS,
    "ops.sum": FLOATS,
    "optimizers.Optimizer": "no `minimize`, as there is no automatic derivative; `apply_gradients` is there",
    "regularizers.Regularizer": OWN_GRADIENT,
    "saving.load_model": OWN_FORMAT,
    "utils.PyDataset": "batches are made in the calling thread, whatever `workers` says",
    "utils.Sequence": "as `keras.utils.PyDataset`",
    "utils.get_file": "refused: fastnn downloads nothing",
    "utils.plot_model": "drawn by matplotlib, units as nodes; no Graphviz is needed",
    "utils.split_dataset": "returns arrays, not data sets of TensorFlow",
}


def find(path):
    """What fastnn has under a dotted name, or None."""
    found = import_module("fastnn")
    for name in filter(None, path.split(".")):
        found = getattr(found, name, None)
        if found is None:
            return None
    return found


def status(namespace, name):
    """"yes", "no", or how it differs."""
    path = f"{namespace}.{name}".lstrip(".")
    found = find(path)
    if found is None or isinstance(found, ModuleType):       # Keras's own modules are namespaces, not names
        return "no"
    return f"differs: {DIFFERS[path]}" if path in DIFFERS else "yes"


def kind(text):
    """The column of the overview in which a status counts."""
    return text.partition(":")[0]


def overview(statuses):
    """The lines that count."""
    total = {word: sum(kind(s) == word for names in statuses.values() for s in names.values())
             for word in ("yes", "differs", "no")}
    lines = ["| namespace | names | yes | differs | no |", "|---|---:|---:|---:|---:|"]
    for namespace, names in statuses.items():
        counts = [sum(kind(s) == word for s in names.values()) for word in total]
        lines.append(f"| {title(namespace)} | {len(names)} | {' | '.join(str(n or '') for n in counts)} |")
    everything = sum(total.values())
    text = (f"Of {everything} public names fastnn has {everything - total['no']}, {total['differs']} of them with a "
            f"difference; {total['no']} it has not.")
    return [text, "", *lines]


def title(namespace):
    """The name of a namespace as a program writes it."""
    return f"`keras.{namespace}`" if namespace else "`keras`"


def section(namespace, names):
    """The lines of one namespace: a table, or one sentence where nothing of it is here."""
    lines = ["", f"## {title(namespace)}", ""]
    if set(names.values()) == {"no"}:
        return [*lines, f"No: {', '.join(f'`{name}`' for name in names)}."]
    return [*lines, "| name | |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in names.items())]


def page():
    """The whole text."""
    recorded = json.loads((DATA / "keras_names.json").read_text(encoding="utf-8"))
    version = json.loads((DATA / "versions.json").read_text(encoding="utf-8"))["keras"]
    statuses = {namespace: {name: status(namespace, name) for name in names}
                for namespace, names in recorded.items() if names}
    lines = ["# What of Keras is here", "",
             f"Every public name of Keras {version}, by namespace: *yes*, how it *differs*, or *no*.",
             "`python docs/make_coverage.py` writes this page.", "",
             "Random numbers have the distributions that Keras gives them; those that come of a seed are fastnn's own.",
             "", *overview(statuses)]
    for namespace, names in statuses.items():
        lines += section(namespace, names)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (DOCS / "coverage.md").write_text(page(), encoding="utf-8")
