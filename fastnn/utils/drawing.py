"""A model drawn into a file."""
from __future__ import annotations

DETAILS = ("shape", "dtype", "activation", "trainable")


def plot_model(model, to_file="model.png", show_shapes=False, show_dtype=False, show_layer_names=False, rankdir="TB",
               expand_nested=False, dpi=200, show_layer_activations=False, show_trainable=False) -> None:
    """Save a drawing of a model, made by ``plotting.network``; the suffix of ``to_file`` says in which format.

    The first layer is on the left, the layers of models inside are always shown, and so are names: ``rankdir``,
    ``expand_nested`` and ``show_layer_names`` are taken for Keras's sake. Raises ValueError for a model that is not
    built or a format that matplotlib does not write, ImportError without matplotlib.
    """
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    from ..plotting import nets
    wanted = (show_shapes, show_dtype, show_layer_activations, show_trainable)
    details = [detail for detail, is_wanted in zip(DETAILS, wanted) if is_wanted]
    figure = Figure(figsize=nets.size(model), layout="constrained")
    nets.network(model, figure.subplots(), details=details)
    figure.savefig(to_file, dpi=dpi)
