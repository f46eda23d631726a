"""``show_config``: how this fastnn was built and what it uses on this machine."""
import platform

import numpy as np

from . import _kernels
from ._kernels import _build, parallel
from ._version import __version__


def show_config(mode: str = "stdout") -> dict | None:
    """Print how fastnn was built and what it uses here; please include it when you report a fault.

    mode: "stdout" prints, "dicts" returns the same facts as a dict. Raises ValueError for another mode.

    >>> show_config("dicts")["levels"]["used"] in ("base", "v2", "v3", "v4")
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode: expected 'stdout' or 'dicts', got {mode!r}")
    facts = {
        "fastnn": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "machine": platform.platform(),
        "compiler": {"name": _build.COMPILER, "flags": _build.FLAGS},
        "openmp": parallel.has_openmp,
        "levels": {
            "built": _kernels.levels_built, "supported": _kernels.levels_supported, "used": _kernels.level.level,
        },
        "threads": parallel.get_num_threads(),
    }
    if mode == "dicts":
        return facts
    for name, value in facts.items():
        print(f"{name + ':':10s} {_in_words(value)}")
    return None


def _in_words(value: object) -> str:
    """A fact as a person reads it."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_in_words(inner)}" for key, inner in value.items())
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
