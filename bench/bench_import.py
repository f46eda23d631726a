"""What a fresh process waits for: the import on top of NumPy, and a whole short job.

    pytest bench/bench_import.py --benchmark-json=import.json [--processes 15]

Each round is a process of its own, after one that fills the file cache.
"""
import json
import subprocess

import numpy as np
import pytest
import recorded

IMPORTS = {
    "import fastnn": "import fastnn",
    "import fastnn and all that a first net uses":
        "import fastnn; fastnn.Sequential, fastnn.Input, fastnn.layers.Dense, fastnn.optimizers.Adam",
}
TIMED = """
import json, sys, time
import numpy
start = time.perf_counter()
{statement}
print(json.dumps([time.perf_counter() - start, sorted(sys.modules)]))
"""
STRANGERS = {"sklearn", "scipy", "matplotlib", "tqdm", "safetensors", "torch"}
# Data from a file and no report: scikit-learn alone takes longer to import than all of this.
JOB = """
import sys
import numpy as np
import fastnn
x, y = np.load(sys.argv[1]), np.load(sys.argv[2])
model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(64, activation="relu"),
                           fastnn.layers.Dense(64, activation="relu"), fastnn.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=50, verbose=0)
accuracy = (model.predict(x, verbose=0).argmax(axis=1) == y).mean()
sys.exit(0 if accuracy > 0.9 else f"accuracy {accuracy}")
"""


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize("statement", IMPORTS)
def test_import(benchmark, request, statement):
    command = recorded.child("-c", TIMED.format(statement=IMPORTS[statement]))
    seconds = []
    for _ in range(request.config.getoption("processes") + 1):
        output = subprocess.run(**command, capture_output=True, text=True, check=True).stdout
        duration, modules = json.loads(output)
        seconds.append(duration)
    assert not STRANGERS.intersection(modules)
    benchmark.group = "import"
    benchmark.extra_info.update(table="import", what=f"`{statement}`, NumPy already there")
    recorded.replay(benchmark, seconds[1:])


def test_fresh_process(benchmark, request, tmp_path):
    from sklearn.datasets import load_iris
    x, y = load_iris(return_X_y=True)
    np.save(tmp_path / "x.npy", (x - x.mean(axis=0)) / x.std(axis=0))
    np.save(tmp_path / "y.npy", y)
    command = recorded.child("-c", JOB, str(tmp_path / "x.npy"), str(tmp_path / "y.npy"))
    benchmark.group = "import"
    benchmark.extra_info.update(table="import", what="fresh process: start, import, build, 50 epochs of iris, predict")
    benchmark.pedantic(subprocess.run, kwargs={**command, "check": True}, rounds=request.config.getoption("processes"),
                       warmup_rounds=1)
