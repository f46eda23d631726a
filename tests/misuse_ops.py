"""What users do wrong with the eager functions: {what: (call, words that the text must have)}, for test_errors.py."""
import numpy as np

from fastnn import ops

TABLE = np.ones((2, 3))
READ_ONLY = np.frombuffer(bytes(48)).reshape(2, 3)

CASES = {
    "dot of lengths that differ": (lambda b: ops.dot(np.ones(3), np.ones(4)), "`x`", "`y`", "(3,)", "(4,)"),
    "matmul with a number": (lambda b: ops.matmul(TABLE, 2.0), "`a`", "`b`", "(2, 3)", "()"),
    "matmul of batches that do not fit": (lambda b: ops.matmul(np.ones((2, 3, 4)), np.ones((3, 4, 5))), "`a`", "`b`",
                                          "(2, 3, 4)", "(3, 4, 5)"),
    "matmul of words": (lambda b: ops.matmul(TABLE, [["a"]]), "`b`", "real numbers", "'a'"),
    "add of shapes that do not fit": (lambda b: ops.add(TABLE, np.ones(2)), "`x1`", "`x2`", "(2, 3)", "(2,)"),
    "an out of another shape": (lambda b: ops.relu(TABLE, out=np.ones((3, 2))), "`out`", "(2, 3)", "(3, 2)"),
    "an out of another dtype": (lambda b: ops.exp(TABLE, out=np.ones((2, 3), "float32")), "`out`", "float64",
                                "float32"),
    "an out of whole numbers": (lambda b: ops.exp(TABLE, out=np.ones((2, 3), int)), "`out`", "float64", "int64"),
    "an out that is a list": (lambda b: ops.matmul(TABLE, TABLE.T, out=[[0.0, 0.0], [0.0, 0.0]]), "`out`", "ndarray",
                              "list"),
    "an out that is read-only": (lambda b: ops.softmax(TABLE, out=READ_ONLY), "`out`", "writable", "read-only"),
    "an out that is transposed": (lambda b: ops.matmul(TABLE, TABLE.T, out=np.ones((2, 2)).T), "`out`",
                                  "not C-contiguous"),
    "axpy into a list": (lambda b: ops.axpy(1.0, [1.0], [2.0]), "`y`", "ndarray", "list"),
    "axpy into whole numbers": (lambda b: ops.axpy(1.0, [1.0], np.array([2])), "`y`", "float32 or float64", "int64"),
    "axpy of another shape": (lambda b: ops.axpy(1.0, np.ones(3), np.ones((2, 3))), "`x`", "`y`", "(2, 3)", "(3,)"),
    "axpy with a word": (lambda b: ops.axpy("2", [1.0], np.ones(1)), "`alpha`", "real number", "'2'"),
    "relu of words": (lambda b: ops.relu(["a"]), "`x`", "real numbers", "'a'"),
    "softmax over rows and columns apart": (lambda b: ops.softmax(np.ones((2, 3, 4)), (0, 2)), "`axis`",
                                            "side by side", "(0, 2)"),
    "log_softmax of a number": (lambda b: ops.log_softmax(3.0), "`x`", "rank 1", "number"),
    "sum over an axis that is not there": (lambda b: ops.sum(TABLE, axis=2), "`axis`", "-2 to 1", "got 2"),
    "sum of a number over an axis": (lambda b: ops.sum(3.0, axis=0), "`axis`", "None for a single number", "got 0"),
    "mean over one axis twice": (lambda b: ops.mean(TABLE, axis=(1, -1)), "`axis`", "once", "(1, -1)"),
    "argmax over several axes": (lambda b: ops.argmax(TABLE, axis=(0, 1)), "`axis`", "whole number", "(0, 1)"),
    "max of nothing": (lambda b: ops.max([]), "max", "`x`", "(0,)"),
    "argmin of nothing": (lambda b: ops.argmin(np.ones((0, 3)), axis=0), "argmin", "`x`", "(0, 3)"),
    "a norm of another order": (lambda b: ops.norm(TABLE, 1, axis=0), "`ord`", "None, or 2", "got 1",
                                "numpy.linalg.norm"),
    "the norm of order 2 of a matrix": (lambda b: ops.norm(TABLE, 2), "`ord`", "vectors", "(2, 3)"),
}
