"""For tests of kernels: one operation on arrays, at any instruction-set level, with any number of threads."""
from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from . import _kernels, _threads
from ._kernels import runner

_by_level: dict[str, runner.Kernels] = {}


def levels() -> tuple[str, ...]:
    """The instruction-set levels that this installation holds and this CPU runs."""
    return _kernels.levels_usable


def kernels_of(level: str | None = None) -> runner.Kernels:
    """The kernels of a level; the one in use for None."""
    if level is None:
        return _kernels.kernels
    if level not in _by_level:
        _by_level[level] = runner.Kernels(_kernels.load_level(level).table)
    return _by_level[level]


@contextmanager
def changed_limits(**values):
    """Thresholds of threads, by the names of ``runner.get_limits``, inside the ``with`` block."""
    before = runner.get_limits()
    runner.set_limits(**values)
    try:
        yield
    finally:
        runner.set_limits(**before)


@contextmanager
def forced_threads(n: int):
    """Inside the ``with`` block every operation of every run and eager call uses ``n`` threads, on tiny blocks."""
    with changed_limits(**FORCED), _threads.threads(n):
        yield


FORCED = {"matmul": 0, "light": 0, "heavy": 0, "block": 16, "release": 0, "run": -1, "stream": 0}


def run_kernel(name, operands, sizes=(), scalars=(), flags=0, scaled=0, rows=1, dtype="float32", level=None, threads=1,
               limits=None, order=None, start=0, arrays=(), seed=0, step=0, learning_rate=0.0):
    """Run one operation and return (status, row, value), status 0 where all went well.

    ``operands``: arrays (written in place) or None, each in a slot of its own, of any alignment. ``arrays``: the
    caller's arrays for gather and scatter; ``order``, ``start``: which of their rows. ``limits``: thresholds as
    ``set_limits`` takes them.
    """
    slots: list[np.ndarray] = []
    places: list[int] = []
    for operand in operands:
        if operand is None:
            places.append(-1)
            continue
        places.append(len(slots))
        slots.append(operand)
    item = (name, np.dtype(dtype).name, places, [0] * len(places), list(sizes), scaled, list(scalars), flags, 0)
    program = runner.Program(kernels_of(level), [item], 0, 1)
    frame = runner.RunFrame(program, slots, seed)
    order = None if order is None else np.ascontiguousarray(order, np.int64)
    with changed_limits(**(limits or {})):
        return frame.run_one(list(arrays), rows, start, order, learning_rate, step, threads)
