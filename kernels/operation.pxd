"""What planner, runner and kernels share: an operation, the frame it runs in, and the table of a level.

A program is an array of ``Operation``; nothing in it points into a buffer. Operands are (slot, offset): the frame says
where each slot lies now. Every kernel has the one signature ``kernel_t``; it reads its operands with ``at`` and its
sizes with ``extent``, which multiplies a size marked in ``scaled`` by the rows of the batch: that is all a kernel ever
knows of "rows at run time". This file holds types and inline readers only, so that no compiled module imports another.
"""
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    MAX_OPERANDS = 12
    MAX_SIZES = 24
    MAX_SCALARS = 6
    MAX_INPUTS = 8

cdef enum Status:
    OK = 0
    BAD_LABEL = 1        # frame.fault_row, fault_value: a class index outside [0, classes)
    NOT_FINITE = 2       # frame.fault_row, fault_value: NaN or inf in streamed data
    PYTHON_ERROR = 3     # a Python operation raised
    PAUSED = 4           # the runner only: time to look at signals
    SKIP = 5             # no fault: leave out the next ``size 0`` operations
    BAD_ID = 6           # frame.fault_row, fault_column, fault_value: an id outside [0, count)

cdef enum DataType:      # dtypes that gather reads
    FLOAT32 = 0
    FLOAT64 = 1
    FLOAT16 = 2
    UINT8 = 3
    INT32 = 4
    INT64 = 5
    BOOL = 6

ctypedef void (*block_t)(void *context, Py_ssize_t block) noexcept nogil
ctypedef void (*parallel_for_t)(block_t function, void *context, Py_ssize_t blocks, int threads) noexcept nogil

ctypedef struct Limits:
    # Work from which threads are used (limits.pxd has the values; tests set them to force every path).
    Py_ssize_t matmul        # multiply-adds
    Py_ssize_t light         # elements of cheap element-wise work (copy, add, relu)
    Py_ssize_t heavy         # elements of work with exp, division, roots or random numbers
    Py_ssize_t block         # elements in one block of element-wise work
    Py_ssize_t release       # an eager call: work from which it hands over the GIL
    int64_t run              # a run: estimated nanoseconds
    Py_ssize_t stream        # bytes of an output of element-wise work from which it is written past the caches

ctypedef struct Array:
    # One of the caller's arrays: rows of contiguous elements, any distance between rows.
    char *data
    Py_ssize_t stride        # bytes from row to row
    int dtype                # DataType

ctypedef struct Frame:
    char **base              # where each slot lies
    Py_ssize_t rows          # of this batch
    Py_ssize_t start         # the batch's first place in the order
    const int64_t *order     # rows of the caller's arrays, or NULL: as they lie
    Array *arrays            # inputs and outputs of the run, by index
    const Limits *limits
    parallel_for_t parallel_for
    uint64_t seed
    int64_t step             # steps trained before this one: the random generator's counter
    double learning_rate     # of this step
    int threads              # the most that an operation may use
    Py_ssize_t fault_row     # set by a kernel that returns a status other than OK
    Py_ssize_t fault_column  # the element of that row, for BAD_LABEL and BAD_ID
    double fault_value
    void *owner              # the runner's object and the state of its run, for Python operations
    void *state

ctypedef struct Operation:
    int (*run)(const Operation *, Frame *) noexcept nogil
    int slot[MAX_OPERANDS]               # -1: operand absent
    int flags                            # a kernel's own variants
    uint32_t scaled                      # bit i: size[i] is per row of the batch
    Py_ssize_t offset[MAX_OPERANDS]      # bytes
    Py_ssize_t size[MAX_SIZES]
    double scalar[MAX_SCALARS]

ctypedef int (*kernel_t)(const Operation *, Frame *) noexcept nogil

# bytes of the scratch operand that a kernel wants for these sizes, per-row ones multiplied out already
ctypedef Py_ssize_t (*scratch_t)(const Py_ssize_t *size, int flags, Py_ssize_t itemsize) noexcept nogil

ctypedef struct Entry:
    const char *name
    kernel_t float32
    kernel_t float64
    scratch_t scratch        # NULL: it has no such operand

ctypedef struct Table:
    # What the module of one instruction-set level exports, in a capsule named "fastnn.kernels".
    const char *level
    int n_entries
    int vector_bytes
    Entry *entries
    float (*dot_float32)(Py_ssize_t n, const float *x, const float *y) noexcept nogil
    double (*dot_float64)(Py_ssize_t n, const double *x, const double *y) noexcept nogil
    scratch_t matmul_scratch

cdef inline char *at(const Operation *op, const Frame *frame, int i) noexcept nogil:
    """The address of operand i, or NULL where it is absent."""
    if op.slot[i] < 0:
        return NULL
    return frame.base[op.slot[i]] + op.offset[i]

cdef inline Py_ssize_t extent(const Operation *op, const Frame *frame, int i) noexcept nogil:
    """Size i in this run."""
    if (op.scaled >> i) & 1:
        return op.size[i] * frame.rows
    return op.size[i]

cdef inline int threads_for(const Frame *frame, Py_ssize_t work, Py_ssize_t limit) noexcept nogil:
    """Threads for an operation of so much work."""
    return frame.threads if work >= limit else 1
