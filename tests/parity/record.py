"""Run every case on Keras with TensorFlow and write what comes out to ``data``.

Usage, in an environment with tensorflow-cpu, keras and scikit-learn::

    python tests/parity/record.py            # everything
    python tests/parity/record.py losses     # one family of cases, or: signatures, names, accuracy
"""

import contextlib
import importlib
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from cases import FAMILIES
from experiments import EXPERIMENTS, SEEDS
from keras_names import keras_names
from signatures import signatures

DATA = Path(__file__).parent / "data"


def record_family(keras, name):
    """Run the cases of one family and write their arrays to one compressed file."""
    arrays = {}
    for case, function in FAMILIES[name].items():
        for key, value in function(keras).items():
            arrays[f"{case}/{key}"] = np.asarray(value)
    np.savez_compressed(DATA / f"{name}.npz", **arrays)
    print(f"{name}: {len(FAMILIES[name])} cases, {len(arrays)} arrays")


def write_json(name, content):
    """One readable file: an entry a line."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    (DATA / name).write_text("{\n" + lines + "\n}\n")
    print(name)


def record_accuracy(keras):
    """The test accuracy of every experiment for every seed."""
    results = {name: [run(keras, seed) for seed in SEEDS] for name, run in EXPERIMENTS.items()}
    write_json("accuracy.json", results)


def record_versions():
    """What the numbers come from; of scikit-learn, when it is not here, the version of the last time it was."""
    found = json.loads((DATA / "versions.json").read_text()) if (DATA / "versions.json").exists() else {}
    for name in ("keras", "tensorflow-cpu", "numpy", "scikit-learn"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    write_json("versions.json", found | {"python": platform.python_version()})


def main(wanted):
    """Record the families named, or all."""
    # read when TensorFlow is imported: no GPU, and one order of summation whatever the processor offers
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ |= {"TF_ENABLE_ONEDNN_OPTS": "0"}
    keras = importlib.import_module("keras")
    DATA.mkdir(exist_ok=True)
    for name in wanted or [*FAMILIES, "signatures", "names", "accuracy"]:
        if name == "signatures":
            write_json("signatures.json", signatures(keras))
        elif name == "names":
            write_json("keras_names.json", keras_names(keras))
        elif name == "accuracy":
            record_accuracy(keras)
        else:
            record_family(keras, name)
    record_versions()


if __name__ == "__main__":
    main(sys.argv[1:])
