"""Random calls of kernels and eager functions, each compared with NumPy in float64.

    python tests/fuzz_kernels.py --calls 1000000
    python tests/fuzz_kernels.py --calls 100000 --only convolution winograd

What is called stands in fuzz_dense.py, fuzz_images.py, fuzz_recurrent.py and fuzz_eager.py: functions of a Draw
(fuzz_draw.py) that draw operands, run a kernel and compare. A new one needs an entry in the CALLS of its file, a new
file one in FAMILIES here.

Shapes (0, 1, odd ones, around the lanes of every vector), addresses, distances between rows, dtypes, transpositions,
epilogues, levels, and one to three threads on tiny blocks are drawn anew for each call. Calls run in child processes:
one that crashes or hangs is a failure, named like a wrong result by the seed and the number of the call, which
``--seed S --call N`` (and the same ``--only``) runs alone. Status 1 with any failure. ``--plant wrong``, ``crash`` or
``hang`` makes such a fault, to see that it is found.
"""
import argparse
import ctypes
import mmap
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fuzz_dense
import fuzz_draw
import fuzz_eager
import fuzz_images
import fuzz_recurrent
import numpy as np
from fuzz_draw import Draw

from fastnn import _kernels, testing

SHARD = 10_000            # calls of one child process, on one level
PATIENCE = 60             # seconds without a call that ends: a hang
SHOWN = 10                # failures that are printed
FAMILIES = (fuzz_dense, fuzz_images, fuzz_recurrent, fuzz_eager)
CALLS = {function.__name__: (function, share) for family in FAMILIES for function, share in family.CALLS.items()}


def one_call(seed, call, names):
    """Make call number ``call`` of those with these names; its name and, where it failed, what went wrong."""
    d = Draw(seed, call)
    function = CALLS[d.rng.choices(names, [CALLS[name][1] for name in names])[0]][0]
    try:
        function(d)
        return function.__name__, None
    except Exception as error:
        level = d.level if function not in fuzz_eager.CALLS else f"FASTNN_ISA={_kernels.level.__name__[-2:]}"
        return function.__name__, f"{level} {d.dtype}, {d.threads} threads: {type(error).__name__}: {error}"


def shard(seed, first, calls, progress, names):
    """The work of a child process: calls first, first + 1, ...

    The file ``progress`` holds one more than the number of the call at hand, 0 at first, and the number of failures.
    """
    with open(progress, "r+b") as file, mmap.mmap(file.fileno(), 16) as place:
        failures = 0
        for call in range(first, first + calls):
            place[:8] = (call + 1).to_bytes(8, "little")
            if call == first + calls // 2 and fuzz_draw.planted == "crash":
                ctypes.string_at(0)
            if call == first + calls // 2 and fuzz_draw.planted == "hang":
                time.sleep(1000)
            name, wrong = one_call(seed, call, names)
            if wrong:
                failures += 1
                place[8:] = failures.to_bytes(8, "little")
                if failures <= SHOWN:
                    print(f"call {call} ({name}), {wrong}", flush=True)


def run_shard(options, first, calls, level, deadline):
    """Run a child until it is done, hangs, or the time is over; (calls made, failures)."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(16))
        file.flush()
        command = [sys.executable, __file__, "--seed", str(options.seed), "--shard", str(first), str(calls), file.name,
                   *(("--plant", options.plant) if options.plant else ()), "--only", *options.only]
        # Threads that wait passively leave the core to the one that works: regions here are tiny, and other jobs run.
        child = subprocess.Popen(command, env={**os.environ, "FASTNN_ISA": level, "OMP_WAIT_POLICY": "passive"})
        moved, last, hangs, over = time.monotonic(), 0, False, False
        while child.poll() is None:
            time.sleep(0.05)
            now, (next_call, failures) = time.monotonic(), read(file.name)
            if next_call != last:
                moved, last = now, next_call
            hangs = now - moved > (options.patience if next_call else PATIENCE)
            over = now > deadline
            if hangs or over:
                child.kill()
                child.wait()
                break
        next_call, failures = read(file.name)
        if hangs or (child.returncode and not over):
            what = "hangs" if hangs else f"ended with status {child.returncode}"
            print(f"a process {what} at --seed {options.seed} --call {next_call - 1}, level {level}", flush=True)
            failures += 1
        return max(0, next_call - first), failures


def read(path):
    """(one more than the call at hand, failures) of a child."""
    return np.frombuffer(Path(path).read_bytes(), np.int64).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--call", type=int, help="make this call alone")
    parser.add_argument("--only", nargs="+", choices=CALLS, default=list(CALLS), metavar="NAME",
                        help=f"calls of these: {', '.join(CALLS)}")
    parser.add_argument("--plant", choices=["wrong", "crash", "hang"])
    parser.add_argument("--patience", type=float, default=PATIENCE)
    parser.add_argument("--shard", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    fuzz_draw.plant(options.plant)
    if options.shard:
        first, calls, progress = options.shard
        return shard(options.seed, int(first), int(calls), progress, options.only)
    if options.call is not None:
        name, wrong = one_call(options.seed, options.call, options.only)
        print(name, wrong or "right")
        return int(wrong is not None)
    began, done, failures, i = time.monotonic(), 0, 0, 0
    while done < options.calls and time.monotonic() - began < options.seconds:
        calls = min(SHARD, options.calls - i * SHARD)
        if calls <= 0:
            break
        level = testing.levels()[i % len(testing.levels())]
        made, wrong = run_shard(options, i * SHARD, calls, level, began + options.seconds)
        done, failures, i = done + made, failures + wrong, i + 1
    levels, seconds = " ".join(testing.levels()), time.monotonic() - began
    print(f"{done} calls, {failures} failures, seed {options.seed}, levels {levels}, {seconds:.0f} s")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
