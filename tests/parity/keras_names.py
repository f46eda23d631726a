"""Every public name of Keras, by namespace: what docs/coverage.md and the texts for unknown names are made from."""

import inspect
from types import ModuleType

# Keras's own machinery, and the namespaces it keeps for programs written for an older one.
PASSED_OVER = ("_tf_keras", "src", "legacy")


def kind_of(thing):
    """Class, function or value."""
    return "class" if inspect.isclass(thing) else "function" if callable(thing) else "value"


def keras_names(module, namespace=""):
    """{namespace: {name: kind}} of a public module of Keras and all below; the top level is the namespace ""."""
    found, below = {}, {}
    for name, thing in sorted(vars(module).items()):
        if name.startswith("_") or name in PASSED_OVER:
            continue
        if isinstance(thing, ModuleType):
            if thing.__name__ == f"{module.__name__}.{name}":            # not what a module happens to import
                below |= keras_names(thing, f"{namespace}.{name}" if namespace else name)
        else:
            found[name] = kind_of(thing)
    return {namespace: found, **below}
