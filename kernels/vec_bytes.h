/* Bytes beside vectors, one for each lane; part of vec.h, where their semantics are written. */
#ifndef FASTNN_VEC_BYTES_H
#define FASTNN_VEC_BYTES_H

#if defined(VEC_AVX512)

#define VEC_BYTES_TYPE(P, S, MASK, INTEGERS, STORE, LOAD)                                                  \
    VEC_INLINE int P##_any_nan(P a) { return _mm512_cmp_##S##_mask(a, a, _CMP_UNORD_Q) != 0; }             \
    VEC_INLINE void P##_bytes(uint8_t *p, P v) { STORE((__m128i *)p, INTEGERS(v)); }                       \
    VEC_INLINE void P##_bytesn(uint8_t *p, P v, ptrdiff_t n)                                               \
    { _mm_mask_storeu_epi8(p, P##_first(n), INTEGERS(v)); }                                                \
    VEC_INLINE P P##_where_these(__m128i bytes, int i, P x)                                                \
    { return _mm512_maskz_mov_##S((MASK)_mm_cmpeq_epi8_mask(bytes, _mm_set1_epi8((char)i)), x); }          \
    VEC_INLINE P P##_where_byte(const uint8_t *p, int i, P x)                                              \
    { return P##_where_these(LOAD((const __m128i *)p), i, x); }                                            \
    VEC_INLINE P P##_where_byten(const uint8_t *p, int i, P x, ptrdiff_t n)                                \
    { return P##_where_these(_mm_maskz_loadu_epi8(P##_first(n), p), i, x); }

#define VEC_BYTES_OF_FLOATS(v) _mm512_cvtepi32_epi8(_mm512_cvttps_epi32(v))
#define VEC_BYTES_OF_DOUBLES(v) _mm256_cvtepi32_epi8(_mm512_cvttpd_epi32(v))
VEC_BYTES_TYPE(vf, ps, __mmask16, VEC_BYTES_OF_FLOATS, _mm_storeu_si128, _mm_loadu_si128)
VEC_BYTES_TYPE(vd, pd, __mmask8, VEC_BYTES_OF_DOUBLES, _mm_storel_epi64, _mm_loadl_epi64)

#else

#if defined(VEC_AVX2)

VEC_INLINE int vf_any_nan(vf a) { return _mm256_movemask_ps(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }
VEC_INLINE int vd_any_nan(vd a) { return _mm256_movemask_pd(_mm256_cmp_pd(a, a, _CMP_UNORD_Q)); }
VEC_INLINE void vf_bytes(uint8_t *p, vf v)
{
    __m256i words = _mm256_cvttps_epi32(v);
    __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(halves, halves));
}
VEC_INLINE void vd_bytes(uint8_t *p, vd v)
{
    __m128i halves = _mm_packs_epi32(_mm256_cvttpd_epi32(v), _mm_setzero_si128());
    int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(halves, halves));
    memcpy(p, &bytes, sizeof bytes);
}
VEC_INLINE vf vf_where_byte(const uint8_t *p, int i, vf x)
{
    __m256i words = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    return _mm256_and_ps(x, (vf)_mm256_cmpeq_epi32(words, _mm256_set1_epi32(i)));
}
VEC_INLINE vd vd_where_byte(const uint8_t *p, int i, vd x)
{
    int32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    __m256i words = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(bytes));
    return _mm256_and_pd(x, (vd)_mm256_cmpeq_epi64(words, _mm256_set1_epi64x(i)));
}

#else

#define VEC_BYTES_TYPE(P, I)                                                                               \
    VEC_INLINE int P##_any_nan(P a)                                                                        \
    { I nan = a != a; for (int i = 0; i < P##_LANES; i++) if (nan[i]) return 1; return 0; }                \
    VEC_INLINE void P##_bytes(uint8_t *p, P v)                                                             \
    { for (int i = 0; i < P##_LANES; i++) p[i] = (uint8_t)v[i]; }

VEC_BYTES_TYPE(vf, vec_i32)
VEC_BYTES_TYPE(vd, vec_i64)
VEC_INLINE vf vf_where_byte(const uint8_t *p, int i, vf x)
{ return (vf)((vec_i32)x & ((vec_i32){p[0], p[1], p[2], p[3]} == i)); }
VEC_INLINE vd vd_where_byte(const uint8_t *p, int i, vd x)
{ return (vd)((vec_i64)x & ((vec_i64){p[0], p[1]} == i)); }

#endif

/* Some bytes go through as many as there are lanes. */
#define VEC_BYTES_REST(P)                                                                                  \
    VEC_INLINE void P##_bytesn(uint8_t *p, P v, ptrdiff_t n)                                               \
    { uint8_t all[P##_LANES]; P##_bytes(all, v); for (ptrdiff_t i = 0; i < n; i++) p[i] = all[i]; }        \
    VEC_INLINE P P##_where_byten(const uint8_t *p, int i, P x, ptrdiff_t n)                                \
    {                                                                                                      \
        uint8_t all[P##_LANES] = {0};                                                                      \
        for (ptrdiff_t lane = 0; lane < n; lane++) all[lane] = p[lane];                                    \
        return P##_where_byte(all, i, x);                                                                  \
    }

VEC_BYTES_REST(vf)
VEC_BYTES_REST(vd)

#endif
#endif
