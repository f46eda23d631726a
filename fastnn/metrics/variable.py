"""Variables of metrics written in Python."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Variable


class MetricVariable(Variable, np.lib.mixins.NDArrayOperatorsMixin):
    """A variable that NumPy computes with, and that ``assign``, ``assign_add`` and ``assign_sub`` change."""
    __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc, method: str, *inputs, **kwargs) -> Any:
        arrays = [x.value if isinstance(x, Variable) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def assign_add(self, value) -> MetricVariable:
        """Add ``value``, which must broadcast to the variable's shape."""
        self.value[...] += np.asarray(value)
        return self

    def assign_sub(self, value) -> MetricVariable:
        """Subtract ``value``, which must broadcast to the variable's shape."""
        self.value[...] -= np.asarray(value)
        return self

    def __getitem__(self, index) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)
