"""Callbacks: what a run of ``fit``, ``evaluate`` or ``predict`` calls between epochs and batches."""
from .backup import BackupAndRestore
from .base import Callback, LambdaCallback
from .container import CallbackList
from .csv_logger import CSVLogger
from .early_stopping import EarlyStopping
from .history import History
from .model_checkpoint import ModelCheckpoint
from .progress import Progress
from .reduce_lr import ReduceLROnPlateau
from .scheduler import LearningRateScheduler
from .terminate import TerminateOnNaN

__all__ = ["BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
           "LearningRateScheduler", "ModelCheckpoint", "Progress", "ReduceLROnPlateau", "TerminateOnNaN"]
