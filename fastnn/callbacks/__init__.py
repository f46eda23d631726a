"""Callbacks: what a run of ``fit``, ``evaluate`` or ``predict`` calls between epochs and batches."""
from .base import Callback, LambdaCallback
from .container import CallbackList
from .early_stopping import EarlyStopping
from .history import History
from .progress import Progress

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "Progress"]
