"""Small helpers around training: seeds, one-hot rows, scaling, data sets, names of your own classes."""
from .._describe import custom_object_scope, get_custom_objects, register_keras_serializable
from ..backend import clear_session
from .drawing import plot_model
from .files import get_file
from .numerical import normalize, to_categorical
from .padding import pad_sequences
from .progbar import Progbar
from .seeding import set_random_seed
from .sequence import PyDataset, Sequence
from .splitting import split_dataset
from .timeseries import timeseries_dataset_from_array

CustomObjectScope = custom_object_scope

__all__ = ["CustomObjectScope", "Progbar", "PyDataset", "Sequence", "clear_session", "custom_object_scope",
           "get_custom_objects", "get_file", "normalize", "pad_sequences", "plot_model", "register_keras_serializable",
           "set_random_seed", "split_dataset", "timeseries_dataset_from_array", "to_categorical"]
