"""The walk over a program's operations, batch after batch: what happens without the GIL.

Between operations, when the work done since the last look is estimated at ``LOOK_NS``, it reads the clock, and after
``PATIENCE_NS`` it pauses, so that its caller can check signals. A fault, or a Python operation that raised, ends it
before the commit.

Inline, for the runner."""
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from limits cimport LOOK_NS, PATIENCE_NS
from operation cimport OK, PAUSED, SKIP, Frame, Operation
from shuffle cimport permute

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


cdef struct State:
    # Where a walk stands, and what it goes over.
    const Operation *operations
    const int64_t *cost      # estimated nanoseconds of each
    int n_operations, head, commit
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


cdef inline void begin_epoch(Frame *frame, State *state) noexcept nogil:
    """Counters to zero, and a new order."""
    memset(state.counters, 0, state.n_counters * sizeof(double))
    if state.shuffles:
        permute(<int64_t *> frame.order, state.n_rows, state.seed,
                state.step + state.epoch * (state.last - state.first))


cdef inline int steps(Frame *frame, State *state) noexcept nogil:
    cdef const Operation *op
    cdef int status, end = state.n_operations
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
            op = &state.operations[state.operation]
            if state.times != NULL:
                began = now()
            status = op.run(op, frame)
            if status != OK and status != SKIP:
                return status
            if state.times != NULL:
                state.times[state.operation] += 1e-9 * (now() - began)
            state.spent += state.cost[state.operation]
            state.operation += 1 if status == OK else 1 + <int> op.size[0]
            if state.spent > LOOK_NS and state.operation <= state.commit:
                state.spent = 0
                if now() - state.looked > PATIENCE_NS:
                    return PAUSED
        state.operation = state.head
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


cdef inline int walk(Frame *frame, State *state) noexcept nogil:
    """Run from where ``state`` stands to its last batch, a fault, or a pause; denormals are zero meanwhile."""
    cdef int status
    state.mode = flush_denormals()
    frame.state = state
    status = steps(frame, state)
    restore_denormals(state.mode)
    return status
