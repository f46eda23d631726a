"""Tables with named columns (pandas, polars and their like) as arrays of numbers; what cannot be one is named."""
from __future__ import annotations

import numpy as np

from . import _arrays


def as_array(frame, argument: str) -> np.ndarray:
    """The numbers of a frame, (rows, columns); TypeError names the first column that holds none.

    Numbers and truth values of several dtypes become float64, or the dtype that keeps them all.
    """
    dtypes = list(frame.dtypes)
    for place, dtype in enumerate(dtypes):
        if not _is_number(dtype):
            raise TypeError(_wrong_column(frame, place, dtype, argument))
    array = np.asarray(frame)
    if array.dtype.kind in "biuf":
        return array
    try:
        return np.asarray(frame, dtype=np.float64)
    except (TypeError, ValueError):                  # missing values that have no number to stand for them
        place = next(i for i in range(len(dtypes)) if _missing(frame, i) is not None)
        raise TypeError(f"`{argument}` must hold real numbers, got a missing value at row {_missing(frame, place)}, "
                        f"column {_name(frame, place)}; fill in or drop such rows") from None


def _is_number(dtype) -> bool:
    """Whether a column of this dtype holds numbers or truth values."""
    kind = getattr(dtype, "kind", None)              # NumPy's letter, which pandas's own dtypes have too
    if isinstance(kind, str):
        return kind in "biuf"
    is_numeric = getattr(dtype, "is_numeric", None)  # polars
    return str(dtype) == "Boolean" or (is_numeric is not None and bool(is_numeric()))


def _column(frame, place: int):
    return frame.iloc[:, place] if hasattr(frame, "iloc") else frame[frame.columns[place]]


def _name(frame, place: int) -> str:
    return f"{list(frame.columns)[place]!r:.60}"


def _missing(frame, place: int) -> int | None:
    """The first row of a column that is missing, or None."""
    missing = np.asarray(_column(frame, place).isna())
    return int(missing.argmax()) if missing.any() else None


def _wrong_column(frame, place: int, dtype, argument: str) -> str:
    """The text for a column that holds no numbers."""
    text, name = f"`{argument}` must hold real numbers, got ", _name(frame, place)
    kind = str(dtype).lower()
    if kind.startswith(("date", "time", "duration", "period")):
        return f"{text}the column {name} of dates or times ({dtype!s:.40}); subtract a start first"
    values = np.asarray(_column(frame, place), object)
    row = next((i for i, value in enumerate(values) if not isinstance(value, _arrays.NUMBERS)), None)
    shown = "" if row is None else f", which has {values[row]!r:.40} at row {row}"
    if hasattr(frame, "to_dummies"):
        advice = "make it numbers, e.g. with to_dummies"
    elif kind == "object" and not (row is not None and isinstance(values[row], str)):
        advice = "use astype('float64')" if row is None else "fill in or drop such rows, then use astype('float64')"
    else:
        advice = "make it numbers, e.g. with pandas.get_dummies"
    return f"{text}the column {name} of dtype {str(dtype).split('(')[0]:.40}{shown}; {advice}"
