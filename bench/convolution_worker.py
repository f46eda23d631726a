"""A process of the convolution benchmark: one library on one shape, commands on stdin, answers in JSON on stdout.

    python bench/convolution_worker.py LIBRARY SHAPE THREADS

It keeps to as many CPUs as it may have threads. Results are checked first. {"seconds": S} is answered with the seconds
of a call, one number a burst, of each kind of work, and fastnn's process adds the peak of multiply-adds, flop/s.
"""
import os
import sys

import convolutions
import numpy as np
import turns
from turns import repeated


def main(library, shape, threads):
    answers = turns.own_stdout()
    turns.keep_to_cpus(int(threads))
    kinds = convolutions.works(shape)
    actions = {"fastnn": with_fastnn, "torch": with_torch, "jax": with_jax, "numpy": with_numpy}[library](
        **convolutions.arrays(shape), kinds=kinds, threads=int(threads))
    peak = peak_of(int(threads)) if library == "fastnn" else None
    turns.serve(answers, actions, lambda work, results: convolutions.check(shape, work, results),
                lambda: {"peak": max(peak() for _ in range(20))} if peak else {})


def peak_of(threads):
    """What measures the peak."""
    from fastnn._roofline import Peak
    return Peak("float32", threads)


def with_fastnn(x, w, b, dy, kinds, threads):
    """Each kind of work as a program of the operations that a training step has, on aligned buffers."""
    from fastnn.layers.convolution_lowering import Geometry, correlate, spread_back, weight_gradients
    from fastnn.layers.windows import axis_of
    from fastnn.program import Lowering, Program, Variable
    rows, height, width, channels = x.shape
    g = Geometry.of(channels, w.shape[3], 1, (axis_of(height, 3), axis_of(width, 3)))

    def program(work):
        build, parts = Lowering(True, "float32"), kinds if work == "all" else (work,)
        given = {name: build.parameter(Variable(array)) for name, array in
                 {"x": x, "w": w, "b": b, "dy": dy, "y": np.zeros_like(dy), "dx": np.zeros_like(x)}.items()}
        if "forward" in parts:
            correlate(build, given["x"], given["w"], given["b"], given["y"], g)
        if "dW" in parts:
            weight_gradients(build, "convolution_weights", given["x"], given["dy"], given["w"], given["b"], g)
            given["dw"], given["db"] = build.operations[-1].outputs[-2:]
        if "dX" in parts:
            spread_back(build, given["dy"], given["w"], None, given["dx"], g)
        plan = Program(build, work).plan(rows)
        frame = plan.acquire()
        names = {"forward": ["y"], "dW": ["dw", "db"], "dX": ["dx"], "all": []}
        return (lambda calls: frame.run([], calls * rows, rows, 0, calls, threads=threads),
                lambda: {name: frame.slot(*plan.place(given[name]), given[name].shape, "float32")
                         for part in parts for name in names[part]})

    return {work: program(work) for work in kinds}


def with_torch(x, w, b, dy, kinds, threads):
    """Eager calls of the functions below autograd."""
    import torch
    torch.set_num_threads(threads)
    layout = torch.channels_last if os.environ.get("BENCH_CHANNELS_LAST") else torch.contiguous_format
    x, dy = (torch.from_numpy(a).permute(0, 3, 1, 2).contiguous(memory_format=layout) for a in (x, dy))
    w, b = torch.from_numpy(w).permute(3, 2, 0, 1).contiguous(memory_format=layout), torch.from_numpy(b)

    @torch.inference_mode()
    def backward(*wanted):
        found = torch.ops.aten.convolution_backward(dy, x, w, [len(b)], [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
                                                    wanted)
        turned = [None if a is None else a.permute(axes) for a, axes in zip(found[:2], ((0, 2, 3, 1), (2, 3, 1, 0)))]
        return {name: a for name, a in zip(("dx", "dw", "db"), (*turned, found[2])) if a is not None}

    @torch.inference_mode()
    def forward():
        return {"y": torch.nn.functional.conv2d(x, w, b).permute(0, 2, 3, 1)}

    actions = {"forward": forward, "dW": lambda: backward(False, True, True),
               "dX": lambda: backward(True, False, False),
               "all": lambda: forward() | backward("dX" in kinds, True, True)}
    return {work: repeated(actions[work]) for work in kinds}


def with_jax(x, w, b, dy, kinds, threads):
    """One jitted function for each kind of work; what a kind does not need, the compiler leaves out."""
    import jax
    from jax import lax
    x, w, b, dy = (jax.device_put(a) for a in (x, w, b, dy))
    names = {"forward": ("y",), "dW": ("dw", "db"), "dX": ("dx",)}
    names["all"] = [name for work in kinds[:-1] for name in names[work]]

    def convolved(x, w, b):
        return lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b

    def made(wanted):
        @jax.jit
        def function(x, w, b, dy):
            y, back = jax.vjp(convolved, x, w, b)
            found = dict(zip(("y", "dx", "dw", "db"), (y, *back(dy))))
            return {name: found[name] for name in wanted}
        return lambda: jax.block_until_ready(function(x, w, b, dy))

    return {work: repeated(made(names[work])) for work in kinds}


def with_numpy(x, w, b, dy, kinds, threads):
    """Windows as rows of a matrix (im2col) and a product; the matrix is kept for the gradient."""
    columns, y, dx = convolutions.columns_like(x), np.empty_like(dy), np.empty_like(x)
    flat, dy_flat, filters = y.reshape(-1, y.shape[3]), dy.reshape(-1, y.shape[3]), w.reshape(-1, w.shape[3])
    height, width = dy.shape[1:3]

    def forward():
        np.matmul(convolutions.columns_of(x, columns), filters, out=flat)
        return {"y": np.add(y, b, out=y)}

    def weights():
        return {"dw": (columns.T @ dy_flat).reshape(w.shape), "db": dy_flat.sum(0)}

    def inputs():
        spread = (dy_flat @ filters.T).reshape(*dy.shape[:3], 3, 3, x.shape[3])
        dx.fill(0)
        for i, j in np.ndindex(3, 3):
            dx[:, i:i + height, j:j + width] += spread[..., i, j, :]
        return {"dx": dx}

    parts = {"forward": forward, "dW": lambda: convolutions.columns_of(x, columns) is not None and weights(),
             "dX": inputs, "all": lambda: forward() | weights() | (inputs() if "dX" in kinds else {})}
    return {work: repeated(parts[work]) for work in kinds}


if __name__ == "__main__":
    main(*sys.argv[1:])
