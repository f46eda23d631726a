"""Initializers keep to their formulas, are found by their names, and draw f(seed)."""
import math

import numpy as np
import pytest

from fastnn import backend, initializers, random

SHAPE = (200, 500)       # sizes differ so that the fans cannot be confused
SEEDED = dict(seed=3)
CUT = 0.87962566103423978

# distribution -> (standard deviation of the numbers, where they end)
FORMULAS = {
    "GlorotUniform": (math.sqrt(2 / 700), math.sqrt(6 / 700)),
    "GlorotNormal": (math.sqrt(2 / 700), 2 * math.sqrt(2 / 700) / CUT),
    "HeUniform": (math.sqrt(2 / 200), math.sqrt(6 / 200)),
    "HeNormal": (math.sqrt(2 / 200), 2 * math.sqrt(2 / 200) / CUT),
    "LecunUniform": (math.sqrt(1 / 200), math.sqrt(3 / 200)),
    "LecunNormal": (math.sqrt(1 / 200), 2 * math.sqrt(1 / 200) / CUT),
    "RandomUniform": (0.05 / math.sqrt(3), 0.05),
    "TruncatedNormal": (0.05 * CUT, 0.1),
    "RandomNormal": (0.05, None),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_distribution(name):
    deviation, end = FORMULAS[name]
    values = getattr(initializers, name)(**SEEDED)(SHAPE, "float64")
    assert values.shape == SHAPE and values.dtype == np.float64
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
    assert values.std() == pytest.approx(deviation, rel=0.01)
    if end is not None:
        assert 0.99 * end < np.abs(values).max() <= end
    else:
        assert np.abs(values).max() > 4 * deviation


def test_variance_scaling_takes_every_mode_and_distribution():
    fan = {"fan_in": 200, "fan_out": 500, "fan_avg": 350}
    for mode, n in fan.items():
        for distribution in ("uniform", "normal", "truncated_normal", "untruncated_normal"):
            values = initializers.VarianceScaling(3.0, mode, distribution, seed=1)(SHAPE)
            assert values.std() == pytest.approx(math.sqrt(3.0 / n), rel=0.01), (mode, distribution)


@pytest.mark.parametrize(("shape", "expected"), [
    ((4, 3), (4, 3)), ((5,), (5, 5)), ((), (1, 1)), ((3, 3, 16, 32), (144, 288)), ((5, 8, 2), (40, 10))])
def test_fans(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4), (3, 3, 2, 40), (1, 1)])
def test_orthogonal(shape):
    values = initializers.Orthogonal(gain=2.0, **SEEDED)(shape, "float64")
    matrix = values.reshape(-1, shape[-1]) / 2
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    assert values.shape == shape
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(matrix.shape[1]), atol=1e-14)


def test_orthogonal_has_either_sign():
    values = [initializers.Orthogonal(seed=i)((1, 1))[0, 0] for i in range(40)]
    assert 5 < sum(v > 0 for v in values) < 35
    with pytest.raises(ValueError, match="rank 2 or more"):
        initializers.Orthogonal()((3,))


def test_identity():
    assert np.array_equal(initializers.Identity(gain=3)((2, 3)), np.array([[3, 0, 0], [0, 3, 0]], "float32"))
    assert initializers.get("identity")((2, 2), "float64").dtype == np.float64
    with pytest.raises(ValueError, match="matrix"):
        initializers.Identity()((2,))


def test_constants():
    assert (initializers.Zeros()((2, 3)) == 0).all() and (initializers.Ones()((2, 3)) == 1).all()
    assert (initializers.Constant(2.5)((2, 3)) == 2.5).all()
    matrix = np.arange(6.0).reshape(2, 3)
    assert (initializers.Constant(matrix)((2, 3)) == matrix).all()
    assert initializers.Constant(1)((4,)).flags.writeable
    with pytest.raises(ValueError, match="shape"):
        initializers.Constant(matrix)((3, 2))


@pytest.mark.parametrize("name", ["Zeros", "Constant", "GlorotUniform", "HeNormal", "RandomNormal"])
def test_dtype(name, monkeypatch):
    initializer = getattr(initializers, name)()
    assert initializer((2, 2)).dtype == np.float32
    assert initializer((2, 2), dtype="float64").dtype == np.float64
    monkeypatch.setattr(backend, "_floatx", "float64")
    assert initializer((2, 2)).dtype == np.float64


@pytest.mark.parametrize("shape", [(), (0,), (0, 4), (1,), (3, 1), (2, 3, 4)])
@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "truncated_normal", "zeros"])
def test_every_shape(name, shape):
    assert initializers.get(name)(shape).shape == shape


def test_same_seed_same_numbers():
    one, two = initializers.HeNormal(seed=1), initializers.HeNormal(seed=1)
    assert (one(SHAPE) == two(SHAPE)).all() and (one(SHAPE) == one(SHAPE)).all()
    assert (one(SHAPE) != initializers.HeNormal(seed=2)(SHAPE)).any()
    assert (one((4, 4), rng=np.random.default_rng(0)) == one((4, 4))).all(), "its own seed wins"


def test_rng_is_what_unseeded_ones_draw_from():
    initializer = initializers.GlorotUniform()
    one, two = (initializer((4, 4), rng=random.generator(1, "dense/kernel")) for _ in range(2))
    assert (one == two).all()
    assert (one != initializer((4, 4), rng=random.generator(1, "dense_1/kernel"))).any()


def test_without_seed_or_rng_the_process_seed_decides(monkeypatch):
    monkeypatch.setattr(random, "_seed", 1)
    initializer, other = initializers.GlorotUniform(), initializers.GlorotUniform()
    first = initializer((4, 4))
    assert (initializer((4, 4)) == first).all()
    assert (other((4, 4)) != first).any()
    monkeypatch.setattr(random, "_seed", 2)
    assert (initializer((4, 4)) != first).any()


@pytest.mark.parametrize(("name", "kind"), [
    ("glorot_uniform", "GlorotUniform"), ("GlorotUniform", "GlorotUniform"), ("he_normal", "HeNormal"),
    ("lecun_uniform", "LecunUniform"), ("uniform", "RandomUniform"), ("normal", "RandomNormal"), ("zero", "Zeros"),
    ("zeros", "Zeros"), ("one", "Ones"), ("ones", "Ones"), ("constant", "Constant"),
    ("truncated_normal", "TruncatedNormal"), ("variance_scaling", "VarianceScaling"), (None, "GlorotUniform")])
def test_get_by_name(name, kind):
    assert type(initializers.get(name)).__name__ == kind


def test_get_takes_classes_objects_arrays_and_functions():
    own = initializers.HeUniform(seed=4)
    assert initializers.get(own) is own
    assert type(initializers.get(initializers.Ones)) is initializers.Ones
    assert (initializers.get(np.array([1.0, 2.0]))((2,)) == [1, 2]).all()

    def eye(shape, dtype=None):
        return np.eye(*shape, dtype=dtype)

    rng = np.random.default_rng(0)
    assert (initializers.get(eye)((2, 2), "float64", rng=rng) == np.eye(2)).all()

    class Twos(initializers.Initializer):
        def __call__(self, shape, dtype=None, **kwargs):
            return np.full(shape, 2, dtype)

    for identifier in (Twos, Twos()):
        assert (initializers.get(identifier)((3,), "float32", rng=rng) == 2).all()


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant", *FORMULAS, "VarianceScaling"])
def test_config_makes_the_same_again(name):
    one = getattr(initializers, name)(**(SEEDED if name not in ("Zeros", "Ones", "Constant") else {}))
    for two in (type(one).from_config(one.get_config()), initializers.get(initializers.serialize(one))):
        assert type(two) is type(one) and two.get_config() == one.get_config()
        assert (two((3, 4)) == one((3, 4))).all()


def test_config_holds_the_arguments():
    assert initializers.GlorotUniform(seed=1).get_config() == {"seed": 1}
    assert initializers.RandomNormal(1.0, 2.0).get_config() == {"mean": 1.0, "stddev": 2.0, "seed": None}
    assert repr(initializers.Constant(3.0)) == "Constant(value=3.0)"


@pytest.mark.parametrize(("identifier", "words"), [
    ("glorot_unifrom", "initializer identifier: 'glorot_unifrom'. Did you mean 'glorot_uniform'"),
    ("HENORMALS", "Did you mean 'he_normal'"),
    ({"class_name": "os.system", "config": {}}, "initializer identifier: 'os.system'"),
    ({"config": {}}, "initializer identifier"), (3, "initializer identifier: 3. Known are constant"),
])
def test_unknown_identifiers(identifier, words):
    with pytest.raises(ValueError, match=words):
        initializers.get(identifier)


@pytest.mark.parametrize(("options", "words"), [
    ({"scale": 0}, "`scale` must be above 0"),
    ({"mode": "fan"}, "`mode` must be one of fan_in, fan_out, fan_avg, got 'fan'"),
    ({"distribution": "cauchy"}, "`distribution` must be one of .*'cauchy'")])
def test_bad_settings(options, words):
    with pytest.raises(ValueError, match=words):
        initializers.VarianceScaling(**options)


def test_a_seed_is_a_whole_number():
    with pytest.raises(TypeError, match="`seed` must be a whole number"):
        initializers.HeNormal(seed=1.5)
