"""Runs programs: a flat list of operations over the slots of a frame, batch after batch, without the GIL.

``Kernels`` finds the functions of one instruction-set level by name. ``Program`` is the immutable list: head operations
run once a call, body operations once a batch, and those from ``commit`` on write what outlives the batch. ``Frame`` is
what one run borrows: the place of every slot. ``run`` lets it be walked (walk.pxd) and, whenever the walk pauses, takes
the GIL to check signals, so that Ctrl-C is answered within about 20 ms. A signal, a Python operation that raises, or a
fault leaves before the commit: the batch is dropped whole.
"""
cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from limits cimport (
    BLOCK, KEEP_GIL_NS, RELEASE, STREAM, THREADS_HEAVY, THREADS_LIGHT, THREADS_MATMUL, THREADS_RUN_NS,
)
from operation cimport (
    BAD_ID, BAD_LABEL, MAX_INPUTS, MAX_OPERANDS, MAX_SCALARS, MAX_SIZES, NOT_FINITE, OK, PAUSED, PYTHON_ERROR,
    Array, Frame, Limits, Operation, Table, kernel_t, parallel_for_t,
)
from shuffle cimport permute
from walk cimport State, begin_epoch, flush_denormals, now, restore_denormals, walk

import numpy as np

cnp.import_array()

# Kernels that touch the caller's array of number size 2, size 1 elements a row.
ARRAY_KERNELS = frozenset(("gather", "gather_integer", "scatter", "check_array", "check_labels"))
DATA_TYPES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int64": 5, "bool": 6}
STATUS_BAD_LABEL = BAD_LABEL
STATUS_NOT_FINITE = NOT_FINITE
STATUS_BAD_ID = BAD_ID

cdef Limits limits = Limits(THREADS_MATMUL, THREADS_LIGHT, THREADS_HEAVY, BLOCK, RELEASE, THREADS_RUN_NS, STREAM)
cdef parallel_for_t parallel_for = NULL


def connect(capsule):
    """Take ``parallel_for`` from the capsule of ``_kernels.parallel``."""
    global parallel_for
    parallel_for = <parallel_for_t> PyCapsule_GetPointer(capsule, b"fastnn.parallel_for")


def limits_capsule():
    """The thresholds, for ``_kernels.ops``."""
    return PyCapsule_New(&limits, b"fastnn.limits", NULL)


def get_limits():
    """The thresholds of threads, the block size and the eager calls' of the GIL, as a dict."""
    return dict(limits)


def set_limits(matmul=None, light=None, heavy=None, block=None, release=None, run=None, stream=None):
    """Change thresholds for this process; None leaves one as it is."""
    limits.matmul = limits.matmul if matmul is None else matmul
    limits.light = limits.light if light is None else light
    limits.heavy = limits.heavy if heavy is None else heavy
    limits.block = limits.block if block is None else max(1, block)
    limits.release = limits.release if release is None else release
    limits.run = limits.run if run is None else run
    limits.stream = limits.stream if stream is None else stream


def worth_threads(double nanoseconds):
    """Whether a run that is estimated to take so long uses threads."""
    return nanoseconds > limits.run


def permutation(Py_ssize_t n, seed, uint64_t step):
    """A random order of n rows, int64 (n,): a function of (seed, step) alone, the same on every machine.

    The algorithm: shuffle.pxd.
    """
    cdef cnp.npy_intp size = n
    cdef cnp.ndarray order = cnp.PyArray_EMPTY(1, &size, cnp.NPY_INT64, 0)
    permute(<int64_t *> cnp.PyArray_DATA(order), n, <uint64_t> seed, step)
    return order


cdef class Kernels:
    """The kernels of one instruction-set level, from the capsule that its module exports."""
    cdef Table *table
    cdef object capsule
    cdef dict index

    def __init__(self, capsule):
        self.capsule = capsule
        self.table = <Table *> PyCapsule_GetPointer(capsule, b"fastnn.kernels")
        self.index = {self.table.entries[i].name.decode(): i for i in range(self.table.n_entries)}

    @property
    def names(self):
        """Names of all kernels."""
        return sorted(self.index)

    cdef kernel_t find(self, str name, str dtype) except NULL:
        cdef kernel_t kernel = NULL
        if name in self.index:
            entry = &self.table.entries[<int> self.index[name]]
            kernel = entry.float32 if dtype == "float32" else entry.float64
        if kernel == NULL:
            raise KeyError(f"no kernel {name!r} for {dtype} on level {self.table.level.decode()}")
        return kernel


cdef int call_python(const Operation *op, Frame *frame) noexcept nogil:
    """The kernel of Python operations: size 0 is the function's place in the program's list."""
    cdef int status
    restore_denormals((<State *> frame.state).mode)
    with gil:
        status = (<RunFrame> frame.owner).call(op)
    flush_denormals()
    return status


cdef class Program:
    """An immutable list of operations.

    Each item of ``operations`` is (kernel, dtype, slots, offsets, sizes, scaled, scalars, flags, nanoseconds);
    the kernel is a name or, for a Python operation, a callable taking the frame and the rows. ``head`` operations come
    first and run once a call; from index ``commit`` on, operations write what outlives the batch.
    """
    cdef Operation *operations
    cdef int64_t *cost
    cdef readonly int n_operations, head, commit, n_arrays
    cdef readonly list functions
    cdef Py_ssize_t row_elements[MAX_INPUTS]   # what a row of each of the caller's arrays must hold at least
    cdef readonly Kernels kernels
    cdef readonly double nanoseconds       # estimate for one batch of full capacity

    def __cinit__(self, Kernels kernels, list operations, int head, int commit):
        cdef int i
        self.n_operations = len(operations)
        self.head, self.commit, self.kernels, self.functions = head, commit, kernels, []
        self.operations = <Operation *> calloc(max(1, self.n_operations), sizeof(Operation))
        self.cost = <int64_t *> calloc(max(1, self.n_operations), sizeof(int64_t))
        if self.operations == NULL or self.cost == NULL:
            raise MemoryError()
        for i in range(self.n_operations):
            self.fill(&self.operations[i], operations[i])
            self.cost[i] = <int64_t> operations[i][8]
            if i >= head:
                self.nanoseconds += self.cost[i]

    def __dealloc__(self):
        free(self.operations)
        free(self.cost)

    cdef fill(self, Operation *op, item):
        cdef int i
        kernel, dtype, slots, offsets, sizes, scaled, scalars, flags, _ = item
        if kernel in ARRAY_KERNELS:
            if not 0 <= sizes[2] < MAX_INPUTS:
                raise ValueError(f"operation {kernel}: a program takes at most {MAX_INPUTS} arrays of the caller's, "
                                 f"numbers 0 to {MAX_INPUTS - 1}, got number {sizes[2]}; join some into one")
            self.row_elements[<int> sizes[2]] = max(self.row_elements[<int> sizes[2]], <Py_ssize_t> sizes[1])
            self.n_arrays = max(self.n_arrays, <int> sizes[2] + 1)
        if len(slots) > MAX_OPERANDS or len(sizes) > MAX_SIZES or len(scalars) > MAX_SCALARS:
            raise ValueError(f"operation {kernel}: too many operands, sizes or scalars")
        for i in range(MAX_OPERANDS):
            op.slot[i] = slots[i] if i < len(slots) else -1
            op.offset[i] = offsets[i] if i < len(slots) else 0
        for i, size in enumerate(sizes):
            op.size[i] = size
        for i, scalar in enumerate(scalars):
            op.scalar[i] = scalar
        op.flags, op.scaled = flags, scaled
        if callable(kernel):
            op.size[0] = len(self.functions)
            self.functions.append(kernel)
            op.run = call_python
        else:
            op.run = self.kernels.find(kernel, dtype)


cdef class RunFrame:
    """What one run borrows: where every slot lies, and the caller's arrays. Not for two runs at once."""
    cdef Frame frame
    cdef Array arrays[MAX_INPUTS]
    cdef char **base
    cdef list kept, error
    cdef readonly Program program
    cdef readonly list slots
    cdef readonly Py_ssize_t epochs_done

    def __cinit__(self, Program program, list slots, seed=0):
        cdef int i
        cdef cnp.ndarray array
        self.program, self.slots = program, slots
        self.kept, self.error = [None] * MAX_INPUTS, []
        self.base = <char **> calloc(max(1, len(slots)), sizeof(char *))
        if self.base == NULL:
            raise MemoryError()
        for i in range(len(slots)):
            array = slots[i]
            self.base[i] = <char *> cnp.PyArray_DATA(array)
        memset(&self.frame, 0, sizeof(Frame))
        self.frame.base, self.frame.arrays = self.base, self.arrays
        self.frame.limits, self.frame.parallel_for = &limits, parallel_for
        self.frame.seed = <uint64_t> (seed & 0xFFFFFFFFFFFFFFFF)
        self.frame.threads, self.frame.owner = 1, <void *> self

    def __dealloc__(self):
        free(self.base)

    cdef int call(self, const Operation *op) noexcept:
        try:
            self.program.functions[op.size[0]](self, self.frame.rows)
            return OK
        except BaseException as error:       # carried to the caller of run: nothing may pass through the kernels
            self.error.append(error)
            return PYTHON_ERROR

    cdef bind(self, int index, cnp.ndarray array, int dtype):
        """Array ``index`` of this run; rows must be contiguous (fastnn._arrays sees to it)."""
        self.arrays[index].data = <char *> cnp.PyArray_DATA(array)
        self.arrays[index].stride = cnp.PyArray_STRIDE(array, 0) if cnp.PyArray_NDIM(array) else 0
        self.arrays[index].dtype = dtype
        self.kept[index] = array

    cdef bind_all(self, list arrays, Py_ssize_t n_rows):
        """The caller's arrays, each of which must hold so many rows."""
        cdef cnp.ndarray array
        cdef Py_ssize_t need
        cdef int i
        if len(arrays) > MAX_INPUTS:
            raise ValueError(f"a run takes at most {MAX_INPUTS} arrays, got {len(arrays)}")
        if len(arrays) < self.program.n_arrays:
            raise ValueError(f"a run of this program needs {self.program.n_arrays} arrays, got {len(arrays)}")
        for i, array in enumerate(arrays):
            need = self.program.row_elements[i]
            if cnp.PyArray_SIZE(array) < n_rows * need:
                raise ValueError(f"array {i} of a run of {n_rows} rows must hold {need} elements "
                                 f"a row, got {cnp.PyArray_SIZE(array)} in all")
            self.bind(i, array, type_code(array))

    cdef release(self, int n):
        cdef int i
        for i in range(n):
            self.kept[i] = None
            self.arrays[i].data = NULL

    def slot(self, int index, Py_ssize_t offset, shape, dtype):
        """A view of ``shape`` on slot ``index``, for Python operations and tests."""
        raw = self.slots[index].reshape(-1).view(np.uint8)
        n = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return raw[offset:offset + n].view(dtype).reshape(shape)

    def run(self, list arrays, Py_ssize_t n_rows, Py_ssize_t batch_size, Py_ssize_t first, Py_ssize_t last,
            order=None, rates=None, int64_t step=0, int threads=1, double report=0.0, times=None, totals=None,
            counters=None, seed=None, bint watch=False):
        """Run batches first..last-1 of ``n_rows`` rows and return (batches done, fault).

        ``arrays``: the caller's arrays by index. ``order``: int64 row numbers, or None. ``rates``: float64, the
        learning rate of each batch of this call. ``report``: seconds after which to return at the end of a batch
        (0: never).
        ``times``: float64 array, one place an operation, that receives seconds (profiling).
        With ``totals``, float64 (epochs, counters), the batches are run once an epoch: each begins with ``counters`` at
        zero and, where ``seed`` is given, ``order`` shuffled anew as by ``permutation``, and ends with its counters
        copied to its row. ``epochs_done`` says how many have ended, also after an exception.
        With ``watch`` it returns at the end of a batch after which ``counters[0]`` is no finite number.
        The fault is None, or (status, operation, row in the caller's arrays, value, element of the row). Raises what a
        signal handler or a Python operation raised.
        """
        cdef State state
        cdef int status
        self.epochs_done = 0
        self.bind_all(arrays, n_rows)
        memset(&state, 0, sizeof(State))
        state.n_rows, state.batch_size, state.batch, state.last = n_rows, batch_size, first, last
        state.first, state.step = first, step
        state.report = <int64_t> (1e9 * report)
        state.rates, state.times = <const double *> data_of(rates), <double *> data_of(times)
        if watch:
            state.watched = <double *> data_of(counters)
        self.frame.order, self.frame.threads = <const int64_t *> data_of(order), threads
        state.epochs = 1
        if totals is not None:
            state.epochs = cnp.PyArray_DIM(<cnp.ndarray> totals, 0)
            state.n_counters = cnp.PyArray_DIM(<cnp.ndarray> totals, 1)
            state.totals, state.counters = <double *> data_of(totals), <double *> data_of(counters)
            state.shuffles, state.seed = seed is not None, <uint64_t> (seed or 0)
            begin_epoch(&self.frame, &state)
        try:
            status = self.drive(&state)
        finally:
            self.release(len(arrays))
            self.epochs_done = state.epoch
        if status == PYTHON_ERROR:
            raise self.error.pop()
        if status != OK:
            return state.batch - first, (status, state.operation, self.frame.fault_row, self.frame.fault_value,
                                         self.frame.fault_column)
        return state.batch - first, None

    def run_one(self, list arrays, Py_ssize_t rows, Py_ssize_t start, order, double learning_rate,
                int64_t step, int threads):
        """The first operation alone, on ``rows`` rows from place ``start`` of the order; for tests of kernels."""
        cdef int status
        self.bind_all(arrays, 0)
        self.frame.order = <const int64_t *> data_of(order)
        self.frame.rows, self.frame.start, self.frame.step, self.frame.threads = rows, start, step, threads
        self.frame.learning_rate = learning_rate
        status = self.program.operations[0].run(&self.program.operations[0], &self.frame)
        self.release(len(arrays))
        return status, self.frame.fault_row, self.frame.fault_value

    cdef int drive(self, State *state) except -1:
        """Walk until done, looking at signals whenever the walk pauses."""
        cdef int status
        cdef bint short = self.program.nanoseconds * (state.last - state.batch) * state.epochs < KEEP_GIL_NS
        state.operations, state.cost = self.program.operations, self.program.cost
        state.n_operations, state.head, state.commit = self.program.n_operations, self.program.head, self.program.commit
        state.started = state.looked = now()
        while True:
            if short:
                status = walk(&self.frame, state)
            else:
                with nogil:
                    status = walk(&self.frame, state)
            if status != PAUSED:
                return status
            PyErr_CheckSignals()
            state.looked = now()
            if state.reported:
                return OK


cdef void *data_of(array) noexcept:
    """Where the elements of an array lie, NULL for None."""
    return NULL if array is None else cnp.PyArray_DATA(<cnp.ndarray> array)


cdef int type_code(cnp.ndarray array) except -1:
    cdef int t = cnp.PyArray_TYPE(array)
    if t == cnp.NPY_FLOAT32:
        return 0
    if t == cnp.NPY_FLOAT64:
        return 1
    if t == cnp.NPY_INT64 or (t == cnp.NPY_LONGLONG):
        return 5
    if t == cnp.NPY_INT32:
        return 4
    return DATA_TYPES[array.dtype.name]
