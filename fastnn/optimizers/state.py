"""What an optimizer keeps from step to step: its step number, and its slots beside the weights."""
from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._describe import Described
from ..program import Variable, Vector

if TYPE_CHECKING:
    from .applied import AppliedSteps


class OptimizerState(Described):
    """The part of an optimizer that outlives a step.

    ``slots``: for each vector of weights, as long as it lives, vectors laid out alike (moments, ...), which begin with
    0 or their number in ``slot_starts``. ``members``: the weights that have taken part; only theirs is state.
    ``vectors``: what is kept once, not for every weight: the step number, and others with their ``vector_starts``.
    """
    slot_names: tuple[str, ...] = ()            # that the update reads and writes, in its order
    option_slots: tuple[str, ...] = ()          # of the options around it
    slot_starts: Mapping[str, float] = {}
    vector_starts: Mapping[str, float] = {}
    _applied: AppliedSteps

    def __init__(self, name: str):
        self.name = name
        self.step_vector = Vector("iterations", 1, "int64")
        self.vectors = {"iterations": self.step_vector}
        self._forget_weights()

    def _forget_weights(self) -> None:
        self.slots: weakref.WeakKeyDictionary[Vector, dict[str, Vector]] = weakref.WeakKeyDictionary()
        self.members: weakref.WeakSet[Variable] = weakref.WeakSet()
        self._owner: weakref.ref | None = None           # the model that it trains

    def __getstate__(self) -> dict[str, Any]:
        """Of a copy or a pickle: the settings, for the weights stay with this one."""
        return {k: v for k, v in vars(self).items() if k not in ("slots", "members", "_owner", "_applied")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.vectors = {name: Vector(name, len(old), old.dtype) for name, old in self.vectors.items()}
        self.step_vector = self.vectors["iterations"]
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Back to before the first step."""
        self._forget_weights()
        for name, vector in self.vectors.items():
            vector.data.fill(self.vector_starts.get(name, 0))

    @property
    def iterations(self) -> int:
        """Steps taken so far; with ``gradient_accumulation_steps`` all count, also those that only add gradients."""
        return int(self.step_vector.data[0])

    @property
    def built(self) -> bool:
        """Whether there is state for any weights."""
        return bool(self.slots)

    def state(self, names: Mapping[Variable, str] | None = None) -> dict[str, np.ndarray]:
        """Copies of all that outlives a step: "iterations", and "<slot>/<path of the weights>" for every weight that
        has taken part.

        ``names``: what to call weights by, in place of their paths; those without a name are left out.
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
        places = {name: vector.data for name, vector in self.vectors.items()}
        for vector, named in self.slots.items():
            for v in vector.variables:
                wanted = (v.trainable or not trainable_only) and (names is None or v in names)
                if wanted and v in self.members and v.vector is vector:
                    for slot, home in named.items():
                        path = v.path if names is None else names[v]
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
            self.members.difference_update(vector.variables)       # which have moved here since they took part
            self.slots[vector] = named
        return self.slots[vector]

    # whose state it is

    def join(self, variables: Iterable[Variable]) -> None:
        """These weights take part from now on: their slots begin, an average with the weights as they are."""
        for v in variables:
            named = self.slots_of(v.vector)
            if not v.state and v not in self.members:
                for name, slot in named.items():
                    place_in(slot, v)[...] = v.value if name == "average" else self.slot_starts.get(name, 0)
                self.members.add(v)

    def leave(self, variables: Iterable[Variable]) -> bool:
        """Forget the state of these weights; True if one had some, whose programs must then be made anew."""
        leaving = self.members.intersection(variables)
        if leaving:
            self.members -= leaving
            for vector in [w for w in self.slots if self.members.isdisjoint(w.variables)]:
                del self.slots[vector]
            self._applied.forget_programs()
        return bool(leaving)

    def belong_to(self, model) -> None:
        """From now on it trains ``model``, and has state for the weights of this one only.

        While a model lives and is compiled with it, no other can have it, unless all that trains there takes part
        here already: ValueError. It begins anew with a model that has none of the weights it knows.
        """
        if self._other_owner(model) is not None and self.members.issuperset(model.trainable_weights):
            return
        own, known = model.weights, self.members.intersection(model.weights)
        if self._other_owner(model) is not None or (self._owner is None and self.members and not known):
            gc.collect()                  # a model of which nothing is left but cycles does not live
            other = self._other_owner(model)
            if other is not None or (self._owner is None and self.members):
                which = "other weights" if other is None else f"model {other.name!r}, which is compiled with it"
                raise ValueError(f"optimizer {self.name!r} cannot train model {model.name!r}: it has its state for "
                                 f"{which}; compile each model with an optimizer of its own, e.g. "
                                 "copy.copy(optimizer), which begins anew")
        if self._owner is not None and self._owner() is not model and not known:
            self._begin_anew()
        self._owner = weakref.ref(model)
        self.leave(self.members.difference(own))

    def _other_owner(self, model) -> Any:
        """The model other than ``model`` that it trains, if there is one."""
        owner = None if self._owner is None else self._owner()
        return None if owner is None or owner is model or owner.optimizer is not self else owner


def place_in(slot: Vector, variable: Variable) -> np.ndarray:
    """The part of a slot that belongs to a variable."""
    return slot.data[variable.offset:variable.offset + variable.size].reshape(variable.shape)
