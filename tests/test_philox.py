"""Philox against its published vectors, and dropout against Philox."""
import numpy as np
import pytest
from kernel_checks import SIZES, everywhere, run, threads_for

from fastnn import testing

# Counter, key and result of philox4x32-10 in Random123's kat_vectors.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
     [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]),
]


def philox(counter, key):
    """One block, in the words of the paper."""
    a, b, c, d = counter
    for i in range(10):
        k0, k1 = (key[0] + i * 0x9E3779B9) % 2**32, (key[1] + i * 0xBB67AE85) % 2**32
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k0, q % 2**32, (p >> 32) ^ d ^ k1, p % 2**32
    return [a, b, c, d]


def words(n, seed, step, operation):
    """The first n words of an operation in a step."""
    key = (seed % 2**32, seed >> 32)
    blocks = [philox((i, operation, step % 2**32, step >> 32), key) for i in range((n + 3) // 4)]
    return np.array(blocks, np.uint64).reshape(-1)[:n]


def drop(x, rate, operation=0, **settings):
    """y and mask."""
    operands = [x, np.empty_like(x), np.empty(x.shape, np.uint8)]
    return run("dropout_forward", operands, [x.size, operation], [rate], dtype=x.dtype.name, **settings)[1:]


def test_published_vectors():
    assert [philox(counter, key) for counter, key, _ in KNOWN] == [result for *_, result in KNOWN]


@everywhere
def test_a_word_decides_at_its_exact_value(level, dtype):
    """Between two rates 2^-32 apart the mask shows every bit of a word: here the first published vector."""
    for i, word in enumerate(KNOWN[0][2]):
        x = np.ones(4, dtype)
        assert drop(x, word / 2**32, level=level)[1][i] == 1
        assert drop(x, (word + 1) / 2**32, level=level)[1][i] == 0


@everywhere
def test_dropout_forward_and_backward(level, dtype):
    for n in (*SIZES, 255, 256, 257, 600):
        for rate, seed, step, operation in ((0.3, 1, 0, 0), (0.75, 2**63 + 12345, 2**40 + 7, 2**32 - 1)):
            x = np.random.default_rng(n).normal(0, 1, n).astype(dtype)
            settings = {"level": level, "threads": threads_for(n) if n < 600 else (1, 2, 3)}
            y, mask = drop(x, rate, operation, seed=seed, step=step, **settings)
            assert np.array_equal(mask, words(n, seed, step, operation) >= rate * 2**32)
            exact = np.where(mask, x * np.array(1 / (1 - rate), dtype), 0)
            assert np.array_equal(y, exact)
            settings |= {"sizes": [n], "scalars": [rate], "dtype": dtype}
            assert np.array_equal(run("dropout_backward", [x, mask, np.empty_like(x)], **settings)[2], exact)
            assert np.array_equal(run("dropout_backward", [x, mask, None], alias={2: 0}, **settings)[0], exact)


@everywhere
def test_the_rates_0_and_1_and_dropped_nan(level, dtype):
    x = np.full(100, np.nan, dtype)
    y, mask = drop(x, 0.0, level=level)
    assert mask.all() and np.isnan(y).all()
    y, mask = drop(np.ones(100, dtype), 1.0, level=level)
    assert not mask.any() and not y.any()
    y, mask = drop(x, 0.5, level=level)
    assert np.isnan(y[mask == 1]).all() and (y[mask == 0] == 0).all()


@pytest.mark.parametrize("level", testing.levels())
def test_masks_look_random(level):
    n = 100_000
    x = np.ones(n, np.float32)
    masks = [drop(x, 0.4, operation, seed=3, step=step, level=level)[1] for operation, step in ((0, 0), (1, 0), (0, 1))]
    for mask in masks:
        assert abs(mask.mean() - 0.6) < 5 * np.sqrt(0.24 / n)
        centred = mask - 0.6
        assert abs((centred[1:] * centred[:-1]).mean()) < 5 * 0.24 / np.sqrt(n)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert abs(((masks[a] - 0.6) * (masks[b] - 0.6)).mean()) < 5 * 0.24 / np.sqrt(n)
