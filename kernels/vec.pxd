"""The vector types of vec.h, where their semantics are written: vf (float lanes) and vd (double lanes)."""

from libc.stdint cimport uint8_t

cdef extern from "vec.h" nogil:
    enum:
        VEC_BYTES
        VEC_REGISTERS
        vf_LANES
        vd_LANES
        vf_COLUMNS
        vd_COLUMNS

    void vec_prefetch_read(const void *p)
    void vec_prefetch_write(const void *p)
    void vec_fence()

    ctypedef struct vf:
        pass
    vf vf_load(const float *p)
    vf vf_loadn(const float *p, Py_ssize_t n)
    void vf_store(float *p, vf v)
    void vf_storen(float *p, vf v, Py_ssize_t n)
    vf vf_set(float x)
    vf vf_zero()
    vf vf_add(vf a, vf b)
    vf vf_sub(vf a, vf b)
    vf vf_mul(vf a, vf b)
    vf vf_div(vf a, vf b)
    vf vf_min(vf a, vf b)
    vf vf_max(vf a, vf b)
    vf vf_fma(vf a, vf b, vf c)
    vf vf_fnma(vf a, vf b, vf c)
    vf vf_sqrt(vf a)
    vf vf_abs(vf a)
    vf vf_neg_abs(vf a)
    vf vf_with_sign(vf a, vf s)
    vf vf_product_rest(vf a, vf b, vf p)
    vf vf_whole(vf x, vf c, vf *t)
    vf vf_power2(vf t)
    vf vf_grow2(vf r, vf t, vf x, vf least)
    vf vf_split(vf x, vf *n)
    vf vf_select_gt(vf a, vf b, vf x, vf y)
    vf vf_select_nan(vf a, vf x, vf y)
    vf vf_blendn(vf v, vf w, Py_ssize_t n)
    vf vf_mark_nan(vf s, vf a)
    int vf_match(vf a, vf b)
    bint vf_any_nan(vf a)
    void vf_bytes(uint8_t *p, vf v)
    void vf_bytesn(uint8_t *p, vf v, Py_ssize_t n)
    vf vf_where_byte(const uint8_t *p, int i, vf x)
    vf vf_where_byten(const uint8_t *p, int i, vf x, Py_ssize_t n)
    void vf_stream(float *p, vf v)
    vf vf_zip_low(vf a, vf b)
    vf vf_zip_high(vf a, vf b)
    void vf_transpose(const float *src, Py_ssize_t stride, float *dst, Py_ssize_t dst_row)
    void vf_transpose_edge(const float *src, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t columns, float *dst,
                           Py_ssize_t dst_row)
    float vf_sum(vf v)
    float vf_hmax(vf v)
    float vf_hmin(vf v)

    ctypedef struct vd:
        pass
    vd vd_load(const double *p)
    vd vd_loadn(const double *p, Py_ssize_t n)
    vd vd_widen(const float *p)
    vd vd_widenn(const float *p, Py_ssize_t n)
    void vd_store(double *p, vd v)
    void vd_storen(double *p, vd v, Py_ssize_t n)
    vd vd_set(double x)
    vd vd_zero()
    vd vd_add(vd a, vd b)
    vd vd_sub(vd a, vd b)
    vd vd_mul(vd a, vd b)
    vd vd_div(vd a, vd b)
    vd vd_min(vd a, vd b)
    vd vd_max(vd a, vd b)
    vd vd_fma(vd a, vd b, vd c)
    vd vd_fnma(vd a, vd b, vd c)
    vd vd_sqrt(vd a)
    vd vd_abs(vd a)
    vd vd_neg_abs(vd a)
    vd vd_with_sign(vd a, vd s)
    vd vd_product_rest(vd a, vd b, vd p)
    vd vd_whole(vd x, vd c, vd *t)
    vd vd_power2(vd t)
    vd vd_grow2(vd r, vd t, vd x, vd least)
    vd vd_split(vd x, vd *n)
    vd vd_select_gt(vd a, vd b, vd x, vd y)
    vd vd_select_nan(vd a, vd x, vd y)
    vd vd_blendn(vd v, vd w, Py_ssize_t n)
    vd vd_mark_nan(vd s, vd a)
    int vd_match(vd a, vd b)
    bint vd_any_nan(vd a)
    void vd_bytes(uint8_t *p, vd v)
    void vd_bytesn(uint8_t *p, vd v, Py_ssize_t n)
    vd vd_where_byte(const uint8_t *p, int i, vd x)
    vd vd_where_byten(const uint8_t *p, int i, vd x, Py_ssize_t n)
    void vd_stream(double *p, vd v)
    vd vd_zip_low(vd a, vd b)
    vd vd_zip_high(vd a, vd b)
    void vd_transpose(const double *src, Py_ssize_t stride, double *dst, Py_ssize_t dst_row)
    void vd_transpose_edge(const double *src, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t columns, double *dst,
                           Py_ssize_t dst_row)
    double vd_sum(vd v)
    double vd_hmax(vd v)
    double vd_hmin(vd v)
