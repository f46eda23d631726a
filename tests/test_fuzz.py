"""Random calls of kernels find nothing, and would find something (tests/fuzz_kernels.py)."""
import os
import subprocess
import sys
from pathlib import Path

import fuzz_draw
import fuzz_kernels
import pytest

import fastnn
from fastnn import testing

HERE = Path(__file__).parent


def fuzz(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(Path(fastnn.__file__).parents[1])}
    done = subprocess.run([sys.executable, HERE / "fuzz_kernels.py", *arguments], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=250)
    return done.returncode, done.stdout


def test_random_calls():
    status, text = fuzz("--calls", "3000", "--seed", "1")
    assert status == 0 and "3000 calls, 0 failures" in text, text


@pytest.mark.parametrize(("fault", "found"), [
    ("wrong", "times the bound"), ("crash", "ended with status -11 at --seed 0 --call 300"),
    ("hang", "hangs at --seed 0 --call 300")])
def test_what_goes_wrong_is_found_and_named(fault, found):
    status, text = fuzz("--calls", "600", "--plant", fault, "--patience", "5")
    assert status == 1 and found in text, text


@pytest.mark.parametrize("name", fuzz_kernels.CALLS)
def test_every_family_finds_a_wrong_result(name, monkeypatch):
    monkeypatch.setattr(testing, "run_kernel", fuzz_draw.spoiling(testing.run_kernel))
    monkeypatch.setattr(fuzz_draw, "planted", "wrong")
    monkeypatch.setattr(fuzz_draw, "share", 1)
    wrong = [fuzz_kernels.one_call(3, call, [name])[1] for call in range(12)]
    assert sum("AssertionError" in (what or "") for what in wrong) > 3, wrong
