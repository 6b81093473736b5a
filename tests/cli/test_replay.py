"""Whom `replay` shows: whoever the log knows, and nobody else."""

import pytest

from tests.cli.shell import one_line_error


@pytest.mark.parametrize("how", [(), ("--json",), ("--step",), ("--step", "--back")])
def test_an_instance_that_is_not_in_the_log_has_no_state(past, how):
    done = past("replay", "--actor", "chain/NOPE", *how)

    error = one_line_error(done, 2)
    assert done.out == ""
    assert "chain/NOPE is not in the log of " in error
    assert "chain/SPX" in error
    assert "Name another one" in error


def test_an_instance_has_no_state_before_its_first_message(past):
    first = past("replay", "--actor", "chain/SPX", "--step", "--json").lines[0]["seq"]

    early = past("replay", "--actor", "chain/SPX", "--until", "1")

    assert f"chain/SPX is not in the log up to message 1; allowed: --until {first} or later" in (
        one_line_error(early, 2)
    )
    assert past("replay", "--actor", "chain/SPX", "--until", str(first)).code == 0


def test_an_actor_that_is_always_there_is_shown_though_it_handled_nothing(past):
    shown = past("replay", "--actor", "notifier", "--until", "1")

    assert (shown.code, shown.err) == (0, "")
    assert "outbox" in shown.json
