"""The short version of soak.py, and that it finds a leak."""
import sys

import pytest
import soak

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_fit_predict_save_and_load_do_not_grow(tmp_path):
    files = soak.open_files()
    assert soak.growth(soak.soak(300, tmp_path)) <= soak.LIMIT
    assert soak.open_files() == files


def test_a_leak_is_found(tmp_path):
    assert soak.growth(soak.soak(100, tmp_path, grow=[])) > soak.LIMIT
