"""The package as built: levels, the record of the build, and what a source distribution holds."""
import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import fastnn
from fastnn import _kernels
from fastnn._config import show_config
from fastnn._kernels import _build

ROOT = Path(__file__).resolve().parent.parent
LEVELS = ("base", "v2", "v3", "v4")


def build(folder, **variables):
    """Try a build whose results would land in ``folder``."""
    command = [sys.executable, "setup.py", "build_ext", "--build-lib", str(folder), "--build-temp", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **variables})


def test_the_best_usable_level_is_taken(run_python):
    assert set(_kernels.levels_usable) == set(_kernels.levels_built) & set(_kernels.levels_supported)
    done = run_python("from fastnn import _kernels; print(_kernels.level.level)", FASTNN_ISA=None)
    assert done.stdout.strip() == _kernels.levels_usable[-1]


@pytest.mark.parametrize("name", _kernels.levels_usable)
def test_fastnn_isa_chooses_a_level(run_python, name):
    code = "from fastnn import _kernels; print(_kernels.level.level, _kernels.level.__name__)"
    done = run_python(code, FASTNN_ISA=name)
    assert done.stdout.split() == [name, f"fastnn._kernels.level_{name}"]


@pytest.mark.parametrize("name", sorted({*LEVELS, "v5", "avx2"} - set(_kernels.levels_usable)))
def test_a_level_that_cannot_run_is_an_import_error_that_names_the_choices(run_python, name):
    done = run_python("import fastnn._kernels", FASTNN_ISA=name)
    reason = ("this CPU does not support it" if name in _kernels.levels_built else
              "this build has no such level" if name in LEVELS else "no level has that name")
    assert done.stderr.splitlines()[-1] == \
        f"ImportError: FASTNN_ISA={name}: {reason}; choose from {', '.join(_kernels.levels_usable)}"


# Another CPU, as far as the choice of a level can see.
CPU = """
import sys, types
sys.modules["fastnn._kernels.cpu"] = cpu = types.ModuleType("cpu")
cpu.levels = lambda: {levels}
from fastnn import _kernels
print(_kernels.level.level)
"""


@pytest.mark.skipif(_kernels.levels_built != ("v2", "v3", "v4"), reason="another set of levels was built")
def test_an_older_cpu_gets_the_level_that_it_can_run(run_python):
    assert run_python(CPU.format(levels=("base", "v2")), FASTNN_ISA=None).stdout == "v2\n"
    done = run_python(CPU.format(levels=("base", "v2")), FASTNN_ISA="v4")
    assert done.stderr.endswith("ImportError: FASTNN_ISA=v4: this CPU does not support it; choose from v2\n")
    done = run_python(CPU.format(levels=("base",)), FASTNN_ISA=None)
    assert "ImportError: fastnn was built for v2, v3, v4, but this CPU supports only base; build it here" in done.stderr


def test_the_kernels_of_all_levels_have_the_same_names():
    from fastnn._kernels import runner

    names = {level: runner.Kernels(_kernels.load_level(level).table).names for level in _kernels.levels_usable}
    assert len({tuple(n) for n in names.values()}) == 1


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="no other source to compare with")
def test_the_levels_supported_agree_with_the_kernel():
    flags = set(Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split())
    needed = {
        "v2": {"sse4_2", "popcnt"},
        "v3": {"avx2", "fma", "bmi2", "f16c"},
        "v4": {"avx512f", "avx512bw", "avx512vl", "avx512dq"},
    }
    expected = ["base"] + [level for level in ("v2", "v3", "v4") if needed[level] <= flags]
    assert list(_kernels.levels_supported) == expected


@pytest.mark.parametrize("stub", sorted(Path(_kernels.__file__).parent.glob("*.pyi")), ids=lambda path: path.stem)
def test_a_stub_names_what_its_module_has(stub):
    module = importlib.import_module(f"fastnn._kernels.{stub.stem}")
    declared = {}
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            declared[node.name] = [inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)]
        elif isinstance(node, ast.AnnAssign):
            declared[node.target.id] = []
    assert declared
    public = {name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    assert {name for name in public if not name.startswith("_")} <= set(declared)
    for name, methods in declared.items():
        assert [method for method in methods if not hasattr(getattr(module, name), method)] == []


def test_no_flag_changes_arithmetic():
    assert _build.FLAGS.split()[0] == "-O3"
    assert "-ffp-contract=off" in _build.FLAGS
    assert not any(word in _build.FLAGS for word in ("fast-math", "Ofast", "associative", "finite-math", "unsafe"))


def test_openmp_is_linked_into_one_module_only():
    modules = Path(_kernels.__file__).parent.glob("*.so")
    linked = [path.name for path in modules if re.search(b"libg?omp", path.read_bytes())]
    assert all(name.startswith("parallel.") for name in linked)


def test_a_package_that_is_not_compiled_says_what_to_do(tmp_path):
    sources = Path(fastnn.__file__).parent
    ignore = shutil.ignore_patterns("*.so", "_build.py", "__pycache__")
    shutil.copytree(sources, tmp_path / "fastnn", ignore=ignore)
    command = [sys.executable, "-c", "import fastnn._kernels"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("ImportError: fastnn is not compiled here")
    assert "run:  pip install -e ." in done.stderr.splitlines()[-1]


def test_pytest_without_compiled_modules_fails_loudly(tmp_path):
    ignore = shutil.ignore_patterns("*.so", "_build.py", "__pycache__")
    shutil.copytree(ROOT / "fastnn", tmp_path / "fastnn", ignore=ignore)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_nothing.py").write_text("def test_nothing(): pass\n")
    done = subprocess.run([sys.executable, "-m", "pytest"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3
    assert "there is nothing to test" in done.stderr and "pip install -e ." in done.stderr
    assert "passed" not in done.stdout


def test_show_config_prints_what_a_report_needs(capsys):
    assert show_config() is None
    printed = capsys.readouterr().out
    facts = show_config("dicts")
    assert facts["fastnn"] == fastnn.__version__
    assert facts["levels"]["used"] == _kernels.level.level
    used = f"used {_kernels.level.level}"
    for text in (fastnn.__version__, _build.COMPILER, _build.FLAGS, used, "openmp:", "threads:"):
        assert text in printed
    with pytest.raises(ValueError, match="mode: expected 'stdout' or 'dicts', got 'yaml'"):
        show_config("yaml")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The names in a source distribution made from a copy of the sources, with traces of a build lying about."""
    folder = tmp_path_factory.mktemp("sdist")
    ignore = shutil.ignore_patterns("*.so", "__pycache__", ".*_cache", "*.egg-info")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
        elif path.name in ("fastnn", "kernels", "tests", "bench", "docs", ".ci"):
            shutil.copytree(path, folder / path.name, ignore=ignore)
    for name in ("fastnn/_kernels/_build.py", "fastnn/_kernels/x.so", "build/kernels/matmul.pxi", "kernels/x.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    code = "from setuptools import build_meta; print(build_meta.build_sdist('dist'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / "dist" / done.stdout.splitlines()[-1]) as archive:
        return {name.partition("/")[2] for name in archive.getnames() if not archive.getmember(name).isdir()}


def test_the_sdist_holds_all_that_a_build_and_a_test_run_need(sdist):
    needed = ["pyproject.toml", "setup.py", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"]
    needed += ["fastnn/py.typed", ".ci/run"]
    folders = [ROOT / "fastnn", ROOT / "kernels", ROOT / "tests"]
    kinds = ("*.py", "*.pyx", "*.pxd", "*.in", "*.h")
    needed += [str(path.relative_to(ROOT)) for folder in folders for kind in kinds for path in folder.rglob(kind)]
    assert set(needed) - {"fastnn/_kernels/_build.py"} - sdist == set()


def is_generated(name):
    """Whether a file is the result of a build."""
    in_kernels = name.startswith("kernels/") and name.endswith((".c", ".pxi"))
    return in_kernels or name.endswith((".so", ".pyc", "/_build.py")) or name.startswith(("build/", "dist/"))


def test_the_sdist_holds_nothing_generated(sdist):
    assert [name for name in sdist if is_generated(name)] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_nothing_generated_is_committed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = listed.stdout.splitlines()
    assert "setup.py" in files
    assert [name for name in files if is_generated(name)] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="what is tested runs in bash")
@pytest.mark.parametrize(("command", "failed"), [("true", ""), ("false", " second"), ("exit 3", " second")])
def test_a_step_that_fails_beside_another_fails_the_ci_run(tmp_path, command, failed):
    functions = re.findall(r"(?ms)^\w+\(\) \{(?:[^\n]*\}|.*?\n\})$", (ROOT / ".ci" / "run").read_text())
    script = ["set -euo pipefail", *(text for text in functions if text.startswith(("step()", "side_by_side()"))),
              "first() { echo one; sleep 0.2; echo two; }", f"inner() {{ {command}; echo four; }}",
              "second() { echo three; inner; }", "work=$1", "side_by_side first second", "echo all is well"]
    done = subprocess.run(["bash", "-c", "\n".join(script), "bash", str(tmp_path)], capture_output=True, text=True)
    rest = "" if failed else "four\nall is well\n"
    assert (done.stdout, bool(done.returncode)) == ("one\ntwo\nthree\n" + rest, bool(failed))
    assert done.stderr.endswith(f"failed:{failed}\n") == bool(failed)


@pytest.fixture(scope="module")
def setup_script():
    """setup.py as a module: nothing is built by importing it."""
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("variables", "expected"), [
    ({"CC": "/no/such/gcc"}, "the compiler '/no/such/gcc' was not found"),
    ({"CC": "false"}, "'false' could not compile a program that includes Python.h"),
])
def test_a_build_without_compiler_says_what_to_install(tmp_path, variables, expected):
    done = build(tmp_path, **variables)
    assert done.returncode != 0
    assert expected in done.stderr
    assert "apt-get install gcc python3-dev" in done.stderr and "dnf install gcc python3-devel" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_compiler_that_knows_no_levels_is_named(tmp_path, setup_script):
    if setup_script.LEVEL_FLAGS.keys() == {"base"}:
        pytest.skip("no level has flags here")
    old = tmp_path / "old-gcc"
    old.write_text('#!/bin/sh\ncase "$*" in *--version*) echo gcc 4.2;; *march*) exit 1;; *) exec gcc "$@";; esac\n')
    old.chmod(0o755)
    done = build(tmp_path, CC=str(old))
    assert "fastnn needs gcc 11, clang 12 or later; gcc 4.2 refuses -march=x86-64-v2" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_levels_are_refused(tmp_path, setup_script):
    done = build(tmp_path, FASTNN_LEVELS="v3,v9")
    choices = ", ".join(setup_script.LEVEL_FLAGS)
    assert done.stderr.splitlines()[-1] == f"FASTNN_LEVELS: expected a list of {choices}, got 'v3,v9'"


def test_unknown_sanitizers_are_refused(tmp_path):
    done = build(tmp_path, FASTNN_SANITIZE="memory")
    assert done.stderr.splitlines()[-1] == "FASTNN_SANITIZE: expected address,undefined or thread, got 'memory'"


def test_sanitizers_add_to_the_flags_and_leave_them_as_they_are_otherwise(monkeypatch, setup_script):
    monkeypatch.delenv("FASTNN_SANITIZE", raising=False)
    assert setup_script.sanitizers() is None
    monkeypatch.setenv("FASTNN_SANITIZE", "address,undefined")
    compile_flags, link_flags = setup_script.sanitizers()
    assert {"-fsanitize=address,undefined", "-fno-wrapv"} <= set(compile_flags)
    assert link_flags == ["-fsanitize=address,undefined"]


def test_openmp_is_refused_when_told_so(monkeypatch, setup_script):
    monkeypatch.setenv("FASTNN_NO_OPENMP", "1")
    probe = setup_script.Probe.__new__(setup_script.Probe)
    assert probe.openmp() is None
