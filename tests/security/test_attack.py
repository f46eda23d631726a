"""Hostile model files: a few hundred of all families in the suite, 10 000 by ``python -m tests.security.attack``."""
import pytest
from attack import PLANTS, attack
from hostile import FAMILIES


def test_hostile_files_are_refused():
    counts, failures = attack(10 * len(FAMILIES), seed="suite")
    assert failures == []
    assert all(found.get("ModelFileError") for found in counts.values()), counts


FINDS = {"checksum": ["bits"], "shapes": ["units"], "open": ["bits"], "import": ["bits"], "memory": ["sizes"],
         "error": ["JSON"]}


@pytest.mark.parametrize("fault", PLANTS)
def test_a_fault_in_the_loader_is_found(fault):
    assert attack(64 if fault == "checksum" else 8, fault=fault, families=FINDS[fault])[1] != []
