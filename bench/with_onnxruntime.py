"""ONNX Runtime: predicts with the weights that fastnn has learned; the net is written as a graph of its operations.

BENCH_THREADS: the threads of an operation, by default as many as it likes.
"""
import os

import numpy as np
import onnxruntime
import with_fastnn
from contestants import Contestant
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8


def make(workload, x, y):
    trained = with_fastnn.make(workload, x, y)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("BENCH_THREADS", "0"))
    sessions = []

    def train(epochs):
        loss = trained.train(epochs)
        model = graph_of(workload, trained.call.get_weights())
        sessions[:] = [onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])]
        return loss

    train(1)
    rows = np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if workload.pictures else x
    return Contestant(train, rows, lambda rows: sessions[0].run(None, {"x": rows})[0], trains=False)


def graph_of(workload, weights):
    """The bytes of the model of a net with these weights; its pictures have their channels first."""
    nodes, given, last = [], [], "x"
    for number, (kind, arrays, attributes) in enumerate(operations(workload, iter(weights))):
        names = [f"weight {len(given) + i}" for i in range(len(arrays))]
        given += [numpy_helper.from_array(np.ascontiguousarray(a), name) for a, name in zip(arrays, names)]
        nodes.append(helper.make_node(kind, [last, *names], [f"output {number}"], **attributes))
        last = f"output {number}"
    shape = ["rows", *np.roll(workload.shape, 1).tolist()] if workload.pictures else ["rows", *workload.shape]
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)], given)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)],
                             ir_version=IR_VERSION).SerializeToString()


def operations(workload, arrays):
    """The operations in order: (kind, weights, attributes)."""
    *image, size = workload.shape
    if not workload.pictures:
        image = []
        yield "Transpose", [], {"perm": [1, 0, 2]}                     # steps first
    for number, (kind, *settings) in enumerate(workload.layers, start=1):
        if kind == "convolution":
            yield "Conv", [next(arrays).transpose(3, 2, 0, 1), next(arrays)], {}
            yield "Relu", [], {}
            image, size = [n - 2 for n in image], settings[0]
        elif kind == "lstm":
            yield "LSTM", lstm(*(next(arrays) for _ in range(3))), {"hidden_size": settings[0]}
            if settings[1]:
                yield "Squeeze", [np.array([1])], {}                   # (steps, one direction, rows, units)
            else:
                yield "Gather", [np.array([-1])], {"axis": 0}          # the last step
                yield "Squeeze", [np.array([0, 1])], {}
        elif kind == "max_pooling":
            yield "MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}
            image = [n // 2 for n in image]
        elif kind == "flatten":
            yield "Flatten", [], {}
        else:
            kernel, bias = next(arrays), next(arrays)
            if image:                              # after Flatten: what it has in a row stands there channel by channel
                kernel, image = kernel.reshape(*image, size, -1).transpose(2, 0, 1, 3).reshape(kernel.shape), []
            yield "Gemm", [kernel, bias], {}
            if number < len(workload.layers):
                yield "Relu", [], {}


def lstm(kernel, recurrent, bias):
    """The weights of an LSTM, for one direction: gates i, o, f, c, and a second bias."""
    def turned(array):
        i, f, c, o = np.split(array, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1).T[None]

    return [turned(kernel), turned(recurrent), np.concatenate([turned(bias), np.zeros((1, bias.size), bias.dtype)], 1)]
