"""What users do wrong with optimizers, schedules and constraints, for test_errors.py."""
import numpy as np

import fastnn
from fastnn import constraints, optimizers
from fastnn.optimizers import schedules


def made(cls, *words, **options):
    """A case: an optimizer with these settings."""
    return (lambda b: cls(**options), *words)


def applied(gradients, weights, *words, of=None):
    """A case: one step on these weights."""
    return (lambda b: (of or optimizers.SGD()).apply_gradients(zip(gradients, weights)), *words)


def known(optimizer):
    """The optimizer after a step on other weights."""
    optimizer.apply([np.ones(2)], [np.ones(2)])
    return optimizer


def second_model(bench, optimizer=None):
    """Another model, compiled with the optimizer of the first."""
    model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(3, activation="softmax")], name="second")
    model.compile(optimizer or bench.model.optimizer, "sparse_categorical_crossentropy")
    return model


def constrained(constraint):
    """A step on a layer with this constraint."""
    layer = fastnn.layers.Dense(2, kernel_constraint=constraint, name="limited")
    layer.build((None, 3))
    optimizers.SGD().apply([np.ones((3, 2))], [layer.kernel])


READ_ONLY = np.ones(3)
READ_ONLY.flags.writeable = False

CASES = {
    "optimizer: two ways of clipping": made(optimizers.SGD, "`clipnorm`", "`clipvalue`", "clipnorm=1.0", clipnorm=1.0,
                                            clipvalue=1.0),
    "optimizer: a negative clipnorm": made(optimizers.Adam, "`clipnorm`", "at least 0", "-1", clipnorm=-1),
    "optimizer: clipvalue in words": made(optimizers.Adam, "`clipvalue`", "'big'", clipvalue="big"),
    "optimizer: a negative global_clipnorm": made(optimizers.Adam, "`global_clipnorm`", "-0.5", global_clipnorm=-0.5),
    "optimizer: a negative weight_decay": made(optimizers.SGD, "`weight_decay`", "-0.1", weight_decay=-0.1),
    "AdamW without decay": made(optimizers.AdamW, "`weight_decay`", "None", "Adam", weight_decay=None),
    "optimizer: ema_momentum above 1": made(optimizers.SGD, "`ema_momentum`", "0 to 1", "1.5", ema_momentum=1.5),
    "optimizer: ema_overwrite_frequency a fraction": made(
        optimizers.SGD, "`ema_overwrite_frequency`", "at least 1", "2.5", use_ema=True, ema_overwrite_frequency=2.5),
    "optimizer: a loss scale of 0": made(optimizers.SGD, "`loss_scale_factor`", "above 0", "0", loss_scale_factor=0),
    "optimizer: accumulating one step": made(optimizers.SGD, "`gradient_accumulation_steps`", "at least 2", "1",
                                             gradient_accumulation_steps=1),
    "optimizer: beta_1 of 1": made(optimizers.Adam, "Adam", "`beta_1`", "[0, 1)", "1.0", beta_1=1.0),
    "optimizer: a negative rho": made(optimizers.Adadelta, "Adadelta", "`rho`", "-0.5", rho=-0.5),
    "optimizer: a negative epsilon": made(optimizers.Nadam, "Nadam", "`epsilon`", "-1", epsilon=-1),
    "Adagrad: a negative accumulator": made(optimizers.Adagrad, "`initial_accumulator_value`", "-1",
                                            initial_accumulator_value=-1),
    "Lion: beta_1 of 0": made(optimizers.Lion, "`beta_1`", "above 0", beta_1=0),
    "SGD: momentum of 2": made(optimizers.SGD, "`momentum`", "[0, 1)", "2", momentum=2),
    "optimizer: an unknown description": (
        lambda b: b.model.compile({"class_name": "Adamm", "config": {}}, "mse"), "optimizer identifier", "'Adamm'"),
    "a learning rate of an unknown schedule": made(
        optimizers.SGD, "schedule identifier", "'CosinDecay'", "'cosine_decay'",
        learning_rate={"class_name": "CosinDecay", "config": {}}),
    "a learning rate set over a schedule": (
        lambda b: setattr(optimizers.SGD(schedules.CosineDecay(0.1, 10)), "learning_rate", 0.1),
        "`learning_rate`", "CosineDecay", "0.1"),
    "a function that gives a negative rate": (lambda b: optimizers.SGD(lambda step: -1.0).rates(3),
                                              "`learning_rate`", "-1"),
    "ExponentialDecay: no steps": (lambda b: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps`", "above 0", "0"),
    "CosineDecay: steps in words": (lambda b: schedules.CosineDecay(0.1, "ten"), "`decay_steps`", "'ten'"),
    "CosineDecayRestarts: periods that shrink": (lambda b: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5),
                                                 "`t_mul`", "at least 1", "0.5"),
    "PiecewiseConstantDecay: as many values as boundaries": (
        lambda b: schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01]), "`values`", "`boundaries`", "2 and 2"),
    "PiecewiseConstantDecay: boundaries that fall": (
        lambda b: schedules.PiecewiseConstantDecay([20, 10], [0.1, 0.01, 0.001]), "`boundaries`", "[20, 10]"),
    "a schedule called with a negative step": (lambda b: schedules.CosineDecay(0.1, 10)(-1), "`step`", "-1"),

    "apply: gradients of another shape": applied([np.ones(2)], [np.ones(3)], "`grads[0]`", "(3,)", "(2,)"),
    "apply: a gradient in words": applied(["up"], [np.ones(3)], "`grads[0]`", "'up'"),
    "apply: whole numbers as weights": applied([np.ones(3)], [np.ones(3, int)], "`trainable_variables[0]`", "float32",
                                               "int64"),
    "apply: a list as weights": applied([np.ones(1)], [[1.0]], "`trainable_variables[0]`", "in place", "list"),
    "apply: weights that are not contiguous": applied([np.ones(3)], [np.ones((3, 2))[:, 0]], "`trainable_variables[0]`",
                                                      "C-contiguous", "strides (16,)"),
    "apply: read-only weights": applied([np.ones(3)], [READ_ONLY], "`trainable_variables[0]`", "read-only"),
    "apply: weights of two dtypes": applied([np.ones(1)] * 2, [np.ones(1), np.ones(1, "f")], "one dtype",
                                            "float32 and float64"),
    "apply: one weight twice": applied([np.ones(3)] * 2, [READ_ONLY.copy()] * 2, "twice"),
    "apply: weights not known before": (
        lambda b: known(optimizers.Adam()).apply([np.ones(3)], [np.ones(3)]), "unknown weights", "(3,)"),
    "apply: too few gradients": (lambda b: b.model.optimizer.apply([np.ones(3)], b.model.trainable_weights),
                                 "`grads`", "6", "got 1"),
    "apply: no gradient at all": applied([None], [np.ones(3)], "`grads`", "None"),
    "apply: nothing to apply to": (lambda b: optimizers.SGD().apply([np.ones(3)]), "build(weights)"),
    "apply: a frozen weight": (
        lambda b: b.model.optimizer.apply([np.ones(8)], [b.model.layers[1].non_trainable_weights[0]]),
        "moving_mean", "not trainable"),
    "apply_gradients: no pairs": (lambda b: optimizers.SGD().apply_gradients([np.ones(3)]), "pairs", "zip"),
    "minimize": (lambda b: b.model.optimizer.minimize(lambda: 0.0, []), "minimize()", "apply_gradients"),
    "exclude_from_weight_decay: names as weights": (
        lambda b: optimizers.SGD().exclude_from_weight_decay(var_list=["bias"]), "`var_list[0]`", "Variable", "str"),
    "one optimizer for two models": (lambda b: second_model(b).fit(b.x, b.y, verbose=0), "'adam'", "'second'",
                                     "'sequential'", "of its own"),
    "an optimizer of arrays for a model": (
        lambda b: second_model(b, known(optimizers.Adam())).fit(b.x, b.y, verbose=0), "'adam'", "'second'",
        "other weights"),
    "set_state: the state of another optimizer": (
        lambda b: b.model.optimizer.set_state(optimizers.SGD().state()), "`state`", "'adam'", "missing"),

    "an unknown constraint": (lambda b: fastnn.layers.Dense(3, kernel_constraint="maxnorn"),
                              "constraint identifier: 'maxnorn'", "Did you mean 'max_norm'?"),
    "a constraint that is a number": (lambda b: constraints.get(2), "constraint identifier: 2"),
    "a constraint that returns another shape": (lambda b: constrained(lambda w: w[:1]), "Function", "limited/kernel",
                                                "(3, 2)", "(1, 2)"),
    "MaxNorm: a negative norm": (lambda b: constraints.MaxNorm(-1), "`max_value`", "-1"),
    "MinMaxNorm: limits in the wrong order": (lambda b: constraints.MinMaxNorm(2.0, 1.0), "`min_value`", "2.0 and 1.0"),
    "UnitNorm: an axis that is not there": (lambda b: constraints.UnitNorm(axis=2)(np.ones((2, 2))), "`axis`", "2"),
}
