"""Known data sets, ready to train on; they come with scikit-learn (``pip install 'fastnn[sklearn]'``)."""
import sys as _sys

from .. import _names
from . import digits, iris

__all__ = ["digits", "iris"]

_names.explain_unknown(_sys.modules[__name__])
