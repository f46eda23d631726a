"""Pictures: training curves, activations, decision boundaries, confusion matrices, networks, filters and what they make
of an image, durations, rooflines.

Each function draws on ``ax`` and returns it; without ``ax`` it makes a new figure with pyplot, so that a notebook shows
it. matplotlib (``pip install 'fastnn[plot]'``) is imported when a picture is drawn.
"""
from ._axes import BLUE as BLUE
from ._axes import ORANGE as ORANGE
from .curves import activations, history, learning_curves
from .durations import race
from .images import feature_maps, filters
from .nets import network
from .predictions import confusion_matrix, decision_boundary
from .rooflines import roofline

__all__ = ["activations", "confusion_matrix", "decision_boundary", "feature_maps", "filters", "history",
           "learning_curves", "network", "race", "roofline"]
