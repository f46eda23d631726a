"""What a run takes its batches from, epoch after epoch: arrays in memory, or a stream."""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._kernels import runner
from .._warn import warn
from ..optimizers import Optimizer
from ..program import Program
from .run import Run
from .streams import ENDED, Stream, unpacked


class Position(NamedTuple):
    """How far an epoch is: batches ``done``, how many batches of the pass over the data that is, and the counters of
    loss and metrics so far. With weights, optimizer and seed it is all that is needed to go on."""
    done: int
    place: int
    counters: np.ndarray


Ready = tuple[Program, list[np.ndarray], int]       # a program of a step, its arrays, rows


class ArrayFeed:
    """Arrays: an epoch is one pass over them, or with ``steps`` so many batches.

    ``goes_on``: the pass that an epoch has begun goes on in the next. ``seed``: each pass has an order of its own,
    f(seed, step at its begin); None: the rows as they lie.
    """

    def __init__(self, run: Run, steps: int | None, goes_on: bool, seed: int | None = None):
        self.run, self.seed, self.goes_on = run, seed, goes_on
        self.steps: int | None = steps or run.n_batches
        self.done = self.place = 0
        self.order: np.ndarray | None = None

    def __enter__(self) -> ArrayFeed:
        self.run.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self.run.__exit__(*error)

    @property
    def program(self) -> Program:
        """The program that runs."""
        return self.run.program

    @property
    def plain(self) -> bool:
        """Whether epochs, each one pass, may follow one another within one call into the runner."""
        return self.steps == self.run.n_batches and not self.program.python_state

    def begin(self, step: int) -> None:
        """An epoch begins, at this step of the optimizer."""
        self.run.counters.fill(0.0)
        self.done = 0
        if self.place >= self.run.n_batches or not self.goes_on:
            self.place = 0
        if self.place == 0 and self.seed is not None:
            self.order = runner.permutation(self.run.n_rows, self.seed, step)

    def position(self) -> Position:
        """Where the epoch is."""
        return Position(self.done, self.place, self.run.counters.copy())

    def resume(self, position: Position, step: int) -> None:
        """Stand where an epoch was; ``step``: the optimizer's, which it had there."""
        self.place = 0
        self.begin(step - position.place)
        self.run.counters[:] = position.counters
        self.done, self.place = position.done, position.place

    def pass_over(self, epochs: int, step: int) -> None:
        """Another process has run so many epochs: arrays are as they were."""

    def left(self) -> int:
        """Batches that this epoch still has; warns where the data ends before it."""
        assert self.steps is not None
        left = min(self.steps - self.done, self.run.n_batches - self.place)
        if left <= 0 and self.done < self.steps:
            _warn(self.done, self.steps)
        return left

    def batches(self, n: int, optimizer: Optimizer | None = None, report: float = 0.0, watch: bool = False) -> int:
        """Run the next n batches, fewer if ``report`` seconds pass, and return how many."""
        rates, step = (None, 0) if optimizer is None else (optimizer.rates(n), optimizer.iterations)
        ran = self.run.batches(self.place, self.place + n, self.order, rates, step, report, watch=watch)
        self.place += ran
        self.done += ran
        return ran

    def end(self) -> None:
        """The epoch has ended."""

    def rows_done(self) -> slice:
        """The rows of the batch that ran last."""
        return slice((self.place - 1) * self.run.batch_size, self.place * self.run.batch_size)

    def logs(self) -> dict[str, float]:
        """The means of the epoch so far."""
        return self.run.logs()


class StreamFeed:
    """Batches of a stream, each checked by ``prepare`` before it changes anything.

    An epoch has ``steps`` batches, or a whole pass. The first batch is fetched and checked at once, so that a fault in
    it is found before a run begins. ``goes_on``: the pass that an epoch has begun goes on in the next.
    """

    def __init__(self, stream: Stream, prepare: Callable[[tuple], Ready], argument: str, steps: int | None,
                 goes_on: bool, step: int):
        self.stream, self.prepare, self.argument = stream, prepare, argument
        self.steps, self.goes_on = steps or stream.n_batches, goes_on and steps is not None
        self._begun = self._warned = False
        self._run: Run | None = None              # the last one, for its counters
        self._ready: Ready | None = None          # the batch that was fetched and has not run
        self.begin(step)
        self._begun = self._fetch()
        if self._ready is None:
            raise ValueError(f"`{argument}` must yield at least one batch, got an empty {type(stream.source).__name__}")
        self.program: Program = self._ready[0]

    def __enter__(self) -> StreamFeed:
        return self

    def __exit__(self, *_) -> None:
        pass

    def begin(self, step: int) -> None:
        """An epoch begins, at this step of the optimizer."""
        self.done, self._run = 0, None
        if not self._begun:                       # the first was, when its first batch was fetched
            self.stream.begin_epoch(step)
        self._begun = False

    def position(self) -> Position:
        """Where the epoch is."""
        counters = np.empty(0) if self._run is None else self._run.counters.copy()
        return Position(self.done, self.stream.position - (self._ready is not None), counters)

    def resume(self, position: Position, step: int) -> None:
        """Stand where an epoch was; what an iterator yields before that place is passed over."""
        program, arrays, rows = self._ready or (self.program, [], 0)
        if not self.stream.one_pass or position.place:            # else the batch that was fetched is the next
            self._ready = None
            self.stream.skip(position.place, step - position.place)
        self.done, self._begun = position.done, False
        self._run = Run(program, arrays, rows, max(rows, 1)) if position.done else None
        if self._run is not None:
            self._run.counters = position.counters

    def pass_over(self, epochs: int, step: int) -> None:
        """Tell a Sequence of so many epochs that another process has run: what it keeps is as it was there."""
        if epochs > 0 and self.stream.sequence:
            for _ in range(epochs):
                self.stream.source.on_epoch_end()
                self.stream.source.on_epoch_begin()
            self._ready = None                    # it was fetched before
            self.stream.skip(0, step)

    def left(self) -> int:
        """1 where the epoch has another batch, which is then fetched and checked; warns where the data ends before."""
        if self.steps is not None and self.done >= self.steps:
            return 0
        if self._ready is None and not self._fetch():
            if (self.steps is not None or self.done == 0) and not self._warned:
                _warn(self.done, self.steps)
                self._warned = True
            return 0
        return 1

    def _fetch(self) -> bool:
        """Fetch and check the next batch; False where there is none."""
        batch = self.stream.next()
        if batch is ENDED:
            return False
        where = f"batch {self.done} of `{self.argument}`"
        parts = unpacked(batch, where)
        try:
            self._ready = self.prepare(parts)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{where}: {error}") from None
        return True

    def batches(self, n: int, optimizer: Optimizer | None = None, report: float = 0.0, watch: bool = False) -> int:
        """Run the batch that ``left`` has fetched."""
        assert self._ready is not None
        (self.program, arrays, rows), self._ready = self._ready, None
        rates, step = (None, 0) if optimizer is None else (optimizer.rates(1), optimizer.iterations)
        with Run(self.program, arrays, rows, rows) as run:
            run.counters[:] = 0.0 if self._run is None else self._run.counters
            run.batches(0, 1, None, rates, step)
            run.counters = run.counters.copy()          # the frame goes back, its counters are another run's
        self._run = run
        self.done += 1
        return 1

    def end(self) -> None:
        """The epoch has ended."""
        self.stream.end_epoch(not self.goes_on)

    def logs(self) -> dict[str, float]:
        """The means of the epoch so far."""
        return {} if self._run is None else self._run.logs()


Feed = ArrayFeed | StreamFeed


def _warn(done: int, steps: int | None) -> None:
    asked = "" if steps is None else f" of {steps}"
    warn(f"the input ran out of data: this epoch ends after {done}{asked} batches; a generator must yield at "
         "least `steps_per_epoch * epochs` batches in all")
