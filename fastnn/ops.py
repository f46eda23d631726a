"""Eager functions on arrays: ``dot``, ``matmul``, ``relu``, ``sigmoid``, ``tanh``, ``softmax``; compiled
(kernels/ops.pyx)."""
from ._kernels.ops import dot, matmul, relu, sigmoid, softmax, tanh

__all__ = ["dot", "matmul", "relu", "sigmoid", "softmax", "tanh"]
