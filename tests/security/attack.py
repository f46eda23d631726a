"""Loads hostile model files, each with its memory, time, and every file, import and call to the system watched.

    python -m tests.security.attack --files 10000

A file passes when loading it ends with ``fastnn.ModelFileError`` that names the file in at most 400 characters, within
5 seconds, resident memory growing by at most twice the file and 16 MB; or, in families whose changes may leave a good
file, when it loads. Files are loaded in child processes with limited memory; a child that dies, or whose audit hook saw
something forbidden, fails the file it was at. ``--plant`` puts a fault into the loader, to see that it is found:
"checksum", "shapes", "open", "import", "memory" and "error" were found so, each within the first thousand files.
"""
import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hostile import FAMILIES, MAY_LOAD, hostile

SECONDS, LONGEST, SLACK = 5, 400, 16 * 2**20
BATCH = 250
ADDRESS_SPACE = 400 * 2**20         # that loading may add to what the process has
FORBIDDEN = ("exec", "compile", "import", "os.", "subprocess.", "socket.", "pickle.", "marshal.", "ctypes.", "shutil.",
             "urllib.", "tempfile.", "code.", "sys.addaudithook", "cpython.run_")
PLANTS = ("checksum", "shapes", "open", "import", "memory", "error")


def good_file(path):
    """Write a small trained net with every part that a file can have."""
    import numpy as np

    import fastnn
    from fastnn.layers import BatchNormalization, Dense, Dropout
    fastnn.random.set_seed(3)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([fastnn.Input((4,)), Dense(5, activation="relu", kernel_regularizer="l2"), Dropout(0.2),
                               BatchNormalization(), fastnn.Sequential([Dense(6, activation="tanh")]), Dense(3,
                                                                                                             "softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.notes = {"columns": ["a", "b"]}
    model.fit(np.ones((8, 4)), np.arange(8) % 3, verbose=0)
    model.save(path)


def plant(fault):
    """Put a fault into the loader."""
    import numpy as np

    from fastnn.saving import format as files
    from fastnn.saving import given
    before = files._opened
    if fault == "checksum":
        files._digest = lambda data: bytes(data[-32:])
    elif fault == "shapes":
        given.Given.take = lambda self, path, shape, dtype: np.zeros(shape, dtype)
    elif fault == "open":
        files._opened = lambda data, where: (open("/etc/hostname").read(), before(data, where))[1]
    elif fault == "import":
        files._opened = lambda data, where: (__import__("this_is_not_there"), before(data, where))[1]
    elif fault == "memory":
        files._opened = lambda data, where: (len(b"x" * 64 * 2**20), before(data, where))[1]
    elif fault == "error":
        files.description.decode = lambda data: json.loads(data)


class Watch:
    """An audit hook that ends the process at whatever loading a file has no business with."""

    def __init__(self):
        self.path = None
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.path is None:
            return
        if event == "open" and (str(arguments[0]) == self.path or type(arguments[0]) is int):
            return                      # the file itself, or a descriptor whose opening was seen
        if event == "open" or event.startswith(FORBIDDEN):
            path, self.path = self.path, None
            print(json.dumps([path, "forbidden", f"{event} {arguments!r:.200}"]), flush=True)
            os._exit(99)


def memory(field):
    """A number of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise LookupError(field)


def child(paths, fault):
    """Load each file and print [path, outcome, text]."""
    import resource
    import signal
    import warnings

    import fastnn
    warnings.simplefilter("ignore")
    good, warm = paths[0], paths[1:4]
    fastnn.models.load_model(good)
    for path in warm:                      # errors load modules for their texts: known ones, before the watch begins
        try:
            fastnn.models.load_model(path)
        except ValueError:
            pass
    for module in ("difflib", "fastnn._keras_names"):       # which the texts of errors need
        importlib.import_module(module)
    if fault:
        plant(fault)
    limit = memory("VmSize") + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    watch = Watch()
    for path in paths[4:]:
        size = os.path.getsize(path)
        print(json.dumps([path, "begun", ""]), flush=True)
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        signal.alarm(SECONDS)
        outcome, text = watched(watch, path)
        signal.alarm(0)
        grown = memory("VmHWM") - before
        if grown > 2 * size + SLACK:
            outcome, text = "memory", f"{grown} bytes more for {size}; {outcome} {text}"
        print(json.dumps([path, outcome, text]), flush=True)


def watched(watch, path):
    """What came of loading a file: "loaded", or the class of an error and its text."""
    import fastnn
    watch.path = path
    try:
        fastnn.models.load_model(path)
        return "loaded", ""
    except BaseException as error:
        return type(error).__name__, str(error)
    finally:
        watch.path = None


def verdict(family, path, outcome, text):
    """What is wrong with an outcome, "" for nothing."""
    if outcome == "loaded":
        return "" if family in MAY_LOAD else "loaded"
    if outcome != "ModelFileError":
        return f"{outcome}: {text}"
    if "more memory than there is" in text:              # which these small files are to be refused for before
        return text
    if os.path.basename(path) not in text or len(text) > LONGEST or "\n" in text:
        return f"the text is no good: {text}"
    return ""


def attack(n_files, seed=0, fault=None, families=None):
    """Make and load so many files; ({family: {outcome: count}}, list of failures)."""
    names = families or list(FAMILIES)
    counts, failures = {name: {} for name in names}, []
    with tempfile.TemporaryDirectory() as folder:
        good_path = os.path.join(folder, "good.fastnn")
        good_file(good_path)
        good = Path(good_path).read_bytes()
        for first in range(0, n_files, BATCH):
            files = {}
            for i in range(first, min(n_files, first + BATCH)):
                family = names[i % len(names)]
                path = os.path.join(folder, f"{i}.fastnn")
                Path(path).write_bytes(hostile(good, family, random.Random(f"{seed} {i}")))
                files[path] = family
            for path, outcome, text in outcomes(good_path, list(files), fault):
                family = files[path]
                counts[family][outcome] = counts[family].get(outcome, 0) + 1
                wrong = verdict(family, path, outcome, text)
                if wrong:
                    failures.append(f"{family}, seed {seed!r}, file {os.path.basename(path)}: {wrong}")
            for path in files:
                os.unlink(path)
    return counts, failures


def outcomes(good, paths, fault):
    """[path, outcome, text] of every file, from as many children as it takes."""
    warm = paths[:3]
    while paths:
        command = [sys.executable, os.path.abspath(__file__), "--child", fault or "", good, *warm, *paths]
        import fastnn
        environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parent.parent), "OMP_NUM_THREADS": "1",
                       "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        ended = [line for line in lines if line[1] != "begun"]
        yield from ended
        begun = [line[0] for line in lines if line[1] == "begun"]
        n = len(begun)
        if len(ended) < n:
            yield [begun[-1], "died", f"with status {done.returncode}: {done.stderr[-300:]}"]
        elif n == 0:
            raise RuntimeError(f"no file was tried: status {done.returncode}: {done.stderr[-2000:]}")
        paths = paths[n:]


def main():
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[3:], sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=PLANTS)
    options = parser.parse_args()
    started = time.time()
    counts, failures = attack(options.files, options.seed, options.plant)
    for family, found in counts.items():
        print(f"{family:18s} {found}")
    print("\n".join(failures[:40]))
    print(f"{options.files} files in {time.time() - started:.0f} s, {len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
