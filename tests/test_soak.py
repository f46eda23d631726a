"""The short version of soak.py, in a process of its own, and that it finds a leak."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
              pytest.mark.skipif(os.environ.get("FASTNN_DEBUG") == "1", reason="every buffer is a mapping of its own")]


def soak(*options):
    """What the script prints, and its status."""
    environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1])}
    process = subprocess.run([sys.executable, Path(__file__).with_name("soak.py"), *options], capture_output=True,
                             text=True, env=environment, timeout=240)
    assert "open files" in process.stdout, process.stderr
    return process.returncode, process.stdout


def test_fit_predict_save_and_load_do_not_grow():
    status, printed = soak("--loops", "300")
    assert status == 0, printed


def test_a_leak_is_found():
    assert soak("--loops", "50", "--leak")[0] == 1
