"""Steps outside ``fit``: on gradients that the caller has, through a program of the step alone."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays
from .._warn import warn
from ..program import Lowering, Program, Variable
from ..program.variable import trainable_ranges
from .step import lower_commit

if TYPE_CHECKING:
    from .base import Optimizer

KEPT_PROGRAMS = 8                # of one optimizer, by the weights they are for


class AppliedStep:
    """The program of one step on these weights, whose gradients the caller has."""

    def __init__(self, optimizer: Optimizer, given: list, variables: list[Variable]):
        self.given = given                # kept, for they are known by their ids
        self.variables = variables
        self.vectors = [v.vector for v in variables]
        build = Lowering(True, variables[0].dtype)
        build.layer = optimizer.name
        lower_commit(optimizer, build, trainable_ranges(variables))
        self.plan = Program(build, f"{optimizer.name}: step").plan(1)
        self.places = [(self.plan.slot_of(build.gradients_of(v.vector)), slice(v.offset, v.offset + v.size), v.shape)
                       for v in variables]
        self._views: dict[Any, list[np.ndarray]] = {}       # of each frame: where the gradients go

    def run(self, gradients: list[np.ndarray], rates: np.ndarray, step: int, scale: float | None) -> None:
        """Copy the gradients, divided by ``scale``, to their places, and take the step."""
        frame = self.plan.acquire()
        try:
            views = self._views.get(frame)
            if views is None:
                views = self._views[frame] = [frame.slots[slot][place].reshape(shape)
                                              for slot, place, shape in self.places]
            for own, gradient in zip(views, gradients):
                if scale is None:
                    own[...] = gradient
                else:
                    np.divide(gradient, scale, out=own, casting="same_kind")
            frame.run([], 1, 1, 0, 1, None, rates, step)
        finally:
            self.plan.release(frame)


class AppliedSteps:
    """The steps of one optimizer outside ``fit``: programs by the weights they are for."""

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.built_for: list | None = None
        self._programs: dict[tuple[int, ...], AppliedStep] = {}
        self._arrays: dict[tuple, Variable] = {}           # variables that show the caller's arrays, by their memory

    def build(self, given: list) -> None:
        self.optimizer.join(self.resolve(given))
        self.built_for = given

    def forget_programs(self) -> None:
        self._programs.clear()

    def apply(self, gradients: list, given: list | None) -> None:
        if not gradients:
            return
        for i, gradient in enumerate(gradients):
            if isinstance(gradient, Variable):
                raise ValueError(f"`grads[{i}]` must be a gradient, got the weights {gradient.path!r}; the gradients "
                                 "come first, as in zip(gradients, model.trainable_weights)")
        given = self._given(gradients, given)
        if any(gradient is None for gradient in gradients):
            gradients, given = self._with_gradients(gradients, given)
        step = self._programs.get(tuple(map(id, given)))
        if step is None or step.vectors != [v.vector for v in step.variables]:
            step = self._step(given)
        arrays = [_gradient(g, v, i) for i, (g, v) in enumerate(zip(gradients, step.variables))]
        optimizer = self.optimizer
        step.run(arrays, optimizer.rates(1), optimizer.iterations, optimizer.loss_scale_factor)

    def _given(self, gradients: list, given: list | None) -> list:
        """The weights that these gradients are for."""
        if given is None:
            given = self.built_for
            if given is None:
                raise ValueError("`trainable_variables` must be given, got None; or call build(weights) first")
        if len(gradients) != len(given):
            raise ValueError(f"`grads` must hold one gradient for each of the {len(given)} weights, got "
                             f"{len(gradients)}")
        return given

    @staticmethod
    def _with_gradients(gradients: list, given: list) -> tuple[list, list]:
        """Those whose gradient is not None; a warning names the others."""
        kept = [(g, v) for g, v in zip(gradients, given) if g is not None]
        if not kept:
            raise ValueError("`grads` must hold at least one gradient, got None for every weight")
        names = [getattr(v, "path", f"array {i}") for i, (g, v) in enumerate(zip(gradients, given)) if g is None]
        warn(f"Gradients do not exist for {', '.join(names)}: left as they are")
        return [g for g, _ in kept], [v for _, v in kept]

    def _step(self, given: list) -> AppliedStep:
        """The program for these weights, after all checks."""
        new: dict[tuple, Variable] = {}
        optimizer, variables = self.optimizer, self.variables_of(given, new)
        dtypes = sorted({v.dtype for v in variables})
        if len(dtypes) > 1:
            raise ValueError(f"`trainable_variables` must have one dtype, got {' and '.join(dtypes)}")
        if dtypes[0] not in ("float32", "float64"):
            raise TypeError(f"`trainable_variables` must be float32 or float64, got {dtypes[0]} for {given[0]!r:.80}")
        if len({id(v) for v in variables}) < len(variables):
            raise ValueError("`trainable_variables` must differ, but one is given twice")
        for v in variables:
            if not v.trainable:
                raise ValueError(f"`trainable_variables`: {v.path!r} is not trainable; give trainable_weights, or set "
                                 "`trainable` of its layer")
            if optimizer.built and v.vector not in optimizer.slots:
                raise ValueError(f"`trainable_variables`: unknown weights {v.path!r} of shape {v.shape}; this "
                                 "optimizer has its state for those of its first step or of build(): make a new one "
                                 "for others")
        self._arrays |= new
        if len(self._programs) >= KEPT_PROGRAMS:
            self._programs.clear()
        if self.built_for is None:
            self.build(given)
        step = self._programs[tuple(map(id, given))] = AppliedStep(optimizer, given, variables)
        return step

    def resolve(self, given: list, argument: str = "trainable_variables") -> list[Variable]:
        """Variables as they are, arrays as variables that show their memory, which are kept."""
        new: dict[tuple, Variable] = {}
        variables = self.variables_of(given, new, argument)
        self._arrays |= new
        return variables

    def variables_of(self, given: list, new: dict[tuple, Variable], argument: str = "trainable_variables"
                      ) -> list[Variable]:
        """The same, with those not known yet in ``new`` alone: what is refused is not kept."""
        return [v if isinstance(v, Variable) else self._variable_of(v, f"`{argument}[{i}]`", new)
                for i, v in enumerate(given)]

    def _variable_of(self, array: np.ndarray, where: str, new: dict[tuple, Variable]) -> Variable:
        if not isinstance(array, np.ndarray) or array.dtype.str[1:] not in ("f4", "f8") or not array.dtype.isnative:
            got = f"{array.dtype} array" if isinstance(array, np.ndarray) else type(array).__name__
            raise TypeError(f"{where} must be a Variable of fastnn or an array of float32 or float64 to change in "
                            f"place, got {got}")
        if not (array.flags.c_contiguous and array.flags.aligned and array.flags.writeable):
            raise ValueError(f"{where} must be a writeable C-contiguous array to change in place, got one with strides "
                             f"{array.strides} for shape {array.shape}"
                             + ("" if array.flags.writeable else ", read-only"))
        key = (array.__array_interface__["data"][0], array.shape, array.dtype.char)
        found = self._arrays.get(key, new.get(key))
        if found is None:
            found = new[key] = Variable.at(f"array_{len(self._arrays) + len(new)}", array.shape,
                                              array.dtype)
            found.vector.data = array.reshape(-1)
        return found


def _gradient(gradient, variable: Variable, i: int) -> np.ndarray:
    """A gradient as an array of its variable's shape."""
    if type(gradient) is not np.ndarray or gradient.dtype.char not in "fd":
        gradient = _arrays.plain(gradient, f"grads[{i}]")
    if gradient.shape != variable.shape:
        raise ValueError(f"`grads[{i}]` must have the shape of its weights {variable.path!r}, {variable.shape}, got "
                         f"{gradient.shape}")
    return gradient
