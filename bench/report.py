"""Turn results of the benchmarks into the page docs/benchmarks.md with its pictures.

    pytest bench/bench_vectorization.py --benchmark-json=race.json
    python bench/report.py race.json [more.json ...] [--out docs]

Whatever the files hold gets its section; a benchmark that stands in several files counts once, as in the last of them;
but kernels once for each instruction set and BLAS.
Every number on the page was measured; the page says where, when and by which command.
"""
import argparse
import pathlib
import re

import convolution_tables
import figures
import kernel_tables
import recurrent_tables
from results import folded, load, measured, table

from fastnn._race import OPERATIONS, Contestant, duration, times

PUBLISHED_SIZE = 1000


def race_sections(results, folder):
    """A section for each operation of the race: picture, the size that was published, and the others."""
    text = ""
    for operation in OPERATIONS:
        of_operation = [result for result in results if result.about["operation"] == operation]
        if not of_operation:
            continue
        sizes = sorted({result.about["size"] for result in of_operation})
        size = PUBLISHED_SIZE if PUBLISHED_SIZE in sizes else sizes[-1]
        unit = OPERATIONS[operation].unit
        figures.race(operation, of_operation, size, folder / f"race-{operation}.png")
        text += (f"## The race: {operation}\n\n{OPERATIONS[operation].__doc__} Ten rounds of ten calls, one thread; "
                 "each result was first compared, number by number, with that of float64 NumPy.\n\n"
                 f"![time a call of each contestant](race-{operation}.png)\n\n{size} {unit}:\n\n"
                 + race_table(of_operation, size))
        others = "\n".join(f"{n} {unit}:\n\n{race_table(of_operation, n)}" for n in sizes if n != size)
        text += "\n" + (folded("Other sizes", others) if others else "")
        text += measured(of_operation)
    return text


def race_table(results, size):
    """All contestants at one size."""
    at_size = [result for result in results if result.about["size"] == size]
    base = next((r.median for r in at_size if (r.about["way"], r.about["container"]) == ("fastnn", "numpy")), None)
    published = any(result.about["published"] for result in at_size)
    rows = []
    for result in at_size:
        known = result.about["published"]
        rows.append([label(result.about), duration(result.median), result.spread,
                     times(result.median, base) if base else ""])
        if published:
            rows[-1].append(f"{duration(known[0])} ± {duration(known[1])}" if known else "")
    return table(["contestant", "median", "mean ± sd", "to fastnn", *["published mean ± sd"] * published], rows)


def label(about):
    """The name of a contestant of the race."""
    return Contestant(about["operation"], about["way"], about["container"], print).label


def training_section(results, folder):
    """Steps and predictions of every workload: medians with ratios, then means, deviations and losses."""
    if not results:
        return ""
    figures.training([r for r in results if r.about["quantity"] == "step"], folder / "training.png")
    text = ("## Training and prediction\n\nA step is one batch of 32 rows: forward, loss, backward, Adam. The first is "
            "inside one long call, beside it with one epoch a call. In brackets: peer to fastnn, above 1 fastnn is "
            "faster. Every contestant ran in a process of its own, in turns; all reached a like loss.\n\n"
            "![time of a training step](training.png)\n\n")
    for workload in dict.fromkeys(result.about["workload"] for result in results):
        of_workload = [result for result in results if result.about["workload"] == workload]
        text += f"### {workload}\n\n" + training_table(of_workload) + "\n"
        rows = [[f"{r.about['contestant']}: {r.about['quantity']}", duration(r.median), r.spread,
                 loss_of(r), f"{r.about['accuracy']:.3f}"] for r in of_workload]
        text += folded("Means and losses", table(["contestant", "median", "mean ± sd", "loss", "accuracy"], rows))
    return text + measured(results)


def loss_of(result):
    """The loss that a contestant reached; those that only predict have none of their own."""
    loss = result.about["loss"]
    return "" if loss is None else f"{loss:.4f}"


def training_table(results):
    """One workload: contestants down, quantities across."""
    cells = {(result.about["contestant"], result.about["quantity"]): result.median for result in results}
    names, quantities = (list(dict.fromkeys(key[i] for key in cells)) for i in (0, 1))
    rows = []
    for name in names:
        row = [name]
        for quantity in quantities:
            value, base = cells.get((name, quantity)), cells.get(("fastnn", quantity))
            ratio = f" ({times(value, base)})" if value and base and name != "fastnn" else ""
            row.append(f"{duration(value)}{ratio}" if value else "")
        rows.append(row)
    return table(["contestant", *quantities], rows)


def options_section(results):
    """What each option adds to a training step."""
    if not results:
        return ""
    text = ("## What an option costs\n\nA training step of 32 rows with Adam and one sigmoid output, one thread; all "
            "variants of a net trained in turns.\n\n")
    for net in dict.fromkeys(result.about["net"] for result in results):
        of_net = [result for result in results if result.about["net"] == net]
        plain = next((r.median for r in of_net if r.about["option"] == "plain"), None)
        rows = [[r.about["option"], duration(r.median), r.spread, f"{r.median / plain - 1:+.1%}" if plain else "",
                 f"{r.about['batch'] / r.median / 1e6:.2f} million"] for r in of_net]
        text += f"### {net}\n\n" + table(["option", "step, median", "mean ± sd", "to plain", "rows a second"], rows)
        text += "\n"
    return text + measured(results)


def import_section(results):
    """What a fresh process waits for."""
    if not results:
        return ""
    rows = [[result.about["what"], duration(result.median), result.spread] for result in results]
    return "## Start\n\n" + table(["what", "median", "mean ± sd"], rows) + "\n" + measured(results)


def machine_section(tables):
    """The machine and the versions; one paragraph for each different set, with the benchmarks that ran there."""
    benchmarks = {}
    for name, results in tables.items():
        for machine in (result.run["machine"] for result in results):
            names = benchmarks.setdefault(machine_text(machine), [])
            if name not in names:
                names.append(name)
    return "\n".join(f"Benchmarks of {', '.join(names)}: {text}\n" for text, names in benchmarks.items()) + "\n"


def machine_text(machine):
    """One machine with its versions."""
    cpu = re.sub(r"\s+", " ", machine.get("cpu", {}).get("brand_raw", "unknown CPU"))
    versions = ", ".join(f"{name} {version}" for name, version in machine.get("versions", {}).items())
    build, blas = machine.get("fastnn", {}), machine.get("blas", "unknown")
    return (f"{cpu}, {machine.get('cpus', '?')} CPUs in use, {machine.get('system', '')} {machine.get('machine', '')}. "
            f"Python {machine.get('python_version', '?')}, {versions}. NumPy's BLAS: {blas}. "
            f"fastnn: {build.get('compiler', {}).get('name', '?')}, "
            f"level {build.get('levels', {}).get('used', '?')}, OpenMP {'yes' if build.get('openmp') else 'no'}.")


def page(tables, folder):
    """The whole page; its pictures are written into the folder."""
    return ("# Benchmarks\n\nWritten by `bench/report.py` from the results of the benchmarks in `bench/`; do not edit. "
            "Ratios carry over to other machines better than times do.\n\n" + machine_section(tables)
            + training_section(tables["training"], folder) + race_sections(tables["race"], folder)
            + convolution_tables.sections(tables["convolution"]) + recurrent_tables.sections(tables["recurrent"])
            + kernel_tables.sections(tables, folder)
            + options_section(tables["options"]) + import_section(tables["import"])).rstrip() + "\n"


def main():
    """Read the files, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", metavar="RESULT.json")
    parser.add_argument("--out", type=pathlib.Path, metavar="DIR",
                        default=pathlib.Path(__file__).resolve().parents[1] / "docs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / "benchmarks.md"
    target.write_text(page(load(options.results), options.out), encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
