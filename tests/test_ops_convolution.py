"""ops.conv against loops of NumPy in float64: ranks, strides, padding, dilation, groups, dtypes, ``out``, levels."""
import itertools

import numpy as np
import pytest
from ops_checks import DTYPES, numbers, same, views

from fastnn import backend, ops
from fastnn.testing import forced_threads


def oracle(x, w, stride=(1, 1), dilation=(1, 1), same=False):
    """The convolution of images (n, h, w, c), by a product for each place of the kernel."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    before, behind, out = [], [], []
    for size, kernel, step, apart in zip(x.shape[1:3], w.shape[:2], stride, dilation):
        reach = (kernel - 1) * apart + 1
        n = -(-size // step) if same else (size - reach) // step + 1
        total = max(0, (n - 1) * step + reach - size) if same else 0
        before.append(total // 2)
        behind.append(total - total // 2)
        out.append(n)
    x = np.pad(x, ((0, 0), *zip(before, behind), (0, 0)))
    groups = x.shape[3] // w.shape[2]
    y = np.zeros((len(x), *out, w.shape[3]))
    for i, j in np.ndindex(w.shape[:2]):
        rows, columns = (slice(k * a, k * a + (n - 1) * s + 1, s) for k, a, n, s in zip((i, j), dilation, out, stride))
        parts = zip(np.split(x[:, rows, columns], groups, 3), np.split(w[i, j], groups, 1))
        y += np.concatenate([a @ b for a, b in parts], 3)
    return y


def close(actual, expected):
    assert actual.shape == expected.shape
    size = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=40 * np.finfo(actual.dtype).eps * size)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "dilation"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 1))])
def test_conv_of_images(eager_level, dtype, padding, stride, dilation):
    for shape, kernel in [((2, 7, 9, 3), (3, 2, 3, 5)), ((1, 28, 28, 1), (3, 3, 1, 8)), ((3, 6, 5, 4), (2, 2, 2, 6)),
                          ((1, 5, 5, 17), (1, 1, 17, 33)), ((0, 5, 5, 2), (2, 2, 2, 3)), ((2, 5, 5, 2), (3, 3, 2, 0))]:
        x, w = numbers(shape, dtype), numbers(kernel, dtype, 1)
        y = ops.conv(x, w, stride, padding, dilation_rate=dilation)
        assert type(y) is np.ndarray and y.dtype == dtype and y.flags.c_contiguous
        close(y, oracle(x, w, stride, dilation, padding == "same"))
        out = np.full_like(y, np.nan)
        assert ops.conv(x, w, list(stride), padding, "channels_last", list(dilation), out) is out
        same(out, y)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (3, 1), (1, 2)])
def test_conv_of_steps(padding, stride, dilation):
    for groups, channels in itertools.product((1, 2), (2, 4)):
        x, w = numbers((3, 11, channels), "float32"), numbers((4, channels // groups, 6), "float32", 1)
        y = ops.conv(x, w, stride, padding, dilation_rate=dilation)
        close(y, oracle(x[:, None], w[None], (1, stride), (1, dilation), padding == "same")[:, 0])
        same(ops.conv(x, w, (stride,), padding, dilation_rate=[dilation]), y)


@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (3, 3), (2, 1), (4, 3), (12, 11)])
def test_windows_larger_than_the_image(kernel):
    x, w = numbers((2, 5, 4, 3), "float32"), numbers((*kernel, 3, 2), "float32", 1)
    for apart in ((1, 1), (3, 2), (4, 5), (1, 9), (60, 60)):
        close(ops.conv(x, w, padding="same", dilation_rate=apart), oracle(x, w, dilation=apart, same=True))
        y = ops.conv(x[:, 0], w[0], padding="same", dilation_rate=apart[1])
        close(y, oracle(x[:, :1], w[:1], dilation=(1, apart[1]), same=True)[:, 0])
    for step in ((4, 3), (9, 2), (2**31 - 1, 1)):
        close(ops.conv(x, w, step, "same"), oracle(x, w, step, same=True))
    far = ops.conv(x, w, padding="same", dilation_rate=60)
    for apart in (1 << 20, 2**31 - 1):
        same(ops.conv(x, w, padding="same", dilation_rate=apart), far)


def test_one_number_is_that_of_both_axes():
    x, w = numbers((1, 9, 8, 2), "float64"), numbers((3, 3, 2, 4), "float64", 1)
    same(ops.conv(x, w, 2), ops.conv(x, w, (2, 2)))
    same(ops.conv(x, w, np.int64(2)), ops.conv(x, w, (2, 2)))
    same(ops.conv(x, w, dilation_rate=3), ops.conv(x, w, dilation_rate=(3, 3)))


def test_inputs_of_any_strides_and_dtypes():
    x, w = numbers((2, 6, 6, 3), "float32"), numbers((3, 3, 3, 4), "float32", 1)
    y = ops.conv(x, w)
    for a, b in itertools.chain(zip(views(x).values(), itertools.repeat(w)), zip(itertools.repeat(x),
                                                                                views(w).values())):
        same(ops.conv(a, b), y)
    assert ops.conv(x, w.astype("float64")).dtype == np.float64
    whole = np.arange(72).reshape(1, 6, 6, 2)
    assert np.array_equal(ops.conv(whole, np.ones((2, 2, 2, 1), "uint8")), oracle(whole, np.ones((2, 2, 2, 1))))
    close(ops.conv(x.tolist(), w.tolist()), oracle(x, w))


def test_an_out_that_shares_memory():
    memory = numbers(400, "float32")
    x, w = memory[:100].reshape(1, 10, 10, 1), memory[200:209].reshape(3, 3, 1, 1)
    expected = ops.conv(x.copy(), w.copy())
    for start in (0, 10, 150):
        again = memory.copy()
        x, w, out = again[:100].reshape(1, 10, 10, 1), again[200:209].reshape(3, 3, 1, 1), again[start:start + 64]
        same(ops.conv(x, w, out=out.reshape(1, 8, 8, 1)), expected)


def test_threads_change_no_bits(eager_level):
    x, w = numbers((5, 13, 11, 3), "float32"), numbers((3, 3, 3, 17), "float32", 1)
    expected = ops.conv(x, w)
    for n in (2, 3):
        with forced_threads(n):
            same(ops.conv(x, w), expected)


def test_padding_is_of_any_case_and_arrays_of_ints_are_sizes():
    x, w = numbers((1, 9, 8, 2), "float64"), numbers((3, 3, 2, 4), "float64", 1)
    same(ops.conv(x, w, padding="SAME"), ops.conv(x, w, padding="same"))
    same(ops.conv(x, w, padding="Valid"), ops.conv(x, w))
    same(ops.conv(x, w, np.array([2, 1])), ops.conv(x, w, (2, 1)))


def test_channels_first_by_default_are_refused():
    backend.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"must be 'channels_last', .* got 'channels_first', as backend"):
            ops.conv(IMAGE, FILTERS)
        assert ops.conv(IMAGE, FILTERS, data_format="channels_last").shape == (1, 3, 3, 4)
    finally:
        backend.set_image_data_format("channels_last")


IMAGE, FILTERS = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: ops.conv(IMAGE[0], FILTERS), ValueError, r"conv: `inputs` must .* got \(5, 5, 2\) and \(3, 3, 2, 4\)"),
    (lambda: ops.conv(IMAGE[None], FILTERS[None]), ValueError, "conv: `inputs` must have shape"),
    (lambda: ops.conv(5.0, 4.0), ValueError, r"got \(\) and \(\)"),
    (lambda: ops.conv(IMAGE[:, :2], FILTERS), ValueError, r"no larger than the image .* got \(1, 2, 5, 2\)"),
    (lambda: ops.conv(IMAGE, FILTERS, dilation_rate=3), ValueError, "no larger than the image"),
    (lambda: ops.conv(IMAGE, np.ones((3, 3, 3, 4))), ValueError, "conv: `inputs`"),
    (lambda: ops.conv(IMAGE, np.ones((3, 3, 1, 3))), ValueError, "as many filters in each group"),
    (lambda: ops.conv(IMAGE, np.ones((0, 3, 2, 4))), ValueError, "conv: `inputs`"),
    (lambda: ops.conv(IMAGE[..., :0], np.ones((3, 3, 0, 4))), ValueError, "conv: `inputs`"),
    (lambda: ops.conv(IMAGE[:, :0], FILTERS, padding="same"), ValueError, "conv: `inputs`"),
    (lambda: ops.conv(IMAGE, FILTERS, 0), ValueError, "`strides` must be a positive int, or 2 of them, got 0"),
    (lambda: ops.conv(IMAGE, FILTERS, (1, 2, 3)), ValueError, r"`strides` must be .* got \(1, 2, 3\)"),
    (lambda: ops.conv(IMAGE, FILTERS, True), ValueError, "`strides` must be .* got True"),
    (lambda: ops.conv(IMAGE, FILTERS, 2**70), ValueError, "`strides` must be"),
    (lambda: ops.conv(IMAGE, FILTERS, 1.0), ValueError, "`strides` must be"),
    (lambda: ops.conv(IMAGE[0], FILTERS[0], dilation_rate=-1), ValueError, "`dilation_rate` must be a positive int, "),
    (lambda: ops.conv(IMAGE, FILTERS, 2, dilation_rate=2), ValueError, "`strides` or `dilation_rate` must be 1, got 2"),
    (lambda: ops.conv(IMAGE, FILTERS, padding="full"), ValueError, "`padding` must be 'valid' or 'same', got 'full'"),
    (lambda: ops.conv(IMAGE, FILTERS, data_format="channels_first"), ValueError, "`data_format` must be 'channels_las"),
    (lambda: ops.conv(IMAGE, FILTERS, padding=1), ValueError, "`padding` must be 'valid' or 'same', got 1"),
    (lambda: ops.conv(IMAGE, FILTERS, np.ones(2)), ValueError, r"`strides` must be .* got \[1.0, 1.0\]"),
    (lambda: ops.conv(IMAGE, FILTERS, out=np.ones((1, 3, 3, 5))), ValueError, r"`out` must .*\(1, 3, 3, 4\)"),
    (lambda: ops.conv([["a"]], FILTERS), TypeError, "`inputs` must"),
    (lambda: ops.conv(IMAGE, None), TypeError, "`kernel` must"),
])
def test_what_does_not_fit_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
