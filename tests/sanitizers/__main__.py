"""Builds fastnn in a copy with a sanitizer, finds planted faults with it, then runs the tests of all kernels.

    python -m tests.sanitizers address     accesses outside of operands, undefined behaviour (ASAN + UBSAN)
    python -m tests.sanitizers thread      data races, with OpenMP made known to the sanitizer by gomp_shim.c (TSAN)
    python -m tests.sanitizers guard       the release build, each operand against both ends of its pages, rests 0..67

Status 0 when every planted fault was found, nothing else was reported, and every kernel of every level has run.
Needs Linux and gcc, and the Python that runs this needs what tests and builds need. ``--levels v3`` for some levels,
``--quick`` for a part of the tests, ``--only convolution winograd`` for these, ``--folder`` to keep the copy (a later
run builds only what changed).
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("tests/sanitizers")
# Where no kernel is called, or another tool is tested: processes, compilers, pictures, files.
OTHERS = ("bench", "build", "cli", "coverage", "docs", "plotting", "readme", "soak", "import", "errors", "allocations",
          "parallel", "kernel_bench", "fuzz")      # and what begins so: test_cli_predict.py
QUICK = ("matmul", "arithmetic", "axes", "softmax", "optimizer", "gather")
REPORT = re.compile(r"ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|FATAL: ThreadSanitizer")


def preload(*names):
    """Libraries of the compiler as LD_PRELOAD takes them; the C++ one because others may throw exceptions."""
    paths = [subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
             for name in (*names, "libstdc++.so.6")]
    return " ".join(path for path in paths if os.path.isabs(path))


class Check:
    """What the three have in common: a copy, a build, planted faults, tests."""
    sanitize, faults, guard, prefix, quick = "", (), "", (), QUICK

    def __init__(self, folder, levels):
        self.folder, self.levels = Path(folder), levels
        self.logs = self.folder / "reports"
        settings = ("FASTNN_", "OMP_", "GOMP_", "CC", "CFLAGS", "LDFLAGS", "LD_PRELOAD")
        self.clean = {name: value for name, value in os.environ.items() if not name.startswith(settings)}

    def build(self):
        """Copy the sources and compile them."""
        ignored = shutil.ignore_patterns(".*", "*.so", "_build.py", "__pycache__", "*.flags")
        # And what Cython made of the kernels, if they were built: it is the same C for every level and all flags.
        translated = [path.relative_to(ROOT) for path in ROOT.glob("build/[ck]*")]
        for name in ("fastnn", "kernels", "tests", "bench", *translated):
            shutil.copytree(ROOT / name, self.folder / name, ignore=ignored, dirs_exist_ok=True)
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy2(ROOT / name, self.folder)
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir()
        environment = {**self.clean, "FASTNN_LEVELS": ",".join(self.levels), "FASTNN_SANITIZE": self.sanitize}
        done = subprocess.run([sys.executable, "setup.py", "build_ext", "--inplace"], cwd=self.folder, env=environment,
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr + "\nthe build failed")
        self.prepare()

    def prepare(self):
        """What a check needs besides the build."""

    def variables(self):
        """Environment variables of a process that is watched."""
        return {}

    def run(self, *arguments):
        """Run Python in the copy; (status, what was printed and reported)."""
        # NumPy's BLAS on one thread: its own threads are no business of the thread sanitizer's.
        environment = {**self.clean, **self.variables(), "PYTHONPATH": str(self.folder), "FASTNN_GUARD": self.guard,
                       "FASTNN_GUARD_LOG": str(self.logs), "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run([*self.prefix, sys.executable, *map(str, arguments)], cwd=self.folder, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        reports = sorted(self.logs.glob("report.*"))
        text = done.stdout + "".join(path.read_text(errors="replace") for path in reports)
        for path in reports:
            path.unlink()
        return done.returncode, text

    def found(self, status, text):
        """Whether the fault of a process was noticed for what it is."""
        return status != 0 and REPORT.search(text)

    def find_planted(self):
        """Every fault on every level must be found, and nothing where there is none; the number of failures."""
        failures = 0
        for level in self.levels:
            status, text = self.run(HERE / "planted.py", "none", level)
            if status or REPORT.search(text):
                print(text, f"a report without a fault, level {level}, status {status}", sep="\n")
                failures += 1
            for fault in self.faults:
                found = self.found(*self.run(HERE / "planted.py", fault, level))
                print(f"  planted on level {level}: {fault}: {'found' if found else 'NOT FOUND'}", flush=True)
                failures += not found
        return failures

    def workloads(self, names):
        """What to run: arguments of Python. Without names of tests, all."""
        tests = [f"tests/test_{name}.py" for name in names] or [
            path.relative_to(self.folder) for path in sorted(self.folder.glob("tests/test_*.py"))
            if not path.stem.removeprefix("test_").startswith(OTHERS)]
        # Not captured by pytest: a process that a sanitizer ends would lose its last words.
        yield ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--timeout=0", *tests]

    def run_all(self, names):
        """The tests; the number of failures."""
        failures = 0
        for arguments in self.workloads(names):
            status, text = self.run(*arguments)
            reports = len(REPORT.findall(text))
            bad = status != 0 or reports
            print(text[-6000:] if bad else text.strip().rpartition("\n")[2], flush=True)
            if reports:
                first = REPORT.search(text).start()
                print(f"{reports} reports; the first:", text[first:first + 4000], sep="\n")
            if status < 0:
                print(f"ended by signal {-status}")
            failures += bool(bad)
        return failures + (0 if names else self.missing_kernels())

    def missing_kernels(self):
        """Kernels of the table that no test has run in watched memory."""
        if not self.guard:
            return 0
        code = """from fastnn import testing
for level in testing.levels():
    for name in testing.kernels_of(level).names:
        print(level, "float32", name, level, "float64", name)
"""
        words = self.run("-c", code)[1].split()
        wanted = {" ".join(words[i:i + 3]) for i in range(0, len(words), 3)}
        seen = {line for path in self.logs.glob("*.txt") for line in path.read_text().splitlines()}
        missing = sorted(wanted - seen)
        ran = len(wanted) - len(missing)
        print(f"{ran} of {len(wanted)} kernels ran (levels x dtypes x names)", *missing, sep="\n  ")
        return len(missing)


class Address(Check):
    sanitize, guard = "address,undefined", "exact"
    faults = ("past the end", "before the start", "overflow")

    def variables(self):
        report = f"log_path={self.logs}/report"
        return {"LD_PRELOAD": preload("libasan.so"), "PYTHONMALLOC": "malloc",
                "ASAN_OPTIONS": f"detect_leaks=0:handle_segv=0:{report}",
                "UBSAN_OPTIONS": f"print_stacktrace=1:{report}"}


class Thread(Check):
    sanitize, faults, quick = "thread", ("race",), ("arithmetic", "axes", "softmax", "optimizer")

    def prepare(self):
        command = ["gcc", "-shared", "-fPIC", "-O1", "-o", "gomp_shim.so", HERE / "gomp_shim.c",
                   "-Wl,--no-as-needed", "-lgomp", "-ltsan"]
        subprocess.run(command, cwd=self.folder, check=True)
        # The sanitizer's map of memory has no room for addresses as random as newer kernels make them.
        if subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode == 0:
            self.prefix = ("setarch", "-R")

    def variables(self):
        return {"LD_PRELOAD": f"{preload('libtsan.so')} {self.folder}/gomp_shim.so",
                "TSAN_OPTIONS": f"exitcode=66:handle_segv=0:log_path={self.logs}/report"}

    def workloads(self, names):
        yield [HERE / "training.py"]
        yield from super().workloads(names)


class Guard(Check):
    guard, faults = "1", ("past the end", "before the start")

    def found(self, status, text):
        return status == -signal.SIGSEGV


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=["address", "thread", "guard"])
    parser.add_argument("--levels", help="comma-separated; without it all that this CPU runs")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="convolution: test_convolution.py")
    parser.add_argument("--folder", help="where the copy is built and stays; without it a temporary folder")
    options = parser.parse_args()
    levels = options.levels.split(",") if options.levels else usable_levels()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        check = {"address": Address, "thread": Thread, "guard": Guard}[options.check](folder, levels)
        began = time.monotonic()
        check.build()
        print(f"{options.check}: built {' '.join(levels)} in {time.monotonic() - began:.0f} s", flush=True)
        failures = check.find_planted() + check.run_all(options.only or (check.quick if options.quick else ()))
    print(f"{options.check}: {'clean' if not failures else f'{failures} FAILURES'}, {time.monotonic() - began:.0f} s")
    return int(failures > 0)


def usable_levels():
    """The levels of x86-64 that this CPU runs, as the kernel tells; one level elsewhere."""
    if os.uname().machine != "x86_64":
        return ["base"]
    flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    return ["v2"] + ["v3"] * ("avx2" in flags) + ["v4"] * ("avx512dq" in flags and "avx512vl" in flags)


if __name__ == "__main__":
    sys.exit(main())
