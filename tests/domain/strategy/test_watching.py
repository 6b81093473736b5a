"""Which legs are quoted all the time: what is wanted now, and for a while what was."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.strategy.watching import (
    FEW,
    WANTED_MAX,
    WatchedLeg,
    keep_watching,
)

KEEP_NS = 100
LEGS = [Instrument(conid=n, kind=InstrumentKind.OPTION, symbol="SPX") for n in range(20)]


def follow(wishes, *, every_ns=10):
    """What is watched after each of these wishes."""
    watched, told = (), []
    for number, wanted in enumerate(wishes, 1):
        legs = [LEGS[n] for n in wanted]
        watched = keep_watching(watched, legs, now=number * every_ns, keep_ns=KEEP_NS)
        told.append([one.instrument.conid for one in watched])
    return told


def test_legs_that_are_wanted_in_turn_are_asked_for_once():
    told = follow([[1], [2], [1, 3], [2], [1], [3], [2]])

    assert told == [[1], [1, 2], *[[1, 2, 3]] * 5]


def test_a_leg_that_nobody_wanted_for_a_while_is_let_go():
    told = follow([[1], *[[2]] * 12])

    assert told[9] == [1, 2]
    assert told[10:] == [[2]] * 3


def test_where_room_is_short_the_leg_that_was_wanted_longest_ago_goes_first():
    told = follow([[1], [2], [3], [1], [4], [5]])

    assert told[-1] == [1, 3, 4, 5]


def test_legs_of_two_condors_that_are_offered_in_turn_are_all_kept():
    told = follow([[1, 2, 3, 4], [1, 2, 5, 6], [1, 2, 3, 4], [7, 8, 3, 4]])

    assert told == [[1, 2, 3, 4], *[[1, 2, 3, 4, 5, 6]] * 2, [1, 2, 3, 4, 5, 6, 7, 8]]


@given(
    wishes=st.lists(st.lists(st.integers(0, 19), unique=True, max_size=12), max_size=40),
    every_ns=st.integers(1, 60),
)
def test_whatever_is_wanted_is_watched_first_and_no_more_than_there_is_room_for(wishes, every_ns):
    for wanted, told in zip(wishes, follow(wishes, every_ns=every_ns), strict=True):
        assert set(wanted[:WANTED_MAX]) <= set(told)
        assert len(told) == len(set(told)) <= max(min(2 * len(wanted), WANTED_MAX), FEW)


@given(
    before=st.lists(
        st.tuples(st.integers(0, 19), st.integers(0, 300)), unique_by=lambda one: one[0]
    ),
    wanted=st.lists(st.integers(0, 19), unique=True),
)
def test_nothing_is_watched_that_was_neither_wanted_now_nor_lately(before, wanted):
    watched = [WatchedLeg(instrument=LEGS[n], wanted_ns=at) for n, at in before]
    lately = {n for n, at in before if 300 - at < KEEP_NS}

    found = keep_watching(watched, [LEGS[n] for n in wanted], now=300, keep_ns=KEEP_NS)

    assert {one.instrument.conid for one in found} <= lately | set(wanted)
    assert all(one.wanted_ns == 300 for one in found if one.instrument.conid in set(wanted))
