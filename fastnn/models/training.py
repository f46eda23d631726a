"""fit: whole stretches of batches in one call into the runner, Python only between them."""
from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np

from .. import _settings, _spelling
from ..callbacks import CallbackList, History, Progress
from ..callbacks.container import before_fit
from ..optimizers import Optimizer
from .evaluation import Evaluation
from .feeds import ArrayFeed, Feed, Position
from .run import Run, in_order

STRETCH_STEPS = 16_384       # steps of one call into the runner at most: their learning rates are made before it


class Training(Evaluation):
    """The part of a model that trains it."""
    history: History | None
    stop_training: bool
    _running: Feed | None = None                          # what a watched fit reads: its position() is where it stands
    _resume_at: tuple[int, Position] | None = None        # a callback may set it in on_train_begin: (epoch, position)

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose: Any = "auto", callbacks=None,
            validation_split=0.0, validation_data=None, shuffle=True, class_weight=None, sample_weight=None,
            initial_epoch=0, steps_per_epoch=None, validation_steps=None, validation_batch_size=None,
            validation_freq=1, **unknown) -> History:
        """Train for ``epochs`` epochs and return the History: ``.history`` maps each metric to its values by epoch.

        x: (rows, ...) numbers, y: what the loss reads; or x alone, a generator, ``fastnn.utils.Sequence`` or other
        iterable that yields batches (x, y) or (x, y, sample_weight) of any number of rows. ``batch_size``: 32 where
        None. ``validation_split``: the fraction of the last rows to evaluate on, or ``validation_data``: (x, y),
        (x, y, sample_weight) or what yields batches. ``shuffle``: a new order each epoch, f(seed, step), of the rows or
        of a Sequence's batches. ``class_weight`` {class: weight} or ``sample_weight`` weigh the loss.
        ``steps_per_epoch``: an epoch is so many batches, the next goes on where it ended; where the data ends, so does
        the epoch, with a warning. ``verbose``: 0 silent, 1 or "auto" a progress bar, 2 a line an epoch. Ctrl-C, and
        what a generator raises, leave the model after the last whole batch.
        Raises ValueError or TypeError for bad data or settings before any weight changes (of a stream: before the bad
        batch changes any), RuntimeError while another ``fit`` of this model runs.
        """
        if unknown:
            raise TypeError(_spelling.unknown_argument("fit", unknown, Training.fit))
        with self._training_alone():
            self._compiled()
            _settings.check_batch_size(batch_size)
            epochs, first = _settings.check_epochs(epochs, initial_epoch)
            shuffle = _settings.flag("shuffle", shuffle)
            steps = _settings.optional_count("steps_per_epoch", steps_per_epoch)
            split = None
            if validation_data is None and validation_split != 0:
                x, y, sample_weight, validation_data = self._split(x, y, sample_weight, validation_split)
                split = len(x)
            if callbacks:
                before_fit(callbacks, self)
            feed = self._feed(x, y, sample_weight, class_weight, batch_size, steps, True, shuffle)
            if validation_data is None and not (callbacks or verbose) and type(feed) is ArrayFeed and feed.plain:
                return self._unwatched(feed, verbose, first, epochs)
            validation, due = None, None
            if validation_data is not None:
                rows = _settings.optional_count("validation_batch_size", validation_batch_size) or batch_size
                validation = self._validation(validation_data, rows,
                                              _settings.optional_count("validation_steps", validation_steps), split)
                due = _settings.epochs_of("validation_freq", validation_freq)
            return self._watched(feed, validation, due, callbacks, verbose, first, epochs)

    def _unwatched(self, feed: ArrayFeed, verbose, first: int, last: int) -> History:
        """Epochs that nobody watches."""
        self.history, self.stop_training = History(), False
        self.history.set_model(self)
        self.history.set_params({"verbose": verbose, "epochs": last, "steps": feed.steps})
        with feed.run:
            self._plain_epochs(feed.run, self.history, first, last, feed.seed)
        optimizer = self._compiled()[0]
        if optimizer.use_ema:
            optimizer.finalize_variable_values(self.trainable_weights)
        return self.history

    def _watched(self, feed: Feed, validation: Feed | None, due, callbacks, verbose, first: int, last: int) -> History:
        """Epochs with validation, callbacks or a progress display, and what these need around them."""
        hooks = CallbackList(callbacks, self, {"verbose": verbose, "epochs": last, "steps": feed.steps},
                             Progress(verbose, last, feed.steps))
        self.history, self.stop_training = hooks.history, False
        self._running, self._resume_at = feed, None
        try:
            with feed, closing(hooks.progress):
                self._watched_epochs(feed, hooks, validation, due, first, last)
        finally:
            self._running = None
        return hooks.history

    def _watched_epochs(self, feed: Feed, hooks: CallbackList, validation: Feed | None, due, first: int,
                        last: int) -> None:
        """All epochs, with what happens between them; ``due``: after which to validate."""
        optimizer = self._compiled()[0]
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        begin, position = self._resume_at or (first, None)
        feed.pass_over(begin - first, optimizer.iterations)
        first = begin
        for epoch in range(first, last):
            if position is None:
                feed.begin(optimizer.iterations)
            else:
                feed.resume(position, optimizer.iterations)
                position = None
            if not feed.left() and not feed.done:
                break                                     # the data has ended, and has warned
            hooks.on_epoch_begin(epoch)
            logs = self._epoch(feed, hooks, optimizer)
            feed.end()
            if validation is not None and due(epoch):
                with validation:
                    logs |= {f"val_{k}": v for k, v in self._evaluate(validation, hooks).items()}
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if optimizer.use_ema:
            optimizer.finalize_variable_values(self.trainable_weights)
        hooks.on_train_end(logs)

    def _epoch(self, feed: Feed, hooks: CallbackList, optimizer: Optimizer) -> dict[str, float]:
        """One epoch: one call into the runner, unless a hook or a progress bar wants to be told in between.

        ``optimizer``: that of the program that runs, were the model compiled anew meanwhile.
        """
        report = hooks.report_seconds
        while left := feed.left():
            if report:                      # a call that ends early has made learning rates in vain
                left = min(left, STRETCH_STEPS)
            if hooks.has_train_batch_hooks:
                left = min(left, hooks.train_stretch())
                hooks.on_train_batch_begin(feed.done)
            feed.batches(left, optimizer, report, hooks.watches_loss)
            if hooks.has_train_batch_hooks:
                hooks.on_train_batch_end(feed.done - 1, feed.logs())
            if hooks.watches_loss:
                hooks.check_loss(feed.done - 1, feed.logs())
            if report and feed.done != feed.steps:
                hooks.progress.update(feed.done, feed.logs())
            if self.stop_training:
                break
        hooks.progress.steps = hooks.progress.steps or feed.done        # of a generator it is known by now
        return feed.logs()

    def _plain_epochs(self, run: Run, history: History, first: int, last: int, seed: int | None) -> None:
        """Epochs that nobody watches: many in one call into the runner, which shuffles and keeps the counters of
        each."""
        optimizer, frame = self._compiled()[0], run.frame
        order = None if seed is None else np.empty(run.n_rows, np.int64)
        stretch = max(1, STRETCH_STEPS // max(1, run.n_batches))
        while first < last:
            totals = np.empty((min(stretch, last - first), len(run.counters)))
            rates = optimizer.rates(run.n_batches * len(totals))
            try:
                run.batches(0, run.n_batches, order, rates, optimizer.iterations, 0.0, totals, seed)
            finally:                                # an interrupt keeps the history of the epochs that ended
                for epoch, logs in enumerate(run.results(totals[:frame.epochs_done]), first):
                    history.on_epoch_end(epoch, logs)
            first += len(totals)

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
