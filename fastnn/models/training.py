"""fit, evaluate, predict: whole stretches of batches in one call into the runner, Python only between them."""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np

from .. import _arrays
from .._kernels import runner
from ..callbacks import CallbackList, History, Progress
from ..layers.base import BUILDING, Layer
from ..losses import Loss
from ..optimizers import Optimizer
from ..program import Program
from . import data
from .graph import Graph
from .run import Run, in_order

REPORT_SECONDS = 0.05        # how often a progress bar is told how far a run is
STRETCH_STEPS = 16_384       # steps of one call into the runner at most, where nobody watches
PREDICT_ROWS = 256           # rows of a batch of predict where the caller does not say


class Training(Layer):
    """The part of a model that runs its programs; what the programs are is the part of ``Model``."""
    graph: Graph | None
    seed: int
    history: History | None
    stop_training: bool
    _checker: data.Checker
    _busy: threading.Lock
    _steps: dict[Any, Program]
    _predictions: dict[tuple, tuple[Program, tuple]]

    @property
    def _row_shape(self) -> tuple | None:
        """The shape of one row of x, None before the model is built."""
        return None if self.graph is None else self.graph.inputs[0].shape[1:]

    @contextmanager
    def _training_alone(self) -> Iterator[None]:
        """RuntimeError while another call trains this model."""
        if not self._busy.acquire(blocking=False):
            raise RuntimeError(f"model {self.name!r} is being trained by another call of fit: wait for it to end")
        try:
            yield
        finally:
            self._busy.release()

    def unbuild(self) -> None:
        """Undo the last ``build``: the data it was built for was refused."""
        raise NotImplementedError

    def _build_once(self, row_shape: tuple) -> None:
        """Build for rows of this shape, unless that was done; whichever thread comes first does it."""
        if self.graph is None:
            with BUILDING:
                if self.graph is None:
                    self.build((None, *row_shape))

    def _compiled(self) -> tuple[Optimizer, Loss]:
        """Optimizer and loss; ValueError when they are not chosen yet."""
        raise NotImplementedError

    def _step(self, shape: tuple, target_shape: tuple, training: bool, has_weights: bool) -> Program:
        """The program of one batch of training or evaluation."""
        raise NotImplementedError

    def _prediction(self, shape: tuple) -> tuple[Program, tuple]:
        """(program, output shape) of prediction for inputs of this shape."""
        raise NotImplementedError

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose: Any = "auto", callbacks=None,
            validation_split=0.0, validation_data=None, shuffle=True, class_weight=None, sample_weight=None,
            initial_epoch=0, steps_per_epoch=None, validation_steps=None, validation_batch_size=None,
            validation_freq=1) -> History:
        """Train for ``epochs`` epochs and return the History: ``.history`` maps each metric to its values by epoch.

        x: (rows, ...) numbers, y: what the loss reads; ``batch_size`` 32 where None. ``validation_split``: the fraction
        of the last rows to evaluate on, or ``validation_data=(x, y)``. ``shuffle``: a new order each epoch, f(seed,
        step).
        ``class_weight`` {class: weight} or ``sample_weight`` (rows,) weigh the loss. ``verbose``: 0 silent, 1 or
        "auto" a progress bar, 2 a line an epoch. Ctrl-C leaves the model after the last whole batch.
        Raises ValueError or TypeError for bad data or settings before any weight changes, RuntimeError while another
        ``fit`` of this model runs.
        """
        with self._training_alone():
            self._compiled()
            batch_size = _arrays.check_batch_size(batch_size)
            epochs = _arrays.whole_number("epochs", epochs, 1)
            initial_epoch = _arrays.whole_number("initial_epoch", initial_epoch, 0)
            validation_freq = _arrays.whole_number("validation_freq", validation_freq, 1)
            steps_per_epoch = _optional_steps("steps_per_epoch", steps_per_epoch)
            if validation_data is None and validation_split != 0:
                x, y, sample_weight, validation_data = self._split(x, y, sample_weight, validation_split)
            program, arrays, n = self._prepare(x, y, sample_weight, True, class_weight)
            validation = None
            if validation_data is not None:
                rows = batch_size if validation_batch_size is None else validation_batch_size
                validation = self._validation(validation_data, rows,
                                              _optional_steps("validation_steps", validation_steps))
            with Run(program, arrays, n, batch_size, steps_per_epoch) as run:
                return self._epochs(run, validation, validation_freq, callbacks, verbose, initial_epoch, epochs,
                                    shuffle)

    def _epochs(self, run: Run, validation: Run | None, validation_freq, callbacks, verbose, first: int,
                last: int, shuffle: bool) -> History:
        """All epochs, with what happens between them."""
        if validation is None and not callbacks and not verbose:
            self.history, self.stop_training = History(), False
            self.history.set_model(self)
            self.history.set_params({"verbose": verbose, "epochs": last, "steps": run.n_batches})
            self._plain_epochs(run, self.history, first, last, shuffle)
            return self.history
        hooks = CallbackList(callbacks, self, {"verbose": verbose, "epochs": last, "steps": run.n_batches},
                             Progress(verbose, last, run.n_batches))
        self.history = hooks.history
        self.stop_training = False
        with closing(hooks.progress):
            self._watched_epochs(run, hooks, validation, validation_freq, first, last, shuffle)
        return hooks.history

    def _watched_epochs(self, run: Run, hooks: CallbackList, validation: Run | None, validation_freq, first: int,
                        last: int, shuffle: bool) -> None:
        """Epochs with validation, callbacks or a progress display between them."""
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(first, last):
            hooks.on_epoch_begin(epoch)
            logs = self._epoch(run, hooks, shuffle)
            if validation is not None and (epoch + 1) % validation_freq == 0:
                with validation:
                    logs |= {f"val_{k}": v for k, v in self._evaluate(validation, hooks).items()}
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        hooks.on_train_end(logs)

    def _plain_epochs(self, run: Run, history: History, first: int, last: int, shuffle: bool) -> None:
        """Epochs that nobody watches: many in one call into the runner, which shuffles and keeps the counters of
        each."""
        optimizer, frame = self._compiled()[0], run.frame
        order = np.empty(run.n_rows, np.int64) if shuffle else None
        stretch = max(1, STRETCH_STEPS // max(1, run.n_batches))
        while first < last:
            totals = np.empty((min(stretch, last - first), len(run.counters)))
            try:
                run.batches(0, run.n_batches, order, optimizer.rates(run.n_batches * len(totals)), optimizer.iterations,
                            0.0, totals, self.seed if shuffle else None)
            finally:                                # an interrupt keeps the history of the epochs that ended
                for epoch, row in enumerate(totals[:frame.epochs_done].tolist(), first):
                    history.on_epoch_end(epoch, run.means(row))
            first += len(totals)

    def _epoch(self, run: Run, hooks: CallbackList, shuffle: bool) -> dict[str, float]:
        """One epoch: one call into the runner, unless a hook or a progress bar wants to be told in between."""
        optimizer = self._compiled()[0]
        step, n = optimizer.iterations, run.n_batches
        order = runner.permutation(run.n_rows, self.seed, step) if shuffle else None
        run.counters.fill(0.0)
        done = 0
        while done < n:
            if hooks.has_train_batch_hooks:
                hooks.on_train_batch_begin(done)
            last = done + 1 if hooks.has_train_batch_hooks else n
            done += run.batches(done, last, order, optimizer.rates(last - done), step + done, hooks.report_seconds)
            if hooks.has_train_batch_hooks:
                hooks.on_train_batch_end(done - 1, run.logs())
            if hooks.report_seconds and done < n:
                hooks.progress.update(done, run.logs())
            if self.stop_training:
                break
        return run.logs()

    def evaluate(self, x=None, y=None, batch_size=None, verbose: Any = "auto", sample_weight=None, steps=None,
                 callbacks=None, return_dict=False):
        """Loss and metrics on x, y: a float, a list [loss, *metrics], or with ``return_dict`` a dict.

        Arguments and errors as for ``fit``; nothing changes.
        """
        self._compiled()
        batch_size = _arrays.check_batch_size(batch_size)
        program, arrays, n = self._prepare(x, y, sample_weight, False)
        with Run(program, arrays, n, batch_size, _optional_steps("steps", steps)) as run:
            progress = Progress(verbose, 1, run.n_batches)
            hooks = CallbackList(callbacks, self, {"verbose": verbose, "steps": run.n_batches}, progress, False)
            with closing(progress):
                logs = self._evaluate(run, hooks, progress)
        return logs if return_dict else in_order(program, logs)

    @staticmethod
    def _evaluate(run: Run, hooks: CallbackList, progress: Progress | None = None) -> dict[str, float]:
        """All batches of an evaluation; the progress bar only where it is not part of a fit."""
        hooks.on_test_begin()
        run.counters.fill(0.0)
        report = REPORT_SECONDS if progress is not None and progress.shown else 0.0
        started = time.perf_counter()
        done = 0
        while done < run.n_batches:
            if hooks.has_test_batch_hooks:
                hooks.on_test_batch_begin(done)
            done += run.batches(done, done + 1 if hooks.has_test_batch_hooks else run.n_batches, report=report)
            if hooks.has_test_batch_hooks:
                hooks.on_test_batch_end(done - 1, run.logs())
            if report and progress is not None:
                progress.update(done, run.logs())
        logs = run.logs()
        if report and progress is not None:
            progress.epoch_end(done, logs, time.perf_counter() - started)
        hooks.on_test_end(logs)
        return logs

    def predict(self, x, batch_size=None, verbose: Any = "auto", steps=None, callbacks=None) -> np.ndarray:
        """The output for every row of x: an array (rows, ...) of the model's dtype.

        The result for a row does not depend on the batch it is in. Raises as ``fit`` does for bad arrays; NaN in x
        gives NaN out. Allowed beside a running ``fit``, from any number of threads.
        """
        found = self._predictions.get(x.shape[1:]) if type(x) is np.ndarray else None
        if found is None or x.dtype.char not in "fdilB" or not x.dtype.isnative or not x.flags.c_contiguous:
            x, found = self._prepare_prediction(x)
        rows = len(x)
        if batch_size is not None:
            batch_size = _arrays.check_batch_size(batch_size)
        program, shape = found
        output = np.empty((rows, *shape), program.dtype)
        if not verbose and callbacks is None and steps is None:
            program.run([x, output], rows, batch_size or PREDICT_ROWS)
            return output
        return self._predict_watched(program, x, output, batch_size or 32, verbose, steps, callbacks)

    def _prepare_prediction(self, x) -> tuple[np.ndarray, tuple[Program, tuple]]:
        """The slow path of predict: check x, build, lower."""
        x = data.as_inputs(x, self._row_shape, self.name)
        self._build_once(x.shape[1:])
        return x, self._prediction(x.shape[1:])

    def _predict_watched(self, program: Program, x, output, batch_size: int, verbose, steps, callbacks):
        """predict with a progress bar or callbacks."""
        run = Run(program, [x, output], len(x), batch_size, _optional_steps("steps", steps))
        with run, closing(Progress(verbose, 1, run.n_batches)) as progress:
            hooks = CallbackList(callbacks, self, {"verbose": verbose, "steps": run.n_batches}, progress, False)
            report = REPORT_SECONDS if progress.shown else 0.0
            hooks.on_predict_begin()
            started, done = time.perf_counter(), 0
            while done < run.n_batches:
                if hooks.has_predict_batch_hooks:
                    hooks.on_predict_batch_begin(done)
                done += run.batches(done, done + 1 if hooks.has_predict_batch_hooks else run.n_batches, report=report)
                if hooks.has_predict_batch_hooks:
                    rows = slice((done - 1) * run.batch_size, done * run.batch_size)
                    hooks.on_predict_batch_end(done - 1, {"outputs": output[rows]})
                progress.update(done, {})
            progress.epoch_end(done, {}, time.perf_counter() - started)
            hooks.on_predict_end()
            return output[:min(len(x), done * run.batch_size)] if steps is not None else output

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on all rows of x and y as one batch; returns loss and metrics as ``evaluate`` does.

        Arguments and errors as for ``fit``.
        """
        with self._training_alone():
            optimizer, _ = self._compiled()
            program, arrays, n = self._prepare(x, y, sample_weight, True, class_weight)
            with Run(program, arrays, n, n) as run:
                run.counters.fill(0.0)
                run.batches(0, 1, None, optimizer.rates(1), optimizer.iterations)
                logs = run.logs()
        return logs if return_dict else in_order(program, logs)

    # data

    def _prepare(self, x, y, sample_weight, training: bool, class_weight=None, prefix: str = ""
                 ) -> tuple[Program, list[np.ndarray], int]:
        """(program of a step, its arrays, rows) after all checks; builds the model if the data is the first it sees."""
        self._compiled()
        fresh = self.graph is None
        try:
            return self._prepare_built(x, y, sample_weight, training, class_weight, prefix)
        except Exception:
            if fresh and self.graph is not None:
                self.unbuild()            # data that is refused does not decide the input shape
            raise

    def _prepare_built(self, x, y, sample_weight, training: bool, class_weight, prefix: str
                       ) -> tuple[Program, list[np.ndarray], int]:
        x = data.as_inputs(x, self._row_shape, self.name, f"{prefix}x")
        self._build_once(x.shape[1:])
        y = _arrays.as_rows(y, f"{prefix}y")
        _arrays.check_same_length(**{f"{prefix}x": x, f"{prefix}y": y})
        _arrays.check_not_empty(f"{prefix}x", x)
        if class_weight is not None and sample_weight is not None:
            raise ValueError("give `class_weight` or `sample_weight`, not both")
        program = self._step(x.shape[1:], y.shape[1:], training, sample_weight is not None or class_weight is not None)
        arrays, scanned = {"x": x}, {f"{prefix}x": x}
        classes: dict[str, int] = {}
        for role, integer in (("labels", True), ("y", False)):      # the loss and a metric may read y in two forms
            if role in program.arrays:
                if f"{prefix}y" in scanned:
                    self._checker.scan(scanned, classes)
                arrays[role] = scanned[f"{prefix}y"] = self._as_target(y, integer, f"{prefix}y")
                classes = {f"{prefix}y": self.output_shape[-1]} if integer else {}
        self._checker.scan(scanned, classes)
        if sample_weight is not None:
            arrays["sample_weight"] = _arrays.as_weights(sample_weight, len(x))
        if class_weight is not None:
            arrays["sample_weight"] = data.class_weights(y, class_weight, self.output_shape[-1])
        return program, [arrays[role] for role in program.arrays], len(x)

    def _as_target(self, y: np.ndarray, integer: bool, argument: str) -> np.ndarray:
        """y as class numbers for this model's outputs, or as numbers of their shape."""
        shape, loss = self.output_shape[1:], self._compiled()[1]
        if loss.probability_targets and not integer and y.size and not (y.min() >= 0 and y.max() <= 1):
            raise ValueError(f"`{argument}` must hold numbers from 0 to 1 for {loss.name}, got {y.min()} to {y.max()}")
        return _arrays.as_target(y, shape[:-1] if integer else shape, argument, integer, shape)

    def _split(self, x, y, sample_weight, fraction) -> tuple:
        """(x, y, sample_weight, validation data): the last part of the rows set apart."""
        x = data.as_inputs(x, self._row_shape, self.name)
        y = _arrays.as_rows(y, "y")
        _arrays.check_same_length(x=x, y=y)
        k = _arrays.check_validation_split(len(x), fraction)
        if sample_weight is None:
            return x[:k], y[:k], None, (x[k:], y[k:])
        sample_weight = _arrays.as_weights(sample_weight, len(x))
        return x[:k], y[:k], sample_weight[:k], (x[k:], y[k:], sample_weight[k:])

    def _validation(self, validation_data, batch_size: int, steps) -> Run:
        """The evaluation of each epoch, its data checked now."""
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError("`validation_data` must be (x, y) or (x, y, sample_weight), got "
                             f"{type(validation_data).__name__}")
        x, y, *weight = validation_data
        program, arrays, n = self._prepare(x, y, weight[0] if weight else None, False, prefix="validation ")
        return Run(program, arrays, n, _arrays.check_batch_size(batch_size), steps)

    @property
    def metrics_names(self) -> list[str]:
        """["loss", ...]: the names of what ``evaluate`` returns, in its order; only "loss" before the first run."""
        for program in self._steps.values():
            return list(program.counters)
        return ["loss"]


def _optional_steps(argument: str, value) -> int | None:
    return None if value is None else _arrays.whole_number(argument, value, 1)
