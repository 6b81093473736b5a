"""When a desk counts as silent, and which of its orders its guardian may take back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.guard import (
    PAUSE_NS,
    Sign,
    Verdict,
    begin,
    is_entry,
    judge,
    look,
)
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.naming import order_ref

S = 1_000_000_000
LIMIT = 15 * S


def sign(number, at_s, *, run="me", watchdog_s=None, loop_s=0.0, ended=""):
    return Sign(
        run=run,
        number=number,
        at_ns=round(at_s * S),
        watchdog_ns=round((at_s if watchdog_s is None else watchdog_s) * S),
        link_loop_silent_ns=round(loop_s * S),
        ended=ended,
    )


def verdict_after(looks, *, ends_s):
    """Look every quarter of a second; `looks` gives the sign that stands at each second."""
    watched = begin(run="me", now_ns=0)
    now = 0
    while now < ends_s * S:
        now += S // 4
        standing = [one for at_s, one in looks if at_s * S <= now]
        watched = look(watched, standing[-1] if standing else None, now)
    return judge(watched, now_ns=now, silence_ns_max=LIMIT)


def beats(until_s, **options):
    return [(k, sign(k, k, **options)) for k in range(1, until_s + 1)]


def test_a_desk_that_beats_is_alive_for_as_long_as_it_does():
    assert verdict_after(beats(100), ends_s=100) == (Verdict.ALIVE, "")


@pytest.mark.parametrize("silent_s", [15, 16])
def test_a_desk_whose_beats_stop_is_silent_once_the_limit_is_over(silent_s):
    verdict, words = verdict_after(beats(20), ends_s=20 + silent_s)

    assert (verdict is Verdict.SILENT) is (silent_s > 15)
    assert not words or words.startswith("the supervisor has given no sign for 16.0 s")


def test_a_desk_that_never_beats_at_all_is_silent_too():
    assert verdict_after([], ends_s=16)[0] is Verdict.SILENT


def test_p12_a_watchdog_that_hangs_in_a_living_process_is_found():
    verdict, words = verdict_after(
        [(k, sign(k, k, watchdog_s=min(k, 5))) for k in range(1, 30)], ends_s=21
    )

    assert (verdict, words[:12]) == (Verdict.SILENT, "the watchdog")


def test_a_stopped_event_loop_in_a_living_process_is_found():
    verdict, words = verdict_after(
        [(k, sign(k, k, loop_s=max(0, k - 5))) for k in range(1, 30)], ends_s=21
    )

    assert (verdict, words[:17]) == (Verdict.SILENT, "the link's thread")


def test_p09_a_guardian_that_was_held_up_itself_gives_the_desk_its_time_again():
    watched = look(begin(run="me", now_ns=0), sign(1, 0), S // 4)
    late = look(watched, sign(1, 0), 3600 * S)

    assert judge(late, now_ns=3600 * S, silence_ns_max=LIMIT)[0] is Verdict.ALIVE
    again = late
    for k in range(1, 66):
        again = look(again, sign(1, 0), 3600 * S + k * S // 4)
    assert judge(again, now_ns=again.looked_ns, silence_ns_max=LIMIT)[0] is Verdict.SILENT
    assert PAUSE_NS < LIMIT


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (sign(9, 9, ended="stopped"), Verdict.ENDED_WELL),
        (sign(9, 9, ended="gave up"), Verdict.GAVE_UP),
        (sign(1, 9, run="the next one"), Verdict.SUCCEEDED),
    ],
)
def test_an_end_that_was_told_and_another_desk_are_no_silence(last, verdict):
    assert verdict_after([*beats(8), (9, last)], ends_s=60)[0] is verdict


def test_of_our_orders_those_that_open_or_roll_may_be_taken_back_and_no_other():
    refs = {
        role: order_ref(trade="SPX-1", role=role, base="abc", number=7, attempt=1)
        for role in OrderRole
    }

    taken = {role for role, ref in refs.items() if is_entry(ref)}

    assert taken == {OrderRole.ENTRY, OrderRole.ROLL}


@given(st.text(max_size=40))
def test_an_order_that_is_not_ours_by_its_name_is_never_taken_back(text):
    assert not is_entry(text) or (text.count(".") == 3 and text.split(".")[1] in {"open", "roll"})
