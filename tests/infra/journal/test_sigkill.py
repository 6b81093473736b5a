"""Killed at any moment under load, the desk comes back with all it acknowledged."""

import pytest

from bench.killing import kill_and_judge
from tests.campaigns import TIMES


@pytest.mark.parametrize("seed", range(2 * TIMES))
def test_p05_a_killed_desk_loses_nothing_acknowledged_and_comes_back_as_it_was(tmp_path, seed):
    verdict = kill_and_judge(tmp_path, kills=5, seed=seed)

    assert verdict.wrong == []
    assert verdict.lost == 0
    assert verdict.acknowledged > 0
