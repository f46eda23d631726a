"""The one place that knows OpenMP: blocks of work, taken by threads.

A kernel cuts its work into blocks that depend on shapes alone and hands over a function of (context, block). Each
thread takes one contiguous stretch of blocks, so that neighbours in memory stay with one core; nothing else depends on
threads, which is why results have the same bits for any number of them. With one thread or one block OpenMP is not
entered: an empty region costs 0.3 us, and a process forked after a region must not enter another.

How many threads: a number for the process, which ``limit_thread`` replaces for the calling thread. OpenMP's own limit
counts where somebody lowered it after this module was loaded (threadpoolctl, ``omp_set_num_threads``). A forked child
runs on one thread for good: the threads of its parent's pool do not exist in it, and OpenMP would wait for them for
ever.
"""
from cpython.pycapsule cimport PyCapsule_New
from cython.parallel cimport parallel

from operation cimport block_t

cdef extern from * nogil:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define FASTNN_OPENMP 1
    #else
    #define FASTNN_OPENMP 0
    static int omp_get_max_threads(void) { return 1; }
    static int omp_get_num_threads(void) { return 1; }
    static int omp_get_thread_num(void) { return 0; }
    #endif
    #include <pthread.h>

    /* The floating-point mode (denormals to zero or not) of the thread that calls is that of all who work for it. */
    #if defined(__SSE__) || defined(__x86_64__)
    #include <xmmintrin.h>
    static unsigned get_mode(void) { return _mm_getcsr() & ~0x3fu; }
    static void set_mode(unsigned mode) { _mm_setcsr(mode); }
    static unsigned keeping_denormals(unsigned mode) { return mode & ~0x8040u; }
    #else
    static unsigned get_mode(void) { return 0; }
    static void set_mode(unsigned mode) { (void) mode; }
    static unsigned keeping_denormals(unsigned mode) { return mode; }
    #endif

    static int forked = 0;
    static __thread int thread_limit = 0;       /* 0: the process's number */
    static void after_fork(void) { forked = 1; }
    /* Not os.register_at_fork: this covers processes forked by C code too, and runs no Python in the child. */
    static int watch_forks(void) { return pthread_atfork(NULL, NULL, after_fork); }
    """
    const bint FASTNN_OPENMP
    int omp_get_max_threads()
    int omp_get_num_threads()
    int omp_get_thread_num()
    int forked
    int thread_limit
    int watch_forks()
    unsigned get_mode()
    void set_mode(unsigned mode)
    unsigned keeping_denormals(unsigned mode)

cdef int process_threads = 1
cdef int first_limit = omp_get_max_threads()     # OpenMP's limit before anybody here could lower it


cdef void parallel_for(block_t function, void *context, Py_ssize_t blocks, int threads) noexcept nogil:
    """Call ``function(context, block)`` for every block, on so many threads at most."""
    cdef Py_ssize_t block
    cdef unsigned mode
    threads = <int> min(<Py_ssize_t> usable(threads), blocks)
    if threads <= 1:
        for block in range(blocks):
            function(context, block)
        return
    mode = get_mode()
    set_mode(keeping_denormals(mode))       # threads that the region makes begin with it, and keep it as their own
    with parallel(num_threads=threads):
        in_mode(mode, function, context, blocks)
    set_mode(mode)


cdef void in_mode(unsigned mode, block_t function, void *context, Py_ssize_t blocks) noexcept nogil:
    """The calling thread's blocks in this mode. It gets its own back: other libraries use the threads of the pool."""
    cdef unsigned own = get_mode()
    set_mode(mode)
    stretch(function, context, blocks)
    set_mode(own)


cdef void stretch(block_t function, void *context, Py_ssize_t blocks) noexcept nogil:
    """The blocks of the calling thread; the team may be smaller than asked for."""
    cdef Py_ssize_t block, thread = omp_get_thread_num(), team = omp_get_num_threads()
    for block in range(blocks * thread // team, blocks * (thread + 1) // team):
        function(context, block)


cdef int usable(int threads) noexcept nogil:
    """So many of the threads asked for as OpenMP may use here now."""
    cdef int limit
    if threads <= 1 or forked or not FASTNN_OPENMP:
        return 1
    limit = omp_get_max_threads()
    return min(threads, limit) if limit < first_limit else threads


def get_num_threads():
    """The number of threads that work started by the calling thread may use."""
    return usable(thread_limit or process_threads)


def set_num_threads(int threads):
    """Set the number of threads for the process; at least 1."""
    global process_threads
    process_threads = max(1, threads)


def limit_thread(int threads):
    """Set the number for the calling thread alone (0: the process's number) and return the one before."""
    global thread_limit
    cdef int before = thread_limit
    thread_limit = max(0, threads)
    return before


def is_forked():
    """Whether this process was forked after the module was loaded."""
    return bool(forked)


if watch_forks() != 0:
    raise MemoryError("fastnn could not register its fork handler")
has_openmp = bool(FASTNN_OPENMP)
capsule = PyCapsule_New(<void *> &parallel_for, b"fastnn.parallel_for", NULL)
