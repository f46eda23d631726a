"""What a model's programs are: the step of training, of evaluation, and prediction."""
from __future__ import annotations

from collections.abc import Callable

from ..losses import Loss
from ..metrics import Metric
from ..metrics.lowering import gather_target, lower_metric
from ..optimizers import Optimizer
from ..program import Ids, Lowering, Program, Value


def lower_prediction(name: str, lower: Callable, shape: tuple, ids: Ids | None, dtype: str, seed: int,
                     winograd: bool) -> tuple[Program, tuple]:
    """(program x -> output, output shape): gather, forward, scatter."""
    build = Lowering(False, dtype, winograd)
    output, _ = lower(build, build.gather_x(shape, ids))
    build.scatter(output, "output")
    return Program(build, f"{name}: prediction", seed), output.shape


def lower_step(name: str, lower: Callable, shape: tuple, ids: Ids | None, dtype: str, seed: int, winograd: bool,
               loss: Loss, metrics: list[Metric], weighted: list[Metric], weights_shape: tuple | None,
               optimizer: Optimizer | None, loss_weight: float = 1.0) -> Program:
    """The program of one batch: gather, forward, loss and metrics, and with an optimizer backward and update.

    Its arrays are x (whole numbers where ``ids`` says so), y (once more for a metric that reads y in another form) and,
    where ``weights_shape`` is given, the weights of rows or of their steps, which count in the loss and in the
    ``weighted`` metrics; its counters the loss, then the metrics, then the weighted. The loss, without penalties, is
    multiplied by ``loss_weight``.
    """
    build = Lowering(optimizer is not None, dtype, winograd)
    output, mask = lower(build, build.gather_x(shape, ids))
    build.layer = loss.name
    form = "labels" if loss.integer_targets else "y"
    targets: dict[str, Value] = {form: loss.gather_target(build, output.shape)}
    weights = None if weights_shape is None else build.gather(weights_shape, "sample_weight")
    mask = mask if mask is not None and mask.shape == output.shape[:-1] else None
    if loss.ignore_class is None:
        mean = loss.reduction in ("sum_over_batch_size", "mean")
        rows = loss.lower_reduced(build, output, targets[form], masked(build, mask, weights, mean),
                                  factor=loss_weight)
    else:                       # it counts what neither its mask nor its labels leave out, and scales once
        rows = loss.lower_reduced(build, output, targets[form], weights, mask, loss_weight)
    penalty = build.penalty()
    if penalty is not None:
        alone, rows = rows, build.value(rows.shape, name="losses with penalties")
        build.emit("add_penalty", [alone, penalty], [rows], [rows.elements()])
    build.layer = loss.name
    build.count(build.counter("loss"), rows)
    for metric, row_weights in [(m, None) for m in metrics] + [(m, weights) for m in weighted]:
        count_metric(build, metric, output, targets, form, mask, row_weights)
    if optimizer is not None:
        build.differentiate()
        build.layer = optimizer.name
        optimizer.lower(build)
        build.layer = "gradients"
        build.clear_gradients()
    return Program(build, f"{name}: {'training' if optimizer else 'evaluation'} step", seed)


def count_metric(build: Lowering, metric: Metric, output: Value, targets: dict[str, Value], form: str,
                 mask: Value | None, weights: Value | None) -> None:
    """Count a metric; the targets in the form that it reads, or in that of the loss, are gathered once for all."""
    build.layer = metric.name
    reads = metric.reads or form
    if reads not in targets:
        targets[reads] = gather_target(build, reads, output.shape)
    if metric.masked:
        weights = masked(build, mask, weights)
    lower_metric(build, metric, build.detached(output), targets[reads], weights)


def masked(build: Lowering, mask: Value | None, weights: Value | None, mean: bool = False) -> Value | None:
    """The weights of steps: 0 for those that their mask leaves out.

    ``mean``: the others grow, so that a mean over all steps is one over those that take part.
    """
    if mask is None:
        return weights
    result = build.value(mask.shape, name="weights of steps")
    repeat = 1 if weights is None else mask.size // weights.size
    build.emit("mask_weights", [mask, weights], [result], [mask.elements(), repeat], flags=int(mean))
    return result


def check_form(metric: Metric, loss: Loss, output_shape: tuple, target_shape: tuple) -> None:
    """Raise ValueError if a metric reads y in another form than the loss does, and y is not of that form (shapes
    without the batch axis)."""
    reads_labels = metric.reads in ("labels", "numbers")
    if metric.reads is None or reads_labels == loss.integer_targets:
        return
    shape = output_shape[:-1] if reads_labels else output_shape
    if target_shape in (shape, (*shape, 1)) or (*target_shape, 1) == shape:
        return
    what, other, remedy = "one number for each output", "class numbers", "one-hot rows with loss='categorical"
    if reads_labels:
        what, other, remedy = other, "one number for each output", "class numbers with loss='sparse_categorical"
    raise ValueError(f"metric {metric.name!r} reads `y` as {what}, shape {(None, *shape)}, got shape "
                     f"{(None, *target_shape)}, which {loss.name} reads as {other}; give {remedy}_crossentropy', or "
                     f"choose a metric that reads {other}")
