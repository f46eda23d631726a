"""Measures the elementary functions on every float32: the greatest error of each, and where.

    python tests/every_float32.py [--functions exp,tanh] [--levels v3,v4] [--every N]

Exit status 1 where an error exceeds its bound, or where a result that is not finite is not what it should be. The exact
values are SciPy's and NumPy's in float64, whose own errors are a few units of 2^-53: nothing beside those of float32.
``--every N`` takes each N-th float32 only (tests/test_functions.py does so in seconds); all take minutes.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import scipy.special

CHUNK = 2**16


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def gelu(x):
    return np.where(x > -100, x, -0.0) * scipy.special.ndtr(x)


def silu(x):
    return np.where(x > -1000, x, -0.0) * scipy.special.expit(x)


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


# A denormal factor has a whole unit's error, which x multiplies.
PRODUCTS = ("silu", "gelu")
# function: (exact, bound in units in the last place)
FUNCTIONS = {
    "exp": (np.exp, 1.1), "log": (np.log, 1.5), "sigmoid": (scipy.special.expit, 2.5), "tanh": (np.tanh, 2.5),
    "erf": (scipy.special.erf, 3.0), "softplus": (softplus, 2.5), "elu": (elu, 1.5), "silu": (silu, 3.5),
    "gelu": (gelu, 7.0),
}


def run(name, x, level):
    """The function of the float32 x, by the kernel of a level."""
    from fastnn import testing

    y = np.empty_like(x)
    testing.run_kernel(f"{name}_forward", [x, y], [x.size], [1.0] if name == "elu" else [], level=level)
    return y


def expected(name, x):
    """The exact values, those rounded to float32, and the unit in the last place of each."""
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name][0](x.astype(np.float64))
        rounded = exact.astype(np.float32)
        unit = np.spacing(np.maximum(np.abs(rounded), np.finfo(np.float32).tiny)).astype(np.float64)
        if name in PRODUCTS:
            unit = np.maximum(unit, np.abs(x) * np.finfo(np.float32).smallest_subnormal.astype(np.float64))
    return exact, rounded, unit


def errors(y, exact, rounded, unit):
    """Errors of y in units; infinite where y should be infinite or NaN and is not, or the reverse."""
    with np.errstate(all="ignore"):
        error = np.abs(y - exact) / unit
    odd = ~np.isfinite(error)
    same = (y[odd] == rounded[odd]) | np.isnan(y[odd]) & np.isnan(rounded[odd])
    error[odd] = np.where(same, 0, np.inf)
    return error


def worst(name, levels, every=1):
    """For each level the greatest error over every ``every``-th float32, and its argument."""
    result = dict.fromkeys(levels, (0.0, np.float32(0)))
    for start in range(0, 2**32, CHUNK * every):
        x = np.arange(start, min(start + CHUNK * every, 2**32), every, dtype=np.uint32).view(np.float32)
        values = expected(name, x)
        for level in levels:
            error = errors(run(name, x, level), *values)
            i = error.argmax()
            if error[i] > result[level][0]:
                result[level] = float(error[i]), x[i]
    return result


def main():
    """Print a line for each function and level."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from fastnn import testing

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--functions", type=lambda s: s.split(","), default=list(FUNCTIONS))
    parser.add_argument("--levels", type=lambda s: s.split(","), default=testing.levels())
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    missed = False
    for name in options.functions:
        bound = FUNCTIONS[name][1]
        for level, (error, x) in worst(name, options.levels, options.every).items():
            missed |= error > bound
            print(f"{name:10}{level:4}{error:8.3f} ULP at {x!s:>16}  bound {bound}{'  MISSED' * (error > bound)}",
                  flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
