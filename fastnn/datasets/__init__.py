"""Known data sets, ready to train on; they come with scikit-learn (``pip install 'fastnn[sklearn]'``)."""
from . import digits, iris

__all__ = ["digits", "iris"]
