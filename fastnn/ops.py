"""Eager functions on arrays, compiled (kernels/ops.pyx): element by element, along an axis, reductions, products.

Arrays of float32 and float64 are computed in their dtype, two of them in the wider. Other numbers become floats, as
NumPy promotes them beside float32: bool, float16 and integers of up to 16 bits float32, all else float64, and so do
lists of numbers. A number of Python takes the dtype of the array beside it. Float64 has 53 bits, so integers of 64 bits
beyond 2^53 are rounded first, in ``max``, ``min``, ``argmax`` and ``argmin`` too: equal ones are then told apart by
their place alone.
"""
from ._kernels.ops import (
    add,
    argmax,
    argmin,
    axpy,
    conv,
    dot,
    erf,
    exp,
    gelu,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    mean,
    min,
    multiply,
    norm,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    std,
    sum,
    tanh,
    var,
)

__all__ = [
    "add", "argmax", "argmin", "axpy", "conv", "dot", "erf", "exp", "gelu", "log", "log_softmax", "logsumexp",
    "matmul", "max", "mean", "min", "multiply", "norm", "relu", "sigmoid", "silu", "softmax", "softplus", "std",
    "sum", "tanh", "var"]
