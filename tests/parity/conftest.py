"""The library under comparison: fastnn, or with PARITY_LIBRARY=keras the original, to check the cases themselves."""

import importlib
import os
import sys
from pathlib import Path

import pytest

# record.py runs as a script next to the cases, so they are imported by their plain names here as well
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def K():
    """The module that stands for ``keras`` in every case."""
    return importlib.import_module(os.environ.get("PARITY_LIBRARY", "fastnn"))
