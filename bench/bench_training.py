"""A training step and the prediction of one row, fastnn beside its peers.

    pytest bench/bench_training.py --benchmark-json=training.json [--turns 5] [--turn-seconds 0.25]

Nets and data: workloads.py. Peers race where they are installed: PyTorch, JAX, scikit-learn; ONNX Runtime predicts with
what fastnn learned; TensorFlow races where TENSORFLOW_PYTHON names the Python of an environment that has it. Every
contestant lives in a process of its own, so that no two pools of threads meet, and all take turns, so that a busy
moment of the machine meets everybody. A round of the result is the median of one turn. Before any time counts, each
contestant trains a new net for a fixed number of epochs: fastnn's loss must be like its peers'.
"""
import statistics
from functools import cache

import pytest
import recorded
from contestants import ENTRIES, field
from turns import Worker, take_turns
from workloads import WORKLOADS

PAUSE = 0.05         # seconds before a turn, in which the threads of the one before fall asleep
QUANTITIES = ("step", "step, an epoch a call", "one row, plain call", "one row, predict")
FIELD = [pytest.param(workload, quantity, name, id=f"{workload}-{quantity}-{name}".replace(", ", "_").replace(" ", "_"))
         for workload in WORKLOADS for quantity in QUANTITIES for name in field(workload)
         if name == "fastnn" or quantity == "one row, plain call"
         or (quantity != "one row, predict" and ENTRIES[name].module != "with_onnxruntime")]


@cache
def race(workload, turns, seconds):
    """Run a workload's field in turns. Returns what each learned, and the seconds of its turns by quantity."""
    workers, answers = {}, {}
    for name in field(workload):
        entry = ENTRIES[name]
        workers[name] = Worker("worker.py", entry.module, workload, environment=entry.environment,
                               interpreter=entry.interpreter)
        answers[name] = []
    for name, answer in take_turns(workers, [{"do": "learn"}, *[{"do": "turn", "seconds": seconds}] * turns], PAUSE):
        answers[name].append(answer)
    return ({name: learned for name, (learned, *_) in answers.items()},
            {name: times for name, (_, *times) in answers.items()})


def check(learned, workload):
    """Raise AssertionError unless fastnn learned what its peers did: nobody wins by skipping work."""
    ours = learned["fastnn"]
    peers = [result for name, result in learned.items() if name != "fastnn" and result["loss"] is not None]
    highest, lowest = WORKLOADS[workload].loss_at_most, 0.88
    if peers:
        highest = 1.25 * statistics.median(peer["loss"] for peer in peers) + 0.02
        lowest = min(peer["accuracy"] for peer in peers) - 0.02
    assert 0 <= ours["loss"] <= highest, f"{workload}: loss {ours['loss']:.4f}, expected at most {highest:.4f}"
    for result in (ours, *(result for result in learned.values() if result["loss"] is None)):
        assert result["accuracy"] >= lowest, (f"{workload}: accuracy {result['accuracy']:.3f}, expected at least "
                                              f"{lowest:.3f}")


@pytest.mark.benchmark(timer=recorded.clock)
@pytest.mark.parametrize(("workload", "quantity", "name"), FIELD)
def test_training(benchmark, request, workload, quantity, name):
    learned, times = race(workload, request.config.getoption("turns"), request.config.getoption("turn_seconds"))
    check(learned, workload)
    benchmark.group = f"{workload}: {quantity}"
    benchmark.extra_info.update(table="training", workload=workload, quantity=quantity, contestant=name,
                                **learned[name])
    recorded.replay(benchmark, [turn[quantity] for turn in times[name]])
