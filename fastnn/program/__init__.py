"""Plan and run: lowering, fusion, memory plan, programs and their frames; weights and the vectors they live in."""
from .ir import Operation, PerRow, Value
from .lowering import Lowering, as_dtype, check_elements
from .program import Program, threads_for
from .recent import Recent
from .show import Profile
from .variable import Variable, Vector, move_together, trainable_ranges

__all__ = ["Lowering", "Operation", "PerRow", "Profile", "Program", "Recent", "Value", "Variable", "Vector", "as_dtype",
           "check_elements", "move_together", "threads_for", "trainable_ranges"]
