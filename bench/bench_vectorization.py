"""The race: dot product, matrix product, relu and convolution as for loop, as list comprehension, vectorized, and by
fastnn.

    pytest bench/bench_vectorization.py --benchmark-json=race.json

The contestants and the check of their results are those of the command `fastnn bench` (fastnn/_race.py). Protocol: 10
rounds of 10 calls. Over Python lists, NumPy arrays and, where installed, torch tensors; everybody on one thread.
"""
import pytest

from fastnn import _race

FIELD = [
    pytest.param(operation, runner.way, runner.container, size,
                 id=f"{operation}-{size}-{runner.way}-{runner.container}")
    for operation, settings in _race.OPERATIONS.items()
    for size in settings.sizes
    for runner in _race.contestants(operation)
]


@pytest.mark.parametrize(("operation", "way", "container", "size"), FIELD)
@pytest.mark.usefixtures("one_thread")
def test_race(benchmark, operation, way, container, size):
    _race.one_thread()               # torch has a number of its own, which the fixture does not reach
    runner = _race.contestant(operation, way, container)
    given = _race.arguments(operation, size, container)
    _race.check(operation, size, runner.function(*given))
    benchmark.group = f"{operation}, {size} {_race.OPERATIONS[operation].unit}"
    benchmark.extra_info.update(table="race", operation=operation, way=way, container=container, size=size,
                                published=runner.published(size))
    benchmark.pedantic(runner.function, args=given, rounds=_race.ROUNDS, iterations=_race.ITERATIONS)
