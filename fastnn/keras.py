"""So that ``from fastnn import keras`` and ``from fastnn.keras.layers import Dense`` work: the package under that name.

Each public submodule is entered into ``sys.modules`` as ``fastnn.keras.<name>``; it is the same module, not a copy.
"""
import sys as _sys
from types import ModuleType as _ModuleType

import fastnn as _fastnn
from fastnn import *  # noqa: F403

__path__: list[str] = []        # a package for the import system, whose submodules are all entered below

for _name, _module in list(vars(_fastnn).items()):
    if isinstance(_module, _ModuleType) and not _name.startswith("_") and _module.__name__ == f"fastnn.{_name}":
        _sys.modules[f"{__name__}.{_name}"] = _module


def __getattr__(name):
    return getattr(_fastnn, name)
