"""A process of the training benchmark: one library, one workload, commands on stdin, answers in JSON on stdout.

    python bench/worker.py LIBRARY_MODULE WORKLOAD

Commands are lines of JSON: {"do": "learn"} answers with the loss after the workload's epochs and the share of training
rows then classified rightly, of numbers that of the variance which is explained; {"do": "turn", "seconds": S} with the
median seconds of every quantity. The Python that runs this need not have fastnn.
"""
import importlib
import json
import statistics
import sys
import time

import numpy as np
from turns import own_stdout
from workloads import BATCH, WORKLOADS, data

SHORTEST = 1e-3       # seconds that one measurement lasts at least: fast calls are repeated within it


def main(library, name):
    answers = own_stdout()
    workload, (x, y) = WORKLOADS[name], data(name)
    make = importlib.import_module(library).make
    contestant = make(workload, x, y)
    quantities = measured(workload, contestant, len(x) // BATCH)
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "learn":
            answer = learned(make(workload, x, y), workload, y)
        else:
            answer = {quantity: median_seconds(function, request["seconds"]) / parts
                      for quantity, (function, parts) in quantities.items()}
        print(json.dumps(answer), file=answers, flush=True)


def measured(workload, contestant, steps):
    """What is timed: quantity -> (function, number of parts of which one counts)."""
    one = contestant.rows[:1]
    quantities = {}
    if contestant.trains:
        quantities["step"] = (lambda: contestant.train(workload.epochs_a_call), steps * workload.epochs_a_call)
        quantities["step, an epoch a call"] = (lambda: contestant.train(1), steps)
    quantities["one row, plain call"] = (lambda: contestant.call(one), 1)
    if contestant.predict is not None:
        quantities["one row, predict"] = (lambda: contestant.predict(one), 1)
    for function, _ in quantities.values():
        function()                                 # compile, allocate, start threads
    return quantities


def learned(contestant, workload, y):
    """The loss and accuracy that a new net reaches."""
    loss = contestant.train(workload.epochs_to_learn)
    outputs = np.asarray(contestant.call(contestant.rows))
    if workload.number:
        return {"loss": loss if contestant.trains else None,
                "accuracy": 1 - float(((outputs[:, 0] - y) ** 2).mean() / y.var())}
    predicted = outputs.argmax(axis=1) if workload.outputs > 1 else outputs[:, 0] > contestant.middle
    return {"loss": loss if contestant.trains else None, "accuracy": float((predicted == y).mean())}


def median_seconds(function, seconds):
    """The median over repeated measurements of one call."""
    once = timed(function, 1)
    calls = max(1, round(SHORTEST / max(once, 1e-9)))
    durations, end = [], time.perf_counter() + seconds
    while len(durations) < 3 or time.perf_counter() < end:
        durations.append(timed(function, calls))
    return statistics.median(durations)


def timed(function, calls):
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls


if __name__ == "__main__":
    main(*sys.argv[1:])
