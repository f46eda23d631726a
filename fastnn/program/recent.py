"""The few programs that were made last."""
from __future__ import annotations

import threading
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
KEPT = 16                       # each holds an arena as large as its longest run asked for
_INSERTING = threading.Lock()   # of all: inserting is rare, and an object without a lock of its own can be copied


class Recent(dict[K, V]):
    """A dict of what takes long to make, filled by ``keep``: the ``KEPT`` entries that were made last.

    Looking up is a dict's own ``get``, so that a call on an array costs no more; what is evicted was made first.
    """

    def keep(self, key: K, value: V) -> V:
        """``value``, kept under ``key``; what another thread has kept there meanwhile comes first."""
        with _INSERTING:
            if key not in self:
                while len(self) >= KEPT:
                    del self[next(iter(self))]
                self[key] = value
            return self.get(key, value)
