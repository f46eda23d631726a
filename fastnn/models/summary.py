"""The table that ``summary()`` prints, in Keras's look."""
from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

HEADER = ("Layer (type)", "Output Shape", "Param #", "Trainable")
JUSTIFY: tuple[Callable[[str, int], str], ...] = (str.ljust, str.ljust, str.rjust, str.center)
ENDS = (0.45, 0.80, 1.0)          # where each column ends, as fractions of the line
WIDTH, TRAINABLE_WIDTH = 88, 12
MARGIN = 4            # columns of the terminal that stay free


def summary_text(model, line_length: int | None = None, positions: Sequence[float] | None = None,
                 expand_nested: bool = False, show_trainable: bool = False, layer_range=None) -> str:
    """The layers of a model with their output shapes and numbers of weights, and the sums over all.

    ``line_length``: characters, default 88 or what the terminal has. ``positions``: where each column ends, as
    fractions. ``expand_nested``: show the layers of models inside. ``show_trainable``: one more column, Y or N.
    ``layer_range``: two names, or patterns of names: only the layers from the first to the last. Raises ValueError when
    there is no room, or ``layer_range`` names no layer.
    """
    ends, width = list(positions or ENDS), WIDTH
    if len(ends) != len(ENDS):
        raise ValueError(f"summary: `positions` must hold {len(ENDS)} numbers, one a column, got {positions}")
    if show_trainable:
        ends, width = [0.9 * end for end in ends] + [1.0], WIDTH + TRAINABLE_WIDTH
    if line_length is None:
        from shutil import get_terminal_size  # with textwrap below, 10 ms: not when fastnn is imported
        line_length = min(width, get_terminal_size().columns - MARGIN)
    rows = [row for layer in _chosen(model.layers, layer_range) for row in _rows(layer, "", expand_nested)]
    table = _table([row[:len(ends)] for row in rows], _widths(ends, line_length))
    return "\n".join([f'Model: "{model.name}"', *table, *_totals(model)])


def _chosen(layers: list, layer_range) -> list:
    """The layers from the first name to the last, whichever comes first."""
    if layer_range is None:
        return layers
    if not isinstance(layer_range, (list, tuple)) or [type(name) for name in layer_range] != [str, str]:
        raise ValueError(f"summary: `layer_range` must hold two names of layers, got {layer_range!r:.80}")
    found = [[i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range]
    if not all(found):
        missing = layer_range[0] if not found[0] else layer_range[1]
        raise ValueError(f"summary: `layer_range` must hold two names of layers, got {missing!r:.80}; the layers are "
                         f"{', '.join(layer.name for layer in layers):.200}")
    first, last = found
    if first[0] > last[-1]:
        first, last = last, first
    return layers[first[0]:last[-1] + 1]


def _rows(layer, prefix: str, expand_nested: bool) -> list[list[str]]:
    """The cells of a layer, and of the layers inside it."""
    shape = "?" if layer.output_shape is None else f"({', '.join(map(str, layer.output_shape))})"
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    trainable = ("Y" if layer.trainable else "N") if layer.weights else "-"
    rows = [[f"{prefix}{layer.name} ({type(layer).__name__})", shape, count, trainable]]
    if expand_nested:
        inner = "   " + (prefix or "└ ")
        rows += [row for nested in getattr(layer, "layers", ()) for row in _rows(nested, inner, True)]
    return rows


def _widths(ends: list[float], line_length: int) -> list[int]:
    """The width of each column without its padding, so that the table is ``line_length`` wide."""
    places = [0, *(int(end * line_length) for end in ends)]
    widths = [stop - start for start, stop in pairwise(places)]
    if min(widths) < 4:
        raise ValueError(f"summary: `line_length` {line_length} leaves no room for {len(widths)} columns")
    # borders and padding come on top of that: take what is too much from all columns alike
    excess = sum(widths) + 3 * len(widths) + 1 - line_length
    for i, left in enumerate(range(len(widths), 0, -1)):
        share = round(excess / left)
        widths[i], excess = max(1, widths[i] - share), excess - share
    return widths


def _table(rows: list[list[str]], widths: list[int]) -> list[str]:
    """The lines of the table: a heavy header, light rules between rows."""
    def rule(left: str, line: str, cross: str, right: str) -> str:
        return left + cross.join(line * (width + 2) for width in widths) + right

    def cells(row: Sequence[str], bar: str, bottom: bool = False) -> list[str]:
        parts = [_wrap(text, width) for text, width in zip(row, widths, strict=True)]
        height = max(map(len, parts))
        parts = [[""] * (height - len(p)) + p if bottom else p + [""] * (height - len(p)) for p in parts]
        return [bar + bar.join(f" {JUSTIFY[i](text, widths[i])} " for i, text in enumerate(line)) + bar
                for line in zip(*parts, strict=True)]

    lines = [rule("┏", "━", "┳", "┓"), *cells(HEADER[:len(widths)], "┃", bottom=True), rule("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        lines += [rule("├", "─", "┼", "┤")] * (i > 0) + cells(row, "│")
    return [*lines, rule("└", "─", "┴", "┘")]


def _wrap(text: str, width: int) -> list[str]:
    """The words of a cell on lines; one that is too long ends with an ellipsis."""
    import textwrap
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line if len(line) <= width else line[:width - 1] + "…" for line in lines]


def _totals(model) -> list[str]:
    """The lines below the table."""
    trainable = {id(w): w for layer in model.layers for w in layer.trainable_weights}
    fixed = {id(w): w for layer in model.layers for w in layer.non_trainable_weights}
    sums = {"Trainable": _sum(trainable.values()), "Non-trainable": _sum(fixed.values())}
    if model.optimizer is not None and model.optimizer.iterations:
        sums["Optimizer"] = _sum(model.optimizer.variables)
    total = np.sum(list(sums.values()), axis=0).tolist()
    return [f" {name} params: {count:,} ({_size(n_bytes)})"
            for name, (count, n_bytes) in {"Total": total, **sums}.items()]


def _sum(arrays) -> tuple[int, int]:
    """(numbers, bytes) of all."""
    counts = [(math.prod(a.shape), np.dtype(a.dtype).itemsize) for a in arrays]
    return sum(n for n, _ in counts), sum(n * size for n, size in counts)


def _size(n_bytes: float) -> str:
    """437544 as 427.29 KB."""
    for unit in ("B", "KB", "MB", "GB"):
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} TB"
