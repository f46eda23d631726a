"""The eager functions ``fastnn.ops.*``: one kernel, called on arrays at once.

An exact, aligned, C-contiguous ndarray of float32 or float64 is checked with NumPy's C macros (tens of nanoseconds) and
goes straight to the kernel; everything else takes the slow path through ``fastnn._arrays``, which converts or raises.
Each call fills one ``Operation`` and one ``Frame`` on the stack: the same kernels that programs run.
"""
cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.string cimport memset

from operation cimport MAX_SCALARS, Entry, Frame, Limits, Operation, Table, kernel_t, parallel_for_t

import numpy as np

cnp.import_array()

cdef enum:
    RELEASE = 500_000        # multiply-adds (or elements times 10) from which the GIL is released

cdef Table *table = NULL
cdef parallel_for_t parallel_for = NULL
cdef const Limits *limits = NULL
cdef object threads_of_process = None
cdef object slow = None       # fastnn._arrays, loaded when first needed

cdef Entry *relu_entry = NULL
cdef Entry *sigmoid_entry = NULL
cdef Entry *tanh_entry = NULL
cdef Entry *softmax_entry = NULL
cdef Entry *matmul_entry = NULL


def connect(table_capsule, parallel_capsule, limits_capsule, threads):
    """Take the kernels of the level in use; ``threads()`` gives the number of threads."""
    global table, parallel_for, limits, threads_of_process
    global relu_entry, sigmoid_entry, tanh_entry, softmax_entry, matmul_entry
    table = <Table *> PyCapsule_GetPointer(table_capsule, b"fastnn.kernels")
    parallel_for = <parallel_for_t> PyCapsule_GetPointer(parallel_capsule, b"fastnn.parallel_for")
    limits = <const Limits *> PyCapsule_GetPointer(limits_capsule, b"fastnn.limits")
    threads_of_process = threads
    relu_entry, sigmoid_entry, tanh_entry = find(b"relu_forward"), find(b"sigmoid_forward"), find(b"tanh_forward")
    softmax_entry, matmul_entry = find(b"softmax_forward"), find(b"matmul")


cdef Entry *find(bytes name) except NULL:
    cdef int i
    for i in range(table.n_entries):
        if table.entries[i].name == name:
            return &table.entries[i]
    raise KeyError(name)


cdef inline bint plain(object x) noexcept:
    """A float32 or float64 ndarray (no subclass) that kernels may read as it lies."""
    if type(x) is not cnp.ndarray:
        return False
    cdef int type_ = cnp.PyArray_TYPE(<cnp.ndarray> x)
    return ((type_ == cnp.NPY_FLOAT32 or type_ == cnp.NPY_FLOAT64)
            and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> x)
            and cnp.PyArray_ISBEHAVED_RO(<cnp.ndarray> x))


cdef object arrays():
    global slow
    if slow is None:
        from fastnn import _arrays
        slow = _arrays
    return slow


cdef void run(Entry *entry, Operation *op, Frame *frame, char **base, bint double_, Py_ssize_t work) noexcept:
    """Run one operation whose operand i lies at base[i]."""
    cdef kernel_t kernel = entry.float64 if double_ else entry.float32
    memset(frame, 0, sizeof(Frame))
    frame.base, frame.limits, frame.parallel_for, frame.threads, frame.rows = base, limits, parallel_for, 1, 1
    if work < RELEASE:
        kernel(op, frame)
        return
    frame.threads = threads_of_process()
    with nogil:
        kernel(op, frame)


def dot(x, y):
    """Dot product of two vectors: the sum of x[i] * y[i].

    x, y: 1-D arrays of one length, float32 or float64; other numbers are converted. Returns a float.
    Raises ValueError for other ranks or lengths that differ, TypeError for what is no array of numbers.

    >>> dot([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    32.0
    """
    cdef Py_ssize_t n
    if not (plain(x) and plain(y) and cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.PyArray_TYPE(<cnp.ndarray> y)
            and cnp.PyArray_NDIM(<cnp.ndarray> x) == 1 and cnp.PyArray_NDIM(<cnp.ndarray> y) == 1
            and cnp.PyArray_DIM(<cnp.ndarray> x, 0) == cnp.PyArray_DIM(<cnp.ndarray> y, 0)):
        x, y = arrays().vectors(x, y)
    n = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
    cdef void *a = cnp.PyArray_DATA(<cnp.ndarray> x)
    cdef void *b = cnp.PyArray_DATA(<cnp.ndarray> y)
    cdef double result
    if cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT32:
        if n < RELEASE:
            return table.dot_float32(n, <float *> a, <float *> b)
        with nogil:
            result = table.dot_float32(n, <float *> a, <float *> b)
        return result
    if n < RELEASE:
        return table.dot_float64(n, <double *> a, <double *> b)
    with nogil:
        result = table.dot_float64(n, <double *> a, <double *> b)
    return result


def matmul(a, b):
    """Matrix product a @ b.

    a: (..., K), b: (K, N), float32 or float64; other numbers are converted. Returns (..., N). A transposed view is read
    as it lies. Raises ValueError when the inner sizes differ or a rank is below 2, TypeError for what is no array of
    numbers.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    cdef int flags = 0
    if not (plain(a) and plain(b) and cnp.PyArray_TYPE(<cnp.ndarray> a) == cnp.PyArray_TYPE(<cnp.ndarray> b)
            and cnp.PyArray_NDIM(<cnp.ndarray> a) == 2 and cnp.PyArray_NDIM(<cnp.ndarray> b) == 2
            and cnp.PyArray_DIM(<cnp.ndarray> a, 1) == cnp.PyArray_DIM(<cnp.ndarray> b, 0)):
        a, b, flags, shape = arrays().matrices(a, b)
        return product(a, b, flags).reshape(shape)
    return product(<cnp.ndarray> a, <cnp.ndarray> b, 0)


cdef cnp.ndarray product(cnp.ndarray a, cnp.ndarray b, int flags):
    """a @ b of plain arrays as stored: transposed a with flag 1, transposed b with flag 2."""
    cdef cnp.npy_intp shape[2]
    cdef Operation op
    cdef Frame frame
    cdef char *base[4]
    cdef int i, type_ = cnp.PyArray_TYPE(a)
    cdef Py_ssize_t k = cnp.PyArray_DIM(a, 0 if flags & 1 else 1)
    shape[0] = cnp.PyArray_DIM(a, 1 if flags & 1 else 0)
    shape[1] = cnp.PyArray_DIM(b, 0 if flags & 2 else 1)
    cdef cnp.ndarray c = cnp.PyArray_EMPTY(2, shape, type_, 0)
    scratch = None
    base[0], base[1], base[3] = <char *> cnp.PyArray_DATA(a), <char *> cnp.PyArray_DATA(b), <char *> cnp.PyArray_DATA(c)
    memset(&op, 0, sizeof(Operation))
    for i in range(2, 7):
        op.slot[i] = -1
    op.slot[1], op.slot[7] = 1, 3
    cdef Py_ssize_t n_bytes = table.matmul_scratch(shape[0], k, shape[1], flags & 2, cnp.PyArray_ITEMSIZE(a))
    if n_bytes:
        scratch = np.empty(n_bytes, np.uint8)
        base[2] = <char *> cnp.PyArray_DATA(<cnp.ndarray> scratch)
        op.slot[6] = 2
    op.size[0], op.size[1], op.size[2] = shape[0], k, shape[1]
    op.size[3], op.size[4], op.size[5] = cnp.PyArray_DIM(a, 1), cnp.PyArray_DIM(b, 1), shape[1]
    op.flags = flags
    run(matmul_entry, &op, &frame, base, type_ == cnp.NPY_FLOAT64, shape[0] * k * shape[1])
    return c


cdef object rowwise(Entry *entry, object x, bint rows, tuple numbers=()):
    """An element-wise function of x, or one over its last axis; ``numbers``: the kernel's own."""
    cdef Operation op
    cdef Frame frame
    cdef char *base[2]
    cdef cnp.ndarray y
    cdef Py_ssize_t n
    cdef int i
    if not plain(x):
        x = arrays().plain(x)
    cdef cnp.ndarray array = <cnp.ndarray> x
    cdef int rank = cnp.PyArray_NDIM(array)
    y = cnp.PyArray_EMPTY(rank, cnp.PyArray_DIMS(array), cnp.PyArray_TYPE(array), 0)
    base[0], base[1] = <char *> cnp.PyArray_DATA(array), <char *> cnp.PyArray_DATA(y)
    memset(&op, 0, sizeof(Operation))
    op.slot[1] = 1
    for i in range(len(numbers)):
        op.scalar[i] = numbers[i]
    n = cnp.PyArray_SIZE(array)
    op.size[0] = n
    if rows:
        op.size[1] = cnp.PyArray_DIM(array, rank - 1)
        op.size[0] = n // op.size[1] if op.size[1] else 0
    run(entry, &op, &frame, base, cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT64, 10 * n)
    return y


cdef class Kernel:
    """The kernel of this name as a function of an array: element by element, or over the last axis where ``rows``.

    Called with an array of any shape and the kernel's own numbers, at most MAX_SCALARS, it returns a new array. Raises
    KeyError for a name that no kernel has.
    """
    cdef Entry *entry
    cdef bint rows

    def __cinit__(self, str name, bint rows=False):
        self.entry = find(name.encode())
        self.rows = rows

    def __call__(self, x, tuple numbers=()):
        if len(numbers) > MAX_SCALARS:
            raise ValueError(f"a kernel takes at most {MAX_SCALARS} numbers, got {len(numbers)}")
        return rowwise(self.entry, x, self.rows, numbers)


def relu(x):
    """max(x, 0) of every element. x: array of any shape; returns a new array. NaN stays NaN.

    >>> relu([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return rowwise(relu_entry, x, False)


def sigmoid(x):
    """1 / (1 + exp(-x)) of every element. x: array of any shape; returns a new array.

    >>> sigmoid([0.0]).tolist()
    [0.5]
    """
    return rowwise(sigmoid_entry, x, False)


def tanh(x):
    """Hyperbolic tangent of every element. x: array of any shape; returns a new array.

    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return rowwise(tanh_entry, x, False)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along ``axis``. x: array of rank 1 or more; returns a new array whose slices sum to 1.

    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    if axis != -1 or np.ndim(x) == 0:
        x = arrays().plain(x)
        axis = arrays().check_axis(axis, x.ndim)
        return np.moveaxis(rowwise(softmax_entry, np.ascontiguousarray(np.moveaxis(x, axis, -1)), True), -1, axis)
    return rowwise(softmax_entry, x, True)
