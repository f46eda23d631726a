"""The order of rows in an epoch: Fisher-Yates with SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom
Number Generators, 2014) and Lemire's multiply instead of a remainder; the same on every machine.

Inline, for the runner."""
from libc.stdint cimport int64_t, uint64_t

cdef inline uint64_t mix(uint64_t *state) noexcept nogil:
    cdef uint64_t z
    state[0] = state[0] + <uint64_t> 0x9E3779B97F4A7C15
    z = state[0]
    z = (z ^ (z >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t> 0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline void shuffle(int64_t *p, Py_ssize_t n, uint64_t state) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(n):
        p[i] = i
    for i in range(n - 1, 0, -1):
        j = <Py_ssize_t> (((mix(&state) >> 32) * <uint64_t> (i + 1)) >> 32) if i < 0x7FFFFFFF else \
            <Py_ssize_t> (mix(&state) % <uint64_t> (i + 1))
        p[i], p[j] = p[j], p[i]


cdef inline void permute(int64_t *order, Py_ssize_t n, uint64_t seed, uint64_t step) noexcept nogil:
    """Write the order of ``permutation``."""
    cdef uint64_t state = seed
    mix(&state)
    state ^= step * <uint64_t> 0x9E3779B97F4A7C15
    shuffle(order, n, mix(&state))
