"""What a run returns instead of raising, as an error that a user can act upon."""
from __future__ import annotations

from .. import _arrays
from .._kernels import runner
from .ir import Operation

Fault = tuple[int, int, int, float, int]        # status, operation, row, value, element of the row


def no_room(name: str, error: MemoryError) -> MemoryError:
    """The error for outputs of a layer or model of this name that find no memory; ``error``: NumPy's, which says how
    large they are."""
    return MemoryError(f"layer {name!r}: no memory for its output: {error!s:.150}; give fewer rows, or make the layer "
                       "or its input smaller")


def fault_error(operations: list[Operation], fault: Fault) -> ValueError:
    """The error for a fault that one of these operations found in data that was not checked before the run."""
    status, i, row, value, element = fault
    operation = operations[i]
    count = int(operation.sizes[-1])
    if status == runner.STATUS_BAD_ID:
        read = operation.outputs[0]
        assert read is not None
        what = "`x`" if read.name == "x" else "its input"
        shape = read.shape if read.fold == 1 else (read.fold, *read.shape)
        return ValueError(_arrays.bad_id(operation.layer, count, what, row, element, shape, value))
    return ValueError(_arrays.bad_label("y", row, value, count))
