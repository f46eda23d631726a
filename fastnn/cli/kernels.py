"""``fastnn bench --kernels``: how fast the kernels are beside the machine's limits and beside NumPy, to share."""
import datetime
import platform

from fastnn import _kernel_bench, _race, get_num_threads, plotting, show_config
from fastnn._kernel_cases import PRODUCTS
from fastnn._roofline import NAMES
from fastnn.cli import CommandError
from fastnn.cli.folder import save_pictures

PICTURE = "roofline.png"
COLUMNS = "{:<12}{:<15}{:>4}{:>8}{:>8}{:>8}{:>7}{:>9}{:>8}"
DISTURBED = "Disturbed: more than is possible, or two threads slower than one; something else ran meanwhile."
HEADER = COLUMNS.format("kernel", "shape", "", "median", "best", "Gflop/s", "GB/s", "of limit", "NumPy")


def show(quick, folder):
    """Measure, print each line as it is known, then draw the roofline."""
    print("\n".join(about()))
    try:
        (limits,) = _kernel_bench.rows_of("limits", quick)
        print("\n".join(machine(limits)))
        rows = one_thread(quick)
        if get_num_threads() > 1:
            two_threads(quick)
    except (_race.WrongResult, RuntimeError) as error:
        raise CommandError(str(error)) from None
    save_pictures(folder, {PICTURE: lambda figure: draw(rows, limits, figure)})


def about():
    """What was measured, and on what."""
    facts = show_config("dicts") or {}
    today = datetime.date.today().isoformat()
    yield f"fastnn {facts['fastnn']}, kernels of level {facts['levels']['used']}, {today}"
    yield f"{processor()}, {platform.system()}, {facts['compiler']['name']}"
    yield f"Python {facts['python'].split()[-1]}, NumPy {facts['numpy']} with {blas()}"


def processor():
    """The name of the CPU."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return f"{names[0]}, {len(names)} CPUs" if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def blas():
    """NumPy's BLAS, with the processor that it takes this one for where threadpoolctl can tell."""
    import numpy as np
    try:
        from threadpoolctl import threadpool_info
        (library, *_) = (pool for pool in threadpool_info() if pool["user_api"] == "blas")
        return f"{library['internal_api']} {library['version']} for {library.get('architecture', 'any processor')}"
    except (ImportError, ValueError):
        build = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{build['name']} {build['version']}"


def machine(limits):
    """Peak and bandwidths."""
    peaks = ", ".join(f"{dtype} {rate / 1e9:.1f}" for dtype, rate in limits["peak"].items())
    yield f"\nPeak of one thread, Gflop/s: {peaks}"
    sizes = limits["sizes"]
    yield f"{'Bandwidth, GB/s':<20}" + "".join(f"{f'{name} ({memory(size)})':>17}" for name, size in sizes.items())
    for kind, name in NAMES.items():
        yield f"  {name:<18}" + "".join(f"{limits['bandwidth'][level][kind] / 1e9:>17.1f}" for level in sizes)


def memory(size):
    """A number of bytes as it is said of caches."""
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} kB"


def one_thread(quick):
    """Measure and print everything on one thread. Returns the rows."""
    print("\nOne thread. Results were checked against float64 NumPy; all take turns, in bursts of 0.5 ms.\n"
          "Gflop/s: additions, multiplications, divisions and comparisons that the kernel executes, a multiply-\n"
          "add being two. Of limit: the median, of what peak and bandwidth, measured beside it, allow.\n"
          f"NumPy: its median to fastnn's.\n{DISTURBED}")
    rows, family = [], None
    for row in _kernel_bench.rows_of("one", quick):
        if family != heading(row):
            family = heading(row)
            print(f"\n{HEADER}")
        print(line(row, row["median"], row["median"].get("numpy")) + mark(row))
        if "for loop" in row["median"]:
            print(f"{'':<12}for loop over NumPy arrays: {_race.times(row['median']['for loop'], ours(row))}")
        rows.append(row)
    return rows


def heading(row):
    """Rows of one family stand below one heading."""
    if row["kernel"] == "conv":
        return "conv"
    return "A" if row["kernel"] in PRODUCTS else row["shape"][0] if len(row["shape"]) == 1 else "rows"


def two_threads(quick):
    """Measure and print what two threads gain."""
    print("\nTwo threads, each library in a process of its own; only an idle machine shows what they can do.\n"
          "NumPy: its best to fastnn's best. 1 thread: fastnn's best on one thread to its best on two.\n"
          f"{DISTURBED}\n\n{HEADER}{'1 thread':>9}")
    numpy = {key(row): row["best"]["numpy"] for row in _kernel_bench.rows_of("two, NumPy", quick)}
    for row in _kernel_bench.rows_of("two", quick):
        best = row["best"]
        gain = best["fastnn, 1 thread"] / best["fastnn"]
        print(f"{line(row, best, numpy[key(row)])}{_race.times(gain, 1.0):>9}{mark(row, gain)}")


def mark(row, gain=1.0):
    """A word where the limit, or the kernel on one thread or on two, was held up."""
    return " disturbed" if row["bound"] > 1.005 * ours(row) or not 0.8 < gain < 1.02 * row["threads"] else ""


def key(row):
    """What a row measured."""
    return row["kernel"], tuple(row["shape"]), row["dtype"]


def ours(row):
    """Our median seconds."""
    return row["median"]["fastnn"]


def line(row, times, numpy):
    """One line of the table; ``times`` and ``numpy``: those that are compared with NumPy's."""
    seconds = ours(row)
    return COLUMNS.format(
        row["kernel"], "x".join(map(str, row["shape"])), row["dtype"].replace("float", "f"), _race.duration(seconds),
        _race.duration(row["best"]["fastnn"]), f"{row['flops'] / seconds / 1e9:.1f}",
        f"{row['moved'] / seconds / 1e9:.1f}", f"{row['bound'] / seconds:.0%}",
        _race.times(numpy, times["fastnn"]) if numpy else "-")


def draw(rows, limits, figure):
    """Every kernel on the roofline."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name = "matmul" if row["kernel"] in PRODUCTS else row["kernel"]
        points.setdefault(name, []).append((row["flops"] / row["moved"], row["flops"] / ours(row)))
    slopes = {name: max(rates.values()) for name, rates in limits["bandwidth"].items()}
    plotting.roofline(points, limits["peak"], slopes, ax=figure.subplots())
