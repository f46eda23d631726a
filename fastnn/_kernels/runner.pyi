from collections.abc import Callable, Sequence

import numpy as np

DATA_TYPES: dict[str, int]
STATUS_BAD_LABEL: int
STATUS_NOT_FINITE: int
STATUS_BAD_ID: int

def connect(capsule: object) -> None: ...
def limits_capsule() -> object: ...
def get_limits() -> dict[str, int]: ...
def set_limits(
    matmul: int | None = None, light: int | None = None, heavy: int | None = None, block: int | None = None,
    release: int | None = None, run: int | None = None, stream: int | None = None,
) -> None: ...
def worth_threads(nanoseconds: float) -> bool: ...
def permutation(n: int, seed: int, step: int) -> np.ndarray: ...

class Kernels:
    def __init__(self, capsule: object) -> None: ...
    @property
    def names(self) -> list[str]: ...

class Program:
    n_operations: int
    head: int
    commit: int
    functions: list[Callable[..., object]]
    kernels: Kernels
    nanoseconds: float
    def __init__(self, kernels: Kernels, operations: list[tuple], head: int, commit: int) -> None: ...

class RunFrame:
    program: Program
    slots: list[np.ndarray]
    epochs_done: int
    def __init__(self, program: Program, slots: list[np.ndarray], seed: int = 0) -> None: ...
    def slot(self, index: int, offset: int, shape: Sequence[int], dtype: str | np.dtype) -> np.ndarray: ...
    def run(
        self, arrays: list[np.ndarray], n_rows: int, batch_size: int, first: int, last: int,
        order: np.ndarray | None = None, rates: np.ndarray | None = None, step: int = 0, threads: int = 1,
        report: float = 0.0, times: np.ndarray | None = None, totals: np.ndarray | None = None,
        counters: np.ndarray | None = None, seed: int | None = None, watch: bool = False,
    ) -> tuple[int, tuple[int, int, int, float, int] | None]: ...
    def run_one(
        self, arrays: list[np.ndarray], rows: int, start: int, order: np.ndarray | None, learning_rate: float,
        step: int, threads: int,
    ) -> tuple[int, int, float]: ...
