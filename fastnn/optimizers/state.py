"""What an optimizer keeps from step to step: its step number, and its slots beside the weights."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._describe import Described
from ..program import Variable, Vector


class OptimizerState(Described):
    """The part of an optimizer that outlives a step.

    ``slots``: for each vector of weights, vectors laid out alike (moments, ...), which begin with 0 or their number in
    ``slot_starts``. ``vectors``: what is kept once, not for every weight: the step number.
    """
    slot_names: tuple[str, ...] = ()            # that the update reads and writes, in its order
    option_slots: tuple[str, ...] = ()          # of the options around it
    slot_starts: Mapping[str, float] = {}

    def __init__(self, name: str):
        self.name = name
        self.step_vector = Vector("iterations", 1, "int64")
        self.vectors = {"iterations": self.step_vector}
        self.slots: dict[Vector, dict[str, Vector]] = {}

    @property
    def iterations(self) -> int:
        """Steps taken so far; with ``gradient_accumulation_steps`` all count, also those that only add gradients."""
        return int(self.step_vector.data[0])

    @property
    def built(self) -> bool:
        """Whether there is state for any weights."""
        return bool(self.slots)

    def state(self, names: Mapping[Variable, str] | None = None) -> dict[str, np.ndarray]:
        """Copies of all that outlives a step: "iterations", and "<slot>/<path of the weights>" for every weight.

        ``names``: what to call weights by, in place of their paths.
        """
        return {name: place.copy() for name, place in self.places(names=names).items()}

    def set_state(self, state: Mapping[str, Any], names: Mapping[Variable, str] | None = None) -> None:
        """Write what ``state`` gave; ValueError, with nothing written, unless names, shapes and kinds are the same.

        An optimizer that has not trained yet knows its weights only after ``build(model.trainable_weights)``.
        """
        places = self.places(names=names)
        if set(state) != set(places):
            missing, unknown = sorted(set(places) - set(state)), sorted(set(state) - set(places))
            raise ValueError(f"`state` of optimizer {self.name!r} must have the arrays of its weights: "
                             f"missing {missing[:2]!r:.120}, unknown {unknown[:2]!r:.120}"
                             + ("" if self.built else "; call build(model.trainable_weights) first"))
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, array in arrays.items():
            place = places[name]
            if array.shape != place.shape or array.dtype.kind != place.dtype.kind:
                raise ValueError(f"`state`: {name!r} must be an array of {place.dtype} of shape {place.shape}, got "
                                 f"{array.dtype} of shape {array.shape}")
            if array.dtype.kind == "i" and array.min() < 0:
                raise ValueError(f"`state`: {name!r} must be at least 0, got {array.min()}")
        for name, array in arrays.items():
            places[name][...] = array

    def places(self, trainable_only: bool = False, names: Mapping[Variable, str] | None = None
               ) -> dict[str, np.ndarray]:
        """The state as it lies, by name."""
        names = names or {}
        places = {name: vector.data for name, vector in self.vectors.items()}
        for vector, named in self.slots.items():
            for v in vector.variables:
                if v.trainable or not (v.state or trainable_only):
                    for slot, home in named.items():
                        path = names.get(v, v.path)
                        name, n = f"{slot}/{path}", 1
                        while name in places:             # two layers of one name
                            n += 1
                            name = f"{slot}/{path}:{n}"
                        places[name] = place_in(home, v)
        return places

    def slots_of(self, vector: Vector) -> dict[str, Vector]:
        """The slots of a vector of weights, made when they are first asked for."""
        if vector not in self.slots:
            named = {name: Vector(f"{name} of {vector.name}", len(vector), vector.dtype)
                     for name in (*self.slot_names, *self.option_slots)}
            for name, start in self.slot_starts.items():
                named[name].data.fill(start)
            self.slots[vector] = named
        return self.slots[vector]


def place_in(slot: Vector, variable: Variable) -> np.ndarray:
    """The part of a slot that belongs to a variable."""
    return slot.data[variable.offset:variable.offset + variable.size].reshape(variable.shape)
