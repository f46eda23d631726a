"""The sections of docs/benchmarks.md about kernels: each beside the machine's limits and other libraries."""
from collections import defaultdict

import figures
from results import level_of, measured, table

from fastnn._kernel_cases import FUNCTIONS, PRODUCTS, ROWS
from fastnn._race import duration, times

PROGRAM = "fastnn, in a program"
PEERS = {"numpy": "NumPy", "torch": "torch"}
ABOUT = """One thread. The limit is what the peak and the bandwidth, measured beside each kernel in the same rounds, \
allow: the longer of operations / peak and bytes / bandwidth. The peak is that of multiply-adds in registers with the \
vectors of this level, the bandwidth that of a stream as large as the operands, where something is written the better \
of ordinary stores and stores past the caches. Ratios are of medians: peer to fastnn, above 1 fastnn is faster.

"""


def sections(tables, folder):
    """One section for each instruction set and BLAS, then one thread against two over sizes."""
    groups = defaultdict(lambda: defaultdict(list))
    for name in ("limits", "kernels", "odd", "two threads"):
        for result in tables[name]:
            groups[level_of(result.run), result.run["machine"].get("blas", "unknown BLAS")][name].append(result)
    text = ""
    for (level, blas), group in sorted(groups.items(), reverse=True):
        everything = [result for results in group.values() for result in results]
        text += f"## Kernels, level {level}, NumPy with {blas}\n\n{ABOUT}"
        text += limits(group["limits"]) + picture(group, f"roofline-{level}.png", folder) + products(group["kernels"])
        text += odd(group["odd"]) + dot(group["kernels"]) + functions(group["kernels"]) + two(group["two threads"])
        text += measured(everything)
    return text + thresholds(tables["threads"])


def limits(results):
    """Peak and bandwidths."""
    text = ""
    for about in (result.about for result in results):
        peaks = ", ".join(f"{rate / 1e9:.1f} Gflop/s in {dtype}" for dtype, rate in about["peak"].items())
        names = [f"{name}, {size >> 10:,} kB" for name, size in about["sizes"].items()]
        rows = [[says, *(f"{about['bandwidth'][name][kind] / 1e9:.1f}" for name in about["sizes"])]
                for kind, says in about["streams"].items()]
        text += f"Peak: {peaks}. Bandwidth in GB/s:\n\n{table(['stream', *names], rows)}\n"
    return text


def picture(group, name, folder):
    """Every kernel on the roofline."""
    ours = [result for result in group["kernels"] if result.about["library"] == "fastnn"]
    if not (ours and group["limits"]):
        return ""
    figures.kernels(ours, group["limits"][-1].about, folder / name)
    return f"![rates of all kernels over their intensity]({name})\n\n"


def by_case(results, kernels, dtype=None):
    """Results of some kernels: (kernel, shape, dtype) -> library -> result."""
    cases = defaultdict(dict)
    for result in results:
        about = result.about
        if about["kernel"] in kernels and dtype in (None, about["dtype"]):
            cases[about["kernel"], tuple(about["shape"]), about["dtype"]][about["library"]] = result
    return {key: pair for key, pair in cases.items() if "fastnn" in pair}


def shown(shape):
    return "x".join(map(str, shape))


def of_limit(result):
    return f"{result.about['bound'] / result.median:.0%}"


def of_peak(result):
    return f"{result.about['flops'] / result.median / result.about['peak']:.0%}" if result else ""


def ratios(pair, names):
    """Peers to fastnn."""
    return [times(pair[name].median, pair["fastnn"].median) if name in pair else "" for name in names]


def present(cases):
    """The libraries beside fastnn that took part."""
    return [name for name in PEERS if any(name in pair for pair in cases.values())]


def products(results):
    """Matrix products against the peak: a table for each dtype and way of storing the operands."""
    text = ""
    for dtype in ("float32", "float64"):
        plain = by_case(results, ["A·B"], dtype)
        for kernel in PRODUCTS:
            cases = by_case(results, [kernel], dtype)
            if not cases:
                continue
            peers, rows = present(cases), []
            for (_, shape, _), pair in cases.items():
                ours, same = pair["fastnn"], plain.get(("A·B", shape, dtype))
                row = [shown(shape), duration(ours.median), duration(ours.best), of_peak(ours),
                       of_peak(pair.get(PROGRAM)), *ratios(pair, peers)]
                rows.append(row if kernel == "A·B" else [*row, f"{same['fastnn'].median / ours.median:.0%}" if same
                                                         else ""])
            columns = [f"{kernel}, M x K x N", "median", "best", "of peak", "in a program: of peak",
                       *(PEERS[name] for name in peers), *["of the rate of A·B"] * (kernel != "A·B")]
            text += f"### {kernel}, {dtype}\n\n{table(columns, rows)}\n"
    return text


def odd(results):
    """Shapes that are no multiples of the vectors beside their neighbours that are."""
    if not results:
        return ""
    rows, worst = [], 9.0
    for result in results:
        about, n = result.about, result.about["shape"][2]
        rate = about["flops"] / result.median / (about["even_flops"] / about["even_median"])
        filled = n / (-(-n // 16) * 16)
        worst = min(worst, rate / filled)
        rows.append([shown(about["shape"]), duration(result.median), of_peak(result), shown(about["even"]),
                     f"{rate:.2f}", f"{filled:.2f}", f"{rate / filled:.2f}"])
    columns = ["M x K x N", "median", "of peak", "neighbour", "rate to neighbour's", "N / ⌈N⌉₁₆", "quotient"]
    return ("### Odd shapes\n\nA·B in float32 for a sample of shapes, each in turns with its neighbour of multiples of "
            "16. ⌈N⌉₁₆ is that neighbour's N: the last columns of an odd N cost a whole vector. Least quotient: "
            f"{worst:.2f}.\n\n" + table(columns, rows) + "\n")


def dot(results):
    """The dot product of 1000 elements, a whole call from Python."""
    cases = by_case(results, ["dot"])
    if not cases:
        return ""
    peers = present(cases)
    rows = [[dtype, duration(pair["fastnn"].median), duration(pair["fastnn"].best), *ratios(pair, [*peers, "for loop"])]
            for (_, _, dtype), pair in cases.items()]
    columns = ["1000 elements", "median", "best", *(PEERS[name] for name in peers), "for loop over arrays"]
    return f"### Dot product\n\n{table(columns, rows)}\n"


def functions(results):
    """Element-wise functions, reductions, functions of rows; one table a shape."""
    text = ""
    for names, title in (([name for name in FUNCTIONS if name not in (*ROWS, "dot")], "Functions and reductions"),
                         (ROWS, "Functions of rows")):
        cases = by_case(results, names)
        for shape in dict.fromkeys(shape for _, shape, _ in cases):
            here = {key: pair for key, pair in cases.items() if key[1] == shape}
            peers, rows = present(here), []
            for (kernel, _, _), pair in here.items():
                ours = pair["fastnn"]
                elements = ours.about["flops"] / FUNCTIONS[kernel].flops
                rows.append([kernel, duration(ours.median), duration(ours.best), f"{1e9 * ours.median / elements:.3f}",
                             f"{ours.about['moved'] / ours.median / 1e9:.1f}",
                             f"{ours.about['moved'] / ours.median / ours.about['bandwidth']:.0%}", of_limit(ours),
                             *ratios(pair, peers)])
            columns = ["function", "median", "best", "ns an element", "GB/s", "of bandwidth", "of limit",
                       *(PEERS[name] for name in peers)]
            text += f"### {title}, {shown(shape)} float32\n\n{table(columns, rows)}\n"
    return text


def two(results):
    """What a second thread brings."""
    if not results:
        return ""
    rows = []
    for result in results:
        about = result.about
        rows.append([about["kernel"], shown(about["shape"]), duration(result.median),
                     times(about["median"]["fastnn, 1 thread"], result.median), of_limit(result),
                     times(about["numpy"], result.median)])
    columns = ["kernel", "shape", "two threads", "one thread to two", "of two threads' limit", "NumPy, two threads"]
    return ("### Two threads\n\nfastnn with one and with two threads in turns; NumPy in a process of its own.\n\n"
            + table(columns, rows) + "\n")


def thresholds(results):
    """One thread against two, by kind and amount of work."""
    if not results:
        return ""
    cells = defaultdict(dict)
    for result in results:
        about = result.about
        cells[about["kind"], about["work"]][about["state"], about["threads"]] = result.median
    rows = []
    for (kind, work), of in sorted(cells.items()):
        row = [kind, f"{work:,}"]
        for state in ("hot", "cold"):
            one, two = of.get((state, 1)), of.get((state, 2))
            row += [duration(one), duration(two), times(one, two)] if one and two else ["", "", ""]
        rows.append(row)
    columns = ["kind of work", "multiply-adds of matmul, else elements", "hot: one thread", "two threads", "one to two",
               "cold: one thread", "two threads", "one to two"]
    return ("## When a second thread pays\n\nThe same calls on one thread and shared by two, whatever their size, in "
            "turns. Hot: one call after another; cold: 5 ms after the last, when the threads sleep. The thresholds in "
            "kernels/limits.pxd stand at about twice the work from which two are faster hot.\n\n"
            + table(columns, rows) + "\n" + measured(results))
