"""Kernels below the roofs and slopes that the machine sets them."""
import math

from ._axes import BLACK, GREY, axes, colour

MARKERS = "os^DvPX*<>"


def roofline(points, peaks, bandwidths, ax=None):
    """Draw what kernels reach, over their intensity, below what the machine allows; both axes logarithmic.

    points: dictionary of a kernel's name to a list of (operations a byte, operations a second).
    peaks: dictionary of a name to operations a second, the roofs. bandwidths: dictionary of a name to bytes a second,
    the slopes, which end at the highest roof.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError where there is nothing to draw, or for a
    number that is not positive and finite.
    """
    _check("points", {name: [number for pair in pairs for number in pair] for name, pairs in points.items()})
    _check("peaks", {name: [rate] for name, rate in peaks.items()})
    if bandwidths:
        _check("bandwidths", {name: [rate] for name, rate in bandwidths.items()})
    ax = axes(ax)
    roof = max(peaks.values()) / 1e9
    least = min(x for pairs in points.values() for x, _ in pairs) / 2
    most = 4 * max(x for pairs in points.values() for x, _ in pairs)
    for name, rate in bandwidths.items():
        end = roof / (rate / 1e9)
        ax.plot([least, end], [least * rate / 1e9, roof], color=GREY, linewidth=1)
        ax.text(1.1 * least, 1.1e-9 * least * rate, f"{name}, {rate / 1e9:.0f} GB/s", fontsize="x-small", va="bottom")
    for name, rate in peaks.items():
        start = rate / max(bandwidths.values()) if bandwidths else least
        ax.plot([start, most], [rate / 1e9] * 2, color=BLACK, linewidth=1)
        ax.text(most, rate / 1e9, f"{name}, {rate / 1e9:.0f} Gflop/s", fontsize="x-small", ha="right", va="bottom")
    for number, (name, pairs) in enumerate(points.items()):
        ax.plot([x for x, _ in pairs], [y / 1e9 for _, y in pairs], label=name, linestyle="", markersize=5, alpha=0.8,
                marker=MARKERS[number % len(MARKERS)], color=colour(number))
    ax.set(xscale="log", yscale="log", xlim=(least, most), xlabel="intensity, operations a byte",
           ylabel="rate, Gflop/s")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _check(argument, numbers):
    """Raise ValueError unless there are numbers, of each name, that have a logarithm."""
    if not numbers:
        raise ValueError(f"roofline: `{argument}` must name one or more, got an empty dictionary")
    for name, found in numbers.items():
        bad = next((number for number in found if not 0 < number < math.inf), None)
        if bad is not None or not found:
            got = "nothing" if bad is None else f"{bad!r:.60}"
            raise ValueError(f"roofline: `{argument}` must hold positive, finite numbers, got {got} for {name!r:.60}")
