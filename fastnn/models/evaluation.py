"""evaluate and predict: runs of the programs that change nothing."""
from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import numpy as np

from .. import _settings, _spelling, _winograd
from ..callbacks import CallbackList, Progress
from ..program import Program, Recent, fault_error, no_room
from .feeds import ENDED, ArrayFeed, Feed
from .preparing import Preparing
from .run import Run, in_order
from .streams import Stream, is_stream, unpacked

REPORT_SECONDS = 0.05        # how often a progress bar is told how far a run is
PREDICT_ROWS = 256           # rows of a batch of predict where the caller does not say


class Evaluation(Preparing):
    """The part of a model that evaluates and predicts."""
    _predictions: Recent[tuple, tuple[Program, tuple]]

    def _prediction(self, shape: tuple) -> tuple[Program, tuple]:
        """(program, output shape) of prediction for inputs of this shape."""
        raise NotImplementedError

    def evaluate(self, x=None, y=None, batch_size=None, verbose: Any = "auto", sample_weight=None, steps=None,
                 callbacks=None, return_dict=False, **unknown):
        """Loss and metrics on x, y: a float, a list [loss, *metrics], or with ``return_dict`` a dict.

        Arguments and errors as for ``fit``, x also what yields batches; ``steps``: batches to take. Nothing changes.
        """
        if unknown:
            raise TypeError(_spelling.unknown_argument("evaluate", unknown, Evaluation.evaluate))
        self._compiled()
        _settings.check_batch_size(batch_size)
        feed = self._feed(x, y, sample_weight, None, batch_size, _settings.optional_count("steps", steps), False)
        with feed, closing(Progress(verbose, 1, feed.steps)) as progress:
            hooks = CallbackList(callbacks, self, {"verbose": verbose, "steps": feed.steps}, progress, False)
            logs = self._evaluate(feed, hooks, progress)
        return logs if return_dict else in_order(feed.program, logs)

    @staticmethod
    def _evaluate(feed: Feed, hooks: CallbackList, progress: Progress | None = None) -> dict[str, float]:
        """All batches of an evaluation; the progress bar only where it is not part of a fit."""
        hooks.on_test_begin()
        report = REPORT_SECONDS if progress is not None and progress.shown else 0.0
        started = time.perf_counter()
        feed.begin(0)
        while left := feed.left():
            if hooks.has_test_batch_hooks:
                left = 1
                hooks.on_test_batch_begin(feed.done)
            feed.batches(left, None, report)
            if hooks.has_test_batch_hooks:
                hooks.on_test_batch_end(feed.done - 1, feed.logs())
            if report and progress is not None:
                progress.update(feed.done, feed.logs())
        feed.end()
        logs = feed.logs()
        if report and progress is not None:
            progress.epoch_end(feed.done, logs, time.perf_counter() - started)
        hooks.on_test_end(logs)
        return logs

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Loss and metrics of all rows of x and y as one batch, in the form that ``evaluate`` gives; errors as there.

        Nothing changes.
        """
        self._compiled()
        program, arrays, n = self._prepare(x, y, sample_weight, False)
        with Run(program, arrays, n, n) as run:
            run.counters.fill(0.0)
            run.batches(0, 1)
            logs = run.logs()
        return logs if return_dict else in_order(program, logs)

    def predict(self, x, batch_size=None, verbose: Any = "auto", steps=None, callbacks=None) -> np.ndarray:
        """The output for every row of x: an array (rows, ...) of the model's dtype.

        x: an array, or what yields batches x, (x,), (x, y) or (x, y, sample_weight), of which x is taken; ``steps``:
        batches to take. The result for a row does not depend on the batch it is in. Raises as ``fit`` does for bad
        arrays; NaN in x gives NaN out. Allowed beside a running ``fit``, from any number of threads.
        """
        found = self._predictions.get((x.shape[1:], _winograd.enabled)) if type(x) is np.ndarray else None
        if found is None or x.dtype.char not in "fdilB" or not x.dtype.isnative or not x.flags.c_contiguous:
            if is_stream(x):
                return self._predict_stream(x, verbose, _settings.optional_count("steps", steps), callbacks)
            x, found = self._prepare_prediction(x)
        rows = len(x)
        if batch_size is not None:
            batch_size = _settings.check_batch_size(batch_size)
        program, shape = found
        try:
            output = np.empty((rows, *shape), program.dtype)
        except MemoryError as error:
            raise no_room(self.name, error) from None
        if not verbose and callbacks is None and steps is None:
            fault = program.run([x, output], rows, batch_size or program.fixed_rows or PREDICT_ROWS)
            if fault is not None:
                raise fault_error(program.plan(1).operations, fault)
            return output
        return self._predict_watched(program, x, output, batch_size, verbose, steps, callbacks)

    def predict_on_batch(self, x) -> np.ndarray:
        """The output for the rows of one batch; as ``predict``, and silent."""
        return self.predict(x, verbose=0)

    def _prepare_prediction(self, x) -> tuple[np.ndarray, tuple[Program, tuple]]:
        """The slow path of predict: check x, build, lower."""
        x = self._inputs(x)
        self._build_once(x.shape[1:])
        return x, self._prediction(x.shape[1:])

    def _predict_watched(self, program: Program, x, output, batch_size, verbose, steps, callbacks):
        """predict with a progress bar, callbacks or a number of steps."""
        steps = _settings.optional_count("steps", steps)
        run = Run(program, [x, output], len(x), _settings.check_batch_size(batch_size, len(x), steps))
        feed = ArrayFeed(run, steps, False)
        with feed, closing(Progress(verbose, 1, feed.steps)) as progress:
            hooks = CallbackList(callbacks, self, {"verbose": verbose, "steps": feed.steps}, progress, False)
            report = REPORT_SECONDS if progress.shown else 0.0
            hooks.on_predict_begin()
            started = time.perf_counter()
            feed.begin(0)
            while left := feed.left():
                if hooks.has_predict_batch_hooks:
                    left = 1
                    hooks.on_predict_batch_begin(feed.done)
                feed.batches(left, None, report)
                if hooks.has_predict_batch_hooks:
                    hooks.on_predict_batch_end(feed.done - 1, {"outputs": output[feed.rows_done()]})
                progress.update(feed.done, {})
            progress.epoch_end(feed.done, {}, time.perf_counter() - started)
            hooks.on_predict_end()
            return output[:feed.done * run.batch_size]

    def _predict_stream(self, x, verbose, steps: int | None, callbacks) -> np.ndarray:
        """predict on the batches that x yields."""
        stream = Stream(x, None)
        outputs: list[np.ndarray] = []
        steps = steps or stream.n_batches
        stream.begin_epoch(0)
        with closing(Progress(verbose, 1, steps)) as progress:
            hooks = CallbackList(callbacks, self, {"verbose": verbose, "steps": steps}, progress, False)
            hooks.on_predict_begin()
            started = time.perf_counter()
            while len(outputs) != steps and (batch := stream.next()) is not ENDED:
                hooks.on_predict_batch_begin(len(outputs))
                where = f"batch {len(outputs)} of `x`"
                rows = unpacked(batch, where, False)[0]
                try:
                    outputs.append(self.predict(rows, verbose=0))
                except (ValueError, TypeError) as error:
                    raise type(error)(f"{where}: {error}") from None
                hooks.on_predict_batch_end(len(outputs) - 1, {"outputs": outputs[-1]})
                progress.update(len(outputs), {})
            if not outputs:
                raise ValueError(f"`x` must yield at least one batch, got an empty {type(x).__name__}")
            progress.epoch_end(len(outputs), {}, time.perf_counter() - started)
            hooks.on_predict_end()
        return np.concatenate(outputs)

    @property
    def metrics_names(self) -> list[str]:
        """["loss", ...]: the names of what ``evaluate`` returns, in its order; only "loss" before the first run."""
        for program in self._steps.values():
            return list(program.counters)
        return ["loss"]
