"""Kills a process with kill -9 at random moments while it saves a model over and over.

    python -m tests.crash.kill_save --kills 1000

After every kill the file must load and hold one of the two models that are saved in turn, and after the next save at
most one file may lie beside it. With ``--plant`` the file is written in place, which is to be found: of 50 kills so, 5
and more left a file that does not load.
"""
import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from killing import killed

UNITS = 300          # a file of about a megabyte


def nets():
    """Two models of the same structure with all weights 1, or 2."""
    import numpy as np

    import fastnn
    models = []
    for value in (1.0, 2.0):
        model = fastnn.Sequential([fastnn.Input((UNITS,)), fastnn.layers.Dense(UNITS), fastnn.layers.Dense(UNITS)])
        model.set_weights([np.full_like(w, value) for w in model.get_weights()])
        models.append(model)
    return models


def in_place(path, data):
    """How not to write a file."""
    with open(path, "wb") as file:
        file.write(data)


def run(kills, seed=0, plant=False):
    """(kills, files that did not load or were mixed, files left beside after the next save, at worst)."""
    import fastnn
    from fastnn.saving import atomic
    rng, bad, worst, n = random.Random(seed), 0, 0, 0
    models = nets()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.fastnn")
        models[0].save(path)

        def save_on():
            if plant:
                atomic.write = in_place
            for i in range(10_000):
                models[i % 2].save(path)

        while n < kills:
            n += killed(save_on, rng.uniform(0.0, 0.03))
            try:
                values = {float(v) for w in fastnn.models.load_model(path).get_weights() for v in (w.min(), w.max())}
                bad += len(values) != 1
            except fastnn.ModelFileError:
                bad += 1
                models[0].save(path)
            if n % 10 == 0:
                models[0].save(path)
                worst = max(worst, len(os.listdir(folder)) - 1)
    return n, bad, worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", action="store_true")
    options = parser.parse_args()
    started = time.time()
    kills, bad, beside = run(options.kills, options.seed, options.plant)
    print(f"{kills} kills in {time.time() - started:.0f} s: {bad} files bad, at most {beside} beside after the next "
          f"save")
    sys.exit(bool(bad or beside > 1))


if __name__ == "__main__":
    main()
