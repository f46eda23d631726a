"""When work is shared among threads, and when the GIL is handed over: every threshold of the project, with its reason.

``pytest bench/bench_threads.py`` measures one thread against two over sizes and prints where two begin to pay; a
threshold stands at about twice that size, for a thread that has to be woken costs more than one that still spins. The
first seven are the starting values of ``Limits``, which ``runner.set_limits`` changes: tests set them to force every
path.
"""
cdef enum:
    # An operation uses the run's threads from so much work on: an empty region costs 0.3 us (measured) while all
    # threads are awake, and several times that when they are not.
    THREADS_MATMUL = 1_000_000      # multiply-adds: some 20 us at 100 GFLOP/s
    THREADS_LIGHT = 200_000         # elements that are hardly computed with (copy, add, relu): bound by the caches
    THREADS_HEAVY = 40_000          # elements with exp, division, roots or random numbers: bound by arithmetic
    BLOCK = 8_192                   # elements of a block: 32 kB of float32, so that one fits the L1 or L2 cache
    # An element-wise output of so many bytes goes past the caches: about an L3, in which it could not stay, and without
    # it each line would be read before it is written. Measured, one thread, L3 of 32 MB: adding 10^7 float32 gave
    # 39 GB/s against 32 with plain stores; at half the size there was no difference.
    STREAM = 33_554_432
    # A run (fit, predict) uses threads at all when it is estimated to take so long: waking a sleeping pool, and
    # another process on a core of it, cost up to milliseconds.
    THREADS_RUN_NS = 2_000_000
    # An eager call hands the GIL over, and only then may use threads, from so many multiply-adds (elements count ten
    # times): where other Python threads wait for it, it does not come back before they had their turn. And a thread
    # that sleeps takes 80 us or more to come: at this size two threads win 33 us where both are awake and lose 37 where
    # one has to be woken (measured).
    RELEASE = 4_000_000

    KEEP_GIL_NS = 50_000            # a run estimated to be shorter keeps the GIL
    LOOK_NS = 500_000               # estimated work of a run between two looks at the clock
    PATIENCE_NS = 20_000_000        # time without the GIL between two checks of signals: what Ctrl-C waits for
