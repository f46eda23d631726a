"""Data before a model: sequences of different lengths, text as numbers."""
import sys as _sys

from .. import _names
from . import sequence, text

__all__ = ["sequence", "text"]

_names.explain_unknown(_sys.modules[__name__])
