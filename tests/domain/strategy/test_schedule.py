"""Entry times: of sessions only, one after the other, none made up for."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from bench.watched import NOW
from tests.domain.strategy.scenes import book, regime, scene_of, settings
from tests.domain.strategy.test_catalog import everything
from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.strategy.catalog import look
from thetawarden.domain.strategy.memory import Refused, mark_of, may_ask_again
from thetawarden.domain.strategy.schedule import in_session, open_slot, slots_of
from thetawarden.domain.strategy.settings import Timing

SESSIONS = load_sessions(Exchange.NYSE)
MONDAY, SUNDAY, HALF = dt.date(2026, 3, 2), dt.date(2026, 3, 1), dt.date(2026, 11, 27)
times = st.lists(st.times().map(lambda at: at.replace(microsecond=0)), max_size=8)


@given(at=times, day=st.sampled_from([MONDAY, SUNDAY, HALF]))
def test_slots_lie_within_the_session_and_never_overlap(at, day):
    slots = slots_of(day, Timing(entry_times=tuple(at)), SESSIONS)

    edges = [edge for slot in slots for edge in (slot.opens_ns, slot.closes_ns)]
    assert edges == sorted(edges)
    assert day != SUNDAY or not slots
    close = dt.time(13) if day == HALF else dt.time(16)
    for slot in slots:
        assert new_york_ns(day, dt.time(9, 30)) <= slot.opens_ns < slot.closes_ns
        assert slot.closes_ns < new_york_ns(day, close)
        assert in_session(slot.opens_ns, SESSIONS)


def test_a_slot_opens_at_its_time_and_is_over_after_a_while():
    timing = Timing(entry_times=(dt.time(9, 40), dt.time(10, 30)))
    opens = new_york_ns(MONDAY, dt.time(9, 40))

    assert open_slot(opens - 1, timing, SESSIONS) is None
    assert open_slot(opens, timing, SESSIONS).name == "09:40"
    assert open_slot(opens + timing.open_for_ns, timing, SESSIONS) is None


TIMING = Timing(again_ns=10 * NS_PER_MINUTE, same_again_ns=60 * NS_PER_MINUTE)


def again(*, minutes, other=False, credit=1.0, positions=0):
    one = look(scene_of(), everything()).candidates[0]
    conids = (1,) if other else one.conids
    refused = Refused(
        at_ns=NOW,
        conids=conids,
        credit_usd=one.credit_usd * credit,
        mark=mark_of(regime(), book()),
        words="full",
    )
    mark = mark_of(regime(), book(positions=positions))
    return may_ask_again(refused, one, mark, now_ns=NOW + minutes * NS_PER_MINUTE, timing=TIMING)


def test_what_was_refused_rests_and_comes_again_only_when_something_changed():
    assert not again(minutes=9, other=True, positions=5)
    assert not again(minutes=11)
    assert again(minutes=11, other=True)
    assert again(minutes=11, positions=1)
    assert again(minutes=11, credit=1.2)
    assert not again(minutes=11, credit=1.05)
    assert again(minutes=60)


def test_what_was_never_refused_may_be_asked_for():
    one = look(scene_of(), settings()).candidates[0]

    assert may_ask_again(None, one, mark_of(None, book()), now_ns=NOW, timing=TIMING)
