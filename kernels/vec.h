/* SIMD vectors for the kernels: the only C in the project.

   vf holds VEC_BYTES / 4 floats, vd VEC_BYTES / 8 doubles; every operation exists as vf_name and vd_name. Three
   implementations, chosen by the flags of the translation unit: AVX-512 (x86-64-v4), AVX2 with FMA (x86-64-v3), and
   128-bit vectors of the GCC/Clang vector extension (x86-64-v2 and every other CPU).

   Semantics, the same everywhere:
     loadn, storen      the first n lanes, 1 <= n <= LANES; lanes beyond are 0 and their memory is never touched
     min, max           a < b ? a : b and a > b ? a : b: if either is NaN the result is b, so put the value that may
                        be NaN second (max(zero, x) is a relu that keeps NaN)
     fma, fnma          a * b + c and c - a * b, rounded once where the level has FMA, else multiply then add
     rint               to nearest, ties to even (default rounding mode)
     scale2(x, n)       x * 2^n for integral n; overflow to inf and gradual underflow are right for |x| in
                        [2^-20, 2^20] (what exp needs), rounded once
     select_gt          a > b ? x : y          select_nan   isnan(a) ? x : y
     sum, hmax          pairwise: lane i with lane i + LANES/2, then halves again; a fixed order for a level
     zip_low, zip_high  a0 b0 a1 b1 ... of the lower and upper halves (log2(LANES) rounds of them transpose a block) */
#ifndef FASTNN_VEC_H
#define FASTNN_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
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

enum { vf_LANES = VEC_BYTES / 4, vd_LANES = VEC_BYTES / 8 };

VEC_INLINE void vec_prefetch_write(const void *p) { __builtin_prefetch(p, 1, 3); }
VEC_INLINE void vec_prefetch_read(const void *p) { __builtin_prefetch(p, 0, 3); }

/* What the vector extension expresses at every width. */
#define VEC_COMMON(P, T, I, ABS_MASK)                                                                   \
    VEC_INLINE P P##_load(const T *p) { P v; memcpy(&v, p, sizeof v); return v; }                       \
    VEC_INLINE void P##_store(T *p, P v) { memcpy(p, &v, sizeof v); }                                   \
    VEC_INLINE P P##_zero(void) { return (P){0}; }                                                      \
    VEC_INLINE P P##_add(P a, P b) { return a + b; }                                                    \
    VEC_INLINE P P##_sub(P a, P b) { return a - b; }                                                    \
    VEC_INLINE P P##_mul(P a, P b) { return a * b; }                                                    \
    VEC_INLINE P P##_div(P a, P b) { return a / b; }                                                    \
    VEC_INLINE P P##_abs(P a) { return (P)((I)a & ABS_MASK); }

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
    VEC_INLINE P P##_rint(P a) { return _mm512_roundscale_##S(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); } \
    VEC_INLINE P P##_scale2(P x, P n) { return _mm512_scalef_##S(x, n); }                                     \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y)                                                            \
    { return _mm512_mask_blend_##S(_mm512_cmp_##S##_mask(a, b, _CMP_GT_OQ), y, x); }                          \
    VEC_INLINE P P##_select_nan(P a, P x, P y)                                                                \
    { return _mm512_mask_blend_##S(_mm512_cmp_##S##_mask(a, a, _CMP_UNORD_Q), y, x); }

VEC_AVX512_TYPE(vf, float, ps, __mmask16)
VEC_AVX512_TYPE(vd, double, pd, __mmask8)

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
    VEC_INLINE P P##_rint(P a) { return _mm256_round_##S(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); } \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y)                                                            \
    { return _mm256_blendv_##S(y, x, _mm256_cmp_##S(a, b, _CMP_GT_OQ)); }                                     \
    VEC_INLINE P P##_select_nan(P a, P x, P y)                                                                \
    { return _mm256_blendv_##S(y, x, _mm256_cmp_##S(a, a, _CMP_UNORD_Q)); }                                   \
    VEC_INLINE P P##_zip_low(P a, P b)                                                                        \
    { return _mm256_permute2f128_##S(_mm256_unpacklo_##S(a, b), _mm256_unpackhi_##S(a, b), 0x20); }           \
    VEC_INLINE P P##_zip_high(P a, P b)                                                                       \
    { return _mm256_permute2f128_##S(_mm256_unpacklo_##S(a, b), _mm256_unpackhi_##S(a, b), 0x31); }

VEC_AVX2_TYPE(vf, float, ps, vec_window32)
VEC_AVX2_TYPE(vd, double, pd, vec_window64)

#else

#if defined(__FP_FAST_FMAF) && defined(__FP_FAST_FMA)
#define VEC_FMA(c, m, a, b, FMA) for (int i = 0; i < (int)(sizeof c / sizeof c[0]); i++) c[i] = FMA(m a[i], b[i], c[i])
#else
#define VEC_FMA(c, m, a, b, FMA) c += (m a) * b
#endif

VEC_INLINE vf vf_set(float x) { return (vf){x, x, x, x}; }
VEC_INLINE vd vd_set(double x) { return (vd){x, x}; }
VEC_INLINE vd vd_loadn(const double *p, ptrdiff_t n) { return n > 1 ? vd_load(p) : (vd){p[0], 0}; }
VEC_INLINE vf vf_loadn(const float *p, ptrdiff_t n)
{
    if (n == 4) return vf_load(p);
    return (vf){p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, 0};
}
VEC_INLINE void vd_storen(double *p, vd v, ptrdiff_t n) { if (n > 1) vd_store(p, v); else p[0] = v[0]; }
VEC_INLINE void vf_storen(float *p, vf v, ptrdiff_t n)
{
    if (n == 4) { vf_store(p, v); return; }
    p[0] = v[0];
    if (n > 1) p[1] = v[1];
    if (n > 2) p[2] = v[2];
}

/* rint: beyond 2^(fraction bits) a number is integral, below it adding and taking away ROUND rounds. */
#define VEC_GENERIC_TYPE(P, T, I, SUFFIX, ABS_MASK, ROUND)                                                    \
    VEC_INLINE P P##_fma(P a, P b, P c) { VEC_FMA(c, , a, b, __builtin_fma##SUFFIX); return c; }              \
    VEC_INLINE P P##_fnma(P a, P b, P c) { VEC_FMA(c, -, a, b, __builtin_fma##SUFFIX); return c; }            \
    VEC_INLINE P P##_select(I mask, P x, P y) { return (P)((mask & (I)x) | (~mask & (I)y)); }                 \
    VEC_INLINE P P##_select_gt(P a, P b, P x, P y) { return P##_select(a > b, x, y); }                        \
    VEC_INLINE P P##_select_nan(P a, P x, P y) { return P##_select(a != a, x, y); }                           \
    VEC_INLINE P P##_rint(P a)                                                                                \
    {                                                                                                         \
        I sign = (I)a & ~ABS_MASK;                                                                            \
        P size = (P)((I)a & ABS_MASK), rounded = (size + ROUND) - ROUND;                                      \
        return (P)((I)P##_select_gt(P##_set(ROUND), size, rounded, size) | sign);                             \
    }

VEC_GENERIC_TYPE(vf, float, vec_i32, f, INT32_MAX, 0x1p23f)
VEC_GENERIC_TYPE(vd, double, vec_i64, , INT64_MAX, 0x1p52)

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
#else
VEC_INLINE vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }
VEC_INLINE vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
VEC_INLINE vf vf_sqrt(vf a) { for (int i = 0; i < vf_LANES; i++) a[i] = __builtin_sqrtf(a[i]); return a; }
VEC_INLINE vd vd_min(vd a, vd b) { return vd_select(a < b, a, b); }
VEC_INLINE vd vd_max(vd a, vd b) { return vd_select(a > b, a, b); }
VEC_INLINE vd vd_sqrt(vd a) { for (int i = 0; i < vd_LANES; i++) a[i] = __builtin_sqrt(a[i]); return a; }
#endif

#endif

#if !defined(VEC_AVX512)
/* 2^n in two factors, each a normal number: only the last multiplication can round. Adding MAGIC puts the integer
   into the low bits of the fraction, from where a shift moves it, biased, into the exponent. */
#define VEC_SCALE2(P, I, LIMIT, MAGIC, BIAS, BITS)                                                     \
    VEC_INLINE P P##_power2(P n) { return (P)(((I)(n + MAGIC) + BIAS) << BITS); }                      \
    VEC_INLINE P P##_scale2(P x, P n)                                                                  \
    {                                                                                                  \
        n = P##_min(P##_set(LIMIT), P##_max(P##_set(-LIMIT), n));                                      \
        P half = P##_rint(n * P##_set(0.5));                                                           \
        return x * P##_power2(half) * P##_power2(n - half);                                            \
    }
VEC_SCALE2(vf, vec_i32, 252, 0x1.8p23f, 127, 23)
VEC_SCALE2(vd, vec_i64, 2044, 0x1.8p52, 1023, 52)
#endif

/* A strip of a transposition: COLUMNS elements from each of LANES rows become COLUMNS vectors, dst_row apart. The rows
   lie `stride` apart, or (transpose_rows) at column k of the given addresses. Each register takes 16 bytes from every
   (16 / sizeof real)th row, which leaves little squares to transpose inside its 128-bit lanes: half the shuffles of
   log2(LANES) rounds of zip. */
enum { vf_COLUMNS = 4, vd_COLUMNS = 2, VEC_MAX_LANES = 16 };

#define VEC_QUARTER(p) _mm_loadu_ps((const float *)(p))
#if defined(VEC_AVX512)
#define VEC_HALF(p, q) _mm256_insertf128_ps(_mm256_castps128_ps256(VEC_QUARTER(p)), VEC_QUARTER(q), 1)
#define VEC_GATHER16(p, q, r, s) _mm512_insertf32x8(_mm512_castps256_ps512(VEC_HALF(p, q)), VEC_HALF(r, s), 1)
#define VEC_UNPACK(W, S, a, b) _mm512_unpack##W##_##S(a, b)
#elif defined(VEC_AVX2)
#define VEC_GATHER16(p, q, r, s) _mm256_insertf128_ps(_mm256_castps128_ps256(VEC_QUARTER(p)), VEC_QUARTER(q), 1)
#define VEC_UNPACK(W, S, a, b) _mm256_unpack##W##_##S(a, b)
#else
#define VEC_GATHER16(p, q, r, s) vf_load((const float *)(p))
#define VEC_UNPACK(W, S, a, b) VEC_UNPACK_##W##_##S(a, b)
#define VEC_UNPACK_lo_ps(a, b) vf_zip_low(a, b)
#define VEC_UNPACK_hi_ps(a, b) vf_zip_high(a, b)
#define VEC_UNPACK_lo_pd(a, b) vd_zip_low(a, b)
#define VEC_UNPACK_hi_pd(a, b) vd_zip_high(a, b)
#endif

#define VEC_TRANSPOSE_FLOAT(ROW)                                                                           \
    vf a = VEC_GATHER16(ROW(0), ROW(4), ROW(8), ROW(12)), b = VEC_GATHER16(ROW(1), ROW(5), ROW(9), ROW(13));   \
    vf c = VEC_GATHER16(ROW(2), ROW(6), ROW(10), ROW(14)), d = VEC_GATHER16(ROW(3), ROW(7), ROW(11), ROW(15)); \
    vd low0 = (vd)VEC_UNPACK(lo, ps, a, b), low1 = (vd)VEC_UNPACK(lo, ps, c, d);                           \
    vd high0 = (vd)VEC_UNPACK(hi, ps, a, b), high1 = (vd)VEC_UNPACK(hi, ps, c, d);                         \
    vf_store(dst, (vf)VEC_UNPACK(lo, pd, low0, low1));                                                     \
    vf_store(dst + dst_row, (vf)VEC_UNPACK(hi, pd, low0, low1));                                           \
    vf_store(dst + 2 * dst_row, (vf)VEC_UNPACK(lo, pd, high0, high1));                                     \
    vf_store(dst + 3 * dst_row, (vf)VEC_UNPACK(hi, pd, high0, high1));
#define VEC_TRANSPOSE_DOUBLE(ROW)                                                                          \
    vd a = (vd)VEC_GATHER16(ROW(0), ROW(2), ROW(4), ROW(6)), b = (vd)VEC_GATHER16(ROW(1), ROW(3), ROW(5), ROW(7)); \
    vd_store(dst, VEC_UNPACK(lo, pd, a, b));                                                               \
    vd_store(dst + dst_row, VEC_UNPACK(hi, pd, a, b));

#define VEC_AT_ROW(i) (row[i] + k)

VEC_INLINE void vf_transpose(const float *src, ptrdiff_t stride, float *dst, ptrdiff_t dst_row)
{
    const float *p = src, *q = p + 4 * stride, *r = q + 4 * stride, *s = r + 4 * stride;
    const float *const row[16] = {p, p + stride, p + 2 * stride, p + 3 * stride,
                                  q, q + stride, q + 2 * stride, q + 3 * stride,
                                  r, r + stride, r + 2 * stride, r + 3 * stride,
                                  s, s + stride, s + 2 * stride, s + 3 * stride};
    const ptrdiff_t k = 0;
    VEC_TRANSPOSE_FLOAT(VEC_AT_ROW)
}

VEC_INLINE void vd_transpose(const double *src, ptrdiff_t stride, double *dst, ptrdiff_t dst_row)
{
    const double *p = src, *q = p + 2 * stride, *r = q + 2 * stride, *s = r + 2 * stride;
    const double *const row[8] = {p, p + stride, q, q + stride, r, r + stride, s, s + stride};
    const ptrdiff_t k = 0;
    VEC_TRANSPOSE_DOUBLE(VEC_AT_ROW)
}

VEC_INLINE void vf_transpose_rows(const float *const *row, ptrdiff_t k, float *dst, ptrdiff_t dst_row)
{ VEC_TRANSPOSE_FLOAT(VEC_AT_ROW) }
VEC_INLINE void vd_transpose_rows(const double *const *row, ptrdiff_t k, double *dst, ptrdiff_t dst_row)
{ VEC_TRANSPOSE_DOUBLE(VEC_AT_ROW) }

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
VEC_INLINE double vd_sum(vd v) { vd_FOLD(vd_add, v) return v[0]; }
VEC_INLINE double vd_hmax(vd v) { vd_FOLD(vd_max, v) return v[0]; }

#endif
