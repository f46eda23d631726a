"""Kills and their consequences: a few in the suite, thousands by the scripts beside."""
import kill_fit
import kill_save
import pytest

# forked processes run beside the threads of OpenMP that other tests have started; the kills need one thread only
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def test_a_killed_save_leaves_a_file_that_loads():
    kills, bad, beside = kill_save.run(10)
    assert kills >= 10 and bad == 0 and beside <= 1


def test_writing_in_place_is_found():
    assert kill_save.run(40, plant=True)[1] > 0


def test_a_killed_fit_ends_alike():
    kills, ended, wrong = kill_fit.run(3)
    assert kills >= 3 and ended >= 1 and wrong == 0


@pytest.mark.parametrize("plant", kill_fit.PLANTS)
def test_a_backup_that_loses_something_is_found(plant):
    assert any(kill_fit.run(6, seed, plant)[2] for seed in range(3))
