"""What a model's programs are: the step of training, of evaluation, and prediction."""
from __future__ import annotations

from collections.abc import Callable

from ..losses import Loss
from ..metrics import Metric
from ..optimizers import Optimizer
from ..program import Lowering, Program, Value


def lower_prediction(name: str, lower: Callable, shape: tuple, dtype: str, seed: int) -> tuple[Program, tuple]:
    """(program x -> output, output shape): gather, forward, scatter."""
    build = Lowering(False, dtype)
    output, _ = lower(build, build.gather(shape, "x"))
    build.scatter(output, "output")
    return Program(build, f"{name}: prediction", seed), output.shape


def lower_step(name: str, lower: Callable, shape: tuple, dtype: str, seed: int, loss: Loss, metrics: list[Metric],
               has_weights: bool, optimizer: Optimizer | None) -> Program:
    """The program of one batch: gather, forward, loss and metrics, and with an optimizer backward and update.

    Its arrays are x, y (once more for a metric that reads y in another form) and the row weights where they are given;
    its counters the loss, then the metrics.
    """
    build = Lowering(optimizer is not None, dtype)
    output, _ = lower(build, build.gather(shape, "x"))
    build.layer = loss.name
    targets: dict[bool, Value] = {loss.integer_targets: loss.gather_target(build, output.shape)}
    weights = build.gather((), "sample_weight") if has_weights else None
    rows = loss.lower(build, output, targets[loss.integer_targets], weights)
    build.count("loss", rows)
    for metric in metrics:
        build.layer = metric.name
        if metric.integer_targets not in targets:
            targets[metric.integer_targets] = metric.gather_target(build, output.shape)
        build.count(metric.name, metric.lower(build, output, targets[metric.integer_targets]))
    if optimizer is not None:
        build.differentiate()
        build.layer = optimizer.name
        optimizer.lower(build)
    return Program(build, f"{name}: {'training' if optimizer else 'evaluation'} step", seed)
