"""Fit, predict, save and load over and over: the process must not grow.

    python tests/soak.py --loops 10000

Prints the resident memory as it goes, and ends with status 1 when the last tenth of the loops stands more than 1 MB
above the second tenth (the first one fills caches).
"""
import argparse
import gc
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

import fastnn
from fastnn import layers

LIMIT = 1 << 20


def resident():
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files():
    return len(os.listdir("/proc/self/fd"))


def make():
    """A net with state of every kind: weights, moving statistics, random numbers, moments."""
    model = fastnn.Sequential([fastnn.Input((4,)), layers.Dense(8, activation="relu", kernel_regularizer="l2"),
                               layers.BatchNormalization(), layers.Dropout(0.2), layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def soak(loops, folder, grow=None):
    """Resident memory after each loop; ``grow`` keeps what it is handed, as a leak would (for the check of this)."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 4)).astype("float32"), rng.integers(0, 3, 64)
    path, model, sizes = Path(folder, "net.fastnn"), make(), []
    for _ in range(loops):
        model.fit(x, y, batch_size=16, verbose=0)
        expected = model.predict(x, verbose=0)
        model.save(path)
        model = fastnn.models.load_model(path)
        assert np.array_equal(model.predict(x, verbose=0), expected)
        if grow is not None:
            grow.append(b"x" * (1 << 18))     # large enough for a mapping of its own
        gc.collect()             # a model is a cycle: whenever Python looks for those, the heap has other gaps
        sizes.append(resident())
    return sizes


def growth(sizes):
    """Bytes by which the last tenth stands above the second."""
    tenth = max(1, len(sizes) // 10)
    return statistics.median(sizes[-tenth:]) - statistics.median(sizes[tenth:2 * tenth])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=10_000)
    parser.add_argument("--leak", action="store_true", help="keep 256 kB a loop, to see that it is found")
    options = parser.parse_args()
    files = open_files()
    with tempfile.TemporaryDirectory() as folder:
        sizes = soak(options.loops, folder, [] if options.leak else None)
    tenth = max(1, len(sizes) // 10)
    print("MB after each tenth:", *(f"{size / 1e6:.2f}" for size in sizes[tenth - 1::tenth]))
    print(f"{options.loops} loops: resident {sizes[0] / 1e6:.2f} MB after the first, "
          f"{max(sizes) / 1e6:.2f} MB at most, growth {growth(sizes) / 1e6:+.3f} MB, "
          f"open files {files} before and {open_files()} after")
    return int(growth(sizes) > LIMIT or open_files() > files)


if __name__ == "__main__":
    sys.exit(main())
