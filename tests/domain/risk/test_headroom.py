"""Entries leave room for the market, and what the market fills too far is demanded back."""

import math

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thetawarden.domain.risk.brakes import read_brakes
from thetawarden.domain.risk.demands import DemandKind, demands_of
from thetawarden.domain.risk.equity import losses_of
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.headroom import overfull, rooms_of
from thetawarden.domain.risk.measure import Figure, measure_book
from thetawarden.domain.risk.rules import book_greeks
from thetawarden.domain.risk.stress import stress_result

MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
FIGURES = list(Figure)


@st.composite
def books(draw, world):
    """Short puts and calls of the index, spreads, and shares of one name."""
    holdings = []
    for number in range(draw(st.integers(1, 4))):
        strike, n = draw(st.sampled_from([5400, 5700, 5900])), draw(st.integers(1, 9))
        holdings.append(world.hold(world.option("SPX", strike), -n, f"p{number}"))
        if draw(st.booleans()):
            holdings.append(world.hold(world.option("SPX", strike - 200), n, f"p{number}"))
        if draw(st.booleans()):
            holdings.append(world.hold(world.option("SPX", 6300, is_call=True), -n, f"c{number}"))
    if draw(st.booleans()):
        holdings.append(world.hold(world.shares("AAA"), draw(st.integers(100, 900)), "shares"))
    return world.held_book(*holdings)


def measured(world, held, *, limits=None):
    view = world.market(*(one.instrument for one in held.holdings))
    ruler = world.ruler(held=held, view=view)
    return measure_book(held=held, pending=(), ruler=ruler), view


def filled(book, figure):
    return -float(book.filled[book.scenarios.size + figure])


@MANY
@given(data=st.data())
def test_reduction_is_demanded_from_the_part_of_a_limit_that_is_configured_and_not_before(
    world, data
):
    book, view = measured(world, data.draw(books(world)))
    nlv = data.draw(st.sampled_from([3e5, 1e6, 3e6, 1e7, 1e8]))

    found = overfull(book, nlv_usd=nlv, market=view, limits=world.LIMITS)

    parts = {
        room.figure: filled(book, room.figure) / nlv / room.limit
        for room in rooms_of(world.LIMITS)
        if filled(book, room.figure) / nlv > room.reduce_from
    }
    assert (found is None) == (not parts)
    if found is not None:
        assert found.used == pytest.approx(max(parts.values()))
        assert parts[found.figure] == pytest.approx(found.used)


@MANY
@given(data=st.data())
def test_what_is_demanded_brings_the_limit_back_to_what_entries_may_fill(world, data):
    """Position after position goes by the part that is asked for, until nothing is demanded."""
    held = data.draw(books(world))
    nlv = data.draw(st.sampled_from([3e5, 1e6, 3e6]))
    for _ in range(200):
        book, view = measured(world, held)
        found = overfull(book, nlv_usd=nlv, market=view, limits=world.LIMITS)
        if found is None:
            break
        (name, adds), *_ = found.adds_usd
        part = min(found.over_usd / adds, 1.0)
        left = [
            msgspec.structs.replace(one, contracts=one.contracts * (1.0 - part))
            if one.position == name
            else one
            for one in held.holdings
        ]
        before = found.used
        held = world.held_book(*(one for one in left if abs(one.contracts) > 1e-6))
        again, _ = measured(world, held)
        room = next(one for one in rooms_of(world.LIMITS) if one.figure is found.figure)
        after = filled(again, found.figure) / nlv
        assert after < before * room.limit
        if part < 1.0:
            assert after == pytest.approx(room.entries)

    for room in rooms_of(world.LIMITS):
        assert filled(book, room.figure) / nlv <= room.reduce_from + 1e-9


@MANY
@given(data=st.data())
def test_an_entry_fills_no_limit_further_than_entries_may(world, data):
    held = data.draw(books(world))
    nlv = data.draw(st.sampled_from([1e6, 1e7, 1e8]))
    strike = data.draw(st.sampled_from([5400, 5700, 5900]))
    cand = world.candidate(world.leg(world.option("SPX", strike), -1), units=9)
    own = world.desk(account=world.account(nlv=nlv), equity=world.equity(nlv=nlv))
    case = world.case(cand, held=held, own_desk=own)

    found = world.finding(book_greeks.judge(case), "headroom")

    units = 9 if found.units_max is None else min(found.units_max, 9)
    for room in rooms_of(world.LIMITS):
        place = case.book.scenarios.size + room.figure
        before, a_unit = case.worst(place) / nlv, case.cost(place) / nlv
        after = before + units * a_unit
        assert units == 0 or a_unit <= 0.0 or after <= room.entries + 1e-9
    if units < 9:
        assert found.verdict in {Verdict.SHRINK, Verdict.REFUSE}


def test_the_room_of_every_limit_is_what_the_configuration_says(world):
    rooms = {one.figure: one for one in rooms_of(world.LIMITS)}

    assert set(rooms) == set(FIGURES)
    drop = rooms[Figure.INDEX_DROP]
    assert (drop.limit, drop.entries) == (0.003, pytest.approx(0.75 * 0.003))
    assert drop.reduce_from == pytest.approx(0.9 * 0.003)
    notional = rooms[Figure.NOTIONAL]
    assert (notional.entries, notional.reduce_from) == (pytest.approx(0.98 * 5.0), 5.0)


def test_entries_never_fill_more_than_the_part_from_which_reduction_is_demanded(world):
    eager = world.limits(greeks={"entry_fill_fraction": 1.0, "reduce_from_fraction": 0.8})

    assert all(one.entries <= one.reduce_from for one in rooms_of(eager))


def demanded(world, held, *, nlv):
    book, view = measured(world, held)
    return demands_of(
        brakes=read_brakes(
            losses=losses_of(world.equity()),
            utilisation_fraction=0.1,
            margin_max_fraction=0.6,
            limits=world.LIMITS.brakes,
        ),
        stress=stress_result(book, nlv_usd=nlv, limits=world.LIMITS.stress),
        regime=world.regime(),
        held=held,
        overfull=overfull(book, nlv_usd=nlv, market=view, limits=world.LIMITS),
    )


def test_what_adds_most_to_a_limit_is_demanded_first_and_what_takes_away_is_left(world):
    held = world.held_book(
        world.hold(world.option("SPX", 5400), -1, "far"),
        world.hold(world.option("SPX", 5900), -1, "near"),
        world.hold(world.option("SPX", 5000), 1, "hedge"),
    )
    book, _ = measured(world, held)
    nlv = filled(book, Figure.INDEX_DROP) / 0.0028
    wide = world.LIMITS

    (demand,) = [one for one in demanded(world, held, nlv=nlv) if one.kind is DemandKind.REDUCE]

    assert demand.positions[0] == "near"
    assert "hedge" not in demand.positions
    assert 0.0 < demand.parts[0] <= 1.0
    assert wide.greeks.reduce_from_fraction < 0.0028 / 0.003


def test_a_scenario_beyond_its_limit_is_demanded_before_a_small_move(world):
    held = world.held_book(world.hold(world.option("SPX", 5900), -9, "near"))

    reduce = [one for one in demanded(world, held, nlv=3e5) if one.kind is DemandKind.REDUCE]

    assert len(reduce) == 1
    assert "of NLV" in reduce[0].why


def test_an_account_nobody_knows_demands_nothing_and_is_told_elsewhere(world):
    held = world.held_book(world.hold(world.option("SPX", 5900), -9))
    book, view = measured(world, held)

    for nlv in (math.nan, 0.0, -1.0):
        assert overfull(book, nlv_usd=nlv, market=view, limits=world.LIMITS) is None
