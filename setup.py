"""Builds the extensions of fastnn; everything else about the package stands in pyproject.toml.

The kernels are written once, as templates in ``kernels/``. They are rendered into ``build/kernels`` (float and double
from the same text), translated to C once, and that C is compiled for each instruction-set level, so that one package
runs at full speed on old and new machines. Only ``parallel`` knows OpenMP. Three environment variables steer a build:

``FASTNN_NO_OPENMP=1``   a build that runs on one thread (also what happens where OpenMP is not found)
``FASTNN_LEVELS=v3,v4``  only these levels: shorter builds while developing
``FASTNN_SANITIZE=...``  ``address,undefined`` or ``thread``: for ``python -m tests.sanitizers`` alone; such a build is
                         slow and needs the sanitizer's runtime in the process
"""
import gc
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from sysconfig import get_platform
from types import SimpleNamespace

import Cython
import numpy
from Cython.Build import cythonize
from Cython.Tempita import Template
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

SOURCES = Path("kernels")
RENDERED = Path("build/kernels")
PACKAGE = "fastnn._kernels"

# No fast-math of any kind: it would change what other code in the process computes. -g0: Python's own flags bring -g.
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden", "-g0"]
LINK_FLAGS = ["-Wl,-s", "-Wl,-z,relro,-z,now"] if sys.platform == "linux" else []
# -fno-wrapv: Python's own flags bring -fwrapv, under which no overflow would be reported.
SANITIZE_FLAGS = ["-O1", "-g1", "-fno-omit-frame-pointer", "-fno-wrapv", "-fno-sanitize-recover=all"]
X86_FLAGS = {
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
LEVEL_FLAGS = X86_FLAGS if get_platform().endswith(("x86_64", "amd64")) else {"base": []}
# The sources stand beside their C, and three quarters of it would be comments that quote them.
DIRECTIVES = {"language_level": 3, "cdivision": True, "boundscheck": False, "wraparound": False,
              "initializedcheck": False, "emit_code_comments": False}
# The C of one level, in a module of its own: all levels share what Cython made of the kernels.
LEVEL_SOURCE = """#define FASTNN_LEVEL "{level}"
#define PyInit_level PyInit_level_{level}
#include "{kernels}"
"""

# What a template sees of a floating-point type: C's name, NumPy's, the prefix of its vectors, an integer as wide.
TYPES = [SimpleNamespace(real="float", name="float32", v="vf", int="int32_t"),
         SimpleNamespace(real="double", name="float64", v="vd", int="int64_t")]



def loops(v, last="last"):
    """For a template: a loop over whole vectors, then the masked rest, as (keyword, suffix of load and store, what must
    fit, the rest's argument)."""
    return [("while", "", f" + {v}_LANES - 1", ""), ("if", "n", "", f", {last} - i")]


NO_COMPILER = """
fastnn is compiled on your machine, and {problem}. Install a C compiler and the headers of Python, then try again:
    Debian, Ubuntu:  sudo apt-get install gcc python3-dev
    Fedora, RHEL:    sudo dnf install gcc python3-devel
    macOS:           xcode-select --install
"""
OLD_COMPILER = "\nfastnn needs gcc 11, clang 12 or later; {compiler} refuses {flags}. Name another one with CC=...\n"
NO_MSVC = "\nfastnn does not build with Microsoft's compiler. On Windows, install it in WSL (Linux): wsl --install\n"

HELLO = "#include <Python.h>\nint main(void) { return PY_MAJOR_VERSION != 3; }\n"
HELLO_OPENMP = """
#include <omp.h>
int main(void) {
    int threads = 0;
    #pragma omp parallel reduction(+:threads)
    threads += omp_get_num_threads() > 0;
    return threads < 1; }
"""


def levels_to_build():
    """The levels of this machine's architecture, or those of them that FASTNN_LEVELS names."""
    chosen = os.environ.get("FASTNN_LEVELS")
    levels = chosen.replace(",", " ").split() if chosen else list(LEVEL_FLAGS)
    unknown = [level for level in levels if level not in LEVEL_FLAGS]
    if unknown:
        sys.exit(f"FASTNN_LEVELS: expected a list of {', '.join(LEVEL_FLAGS)}, got {chosen!r}")
    return levels


def sanitizers():
    """Flags (compile, link) of the sanitizers that FASTNN_SANITIZE names, or None."""
    chosen = os.environ.get("FASTNN_SANITIZE")
    if not chosen:
        return None
    if chosen not in ("address,undefined", "address", "undefined", "thread"):
        sys.exit(f"FASTNN_SANITIZE: expected address,undefined or thread, got {chosen!r}")
    return [*SANITIZE_FLAGS, f"-fsanitize={chosen}"], [f"-fsanitize={chosen}"]


def extensions():
    """All extensions, as yet with the sources that a source distribution holds."""
    names = ("cpu", "parallel", "runner", "ops", "perceptron")
    once = [Extension(f"{PACKAGE}.{name}", [f"kernels/{name}.pyx"]) for name in names]
    levels = [Extension(f"{PACKAGE}.level_{level}", ["kernels/table.pyx.in"]) for level in levels_to_build()]
    return levels + once  # the slowest first: compilers run side by side


def write_if_changed(path, text):
    """Write a generated file; an unchanged one keeps its date, so that nothing is compiled again for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def render(template, target, **namespace):
    """Render one template of ``kernels/`` into ``build/kernels``."""
    source = Template(template.read_text(encoding="utf-8"), name=str(template))
    text = source.substitute(types=TYPES, loops=loops, **namespace)
    write_if_changed(RENDERED / target, text)
    return str(RENDERED / target)


class Probe:
    """Tries small C programs with the compiler that will build the extensions."""

    def __init__(self, compiler, include_dirs):
        self.compiler, self.include_dirs = compiler, include_dirs
        self.command = compiler.compiler[0]

    def works(self, program, flags=(), link_flags=(), run=False):
        """Whether a program compiles; with ``run``, whether it also links, runs, and returns 0."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program)
            try:
                options = {"include_dirs": self.include_dirs, "extra_postargs": [*flags]}
                objects = self.compiler.compile([str(source)], folder, **options)
                if run:
                    self.compiler.link_executable(objects, "probe", folder, extra_postargs=[*link_flags])
                    subprocess.run([str(Path(folder, "probe"))], check=True, timeout=60)
            except Exception:  # distutils has an error class for each step, and a program may fail in any way
                return False
        return True

    def check_compiler(self, levels):
        """End the build with a sentence that helps, unless there is a compiler that can do the work."""
        if shutil.which(self.command) is None:
            sys.exit(NO_COMPILER.format(problem=f"the compiler {self.command!r} was not found"))
        if not self.works(HELLO):
            sys.exit(NO_COMPILER.format(problem=f"{self.command!r} could not compile a program that includes Python.h"))
        for flags in map(LEVEL_FLAGS.get, levels):
            if not self.works(HELLO, flags):
                sys.exit(OLD_COMPILER.format(compiler=self.version(), flags=" ".join(flags)))

    def version(self):
        """What the compiler says it is, in one line."""
        said = subprocess.run([self.command, "--version"], capture_output=True, text=True).stdout.splitlines()
        return said[0] if said else self.command

    def openmp(self):
        """Flags (compile, link) with which an OpenMP program runs here, or None."""
        if os.environ.get("FASTNN_NO_OPENMP", "0") not in ("", "0"):
            return None
        candidates = [(["-fopenmp"], ["-fopenmp"])]
        if sys.platform == "darwin":  # Apple's clang knows the pragmas; the runtime is Homebrew's libomp
            for prefix in ("/opt/homebrew/opt/libomp", "/usr/local/opt/libomp"):
                compile_flags = ["-Xpreprocessor", "-fopenmp", f"-I{prefix}/include"]
                candidates.append((compile_flags, [f"-L{prefix}/lib", f"-Wl,-rpath,{prefix}/lib", "-lomp"]))
        return next((flags for flags in candidates if self.works(HELLO_OPENMP, *flags, run=True)), None)


class BuildKernels(build_ext):
    """Renders the templates, turns Cython into C, and compiles each level with its own flags."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def run(self):
        super().run()
        self.write_record()

    def build_extensions(self):
        if self.compiler.compiler_type == "msvc":
            sys.exit(NO_MSVC)
        levels = levels_to_build()
        probe = Probe(self.compiler, self.include_dirs)
        probe.check_compiler(levels)
        openmp = probe.openmp()
        if openmp is None:
            print("fastnn: no OpenMP; this build runs on one thread", file=sys.stderr)
        for extension in self.extensions:
            self.configure(extension, openmp)
        self.translate()
        super().build_extensions()
        self.record = {"COMPILER": probe.version(), "FLAGS": shlex.join(FLAGS), "LEVELS": tuple(levels)}

    def configure(self, extension, openmp):
        """Give an extension its flags; a change of flags compiles it again."""
        name = extension.name.rpartition(".")[2]
        level_flags = LEVEL_FLAGS.get(name.removeprefix("level_"), [])
        openmp_flags, openmp_link_flags = (openmp if openmp and name == "parallel" else ([], []))
        sanitize_flags, link_flags = sanitizers() or ([], LINK_FLAGS)
        extension.extra_compile_args = [*FLAGS, *level_flags, *openmp_flags, *sanitize_flags]
        extension.extra_link_args = [*link_flags, *openmp_link_flags]
        extension.include_dirs = [str(SOURCES)]
        if name in ("runner", "ops", "perceptron"):
            extension.include_dirs.append(numpy.get_include())
            extension.define_macros = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")]
        flags = RENDERED / f"{name}.flags"
        options = extension.extra_compile_args + extension.extra_link_args
        write_if_changed(flags, shlex.join(self.compiler.compiler_so + options))
        extension.depends = [*map(str, SOURCES.glob("*.h")), str(flags)]

    def translate(self):
        """Render templates and run Cython; the extensions then have C sources."""
        for template in sorted(SOURCES.glob("*.pxi.in")):
            render(template, template.name.removesuffix(".in"))
        levels = [extension for extension in self.extensions if ".level_" in extension.name]
        kernels = Extension(f"{PACKAGE}.level", [render(SOURCES / "table.pyx.in", "level.pyx")])
        others = [extension for extension in self.extensions if extension not in levels]
        # The C files hold what Cython and NumPy's declarations were when they were made: other versions, other files.
        folder = f"build/c-cython-{Cython.__version__}-numpy-{numpy.__version__}"
        collects = gc.isenabled()
        gc.disable()        # Cython's trees live until its end; looking for garbage in them took 40 % of its time
        try:
            translated = cythonize([kernels, *others], include_path=[str(RENDERED), str(SOURCES)], build_dir=folder,
                                   compiler_directives=DIRECTIVES, nthreads=self.parallel)
        finally:
            if collects:
                gc.enable()
        sources = {extension.name: extension.sources for extension in translated}
        for extension in others:
            extension.sources = sources[extension.name]
        source = Path(*sources[kernels.name])
        for extension in levels:
            level = extension.name.partition("level_")[2]
            own = source.with_name(f"level_{level}.c")
            write_if_changed(own, LEVEL_SOURCE.format(level=level, kernels=source.name))
            extension.sources = [str(own)]
            extension.depends.append(str(source))

    def write_record(self):
        """Write what was built where the package finds it; a package without this file is not compiled."""
        lines = ['"""Written by setup.py: how the compiled modules beside this file were built."""']
        lines += [f"{name} = {value!r}" for name, value in self.record.items()]
        record = Path(self.get_ext_fullpath(f"{PACKAGE}._build")).with_name("_build.py")
        write_if_changed(record, "\n".join(lines) + "\n")


class EditableByPath(editable_wheel):
    """An editable install by a path entry.

    The default, an import hook, comes after the path: beside a clone in a folder ``fastnn``, Python would take that
    folder for a namespace package and import nothing.
    """

    def finalize_options(self):
        super().finalize_options()
        self.mode = "compat"


if __name__ == "__main__":
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildKernels, "editable_wheel": EditableByPath})
