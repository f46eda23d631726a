"""What users do wrong with the eager functions: {what: (call, words that the text must have)}, for test_errors.py."""
import numpy as np

from fastnn import ops

TABLE = np.ones((2, 3))
READ_ONLY = np.frombuffer(bytes(48)).reshape(2, 3)

CASES = {
    "dot of lengths that differ": (lambda b: ops.dot(np.ones(3), np.ones(4)), "`x1`", "`x2`", "(3,)", "(4,)"),
    "matmul with a number": (lambda b: ops.matmul(TABLE, 2.0), "`x1`", "`x2`", "(2, 3)", "()"),
    "matmul of batches that do not fit": (lambda b: ops.matmul(np.ones((2, 3, 4)), np.ones((3, 4, 5))), "`x1`", "`x2`",
                                          "(2, 3, 4)", "(3, 4, 5)"),
    "matmul of words": (lambda b: ops.matmul(TABLE, [["a"]]), "`x2`", "real numbers", "'a'"),
    "add of shapes that do not fit": (lambda b: ops.add(TABLE, np.ones(2)), "`x1`", "`x2`", "(2, 3)", "(2,)"),
    "add of a whole number of more than 64 bits": (lambda b: ops.add(2**70, 1.0), "`x1`", "64 bits", "float(x1)"),
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
    "axpy into a read-only array": (lambda b: ops.axpy(1.0, TABLE, READ_ONLY), "`y`", "writable", "read-only"),
    "axpy of another shape": (lambda b: ops.axpy(1.0, np.ones(3), np.ones((2, 3))), "`x`", "`y`", "(2, 3)", "(3,)"),
    "axpy with a word": (lambda b: ops.axpy("2", [1.0], np.ones(1)), "`alpha`", "real number", "'2'"),
    "relu of words": (lambda b: ops.relu(["a"]), "`x`", "real numbers", "'a'"),
    "softmax over no axis": (lambda b: ops.softmax(TABLE, ()), "`axis`", "name an axis", "()"),
    "relu of a dictionary": (lambda b: ops.relu({1: 2}), "`x`", "one array", "dict"),
    "axpy with a very long number": (lambda b: ops.axpy(10**5000, [1.0], np.ones(1)), "`alpha`", "16610 bits"),
    "sum over an axis of 1.0": (lambda b: ops.sum(TABLE, axis=1.0), "`axis`", "None, a whole number or a tuple", "1.0"),
    "log_softmax of a number": (lambda b: ops.log_softmax(3.0), "`x`", "rank 1", "number"),
    "sum over an axis that is not there": (lambda b: ops.sum(TABLE, axis=2), "`axis`", "-2 to 1", "got 2"),
    "sum of a number over an axis": (lambda b: ops.sum(3.0, axis=0), "`axis`", "None for a single number", "got 0"),
    "mean over one axis twice": (lambda b: ops.mean(TABLE, axis=(1, -1)), "`axis`", "twice", "(1, -1)"),
    "argmax over several axes": (lambda b: ops.argmax(TABLE, axis=(0, 1)), "`axis`", "whole number", "(0, 1)"),
    "max of nothing": (lambda b: ops.max([]), "max", "`x`", "(0,)"),
    "argmin of nothing": (lambda b: ops.argmin(np.ones((0, 3)), axis=0), "argmin", "`x`", "(0, 3)"),
    "a norm of another order": (lambda b: ops.norm(TABLE, 1, axis=0), "`ord`", "None, or 2", "got 1",
                                "numpy.linalg.norm"),
    "a norm of several orders": (lambda b: ops.norm(TABLE[0], np.array([2, 2])), "`ord`", "None, or 2",
                                "array([2, 2])"),
    "the norm of order 2 of ragged rows": (lambda b: ops.norm([[1], [2, 3]], 2), "`x`", "one length", "2 values"),
    "the norm of order 2 of nothing": (lambda b: ops.norm(None, 2), "`x`", "array of numbers", "None"),
    "the norm of order 2 of a matrix": (lambda b: ops.norm(TABLE, 2), "`ord`", "vectors", "(2, 3)"),
}
