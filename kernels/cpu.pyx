"""Which instruction-set levels this CPU and operating system can run.

The levels are those of the x86-64 psABI: v2 is SSE4.2, v3 adds AVX2 and FMA, v4 adds AVX-512. The compiler's
``__builtin_cpu_supports`` answers no where the operating system does not save the wide registers; what it does not know
in all its versions (F16C, MOVBE, LZCNT) is read from ``cpuid``. This module is compiled for any CPU.
"""

cdef extern from * nogil:
    """
    #if defined(__x86_64__)
    #include <cpuid.h>
    static int fastnn_cpu_level(void) {
        unsigned a, b, c, d, extended;
        __builtin_cpu_init();
        if (!(__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt")))
            return 1;
        if (!__get_cpuid(1, &a, &b, &c, &d) || !__get_cpuid(0x80000001, &a, &b, &extended, &d)
            || !(c >> 22 & 1) || !(c >> 29 & 1) || !(extended >> 5 & 1)   /* MOVBE, F16C, LZCNT */
            || !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
                 && __builtin_cpu_supports("bmi2")))
            return 2;
        if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
              && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
              && __builtin_cpu_supports("avx512vl")))
            return 3;
        return 4;
    }
    #else
    static int fastnn_cpu_level(void) { return 1; }
    #endif
    """
    int fastnn_cpu_level()


def levels():
    """The levels that can run here, the slowest first.

    >>> levels()[0]
    'base'
    """
    return ("base", "v2", "v3", "v4")[:fastnn_cpu_level()]
