"""The switch of Winograd's algorithm, which does convolutions by 3x3 windows with a quarter of the multiplications.

It is on unless ``FASTNN_WINOGRAD=0`` stands in the environment at import. Where it is on, the shapes of a convolution
alone decide whether it is used (``layers/winograd.py``), so results still have the same bits for any batch and any
number of threads. Its errors are like those of plain sums, which are nine times as long: in float32, over 32 to 512
channels of normal data, 6e-7 to 3e-6 of the largest output. An infinite input, or in float32 one beyond some 1e37 (a
tenth of what the dtype holds), makes the 4 x 4 outputs of every tile that sees it infinite or NaN, where plain sums
would make some of them infinite or none.
"""
import os

enabled = os.environ.get("FASTNN_WINOGRAD", "1") != "0"


def get_winograd() -> bool:
    """Whether convolutions by 3x3 windows may use Winograd's algorithm."""
    return enabled


def set_winograd(value: bool) -> None:
    """Allow or forbid Winograd's algorithm to all models of the process, from their next call on.

    Raises TypeError for what is not True or False.

    >>> before = get_winograd()
    >>> set_winograd(False)
    >>> get_winograd()
    False
    >>> set_winograd(before)
    """
    global enabled
    if not isinstance(value, bool):
        raise TypeError(f"set_winograd expects True or False, got {value!r:.60}")
    enabled = value
