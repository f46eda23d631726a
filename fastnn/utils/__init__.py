"""Small helpers around training: seeds, one-hot rows, scaling."""
from .numerical import normalize, to_categorical
from .seeding import set_random_seed

__all__ = ["normalize", "set_random_seed", "to_categorical"]
