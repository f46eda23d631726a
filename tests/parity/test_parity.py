"""Every case of ``cases.py`` gives what Keras gave when ``record.py`` ran it."""

from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cases import FAMILIES
from initializer_cases import SHAPE

DATA = Path(__file__).parent / "data"

# (pattern of family/case/array, rtol, atol): the first that fits holds. atol is a share of the largest magnitude in
# the array, or of 1 where that is smaller: sums of float32 numbers of size 1 differ by about 1e-7 with their order.
TOLERANCES = [
    # random numbers of the same distribution; each bound is five standard errors or more
    ("layers/dropout_training_*/kept_share", 0, 0.01),
    ("shapes/dropout_*/kept_share", 0, 0.01),
    ("layers/noise_*/mean", 0, 0.01),
    ("layers/noise_*/deviation", 0.01, 0),
    ("layers/noise_*/largest_share", 0, 0.01),
    ("initializers/*/mean", 0, 0.003),
    ("initializers/*/std", 0.01, 0),
    ("initializers/*/largest", 0.005, 0),
    ("initializers/*/quartiles", 0.04, 0),
    # a gradient is the difference of two weights, each rounded to float32
    ("losses/*/gradient_*", 1e-5, 1e-6),
    ("loss_options/*/gradient", 1e-5, 1e-6),
    # Adam divides small gradients by their own size: Keras's float32 weights end up to 3.2e-6 from those of the same
    # run in float64, fastnn's up to 2e-7
    ("optimizers/trace_adam_rate/weight_*", 1e-5, 5e-6),
    ("optimizers/trace_adamw_*/weight_*", 1e-5, 5e-6),
    ("fit/fit_again/weight_*", 1e-5, 5e-6),
    ("fit/validation_split_0.1/weight_*", 1e-5, 5e-6),
    # the same of Adam: up to 4.0e-6, and fastnn's up to 1.6e-7
    ("embeddings/trained_Adam*/weight_*", 1e-5, 5e-6),
    # sums over all places of images, added in another order: Keras's float32 predictions end up to 1.4e-6 from those of
    # the same training in float64, fastnn's up to 2.6e-6
    ("convolutions/trained_*/predict", 1e-5, 5e-6),
    # a training that diverges (loss 91) magnifies roundings: Keras's float32 weights end up to 1.2e-6 from those of the
    # same run in float64, fastnn's up to 0.7e-6, without fused multiply-adds (level v2) up to 2.3e-6
    ("pooling/trained_Max2d_5_2_same/weight_02", 1e-5, 2e-6),
    # relu gates let a state grow from step to step: Keras's float32 results end up to 4.5e-6 from the same run in
    # float64, fastnn's up to 4.3e-6
    ("recurrent/gru_relu_tanh/*", 1e-5, 3e-6),
    ("recurrent/dropout_*/kept_share", 0, 0.02),
    ("*", 1e-5, 1e-6),
]

# Cases or arrays, as family/case or family/case/array, in which fastnn differs from Keras on purpose, with the reason.
DEVIATIONS = {
    "models/names/paths": "a path names layer and weight, whatever model holds them",
}

# some cases are uses that Keras warns about, and so may fastnn
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FANS = {"glorot": sum(SHAPE) / 2, "he": SHAPE[0]}


@cache
def record(family):
    """What Keras gave, as {case: {array name: array}}."""
    cases = {}
    with np.load(DATA / f"{family}.npz") as arrays:
        for path in arrays:
            case, name = path.split("/")
            cases.setdefault(case, {})[name] = arrays[path]
    return cases


def difference(path, actual, expected):
    """A sentence on how the arrays differ, or None."""
    actual = np.asarray(actual)
    if actual.shape != expected.shape:
        return f"{path}: shape {actual.shape}, Keras has {expected.shape}\n{actual}\n{expected}"
    if expected.dtype.kind in "US":
        return None if np.array_equal(actual, expected) else f"{path}: {actual.tolist()}, Keras has {expected.tolist()}"
    rtol, atol = next((rtol, atol) for pattern, rtol, atol in TOLERANCES if fnmatch(path, pattern))
    actual, expected = actual.astype("float64"), expected.astype("float64")
    size = np.abs(expected)
    excess = np.abs(actual - expected) - rtol * size - atol * max(1.0, size.max(initial=0.0))
    if (excess <= 0).all():
        return None
    worst = np.unravel_index(np.nanargmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
    place = f"at {tuple(map(int, worst))} {actual[worst]!r}, Keras has {expected[worst]!r}"
    return f"{path}: {(~(excess <= 0)).sum()} of {excess.size} numbers differ; {place}"


@pytest.mark.parametrize(("family", "case"), [(family, case) for family in FAMILIES for case in FAMILIES[family]])
def test_same_as_keras(K, family, case):
    if f"{family}/{case}" in DEVIATIONS:
        pytest.skip(DEVIATIONS[f"{family}/{case}"])
    expected = record(family)[case]
    actual = FAMILIES[family][case](K)
    assert sorted(actual) == sorted(expected), f"{family}/{case}: other arrays than in the record"
    paths = {name: f"{family}/{case}/{name}" for name in expected if f"{family}/{case}/{name}" not in DEVIATIONS}
    found = [difference(path, actual[name], expected[name]) for name, path in paths.items()]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("family", FAMILIES)
def test_record_is_complete(family):
    """No case without a record, no record without a case, and every recorded number is finite."""
    assert sorted(record(family)) == sorted(FAMILIES[family])
    for case, arrays in record(family).items():
        for name, array in arrays.items():
            assert array.dtype.kind in "US" or np.isfinite(array).all(), f"{family}/{case}/{name}"


@pytest.mark.parametrize("scale", FANS)
def test_initializers_keep_to_their_formula(K, scale):
    """Variance 1/fan (glorot) or 2/fan (he); uniform ends at sqrt(3) deviations, normal at 2 of the uncut ones."""
    deviation = np.sqrt({"glorot": 1.0, "he": 2.0}[scale] / FANS[scale])
    for kind, limit in {"uniform": 3**0.5 * deviation, "normal": 2 * deviation / 0.87962566}.items():
        sample = FAMILIES["initializers"][f"string_{scale}_{kind}"](K)
        assert sample["std"] == pytest.approx(deviation, rel=0.01), f"{scale}_{kind}"
        assert 0.995 * limit < sample["largest"] <= limit * (1 + 1e-6), f"{scale}_{kind}"


def test_difference_finds_what_it_should():
    """The comparison itself: a shape, a word, a number out of tolerance and a NaN are each found."""
    one = np.ones(3)
    assert difference("f/c/a", one + 5e-6, one) is None
    assert "shape" in difference("f/c/a", np.ones(4), one)
    assert "b" in difference("f/c/a", np.array(["a", "b"]), np.array(["a", "c"]))
    assert "1 of 3" in difference("f/c/a", np.array([1, 1.001, 1]), one)
    assert "(2,)" in difference("f/c/a", np.array([1, 1.001, np.nan]), one)
