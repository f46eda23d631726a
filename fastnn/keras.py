"""So that ``from fastnn import keras`` and ``from fastnn.keras.layers import Dense`` work: the package under that name.

Each public submodule is entered into ``sys.modules`` as ``fastnn.keras.<name>``, and those below it likewise; it is the
same module, not a copy.
"""
import sys as _sys
from types import ModuleType as _ModuleType

import fastnn as _fastnn
from fastnn import *  # noqa: F403

__path__: list[str] = []        # a package for the import system, whose submodules are all entered below


def _enter(package: _ModuleType, path: str) -> None:
    """Enter the modules of a package, as far as they are loaded, below another path."""
    for name, module in list(vars(package).items()):
        own = isinstance(module, _ModuleType) and module.__name__ == f"{package.__name__}.{name}"
        if own and not name.startswith("_") and module is not _sys.modules[__name__]:
            _sys.modules[f"{path}.{name}"] = module
            _enter(module, f"{path}.{name}")


_enter(_fastnn, __name__)


def __getattr__(name):
    return getattr(_fastnn, name)
