"""Killed at every point of a trade, each time another desk takes over and loses nothing."""

import json
import subprocess
import sys


def test_killed_at_every_write_sync_and_send_of_a_trade_the_next_desk_holds_every_invariant():
    """In a process of its own, as it forks at every point."""
    command = [sys.executable, "-m", "tests.sim.crash_points", "--short"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    by_point = told["by_point"]
    assert told["failed"] == []
    assert (told["intended"], told["filled"]) == (1, 1)
    assert told["points"] == sum(by_point.values()) > 100
    assert told["killed"] >= 20
    for what in ("step", "commit", "effect"):
        before, after = by_point[f"before_{what}"], by_point[f"after_{what}"]
        assert min(before, after) > 3
        assert abs(before - after) <= 1  # counting may begin or end within a step
