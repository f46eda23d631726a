"""Race three ways of writing a computation in Python against fastnn, on one thread.

Each contestant's result is first compared with float64 NumPy's; then 10 rounds of 10 calls are timed. torch races where
it is installed. Draws a bar chart.

With --kernels instead: products, convolutions, element-wise functions, reductions and softmax beside the limits of this
machine and beside NumPy, as a block of text to share, and a roofline. That takes a minute and a half, with --quick a
quarter of a minute.
"""
from fastnn import _race, plotting
from fastnn.cli import CommandError, file_name, kernels, one_of, wholes
from fastnn.cli.folder import check_folder, save_pictures

SECONDS = 5.0            # a contestant whose calls would take longer is left out here; pytest-benchmark's race has all

OPTIONS = {
    "operation": {"nargs": "?", "type": one_of("operation", list(_race.OPERATIONS)),
                  "metavar": "OPERATION", "help": "dot, matmul, relu or conv (default: dot)"},
    "--sizes": {"type": wholes, "metavar": "N[,N...]",
                "help": "elements of a vector or side of a matrix or picture (default: 10,100,1000,10000,100000 "
                        "for dot)"},
    "--kernels": {"action": "store_true",
                  "help": "measure kernels instead: products, convolutions, functions, reductions"},
    "--quick": {"action": "store_true", "help": "with --kernels: fewer of them, and shorter"},
    "--out": {"type": file_name, "default": "fastnn-bench", "metavar": "DIR",
              "help": "folder for the picture (default: fastnn-bench)"},
}


def run(options):
    """Print one table a size as it is measured, then draw the size that was published, or the largest."""
    if options.kernels:
        if options.operation or options.sizes:
            raise CommandError("--kernels measures all kernels: it takes no operation and no --sizes", 2)
        check_folder(options.out, [kernels.PICTURE])
        kernels.show(options.quick, options.out)
        return
    if options.quick:
        raise CommandError("--quick is for --kernels; use: fastnn bench --kernels --quick", 2)
    operation = options.operation or "dot"
    check_folder(options.out, [f"race-{operation}.png"])
    sizes = options.sizes or _race.OPERATIONS[operation].sizes
    _race.one_thread()
    print(f"{_race.OPERATIONS[operation].__doc__} {_race.ROUNDS} rounds of {_race.ITERATIONS} calls, one thread; "
          "results checked against float64 NumPy.")
    medians = {size: table(operation, size) for size in sizes}
    size = 1000 if 1000 in medians else max(medians)
    if medians[size]:
        save_pictures(options.out, {
            f"race-{operation}.png": lambda figure: draw(operation, size, medians[size], figure)})


def table(operation, size):
    """Measure and print all contestants at one size. Returns their medians in seconds by label, slow ways first."""
    timings, left_out = {}, []
    for runner in _race.contestants(operation):
        try:
            timing = _race.measure(runner, size, limit=SECONDS)
        except _race.WrongResult as error:
            raise CommandError(f"{runner.label}: {error}") from None
        if timing:
            timings[runner] = timing
        else:
            left_out.append(runner.label)
    if not timings:
        raise CommandError(f"size {size}: the calls of every contestant would take more than {SECONDS:.0f} s; choose "
                           "a smaller --sizes", 2)
    fastnn = next((timing.median for runner, timing in timings.items()
                   if (runner.way, runner.container) == ("fastnn", "numpy")), None)
    print(f"\n{size:>6} {_race.OPERATIONS[operation].unit:<18} {'median':>9}  {'mean ± sd':>21} {'to fastnn':>9}"
          f"{'   published mean ± sd' if any(runner.published(size) for runner in timings) else ''}")
    for runner, timing in timings.items():
        print(line(runner, size, timing, fastnn))
    if left_out:
        print(f"  left out, over {SECONDS:.0f} s: {'; '.join(left_out)}")
    return {runner.label: timing.median for runner, timing in timings.items()}


def line(runner, size, timing, fastnn):
    """One line of the table."""
    show = _race.duration
    ratio = _race.times(timing.median, fastnn) if fastnn else ""
    published = runner.published(size)
    tail = f"   {show(published[0])} ± {show(published[1])}" if published else ""
    return (f"  {runner.label:<23} {show(timing.median):>9}  {show(timing.mean) + ' ± ' + show(timing.deviation):>21} "
            f"{ratio:>9}{tail}")


def draw(operation, size, medians, figure):
    """The bars of one size."""
    ax = plotting.race(medians, ax=figure.subplots())
    ax.set(title=f"{operation}, {size} {_race.OPERATIONS[operation].unit}", xlabel="median time a call (logarithmic)")
