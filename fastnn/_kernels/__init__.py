"""The compiled part: which instruction-set level this process uses, decided once, at import.

``level`` is the module of that level, ``levels_built`` what this installation holds, ``levels_supported`` what the CPU
and operating system can run, ``levels_usable`` both. The best usable level is taken; the environment variable
``FASTNN_ISA`` names another. Other levels stay unloaded: tests load them with ``load_level``. ``kernels`` holds the
kernels of the level by name, as programs use them; the eager functions in ``ops`` are connected to the same ones.
"""
import os
import sys
from importlib import import_module
from types import ModuleType

from ._cpus import default_threads

COMMAND = "pip install -e ."
LEVELS = ("base", "v2", "v3", "v4")

try:
    from . import cpu, ops, runner
    from ._build import LEVELS as levels_built
except ImportError as error:
    raise ImportError(f"fastnn is not compiled here. In the folder that holds its setup.py, run:  {COMMAND}  (where "
                      "fastnn is installed, this folder of sources hides it: work in another folder)") from error


def _load_parallel() -> ModuleType:
    """Load the module that brings in OpenMP's runtime, which reads its settings from the environment just then.

    GCC's runtime lets a thread without work spin for milliseconds; where another process or pool wants that core, the
    next parallel region waits for as long (a region 5 ms after the last one: 3 ms, with this short spin 0.04 ms). The
    variable stands only while the runtime loads: child processes do not inherit it. The user's own settings win.
    """
    ours = "GOMP_SPINCOUNT" not in os.environ and "OMP_WAIT_POLICY" not in os.environ
    if ours:
        os.environ["GOMP_SPINCOUNT"] = "10000"
    try:
        return import_module("fastnn._kernels.parallel")
    finally:
        if ours:
            del os.environ["GOMP_SPINCOUNT"]


def load_level(name: str, asked_by: str = "instruction-set level ") -> ModuleType:
    """The module of one level. Raises ImportError for a level that is not built or that this CPU cannot run."""
    if name not in levels_usable:
        reason = ("this CPU does not support it" if name in levels_built else
                  "this build has no such level" if name in LEVELS else "no level has that name")
        raise ImportError(f"{asked_by}{name}: {reason}; choose from {', '.join(levels_usable)}")
    return import_module(f"fastnn._kernels.level_{name}")


def _choose_level() -> ModuleType:
    wanted = os.environ.get("FASTNN_ISA")
    if wanted:
        return load_level(wanted, "FASTNN_ISA=")
    if not levels_usable:
        raise ImportError(f"fastnn was built for {', '.join(levels_built)}, but this CPU supports only "
                          f"{', '.join(levels_supported)}; build it here, without FASTNN_LEVELS:  {COMMAND}")
    return load_level(levels_usable[-1])


def _end_command(error: ImportError) -> None:
    """End the command ``fastnn`` as it ends whenever it cannot do its work: its own code is never reached."""
    script = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""
    if script in ("fastnn", "fastnn.exe") or (script == "-m" and "fastnn" in sys.orig_argv):
        print(f"fastnn: {error}", file=sys.stderr)
        raise SystemExit(2)


levels_supported: tuple[str, ...] = cpu.levels()
levels_usable = tuple(name for name in levels_supported if name in levels_built)
try:
    level, threads = _choose_level(), default_threads()
except ImportError as error:
    _end_command(error)
    raise
parallel = _load_parallel()
parallel.set_num_threads(threads)
runner.connect(parallel.capsule)
ops.connect(level.table, parallel.capsule, runner.limits_capsule(), parallel.get_num_threads)
kernels = runner.Kernels(level.table)
scratch_bytes = level.scratch_bytes
