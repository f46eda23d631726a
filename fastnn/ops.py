"""Eager functions on arrays, compiled (kernels/ops.pyx): element by element, along an axis, reductions, products."""
from ._kernels.ops import (
    add,
    argmax,
    argmin,
    axpy,
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
    "add", "argmax", "argmin", "axpy", "dot", "erf", "exp", "gelu", "log", "log_softmax", "logsumexp", "matmul", "max",
    "mean", "min", "multiply", "norm", "relu", "sigmoid", "silu", "softmax", "softplus", "std", "sum", "tanh", "var"]
