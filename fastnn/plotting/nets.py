"""A network as a drawing: a column of units for each layer, what it is and how many parameters it has."""
import re
from itertools import pairwise

from ._axes import BLUE, GREY, ORANGE, axes

WIDTH, HEIGHT = 2.6, 0.55        # inches for a column, and for a unit
EDGE_WIDTH = 0.4
LINE = 0.4                       # height of a line of text, where two units are 1 apart
NAME_SIZE, TEXT_SIZE = 10, 8     # points, where a column is wide enough
SHARE = 0.95                     # of the width of a column that texts may take


def network(model, ax=None, max_units=8, details=()):
    """Draw a model: each layer a column of its units, joined to all units before it or to their like.

    model: a model that is built. max_units: the most units that are drawn of a layer; an ellipsis stands for the rest.
    details: what to write beside name, units and number of parameters, any of "shape", "dtype", "activation" and
    "trainable". ax: the matplotlib Axes to draw on. Returns the Axes. Texts that are wider than
    their column are wrapped at underscores and written smaller. Raises ValueError for a model that is not built,
    TypeError for what is none.
    """
    from ..models import Model
    if not isinstance(model, Model):
        raise TypeError(f"`model` must be a model of layers, such as a Sequential, got {type(model).__name__}: "
                        f"{model!r:.60}")
    inputs = model.input_shape                   # ValueError where there is none
    layers = list(leaves(model))
    columns = [_Column("input", [_units_text(inputs)], inputs[-1], None, max_units)]
    columns += [_Column(layer.name, _texts(layer, details), layer.output_shape[-1],
                        any(len(w.shape) > 1 for w in layer.weights), max_units) for layer in layers]
    ax = axes(ax)
    for i, (before, column) in enumerate(pairwise(columns)):
        _draw_edges(ax, i, before, column)
    room = 72 * SHARE * ax.bbox.width / ax.figure.dpi / (len(columns) + 0.2)               # points a column
    names = [_wrapped(column.name, room) for column in columns]
    sizes = _size_of(names, NAME_SIZE, room, "bold"), _size_of(
        ["\n".join(column.texts) for column in columns], TEXT_SIZE, room, "normal")
    for i, (name, column) in enumerate(zip(names, columns)):
        _draw_column(ax, i, name, column, i in (0, len(columns) - 1), sizes)
    ax.set_title(f"{model.name}: {_counted(model.count_params(), 'parameter')}")
    lines, units = max(len(column.texts) for column in columns), max(column.heights[0] for column in columns)
    above = max(name.count("\n") for name in names)
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(-units - 0.6 - LINE * lines, units + 1.2 + LINE * above))
    ax.set_axis_off()
    return ax


def size(model, max_units=8):
    """(width, height) in inches of a figure that has room for the drawing."""
    columns = list(leaves(model))
    most = max([model.input_shape[-1] or 1, *(layer.output_shape[-1] or 1 for layer in columns)])
    return WIDTH * (len(columns) + 1), HEIGHT * min(most, max_units + 1) + 1.8


def leaves(model):
    """The layers of a model and of the models inside it."""
    for layer in model.layers:
        yield from leaves(layer) if getattr(layer, "layers", None) else [layer]


class _Column:
    """A layer's place in the drawing: its texts, and the heights of the units that are drawn."""

    def __init__(self, name, texts, units, dense, max_units):
        self.name, self.texts, self.dense = name, texts, dense
        shown = min(units or 1, max_units)
        self.elided = (units or 1) > shown
        places = shown + self.elided             # the ellipsis takes a place, the one before the last unit
        heights = [(places - 1) / 2 - i for i in range(places)]
        self.gap = heights.pop(-2) if self.elided and places > 1 else None
        self.heights = heights


def _texts(layer, details):
    activation = getattr(layer, "activation", None)
    lines = {"shape": str(layer.output_shape), "dtype": str(layer.dtype),
             "activation": getattr(activation, "name", None), "trainable": f"trainable: {layer.trainable}"}
    return [type(layer).__name__, _units_text(layer.output_shape), _counted(layer.count_params(), "parameter"),
            *(lines[detail] for detail in ("shape", "dtype", "activation", "trainable")
              if detail in details and lines[detail])]


def _units_text(shape):
    return _counted(shape[-1], "unit") if len(shape) == 2 else " × ".join(map(str, shape[1:]))


def _counted(n, thing):
    return f"1 {thing}" if n == 1 else f"{n} {thing}s" if n is None else f"{n:,} {thing}s"


def _width(text, size, weight):
    """Points that the widest line of a text takes."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    prop = FontProperties(weight=weight)
    return max(TextPath((0, 0), line, size=size, prop=prop).get_extents().width for line in text.split("\n"))


def _wrapped(name, room):
    """A name in as few lines as fit, cut behind underscores."""
    lines = [""]
    for part in re.findall("[^_]*_+|[^_]+", name):
        if lines[-1] and _width(lines[-1] + part, NAME_SIZE, "bold") > room:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _size_of(texts, size, room, weight):
    """The size at which the widest of these texts fits, at most ``size``."""
    return min(size, size * room / max(_width(text, size, weight) for text in texts))


def _draw_edges(ax, i, before, column):
    """From every unit to every one where a layer has a matrix of weights, else from each to its like."""
    from matplotlib.collections import LineCollection
    pairs = ([(a, b) for a in before.heights for b in column.heights] if column.dense
             else list(zip(before.heights, column.heights)))
    ax.add_collection(LineCollection([[(i, a), (i + 1, b)] for a, b in pairs], colors=GREY, linewidths=EDGE_WIDTH,
                                     zorder=1))


def _draw_column(ax, i, name, column, at_an_end, sizes):
    ax.scatter([i] * len(column.heights), column.heights, s=160, color=ORANGE if at_an_end else BLUE,
               edgecolors="white", zorder=2)
    if column.gap is not None:
        ax.text(i, column.gap, "⋮", ha="center", va="center")
    ax.text(i, column.heights[0] + 0.5, name, ha="center", va="bottom", weight="bold", fontsize=sizes[0])
    ax.text(i, column.heights[-1] - 0.5, "\n".join(column.texts), ha="center", va="top", fontsize=sizes[1])
