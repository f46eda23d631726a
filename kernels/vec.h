/* SIMD vectors for the kernels: with vec_bytes.h, which it includes, the only C of the project.

   vf holds VEC_BYTES / 4 floats, vd VEC_BYTES / 8 doubles; every operation exists as vf_name and vd_name. Three
   implementations, chosen by the flags of the translation unit: AVX-512 (x86-64-v4), AVX2 with FMA (x86-64-v3), and
   128-bit vectors of the GCC/Clang vector extension (x86-64-v2 and every other CPU).

   Semantics, the same everywhere:
     loadn, storen      the first n lanes, 1 <= n <= LANES; lanes beyond are 0 and their memory is never touched
     min, max           a < b ? a : b and a > b ? a : b: if either is NaN the result is b, so put the value that may
                        be NaN second (max(zero, x) is a relu that keeps NaN)
     fma, fnma          a * b + c and c - a * b, rounded once where the level has FMA, else multiply then add
     product_rest       a * b - p for p = mul(a, b): what rounding took from it
     whole(x, c, &t)    n = the integer nearest to x * c, below 2^20 in size; t is n as power2 and grow2 want it
     power2(t)          2^n, for results that are normal numbers
     grow2(r, t, x, l)  x < l ? 0 : (1 + r) * 2^n; what is not 0 is rounded as 1 + r and, where it is denormal, again.
                        For |r| < 1/2 and n >= -254 (vd: -2046), a normal number's exponent twice; where x < l, the
                        product shall round to 0
     split(x, &n)       the m of x = 2^n m, 3/4 <= m < 3/2; n is -inf of 0 and inf of inf; of NaN and of what is
                        less than 0, m or n is NaN
     with_sign(a, s)    |a| with the sign of s               neg_abs(a)          -|a|
     select_gt          a > b ? x : y          select_nan   isnan(a) ? x : y
     sum, hmax, hmin    pairwise: lane i with lane i + LANES/2, then halves again; a fixed order for a level
     widen, widenn      vd_LANES floats from memory, as doubles
     blendn(v, w, n)    the first n lanes of v, 0 <= n <= LANES, the others of w
     mark_nan(s, a)     s, but NaN in the lanes where a is NaN
     match              the first lane where a == b, LANES where there is none
     any_nan(a)         whether a lane is NaN
     bytes(p, a)        lanes that are whole numbers from 0 to 255, as bytes to memory; bytesn: the first n
     where_byte(p, i, a)  a in the lanes of which the byte from memory is i, 0 in others; where_byten reads n bytes
     stream             store to an address aligned to VEC_BYTES, past the caches (vec_fence before others read it)
     zip_low, zip_high  a0 b0 a1 b1 ... of the lower and upper halves (log2(LANES) rounds of them transpose a block) */
#ifndef FASTNN_VEC_H
#define FASTNN_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define VEC_AVX512 1
#define VEC_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define VEC_AVX2 1
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#if defined(VEC_AVX512) || defined(__aarch64__)
#define VEC_REGISTERS 32
#else
#define VEC_REGISTERS 16
#endif

#define VEC_INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(VEC_BYTES)));
typedef double vd __attribute__((vector_size(VEC_BYTES)));
typedef int32_t vec_i32 __attribute__((vector_size(VEC_BYTES)));
typedef int64_t vec_i64 __attribute__((vector_size(VEC_BYTES)));
typedef uint32_t vec_u32 __attribute__((vector_size(VEC_BYTES)));
typedef uint64_t vec_u64 __attribute__((vector_size(VEC_BYTES)));

enum { vf_LANES = VEC_BYTES / 4, vd_LANES = VEC_BYTES / 8 };

VEC_INLINE void vec_prefetch_write(const void *p) { __builtin_prefetch(p, 1, 3); }
VEC_INLINE void vec_prefetch_read(const void *p) { __builtin_prefetch(p, 0, 3); }
VEC_INLINE void vec_fence(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

/* What the vector extension expresses at every width. */
#define VEC_COMMON(P, T, I, ABS_MASK)                                                                   \
    VEC_INLINE P P##_load(const T *p) { P v; memcpy(&v, p, sizeof v); return v; }                       \
    VEC_INLINE void P##_store(T *p, P v) { memcpy(p, &v, sizeof v); }                                   \
    VEC_INLINE P P##_zero(void) { return (P){0}; }                                                      \
    VEC_INLINE P P##_add(P a, P b) { return a + b; }                                                    \
    VEC_INLINE P P##_sub(P a, P b) { return a - b; }                                                    \
    VEC_INLINE P P##_mul(P a, P b) { return a * b; }                                                    \
    VEC_INLINE P P##_div(P a, P b) { return a / b; }                                                    \
    VEC_INLINE P P##_abs(P a) { return (P)((I)a & ABS_MASK); }                                          \
    VEC_INLINE P P##_neg_abs(P a) { return (P)((I)a | ~ABS_MASK); }                                     \
    VEC_INLINE P P##_with_sign(P a, P s) { return (P)(((I)a & ABS_MASK) | ((I)s & ~ABS_MASK)); }

VEC_COMMON(vf, float, vec_i32, INT32_MAX)
VEC_COMMON(vd, double, vec_i64, INT64_MAX)

#if defined(VEC_AVX512)

#define VEC_AVX512_TYPE(P, T, S, MASK)                                                                        \
    VEC_INLINE MASK P##_first(ptrdiff_t n) { return (MASK)((1u << n) - 1); }                                 \
    VEC_INLINE P P##_loadn(const T *p, ptrdiff_t n) { return _mm512_maskz_loadu_##S(P##_first(n), p); }      \
    VEC_INLINE void P##_storen(T *p, P v, ptrdiff_t n) { _mm512_mask_storeu_##S(p, P##_first(n), v); }       \
    VEC_INLINE P P##_set(T x) { return _mm512_set1_##S(x); }                                                  \
    VEC_INLINE P P##_min(P a, P b) { return _mm512_min_##S(a, b); }                                           \
    VEC_INLINE P P##_max(P a, P b) { return _mm512_max_##S(a, b); }                                           \
    VEC_INLINE P P##_fma(P a, P b, P c) { return _mm512_fmadd_##S(a, b, c); }                                 \
    VEC_INLINE P P##_fnma(P a, P b, P c) { return _mm512_fnmadd_##S(a, b, c); }                               \
    VEC_INLINE P P##_sqrt(P a) { return _mm512_sqrt_##S(a); }                                                 \
    VEC_INLINE P P##_product_rest(P a, P b, P p) { return _mm512_fmsub_##S(a, b, p); }                        \
    VEC_INLINE P P##_whole(P x, P c, P *t)                                                                    \
    { return *t = _mm512_roundscale_##S(x * c, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }              \
    VEC_INLINE P P##_power2(P t) { return _mm512_scalef_##S(P##_set(1), t); }                                 \
    VEC_INLINE P P##_grow2(P r, P t, P x, P least)                                                            \
    { (void)x, (void)least; return _mm512_scalef_##S(P##_set(1) + r, t); }                                    \
    VEC_INLINE P P##_split(P x, P *n)                                                                         \
    {                                                                                                         \
        P m = _mm512_getmant_##S(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);                                \
        *n = _mm512_getexp_##S(x) - _mm512_getexp_##S(m);                                                     \
        return m;                                                                                             \
    }                                                                                                         \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y)                                                            \
    { return _mm512_mask_blend_##S(_mm512_cmp_##S##_mask(a, b, _CMP_GT_OQ), y, x); }                          \
    VEC_INLINE P P##_select_nan(P a, P x, P y)                                                                \
    { return _mm512_mask_blend_##S(_mm512_cmp_##S##_mask(a, a, _CMP_UNORD_Q), y, x); }                        \
    VEC_INLINE P P##_blendn(P v, P w, ptrdiff_t n) { return _mm512_mask_mov_##S(w, P##_first(n), v); }        \
    VEC_INLINE P P##_mark_nan(P s, P a)                                                                       \
    { return _mm512_mask_add_##S(s, _mm512_cmp_##S##_mask(a, a, _CMP_UNORD_Q), a, a); }                       \
    VEC_INLINE int P##_match(P a, P b)                                                                        \
    { return __builtin_ctz(_mm512_cmp_##S##_mask(a, b, _CMP_EQ_OQ) | 1u << P##_LANES); }                      \
    VEC_INLINE void P##_stream(T *p, P v) { _mm512_stream_##S(p, v); }

VEC_AVX512_TYPE(vf, float, ps, __mmask16)
VEC_AVX512_TYPE(vd, double, pd, __mmask8)

VEC_INLINE vd vd_widen(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
VEC_INLINE vd vd_widenn(const float *p, ptrdiff_t n)
{ return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(vd_first(n), p)); }

#define VEC_ZIP(P, S, I, LOW, HIGH)                                                              \
    VEC_INLINE P P##_zip_low(P a, P b)                                                           \
    { static const I index = LOW; return _mm512_permutex2var_##S(a, (__m512i)index, b); }        \
    VEC_INLINE P P##_zip_high(P a, P b)                                                          \
    { static const I index = HIGH; return _mm512_permutex2var_##S(a, (__m512i)index, b); }
#define VEC_LIST(...) {__VA_ARGS__}
VEC_ZIP(vf, ps, vec_i32, VEC_LIST(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
        VEC_LIST(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
VEC_ZIP(vd, pd, vec_i64, VEC_LIST(0, 8, 1, 9, 2, 10, 3, 11), VEC_LIST(4, 12, 5, 13, 6, 14, 7, 15))

#elif defined(VEC_AVX2)

/* Masks of the first n lanes are windows of these. */
static const int32_t vec_window32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
static const int64_t vec_window64[8] = {-1, -1, -1, -1};

#define VEC_AVX2_TYPE(P, T, S, WINDOW)                                                                        \
    VEC_INLINE __m256i P##_first(ptrdiff_t n)                                                                \
    { return _mm256_loadu_si256((const __m256i *)(WINDOW + P##_LANES - n)); }                                 \
    VEC_INLINE P P##_loadn(const T *p, ptrdiff_t n) { return _mm256_maskload_##S(p, P##_first(n)); }         \
    VEC_INLINE void P##_storen(T *p, P v, ptrdiff_t n) { _mm256_maskstore_##S(p, P##_first(n), v); }         \
    VEC_INLINE P P##_set(T x) { return _mm256_set1_##S(x); }                                                  \
    VEC_INLINE P P##_min(P a, P b) { return _mm256_min_##S(a, b); }                                           \
    VEC_INLINE P P##_max(P a, P b) { return _mm256_max_##S(a, b); }                                           \
    VEC_INLINE P P##_fma(P a, P b, P c) { return _mm256_fmadd_##S(a, b, c); }                                 \
    VEC_INLINE P P##_fnma(P a, P b, P c) { return _mm256_fnmadd_##S(a, b, c); }                               \
    VEC_INLINE P P##_sqrt(P a) { return _mm256_sqrt_##S(a); }                                                 \
    VEC_INLINE P P##_product_rest(P a, P b, P p) { return _mm256_fmsub_##S(a, b, p); }                        \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y)                                                            \
    { return _mm256_blendv_##S(y, x, _mm256_cmp_##S(a, b, _CMP_GT_OQ)); }                                     \
    VEC_INLINE P P##_select_nan(P a, P x, P y)                                                                \
    { return _mm256_blendv_##S(y, x, _mm256_cmp_##S(a, a, _CMP_UNORD_Q)); }                                   \
    VEC_INLINE P P##_blendn(P v, P w, ptrdiff_t n)                                                            \
    { return _mm256_blendv_##S(w, v, (P)P##_first(n)); }                                                      \
    VEC_INLINE P P##_mark_nan(P s, P a) { return _mm256_or_##S(s, _mm256_cmp_##S(a, a, _CMP_UNORD_Q)); }      \
    VEC_INLINE int P##_match(P a, P b)                                                                        \
    { return __builtin_ctz(_mm256_movemask_##S(_mm256_cmp_##S(a, b, _CMP_EQ_OQ)) | 1u << P##_LANES); }        \
    VEC_INLINE void P##_stream(T *p, P v) { _mm256_stream_##S(p, v); }                                        \
    VEC_INLINE P P##_zip_low(P a, P b)                                                                        \
    { return _mm256_permute2f128_##S(_mm256_unpacklo_##S(a, b), _mm256_unpackhi_##S(a, b), 0x20); }           \
    VEC_INLINE P P##_zip_high(P a, P b)                                                                       \
    { return _mm256_permute2f128_##S(_mm256_unpacklo_##S(a, b), _mm256_unpackhi_##S(a, b), 0x31); }

VEC_AVX2_TYPE(vf, float, ps, vec_window32)
VEC_AVX2_TYPE(vd, double, pd, vec_window64)

VEC_INLINE vd vd_widen(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
VEC_INLINE vd vd_widenn(const float *p, ptrdiff_t n)
{ return _mm256_cvtps_pd(_mm_maskload_ps(p, _mm_loadu_si128((const __m128i *)(vec_window32 + 8 - n)))); }

#else

#if defined(__FP_FAST_FMAF) && defined(__FP_FAST_FMA)
#define VEC_FMA(c, m, a, b, FMA) for (int i = 0; i < (int)(sizeof c / sizeof c[0]); i++) c[i] = FMA(m a[i], b[i], c[i])
#else
#define VEC_FMA(c, m, a, b, FMA) c += (m a) * b
#endif

VEC_INLINE vf vf_set(float x) { return (vf){x, x, x, x}; }
VEC_INLINE vd vd_set(double x) { return (vd){x, x}; }
/* Single elements, which may lie at any address, as those of the caller's arrays do. */
VEC_INLINE float vf_at(const float *p, int i) { float x; memcpy(&x, p + i, sizeof x); return x; }
VEC_INLINE double vd_at(const double *p, int i) { double x; memcpy(&x, p + i, sizeof x); return x; }
VEC_INLINE void vf_put(float *p, int i, float x) { memcpy(p + i, &x, sizeof x); }
VEC_INLINE void vd_put(double *p, int i, double x) { memcpy(p + i, &x, sizeof x); }

VEC_INLINE vd vd_loadn(const double *p, ptrdiff_t n) { return n > 1 ? vd_load(p) : (vd){vd_at(p, 0), 0}; }
VEC_INLINE vd vd_widen(const float *p) { return (vd){vf_at(p, 0), vf_at(p, 1)}; }
VEC_INLINE vd vd_widenn(const float *p, ptrdiff_t n) { return (vd){vf_at(p, 0), n > 1 ? vf_at(p, 1) : 0}; }
VEC_INLINE vf vf_loadn(const float *p, ptrdiff_t n)
{
    if (n == 4) return vf_load(p);
    return (vf){vf_at(p, 0), n > 1 ? vf_at(p, 1) : 0, n > 2 ? vf_at(p, 2) : 0, 0};
}
VEC_INLINE void vd_storen(double *p, vd v, ptrdiff_t n) { if (n > 1) vd_store(p, v); else vd_put(p, 0, v[0]); }
VEC_INLINE void vf_storen(float *p, vf v, ptrdiff_t n)
{
    if (n == 4) { vf_store(p, v); return; }
    vf_put(p, 0, v[0]);
    if (n > 1) vf_put(p, 1, v[1]);
    if (n > 2) vf_put(p, 2, v[2]);
}

#define VEC_GENERIC_TYPE(P, T, I, SUFFIX, SPLITTER)                                                                   \
    VEC_INLINE P P##_fma(P a, P b, P c) { VEC_FMA(c, , a, b, __builtin_fma##SUFFIX); return c; }              \
    VEC_INLINE P P##_fnma(P a, P b, P c) { VEC_FMA(c, -, a, b, __builtin_fma##SUFFIX); return c; }            \
    VEC_INLINE P P##_high(P a) { P c = a * P##_set(SPLITTER); return c - (c - a); }                           \
    VEC_INLINE P P##_product_rest(P a, P b, P p)                                                              \
    {                                                                                                         \
        P a1 = P##_high(a), a2 = a - a1, b1 = P##_high(b), b2 = b - b1;                                       \
        return ((a1 * b1 - p) + (a1 * b2 + a2 * b1)) + a2 * b2;                                               \
    }                                                                                                         \
    VEC_INLINE P P##_select(I mask, P x, P y) { return (P)((mask & (I)x) | (~mask & (I)y)); }                 \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y) { return P##_select(a > b, x, y); }                        \
    VEC_INLINE P P##_select_nan(P a, P x, P y) { return P##_select(a != a, x, y); }                           \
    VEC_INLINE P P##_blendn(P v, P w, ptrdiff_t n)                                                            \
    { for (int i = 0; i < P##_LANES; i++) if (i >= n) v[i] = w[i]; return v; }                                \
    VEC_INLINE P P##_mark_nan(P s, P a) { return (P)((I)s | (a != a)); }                                      \
    VEC_INLINE int P##_match(P a, P b)                                                                        \
    {                                                                                                         \
        I equal = a == b;                                                                                     \
        for (int i = 0; i < P##_LANES; i++) if (equal[i]) return i;                                           \
        return P##_LANES;                                                                                     \
    }

VEC_GENERIC_TYPE(vf, float, vec_i32, f, 0x1p12f + 1)
VEC_GENERIC_TYPE(vd, double, vec_i64, , 0x1p27 + 1)

VEC_INLINE vf vf_zip_low(vf a, vf b) { return (vf){a[0], b[0], a[1], b[1]}; }
VEC_INLINE vf vf_zip_high(vf a, vf b) { return (vf){a[2], b[2], a[3], b[3]}; }
VEC_INLINE vd vd_zip_low(vd a, vd b) { return (vd){a[0], b[0]}; }
VEC_INLINE vd vd_zip_high(vd a, vd b) { return (vd){a[1], b[1]}; }

#if defined(__SSE2__)
VEC_INLINE vf vf_min(vf a, vf b) { return _mm_min_ps(a, b); }
VEC_INLINE vf vf_max(vf a, vf b) { return _mm_max_ps(a, b); }
VEC_INLINE vf vf_sqrt(vf a) { return _mm_sqrt_ps(a); }
VEC_INLINE vd vd_min(vd a, vd b) { return _mm_min_pd(a, b); }
VEC_INLINE vd vd_max(vd a, vd b) { return _mm_max_pd(a, b); }
VEC_INLINE vd vd_sqrt(vd a) { return _mm_sqrt_pd(a); }
VEC_INLINE void vf_stream(float *p, vf v) { _mm_stream_ps(p, v); }
VEC_INLINE void vd_stream(double *p, vd v) { _mm_stream_pd(p, v); }
#else
VEC_INLINE void vf_stream(float *p, vf v) { vf_store(p, v); }
VEC_INLINE void vd_stream(double *p, vd v) { vd_store(p, v); }
VEC_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }
VEC_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
VEC_INLINE vf vf_sqrt(vf a) { for (int i = 0; i < vf_LANES; i++) a[i] = __builtin_sqrtf(a[i]); return a; }
VEC_INLINE vd vd_min(vd a, vd b) { return vd_select(a < b, a, b); }
VEC_INLINE vd vd_max(vd a, vd b) { return vd_select(a > b, a, b); }
VEC_INLINE vd vd_sqrt(vd a) { for (int i = 0; i < vd_LANES; i++) a[i] = __builtin_sqrt(a[i]); return a; }
#endif

#endif

#if !defined(VEC_AVX512)
/* whole: adding UNIT * 1.5 rounds, and leaves n + 2 BIAS in the low bits of the fraction, from where a shift moves them
   into the exponent. grow2: 2^n in two factors, each a normal number; where x < least (or NaN, as r is then) the second
   is 0, for a product that underflows is slow. split: half a unit of the exponent's field is added, for m to end at
   3/2, and the field becomes a number as the low bits of UNIT. Unsigned: the bits of NaN are a large number. */
#define VEC_EXPONENTS(P, I, U, UNIT, BIAS, BITS, TINY)                                                 \
    VEC_INLINE P P##_whole(P x, P c, P *t)                                                             \
    { *t = P##_fma(x, c, P##_set(1.5 * UNIT + 2 * BIAS)); return *t - P##_set(1.5 * UNIT + 2 * BIAS); } \
    VEC_INLINE P P##_power2(P t) { return (P)(((U)t - BIAS) << BITS); }                                \
    VEC_INLINE P P##_grow2(P r, P t, P x, P least)                                                     \
    {                                                                                                  \
        U half = (U)t >> 1;                                                                            \
        P first = (P)(half << BITS), second = (P)((((U)t - half) << BITS) & (U)(x >= least));          \
        return P##_fma(r, first, first) * second;                                                      \
    }                                                                                                  \
    VEC_INLINE P P##_split(P x, P *n)                                                                  \
    {                                                                                                  \
        const P zero = P##_zero(), inf = P##_set(INFINITY), tiny = P##_set(TINY);                      \
        U bits = (U)P##_select_gt(tiny, x, x * P##_set(UNIT), x);                                      \
        U field = (bits + (((U){0} + 1) << (BITS - 1))) >> BITS;                                       \
        P bias = P##_select_gt(tiny, x, P##_set(UNIT + BIAS + BITS), P##_set(UNIT + BIAS));            \
        P rest = P##_select_gt(zero, x, P##_set(NAN), -inf);                                           \
        *n = P##_select_gt(x, zero, (P)(field | (U)P##_set(UNIT)) - bias, rest);                       \
        *n = P##_select_gt(inf, x, *n, x);                                                             \
        return (P)(bits - ((field - BIAS) << BITS));                                                   \
    }

VEC_EXPONENTS(vf, vec_i32, vec_u32, 0x1p23f, 127, 23, 0x1p-126f)
VEC_EXPONENTS(vd, vec_i64, vec_u64, 0x1p52, 1023, 52, 0x1p-1022)
#endif

/* A strip of a transposition: COLUMNS elements from each of LANES rows, `stride` apart, become COLUMNS vectors, dst_row
   apart. Each register takes 16 bytes from every (16 / sizeof real)th row, which leaves little squares to transpose
   inside its 128-bit lanes: half the shuffles of log2(LANES) rounds of zip. At an edge only some rows and columns
   exist: no others are read, lanes beyond are undefined, and only so many columns are written. */
enum { vf_COLUMNS = 4, vd_COLUMNS = 2 };

#if defined(VEC_AVX512)
#define VEC_QUARTER(p) _mm_loadu_ps((const float *)(p))
#define VEC_QUARTERN(p) _mm_maskz_loadu_ps((__mmask8)((1u << words) - 1), p)
#define VEC_HALF(LOAD, p, q) _mm256_insertf128_ps(_mm256_castps128_ps256(LOAD(p)), LOAD(q), 1)
#define VEC_GATHER16(LOAD, p, q, r, s)                                                                     \
    _mm512_insertf32x8(_mm512_castps256_ps512(VEC_HALF(LOAD, p, q)), VEC_HALF(LOAD, r, s), 1)
#define VEC_UNPACK(W, S, a, b) _mm512_unpack##W##_##S(a, b)
#elif defined(VEC_AVX2)
#define VEC_QUARTER(p) _mm_loadu_ps((const float *)(p))
#define VEC_QUARTERN(p)                                                                                    \
    _mm_maskload_ps((const float *)(p), _mm_loadu_si128((const __m128i *)(vec_window32 + 8 - words)))
#define VEC_GATHER16(LOAD, p, q, r, s) _mm256_insertf128_ps(_mm256_castps128_ps256(LOAD(p)), LOAD(q), 1)
#define VEC_UNPACK(W, S, a, b) _mm256_unpack##W##_##S(a, b)
#else
#define VEC_QUARTER(p) vf_load((const float *)(p))
#define VEC_QUARTERN(p) vf_loadn((const float *)(p), words)
#define VEC_GATHER16(LOAD, p, q, r, s) LOAD(p)
#define VEC_UNPACK(W, S, a, b) VEC_UNPACK_##W##_##S(a, b)
#define VEC_UNPACK_lo_ps(a, b) vf_zip_low(a, b)
#define VEC_UNPACK_hi_ps(a, b) vf_zip_high(a, b)
#define VEC_UNPACK_lo_pd(a, b) vd_zip_low(a, b)
#define VEC_UNPACK_hi_pd(a, b) vd_zip_high(a, b)
#endif

#define VEC_TRANSPOSE_FLOAT(LOAD, ROW)                                                                     \
    vf a = VEC_GATHER16(LOAD, ROW(0), ROW(4), ROW(8), ROW(12));                                            \
    vf b = VEC_GATHER16(LOAD, ROW(1), ROW(5), ROW(9), ROW(13));                                            \
    vf c = VEC_GATHER16(LOAD, ROW(2), ROW(6), ROW(10), ROW(14));                                           \
    vf d = VEC_GATHER16(LOAD, ROW(3), ROW(7), ROW(11), ROW(15));                                           \
    vd low0 = (vd)VEC_UNPACK(lo, ps, a, b), low1 = (vd)VEC_UNPACK(lo, ps, c, d);                           \
    vd high0 = (vd)VEC_UNPACK(hi, ps, a, b), high1 = (vd)VEC_UNPACK(hi, ps, c, d);                         \
    vf_store(dst, (vf)VEC_UNPACK(lo, pd, low0, low1));                                                     \
    if (columns > 1) vf_store(dst + dst_row, (vf)VEC_UNPACK(hi, pd, low0, low1));                          \
    if (columns > 2) vf_store(dst + 2 * dst_row, (vf)VEC_UNPACK(lo, pd, high0, high1));                    \
    if (columns > 3) vf_store(dst + 3 * dst_row, (vf)VEC_UNPACK(hi, pd, high0, high1));
#define VEC_TRANSPOSE_DOUBLE(LOAD, ROW)                                                                    \
    vd a = (vd)VEC_GATHER16(LOAD, ROW(0), ROW(2), ROW(4), ROW(6));                                         \
    vd b = (vd)VEC_GATHER16(LOAD, ROW(1), ROW(3), ROW(5), ROW(7));                                         \
    vd_store(dst, VEC_UNPACK(lo, pd, a, b));                                                               \
    if (columns > 1) vd_store(dst + dst_row, VEC_UNPACK(hi, pd, a, b));

#define VEC_EVERY_ROW(i) (fourth[(i) / 4] + (i) % 4 * stride)
#define VEC_CALLED static __attribute__((noinline, unused))
#define VEC_EDGE_ROW(i) (src + ((i) < rows ? (i) : rows - 1) * stride)
#define VEC_TRANSPOSE(P, T, MAKE)                                                                          \
    VEC_INLINE void P##_transpose(const T *src, ptrdiff_t stride, T *dst, ptrdiff_t dst_row)               \
    {                                                                                                      \
        enum { columns = P##_COLUMNS };                                                                    \
        const T *const fourth[] = {src, src + 4 * stride, src + 8 * stride, src + 12 * stride};            \
        MAKE(VEC_QUARTER, VEC_EVERY_ROW)                                                                   \
    }                                                                                                      \
    VEC_CALLED void P##_transpose_edge(                                                                    \
        const T *src, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns, T *dst, ptrdiff_t dst_row)      \
    { const ptrdiff_t words = columns * (ptrdiff_t)sizeof(T) / 4; MAKE(VEC_QUARTERN, VEC_EDGE_ROW) }
VEC_TRANSPOSE(vf, float, VEC_TRANSPOSE_FLOAT)
VEC_TRANSPOSE(vd, double, VEC_TRANSPOSE_DOUBLE)

/* Reductions: the halves of ever smaller blocks are swapped and combined; every lane ends up with the result. */
#if defined(VEC_AVX512)
#define vf_FOLD(OP, v)                                                                                     \
    v = OP(v, _mm512_shuffle_f32x4(v, v, 0x4E)); v = OP(v, _mm512_shuffle_f32x4(v, v, 0xB1));              \
    v = OP(v, _mm512_permute_ps(v, 0x4E)); v = OP(v, _mm512_permute_ps(v, 0xB1));
#define vd_FOLD(OP, v)                                                                                     \
    v = OP(v, _mm512_shuffle_f64x2(v, v, 0x4E)); v = OP(v, _mm512_shuffle_f64x2(v, v, 0xB1));              \
    v = OP(v, _mm512_permute_pd(v, 0x55));
#elif defined(VEC_AVX2)
#define vf_FOLD(OP, v)                                                                                     \
    v = OP(v, _mm256_permute2f128_ps(v, v, 1));                                                            \
    v = OP(v, _mm256_permute_ps(v, 0x4E)); v = OP(v, _mm256_permute_ps(v, 0xB1));
#define vd_FOLD(OP, v) v = OP(v, _mm256_permute2f128_pd(v, v, 1)); v = OP(v, _mm256_permute_pd(v, 0x5));
#else
#define vf_FOLD(OP, v)                                                                                     \
    { vf s = {v[2], v[3], v[0], v[1]}; v = OP(v, s); } { vf s = {v[1], v[0], v[3], v[2]}; v = OP(v, s); }
#define vd_FOLD(OP, v) { vd s = {v[1], v[0]}; v = OP(v, s); }
#endif

VEC_INLINE float vf_sum(vf v) { vf_FOLD(vf_add, v) return v[0]; }
VEC_INLINE float vf_hmax(vf v) { vf_FOLD(vf_max, v) return v[0]; }
VEC_INLINE float vf_hmin(vf v) { vf_FOLD(vf_min, v) return v[0]; }
VEC_INLINE double vd_sum(vd v) { vd_FOLD(vd_add, v) return v[0]; }
VEC_INLINE double vd_hmax(vd v) { vd_FOLD(vd_max, v) return v[0]; }
VEC_INLINE double vd_hmin(vd v) { vd_FOLD(vd_min, v) return v[0]; }

#include "vec_bytes.h"

#endif
