# cython: binding=False, embedsignature=True, embedsignature.format=clinic
# (without binding the interpreter calls a function directly: 5 ns of 32)
"""The eager functions ``fastnn.ops.*``: one kernel, called on arrays at once.

An exact, aligned, C-contiguous ndarray of float32 or float64 is checked with NumPy's C macros (tens of nanoseconds) and
goes straight to the kernel; one with other strides is copied first, unless the kernel reads it as it lies (matrices);
everything else takes the slow path through ``fastnn._operands`` and ``_arrays``, which convert or raise. Each call
fills one ``Operation`` and one ``Frame`` on the stack: the same kernels that programs run.

This file holds what the functions share, and ``dot``; they stand in the files included below, by what they return.
"""
cimport numpy as cnp
from cpython.long cimport PyLong_AsLongAndOverflow, PyLong_AsLongLongAndOverflow, PyLong_CheckExact
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.string cimport memset

from operation cimport Entry, Frame, Limits, Operation, Table, kernel_t, parallel_for_t

import numpy as np

cnp.import_array()

cdef enum:
    MOST_AXES = 64           # of NumPy's arrays

cdef Table *table = NULL
cdef parallel_for_t parallel_for = NULL
cdef const Limits *limits = NULL
cdef object threads_of_process = None
cdef object slow = None       # fastnn._operands and fastnn._arrays, loaded when first needed
cdef object slow_arrays = None

cdef enum:                    # the kernels used here, in the order of NAMES
    ADD, ADD_ROWS, PRODUCT, PRODUCT_ROWS, AXPY
    RELU, SIGMOID, TANH, EXP, LOG, ERF, SOFTPLUS, SILU, GELU, GELU_TANH
    SOFTMAX, LOG_SOFTMAX, SWAP_AXES, LOGSUMEXP
    SUM, MEAN, VARIANCE, NORM, MAX, MIN, ARGMAX, ARGMIN
    MATMUL, CONVOLUTION, N_ENTRIES

NAMES = """
add add_rows product product_rows axpy
relu_forward sigmoid_forward tanh_forward exp_forward log_forward erf_forward softplus_forward silu_forward
gelu_forward gelu_tanh_forward
softmax_forward log_softmax_forward swap_axes logsumexp
reduce_sum reduce_mean reduce_variance reduce_norm reduce_max reduce_min reduce_argmax reduce_argmin
matmul convolution
""".split()

cdef Entry *entries[N_ENTRIES]


def connect(table_capsule, parallel_capsule, limits_capsule, threads):
    """Take the kernels of the level in use; ``threads()`` gives the number of threads."""
    global table, parallel_for, limits, threads_of_process
    cdef int i
    table = <Table *> PyCapsule_GetPointer(table_capsule, b"fastnn.kernels")
    parallel_for = <parallel_for_t> PyCapsule_GetPointer(parallel_capsule, b"fastnn.parallel_for")
    limits = <const Limits *> PyCapsule_GetPointer(limits_capsule, b"fastnn.limits")
    threads_of_process = threads
    for i in range(N_ENTRIES):
        entries[i] = find(NAMES[i].encode())


cdef Entry *find(bytes name) except NULL:
    cdef int i
    for i in range(table.n_entries):
        if table.entries[i].name == name:
            return &table.entries[i]
    raise KeyError(name)


cdef object operands():
    global slow
    if slow is None:
        from fastnn import _operands
        slow = _operands
    return slow


cdef object arrays():
    global slow_arrays
    if slow_arrays is None:
        from fastnn import _arrays
        slow_arrays = _arrays
    return slow_arrays


cdef inline bint real(object x) noexcept:
    """A float32 or float64 ndarray (no subclass), aligned and native."""
    if type(x) is not cnp.ndarray:
        return False
    cdef int type_ = cnp.PyArray_TYPE(<cnp.ndarray> x)
    return (type_ == cnp.NPY_FLOAT32 or type_ == cnp.NPY_FLOAT64) and cnp.PyArray_ISBEHAVED_RO(<cnp.ndarray> x)


cdef inline bint alike(object x, object y) noexcept:
    """Two such arrays of one dtype, both C-contiguous."""
    return (real(x) and real(y) and cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.PyArray_TYPE(<cnp.ndarray> y)
            and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> x) and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> y))


cdef inline bint is_turned(object x) noexcept:
    """Whether x is a C-contiguous array with its axes in reverse, and not C-contiguous itself."""
    return (type(x) is cnp.ndarray and not cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> x)
            and cnp.PyArray_IS_F_CONTIGUOUS(<cnp.ndarray> x))


cdef inline cnp.ndarray turned(cnp.ndarray x):
    """x with its axes in reverse, a view."""
    return cnp.PyArray_Transpose(x, NULL)


cdef inline cnp.ndarray taken(object x, str argument="x"):
    """x as kernels read it: itself, a C-contiguous copy, or what fastnn._arrays makes of it."""
    if real(x):
        return <cnp.ndarray> x if cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> x) else contiguous(<cnp.ndarray> x)
    return arrays().plain(x, argument)


cdef cnp.ndarray contiguous(cnp.ndarray x):
    """A C-contiguous copy; of a transposed matrix by the kernel that exchanges axes."""
    if cnp.PyArray_NDIM(x) != 2 or not is_turned(x):
        return cnp.PyArray_GETCONTIGUOUS(x)
    cdef cnp.ndarray y = cnp.PyArray_EMPTY(2, cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x), 0)
    swap_axes(x, <char *> cnp.PyArray_DATA(y), 1, cnp.PyArray_DIM(x, 1), cnp.PyArray_DIM(x, 0))
    return y


cdef bint same_shape(cnp.ndarray x, int rank, const cnp.npy_intp *shape) noexcept:
    cdef int i
    if cnp.PyArray_NDIM(x) != rank:
        return False
    for i in range(rank):
        if cnp.PyArray_DIM(x, i) != shape[i]:
            return False
    return True


cdef cnp.ndarray result(object out, int rank, cnp.npy_intp *shape, int type_):
    """The array to write to: a new one, or ``out``, which must be just so."""
    if out is None:
        return cnp.PyArray_EMPTY(rank, shape, type_, 0)
    if (real(out) and cnp.PyArray_TYPE(<cnp.ndarray> out) == type_ and same_shape(<cnp.ndarray> out, rank, shape)
            and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> out) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray> out)):
        return <cnp.ndarray> out
    dtype = "float64" if type_ == cnp.NPY_FLOAT64 else "float32"
    raise operands().wrong_out(out, tuple([shape[i] for i in range(rank)]), dtype)


cdef void bounds(cnp.ndarray x, char **low, char **high) noexcept:
    """The memory that x lies in: high is past its last byte."""
    cdef int i
    cdef Py_ssize_t reach
    low[0] = high[0] = <char *> cnp.PyArray_DATA(x)
    if cnp.PyArray_SIZE(x) == 0:
        return
    high[0] += cnp.PyArray_ITEMSIZE(x)
    for i in range(cnp.PyArray_NDIM(x)):
        reach = (cnp.PyArray_DIM(x, i) - 1) * cnp.PyArray_STRIDE(x, i)
        if reach < 0:
            low[0] += reach
        else:
            high[0] += reach


cdef bint overlap(cnp.ndarray x, cnp.ndarray y) noexcept:
    """Whether x and y may share memory."""
    cdef char *low
    cdef char *high
    cdef char *y_low
    cdef char *y_high
    bounds(x, &low, &high)
    bounds(y, &y_low, &y_high)
    return low < y_high and y_low < high


cdef inline cnp.ndarray apart(cnp.ndarray x, cnp.ndarray out):
    """x, or a copy where a kernel that writes ``out`` element by element would change x before it is read."""
    if cnp.PyArray_DATA(x) == cnp.PyArray_DATA(out) or not overlap(x, out):
        return x
    return cnp.PyArray_NewCopy(x, cnp.NPY_CORDER)


cdef inline cnp.ndarray apart_from_all(cnp.ndarray x, cnp.ndarray out):
    """x, or a copy where it shares any memory with ``out``: where every element of x is read again and again."""
    return cnp.PyArray_NewCopy(x, cnp.NPY_CORDER) if overlap(x, out) else x


cdef struct Call:
    Operation op
    Frame frame
    char *base[4]


cdef inline void prepare(Call *call) noexcept:
    """An operation whose operand i, of at most 4, lies at base[i]."""
    cdef int i
    memset(call, 0, sizeof(Call))
    for i in range(4):
        call.op.slot[i] = i
    call.frame.limits, call.frame.parallel_for, call.frame.threads, call.frame.rows = limits, parallel_for, 1, 1


cdef inline void run(const Entry *entry, Call *call, bint double_, Py_ssize_t work) noexcept:
    """Run one operation; a large one on all threads and without the GIL."""
    cdef kernel_t kernel = entry.float64 if double_ else entry.float32
    call.frame.base = &call.base[0]
    if work < limits.release:
        kernel(&call.op, &call.frame)
        return
    call.frame.threads = threads_of_process()
    with nogil:
        kernel(&call.op, &call.frame)


cdef void swap_axes(cnp.ndarray x, char *y, Py_ssize_t outer, Py_ssize_t middle, Py_ssize_t inner) noexcept:
    """Copy the memory of x, seen as (outer, middle, inner), to y, as (outer, inner, middle)."""
    cdef Call call
    prepare(&call)
    call.base[0], call.base[1] = <char *> cnp.PyArray_DATA(x), y
    call.op.size[0], call.op.size[1], call.op.size[2] = outer, middle, inner
    run(entries[SWAP_AXES], &call, cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT64, 10 * outer * middle * inner)


cdef int axis_of(object axis, int rank, bint several=True) except -1:
    """An axis of an array of this rank, counted from 0; ``several``: a tuple could have been given."""
    cdef int overflow = 0
    cdef long n
    if PyLong_CheckExact(axis):
        n = PyLong_AsLongAndOverflow(axis, &overflow)
        if not overflow and -rank <= n < rank:
            return n + rank if n < 0 else n
    return arrays().check_axis(axis, rank, "None, a whole number or a tuple of them" if several else
                               "None or a whole number")


def dot(x1, x2):
    """Dot product of two vectors: the sum of x1[i] * x2[i].

    x1, x2: 1-D arrays of one length, float32 or float64; other numbers are converted. Returns a float.
    Raises ValueError for other ranks or lengths that differ, TypeError for what is no array of numbers.

    >>> dot([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    32.0
    """
    cdef object x = x1, y = x2
    cdef double value
    if not (alike(x, y) and cnp.PyArray_NDIM(<cnp.ndarray> x) == 1 and cnp.PyArray_NDIM(<cnp.ndarray> y) == 1
            and cnp.PyArray_DIM(<cnp.ndarray> x, 0) == cnp.PyArray_DIM(<cnp.ndarray> y, 0)):
        x, y = vectors(x, y)
    cdef Py_ssize_t n = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
    cdef void *a = cnp.PyArray_DATA(<cnp.ndarray> x)
    cdef void *b = cnp.PyArray_DATA(<cnp.ndarray> y)
    cdef bint single = cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT32
    if n < limits.release:
        if single:
            return table.dot_float32(n, <float *> a, <float *> b)
        return table.dot_float64(n, <double *> a, <double *> b)
    with nogil:
        if single:
            value = table.dot_float32(n, <float *> a, <float *> b)
        else:
            value = table.dot_float64(n, <double *> a, <double *> b)
    return value


cdef tuple vectors(object x, object y):
    """The vectors of ``dot`` where they do not lie as its kernel reads them: strided ones are copied."""
    if (real(x) and real(y) and cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.PyArray_TYPE(<cnp.ndarray> y)
            and cnp.PyArray_NDIM(<cnp.ndarray> x) == 1 and cnp.PyArray_NDIM(<cnp.ndarray> y) == 1
            and cnp.PyArray_DIM(<cnp.ndarray> x, 0) == cnp.PyArray_DIM(<cnp.ndarray> y, 0)):
        return cnp.PyArray_GETCONTIGUOUS(<cnp.ndarray> x), cnp.PyArray_GETCONTIGUOUS(<cnp.ndarray> y)
    return operands().vectors(x, y)


include "ops_elementwise.pxi"
include "ops_reduction.pxi"
include "ops_matmul.pxi"
include "ops_convolution.pxi"
