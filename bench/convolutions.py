"""What the benchmark of convolutions measures: 3 x 3 over images (rows, height, width, channels), no padding.

"forward" is y = x * w + b, "dW" the gradients of w and b, "dX" that of x; "all" is these one after the other, without
dX where the layer is the first of a net.
"""
import math

import numpy as np

SHAPES = {"32x31x31x32-64": (32, 31, 31, 32, 64), "32x64x64x3-32": (32, 64, 64, 3, 32),
          "32x28x28x1-32": (32, 28, 28, 1, 32)}
CONTESTANTS = {      # name: (library, environment of its process)
    "fastnn": ("fastnn", {"FASTNN_WINOGRAD": "1"}), "fastnn, direct": ("fastnn", {"FASTNN_WINOGRAD": "0"}),
    "torch": ("torch", {}), "torch, channels last": ("torch", {"BENCH_CHANNELS_LAST": "1"}),
    "jax": ("jax", {"JAX_PLATFORMS": "cpu"}), "numpy": ("numpy", {})}
TOLERANCE = 1e-4     # of the largest number


def works(shape):
    """What is measured of a shape."""
    return ("forward", "dW", "all") if SHAPES[shape][3] < 4 else ("forward", "dW", "dX", "all")


def flops(shape, work):
    """Multiplications and additions of the direct method, a sum for each output; Winograd's algorithm has fewer."""
    rows, height, width, channels, filters = SHAPES[shape]
    parts = len(works(shape)) - 1 if work == "all" else 1
    return 2 * 9 * rows * (height - 2) * (width - 2) * channels * filters * parts


def arrays(shape):
    """x, w, b and dy, float32: small whole numbers, so that sums are exact in whatever order."""
    rng = np.random.default_rng(0)
    rows, height, width, channels, filters = SHAPES[shape]
    sizes = {"x": (rows, height, width, channels), "w": (3, 3, channels, filters), "b": (filters,),
             "dy": (rows, height - 2, width - 2, filters)}
    return {name: rng.integers(-2, 3, size).astype(np.float32) for name, size in sizes.items()}


def check(shape, work, results):
    """Raise AssertionError unless these are the results of float64 NumPy."""
    expected = oracle(**{name: array.astype(np.float64) for name, array in arrays(shape).items()})
    for name, result in results.items():
        error = np.abs(np.asarray(result, np.float64) - expected[name]).max() / np.abs(expected[name]).max()
        assert error < TOLERANCE, f"{shape}, {work}: {name} is wrong by {error:.1e} of its largest number"
    assert set(results) == {"forward": {"y"}, "dW": {"dw", "db"}, "dX": {"dx"},
                            "all": {"y", "dw", "db", *["dx"] * ("dX" in works(shape))}}[work]


def oracle(x, w, b, dy):
    """All results, by a product for each place of the kernel."""
    height, width = dy.shape[1:3]
    y, dw, dx = np.zeros(dy.shape) + b, np.zeros(w.shape), np.zeros(x.shape)
    for i, j in np.ndindex(3, 3):
        part = np.s_[:, i:i + height, j:j + width]
        y += x[part] @ w[i, j]
        dw[i, j] = np.einsum("nhwc,nhwf->cf", x[part], dy, optimize=True)
        dx[part] += dy @ w[i, j].T
    return {"y": y, "dw": dw, "db": dy.sum((0, 1, 2)), "dx": dx}


def columns_of(x, out):
    """The windows of x as rows of a matrix (im2col), written to ``out``."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
    np.copyto(out.reshape(windows.shape), windows)
    return out


def columns_like(x):
    """Room for them."""
    rows, height, width, channels = x.shape
    return np.empty((math.prod((rows, height - 2, width - 2)), 9 * channels), x.dtype)
