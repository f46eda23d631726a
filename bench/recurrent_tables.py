"""The section of docs/benchmarks.md about recurrent layers."""
from collections import defaultdict

from results import level_of, measured, table

from fastnn._race import duration, times

PEERS = {"torch": "torch", "JAX": "jax", "Keras": "keras"}
ABOUT = """64 units over 32 rows of 30 steps of 1 feature, float32, y of all steps. forward: as in a prediction; \
forward + backward: also the gradients of x, of both kernels and of the bias, for a gradient of every step. GFLOP/s \
counts the products alone. Ratios are of medians: peer to fastnn on as many threads, above 1 fastnn is faster; Keras \
on TensorFlow. Every contestant ran in a process of its own, in turns; results were checked against float64 NumPy.

"""


def sections(results):
    """A section for each instruction set."""
    groups = defaultdict(list)
    for result in results:
        groups[level_of(result.run)].append(result)
    return "".join(f"## Recurrent layers, level {level}\n\n{ABOUT}{one_table(group)}\n{measured(group)}"
                   for level, group in sorted(groups.items(), reverse=True))


def one_table(results):
    """All layers and kinds of work, on one thread and on two."""
    cases = defaultdict(dict)
    for result in results:
        about = result.about
        cases[about["layer"], about["work"], about["threads"]][about["contestant"]] = result
    present = [title for title, name in PEERS.items() if any(name in pair for pair in cases.values())]
    rows = []
    for (layer, work, threads), pair in cases.items():
        if "fastnn" in pair:
            ours = pair["fastnn"]
            rows.append([f"{layer}, {work}", str(threads), duration(ours.median), duration(ours.best),
                         f"{ours.about['flops'] / ours.median / 1e9:.0f}",
                         *(times(pair[PEERS[t]].median, ours.median) if PEERS[t] in pair else "" for t in present)])
    return table(["layer, what", "threads", "median", "best", "GFLOP/s", *present], rows)
