"""Kills training with kill -9 at random moments, again and again, until it has come to its end.

    python -m tests.crash.kill_fit --kills 100

With BackupAndRestore, the weights, moving statistics and optimizer at the end must be those of a run that nobody
killed, bit for bit. ``--plant`` loses something from the backup: "seed", "optimizer", "position", "callbacks" were all
found so within 10 kills.
"""
import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from killing import killed

PLANTS = ("seed", "optimizer", "position", "callbacks")
WAYS = ({"save_freq": 1}, {"save_freq": 7}, {"save_freq": "epoch"}, {"save_freq": 3, "double_checkpoint": True})
EPOCHS, ROWS, BATCH = 6, 400, 16


def train(folder, way, plant=None, seed=7, pause=0.0005):
    """Train a net with everything that has state of its own; the hash of what it ends with."""
    import numpy as np

    import fastnn
    from fastnn.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback, ReduceLROnPlateau
    from fastnn.layers import BatchNormalization, Dense, Dropout
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    rng = np.random.default_rng(1)
    x = rng.standard_normal((ROWS, 8)).astype("float32")
    y = (x.sum(1) > 0).astype(int)
    model = fastnn.Sequential([fastnn.Input((8,)), Dense(16, activation="relu"), BatchNormalization(), Dropout(0.3),
                               Dense(2, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    backup = BackupAndRestore(os.path.join(folder, "backup"), **way)
    callbacks = [backup, ReduceLROnPlateau("val_loss", patience=1, min_delta=0.05, factor=0.5),
                 EarlyStopping("val_accuracy", patience=4, restore_best_weights=True),
                 LambdaCallback(on_train_batch_begin=lambda batch, logs: time.sleep(pause))]
    spoil(backup, model, plant)
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, validation_split=0.2, callbacks=callbacks, verbose=0)
    state = [*model.get_weights(), *model.optimizer.state().values(), np.float64(model.optimizer.learning_rate)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in state)).hexdigest()


def spoil(backup, model, plant):
    """Lose something when a backup is restored."""
    read = backup._read

    def lossy(model):
        seed = model.seed
        found = read(model)
        if found is None:
            return None
        place, states = found
        if plant == "seed":
            model.seed = seed + 1
            model.forget_programs()
        if plant == "optimizer":
            model.optimizer.set_state({
                k: v if k == "iterations" else v * 0 for k, v in model.optimizer.state().items()})
        if plant == "position":
            place = place._replace(position=None)
        return place, [] if plant == "callbacks" else states

    if plant:
        backup._read = lossy


def run(kills, seed=0, plant=None):
    """(kills, runs that ended, runs that ended with other bits)."""
    rng, n, ended, wrong = random.Random(seed), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result")

        def write(**options):
            text = train(folder, way, **options)
            Path(result).write_text(text)

        while n < kills:
            way = WAYS[ended % len(WAYS)]
            started = time.monotonic()
            killed(write, 1e6)
            expected, seconds = Path(result).read_text(), time.monotonic() - started
            os.unlink(result)
            longest = 0.7 * seconds
            while killed(lambda: write(plant=plant), rng.uniform(0.0, longest)):
                n, longest = n + 1, 1.1 * longest        # on a machine that is busy now, it still comes to an end
            ended += 1
            wrong += Path(result).read_text() != expected
            os.unlink(result)
    return n, ended, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="at least so many: the last run is killed to its end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plant", choices=PLANTS)
    options = parser.parse_args()
    started = time.time()
    kills, ended, wrong = run(options.kills, options.seed, options.plant)
    print(f"{kills} kills in {time.time() - started:.0f} s: {wrong} of {ended} runs ended with other bits")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
