"""Durations as bars."""
import re

from ._axes import GREY, ORANGE, axes


def race(seconds, ax=None, log=True, highlight="fastnn"):
    """Draw durations as horizontal bars, the first on top.

    seconds: dictionary of label to seconds. Labels that begin with ``highlight`` are coloured.
    log: a logarithmic axis, for durations of very different size.
    ax: the matplotlib Axes to draw on. Returns the Axes. Raises ValueError if a duration is not positive.
    """
    from fastnn._race import duration
    labels, values = list(seconds), list(seconds.values())
    if not values or min(values) <= 0:
        raise ValueError("seconds: expected one or more positive durations")
    ax = axes(ax)
    bars = ax.barh(labels, values, color=[ORANGE if label.startswith(highlight) else GREY for label in labels])
    ax.bar_label(bars, [duration(value) for value in values], padding=3)
    ax.invert_yaxis()
    least, most = min(values) / 3, max(values)        # a logarithmic axis has no zero where bars could begin
    if log:
        ax.set_xscale("log")
    ax.set_xlim((least, most * (most / least) ** 0.3) if log else (0, most * 1.2))       # room for the labels
    ax.xaxis.set_major_formatter(lambda value, _: re.sub(r"\.0+ ", " ", duration(value)))
    ax.set_xlabel("time (logarithmic)" if log else "time")
    ax.spines[["top", "right"]].set_visible(False)
    return ax
