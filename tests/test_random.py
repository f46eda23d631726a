"""Everything random is a function of the seed and a path."""
import hashlib

import numpy as np
import pytest

from fastnn import random


@pytest.fixture(autouse=True)
def seed_as_before(monkeypatch):
    """The seed that the test sets is gone after it."""
    monkeypatch.setattr(random, "_seed", None)


def test_set_seed_is_what_get_seed_gives():
    for seed in (0, 7, np.int64(12), 2**64 - 1):
        random.set_seed(seed)
        assert random.get_seed() == seed
        assert type(random.get_seed()) is int


def test_without_a_seed_one_is_drawn_once():
    first = random.get_seed()
    assert 0 <= first < 2**64
    assert random.get_seed() == first
    random._seed = None
    assert random.get_seed() != first


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (2**64, ValueError), (1.0, TypeError), (True, TypeError),
                                             ("1", TypeError), (None, TypeError)])
def test_bad_seeds_are_refused_and_change_nothing(seed, error):
    random.set_seed(5)
    with pytest.raises(error, match="`seed` must be a whole number"):
        random.set_seed(seed)
    assert random.get_seed() == 5


def test_generator_is_a_function_of_seed_and_path():
    draws = {}
    for seed in (0, 1, 2):
        for path in ((), ("a",), ("b",), ("a", 0), ("a", 1), ("a", "0"), (0,)):
            one, two = (random.generator(seed, *path).random(4).tolist() for _ in range(2))
            assert one == two
            draws[seed, path] = tuple(one)
    assert len(set(draws.values())) == len(draws)


def test_the_path_may_hold_numpy_ints():
    assert random.generator(np.int64(3), np.int32(4)).random() == random.generator(3, 4).random()


def test_the_key_is_the_same_everywhere(run_python):
    """In another process, whose hash() differs, and by the documented formula: weights can be made again anywhere."""
    digest = hashlib.blake2b(repr([1, "dense/kernel"]).encode(), digest_size=16).digest()
    key = np.random.Philox(key=int.from_bytes(digest, "little"))
    here = random.generator(1, "dense/kernel").random()
    assert here == np.random.Generator(key).random()
    code = "from fastnn import random; print(repr(float(random.generator(1, 'dense/kernel').random())))"
    assert float(run_python(code).stdout) == here


def test_drawing_leaves_numpys_generator_alone():
    before = np.random.get_state()[1].copy()         # noqa: NPY002
    random.generator(1, "x").random(100)
    assert (np.random.get_state()[1] == before).all()        # noqa: NPY002
