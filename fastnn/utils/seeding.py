"""One call for all seeds."""
from __future__ import annotations

import numpy as np

from .. import _arrays, random


def set_random_seed(seed: int) -> None:
    """Seed Python's ``random``, NumPy's global generator and fastnn.

    seed: a whole number from 0 to 2**32 - 1 (NumPy's limit); TypeError or ValueError otherwise, and nothing is seeded.

    >>> set_random_seed(1)
    """
    seed = _arrays.whole_number("seed", seed, 0)
    if seed >= 2**32:
        raise ValueError(f"`seed` must be a whole number from 0 to 2**32 - 1, got {seed}")
    import random as python_random  # here, because loading it seeds it from the operating system

    python_random.seed(seed)
    np.random.seed(seed)        # noqa: NPY002 - the global generator is what tutorials draw from
    random.set_seed(seed)
