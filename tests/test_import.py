"""What ``import fastnn`` does and does not do."""
import json
import tomllib
from pathlib import Path

import fastnn

ROOT = Path(__file__).resolve().parent.parent
LAZY = ("sklearn", "scipy", "matplotlib", "tqdm", "safetensors", "onnx", "pandas", "torch", "multiprocessing.pool")


def test_import_loads_no_heavy_library(run_python):
    code = "import sys, json, fastnn, fastnn._kernels; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(run_python(code).stdout))
    assert "fastnn._kernels.runner" in loaded
    assert [name for name in LAZY if name in loaded] == []


def test_import_loads_one_level_only(run_python):
    code = "import sys, fastnn._kernels; print(*[m for m in sys.modules if m.startswith('fastnn._kernels.level_')])"
    assert len(run_python(code).stdout.split()) == 1


def test_import_leaves_denormals_alive(run_python):
    """Fast-math at link time would make every denormal of the process zero: NumPy's too."""
    code = """
import numpy as np
before = np.float32(1e-38) * np.float32(0.5), np.float64(5e-324) / np.float64(1.0)
import fastnn
from fastnn import _kernels
for name in _kernels.levels_usable:
    _kernels.load_level(name)
after = np.float32(1e-38) * np.float32(0.5), np.float64(5e-324) / np.float64(1.0)
print(before == after and all(value > 0 for value in after))
"""
    assert run_python(code).stdout == "True\n"


def test_import_leaves_the_environment_as_it_was(run_python):
    code = "import os; before = dict(os.environ); import fastnn._kernels; print(before == dict(os.environ))"
    assert run_python(code, GOMP_SPINCOUNT=None, OMP_WAIT_POLICY=None).stdout == "True\n"
    assert run_python(code, GOMP_SPINCOUNT="5", OMP_WAIT_POLICY=None).stdout == "True\n"


def test_import_opens_no_socket(run_python):
    code = """
import sys
sys.addaudithook(lambda event, _: sys.exit(f"opened: {event}") if event.startswith("socket.") else None)
import fastnn
print("quiet")
"""
    assert run_python(code).stdout == "quiet\n"


def test_the_version_is_written_once():
    """In fastnn/_version.py, from where the build reads it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "fastnn._version.__version__"}
    assert f'__version__ = "{fastnn.__version__}"' in (ROOT / "fastnn" / "_version.py").read_text()
