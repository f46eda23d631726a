"""What the pictures share: colours, and axes where none are given."""

# Colours that stay apart in greyscale and for colour-blind readers (Okabe and Ito).
BLUE, ORANGE, GREY, BLACK = "#0072B2", "#D55E00", "#B0B0B0", "#000000"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", BLACK)


def axes(ax):
    """``ax`` itself, or those of a new figure; TypeError for what cannot be drawn on."""
    if ax is not None:
        if not hasattr(ax, "imshow"):
            raise TypeError(f"`ax` must be a matplotlib Axes, or None for a new figure, got {type(ax).__name__}: "
                            f"{ax!r:.60}")
        return ax
    from matplotlib import pyplot
    return pyplot.subplots(layout="constrained")[1]


def colour(i):
    """The colour of the i-th thing, from the first again after the last."""
    return COLOURS[i % len(COLOURS)]
