"""The perceptron's rule, sample by sample (Rosenblatt, 1958), and its pocket version (Gallant, 1990).

The loop is sequential by nature: the next sample sees the weights that the last one has changed. Sums run from the
first feature to the last in float64, so that the weights are those of the textbook's loop, whatever the CPU. In the
pocket version a sum of exactly 0 is a mistake for either label, which leaves no sample on the line when it converges;
after each change all rows are judged, and the weights with the fewest mistakes are kept.
"""
cimport numpy as cnp
from libc.string cimport memcpy

cnp.import_array()


def train(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray weights not None, cnp.ndarray bias not None):
    """One epoch over the rows of x in their order; returns the number of mistakes, each of which changed the weights.

    All float64 and C-contiguous: x (n, features), y (n,) of 0 and 1, weights (features, 1) and bias (1,), changed in
    place (fastnn.perceptron sees to it).
    """
    cdef Py_ssize_t mistakes, n = cnp.PyArray_DIM(x, 0), features = cnp.PyArray_DIM(x, 1)
    cdef const double *rows = <const double *> cnp.PyArray_DATA(x)
    cdef const double *labels = <const double *> cnp.PyArray_DATA(y)
    cdef double *w = <double *> cnp.PyArray_DATA(weights)
    cdef double *b = <double *> cnp.PyArray_DATA(bias)
    with nogil:
        mistakes = epoch(rows, labels, n, features, w, b)
    return mistakes


def train_pocket(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray weights not None,
                 cnp.ndarray bias not None, cnp.ndarray pocket not None, Py_ssize_t fewest):
    """One epoch as ``train``, by the rule of the pocket version; returns (mistakes, the fewest on all rows).

    ``pocket``: float64 (features + 1,), keeps the best weights and bias; ``fewest``: their mistakes so far.
    """
    cdef Py_ssize_t mistakes, n = cnp.PyArray_DIM(x, 0), features = cnp.PyArray_DIM(x, 1)
    cdef const double *rows = <const double *> cnp.PyArray_DATA(x)
    cdef const double *labels = <const double *> cnp.PyArray_DATA(y)
    cdef double *w = <double *> cnp.PyArray_DATA(weights)
    cdef double *b = <double *> cnp.PyArray_DATA(bias)
    cdef double *best = <double *> cnp.PyArray_DATA(pocket)
    with nogil:
        mistakes = pocket_epoch(rows, labels, n, features, w, b, best, &fewest)
    return mistakes, fewest


def count(cnp.ndarray x not None, cnp.ndarray y not None, cnp.ndarray weights not None, double bias):
    """The mistakes of 1[w·x + b >= 0] on the rows of x."""
    cdef Py_ssize_t n = cnp.PyArray_DIM(x, 0), features = cnp.PyArray_DIM(x, 1), mistakes
    cdef const double *rows = <const double *> cnp.PyArray_DATA(x)
    cdef const double *labels = <const double *> cnp.PyArray_DATA(y)
    cdef const double *w = <const double *> cnp.PyArray_DATA(weights)
    with nogil:
        mistakes = count_mistakes(rows, labels, n, features, w, bias, n)
    return mistakes


cdef inline double line(const double *row, Py_ssize_t features, const double *w, double b) noexcept nogil:
    cdef double total = 0.0
    cdef Py_ssize_t i
    for i in range(features):
        total = total + row[i] * w[i]
    return total + b


cdef inline void move(const double *row, Py_ssize_t features, double error, double *w, double *b) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(features):
        w[i] = w[i] + error * row[i]
    b[0] = b[0] + error


cdef Py_ssize_t epoch(const double *rows, const double *labels, Py_ssize_t n, Py_ssize_t features, double *w,
                      double *b) noexcept nogil:
    cdef Py_ssize_t i, mistakes = 0
    cdef double error
    for i in range(n):
        error = labels[i] - (1.0 if line(rows + i * features, features, w, b[0]) > 0.0 else 0.0)
        if error != 0.0:
            mistakes += 1
            move(rows + i * features, features, error, w, b)
    return mistakes


cdef Py_ssize_t pocket_epoch(const double *rows, const double *labels, Py_ssize_t n, Py_ssize_t features, double *w,
                             double *b, double *pocket, Py_ssize_t *fewest) noexcept nogil:
    cdef Py_ssize_t i, found, mistakes = 0
    cdef double total
    for i in range(n):
        total = line(rows + i * features, features, w, b[0])
        if total != 0.0 and (total > 0.0) == (labels[i] > 0.5):
            continue
        mistakes += 1
        move(rows + i * features, features, 1.0 if labels[i] > 0.5 else -1.0, w, b)
        found = count_mistakes(rows, labels, n, features, w, b[0], fewest[0])
        if found < fewest[0]:
            fewest[0] = found
            memcpy(pocket, w, features * sizeof(double))
            pocket[features] = b[0]
    return mistakes


cdef Py_ssize_t count_mistakes(const double *rows, const double *labels, Py_ssize_t n, Py_ssize_t features,
                               const double *w, double b, Py_ssize_t limit) noexcept nogil:
    """The mistakes of the sign of sums >= 0; more than ``limit`` are not counted to the end."""
    cdef Py_ssize_t i, mistakes = 0
    for i in range(n):
        mistakes += (line(rows + i * features, features, w, b) >= 0.0) != (labels[i] > 0.5)
        if mistakes > limit:
            break
    return mistakes
