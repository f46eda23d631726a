"""Data before a model: sequences of different lengths, windows of a series, text as numbers."""
import sys as _sys

from .. import _names
from ..utils.timeseries import timeseries_dataset_from_array
from . import sequence, text

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]

_names.explain_unknown(_sys.modules[__name__])
