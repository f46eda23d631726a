"""The section of docs/benchmarks.md about convolutions: each shape beside the peak and the other libraries."""
from collections import defaultdict

from results import level_of, measured, table

from fastnn._race import duration, times

PEERS = {"torch": ("torch", "torch, channels last"), "JAX": ("jax",), "NumPy, im2col": ("numpy",)}
ABOUT = """Shapes are rows x height x width x channels - filters, 3 x 3 without padding, float32. forward: y = x * w \
+ b; dW: the gradients of w and b; dX: that of x; all: these one after the other, without dX for the first layer of a \
net. The peak is that of multiply-adds in registers, measured in the same turns on as many threads. Where it \
pays (from 16 channels on) fastnn uses Winograd's algorithm, which has fewer multiplications; so "of peak" is not its \
share but that of "direct", the median of fastnn with FASTNN_WINOGRAD=0, which does all the operations that are \
counted. Ratios are of medians: peer to fastnn as it comes, above 1 fastnn is faster; torch with channels first or \
last, whichever was faster; peers may use such algorithms too. Every contestant ran in a process of its own, in \
turns; results were checked against float64 NumPy.

"""


def sections(results):
    """A section for each instruction set, a table for each number of threads."""
    groups = defaultdict(list)
    for result in results:
        groups[level_of(result.run)].append(result)
    text = ""
    for level, group in sorted(groups.items(), reverse=True):
        text += f"## Convolutions, level {level}\n\n{ABOUT}"
        cases = defaultdict(dict)
        for result in group:
            about = result.about
            cases[about["threads"], about["shape"], about["work"]][about["contestant"]] = result
        for threads in sorted({key[0] for key in cases}):
            text += f"### {'One thread' if threads == 1 else f'{threads} threads'}\n\n{one_table(cases, threads)}\n"
        text += measured(group)
    return text


def one_table(cases, threads):
    """All shapes on so many threads."""
    here = {key[1:]: pair for key, pair in cases.items() if key[0] == threads and "fastnn" in pair}
    present = [title for title, names in PEERS.items() if any(set(names) & set(pair) for pair in here.values())]
    rows = []
    for (shape, work), pair in here.items():
        ours, single = pair["fastnn"], cases.get((1, shape, work), {}).get("fastnn")
        row = [f"{shape}, {work}", duration(ours.median), duration(ours.best), *of_direct(pair.get("fastnn, direct")),
               *(ratio(pair, PEERS[title]) for title in present)]
        rows.append(row + [times(single.median, ours.median) if single else ""] * (threads > 1))
    columns = ["shape, what", "median", "best", "direct", "of peak", "best of peak", *present,
               *["one thread to these"] * (threads > 1)]
    return table(columns, rows)


def of_direct(result):
    """The columns of the direct method; empty where it was not measured."""
    if result is None:
        return [""] * 3
    return [duration(result.median), of_peak(result, result.median), of_peak(result, result.best)]


def of_peak(result, seconds):
    return f"{result.about['flops'] / seconds / result.about['peak']:.0%}"


def ratio(pair, names):
    """The faster of these contestants to fastnn."""
    found = [pair[name].median for name in names if name in pair]
    return times(min(found), pair["fastnn"].median) if found else ""
