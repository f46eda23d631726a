"""The vector types of vec.h, where their semantics are written: vf (float lanes) and vd (double lanes)."""

cdef extern from "vec.h" nogil:
    enum:
        VEC_BYTES
        VEC_REGISTERS
        vf_LANES
        vd_LANES
        vf_COLUMNS
        vd_COLUMNS
        VEC_MAX_LANES

    void vec_prefetch_read(const void *p)
    void vec_prefetch_write(const void *p)

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
    vf vf_rint(vf a)
    vf vf_scale2(vf x, vf n)
    vf vf_select_gt(vf a, vf b, vf x, vf y)
    vf vf_select_nan(vf a, vf x, vf y)
    vf vf_zip_low(vf a, vf b)
    vf vf_zip_high(vf a, vf b)
    void vf_transpose(const float *src, Py_ssize_t stride, float *dst, Py_ssize_t dst_row)
    void vf_transpose_rows(const float **row, Py_ssize_t k, float *dst, Py_ssize_t dst_row)
    float vf_sum(vf v)
    float vf_hmax(vf v)

    ctypedef struct vd:
        pass
    vd vd_load(const double *p)
    vd vd_loadn(const double *p, Py_ssize_t n)
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
    vd vd_rint(vd a)
    vd vd_scale2(vd x, vd n)
    vd vd_select_gt(vd a, vd b, vd x, vd y)
    vd vd_select_nan(vd a, vd x, vd y)
    vd vd_zip_low(vd a, vd b)
    vd vd_zip_high(vd a, vd b)
    void vd_transpose(const double *src, Py_ssize_t stride, double *dst, Py_ssize_t dst_row)
    void vd_transpose_rows(const double **row, Py_ssize_t k, double *dst, Py_ssize_t dst_row)
    double vd_sum(vd v)
    double vd_hmax(vd v)
