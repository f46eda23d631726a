"""The number of threads that kernels may use.

At import it is ``FASTNN_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs that this process may use (affinity and
container quota). Results have the same bits for any number. Small work stays on one thread whatever the number.
"""
from collections.abc import Iterator
from contextlib import contextmanager

from ._kernels import parallel
from ._kernels._cpus import checked_threads
from ._warn import warn


def get_num_threads() -> int:
    """The number of threads that fastnn may use for work started by the calling thread.

    1 in a build without OpenMP and in a forked process; no more than a limit set by threadpoolctl.
    """
    return parallel.get_num_threads()


def set_num_threads(n: int) -> None:
    """Set the number of threads for this process; it may exceed the number of CPUs.

    n: 1 to 4096. Raises TypeError for what is no integer, ValueError for another number. A process forked after fastnn
    was imported stays on one thread, with a RuntimeWarning: OpenMP's threads do not survive a fork.

    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(before)
    """
    parallel.set_num_threads(_checked(n))


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Use n threads for work that the calling Python thread starts inside the ``with`` block.

    Other Python threads keep their number, so a server limits each request by itself.

    >>> with threads(1):
    ...     get_num_threads()
    1
    """
    before = parallel.limit_thread(_checked(n))
    try:
        yield
    finally:
        parallel.limit_thread(before)


def _checked(n: int) -> int:
    n = checked_threads("n", n)
    if n > 1 and parallel.is_forked():
        warn("this process was forked after fastnn was imported, so it stays on one thread; start it with the "
             "'spawn' or 'forkserver' method for more", RuntimeWarning)
    return n
