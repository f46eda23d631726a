"""Variables of metrics written in Python."""
from __future__ import annotations

import numpy as np

from ..program import Variable


class MetricVariable(Variable):
    """A variable that is compared number by number also with another."""
    __hash__ = object.__hash__
    __eq__ = np.lib.mixins.NDArrayOperatorsMixin.__eq__
    __ne__ = np.lib.mixins.NDArrayOperatorsMixin.__ne__
