"""A line-up: chosen by the broker's margins, approved by a person, entered adapted, one by one."""

import datetime as dt
import math

import msgspec
import pytest

from tests.actors.test_strategist import DAY, Desk, proposed
from tests.domain.strategy.scenes import book, changed, view_of
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.strategy.level import Level
from thetawarden.domain.strategy.lineup import ItemState, LineupState
from thetawarden.domain.strategy.settings import Staging
from thetawarden.messages.orders import MarginPreviewed, PreviewMargin
from thetawarden.messages.strategy import (
    ApproveLineup,
    BuildLineup,
    LineupApproved,
    LineupBuilt,
    LineupRefused,
)
from thetawarden.messages.timers import TimerFired

MARGIN = 40_000.0


def desk_at(at=dt.time(10, 41), **changes):
    desk = Desk(**({"level": Level.APPROVE} | changes))
    desk.wait_until(at)
    worth(desk)
    desk.see()
    return desk


def worth(desk, margin=0.0):
    desk.state.portfolio = book(initial_margin_usd=margin, at_ns=desk.now)


def answer(desk, preview, margin=MARGIN, words="", odd=None):
    what = WhatIf(
        units=preview.units,
        initial_change_usd=margin * preview.units,
        maintenance_change_usd=margin * preview.units / 2,
        at_ns=desk.now,
    )
    what = msgspec.structs.replace(what, **(odd or {}))
    told = MarginPreviewed(
        epoch=preview.epoch,
        asked_by=preview.asked_by,
        key=preview.key,
        answer=None if words else what,
        words=words,
    )
    return desk.tell(told)


def build(desk, **how):
    previews = desk.tell(BuildLineup(by="me"))
    assert all(isinstance(one, PreviewMargin) for one in previews)
    said = [answer(desk, one, **how) for one in previews]
    assert not any(said[:-1])
    (told,) = said[-1]
    return told


def approved(desk):
    lineup = build(desk).lineup
    (told,) = desk.tell(ApproveLineup(lineup=lineup.name, by="me"))
    assert isinstance(told, LineupApproved)
    return lineup


def item(desk, lineup):
    (one,) = desk.state.lineups[lineup.name].items
    return one


def test_a_lineup_is_built_of_what_passes_by_the_brokers_own_margins():
    desk = desk_at()

    told = build(desk)

    assert isinstance(told, LineupBuilt)
    (one,) = told.lineup.items
    assert (one.margin_usd, one.units, one.state) == (MARGIN, 4, ItemState.STAGED)
    assert told.lineup.state is LineupState.STAGED
    assert told.lineup.margin_usd <= told.lineup.budget_usd == 200_000.0
    assert any("in the line-up already" in words for words in told.lineup.left_out)
    assert not proposed(desk.see())


def test_no_answer_of_the_broker_is_never_made_up_for():
    told = build(desk_at(), words="no answer in time")

    assert isinstance(told, LineupRefused)
    assert "no answer in time" in told.words


@pytest.mark.parametrize(
    "odd",
    [
        {"units": 0},
        {"initial_change_usd": math.nan},
        {"maintenance_change_usd": math.nan},
        {"initial_change_usd": math.inf},
    ],
)
def test_a_margin_that_is_no_number_is_left_out(odd):
    desk = desk_at()
    said = [answer(desk, one, odd=odd) for one in desk.tell(BuildLineup(by="me"))]

    ((refused,),) = [each for each in said if each]
    assert isinstance(refused, LineupRefused)
    assert "the broker's margin is no number" in refused.words


@pytest.mark.parametrize("margin", [None, math.nan])
def test_a_margin_in_use_that_is_not_known_gives_nothing_up(margin):
    desk = desk_at()
    lineup = approved(desk)
    worth(desk, margin=margin)

    unknown = proposed(desk.see())
    worth(desk)

    assert not unknown
    assert item(desk, lineup).state is ItemState.STAGED
    assert proposed(desk.see())


def test_answers_that_do_not_come_are_not_waited_for_for_ever():
    desk = desk_at()
    first, *_ = desk.tell(BuildLineup(by="me"))
    answer(desk, first)

    said = desk.tell(TimerFired(name="sweep"), after=31 * NS_PER_SECOND)

    (built,) = (one for one in said if isinstance(one, LineupBuilt))
    assert len(built.lineup.items) == 1
    assert any("gave no margin" in words for words in built.lineup.left_out)


@pytest.mark.parametrize("in_use", [170_000.0, 250_000.0])
def test_what_does_not_fit_into_the_budget_is_left_out(in_use):
    desk = desk_at()
    worth(desk, margin=in_use)

    told = build(desk)

    assert isinstance(told, LineupRefused)
    assert "nothing fits" in told.words


def test_over_allocation_stages_more_and_stops_entering_at_the_ceiling():
    staging = Staging(over_allocation_fraction=0.2)
    desk = desk_at(staging=staging)
    worth(desk, margin=165_000.0)
    lineup = approved(desk)
    worth(desk, margin=200_000.0)

    said = desk.see()

    assert lineup.margin_usd > lineup.budget_usd
    assert not proposed(said)
    assert item(desk, lineup).state is ItemState.CANCELLED
    assert "ceiling" in item(desk, lineup).words


def test_only_a_person_lets_it_be_entered_and_only_once_and_in_time():
    desk = desk_at()
    lineup = build(desk).lineup
    (unknown,) = desk.tell(ApproveLineup(lineup="L9", by="me"))
    (first,) = desk.tell(ApproveLineup(lineup=lineup.name, by="me"))
    (again,) = desk.tell(ApproveLineup(lineup=lineup.name, by="me"))
    other = build(desk).lineup
    desk.now = other.expires_ns
    (late,) = desk.tell(ApproveLineup(lineup=other.name, by="me"))

    assert "no line-up L9" in unknown.words
    assert isinstance(first, LineupApproved)
    assert "approved already" in again.words
    assert "expired" in late.words


def test_what_is_approved_is_entered_and_its_fate_stands_with_it():
    desk = desk_at()
    lineup = approved(desk)

    (proposal,) = proposed(desk.see())
    assert not proposed(desk.see())
    desk.approve(proposal)
    desk.stage(proposal, Stage.WORKING)
    assert item(desk, lineup).state is ItemState.PROPOSED
    desk.stage(proposal, Stage.FILLED, filled=1)

    assert item(desk, lineup).state is ItemState.ENTERED
    assert item(desk, lineup).trade == proposal.trade
    assert desk.state.lineups[lineup.name].state is LineupState.DONE


def test_a_refusal_of_the_governor_ends_it_with_the_reason():
    desk = desk_at()
    lineup = approved(desk)
    (proposal,) = proposed(desk.see())
    desk.refuse(proposal)

    assert (item(desk, lineup).state, item(desk, lineup).words) == (ItemState.REFUSED, "too much")
    assert not proposed(desk.see(after=3600 * NS_PER_SECOND))


def test_what_no_longer_fits_at_the_open_is_cancelled_with_the_reason():
    desk = desk_at()
    lineup = approved(desk)
    rows = read_rows(view_of())
    cheap = changed(view_of(), bid_usd=rows.bid_usd * 0 + 0.01, ask_usd=rows.bid_usd * 0 + 0.012)

    assert not proposed(desk.see(cheap))
    assert item(desk, lineup).state is ItemState.CANCELLED
    assert "credit" in item(desk, lineup).words


def test_nothing_staged_is_entered_before_its_time_or_after_it_expired():
    desk = desk_at()
    lineup = approved(desk)
    desk.now = new_york_ns(DAY, dt.time(9, 31))
    assert not proposed(desk.see())
    desk.now = lineup.expires_ns
    desk.tell(TimerFired(name="sweep"))

    assert desk.state.lineups[lineup.name].state is LineupState.EXPIRED


def test_without_a_link_or_a_passing_candidate_there_is_no_lineup():
    desk = desk_at()
    desk.state.offers = {}
    (empty,) = desk.tell(BuildLineup(by="me"))
    desk.state.linked = False
    (unlinked,) = desk.tell(BuildLineup(by="me"))

    assert "no candidate passes" in empty.words
    assert "no link" in unlinked.words


def test_a_lineup_survives_being_written_down():
    desk = desk_at()
    lineup = approved(desk)

    packed = msgspec.msgpack.encode(desk.state)

    assert msgspec.msgpack.decode(packed, type=type(desk.state)).lineups == desk.state.lineups
    assert lineup.name in desk.state.lineups
