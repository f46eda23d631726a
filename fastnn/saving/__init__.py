"""Model files: one format, one way in, one parser; nothing in a file is ever run."""
import sys as _sys

from .. import _names
from .._describe import custom_object_scope, register_keras_serializable
from .errors import ModelFileError
from .format import MAX_BYTES

CustomObjectScope = custom_object_scope

__all__ = ["CustomObjectScope", "MAX_BYTES", "ModelFileError", "custom_object_scope", "load_model",
           "register_keras_serializable", "save_model"]


def __getattr__(name):
    if name in ("load_model", "save_model"):             # which know models, and this package stands below them
        from .. import models
        return getattr(models, name)
    raise _names.unknown(_sys.modules[__name__], name, _sys._getframe(1))
