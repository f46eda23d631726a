"""What all metrics share: float64 counters, lowered into programs or kept on arrays, and metrics written in Python."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arrays, backend, initializers, losses
from .._describe import Described
from ..program import Lowering, Program, Recent, Value, Vector
from ..program.eager import Scalar, Tensor
from ..program.ir import mean
from .update import update
from .variable import MetricVariable


class Metric(Described):
    """Base of all metrics.

    A metric of this library owns ``state_size`` float64 counters: ``lower_update`` names the operations that add to
    them, ``result_of`` makes the result of them. In ``fit`` and ``evaluate`` the counters are the run's, on arrays the
    metric's own: ``update_state(y_true, y_pred, sample_weight=None)``, ``result()``, ``reset_state()``; calling it
    updates and gives the result. A metric that is a mean of values of the rows needs ``lower`` only.

    ``masked``: whether steps that a mask leaves out count nowhere. As in Keras so it is in means of the values of a
    function, but not in all others, such as AUC, Precision and RootMeanSquaredError, nor in those of yours.

    A metric of yours may be written in Python, as in Keras: with ``update_state``, ``result`` and, unless zeros will
    do, ``reset_state``, on NumPy arrays and on variables made by ``add_weight``. It is called back once a batch; the
    arrays are the run's own, valid during the call.
    """
    reads: str | None = "y"            # the form of y: see ``gather_target``; None: as the loss reads it
    ignore_class: int | None = None    # a class index in y that counts nowhere
    masked = False                     # whether steps that the mask of the outputs leaves out do not count
    elementwise = False                # on arrays of rank 1: whether each number is a row (else all are one row)
    needs_columns = False              # whether arrays of rank 1 are refused
    unsaved: tuple[str, ...] = ("dtype",)
    direction = "max"                  # whether more is better ("max") or less ("min"), for callbacks that monitor it

    def __init__(self, dtype=None, name: str | None = None):
        self.name = _arrays.optional_name(type(self).__name__, name) or backend.snake_case(type(self).__name__)
        self.dtype = dtype
        self._state: Vector | None = None
        self._updates: Recent[tuple, Program] = Recent()
        self._variables: list[MetricVariable] = []

    # lowered

    def state_size(self, output_shape: tuple) -> int:
        """The number of counters for outputs of this shape (without the batch axis); ValueError if that will not do."""
        return 2

    def lower(self, build: Lowering, y: Value, target: Value, weights: Value | None = None) -> Value:
        """Name the operations; returns the values of the rows, weighted."""
        raise NotImplementedError(f"metric {type(self).__name__} has neither update_state() nor lower()")

    def lower_update(self, build: Lowering, y: Value, target: Value, weights: Value | None, counters: Value) -> None:
        """Name the operations; the last, of the phase "commit", adds the batch to the counters."""
        build.count(counters, self.lower(build, y, target, weights), weights)

    def result_of(self, counters: np.ndarray) -> Any:
        """The result of these counters, float64: a float or an array."""
        return mean(counters)

    def results_of(self, counters: np.ndarray) -> list[Any]:
        """The results of counters (epochs, n): in one pass where that is faster."""
        return [self.result_of(row) for row in counters]

    # on arrays

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Take in arrays: y_pred (rows, ...), y_true as the loss wants it, sample_weight (rows,), or of the shape of
        y_pred without its last axis."""
        update(self, y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The result so far: a number or an array."""
        state = np.zeros(self.state_size((1,))) if self._state is None else self._state.data
        return with_numpy(self.result_of(state))

    def reset_state(self) -> None:
        """Forget all rows: counters, variables and metrics kept as attributes are as new."""
        if self._state is not None:
            self._state.data.fill(0.0)
        for variable in self._variables:
            variable.assign(np.zeros(variable.shape))
        for metric in self._parts():
            metric.reset_state()

    def __call__(self, *args, **kwargs) -> Any:
        """``update_state``, then ``result``."""
        self.update_state(*args, **kwargs)
        return self.result()

    def state_for(self, size: int) -> Vector:
        """The metric's own counters, made at the first use; ValueError if rows of another width were counted."""
        if self._state is not None and len(self._state) != size:
            if self._state.data.any():
                raise ValueError(f"metric {self.name!r} holds rows of another width than this `y_pred`: call "
                                 "reset_state() first")
            self._state = None
            self._updates.clear()
        if self._state is None:
            self._state = Vector(f"state of {self.name}", size, "float64")
        return self._state

    # variables

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None) -> MetricVariable:
        """A variable of a metric written in Python: an array that ``reset_state`` sets to zero."""
        initial = initializers.get("zeros" if initializer is None else initializer)
        value = initial(tuple(shape), dtype or backend.floatx())
        path = f"{self.name}/{name or f'variable_{len(self._variables)}'}"
        self._variables.append(MetricVariable.at(path, value.shape, value.dtype, False, value))
        return self._variables[-1]

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None) -> MetricVariable:
        """As ``add_variable``."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[MetricVariable]:
        """The variables made by ``add_variable``, and those of metrics kept as attributes."""
        return [*self._variables, *(v for metric in self._parts() for v in metric.variables)]

    def _parts(self) -> list[Metric]:
        return [value for value in vars(self).values() if isinstance(value, Metric)]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_updates": Recent()}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class LossMetric(Metric):
    """A loss, reported: its mean over rows, without a gradient."""
    masked = True
    direction = "min"

    def __init__(self, loss, name: str | None = None, dtype=None):
        loss = losses.get(loss)
        super().__init__(dtype, name or loss.name)
        self.loss = loss
        self.reads = "labels" if loss.integer_targets else "y"

    def lower(self, build, y, target, weights=None):
        return self.loss.lower(build, build.detached(y), target, weights)


def with_numpy(result: Any) -> Any:
    """A number or an array that also has ``.numpy()``."""
    return result.view(Tensor) if isinstance(result, np.ndarray) and result.ndim else Scalar(result)
