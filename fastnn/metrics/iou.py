"""Intersection over union of the elements of a class in y_true and in y_pred."""
from __future__ import annotations

import numpy as np

from .. import _arrays
from .base import Metric

ARGMAX_Y, ARGMAX_TARGET, THRESHOLD_Y, IGNORE_CLASS = 1, 2, 4, 8      # flags of the kernel confusion_counts
EPSILON = 1e-7


class IoU(Metric):
    """The mean over ``target_class_ids`` of true positives / (true positives + false positives + false negatives).

    Each number of y_true and y_pred is a class 0..num_classes-1; others count nowhere, and so does ``ignore_class`` in
    y_true. ``sparse_y_true=False``, ``sparse_y_pred=False``: its last axis holds scores of the classes, the greatest
    is the class. Classes that appear nowhere do not count in the mean.
    """
    elementwise = True
    threshold: float | None = None

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
                 sparse_y_pred=True, axis=-1):
        super().__init__(dtype, name)
        kind = type(self).__name__
        self.num_classes = _arrays.whole_number("num_classes", num_classes, 1)
        self.target_class_ids = [_arrays.whole_number("target_class_ids", i, 0) for i in target_class_ids]
        if not self.target_class_ids or max(self.target_class_ids) >= self.num_classes:
            raise ValueError(f"{kind}: `target_class_ids` must hold classes from 0 to {self.num_classes - 1}, got "
                             f"{target_class_ids!r:.60}")
        if axis != -1:
            raise ValueError(f"{kind}: `axis` must be -1, the last one, got {axis!r}")
        self.ignore_class = None if ignore_class is None else int(ignore_class)
        self.sparse_y_true, self.sparse_y_pred, self.axis = bool(sparse_y_true), bool(sparse_y_pred), axis
        if self.sparse_y_true == self.sparse_y_pred:
            self.reads = "y"
        else:
            self.reads = "numbers" if self.sparse_y_true else "one_hot"
        self.elementwise = self.sparse_y_pred

    def state_size(self, output_shape):
        return self.num_classes**2

    def lower_update(self, build, y, target, weights, counters):
        flags = (0 if self.sparse_y_pred else ARGMAX_Y) | (0 if self.sparse_y_true else ARGMAX_TARGET)
        flags |= (self.threshold is not None) * THRESHOLD_Y | (self.ignore_class is not None) * IGNORE_CLASS
        rows = y.elements() if self.sparse_y_pred else y.rows()
        repeat = int(rows) // (1 if weights is None else weights.size)
        widths = [1 if self.sparse_y_pred else y.shape[-1], 1 if self.sparse_y_true else target.shape[-1]]
        build.emit("confusion_counts", [y, target, weights], [counters],
                   [rows, *widths, repeat, self.num_classes],
                   [self.threshold or 0.0, 0 if self.ignore_class is None else self.ignore_class], flags, "commit")

    def result_of(self, counters: np.ndarray) -> float:
        matrix = counters.reshape(self.num_classes, self.num_classes)
        both = matrix.diagonal()
        union = matrix.sum(0) + matrix.sum(1) - both
        ratios = np.where(union > 1e-9, both / (union + EPSILON), 0.0)[self.target_class_ids]
        return float(ratios.sum() / ((union[self.target_class_ids] > 1e-9).sum() + EPSILON))


class BinaryIoU(IoU):
    """IoU of the classes 0 and 1, where y_pred >= ``threshold`` is class 1; the mean over ``target_class_ids``."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = float(threshold)


class MeanIoU(IoU):
    """IoU, the mean over all classes."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True,
                 axis=-1):
        ids = range(_arrays.whole_number("num_classes", num_classes, 1))
        super().__init__(num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """IoU for y_true of one-hot rows and y_pred of scores, or of class numbers with ``sparse_y_pred``."""

    def __init__(self, num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False,
                 axis=-1):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """MeanIoU for y_true of one-hot rows and y_pred of scores, or of class numbers with ``sparse_y_pred``."""

    def __init__(self, num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
