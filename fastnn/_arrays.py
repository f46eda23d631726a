"""The slow path of array checks, and the texts of errors.

The compiled code takes arrays of exactly the right kind; whatever else a caller gives comes through here and is
converted without a surprise, or refused. A text says which argument, what was expected, what came, where, and what to
do, in at most 400 characters. TypeError: no array of numbers, or no number of the right kind. ValueError: a wrong shape
or value.
"""
from __future__ import annotations

import operator
import sys
from collections.abc import Mapping

import numpy as np

from . import backend

GATHERED = frozenset(np.dtype(name) for name in ("float32", "float64", "float16", "uint8", "int32", "int64", "bool"))
NUMBERS = (int, float, np.number, np.bool_)


# arrays


def as_rows(x, argument: str) -> np.ndarray:
    """x as an array (rows, ...) that gather reads: each row contiguous, any distance between rows.

    x: an array or what NumPy makes one of: lists, tuples, frames. Its memory is kept where gather can read it (any
    distance, also negative or zero), and copied where a row is not contiguous, not aligned or of another dtype:
    smaller and unsigned integers become int32 or int64, longer floats float64. A memory-mapped file is read in place:
    do not shorten it meanwhile. Raises TypeError for what holds no real numbers, ValueError for ragged rows or a single
    number.
    """
    array = numbers(x, argument)
    if array.ndim == 0:
        raise ValueError(f"`{argument}` must have a first axis for the rows, got the single number {array[()]}; for "
                         "one row use shape (1, ...)")
    if not (array[:1].flags.c_contiguous and array.flags.aligned):
        return array.copy()
    return array


def as_target(y, shape: tuple, argument: str, integer_targets: bool = False,
              output_shape: tuple | None = None, of_numbers: bool = False) -> np.ndarray:
    """y as an array (rows, *shape) that gather reads; a last axis of 1 is added or taken away, without a copy.

    ``integer_targets``: y holds class numbers for outputs of ``output_shape`` (no batch axis), ``of_numbers``: the
    loss is one of numbers, never of classes; both for a better text. Raises as ``as_rows`` does, and ValueError for
    another shape.
    """
    y = as_rows(y, argument)
    row = y.shape[1:]
    if row == shape:
        return y
    if row == (*shape, 1):
        return y[..., 0]
    if (*row, 1) == shape:
        return y[..., None]
    raise ValueError(_wrong_target(y.shape, shape, argument, integer_targets, output_shape, of_numbers))


def plain(x, argument: str = "x") -> np.ndarray:
    """x as a C-contiguous aligned array of float32 or float64, of any rank, for the eager functions."""
    array = numbers(x, argument)
    return contiguous(array, np.result_type(own_dtype(x, array), np.float32))


def own_dtype(x, array: np.ndarray) -> np.dtype:
    """The dtype of x that decides in which one is computed; ``array``: x as ``numbers`` has it, which widens int8."""
    dtype = getattr(x, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) and dtype.kind in "iu" else array.dtype


def as_float(x, argument: str) -> np.ndarray:
    """x as an array of float32 or float64: its own dtype where that is one of the two, else the default one."""
    dtype = getattr(x, "dtype", None)
    own = isinstance(dtype, np.dtype) and dtype.name in ("float32", "float64")
    return np.asarray(numbers(x, argument), dtype.name if own else backend.floatx())    # type: ignore


def contiguous(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """x C-contiguous and aligned in this dtype: itself where it is so."""
    if x.dtype == dtype and x.flags.c_contiguous and x.flags.aligned:
        return x
    return np.array(x, dtype, order="C")


def numbers(x, argument: str) -> np.ndarray:
    """x as an ndarray of a dtype in GATHERED, of any rank and strides."""
    masked = sys.modules.get("numpy.ma")         # where it was never loaded, nobody has a masked array
    if x is None or (masked is not None and isinstance(x, masked.MaskedArray)):
        raise TypeError(_not_an_array(x, argument))
    if type(x) is not np.ndarray and hasattr(x, "columns") and hasattr(x, "dtypes"):
        from . import _frames  # for who has a table only
        x = _frames.as_array(x, argument)
    try:
        array = np.asarray(x)
    except MemoryError:
        raise
    except Exception as error:       # whatever the __array__ of a foreign object raises
        raise _unreadable(x, argument, error) from None
    if array.dtype in GATHERED:
        return array
    if array.dtype.kind not in "biuf":
        raise TypeError(_not_an_array(x, argument) if array.ndim == 0 else _no_numbers(array, x, argument))
    with np.errstate(over="ignore"):             # a longdouble too large becomes inf, which the scan of the data finds
        return array.astype(_converted(array))


def _converted(array: np.ndarray) -> np.dtype:
    """The dtype in GATHERED that keeps the numbers of an array of another real dtype."""
    native = array.dtype.newbyteorder("=")
    if native in GATHERED:
        return native
    if native.kind == "f":
        return np.dtype(np.float64)
    if native.itemsize < 8:
        return np.result_type(native, np.int32)
    return np.dtype(np.int64 if array.max(initial=0) <= np.iinfo(np.int64).max else np.float64)


# texts for arrays


def _not_an_array(x, argument: str) -> str:
    if x is None:
        return f"`{argument}` must be an array of numbers, got None"
    name = type(x).__name__
    if hasattr(x, "mask") and hasattr(x, "filled"):
        return (f"`{argument}` must be a plain array, got a masked one, whose mask would be ignored; fill it first, "
                f"e.g. {argument}.filled(0)")
    if isinstance(x, Mapping):
        return (f"`{argument}` must be one array, got a {name} with the keys {', '.join(map(str, x)):.80}; join its "
                "columns with numpy.column_stack")
    if hasattr(x, "toarray"):
        return f"`{argument}` must be a dense array, got the sparse {name}; use {argument}.toarray()"
    if isinstance(x, int):           # NumPy made an object of it
        return f"`{argument}` must hold numbers of at most 64 bits, got the int {x!r:.60}; use float({argument})"
    return f"`{argument}` must be an array of numbers, got {name}: {x!r:.60}"


def _unreadable(x, argument: str, error: Exception) -> Exception:
    """The error for what NumPy could not make an array of: ragged lists above all."""
    if isinstance(x, (list, tuple)) and isinstance(error, ValueError):
        lengths = [len(row) if hasattr(row, "__len__") else None for row in x]
        i = next((i for i, n in enumerate(lengths) if n != lengths[0]), None)
        if i is None:
            return ValueError(f"`{argument}` must hold rows of one shape, got rows whose own parts differ in length")
        first, other = ("a single value" if n is None else f"{n} values" for n in (lengths[0], lengths[i]))
        advice = "; fastnn.utils.pad_sequences makes sequences of one length"
        return ValueError(f"`{argument}` must hold rows of one length, got {first} in row 0 and {other} in row {i}"
                          f"{'' if None in (lengths[0], lengths[i]) else advice}")
    return TypeError(f"`{argument}` must be an array of numbers, but {type(x).__name__} cannot be read as one: "
                     f"{error!s:.160}")


def _no_numbers(array: np.ndarray, x, argument: str) -> str:
    """The text for an array of strings, objects, dates, complex numbers or records, made of ``x``."""
    kind, text = array.dtype.kind, f"`{argument}` must hold real numbers, got "
    if kind == "O":
        return text + _object_text(array, argument)
    if kind in "SUT":       # NumPy makes strings of the numbers in a list as well: look at what was in it
        return text + (_object_text(np.asarray(x, object), argument) if array.size else "an empty array of strings")
    if kind == "c":
        return f"{text}complex ones ({array.dtype}); use {argument}.real, or real and imaginary parts as features"
    if kind in "mM":
        return f"{text}dates or times ({array.dtype}); subtract a start and use .astype('float64')"
    if array.dtype.names:
        return (f"{text}a structured array with the fields {', '.join(array.dtype.names):.80}; use "
                f"numpy.lib.recfunctions.structured_to_unstructured({argument})")
    return f"{text}an array of dtype {array.dtype}; convert it first, e.g. to float32"


def _object_text(array: np.ndarray, argument: str) -> str:
    """What the first object is that is no number, and where."""
    place = next((p for p, value in np.ndenumerate(array) if not isinstance(value, NUMBERS)), None)
    if place is None:
        return f"an array of dtype object; use np.asarray({argument}, dtype='float64')"
    value = array[place]
    return f"{value!r:.60} ({type(value).__name__}) at {_place(place)}; {_advice(value, argument)}"


def _advice(value, argument: str) -> str:
    """What to do about a value that is no number."""
    if not isinstance(value, (str, bytes)):
        return "fill in or drop such rows"
    try:
        float(value)
    except ValueError:
        return f"number them first, e.g. np.unique({argument}, return_inverse=True)[1]"
    return f"use np.asarray({argument}).astype('float32')"


def _place(index: tuple) -> str:
    """(3, 1) as "row 3, column 1"."""
    if len(index) == 1:
        return f"row {index[0]}"
    return f"row {index[0]}, " + (f"column {index[1]}" if len(index) == 2 else f"position {tuple(map(int, index[1:]))}")


def _wrong_target(got: tuple, shape: tuple, argument: str, integer_targets: bool, output_shape: tuple | None,
                  of_numbers: bool) -> str:
    expected = (got[0], *shape)
    if integer_targets and got[1:] == output_shape:
        return (f"`{argument}` must hold class numbers, shape {expected}, got one-hot rows of shape {got}; use "
                f"loss='categorical_crossentropy', or np.argmax({argument.split()[-1]}, -1)")
    text = f"`{argument}` must have shape {expected}, like the output of the model, got shape {got}"
    if output_shape is not None and not integer_targets and got[1:] in (output_shape[:-1], (*output_shape[:-1], 1)):
        if of_numbers:
            return f"{text}; for one number a row the last layer must have 1 unit, not {output_shape[-1]}"
        text += ("; for class numbers use loss='sparse_categorical_crossentropy', or one-hot rows: "
                 f"fastnn.utils.to_categorical({argument})")
    elif output_shape is not None and len(output_shape) > 1 and got[1:] in ((), (1,), output_shape[-1:]):
        text += "; for one answer a row put Flatten, or a layer of global pooling, before the last Dense"
    return text


def not_finite(argument: str, array: np.ndarray, row: int) -> str:
    """The text for the first NaN, inf or number beyond float32 of ``array``, which is in this row."""
    wrong = np.argwhere(~np.isfinite(array[row]))
    if not len(wrong):
        with np.errstate(over="ignore"):
            wrong = np.argwhere(~np.isfinite(np.asarray(array[row]).astype(np.float32)))
    inner = tuple(int(i) for i in wrong[0])
    value = array[row][inner]
    if np.isfinite(value):
        return (f"`{argument}` must hold numbers within the range of float32, got {value} at {_place((row, *inner))}; "
                "scale them down first")
    return f"`{argument}` must hold finite numbers, got {value} at {_place((row, *inner))}; fill in or drop such rows"


def bad_label(argument: str, row: int, value: float, classes: int, element: int = 0, shape: tuple = ()) -> str:
    """The text for a label that is no class number: the ``element`` of a row of this shape."""
    inner = np.unravel_index(element, shape) if shape not in ((), (1,)) else ()
    place = f"row {row}, step {inner[0]}" if len(inner) == 1 else _place((row, *inner))
    text = (f"`{argument}` must hold whole class numbers from 0 to {classes - 1}, as the output has {classes} classes, "
            f"got {value:.15g} at {place}")
    return text + (f"; if the classes are numbered from 1, use {argument.split()[-1]} - 1" if value == classes else "")


def bad_id(layer: str, count: int, what: str, row: int, element: int, shape: tuple, value: float) -> str:
    """The text for a number that is no id of a layer: the ``element`` of a row of this shape of ``what``."""
    place = tuple(int(i) for i in np.unravel_index(element, shape))
    where = f", step {place[0]}" if len(place) == 1 else f", position {place}" if place else ""
    if not np.isfinite(value) or value != np.floor(value):
        advice = "; ids are whole numbers"
    elif value < 0:
        advice = "; what stands for no id, such as padding, must have a number too, e.g. 0"
    else:
        advice = f"; make `input_dim` of the layer larger than every id: {value + 1:.15g} or more"
    return (f"layer {layer!r} looks up ids from 0 to {count - 1}, got {value:.15g} at row {row}{where} of {what}"
            f"{advice}")


# checks of shapes and settings


def as_weights(weights, rows: int, argument: str = "sample_weight", steps: tuple = (), double: bool = False
               ) -> np.ndarray:
    """Weights of samples as (rows,) finite numbers, none negative; TypeError or ValueError otherwise.

    ``steps``: the shape of a row of losses, where it has several; weights may have one for each: (rows, *steps).
    ``double``: whether they are read as float64, not float32, in whose range they must be.
    """
    weights = as_rows(weights, argument)
    if steps and weights.shape == (rows, *steps):
        pass
    elif weights.shape in ((rows,), (rows, 1)):
        weights = weights.reshape(rows)
    else:
        also = f", or one a step, {(rows, *steps)}" if steps else ""
        raise ValueError(f"`{argument}` must have one weight a row, shape ({rows},){also}, got shape {weights.shape}")
    most = weights.max() if weights.size else 0
    if weights.size and not (weights.min() >= 0 and most < np.inf):
        raise ValueError(f"`{argument}` must hold finite numbers >= 0, got {weights.min()} to {most}")
    if not double and most > np.finfo(np.float32).max:
        with np.errstate(over="ignore"):
            beyond = np.argwhere(np.isinf(weights.astype(np.float32)))
        if len(beyond):                           # else it is rounded down to the largest float32
            raise ValueError(not_finite(argument, weights, int(beyond[0][0])))
    return weights


def number(where: str, argument: str, value, below: float = np.inf) -> float:
    """A setting that is a number of at least 0 and less than ``below``, as a float; ValueError otherwise."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not 0 <= value < below:
        rule = "a finite number of at least 0" if below == np.inf else f"a number in [0, {below:g})"
        raise ValueError(f"{where}: `{argument}` must be {rule}, got {value!r:.60}")
    return float(value)


def check_features(x: np.ndarray, shape: tuple, layer: str, argument: str = "x", ids: bool = False) -> None:
    """Raise ValueError unless x has shape (rows, *shape), where None stands for any size. ``ids``: x must hold ids."""
    row = x.shape[1:]
    if fits(row, shape):
        return
    expected = ", ".join("any" if n is None else str(n) for n in ("rows", *shape))
    text = f"`{argument}` must have shape ({expected}) for {layer!r}, got shape {x.shape}"
    if x.ndim == 1:
        text += "; for one row use x.reshape(1, -1), for one feature x.reshape(-1, 1)"
    elif fits(x.shape, shape):
        text += "; for one row add an axis: x[None]"
    elif len(row) == len(shape):
        text += _size_advice(row, shape, ids)
    raise ValueError(text)


def _size_advice(row: tuple, shape: tuple, ids: bool) -> str:
    """What to do about rows that are longer or shorter than expected, or images of another size; "" for others."""
    features = () if ids else shape[-1:]
    if row[len(row) - len(features):] != features or len(shape) == len(features):
        return ""
    open_shape = (None,) * (len(shape) - len(features)) + features
    pad = f", pad_sequences makes {shape[0]} steps of others" if len(shape) - len(features) == 1 else ""
    return f"; a model that begins with Input({open_shape}) takes any size{pad}"


def fits(shape: tuple, expected: tuple) -> bool:
    """Whether a shape is the expected one, in which None stands for any size; so it does in the shape."""
    return len(shape) == len(expected) and all(n is None or e in (None, n) for n, e in zip(shape, expected))


def check_same_length(**arrays: np.ndarray) -> None:
    """Raise ValueError unless all arrays, given by argument name, have the same number of rows."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        names = " and ".join(f"`{name}`" for name in lengths)
        raise ValueError(f"{names} must have the same number of rows, got {' and '.join(map(str, lengths.values()))}")


def check_not_empty(argument: str, array: np.ndarray) -> None:
    """Raise ValueError if there is nothing to train on."""
    if array.size == 0:
        raise ValueError(f"`{argument}` must hold at least one row and one value in it, got an empty array of shape "
                         f"{array.shape}")


def whole_number(argument: str, value, least: int) -> int:
    """A setting that counts something, as an int; True and 1.0 are no counts."""
    if type(value) is int and value >= least:
        return value
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"`{argument}` must be a whole number of at least {least}, got {type(value).__name__}: "
                        f"{value!r:.60}")
    if number < least:
        raise ValueError(f"`{argument}` must be a whole number of at least {least}, got {number}")
    return number


def optional_name(where: str, value) -> str | None:
    """A name, or None: one is made then; ValueError otherwise."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{where}: `name` must be a str or None, got {type(value).__name__}: {value!r:.60}")
    return value


def check_axis(axis, rank: int, expected: str = "a whole number", where: str = "") -> int:
    """An axis of an array of this rank, counted from 0; ``expected``: all that the argument may be.

    ``where``: what the texts begin with, such as "layer 'dense': ".
    """
    number = whole_axis(axis, expected, where)
    if rank == 0:
        raise ValueError(f"{where}`axis` must be None for a single number, which has no axes, got {number}")
    if not -rank <= number < rank:
        raise ValueError(f"{where}`axis` must be from {-rank} to {rank - 1} for an array of rank {rank}, got {number}")
    return number % rank


def whole_axis(axis, expected: str = "a whole number", where: str = "") -> int:
    """An axis as an int; TypeError for anything else."""
    try:
        return operator.index(axis)
    except TypeError:
        raise TypeError(f"{where}`axis` must be {expected}, got {type(axis).__name__}: {axis!r:.60}") from None


def check_axes(axes, rank: int) -> list[int]:
    """Several axes of an array of this rank, counted from 0 and in order; ValueError for one named twice."""
    found = sorted(check_axis(axis, rank) for axis in axes)
    if len(set(found)) < len(found):
        raise ValueError(f"`axis` must not name an axis twice, got {axes!r:.60}")
    return found


def real_number(argument: str, value, expected: str = "a real number") -> float:
    """A real number, as a float; TypeError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"`{argument}` must be {expected}, got {type(value).__name__}: {value!r:.60}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"`{argument}` must be {expected}, got an integer of {int(value).bit_length()} bits, which "
                         "float64 cannot hold") from None
