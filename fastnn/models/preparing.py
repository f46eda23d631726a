"""Data of a run: checked as a whole before anything changes, and bound to the program that reads it."""
from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .. import _arrays, _settings
from ..layers.base import BUILDING, Layer
from ..losses import Loss
from ..metrics import Metric
from ..optimizers import Optimizer
from ..program import Ids, Program, Recent
from ..utils.timeseries import Windows
from . import data
from .feeds import ArrayFeed, Feed, Ready, StreamFeed
from .graph import Graph
from .run import Run
from .streams import Stream, is_stream

NAMES = ("x", "y", "sample_weight")          # what the texts call the data
# The forms of y that the loss and metrics may read, and whether they hold one class number for the last axis: checked,
# unchecked, or numbers of the output's shape.
FORMS = (("labels", True), ("numbers", True), ("y", False))


class Alone:
    """Holds the lock of a model that is trained; RuntimeError where another call has it."""
    __slots__ = ("lock", "name")

    def __init__(self, lock: threading.Lock, name: str):
        self.lock, self.name = lock, name

    def __enter__(self) -> None:
        if not self.lock.acquire(blocking=False):
            raise RuntimeError(f"model {self.name!r} is being trained by another call of fit: wait for it to end")

    def __exit__(self, *_) -> None:
        self.lock.release()


class Preparing(Layer):
    """The part of a model that looks at data; what its programs are is the part of ``Model``."""
    graph: Graph | None
    seed: int
    _checker: data.Checker
    _busy: threading.Lock
    _steps: Recent[Any, Program]
    metrics: list[Metric]

    @property
    def _row_shape(self) -> tuple | None:
        """The shape of one row of x, None before the model is built."""
        return None if self.graph is None else self.graph.inputs[0].shape[1:]

    def _training_alone(self) -> Alone:
        """Within it this model is trained by one call; RuntimeError while it is by another."""
        return Alone(self._busy, self.name)

    def unbuild(self) -> None:
        """Undo the last ``build``: the data it was built for was refused."""
        raise NotImplementedError

    def _build_once(self, row_shape: tuple) -> None:
        """Build for rows of this shape, unless that was done; whichever thread comes first does it."""
        if self.graph is None:
            with BUILDING:
                if self.graph is None:
                    self.build((None, *row_shape))

    def _inputs(self, x, argument: str = "x", y=None) -> np.ndarray:
        """x as an array that fits the inputs, if they are known; ValueError or TypeError says what is wrong with it."""
        return data.as_inputs(x, self._row_shape, self.name, argument, y, self.reads_ids() is not None)

    def _compiled(self) -> tuple[Optimizer, Loss]:
        """Optimizer and loss; ValueError when they are not chosen yet."""
        raise NotImplementedError

    def _step(self, shape: tuple, target_shape: tuple, training: bool, weights: tuple | None) -> Program:
        """The program of one batch of training or evaluation."""
        raise NotImplementedError

    def _feed(self, x, y, sample_weight, class_weight, batch_size, steps: int | None, training: bool,
              shuffle: bool = False, names: tuple = NAMES) -> Feed:
        """What a run takes its batches from: arrays, or a stream of batches, whose first is fetched and checked."""
        if type(x) is not np.ndarray and is_stream(x):
            return self._stream_feed(x, y, sample_weight, class_weight, steps, training, shuffle, names)
        program, arrays, n = self._prepare(x, y, sample_weight, training, class_weight, names)
        run = Run(program, arrays, n, _settings.check_batch_size(batch_size, n, steps), argument=names[0])
        return ArrayFeed(run, steps, training, self.seed if shuffle else None)

    def _stream_feed(self, x, y, sample_weight, class_weight, steps: int | None, training: bool, shuffle: bool,
                     names: tuple) -> StreamFeed:
        """The feed of a stream, which yields the targets and weights as well."""
        for name, value in zip(names[1:], (y, sample_weight)):
            if value is not None:
                raise ValueError(f"`{name}` must be None where `{names[0]}` is a {type(x).__name__}, got "
                                 f"{type(value).__name__}; let it yield (x, y) or (x, y, sample_weight)")
        if isinstance(x, Windows):
            x.check(self.dtype)

        def prepare(batch: tuple) -> Ready:
            x, y, weights = batch
            program, arrays, n = self._prepare(x, y, weights, training, class_weight)
            program.check_rows(n, n)
            return program, arrays, n

        return StreamFeed(Stream(x, self.seed if shuffle else None), prepare, names[0], steps, training,
                          self._compiled()[0].iterations)

    def _prepare(self, x, y, sample_weight, training: bool, class_weight=None, names: tuple = NAMES
                 ) -> tuple[Program, list[np.ndarray], int]:
        """(program of a step, its arrays, rows) after all checks; builds the model if the data is the first it sees."""
        self._compiled()
        fresh = self.graph is None
        try:
            return self._prepare_built(x, y, sample_weight, training, class_weight, names)
        except Exception:
            if fresh and self.graph is not None:
                self.unbuild()            # data that is refused does not decide the input shape
            raise

    def _prepare_built(self, x, y, sample_weight, training: bool, class_weight, names: tuple
                       ) -> tuple[Program, list[np.ndarray], int]:
        name_x, name_y, name_weight = names
        x = self._inputs(x, name_x, y)
        self._build_once(x.shape[1:])
        outputs = self.compute_output_shape((None, *x.shape[1:]))[1:]
        y = _arrays.as_rows(y, name_y)
        _arrays.check_same_length(**{name_x: x, name_y: y})
        _arrays.check_not_empty(name_x, x)
        if class_weight is not None and sample_weight is not None:
            raise ValueError("`class_weight` must be None where `sample_weight` is given, not both, got "
                             f"{type(class_weight).__name__}")
        weights = sample_weight
        if weights is not None:
            weights = _arrays.as_weights(weights, len(x), name_weight, outputs[:-1], self.dtype == "float64")
        elif class_weight is not None:
            weights = data.class_weights(y, class_weight, outputs[-1])
        program = self._step(x.shape[1:], y.shape[1:], training, None if weights is None else weights.shape[1:])
        arrays, scanned = {"x": x}, {name_x: x}
        ids = self.reads_ids()
        known: dict[str, int | Ids] = {} if ids is None else {name_x: ids}
        classes = dict(known)
        ignored = self._compiled()[1].ignore_class
        for role, integer in FORMS:
            if role in program.arrays:
                if name_y in scanned:
                    self._checker.scan(scanned, classes, ignored)
                arrays[role] = scanned[name_y] = self._as_target(y, outputs, integer, name_y)
                classes = known | ({name_y: outputs[-1]} if role == "labels" else {})
        self._checker.scan(scanned, classes, ignored)
        if ignored is not None and "labels" in arrays:
            data.check_ignored(arrays["labels"], ignored, outputs[-1], self.metrics, name_y)
        if weights is not None:
            arrays["sample_weight"] = weights
        return program, [arrays[role] for role in program.arrays], len(x)

    def _as_target(self, y: np.ndarray, shape: tuple, integer: bool, argument: str) -> np.ndarray:
        """y as class numbers for outputs of this shape (without the batch axis), or as numbers of it."""
        loss = self._compiled()[1].resolved(shape, y.shape[1:])
        if loss.probability_targets and not integer and y.size and not (y.min() >= 0 and y.max() <= 1):
            raise ValueError(f"`{argument}` must hold numbers from 0 to 1 for {loss.name}, got {y.min()} to {y.max()}")
        return _arrays.as_target(y, shape[:-1] if integer else shape, argument, integer, shape, loss.of_numbers)

    def _split(self, x, y, sample_weight, fraction) -> tuple:
        """(x, y, sample_weight, validation data): the last part of the rows set apart."""
        if is_stream(x):
            raise ValueError(f"`validation_split` needs arrays, got {fraction!r:.20} with `x` a {type(x).__name__}; "
                             "give `validation_data`")
        x = self._inputs(x, y=y)
        y = _arrays.as_rows(y, "y")
        _arrays.check_same_length(x=x, y=y)
        k = _settings.check_validation_split(len(x), fraction)
        if sample_weight is None:
            return x[:k], y[:k], None, (x[k:], y[k:])
        sample_weight = _arrays.as_rows(sample_weight, "sample_weight")
        _arrays.check_same_length(x=x, sample_weight=sample_weight)
        return x[:k], y[:k], sample_weight[:k], (x[k:], y[k:], sample_weight[k:])

    def _validation(self, validation_data, batch_size, steps: int | None, first: int | None = None) -> Feed:
        """The evaluation of each epoch, its data checked now; of a stream the first batch. ``first``: the row that they
        begin with, where they are the last rows of the arrays to fit."""
        x, y, weight = validation_data, None, None
        names: tuple[str, ...] = ("validation_data", *NAMES[1:])
        if not is_stream(x):
            names = tuple(f"validation_data[{i}]" if first is None else f"{NAMES[i]}[{first}:]" for i in range(3))
            if not isinstance(x, (tuple, list)) or len(x) not in (2, 3):
                raise ValueError("`validation_data` must be (x, y) or (x, y, sample_weight), or yield such batches, "
                                 f"got {type(x).__name__}")
            x, y, weight = (*x, None)[:3]
        return self._feed(x, y, weight, None, batch_size, steps, False, names=names)
