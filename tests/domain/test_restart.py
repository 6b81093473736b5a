"""The supervisor's decisions, as a table and as properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.restart import (
    Ending,
    GiveUp,
    GroupGivesUp,
    LeaveEnded,
    Poison,
    Policy,
    Restart,
    RestartThese,
    Strategy,
    backoff_ns,
    decide_restart,
    judge_poison,
)

S = 1_000_000_000
CHILDREN = ("connection", "keeper", "governor", "executor")


def decide(
    *,
    strategy=Strategy.ONE_FOR_ONE,
    failed="keeper",
    ending=Ending.CRASHED,
    restart=Restart.PERMANENT,
    earlier=(),
    now=1000 * S,
    give_up=GiveUp.ESCALATE,
    backoff_min=0,
):
    policy = Policy(
        strategy=strategy,
        intensity=2,
        period_ns=10 * S,
        backoff_min_ns=backoff_min,
        backoff_max_ns=8 * S,
        jitter_fraction=0.0,
        give_up=give_up,
    )
    return decide_restart(
        policy=policy,
        children=CHILDREN,
        failed=failed,
        ending=ending,
        restart=restart,
        earlier_ns=earlier,
        now_ns=now,
        jitter=0.0,
    )


@pytest.mark.parametrize(
    ("strategy", "failed", "stop", "start"),
    [
        (Strategy.ONE_FOR_ONE, "keeper", (), ("keeper",)),
        (Strategy.ONE_FOR_ONE, "connection", (), ("connection",)),
        (
            Strategy.REST_FOR_ONE,
            "keeper",
            ("executor", "governor"),
            ("keeper", "governor", "executor"),
        ),
        (Strategy.REST_FOR_ONE, "executor", (), ("executor",)),
        (Strategy.REST_FOR_ONE, "connection", ("executor", "governor", "keeper"), CHILDREN),
        (Strategy.ONE_FOR_ALL, "executor", ("governor", "keeper", "connection"), CHILDREN),
        (Strategy.ONE_FOR_ALL, "connection", ("executor", "governor", "keeper"), CHILDREN),
    ],
)
def test_a_strategy_says_who_stops_in_reverse_and_starts_in_order(strategy, failed, stop, start):
    assert decide(strategy=strategy, failed=failed) == RestartThese(stop, start, 0)


@pytest.mark.parametrize(
    ("restart", "ending", "wanted"),
    [
        (Restart.PERMANENT, Ending.STOPPED, True),
        (Restart.PERMANENT, Ending.CRASHED, True),
        (Restart.PERMANENT, Ending.HUNG, True),
        (Restart.PERMANENT, Ending.FAILED_START, True),
        (Restart.TRANSIENT, Ending.STOPPED, False),
        (Restart.TRANSIENT, Ending.CRASHED, True),
        (Restart.TRANSIENT, Ending.HUNG, True),
        (Restart.TRANSIENT, Ending.FAILED_START, True),
        (Restart.TEMPORARY, Ending.STOPPED, False),
        (Restart.TEMPORARY, Ending.CRASHED, False),
        (Restart.TEMPORARY, Ending.HUNG, False),
        (Restart.TEMPORARY, Ending.REPLACED_BY_HAND, True),
    ],
)
def test_a_kind_of_child_is_restarted_after_some_endings_and_not_others(restart, ending, wanted):
    decision = decide(restart=restart, ending=ending)

    assert isinstance(decision, RestartThese if wanted else LeaveEnded)


@pytest.mark.parametrize(
    ("earlier_s", "gives_up"),
    [
        ((), False),
        ((995,), False),
        ((991, 999), True),
        ((990, 999), False),  # exactly a period ago no longer counts
        ((990.000000001, 999), True),
        ((1, 2, 3, 4, 5), False),
    ],
)
def test_one_restart_more_than_the_intensity_within_the_period_gives_up(earlier_s, gives_up):
    earlier = tuple(round(second * S) for second in earlier_s)

    decision = decide(earlier=earlier)

    assert isinstance(decision, GroupGivesUp) is gives_up


def test_giving_up_stops_everybody_else_in_reverse_and_says_what_follows():
    decision = decide(earlier=(999 * S, 998 * S), give_up=GiveUp.DEGRADE)

    assert decision == GroupGivesUp(("executor", "governor", "connection"), GiveUp.DEGRADE)


def test_a_restart_by_hand_is_never_refused_and_never_waits():
    decision = decide(ending=Ending.REPLACED_BY_HAND, earlier=(999 * S,) * 9, backoff_min=S)

    assert decision == RestartThese((), ("keeper",), 0)


@pytest.mark.parametrize(("attempt", "waits_s"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 8), (99, 8)])
def test_the_wait_doubles_up_to_its_maximum(attempt, waits_s):
    policy = Policy(backoff_min_ns=S, backoff_max_ns=8 * S, jitter_fraction=0.5)

    assert backoff_ns(policy=policy, attempt=attempt, jitter=0.0) == waits_s * S
    assert backoff_ns(policy=policy, attempt=attempt, jitter=0.5) == round(waits_s * S * 1.25)


@given(
    strategy=st.sampled_from(Strategy),
    failed=st.sampled_from(CHILDREN),
    ending=st.sampled_from([Ending.CRASHED, Ending.HUNG, Ending.FAILED_START]),
    earlier=st.lists(st.integers(0, 1000 * S), max_size=6).map(lambda each: tuple(sorted(each))),
)
def test_whoever_is_stopped_for_a_restart_is_started_again_and_nobody_else(
    strategy, failed, ending, earlier
):
    decision = decide(strategy=strategy, failed=failed, ending=ending, earlier=earlier)

    if isinstance(decision, RestartThese):
        assert {*decision.stop, failed} == set(decision.start)
        assert list(decision.start) == sorted(decision.start, key=CHILDREN.index)
        assert list(decision.stop) == sorted(decision.stop, key=CHILDREN.index, reverse=True)
    else:
        assert {*decision.stop, failed} == set(CHILDREN)


@given(earlier=st.lists(st.integers(0, 2000 * S), max_size=8).map(lambda each: tuple(sorted(each))))
def test_more_restarts_in_the_past_never_make_a_group_try_harder(earlier):
    now = 2000 * S
    fewer = decide(earlier=earlier[1:], now=now)
    more = decide(earlier=earlier, now=now)

    assert not (isinstance(fewer, GroupGivesUp) and isinstance(more, RestartThese))


@pytest.mark.parametrize(
    ("kills", "guards_money", "poison"),
    [
        (1, True, Poison.DELIVER_AGAIN),
        (1, False, Poison.DELIVER_AGAIN),
        (2, False, Poison.PARK),
        (2, True, Poison.PARK_AND_HALT),
        (3, True, Poison.PARK_AND_HALT),
    ],
)
def test_a_message_gets_a_second_chance_and_never_a_third(kills, guards_money, poison):
    assert judge_poison(kills=kills, guards_money=guards_money) is poison
