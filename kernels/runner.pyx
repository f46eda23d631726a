"""Runs programs: a flat list of operations over the slots of a frame, batch after batch, without the GIL.

``Kernels`` finds the functions of one instruction-set level by name. ``Program`` is the immutable list: head operations
run once a call, body operations once a batch, and those from ``commit`` on write what outlives the batch. ``Frame`` is
what one run borrows: the place of every slot. ``run`` walks the list; between operations, when the work done since the
last look is estimated at ``LOOK_NS``, it reads the clock, and after ``PATIENCE_NS`` it takes the GIL to check signals,
so that Ctrl-C is answered within about 20 ms. A signal, a Python operation that raises, or a fault leaves before the
commit: the batch is dropped whole.
"""
cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from limits cimport (
    BLOCK, KEEP_GIL_NS, LOOK_NS, PATIENCE_NS, RELEASE, STREAM, THREADS_HEAVY, THREADS_LIGHT, THREADS_MATMUL,
    THREADS_RUN_NS,
)
from operation cimport (
    BAD_ID, BAD_LABEL, MAX_INPUTS, MAX_OPERANDS, MAX_SCALARS, MAX_SIZES, NOT_FINITE, OK, PAUSED, PYTHON_ERROR,
    SKIP, Array, Frame, Limits, Operation, Table, kernel_t, parallel_for_t,
)
from shuffle cimport permute

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


cdef extern from *:
    """
    /* Denormals to zero while a program runs: the moments of weights whose gradient stays zero decay into them within
       a thousand steps, and operations on them are slow on Intel's cores (a step of a 4-64-64-3 net took 21 us, not
       14). The caller's mode comes back with the caller. parallel_for hands the mode on to its threads. */
    #if defined(__SSE__) || defined(__x86_64__)
    #include <xmmintrin.h>
    static unsigned flush_denormals(void) { unsigned mode = _mm_getcsr(); _mm_setcsr(mode | 0x8040); return mode; }
    static void restore_denormals(unsigned mode) {
        _mm_setcsr((_mm_getcsr() & ~0x8040u) | (mode & 0x8040u));
    }
    #else
    static unsigned flush_denormals(void) { return 0; }
    static void restore_denormals(unsigned mode) { (void) mode; }
    #endif
    """
    unsigned flush_denormals() noexcept nogil
    void restore_denormals(unsigned mode) noexcept nogil


cdef inline int64_t now() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return t.tv_sec * 1_000_000_000 + t.tv_nsec


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

    cdef check_arrays(self, list arrays):
        if len(arrays) < self.program.n_arrays:
            raise ValueError(f"a run of this program needs {self.program.n_arrays} arrays, got {len(arrays)}")

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
        cdef int status, i
        cdef cnp.ndarray array
        self.epochs_done = 0
        if len(arrays) > MAX_INPUTS:
            raise ValueError(f"a run takes at most {MAX_INPUTS} arrays, got {len(arrays)}")
        self.check_arrays(arrays)
        i = 0
        for array in arrays:
            if cnp.PyArray_SIZE(array) < n_rows * self.program.row_elements[i]:
                need = self.program.row_elements[i]
                raise ValueError(f"array {i} of a run of {n_rows} rows must hold {need} elements "
                                 f"a row, got {cnp.PyArray_SIZE(array)} in all")
            self.bind(i, array, type_code(array))
            i += 1
        memset(&state, 0, sizeof(State))
        state.n_rows, state.batch_size, state.batch, state.last = n_rows, batch_size, first, last
        state.first, state.step = first, step
        state.report = <int64_t> (1e9 * report)
        if order is not None:
            self.frame.order = <const int64_t *> cnp.PyArray_DATA(<cnp.ndarray> order)
        else:
            self.frame.order = NULL
        if watch:
            state.watched = <double *> cnp.PyArray_DATA(<cnp.ndarray> counters)
        if rates is not None:
            state.rates = <const double *> cnp.PyArray_DATA(<cnp.ndarray> rates)
        if times is not None:
            state.times = <double *> cnp.PyArray_DATA(<cnp.ndarray> times)
        self.frame.threads = threads
        state.epochs = 1
        if totals is not None:
            state.epochs = cnp.PyArray_DIM(<cnp.ndarray> totals, 0)
            state.n_counters = cnp.PyArray_DIM(<cnp.ndarray> totals, 1)
            state.totals = <double *> cnp.PyArray_DATA(<cnp.ndarray> totals)
            state.counters = <double *> cnp.PyArray_DATA(<cnp.ndarray> counters)
            state.shuffles, state.seed = seed is not None, <uint64_t> (seed or 0)
            begin_epoch(&self.frame, &state)
        try:
            status = self.drive(&state)
        finally:
            self.release(i)
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
        if len(arrays) > MAX_INPUTS:
            raise ValueError(f"a run takes at most {MAX_INPUTS} arrays, got {len(arrays)}")
        self.check_arrays(arrays)
        for i, array in enumerate(arrays):
            self.bind(i, array, type_code(array))
        self.frame.order = NULL
        if order is not None:
            self.frame.order = <const int64_t *> cnp.PyArray_DATA(<cnp.ndarray> order)
        self.frame.rows, self.frame.start, self.frame.step, self.frame.threads = rows, start, step, threads
        self.frame.learning_rate = learning_rate
        status = self.program.operations[0].run(&self.program.operations[0], &self.frame)
        self.release(len(arrays))
        return status, self.frame.fault_row, self.frame.fault_value

    cdef int drive(self, State *state) except -1:
        """Walk until done, looking at signals whenever the walk pauses."""
        cdef int status
        cdef bint short = self.program.nanoseconds * (state.last - state.batch) * state.epochs < KEEP_GIL_NS
        state.started = state.looked = now()
        while True:
            if short:
                status = walk(self.program, &self.frame, state)
            else:
                with nogil:
                    status = walk(self.program, &self.frame, state)
            if status != PAUSED:
                return status
            PyErr_CheckSignals()
            state.looked = now()
            if state.reported:
                return OK


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


cdef struct State:
    Py_ssize_t n_rows, batch_size, first, batch, last
    int operation            # next one; 0: the head has not run
    const double *rates
    int64_t step             # of the first batch
    int64_t spent            # estimated nanoseconds since the last look at the clock
    int64_t looked, started, report
    bint reported
    Py_ssize_t epoch, epochs  # with totals: those done, those to do
    Py_ssize_t n_counters
    double *totals           # one row of counters an epoch, or NULL
    double *counters
    const double *watched    # the counter whose first number is to stay finite, or NULL
    bint shuffles
    uint64_t seed
    unsigned mode            # the caller's floating-point mode
    double *times


cdef int walk(Program program, Frame *frame, State *state) noexcept nogil:
    """Run from where ``state`` stands to its last batch, a fault, or a pause; denormals are zero meanwhile."""
    cdef int status
    state.mode = flush_denormals()
    frame.state = state
    status = steps(program, frame, state)
    restore_denormals(state.mode)
    return status


cdef void begin_epoch(Frame *frame, State *state) noexcept nogil:
    """Counters to zero, and a new order."""
    memset(state.counters, 0, state.n_counters * sizeof(double))
    if state.shuffles:
        permute(<int64_t *> frame.order, state.n_rows, state.seed,
                state.step + state.epoch * (state.last - state.first))


cdef int steps(Program program, Frame *frame, State *state) noexcept nogil:
    cdef const Operation *op
    cdef int status, end = program.n_operations
    cdef int64_t began = 0
    cdef Py_ssize_t n_batches = state.last - state.first, done
    while state.batch < state.last:
        done = state.epoch * n_batches + state.batch - state.first
        frame.start = state.batch * state.batch_size
        frame.rows = min(state.batch_size, state.n_rows - frame.start)
        frame.step = state.step + done
        if state.rates != NULL:
            frame.learning_rate = state.rates[done]
        while state.operation < end:
            op = &program.operations[state.operation]
            if state.times != NULL:
                began = now()
            status = op.run(op, frame)
            if status != OK and status != SKIP:
                return status
            if state.times != NULL:
                state.times[state.operation] += 1e-9 * (now() - began)
            state.spent += program.cost[state.operation]
            state.operation += 1 if status == OK else 1 + <int> op.size[0]
            if state.spent > LOOK_NS and state.operation <= program.commit:
                state.spent = 0
                if now() - state.looked > PATIENCE_NS:
                    return PAUSED
        state.operation = program.head
        state.batch += 1
        if state.batch == state.last and state.totals != NULL:
            memcpy(state.totals + state.epoch * state.n_counters, state.counters, state.n_counters * sizeof(double))
            state.epoch += 1
            if state.epoch < state.epochs:
                state.batch = state.first
                begin_epoch(frame, state)
        if state.watched != NULL and state.batch < state.last and not isfinite(state.watched[0]):
            state.reported = True
            return PAUSED
        if state.report > 0 and state.batch < state.last and now() - state.started > state.report:
            state.reported = True
            return PAUSED
    return OK
