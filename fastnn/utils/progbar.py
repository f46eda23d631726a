"""A progress bar for loops of one's own."""
from __future__ import annotations

from ..callbacks.progress import Progress


class Progbar:
    """Shows how far a loop is, in the look of ``fit``.

    target: steps in all, None if unknown. ``verbose``: 0 nothing, 1 a bar, 2 one line at the end. Values given to
    ``update`` are averaged over the steps, but those named in ``stateful_metrics`` (or, with ``stateless_metrics``, not
    named there) shown as they are, and at the last step all are. ``width``, ``interval`` and ``unit_name`` are taken
    for Keras's sake. Raises ValueError where both lists of names are given.

    >>> bar = Progbar(3, verbose=0)
    >>> for step in range(3):
    ...     bar.update(step + 1, [("loss", 0.5)])
    """

    def __init__(self, target, width=20, verbose=1, interval=0.05, stateful_metrics=None, stateless_metrics=None,
                 unit_name="step"):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: `stateful_metrics` and `stateless_metrics` must not both be given, got "
                             f"{list(stateful_metrics)!s:.60} and {list(stateless_metrics)!s:.60}")
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._progress = Progress(verbose, 1, target)
        self._sums: dict[str, tuple[float, float]] = {}           # of values, of steps
        self._seen = 0

    def update(self, current, values=None, finalize: bool | None = None) -> None:
        """``current`` steps are done; values: a list of (name, value). ``finalize``: it is the last; None: at the
        target."""
        last = self.target is not None and current >= self.target if finalize is None else bool(finalize)
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            total, count = self._sums.get(name, (0.0, 0.0))
            averaged = not last and self._averaged(name)
            self._sums[name] = (total + value * steps, count + steps) if averaged else (value, 1)
        self._seen = current
        means = {name: float(total / count) for name, (total, count) in self._sums.items()}
        if last:
            self._progress.epoch_end(current, means)
        else:
            self._progress.update(current, means)

    def add(self, n, values=None) -> None:
        """``n`` more steps are done."""
        self.update(self._seen + n, values)

    def _averaged(self, name: str) -> bool:
        return name not in self.stateful_metrics if self.stateless_metrics is None else name in self.stateless_metrics
