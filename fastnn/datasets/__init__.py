"""Known data sets, ready to train on. Nothing is downloaded.

digits and iris come with scikit-learn (``pip install 'fastnn[sklearn]'``); mnist and fashion_mnist are read from files.
"""
import sys as _sys

from .. import _names
from . import digits, fashion_mnist, iris, mnist

__all__ = ["digits", "fashion_mnist", "iris", "mnist"]

_names.explain_unknown(_sys.modules[__name__])
