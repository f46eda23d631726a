"""The pictures of docs/benchmarks.md."""
from matplotlib.figure import Figure

from fastnn import plotting
from fastnn._kernel_cases import PRODUCTS
from fastnn._race import OPERATIONS, WAYS

COLORS = dict(zip((*WAYS, "fastnn"), ("#999999", "#56B4E9", plotting.BLUE, plotting.ORANGE), strict=True))
STYLES = {"list": "-", "numpy": "--", "torch": ":"}


def race(operation, results, size, path):
    """Left: all contestants at one size. Right: how their times grow with the size."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    bars, lines = figure.subplots(1, 2, width_ratios=[5, 4])
    unit = OPERATIONS[operation].unit
    plotting.race({name(r): r.median for r in results if r.about["size"] == size}, ax=bars)
    bars.set(title=f"{operation}, {size} {unit}", xlabel="median time a call (logarithmic)")
    for key in dict.fromkeys(name(result) for result in results):
        own = sorted((result for result in results if name(result) == key), key=lambda result: result.about["size"])
        lines.plot([r.about["size"] for r in own], [r.median for r in own], label=key, marker=".",
                   color=COLORS[own[0].about["way"]], linestyle=STYLES[own[0].about["container"]])
    lines.set(xscale="log", yscale="log", xlabel=unit, ylabel="median time a call", title="all sizes")
    lines.yaxis.set_major_formatter(bars.xaxis.get_major_formatter())
    lines.grid(alpha=0.3)
    figure.legend(*lines.get_legend_handles_labels(), loc="outside right center", fontsize="small")
    figure.savefig(path, dpi=90)


def name(result):
    """A short label of a contestant of the race."""
    return f"{result.about['way']}, {result.about['container']}"


def training(results, path):
    """A panel of bars for each workload."""
    workloads = list(dict.fromkeys(result.about["workload"] for result in results))
    figure = Figure(figsize=(8, 0.8 + 1.7 * len(workloads)), layout="constrained")
    for workload, ax in zip(workloads, figure.subplots(len(workloads), squeeze=False)[:, 0], strict=True):
        plotting.race({r.about["contestant"]: r.median for r in results if r.about["workload"] == workload}, ax=ax,
                      log=False)
        ax.set(title=workload, xlabel="")
    ax.set_xlabel("median time of a training step, batch of 32")
    figure.savefig(path, dpi=90)


def kernels(results, limits, path):
    """Every kernel on the roofline of one thread."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    points = {}
    for result in results:
        about = result.about
        name = f"{about['kernel']}, {about['dtype']}" if about["kernel"] in PRODUCTS else about["kernel"]
        points.setdefault(name, []).append((about["flops"] / about["moved"], about["flops"] / result.median))
    slopes = {name: max(rates.values()) for name, rates in limits["bandwidth"].items()}
    plotting.roofline(points, limits["peak"], slopes, ax=figure.subplots())
    figure.savefig(path, dpi=90)
