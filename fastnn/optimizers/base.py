"""What all optimizers share: the learning rate, the step number, and their slots beside the weights."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import _arrays
from .._describe import Described
from ..program import Lowering, Value, Vector


class Optimizer(Described):
    """Base of all optimizers.

    ``learning_rate``: a number >= 0, or a function of the step number; assignable between and during ``fit``s.
    ``iterations``: steps taken so far. ``slots``: for each vector of weights, vectors laid out alike (moments, ...).
    """
    slot_names: tuple[str, ...] = ()

    def __init__(self, learning_rate=0.01, name: str | None = None):
        self.name = name or type(self).__name__.lower()
        self.learning_rate = learning_rate
        self.step_vector = Vector("iterations", 1, "int64")
        self.slots: dict[Vector, dict[str, Vector]] = {}
        self._rates = np.empty(0)

    @property
    def learning_rate(self):
        """The number, or the function of the step number."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        self._learning_rate: float | Callable = value if callable(value) else _arrays.check_learning_rate(value)

    @property
    def iterations(self) -> int:
        """Steps taken so far."""
        return int(self.step_vector.data[0])

    @property
    def variables(self) -> list[np.ndarray]:
        """The step number, the learning rate (a copy; NaN for a function), and for each weight its slots as they
        lie."""
        rate = np.array([np.nan if callable(self._learning_rate) else self._learning_rate], np.float32)
        slots = [slot.data[v.offset:v.offset + v.size].reshape(v.shape)
                 for vector, named in self.slots.items() for v in vector.variables if v.trainable
                 for slot in named.values()]
        return [self.step_vector.data, rate, *slots]

    def rates(self, n_steps: int) -> np.ndarray:
        """The learning rates of the next ``n_steps`` steps, float64 (n_steps,)."""
        rate = self._learning_rate
        if callable(rate):
            first = self.iterations
            return np.array([_arrays.check_learning_rate(float(rate(first + i))) for i in range(n_steps)], np.float64)
        if len(self._rates) < n_steps or self._rates[0] != rate:
            self._rates = np.full(n_steps, rate, np.float64)
        return self._rates

    def lower(self, build: Lowering) -> None:
        """Name the operations that change all weights that have a gradient: the commit of a training step."""
        for vector, start, stop in build.gradient_ranges():
            named = self._slots_of(vector)
            slots = [build.stored(named[name], start, stop) for name in self.slot_names]
            weights, gradients = build.stored(vector, start, stop), build.gradient_range(vector, start, stop)
            self.lower_update(build, weights, gradients, slots)
        build.emit("advance", [], [build.stored(self.step_vector)], phase="commit")

    def lower_update(self, build: Lowering, weights: Value, gradients: Value, slots: list[Value]) -> None:
        """Name the operation that changes one range of weights."""
        raise NotImplementedError(f"{type(self).__name__} has no lower_update()")

    def _slots_of(self, vector: Vector) -> dict[str, Vector]:
        if vector not in self.slots:
            self.slots[vector] = {name: Vector(f"{name} of {vector.name}", len(vector), vector.dtype)
                                  for name in self.slot_names}
        return self.slots[vector]
