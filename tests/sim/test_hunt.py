"""Every planted bug is found: a check that finds nothing planted proves nothing."""

import pytest

from tests.sim.hunt import BUGS, SEEDS_MAX, hunt


@pytest.mark.parametrize("bug", BUGS, ids=[one.name for one in BUGS])
def test_a_planted_bug_is_found_within_a_few_markets(bug):
    found = hunt(bug)

    assert found is not None, f"{bug.words}: not in {SEEDS_MAX} markets"
    assert found[1].invariant in bug.breaks
