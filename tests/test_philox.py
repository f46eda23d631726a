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
    """The first n words of an operation in a step; operations from 2^31 on are seeds of the user's."""
    seed = 0 if operation >= 2**31 else seed
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


def normal(words):
    """Box and Muller, as kernels/random.pxi.in has it, in NumPy."""
    radius = np.sqrt(-2 * np.log((words[0::2] + 0.5) / 2**32))
    angle = (words[1::2] // 2**30 + ((words[1::2] % 2**30) + 0.5) / 2**30 - 0.5) * np.pi / 2
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


def noise(x, deviation, operation=0, flags=0, **settings):
    """y and factors."""
    factors = np.empty_like(x) if flags else None
    operands = [x, np.empty_like(x), factors]
    return run("gaussian_noise", operands, [x.size, operation], [deviation], flags=flags, dtype=x.dtype.name,
               **settings)[1:]


@everywhere
def test_gaussian_noise(level, dtype):
    for n in (*SIZES, 255, 256, 257, 600):
        for seed, step, operation in ((1, 0, 0), (2**63 + 12345, 2**40 + 7, 2**32 - 1)):
            x = np.random.default_rng(n).normal(0, 1, n).astype(dtype)
            settings = {"level": level, "threads": threads_for(n) if n < 600 else (1, 2, 3), "seed": seed, "step": step}
            z = normal(words(-(-n // 2) * 2, seed, step, operation))[:n]
            y, _ = noise(x, 0.5, operation, **settings)
            np.testing.assert_allclose(y, x + 0.5 * z, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)
            y, factors = noise(x, 0.5, operation, flags=1, **settings)
            np.testing.assert_allclose(factors, 1 + 0.5 * z, rtol=0, atol=1e-6 if dtype == "float32" else 1e-14)
            assert np.array_equal(y, x * factors)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_has_the_same_bits_at_every_level(dtype):
    x = np.random.default_rng(0).normal(0, 1, 5000).astype(dtype)
    for flags in (0, 1):
        first, *others = (noise(x, 0.3, 5, flags, seed=9, level=level)[0] for level in testing.levels())
        assert all(np.array_equal(first, other) for other in others)


@everywhere
def test_masks_alone_and_their_copies(level, dtype):
    for n in (*SIZES, 600):
        mask = np.empty(n, np.uint8)
        settings = {"level": level, "threads": threads_for(n), "dtype": dtype}
        [found] = run("dropout_mask", [mask], [n, 7], [0.4], seed=3, step=2, **settings)
        assert np.array_equal(found, words(n, 3, 2, 7) >= 0.4 * 2**32)
    mask = np.arange(6, dtype=np.uint8).reshape(2, 3) % 2
    [_, copies] = run("repeat_mask", [mask, np.empty((2, 4, 3), np.uint8)], [2, 4, 3], level=level, dtype=dtype)
    assert np.array_equal(copies, np.repeat(mask[:, None], 4, 1))


@everywhere
def test_masked_affine(level, dtype):
    for n in SIZES:
        x = np.random.default_rng(n).normal(0, 1, n).astype(dtype)
        mask = (np.arange(n) % 3 > 0).astype(np.uint8)
        settings = {"level": level, "dtype": dtype, "threads": threads_for(n)}
        y = run("masked_affine", [x, mask, np.empty_like(x)], [n], [2.0, 0.5, -7.0], **settings)[2]
        assert np.array_equal(y, np.where(mask, x * np.array(2, dtype) + np.array(0.5, dtype), np.array(-7, dtype)))


@everywhere
def test_dropout_of_channels(level, dtype):
    """One mask for all places of an image, for few channels and for more than a tile holds."""
    for images, places, channels in [*((2, 5, n) for n in SIZES), (1, 300, 3), (3, 7, 256), (2, 3, 257), (2, 3, 512),
                                     (2, 2, 513), (0, 3, 4), (2, 0, 3), (1, 2, 1100)]:
        rng = np.random.default_rng(channels)
        x, mask = rng.normal(0, 1, (images, places, channels)).astype(dtype), rng.integers(0, 2, (images, channels))
        x[:, ::2] = np.where(mask[:, None], x[:, ::2], np.inf)                 # what drops is 0 whatever it was
        y = run("channel_dropout", [x, mask.astype(np.uint8), np.empty_like(x)], x.shape, [0.3], dtype=dtype,
                level=level, threads=(1, 2, 3))[2]
        kept = np.broadcast_to(mask[:, None] > 0, x.shape)
        assert np.array_equal(y, np.where(kept, x * np.array(1 / 0.7, dtype), 0)), (images, places, channels)
