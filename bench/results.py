"""What all sections of docs/benchmarks.md are made of: results read from files, tables, sentences."""
import json
import pathlib
from collections import defaultdict
from typing import Any, NamedTuple

from fastnn._race import duration

# Measured anew for each instruction set and BLAS.
OF_LEVEL = ("kernels", "odd", "limits", "two threads", "convolution", "recurrent")


class Result(NamedTuple):
    """One benchmark: what it says about itself, seconds a call, and the run that it belongs to."""

    about: dict[str, Any]
    median: float
    mean: float
    deviation: float
    best: float
    run: dict[str, Any]

    @property
    def spread(self):
        return f"{duration(self.mean)} ± {duration(self.deviation)}"


def load(paths):
    """The results of all files by table, in the order of the files."""
    found = {}
    for path in paths:
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        run = {"machine": content["machine_info"], "date": content["datetime"][:10]}
        for entry in content["benchmarks"]:
            about, stats = entry["extra_info"], entry["stats"]
            calls = about.get("calls", 1)
            level = (level_of(run), run["machine"].get("blas")) if about.get("table") in OF_LEVEL else None
            found[entry["fullname"], level] = Result(about, stats["median"] / calls, stats["mean"] / calls,
                                                     stats["stddev"] / calls, stats["min"] / calls, run)
    tables = defaultdict(list)
    for result in found.values():
        tables[result.about.get("table")].append(result)
    return tables


def level_of(run):
    """The instruction-set level of a run."""
    return run["machine"].get("fastnn", {}).get("levels", {}).get("used", "?")


def table(columns, rows):
    """A Markdown table: the first column is text, the others are aligned to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def measured(results):
    """The sentence that says how and when a section was measured, and how busy the machine was at the start."""
    runs = {(r.run["machine"].get("command", "pytest"), r.run["date"], r.run["machine"].get("load")) for r in results}
    return "".join(f"Measured on {date} by `{command}`{'' if load is None else f', at a load of {load:.1f}'}.\n"
                   for command, date, load in sorted(runs, key=str)) + "\n"


def folded(title, text):
    """A part that the reader opens."""
    return f"<details><summary>{title}</summary>\n\n{text}\n</details>\n\n"
