"""A writer killed at any moment loses nothing and doubles nothing."""

from bench.lake_killing import kill_and_judge


def test_no_kill_at_any_moment_loses_or_doubles_a_row_or_leaves_a_day_half_archived(tmp_path):
    found = kill_and_judge(tmp_path, kills=12, seed=20)

    assert found.messages > 100
    assert (found.lost, found.doubled, found.archived_wrong) == (0, 0, 0)
    assert len(found.seen) > 1
