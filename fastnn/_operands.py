"""The slow path of the eager functions: operands that kernels cannot take as they are, and the texts of errors.

What is no plain array is made one by ``_arrays``; here two operands are fitted to each other, and what is written to is
checked.
"""
from __future__ import annotations

import numpy as np

from ._arrays import contiguous, numbers, own_dtype
from .backend import image_data_format as image_data_format


def vectors(x1, x2) -> tuple[np.ndarray, np.ndarray]:
    """x1 and x2 as plain arrays of one dtype and one length, for ``ops.dot``."""
    a, b = numbers(x1, "x1"), numbers(x2, "x2")
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"dot: `x1` and `x2` must be vectors of one length, got shapes {a.shape} and {b.shape}")
    dtype = np.result_type(own_dtype(x1, a), own_dtype(x2, b), np.float32)
    return contiguous(a, dtype), contiguous(b, dtype)


def matrices(x1, x2) -> tuple[np.ndarray, np.ndarray]:
    """x1 and x2 as aligned arrays of one dtype, of any strides, for ``ops.matmul``."""
    a, b = numbers(x1, "x1"), numbers(x2, "x2")
    dtype = np.result_type(own_dtype(x1, a), own_dtype(x2, b), np.float32)
    return _aligned(a, dtype), _aligned(b, dtype)


def _aligned(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return x if x.dtype == dtype and x.flags.aligned else np.array(x, dtype)


def no_product(a: np.ndarray, b: np.ndarray) -> ValueError:
    """The error for shapes that have no matrix product."""
    return ValueError("matmul: `x1` must have shape (..., M, K) or (K,), `x2` shape (..., K, N) or (K,), leading axes "
                      f"that broadcast, got {a.shape} and {b.shape}")


def images(inputs, kernel) -> tuple[np.ndarray, np.ndarray]:
    """Images and filters as plain arrays of one dtype, for ``ops.conv``."""
    x, w = numbers(inputs, "inputs"), numbers(kernel, "kernel")
    dtype = np.result_type(own_dtype(inputs, x), own_dtype(kernel, w), np.float32)
    return contiguous(x, dtype), contiguous(w, dtype)


def window(function: str, argument: str, value, axes: int) -> tuple[int, ...]:
    """A positive int for each axis; ValueError unless ``value`` is one for all, or one for each."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    given = tuple(value) if isinstance(value, (list, tuple)) else (value,) * axes
    if len(given) != axes or not all(hasattr(n, "__index__") and not isinstance(n, bool) and 0 < n < 2**31
                                     for n in given):
        several = f", or {axes} of them" if axes > 1 else ""
        raise ValueError(f"{function}: `{argument}` must be a positive int{several}, got {value!r:.60}")
    return tuple(n.__index__() for n in given)


def check_windows(function: str, padding, data_format) -> str:
    """The padding in lower case; ValueError unless both are known, and channels last."""
    known = padding.lower() if isinstance(padding, str) else padding
    if known not in ("valid", "same"):
        raise ValueError(f"{function}: `padding` must be 'valid' or 'same', got {padding!r:.60}")
    if (image_data_format() if data_format is None else data_format) != "channels_last":
        default = ", as backend.set_image_data_format says" if data_format is None else ""
        raise ValueError(f"{function}: `data_format` must be 'channels_last', as channels come last here, got "
                         f"{data_format or image_data_format()!r:.60}{default}; numpy.moveaxis moves them")
    return known


def part(w: np.ndarray, first: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """So many rows and columns of a convolution's kernel, or columns of one for steps."""
    cut = [slice(a, a + n) for a, n in zip(first, size)]
    return np.ascontiguousarray(w[tuple(cut[4 - w.ndim:])])


def no_convolution(x: np.ndarray, w: np.ndarray) -> ValueError:
    """The error for shapes that have no convolution."""
    return ValueError("conv: `inputs` must have shape (batch, height, width, channels) or (batch, steps, channels), "
                      "`kernel` shape (height, width, channels / groups, filters) or (steps, channels / groups, "
                      "filters), no larger than the image (with padding='valid'), and as many filters in each group, "
                      f"got {x.shape} and {w.shape}")


def combined(function: np.ufunc, x1, x2, out) -> np.ndarray:
    """NumPy's function of two arrays that broadcast, as the kernels give it: numbers of Python take the dtype of the
    other, and nothing warns."""
    a, b = numbers(x1, "x1"), numbers(x2, "x2")
    dtype = a.dtype
    if b.dtype != dtype or dtype not in (np.float32, np.float64):
        kinds = [x if type(x) in (bool, int, float) else own_dtype(x, array) for x, array in ((x1, a), (x2, b))]
        dtype = np.result_type(np.result_type(*kinds), np.float32)
    try:
        shape = np.broadcast(a, b).shape
    except ValueError:
        raise ValueError(f"`x1` and `x2` must have shapes that broadcast, got {a.shape} and {b.shape}") from None
    if out is not None and (type(out) is not np.ndarray or out.shape != shape or out.dtype != dtype
                            or not out.flags.carray):
        raise wrong_out(out, shape, dtype.name)
    with np.errstate(all="ignore"):
        return np.asarray(function(a, b, out, dtype=dtype, order="C"))


def added(x, y) -> np.ndarray:
    """x as ``ops.axpy`` adds it to y, which must be an array to write to."""
    if type(y) is not np.ndarray or y.dtype not in (np.float32, np.float64) or not y.flags.carray:
        raise _not_writable("y", y, "of float32 or float64")
    array = numbers(x, "x")
    if array.shape != y.shape:
        raise ValueError(f"axpy: `x` must have the shape of `y`, {y.shape}, got {array.shape}")
    return contiguous(array, y.dtype)


def wrong_out(out, shape: tuple, dtype: str) -> Exception:
    """The error for an ``out`` that cannot take a result of this shape and dtype."""
    if type(out) is np.ndarray and (out.shape != shape or out.dtype != dtype):
        return ValueError(f"`out` must have the shape and dtype of the result, {shape} and {dtype}, got {out.shape} "
                          f"and {out.dtype}")
    return _not_writable("out", out, f"of shape {shape} and dtype {dtype}")


def _not_writable(argument: str, x, kind: str) -> Exception:
    """The error for what a kernel cannot write to."""
    text = f"`{argument}` must be a C-contiguous, writable numpy.ndarray {kind}, got "
    if type(x) is not np.ndarray:
        return TypeError(f"{text}{type(x).__name__}: {x!r:.60}".replace("\n", " "))
    if x.dtype not in (np.float32, np.float64):
        return ValueError(f"{text}one of dtype {x.dtype}")
    which = "read-only" if not x.flags.writeable else "not C-contiguous" if x.flags.aligned else "not aligned"
    return ValueError(f"{text}one of shape {x.shape} that is {which}")


def check_ord(order, axis, x: np.ndarray) -> None:
    """Raise ValueError unless this is the order of a norm that ``ops.norm`` has."""
    vectors = x.ndim == 1 if axis is None else not isinstance(axis, (tuple, list)) or len(axis) == 1
    number = isinstance(order, (int, float, np.integer, np.floating)) and not isinstance(order, bool)
    if not (number and order == 2 and vectors):
        raise ValueError("norm: `ord` must be None, or 2 for vectors (a 1-D `x`, or one `axis`), got "
                         f"{order!r:.60} for an array of shape {x.shape}; numpy.linalg.norm has others")
