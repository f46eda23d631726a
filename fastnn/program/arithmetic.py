"""What a variable can do as an operand of NumPy."""
from __future__ import annotations

from typing import Any

import numpy as np

from .tensor import Tensor


class Operand(np.lib.mixins.NDArrayOperatorsMixin):
    """An object with an array ``value`` that NumPy computes with; results are new arrays, with ``.numpy()``.

    Two such objects are equal where they are one, so that ``variable in variables`` and dicts of them work; all else is
    compared number by number.
    """
    __hash__ = object.__hash__

    @property
    def value(self) -> np.ndarray:
        """The array."""
        raise NotImplementedError

    def __array_ufunc__(self, ufunc, method: str, *inputs, **kwargs) -> Any:
        if "out" in kwargs and any(isinstance(x, Operand) for x in kwargs["out"]):
            raise TypeError(f"{self!r:.100} cannot be changed by an operator: use assign, assign_add or assign_sub; "
                            "or, for a new array, x = x + ...")
        arrays = [x.value if isinstance(x, Operand) else x for x in inputs]
        result = getattr(ufunc, method)(*arrays, **kwargs)
        return np.asarray(result).view(Tensor) if isinstance(result, (np.ndarray, np.generic)) else result

    def __eq__(self, other) -> Any:
        return self is other if other is None or isinstance(other, Operand) else np.equal(self.value, other)

    def __ne__(self, other) -> Any:
        return self is not other if other is None or isinstance(other, Operand) else np.not_equal(self.value, other)

    def __getitem__(self, index) -> Any:
        return np.array(self.value[index]).view(Tensor)

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)
