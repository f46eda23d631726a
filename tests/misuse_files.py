"""What users do wrong with model files and with the callbacks that write: {what: (call, words of the text)}."""
import os
import tempfile
import zipfile
from pathlib import Path

import fastnn
from fastnn import callbacks
from fastnn.layers import Dense
from fastnn.models import load_model, model_from_json
from fastnn.saving import format as files

KERAS_JSON = """{"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "trainable": true,
    "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null},
    "layers": []}, "registered_name": null, "build_config": {"input_shape": [null, 4]}}"""


def in_folder(call):
    """A case in a folder of its own, where texts do not depend on its name."""
    def inside(bench):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                call(bench)
            finally:
                os.chdir(before)
    return inside


def loading(data):
    """A case: load a file of these bytes."""
    def call(bench):
        Path("net.fastnn").write_bytes(data)
        load_model("net.fastnn")
    return in_folder(call)


def changed(change):
    """A case: load the bench's model from a file whose description was changed and signed."""
    def call(bench):
        bench.model.save("net.fastnn")
        described, arrays = files.read("net.fastnn")
        change(described, arrays)
        files.write("net.fastnn", arrays, described)
        load_model("net.fastnn")
    return in_folder(call)


def cut(bench):
    bench.model.save("net.fastnn")
    Path("net.fastnn").write_bytes(Path("net.fastnn").read_bytes()[:-9])
    load_model("net.fastnn")


def damaged(bench):
    bench.model.save("net.fastnn")
    data = bytearray(Path("net.fastnn").read_bytes())
    data[-100] ^= 1
    Path("net.fastnn").write_bytes(data)
    load_model("net.fastnn")


def from_keras(bench):
    with zipfile.ZipFile("net.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    load_model("net.keras")


def other_net(units):
    def call(bench):
        model = fastnn.Sequential([fastnn.Input((4,)), Dense(units), fastnn.layers.BatchNormalization(), Dense(3)])
        model.save_weights("net.fastnn")
        bench.model.load_weights("net.fastnn")
    return in_folder(call)


def own_class(bench):
    class Mine(Dense):
        pass

    fastnn.Sequential([fastnn.Input((4,)), Mine(3, name="mine")]).save("net.fastnn")
    load_model("net.fastnn")


def weights_as_model(bench):
    bench.model.save_weights("net.fastnn")
    load_model("net.fastnn")


class Renamed(fastnn.layers.Layer):
    """A layer that keeps its argument under another name."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.f = factor


def lengthened(bench):
    bench.model.save("net.fastnn")
    with open("net.fastnn", "ab") as file:
        file.write(b"more")
    load_model("net.fastnn")


def own_class_inside(bench):
    class Mine(Dense):
        pass
    fastnn.Sequential([fastnn.Input((3, 2)), fastnn.layers.TimeDistributed(Mine(4))]).save("net.fastnn")
    load_model("net.fastnn")


def unbuilt(bench):
    bench.model.save_weights("net.fastnn")
    fastnn.Sequential([Dense(3)], name="new").load_weights("net.fastnn")


def with_notes(notes):
    def call(bench):
        bench.model.notes = notes
        bench.model.save("net.fastnn")
    return in_folder(call)


def fitting(callback):
    return in_folder(lambda bench: bench.fit(epochs=2, callbacks=[callback()]))


def layer(described, i):
    return described["model"]["config"]["layers"][i]["config"]


CASES = {
    "load: a file that is not there": (in_folder(lambda b: load_model("net.fastnn")), "'net.fastnn'", "No such file"),
    "load: a folder": (in_folder(lambda b: load_model(".")), "'.'", "no regular file"),
    "load: an empty file": (loading(b""), "'net.fastnn'", "0 bytes", "empty"),
    "load: a text": (loading(b"epochs,loss\n1,0.5\n"), "'net.fastnn'", "no fastnn model file", "'epochs,loss"),
    "load: bytes of some kind": (loading(bytes(range(200, 240))), "'net.fastnn'", "no fastnn model file", "40 in all"),
    "load: own classes as a list": (in_folder(lambda b: load_model("net.fastnn", custom_objects=[Dense])),
                                    "`custom_objects`", "{name: class or function}", "list"),
    "load: a number among own classes": (in_folder(lambda b: load_model("net.fastnn", custom_objects={"Dbl": 5})),
                                         "`custom_objects`", "int 5", "'Dbl'"),
    "load: a pickle": (loading(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00" + bytes(99)), "pickle", "never"),
    "load: Keras's HDF5": (loading(b"\x89HDF\r\n\x1a\n" + bytes(99)), "HDF5", "set_weights"),
    "load: Keras's zip": (in_folder(from_keras), "'net.keras'", "zip", "set_weights"),
    "load: a file cut off": (in_folder(cut), "'net.fastnn'", "safetensors", "bytes", "it is cut off"),
    "load: a file with bytes too many": (in_folder(lengthened), "'net.fastnn'", "bytes", "something was added"),
    "load: a damaged file": (in_folder(damaged), "'net.fastnn'", "checksum"),
    "load: a file of a newer version": (changed(lambda d, a: d.update(format=9, fastnn="9.1")), "newer", "9.1",
                                        "update"),
    "load: more units than the file has": (changed(lambda d, a: layer(d, 1).update(units=10**9)), "dense",
                                           "(4, 1000000000)"),
    "load: an unknown activation": (changed(lambda d, a: layer(d, 1).update(activation="relo")), "'relo'", "'relu'"),
    "load: an argument that no layer has": (changed(lambda d, a: layer(d, 1).update(colour=1)), "Dense", "colour"),
    "load: a class that is not ours": (in_folder(own_class), "'Mine'", "custom_objects"),
    "load: a layer that is not ours inside another": (in_folder(own_class_inside), "'Mine'", "custom_objects={'Mine'"),
    "save: an argument kept under another name": (
        in_folder(lambda b: fastnn.Sequential([Renamed(2.0, name="s")]).save("net.fastnn")), "Renamed 's'",
        "`factor`", "self.factor", "get_config"),
    "clone_model: an argument kept under another name": (
        lambda b: fastnn.models.clone_model(fastnn.Sequential([Renamed(2.0, name="s")])), "Renamed 's'", "`factor`"),
    "load: weights as a model": (in_folder(weights_as_model), "weights alone", "load_weights"),
    "load: a larger file than allowed": (
        in_folder(lambda b: (Path("net.fastnn").write_bytes(bytes(5000)), load_model("net.fastnn", max_bytes=100))),
        "max_bytes=100", "bytes"),
    "load: in an unsafe way": (in_folder(lambda b: load_model("net.fastnn", safe_mode=False)), "`safe_mode`", "False"),
    "load_weights: another shape": (other_net(7), "(4, 7)", "(4, 8)", "'dense"),
    "load_weights: before build": (in_folder(unbuilt), "'new'", "build"),
    "load_weights: only what fits": (lambda b: b.model.load_weights("x", skip_mismatch=True), "`skip_mismatch`"),
    "model_from_json: None": (lambda b: model_from_json(None), "`json_string`", "NoneType", "to_json()"),
    "model_from_json: a dict": (lambda b: model_from_json({"layers": []}), "`json_string`", "dict"),
    "model_from_json: own classes as a list": (lambda b: model_from_json("{}", [Dense]), "`custom_objects`", "list"),
    "model_from_json: Keras's own": (lambda b: model_from_json(KERAS_JSON), "Keras's JSON", "set_weights"),
    "model_from_json: Keras's own of old": (lambda b: model_from_json('{"class_name": "Sequential", "config": {}, '
                                                                      '"keras_version": "2.15.0"}'), "Keras's JSON"),
    "model_from_json: no JSON": (lambda b: model_from_json("{layers}"), "JSON", "character 1"),
    "save: notes with NaN": (with_notes({"mean": float("nan")}), "`notes`", "nan"),
    "save: notes with number keys": (with_notes({1: "a"}), "`notes`", "str keys"),

    "ModelCheckpoint: no path": (lambda b: callbacks.ModelCheckpoint(None), "`filepath`", "None"),
    "ModelCheckpoint: every 0 batches": (lambda b: callbacks.ModelCheckpoint("x", save_freq=0), "`save_freq`",
                                         "'epoch'", "0"),
    "ModelCheckpoint: an unknown mode": (lambda b: callbacks.ModelCheckpoint("x", mode="up"), "`mode`", "'max'",
                                         "'up'"),
    "ModelCheckpoint: a metric of no direction": (
        fitting(lambda: callbacks.ModelCheckpoint("x", "gain", save_best_only=True)), "ModelCheckpoint", "'gain'",
        "`mode`"),
    "ReduceLROnPlateau: a factor of 2": (lambda b: callbacks.ReduceLROnPlateau(factor=2), "`factor`", "2"),
    "ReduceLROnPlateau: patience as text": (lambda b: callbacks.ReduceLROnPlateau(patience="3"), "`patience`", "'3'"),
    "EarlyStopping: patience as text": (lambda b: callbacks.EarlyStopping(patience="3"), "`patience`", "'3'"),
    "EarlyStopping: min_delta as text": (lambda b: callbacks.EarlyStopping(min_delta="0.1"), "`min_delta`", "'0.1'"),
    "EarlyStopping: a baseline of NaN": (lambda b: callbacks.EarlyStopping(baseline=float("nan")), "`baseline`", "nan"),
    "EarlyStopping: monitor a list": (lambda b: callbacks.EarlyStopping(["loss"]), "`monitor`", "['loss']"),
    "LearningRateScheduler: a number": (lambda b: callbacks.LearningRateScheduler(0.1), "`schedule`", "0.1"),
    "LearningRateScheduler: a schedule that returns None": (
        fitting(lambda: callbacks.LearningRateScheduler(lambda epoch: None)), "`schedule`", "float", "None"),
    "CSVLogger: two characters between": (lambda b: callbacks.CSVLogger("x", ", "), "`separator`", "', '"),
    "TerminateOnNaN: raise_error as text": (lambda b: callbacks.TerminateOnNaN("yes"), "`raise_error`", "'yes'"),
    "BackupAndRestore: no folder": (lambda b: callbacks.BackupAndRestore(""), "`backup_dir`", "''"),
    "BackupAndRestore: every half batch": (lambda b: callbacks.BackupAndRestore("x", save_freq=0.5), "`save_freq`",
                                           "0.5"),
}
