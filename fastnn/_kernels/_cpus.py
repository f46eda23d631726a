"""How many CPUs this process may use: what the scheduler and the container grant, not what the machine has."""
import math
import operator
import os

MOST_THREADS = 4096


def default_threads() -> int:
    """``FASTNN_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs that this process may use."""
    wanted = os.environ.get("FASTNN_NUM_THREADS", "").strip()
    if wanted:
        try:
            return checked_threads("FASTNN_NUM_THREADS", _number(wanted) or wanted)
        except (TypeError, ValueError) as error:
            raise ImportError(str(error)) from None
    # a list has a number for each nesting level; OpenMP itself complains about what is none
    return _number(os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()) or available_cpus()


def checked_threads(name: str, value: object) -> int:
    """A number of threads; TypeError for what is no whole number, ValueError for one out of range."""
    text = f"{name}: expected a whole number of threads from 1 to {MOST_THREADS}, got "
    try:
        n = operator.index(value)       # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{text}{value!r:.60}") from None
    if not 1 <= n <= MOST_THREADS:
        raise ValueError(text + (str(n) if n.bit_length() < 100 else f"a number of {n.bit_length()} bits"))
    return n


def _number(text: str) -> int:
    """A number of threads that a text says, 0 where it says none; Python refuses to read very long ones."""
    n = int(text) if text.isdecimal() and len(text) < 20 else 0
    return n if n <= MOST_THREADS else 0


def available_cpus() -> int:
    """CPUs of the affinity mask, or fewer where a cgroup's quota is lower."""
    granted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(granted, cgroup_quota()))


def cgroup_quota(membership: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> float:
    """CPUs that the cgroups of this process (version 1 or 2) grant: a positive fraction, or inf without a quota.

    membership: the file of "id:controllers:path" lines; root: where cgroups are mounted. A quota of any parent counts.
    """
    quota = math.inf
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = os.path.join(root, "cpu") if controllers else root
        parts = [part for part in path.split("/") if part]
        # In a container the path may be the host's: folders that do not exist grant everything, the root counts.
        for depth in range(len(parts) + 1):
            quota = min(quota, _quota_of(os.path.join(mount, *parts[:depth])))
    return quota


def _quota_of(folder: str) -> float:
    """The quota written in one cgroup's folder: version 2 keeps "limit period" in one file, version 1 in two."""
    version_1 = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    words = (_read(f"{folder}/cpu.max") or " ".join(_read(f"{folder}/{name}") for name in version_1)).split()
    if len(words) != 2 or not all(word.isdecimal() and int(word) > 0 for word in words):  # "max", "-1", or no file
        return math.inf
    return int(words[0]) / int(words[1])


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
