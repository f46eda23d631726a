"""One step of an optimizer: its operations in Keras's order."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..program import Lowering, Value, Variable, Vector
from ..program.ir import FrameVector
from ..program.variable import trainable_ranges

if TYPE_CHECKING:
    from .base import Optimizer

NORM_CHUNK = 4096                # elements of one partial sum of a norm, as in the kernel
Range = tuple[Vector, int, int]


def lower_commit(optimizer: Optimizer, build: Lowering, ranges: list[Range]) -> None:
    """Name all operations of a step on these ranges of weights; only those that the optimizer's settings need."""
    steps, every = build.stored(optimizer.step_vector), optimizer.gradient_accumulation_steps
    variables = [v for vector, start, stop in ranges for v in vector.variables if start <= v.offset < stop]
    optimizer.join(variables)
    gate = None
    if every:
        build.gradients_written_whole()              # by their means over the steps
        for vector, start, stop in ranges:
            total = build.stored(optimizer.slots_of(vector)["gradient_accumulator"], start, stop)
            build.emit("accumulate", [build.gradient_range(vector, start, stop), total, steps], [],
                       [stop - start, every], phase="commit")
        gate = build.emit("skip_unless_due", [steps], [], phase="commit")
    n_before = len(build.operations)
    lower_clipping(optimizer, build, ranges, variables)
    if optimizer.weight_decay:
        for vector, start, stop in trainable_ranges([v for v in variables if optimizer.decays(v)]):
            build.emit("decay", [build.stored(vector, start, stop)], [], [stop - start], [optimizer.weight_decay],
                       phase="commit")
    for vector, start, stop in ranges:
        named = optimizer.slots_of(vector)
        slots = [build.stored(named[name], start, stop) for name in optimizer.slot_names]
        weights, gradients = build.stored(vector, start, stop), build.gradient_range(vector, start, stop)
        optimizer.lower_update(build, weights, gradients, slots)
    optimizer.lower_end(build)
    if gate is not None:
        build.emit("advance", [], [optimizer.updates(build)], phase="commit")
        gate.sizes = (len(build.operations) - n_before, every)
    if optimizer.use_ema:
        for vector, start, stop in ranges:
            average = build.stored(optimizer.slots_of(vector)["average"], start, stop)
            build.emit("weight_average", [build.stored(vector, start, stop), average, steps], [],
                       [stop - start, optimizer.ema_overwrite_frequency or 0, every or 1], [optimizer.ema_momentum],
                       phase="commit")
    for variable in variables:
        if variable.constraint is not None:
            variable.constraint.lower(build, variable)
    build.emit("advance", [], [steps], phase="commit")


def lower_clipping(optimizer: Optimizer, build: Lowering, ranges: list[Range], variables: list[Variable]) -> None:
    """Limit the gradients, all together, of each variable, or number by number."""
    if optimizer.global_clipnorm:
        # not by ``ranges``, which have gaps between variables: what is no number would stay in these
        _clip_by_norm(build, [(v.vector, v.offset, v.offset + v.size) for v in variables], optimizer.global_clipnorm)
    elif optimizer.clipnorm:
        for v in variables:
            _clip_by_norm(build, [(v.vector, v.offset, v.offset + v.size)], optimizer.clipnorm)
    elif optimizer.clipvalue:
        for vector, start, stop in ranges:
            build.emit("clip", [build.gradient_range(vector, start, stop)], [], [stop - start],
                       [-optimizer.clipvalue, optimizer.clipvalue], phase="commit")


def _clip_by_norm(build: Lowering, ranges: list[Range], clip: float) -> None:
    """Scale the gradients of these ranges so that their common norm is at most ``clip``."""
    build.gradients_written_whole()                  # a norm that is no number makes all of them no numbers
    chunks = [-(-(stop - start) // NORM_CHUNK) for _, start, stop in ranges]
    home = FrameVector("partial sums of squares", sum(chunks) + 1, np.float64)       # and a place for the factor
    first = 0
    for (vector, start, stop), n in zip(ranges, chunks):
        part = Value((n,), np.float64, False, home.name, home, first)
        build.emit("sum_of_squares", [build.gradient_range(vector, start, stop)], [part], [stop - start],
                   phase="commit")
        first += n
    sums = Value((first + 1,), np.float64, False, home.name, home)
    for vector, start, stop in ranges:
        build.emit("clip_by_norm", [build.gradient_range(vector, start, stop), sums], [], [stop - start, first], [clip],
                   phase="commit")
