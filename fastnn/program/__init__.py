"""Plan and run: lowering, fusion, memory plan, programs and their frames; weights and the vectors they live in."""
from .faults import fault_error, no_room
from .ir import Ids, Operation, PerRow, Value
from .lowering import Lowering, as_dtype, check_elements
from .program import Program, threads_for
from .recent import Recent
from .show import Profile
from .variable import Variable, Vector, move_together, trainable_ranges

__all__ = ["Ids", "Lowering", "Operation", "PerRow", "Profile", "Program", "Recent", "Value", "Variable", "Vector",
           "as_dtype", "check_elements", "fault_error", "move_together", "no_room", "threads_for", "trainable_ranges"]
