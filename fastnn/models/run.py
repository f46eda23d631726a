"""One stretch of batches: a program on arrays, through one frame, with the counters of its loss and metrics."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Program, fault_error, threads_for
from ..program.program import Plan


class Run:
    """A program on arrays: batch after batch through one frame, with the counters of its metrics.

    Used as a context manager: the frame goes back to its free list at the end, unless an exception has left a batch
    half done: then there may be gradients in it that the next run would take for its own.
    """

    def __init__(self, program: Program, arrays: list[np.ndarray], n_rows: int, batch_size: int,
                 n_batches: int | None = None, argument: str = "x"):
        program.check_rows(n_rows, batch_size, argument)
        self.program, self.arrays, self.n_rows = program, arrays, n_rows
        self.batch_size = min(batch_size, n_rows)
        self.n_batches = -(-n_rows // self.batch_size) if n_rows else 0
        if n_batches is not None:
            self.n_batches = min(self.n_batches, n_batches)
        self.plan: Plan = program.plan(self.batch_size)
        self.threads = threads_for(self.plan, self.n_batches)

    def __enter__(self) -> Run:
        self.frame = self.plan.acquire()
        self.counters = self.plan.counters_of(self.frame)
        return self

    def __exit__(self, error: type | None, *_) -> None:
        if error is None:
            self.plan.release(self.frame)

    def batches(self, first: int, last: int, order=None, rates=None, step: int = 0, report: float = 0.0, totals=None,
                seed=None, watch: bool = False) -> int:
        """Run batches first..last-1 (fewer if ``report`` seconds pass before, or with ``watch`` where the first
        counter, the loss, is no finite number), once for each row of ``totals`` where that is given, and return how
        many."""
        done, fault = self.frame.run(self.arrays, self.n_rows, self.batch_size, first, last, order, rates, step,
                                     self.threads, report, None, totals, self.counters, seed, watch)
        if fault is not None:       # what was checked before the run, the caller has changed meanwhile
            raise fault_error(self.plan.operations, fault)
        return done

    def logs(self) -> dict[str, Any]:
        """The results of the counters so far, by metric name, sorted as Keras sorts them: numbers, or arrays."""
        return self.results(self.counters[None])[0]

    def results(self, counters: np.ndarray) -> list[dict[str, Any]]:
        """What counters (epochs, n) say of each epoch, as ``logs``."""
        columns = [results(counters[:, start:stop]) for _, start, stop, results in self.program.places]
        names = [counter.name for counter in self.program.places]
        return [dict(zip(names, row)) for row in zip(*columns)]


def in_order(program: Program, logs: dict[str, Any]):
    """Loss alone, or a list [loss, *metrics] in the order of compile."""
    values = [logs[name] for name in program.counters]
    return values[0] if len(values) == 1 else values
