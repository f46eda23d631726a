"""What convolutions see: the pictures that a layer makes of an image, and its filters."""
import numpy as np

from .. import _arrays
from ._axes import axes
from .nets import leaves

GAP = 1              # cells between two pictures of a grid


def feature_maps(model, x, layer, ax=None):
    """Draw what a layer makes of one image: a picture for each channel of its output, bright where it is large.

    model: a Sequential whose layers follow one another. x: one image of the shape of the model's inputs, with or
    without an axis of one row before it and an axis of one channel behind it.
    layer: its name, its place among ``model.layers``, or itself. The scale is one for all pictures, that the title
    gives. ax: the matplotlib Axes to draw on. Returns the Axes.
    Raises ValueError for a layer that the model has not or whose output is no (rows, height, width, channels), and for
    an x of another shape; TypeError for what is no model.
    """
    from ..models import Model
    if not isinstance(model, Model):
        raise TypeError(f"feature_maps: `model` must be a model of layers, such as a Sequential, got "
                        f"{type(model).__name__}: {model!r:.60}")
    layer = _layer_of(model, layer)
    maps = _output(model, _one_image(model, x), layer)
    if maps.ndim != 4:
        raise ValueError(f"feature_maps: `layer` must be one whose output has the shape (rows, height, width, "
                         f"channels), got {layer.name!r}, a {type(layer).__name__} with {layer.output_shape}; "
                         "name one over images, such as a Conv2D")
    pictures = np.moveaxis(maps[0], 0 if _has_channels_first(model, layer) else -1, 0)
    least, most = float(pictures.min()), float(pictures.max())
    ax = _draw_grid(axes(ax), pictures, cmap="viridis", vmin=least, vmax=most)
    ax.set_title(f"{layer.name}: {least:.3g} to {most:.3g}")
    return ax


def filters(layer, channel=0, ax=None):
    """Draw the filters of a convolution as they look at one channel of its input: negative blue, positive red.

    layer: a Conv2D, Conv2DTranspose or DepthwiseConv2D; of a SeparableConv2D the depthwise kernel is drawn, of a Conv1D
    or Conv1DTranspose each filter as one picture, channels across.
    channel: which channel of the input, counted from 0. ax: the matplotlib Axes to draw on. Returns the Axes.
    Raises ValueError for a layer without such a kernel, or that is not built, and for a channel that it has not.
    """
    kernel = _kernel(layer)
    if kernel.ndim == 3:
        pictures = np.moveaxis(kernel, -1, 0)
    else:
        n = kernel.shape[2]
        if not hasattr(channel, "__index__") or isinstance(channel, bool) or not -n <= channel < n:
            raise ValueError(f"filters: `channel` must be one of the {n} channels that each filter of {layer.name!r} "
                             f"looks at, counted from 0, got {channel!r:.60}")
        pictures = np.moveaxis(kernel[:, :, channel], -1, 0)
    most = float(np.abs(pictures).max(initial=0)) or 1.0
    ax = _draw_grid(axes(ax), pictures, cmap="RdBu_r", vmin=-most, vmax=most)
    ax.set_title(f"{layer.name}: {-most:.3g} to {most:.3g}")
    return ax


def _layer_of(model, layer):
    """The layer of a name, of a place, or itself; ValueError where the model has none such."""
    layers = list(leaves(model))
    if isinstance(layer, str):
        found = [one for one in layers if one.name == layer]
    elif hasattr(layer, "__index__") and not isinstance(layer, bool):
        own = model.layers
        found = [own[layer]] if -len(own) <= layer < len(own) else []
    else:
        found = [one for one in layers if one is layer]
    if not found or found[0] not in layers:
        names = ", ".join(one.name for one in layers)
        raise ValueError(f"feature_maps: `layer` must be one of {model.name!r}, by its name ({names}), its place (0 to "
                         f"{len(model.layers) - 1}) or itself, got {layer!r:.60}")
    return found[0]


def _one_image(model, x):
    """x as one row of the model's inputs."""
    shape = model.input_shape[1:]                   # ValueError where the model is not built
    x = _arrays.as_rows(x, "x")
    if None in shape:                               # images of any size: x says it
        given = x.shape[1:] if x.ndim > len(shape) else x.shape
        given = (*given, 1) if len(given) < len(shape) and shape[-1] == 1 else given
        shape = given if _arrays.fits(given, shape) else shape
    if [n for n in x.shape if n != 1] != [n for n in shape if n != 1]:
        raise ValueError(f"feature_maps: `x` must be one image of shape {shape}, got shape {x.shape}"
                         + ("; take one of its rows, x[0]" if x.shape[1:] == shape else ""))
    return x.reshape(1, *shape)


def _output(model, x, layer):
    """What a layer makes of x, after all layers before it."""
    for one in leaves(model):
        x = one(x)
        if one is layer:
            break
    return np.asarray(x)


def _has_channels_first(model, layer):
    """Whether the output of a layer has: the last layer up to it that says where channels stand decides."""
    from ..layers import Permute, Reshape
    first = False
    for one in leaves(model):
        if hasattr(one, "data_format") or isinstance(one, (Permute, Reshape)):       # behind these they are last again
            first = getattr(one, "data_format", None) == "channels_first"
        if one is layer:
            break
    return first


def _kernel(layer):
    """The kernel of a convolution as it looks at the input: the last axes are channels and filters."""
    from ..layers import Conv1DTranspose, Conv2DTranspose
    from ..layers.convolution_base import ConvolutionLayer
    weights = getattr(layer, "depthwise_kernel", None)
    weights = getattr(layer, "kernel", None) if weights is None else weights
    if weights is None or len(weights.shape) not in (3, 4):
        waits = isinstance(layer, ConvolutionLayer) and not layer.built
        state = " that is not built: give it an input first" if waits else ""
        got = f"{layer!r:.60}; take it from its model: model.get_layer({layer!r:.60})" if isinstance(layer, str) else (
            repr(getattr(layer, "name", "")) + state)
        raise ValueError("filters: `layer` must be a convolution, whose kernel has the shape (height, width, channels, "
                         f"filters), got {type(layer).__name__} {got}")
    kernel = weights.numpy()
    return kernel.swapaxes(-2, -1) if isinstance(layer, (Conv1DTranspose, Conv2DTranspose)) else kernel


def _draw_grid(ax, pictures, **colours):
    """Pictures of one size (n, height, width) as a grid that is about as wide as high, row after row."""
    n, height, width = pictures.shape
    columns = max(1, min(n, round((n * height / width) ** 0.5)))
    rows = -(-n // columns)
    grid = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), np.nan)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        grid[top:top + height, left:left + width] = picture
    ax.imshow(grid, interpolation="nearest", **colours)
    ax.set_axis_off()
    return ax
