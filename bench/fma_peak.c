/* How many floating-point operations a second one core can do: independent chains of fused multiply-adds in registers.
   Compiled by bench_kernels.py with the flags of fastnn's instruction-set level; VECTOR is that level's width in bytes.
   Twelve chains cover latency times throughput of current cores (4 cycles, 2 a cycle) and fit into 16 registers. */
#include <time.h>

#define CHAINS 12
#if defined(__aarch64__)
#define REGISTER "+w"
#else
#define REGISTER "+x"
#endif
typedef float vector __attribute__((vector_size(VECTOR)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* float32 operations a second. x slightly below 1 keeps all values finite and normal. */
double fma_peak(long n, float x, float y, float *sink) {
    vector a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, vx, vy, sum;
    for (unsigned i = 0; i < sizeof(vector) / sizeof(float); i++) { vx[i] = x; vy[i] = y; }
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = a10 = a11 = vy;
    double start = now();
    for (long i = 0; i < n; i++) {
        a0 = a0 * vx + vy; a1 = a1 * vx + vy; a2 = a2 * vx + vy; a3 = a3 * vx + vy;
        a4 = a4 * vx + vy; a5 = a5 * vx + vy; a6 = a6 * vx + vy; a7 = a7 * vx + vy;
        a8 = a8 * vx + vy; a9 = a9 * vx + vy; a10 = a10 * vx + vy; a11 = a11 * vx + vy;
        /* Equal chains would be computed once: tell the compiler that each may have changed. */
        __asm__ volatile("" : REGISTER(a0), REGISTER(a1), REGISTER(a2), REGISTER(a3), REGISTER(a4), REGISTER(a5));
        __asm__ volatile("" : REGISTER(a6), REGISTER(a7), REGISTER(a8), REGISTER(a9), REGISTER(a10), REGISTER(a11));
    }
    double seconds = now() - start;
    sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
    *sink = sum[0];
    return 2.0 * CHAINS * (sizeof(vector) / sizeof(float)) * n / seconds;
}
